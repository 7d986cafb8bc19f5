"""What hosts ask before they let a job in, who answers, and the jobs that wait for it meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.engine.far.doors import Doors
from tui.model.job import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tui.engine.board import Board, Record
    from tui.engine.clock import Clock
    from tui.model.ask import HostQuestion, KnownHost
    from tui.places.base import Opener


class Asking:
    """The doors to places, and the jobs that were turned away there.

    Args:
        openers: What connects to places, by scheme.
        hosts: Tells what may be connected to; called in a thread.
        go_on: Called with a job that may try a host again.
    """

    def __init__(
        self,
        board: Board,
        clock: Clock,
        openers: Mapping[str, Callable[[], Opener]],
        hosts: Callable[[], tuple[KnownHost, ...]],
        go_on: Callable[[Record], None],
    ) -> None:
        self._board, self._hosts, self._go_on = board, hosts, go_on
        self.doors = Doors(openers, clock, board.bump, self._let_in)
        self._early: set[int] = set()
        """Jobs that may try a host again, while they are still being put aside because of it."""

    async def hosts(self) -> tuple[KnownHost, ...]:
        """Return what may be connected to."""
        return await asyncio.to_thread(self._hosts)

    def questions(self) -> tuple[HostQuestion, ...]:
        """Return what is asked now, oldest first."""
        return self.doors.questions()

    def answer(self, id: int, text: str | None) -> None:
        """Answer a question. None: there is no answer.

        Raises:
            NotPossible: It was answered already, or is not asked any more.
        """
        self.doors.answer(id, text)

    def turned_away(self, record: Record) -> None:
        """Note that a job is being put aside because of what a host asks."""
        record.wants_host = True
        asked = (question for question in self.questions() if record.id in question.jobs)
        host = next((question.ask.host for question in asked), "a host")
        record.note = f"waits until somebody answers what {host} asks"

    def waits(self, record: Record) -> None:
        """Note that a job waits by now; where that was answered as it was put aside, it goes on."""
        if record.id in self._early:
            self._let_in(frozenset({record.id}))

    def forget(self, record: Record) -> None:
        """Say that a job wants in no more: it was paused or cancelled."""
        self._early.discard(record.id)
        self.doors.forget(record.id)

    def _let_in(self, ids: frozenset[int]) -> None:
        """Have jobs try a host again, now that it asks for nothing any more."""
        for record in self._board.records():
            if record.id not in ids:
                continue
            if record.wants_host and record.state is JobState.WAITING:
                self._early.discard(record.id)
                record.wants_host = False
                self._go_on(record)
            else:
                self._early.add(record.id)
