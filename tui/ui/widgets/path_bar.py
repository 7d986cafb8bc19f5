"""The line above a pane: where it is, what it is doing, the order, the room left."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.addresses import shortened
from tui.ui.terminal.cells import cells

if TYPE_CHECKING:
    from rich.style import Style

_PATH_CELLS, _FAR_CELLS = 24, 34
"""The order and then the free space give way until the path has so many cells; one behind a host is longer."""


class PathBar(Widget):
    """One line. The path is cut at its start: the name of the folder is always there, and a host before it."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"path-bar--path", "path-bar--state", "path-bar--detail"}
    DEFAULT_CSS = """
    PathBar {
        height: 1; background: $panel;
        & > .path-bar--path { text-style: bold; }
        & > .path-bar--state { color: $text-warning; }
        & > .path-bar--detail { color: $text-muted; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown = ("", "", "", "")

    def show(self, path: str, *, state: str = "", order: str = "", free: str = "") -> None:
        """Show these texts, which must be visible text; nothing is drawn if they are those shown already."""
        if self._shown != (shown := (path, state, order, free)):
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
        path, state, order, free = self._shown
        right = [text for text in (state, order, free) if text]
        least = min(_FAR_CELLS if "://" in path else _PATH_CELLS, cells(path))
        while len(right) > bool(state) and width - _cells_of(right) - 2 < least:
            right.pop(bool(state))
        if right and width - _cells_of(right) - 2 < 3:
            right = []
        left = " " + shortened(path, max(0, width - _cells_of(right) - 2))
        parts = [
            (left, self._style("path")),
            (" " * (width - cells(left) - _cells_of(right)), self.rich_style),
        ]
        parts += [(f"{text} ", self._style("state" if text is state else "detail")) for text in right]
        return Strip([Segment(*part) for part in parts], width)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"path-bar--{name}")


def _cells_of(texts: list[str]) -> int:
    return sum(cells(text) + 1 for text in texts)
