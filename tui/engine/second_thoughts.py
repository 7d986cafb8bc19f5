"""What is asked about what was done: to undo a job, and to note what was done without one, to be undone like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiofiles.os

from tui.engine.far.identity import step_at
from tui.engine.far.reaching import Directly
from tui.engine.planner import refuse
from tui.engine.reversal import prepare
from tui.engine.rows import new_tag
from tui.engine.traces import NotedStep
from tui.model.error import UsageError
from tui.model.job import JobKind
from tui.places.local.reversing import identity_of

if TYPE_CHECKING:
    from tui.engine.board import Record
    from tui.engine.clock import Clock
    from tui.engine.journal import Journal
    from tui.engine.keeper import Keeper
    from tui.model.location import Location

STEPS_KEPT = 50
"""So many of the things done without a job stay in the list, to be undone."""

TIDY_PATIENCE_S = 2.0
"""So long `undo` waits for a job that has ended to be tidied up."""


class SecondThoughts:
    """Queues reversals; what is being undone just now is not forgotten meanwhile."""

    def __init__(self, journal: Journal, keeper: Keeper, clock: Clock) -> None:
        self._journal, self._keeper, self._clock = journal, keeper, clock
        self._undoing: set[int] = set()

    async def undo(self, record: Record) -> int:
        """Queue what undoes a job; return the id of the job that does it.

        Raises:
            NotPossible: It cannot be undone; the text names the reason.
        """
        keeper = self._keeper
        if record.state.is_final:  # its last words may still be on their way into the journal
            await keeper.settled([record], TIDY_PATIENCE_S)
        if record.id in self._undoing or (record.state.is_final and keeper.is_busy(record)):
            raise refuse(
                f"undo job {record.id}", "something is still being done about it; try again in a moment"
            )
        self._undoing.add(record.id)
        try:
            reversal = await prepare(self._journal, record, keeper.shared.pool)
            record.undone_by = await self._journal.add_reversal(reversal, new_tag(), self._clock.now())
        finally:
            self._undoing.discard(record.id)
        keeper.board.touch(record)
        # Names change at once, whatever the disk is busy with.
        return await keeper.take_up(record.undone_by, forced=reversal.kind in (JobKind.RENAME, JobKind.MAKE))

    async def note_step(self, kind: JobKind, location: Location, before: Location) -> int:
        """Put what was done at once on the list as a job that is done; the oldest of such go off it.

        Raises:
            UsageError: Such a thing is not done at once.
            PlaceError: What was made or renamed is not there any more.
        """
        if kind not in (JobKind.RENAME, JobKind.MAKE):
            raise UsageError(f"a {kind} is not done at once")
        if (location.scheme, location.authority) != (before.scheme, before.authority):
            raise UsageError(f"a {kind} is done at one place")
        step = await self._step(kind, location, before)
        id = await self._keeper.take_up(await self._journal.add_step(step, new_tag(), self._clock.now()))
        old = [each for each in await self._journal.old_steps(STEPS_KEPT) if each not in self._undoing]
        # Off the list at once: nobody begins to undo what is being forgotten.
        self._keeper.board.take_off(old)
        await self._journal.forget(old)
        return id

    async def _step(self, kind: JobKind, location: Location, before: Location) -> NotedStep:
        """Return what was done at once, with what it is known by where it is now."""
        keeper = self._keeper
        if location.is_local:
            look = aiofiles.os.wrap(identity_of)
            return NotedStep(kind, location, before, await look(location, executor=keeper.shared.pool))
        return await Directly(keeper.doors).do(location, lambda place: step_at(place, kind, location, before))
