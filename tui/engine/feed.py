"""What clients hear of jobs without asking again and again."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from tui.model.job import JobState, Update

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tui.engine.board import Board, Record, Watch
    from tui.engine.clock import Clock
    from tui.model.ask import HostQuestion
    from tui.model.job import EngineStatus

UPDATE_S = 0.125
"""Figures come to one subscriber at least so far apart; what changes meanwhile is in the next update."""

TURNS_AT_ONCE, TURN_S = 3, 0.5
"""That a job is in another state is told at once, so often in a row, and once more after each such while.

So who waits for a job hears of its end when it ends, and a queue of short jobs stays at ten updates a second.
"""


class _Turns:
    """How often one subscriber may still be told at once that a job is in another state."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._left, self._since = clock, float(TURNS_AT_ONCE), clock.monotonic()

    def take(self) -> bool:
        """Take one, where there is one."""
        now = self._clock.monotonic()
        self._left = min(self._left + (now - self._since) / TURN_S, float(TURNS_AT_ONCE))
        self._since = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Feed:
    """Tells of changes on the board."""

    def __init__(
        self,
        board: Board,
        clock: Clock,
        status: Callable[[], EngineStatus],
        host_questions: Callable[[], tuple[HostQuestion, ...]],
    ) -> None:
        self._board, self._clock, self._status = board, clock, status
        self._host_questions = host_questions

    async def subscribe(self, after: int | None) -> AsyncGenerator[Update]:
        """Yield what changed after a sequence number, and then what changes; all jobs first where that is not known."""
        board = self._board
        watch = board.watch()
        try:
            full = after is None or not board.knows(after)
            seen = 0 if after is None or full else after
            turns = _Turns(self._clock)
            while True:
                watch.clear()
                update = self._update(seen, full=full)
                seen, full = update.seq, False
                yield update
                async with asyncio.TaskGroup() as group:
                    pause = group.create_task(self._clock.sleep(UPDATE_S), name="pause between updates")
                    early = group.create_task(self._break_off(pause, watch, turns), name="watch for turns")
                    await asyncio.wait({pause})
                    early.cancel()
                await watch.changed.wait()
        finally:
            board.unwatch(watch)

    async def _break_off(self, pause: asyncio.Task[None], watch: Watch, turns: _Turns) -> None:
        """End a pause as soon as a job is in another state, where that may be told at once."""
        await watch.turned.wait()
        if turns.take():
            pause.cancel()

    def _update(self, after: int, *, full: bool) -> Update:
        jobs, removed = self._board.changes(-1 if full else after)
        return Update(
            self._board.revision, jobs, () if full else removed, self._status(), full, self._host_questions()
        )

    async def rest(self, record: Record, seconds: float) -> None:
        """Wait until a job neither goes on nor is about to, so long at most."""
        watch = self._board.watch()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while record.state in (JobState.QUEUED, JobState.RUNNING):
                        watch.clear()
                        await watch.turned.wait()
        finally:
            self._board.unwatch(watch)
