"""What may follow while a sequence of keys is begun: a few lines above the key bar, gone when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.keys import shown
from tui.ui.terminal.cells import fit

if TYPE_CHECKING:
    from tui.ui.keys import Pending

COLUMN_CELLS = 38


class HintBar(Widget):
    """Lists the keys that go on from what was typed, in columns."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"hint-bar--key", "hint-bar--title", "hint-bar--typed"}
    DEFAULT_CSS = """
    HintBar {
        display: none;
        dock: bottom;
        width: 1fr;
        background: $panel;
        & > .hint-bar--key { color: $accent; text-style: bold; }
        & > .hint-bar--title { color: $foreground; }
        & > .hint-bar--typed { color: $text-muted; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pending: Pending | None = None

    def show(self, pending: Pending | None) -> None:
        """Show what may follow, or nothing."""
        self._pending = pending
        self.display = pending is not None
        if pending is not None:
            columns = self._columns(self.app.size.width)
            self.styles.height = 1 + -(-len(pending.choices) // columns)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        width = self.size.width
        if self._pending is None:
            return Strip.blank(width, base)
        if y == 0:
            text = f" {shown(self._pending.typed)} …   then one of these; Esc leaves"
            typed = self.get_component_rich_style("hint-bar--typed")
            return Strip([Segment(text, typed)]).adjust_cell_length(width, typed)
        columns = self._columns(width)
        row = self._pending.choices[(y - 1) * columns : y * columns]
        cells = width // columns
        key_style, title_style = map(self.get_component_rich_style, ("hint-bar--key", "hint-bar--title"))
        segments: list[Segment] = []
        for key, action in row:
            name = f" {shown(key):>6} "
            room = cells - len(name)
            segments += [Segment(name, key_style), Segment(fit(action.title, room).ljust(room), title_style)]
        return Strip(segments).adjust_cell_length(width, base)

    @staticmethod
    def _columns(width: int) -> int:
        return max(1, width // COLUMN_CELLS)
