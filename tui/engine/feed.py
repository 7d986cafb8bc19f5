"""What clients hear of jobs without asking again and again."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from tui.model.job import JobState, Update

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tui.engine.board import Board, Record
    from tui.engine.clock import Clock
    from tui.model.ask import HostQuestion
    from tui.model.job import EngineStatus

UPDATE_S = 0.125
"""Updates to one subscriber come at least so far apart; what changes meanwhile is in the next."""

QUICK_UPDATES, QUICK_UPDATE_S = 3, 0.02
"""After a quiet second a few come faster: who waits for a small file hears of its end at once, and it stays below ten
a second."""


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
        event = board.watch()
        try:
            full = after is None or not board.knows(after)
            seen = 0 if after is None or full else after
            sent = 0
            while True:
                event.clear()
                update = self._update(seen, full=full)
                seen, full = update.seq, False
                yield update
                sent += 1
                await self._clock.sleep(QUICK_UPDATE_S if sent < QUICK_UPDATES else UPDATE_S)
                if not event.is_set():
                    began = self._clock.monotonic()
                    await event.wait()
                    sent = 0 if self._clock.monotonic() - began >= 1.0 else sent
        finally:
            board.unwatch(event)

    def _update(self, after: int, *, full: bool) -> Update:
        jobs, removed = self._board.changes(-1 if full else after)
        return Update(
            self._board.revision, jobs, () if full else removed, self._status(), full, self._host_questions()
        )

    async def rest(self, record: Record, seconds: float) -> None:
        """Wait until a job neither goes on nor is about to, so long at most."""
        event = self._board.watch()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while record.state in (JobState.QUEUED, JobState.RUNNING):
                        event.clear()
                        await event.wait()
        finally:
            self._board.unwatch(event)
