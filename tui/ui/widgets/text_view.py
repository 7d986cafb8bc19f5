"""A file as text, with syntax colours for the lines in view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.message import Message
from textual.strip import Strip

from tui.ui.view_window import TextWindow
from tui.ui.widgets.view_base import Piece, ViewBase

if TYPE_CHECKING:
    from rich.style import Style

    from tui.ui.highlight import Highlighter
    from tui.ui.view_source import Row, ViewSource
    from tui.ui.view_window import Range

BEFORE_ROWS, AHEAD_PAGES = 120, 2
"""Rows before the window that a lexer sees, so that it knows where it is; and pages after it."""
BEFORE_BYTES = 24 * 1024
SIDEWAYS_CELLS = 16

STYLES = (
    "comment",
    "keyword",
    "string",
    "number",
    "name",
    "builtin",
    "heading",
    "inserted",
    "deleted",
    "match",
    "found",
)


class TextView(ViewBase):
    """Shows lines of text.

    Args:
        source: The file.
        highlighter: Gives colours; None for none.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"view--text", *(f"view--{name}" for name in STYLES)}

    @dataclass
    class Coloured(Message):
        """There are colours for rows in view."""

    def __init__(
        self, source: ViewSource, highlighter: Highlighter | None = None, *, id: str | None = None
    ) -> None:
        self.text_window = TextWindow(source)
        super().__init__(self.text_window, id=id)
        self._highlighter = highlighter

    def open(self, source: ViewSource, highlighter: Highlighter | None = None, offset: int = 0) -> None:
        """Show another file, or the same as it is now, from the line on that holds an offset."""

        async def show() -> None:
            window = TextWindow(source, await source.start_at(offset))
            await window.resize(*self.size)
            self.window = self.text_window = window
            self._highlighter = highlighter

        self.move(show)

    @property
    def wrap(self) -> bool:
        return self.text_window.wrap

    def toggle_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        wrap = not self.text_window.wrap
        self.move(lambda: self.text_window.set_wrap(wrap))

    def render_line(self, y: int) -> Strip:
        base = self._style("text")
        if y >= len(self.text_window.lines):
            return Strip.blank(self.size.width, base)
        line = self.text_window.lines[y]
        first, last = line.first, line.last
        found: list[Piece] = list(self._highlighter.spans(line.row)) if self._highlighter else []
        found += [(*match, self._match(line.row, match)) for match in self._matches(line.row)]
        pieces = [
            (max(start, first) - first, min(end, last) - first, name)
            for start, end, name in found
            if start < last and end > first
        ]
        return self.strip(line.row.text[first:last], pieces, self._style, base)

    def _matches(self, row: Row) -> list[Range]:
        return self.text_window.matches.get(row.start, [])

    def _match(self, row: Row, match: Range) -> str:
        return "found" if (row.start, match[0]) == self.text_window.found_at else "match"

    def on_view_base_moved(self) -> None:
        rows = self.text_window.rows
        if self._highlighter is not None and rows and not self._highlighter.knows(rows):
            self._colour(self._highlighter, rows)

    def on_text_view_coloured(self) -> None:
        self.refresh()

    @work(group="colours", exclusive=True)
    async def _colour(self, highlighter: Highlighter, rows: list[Row]) -> None:
        """Colour the rows in view with some before them, for context, and some after, for the next keys."""
        before = await self.text_window.source.starts_before(rows[0].start, BEFORE_ROWS)
        before = [start for start in before if start >= rows[0].start - BEFORE_BYTES]
        context = [await self.text_window.source.row(start) for start in before]
        ahead = await self.text_window.source.rows(rows[-1].end, AHEAD_PAGES * self.size.height)
        ahead = [row for row in ahead if row.end <= rows[-1].end + BEFORE_BYTES]
        await highlighter.learn([*context, *rows, *ahead])
        self.post_message(self.Coloured())

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"view--{name}")

    def action_scroll_left(self) -> None:
        self.move(lambda: self.text_window.shift(-SIDEWAYS_CELLS))

    def action_scroll_right(self) -> None:
        self.move(lambda: self.text_window.shift(SIDEWAYS_CELLS))
