"""Undo: whatever was done last, by a job or at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tui.model.error import PlaceError
from tui.ui.deeds import Deed
from tui.ui.operations import Operations, operation
from tui.ui.widgets.job_line import sources

if TYPE_CHECKING:
    from tui.model.job import Job
    from tui.model.location import Location


class UndoOperations(Operations):
    """The action that takes things back, and the record of what was done without the queue."""

    def __init__(self) -> None:
        super().__init__()
        self._tried: set[int] = set()
        """Jobs that were to be undone; those of them that still can be were refused."""

    async def did(self, kind: str, location: Location, before: Location) -> None:
        """Note what was just done at once, by which it can be undone."""
        try:
            identity = await self.client.identity(location)
        except PlaceError:
            return  # somebody took it away in the same moment: then there is nothing to undo
        self.memory.did(Deed(kind, location, before, identity, time.time()))
        self.keep_memory()

    @operation
    async def action_undo(self) -> None:
        """Undo what was done last and can be undone. What undoes is passed over: each time it goes further back."""
        self.nothing_to_open()
        last = await self._last_job()
        deeds = self.memory.deeds
        if deeds and (last is None or deeds[-1].at >= (last.ended_at or 0.0)):
            await self._undo_deed(deeds[-1])
        elif last is not None:
            self._tried.add(last.id)
            undoing = await self.client.undo(last.id)
            self.tell(f"Undoing job {last.id} ({last.title} {sources(last)}) · job {undoing}")
        else:
            self.tell("There is nothing to undo.", "warning")

    async def _last_job(self) -> Job | None:
        """Return the job that ended last of those that can be undone. One that was refused goes behind the others."""
        jobs = [job for job in await self.client.jobs() if job.reversible and (job.redo or not job.undoes)]
        return max(
            jobs, key=lambda job: (job.id not in self._tried, job.ended_at or 0.0, job.id), default=None
        )

    async def _undo_deed(self, deed: Deed) -> None:
        """Take one back. It is forgotten in any case: one that cannot be undone must not stand before all others."""
        self.memory.deeds.remove(deed)
        self.keep_memory()
        await deed.undo(self.client)
        self.tell(deed.undone)
        for pane in (self.pane, self.other):
            if pane.location == deed.before.parent:
                pane.refresh_folder()
