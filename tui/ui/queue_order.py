"""The order in which the queue lists its jobs: as they come up, or by what they are. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui.ui.sorting import natural_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.model.job import Job

AS_THEY_RUN: Final = "order"

_KEYS: dict[str, Callable[[Job], Any]] = {
    "name": lambda job: natural_key(job.first_source.name),
    "size": lambda job: -job.progress.bytes_total,
    "time": lambda job: -job.created_at,
}
"""By what one sorts by: largest and latest first, as in a pane."""


@dataclass(frozen=True, slots=True)
class QueueOrder:
    """How jobs are listed. `by`: "order" (what needs somebody, what runs, what comes up, what has ended), "name",
    "size" or "time" (when they were added).
    """

    by: str = AS_THEY_RUN
    reverse: bool = False

    def asked(self, by: str) -> QueueOrder:
        """Return the order after it was asked to sort by something; asked for once more, the other way round."""
        return QueueOrder(by, by == self.by and by != AS_THEY_RUN and not self.reverse)

    def of(self, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        """Return jobs, which come as they run, in this order; equal ones stay as they come."""
        if self.by == AS_THEY_RUN:
            return jobs
        return tuple(sorted(jobs, key=_KEYS[self.by], reverse=self.reverse))

    @property
    def shown(self) -> str:
        """What the line above the jobs says of it: nothing of the usual order."""
        if self.by == AS_THEY_RUN:
            return ""
        return self.by + ("↑" if (self.by == "name") != self.reverse else "↓")
