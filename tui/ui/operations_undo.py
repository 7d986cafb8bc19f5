"""Undo: whatever was done last, by a job or at once. What is done at once is written down in the queue too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.error import FerryError, PlaceError
from tui.ui.operations import Operations, operation
from tui.ui.widgets.job_line import sources

if TYPE_CHECKING:
    from tui.model.job import Job, JobKind
    from tui.model.location import Location


class UndoOperations(Operations):
    """The action that takes things back, and the word to the queue of what was done without it."""

    def __init__(self) -> None:
        super().__init__()
        self._tried: set[int] = set()
        """Jobs that were to be undone; those of them that still can be were refused."""

    async def did(self, kind: JobKind, location: Location, before: Location) -> None:
        """Note what was just done at once: so it can be undone like a job, also later and from the command line."""
        try:
            await self.client.note_step(kind, location, before)
        except PlaceError:
            return  # somebody took it away in the same moment: then there is nothing to undo
        except FerryError as error:
            self.tell(f"It is done, but cannot be undone: {error.message}", "warning")

    @operation
    async def action_undo(self) -> None:
        """Undo what was done last and can be undone. What undoes is passed over: each time it goes further back."""
        self.nothing_to_open()
        last = await self._last_job()
        if last is None:
            self.tell("There is nothing to undo.", "warning")
            return
        self._tried.add(last.id)
        undoing = await self.client.undo(last.id)
        self.tell(f"Undoing job {last.id} ({last.title} {sources(last)}) · job {undoing}")

    async def _last_job(self) -> Job | None:
        """Return the job that ended last of those that can be undone. One that was refused goes behind the others."""
        jobs = [job for job in await self.client.jobs() if job.reversible and (job.redo or not job.undoes)]
        return max(
            jobs, key=lambda job: (job.id not in self._tried, job.ended_at or 0.0, job.id), default=None
        )
