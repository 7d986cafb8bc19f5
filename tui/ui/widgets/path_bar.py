"""The line above a pane: where it is, what it is doing, the order, the room left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.addresses import shortened
from tui.ui.terminal.cells import cells

if TYPE_CHECKING:
    from rich.style import Style

_PATH_CELLS, _FAR_CELLS = 20, 34
"""The free space and the order give way until the path has so many cells; one behind a host is longer."""


@dataclass(frozen=True, slots=True)
class Right:
    """What stands right of the path.

    Attributes:
        order: What the rows are sorted by.
        is_usual: The order is what one expects: it gives way to the free space, which else gives way to it.
        free, free_short: The room left, at length and in a word.
    """

    order: str = ""
    is_usual: bool = True
    free: str = ""
    free_short: str = ""

    def choices(self) -> list[tuple[str, ...]]:
        """Return what may stand there, the longest first, nothing last."""
        both = [(self.order, self.free), (self.order, self.free_short)]
        free = [(self.free,), (self.free_short,)]
        order = [(self.order,)]
        return [*both, *(free + order if self.is_usual else order + free), ()]


class PathBar(Widget):
    """One line. The path is cut at its start: the name of the folder is always there, and a host before it.

    It ends where the rows below do, a cell before the pane: what belongs to one pane does not run into the other.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "path-bar--path",
        "path-bar--state",
        "path-bar--detail",
        "path-bar--gap",
    }
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
        self._shown = ("", "", Right())

    def show(self, path: str, *, state: str = "", right: Right | None = None) -> None:
        """Show these texts, which must be visible text; nothing is drawn if they are those shown already."""
        if self._shown != (shown := (path, state, right or Right())):
            self._shown = shown
            self.refresh()

    @property
    def text(self) -> str:
        """The line as it is shown."""
        return self.render_line(0).text

    def render_line(self, y: int) -> Strip:
        width = self.size.width - 1
        if y or width < 1:
            return Strip.blank(self.size.width, self.rich_style)
        path, state, wanted = self._shown
        least = min(_FAR_CELLS if "://" in path else _PATH_CELLS, cells(path))
        rights = [[text for text in (state, *texts) if text] for texts in wanted.choices()]
        right = next((each for each in rights if width - _cells_of(each) - 2 >= least), rights[-1])
        if right and width - _cells_of(right) - 2 < 3:
            right = []
        left = " " + shortened(path, max(0, width - _cells_of(right) - 2))
        parts = [
            (left, self._style("path")),
            (" " * (width - cells(left) - _cells_of(right)), self.rich_style),
        ]
        parts += [(f"{text} ", self._style("state" if text is state else "detail")) for text in right]
        strip = Strip([Segment(*part) for part in parts]).adjust_cell_length(width, self.rich_style)
        return Strip([*strip, Segment(" ", self._style("gap"))], width + 1)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"path-bar--{name}")


def _cells_of(texts: list[str]) -> int:
    return sum(cells(text) + 1 for text in texts)
