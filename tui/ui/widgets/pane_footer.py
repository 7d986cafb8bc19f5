"""The line below a pane: the filter, the marks, the entry under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.terminal.cells import cells, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = "  "


class PaneFooter(Widget):
    """One line: notices on the left, the entry's name after them, its facts on the right as far as there is room."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "pane-footer--filter",
        "pane-footer--marks",
        "pane-footer--name",
        "pane-footer--detail",
    }
    DEFAULT_CSS = """
    PaneFooter {
        height: 1; background: $panel;
        & > .pane-footer--filter { color: $text-primary; text-style: bold; }
        & > .pane-footer--marks { color: $text-warning; text-style: bold; }
        & > .pane-footer--detail { color: $text-muted; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[str, str, str, tuple[str, ...]] = ("", "", "", ())

    def show(self, *, filter: str = "", marks: str = "", name: str = "", details: Sequence[str] = ()) -> None:
        """Show these texts, which must be visible text; details the most telling first."""
        if self._shown != (shown := (filter, marks, name, tuple(details))):
            self._shown = shown
            self.refresh()

    @property
    def text(self) -> str:
        """The line as it is shown."""
        return self.render_line(0).text

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y or not width:
            return Strip.blank(width, self.rich_style)
        filter, marks, name, details = self._shown
        parts: list[tuple[str, str]] = []
        left = width - 2
        for kind, text in (("filter", filter), ("marks", marks)):
            if text and left > 4:
                text = fit(text, left)
                parts.append((kind, text + _GAP))
                left -= cells(text) + len(_GAP)
        kept = list(details)
        while kept and left - sum(cells(text) + len(_GAP) for text in kept) < min(12, cells(name)):
            kept.pop()
        tail = "".join(_GAP + text for text in kept)
        name = fit(name, max(0, left - cells(tail)), keep="extension")
        parts.append(("name", name + " " * max(0, left - cells(tail) - cells(name))))
        parts.append(("detail", tail))
        segments = [Segment(" ", self.rich_style)]
        segments += [
            Segment(text, self.get_component_rich_style(f"pane-footer--{kind}")) for kind, text in parts
        ]
        return Strip(segments).adjust_cell_length(width, self.rich_style)
