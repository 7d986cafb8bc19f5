"""A job's errors, one a line, read in pages as they come into view."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.model.job import JobError
from tui.ui.terminal.cells import cells, fit
from tui.visible import visible

if TYPE_CHECKING:
    from textual import events

    from tui.client.base import Queue

PAGE = 500
_CAUSE_CELLS = 21
"""Of a line: what the longest cause takes ("authentication failed")."""


class ErrorList(ScrollView, can_focus=True):
    """Lists the errors of one job; only pages that were looked at are in memory.

    Args:
        queue: Where they are read.
        job: Whose errors.
        count: How many there are.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("home,g", "to(0)", "First", show=False),
        Binding("end,G", "to(-1)", "Last", show=False),
        Binding("pagedown,ctrl+f,space", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"error-list--text", "error-list--place", "error-list--cursor"}

    cursor: var[int] = var(0)

    @dataclass
    class Highlighted(Message):
        """The cursor is on another error, or that error has been read (None: not yet)."""

        listing: ErrorList
        error: JobError | None

        @property
        def control(self) -> ErrorList:
            return self.listing

    @dataclass
    class ReadFailed(Message):
        """Some errors could not be read."""

        error: Exception

    @dataclass
    class PageRead(Message):
        """Some errors have come."""

        number: int
        errors: tuple[JobError, ...]

    def __init__(self, queue: Queue, job: int, count: int, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._queue, self._job, self.count = queue, job, count
        self._pages: dict[int, tuple[JobError, ...]] = {}
        self._asked: set[int] = set()

    @property
    def current(self) -> JobError | None:
        """The error under the cursor, where it has been read."""
        return self._at(self.cursor)

    def set_count(self, count: int) -> None:
        """Take over how many errors there are now."""
        if count == self.count:
            return
        last = min(count, self.count) // PAGE
        self.count = count
        self._asked.discard(last)  # that page was not full when it was read
        self._measure()

    def on_mount(self) -> None:
        self._measure()

    def on_resize(self) -> None:
        self._measure()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._ask()

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self.count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        height = max(1, self.size.height)
        top = int(self.scroll_offset.y)
        if not top <= new < top + height:
            self.scroll_to(y=max(0, new - height // 2), animate=False)
        self.refresh_line(old)
        self.refresh_line(new)
        self.post_message(self.Highlighted(self, self.current))

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        width = self.size.width
        base = self.get_component_rich_style("error-list--text")
        if index >= self.count:
            return Strip.blank(width, base)
        under = index == self.cursor
        style = self.get_component_rich_style("error-list--cursor") if under else base
        place = style if under else self.get_component_rich_style("error-list--place")
        error = self._at(index)
        if error is None:
            return Strip([Segment(" …", style)]).adjust_cell_length(width, style)
        name, folder = visible(error.location.name or "/"), visible(str(error.location.parent))
        cause_cells = min(_CAUSE_CELLS, width // 3)
        cause = fit(_words(visible(error.code)), cause_cells)
        room = max(4, width - cause_cells - 4)
        name = fit(name, room, "extension")
        folder = fit(folder, room - cells(name) - 2, "end")
        segments = [
            Segment(f" {cause:{cause_cells}}  ", place),
            Segment(name, style),
            Segment(f"  {folder}", place),
        ]
        return Strip(segments).adjust_cell_length(width, style)

    def on_error_list_page_read(self, event: PageRead) -> None:
        event.stop()
        self._pages[event.number] = event.errors
        self.refresh()
        if self.cursor // PAGE == event.number:
            self.post_message(self.Highlighted(self, self.current))

    def on_click(self, event: events.Click) -> None:
        self.cursor = int(self.scroll_offset.y) + event.y

    def action_move(self, by: int) -> None:
        self.cursor += by

    def action_to(self, index: int) -> None:
        self.cursor = index if index >= 0 else self.count - 1

    def action_page(self, pages: int) -> None:
        self.cursor += pages * max(1, self.size.height - 1)

    def _at(self, index: int) -> JobError | None:
        page = self._pages.get(index // PAGE, ())
        return page[index % PAGE] if index % PAGE < len(page) else None

    def _measure(self) -> None:
        self.virtual_size = Size(self.size.width, self.count)
        self.cursor = self.cursor
        self._ask()
        self.refresh()

    def _ask(self) -> None:
        """Read the pages in view that were not read yet."""
        top = int(self.scroll_offset.y)
        bottom = min(self.count - 1, top + self.size.height)
        for number in range(top // PAGE, bottom // PAGE + 1):
            if number not in self._asked and self.count:
                self._asked.add(number)
                self.run_worker(self._read(number), group="errors")

    async def _read(self, number: int) -> None:
        try:
            errors = await self._queue.errors(self._job, number * PAGE, PAGE)
        except Exception as error:  # the list stays, and the page is asked for again when it comes into view
            self._asked.discard(number)
            self.post_message(self.ReadFailed(error))
            return
        self.post_message(self.PageRead(number, errors))


def _words(code: str) -> str:
    """Return "PermissionDenied" as "permission denied"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", code).lower()
