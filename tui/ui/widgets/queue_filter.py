"""Looking at the queue: filtered by a line below the jobs, so that others are neither shown nor acted on; sorted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.getters import query_one

from tui.ui.matching import matcher
from tui.ui.queue_order import AS_THEY_RUN
from tui.ui.widgets.line_input import LineInput
from tui.ui.widgets.queue_actions import QueueActions

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.model.job import Job


class QueueFilter(QueueActions):
    """The queue with its filter and its order."""

    DEFAULT_CSS: ClassVar[str] = """
    QueueFilter LineInput { dock: bottom; }
    """

    line = query_one(LineInput)

    def compose(self) -> ComposeResult:
        yield LineInput()

    @property
    def takes_keys(self) -> bool:
        return self.has_focus

    def action_filter(self) -> None:
        self.line.open("filter", "Filter", self.filter)
        self._set_filter(self.filter)

    def on_descendant_focus(self) -> None:
        self.notify_style_update()

    def on_descendant_blur(self) -> None:
        self.notify_style_update()

    def action_clear(self) -> None:
        """Leave the filter; where there is none, go back to the files."""
        if self.filter:
            self._set_filter("")
        else:
            self.action_back_to_files()

    def action_back_to_files(self) -> None:
        raise NotImplementedError

    def _set_filter(self, text: str) -> None:
        self.filter = text
        self.lines_below = int(self.line.is_open)
        self.take_over()
        self.line.show_missing(bool(text) and not self.jobs)

    def fitting(self, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        if not self.filter:
            return jobs
        fits = matcher(self.filter)
        return tuple(job for job in jobs if any(fits(text) for text in _texts(job)))

    def action_sort_by_order(self) -> None:
        self._sort_by(AS_THEY_RUN)

    def action_sort_by_name(self) -> None:
        self._sort_by("name")

    def action_sort_by_size(self) -> None:
        self._sort_by("size")

    def action_sort_by_time(self) -> None:
        self._sort_by("time")

    def _sort_by(self, by: str) -> None:
        self.order = self.order.asked(by)
        self.take_over()

    @on(LineInput.Typed)
    def _line_typed(self, event: LineInput.Typed) -> None:
        event.stop()
        self._set_filter(event.text)

    @on(LineInput.Stepped)
    def _line_stepped(self, event: LineInput.Stepped) -> None:
        event.stop()
        self.move_cursor_by(event.rows)

    @on(LineInput.Accepted)
    def _line_accepted(self, event: LineInput.Accepted) -> None:
        event.stop()
        self._close_line(event.text)

    @on(LineInput.Left)
    def _line_left(self, event: LineInput.Left) -> None:
        event.stop()
        self._close_line("")

    def _close_line(self, filter: str) -> None:
        self.line.close()
        self._set_filter(filter)
        self.focus()


def _texts(job: Job) -> tuple[str, ...]:
    """Return what a filter may fit: what is done, how it stands, the name, and where from and to."""
    ends = (job.first_source, job.first_source.parent, job.target)
    name = job.first_source.name
    return (name, job.title, job.state.value, job.note, *(str(end) for end in ends if end is not None))
