"""Trees that jobs are building, as the panes show them: under the names they will have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import format
from tui.ui.widgets.job_line import percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tui.model.job import Job, Stage
    from tui.model.location import Location


class Stages:
    """The trees being built now. There are few: one a job at most."""

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._all = {job.stage.folder: (job.stage, _amount(job, job.stage)) for job in jobs if job.stage}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stages) and self._all == other._all

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Stage]:
        return (stage for stage, _ in self._all.values())

    def within(self, folder: Location) -> dict[str, tuple[str, str]]:
        """Return those built right in a folder: final name and how much is done, by partial name."""
        return {
            stage.folder.name: (stage.final.name, amount)
            for stage, amount in self._all.values()
            if stage.folder.parent == folder
        }

    def around(self, location: Location) -> Stage | None:
        """Return the tree a location belongs to, its own folder included."""
        return next((stage for stage, _ in self._all.values() if stage.folder.holds(location)), None)

    def built(self, location: Location) -> Location:
        """Return where something is now that will be at a location: itself, unless it is being built."""
        for stage, _ in self._all.values():
            if stage.final.holds(location):
                return moved(location, stage.final, stage.folder)
        return location


def moved(location: Location, before: Location, after: Location) -> Location:
    """Return where a location is once a folder it may lie in has another place."""
    return after.below(before.relative(location)) if before.holds(location) else location


def _amount(job: Job, stage: Stage) -> str:
    """Return how much is done: of all there is to do where that is this one tree, else what is in it."""
    if job.source_count == 1 and (done := percent(job).strip()) != "–":
        return done
    return format.size(stage.bytes_done) if stage.bytes_done else "…"
