"""What a search has found, one hit a line, drawn as it comes into view; with a cursor and marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.model.entry import EntryKind
from tui.ui.terminal.cells import cells, fit
from tui.ui.widgets.listing import MARK
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from tui.model.location import Location
    from tui.ui.searching import Hit

_TEXT_SHARE = 2
"""The path takes at most one in so many cells where a line of the file stands beside it."""


class HitList(ScrollView, can_focus=True):
    """Lists hits; whoever shows it has the keys that end the search."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("home,g", "to(0)", "First", show=False),
        Binding("end,G", "to(-1)", "Last", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("space,insert,ctrl+t", "mark", "Mark, and step down", show=False),
        Binding("asterisk,percent_sign,ctrl+a", "invert_marks", "Invert the marks", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "hit-list--text",
        "hit-list--folder",
        "hit-list--quiet",
        "hit-list--marked",
        "hit-list--cursor",
    }

    cursor: var[int] = var(0, init=False)

    class MarksChanged(Message):
        """Hits were marked or unmarked."""

    class Opened(Message):
        """The hit under the cursor was clicked twice."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.hits: list[Hit] = []
        self.marked: set[int] = set()

    @property
    def current(self) -> Hit | None:
        return self.hits[self.cursor] if self.hits else None

    @property
    def chosen(self) -> list[Location]:
        """What the marked hits are about, in their order, else the one under the cursor."""
        indexes = sorted(self.marked) or ([self.cursor] if self.hits else [])
        return [self.hits[index].location for index in indexes]

    def show(self, hits: Sequence[Hit], cursor: int = 0) -> None:
        """Begin anew with these."""
        self.hits = list(hits)
        self.marked.clear()
        self._measure()
        self.cursor = cursor

    def add(self, hits: Sequence[Hit]) -> None:
        """Put more at the end."""
        if hits:
            self.hits += hits
            self._measure()

    def _measure(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.hits))
        self.refresh()

    def on_resize(self) -> None:
        self._measure()

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, len(self.hits) - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        height, top = max(1, self.size.height), int(self.scroll_offset.y)
        if not top <= new < top + height:
            self.scroll_to(y=max(0, new - height // 2), animate=False)
        self.refresh_line(old)
        self.refresh_line(new)

    def render_line(self, y: int) -> Strip:
        index, width = y + int(self.scroll_offset.y), self.size.width
        base = self.get_component_rich_style("hit-list--text")
        if index >= len(self.hits):
            return Strip.blank(width, base)
        hit, marked = self.hits[index], index in self.marked
        folder = hit.kind is EntryKind.FOLDER
        name = "marked" if marked else "folder" if folder else "text"
        style, quiet = (self.get_component_rich_style(f"hit-list--{each}") for each in (name, "quiet"))
        if index == self.cursor and self.has_focus:
            style = quiet = self.get_component_rich_style("hit-list--cursor")
        place = visible(hit.path) + (f":{hit.line}" if hit.line else "")
        room = width - 2
        place = fit(place, max(8, room // _TEXT_SHARE) if hit.line else room, "end")
        segments = [Segment(f"{MARK if marked else ' '}{place} ", style)]
        if hit.line:
            segments.append(Segment(" " + fit(visible(hit.text), max(0, room - cells(place) - 1)), quiet))
        return Strip(segments).adjust_cell_length(width, style).simplify()

    def on_focus(self) -> None:
        self.refresh_line(self.cursor)

    def on_blur(self) -> None:
        self.refresh_line(self.cursor)

    def on_click(self, event: events.Click) -> None:
        row = int(self.scroll_offset.y) + event.y
        if row < len(self.hits):
            self.cursor = row
            if event.chain == 2:
                self.post_message(self.Opened())

    def action_move(self, by: int) -> None:
        self.cursor += by

    def action_to(self, index: int) -> None:
        self.cursor = index if index >= 0 else len(self.hits) - 1

    def action_page(self, pages: int) -> None:
        self.cursor += pages * max(1, self.size.height - 1)

    def action_mark(self) -> None:
        if self.hits:
            self.marked ^= {self.cursor}
            self.refresh_line(self.cursor)
            self.cursor += 1
            self.post_message(self.MarksChanged())

    def action_invert_marks(self) -> None:
        self.marked ^= set(range(len(self.hits)))
        self.refresh()
        self.post_message(self.MarksChanged())
