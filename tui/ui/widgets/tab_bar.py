"""The folders a pane has open, in one line; there only while it has several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.terminal.cells import cells, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

_LEAST_CELLS = 3
"""A name is cut to no less; what has no room then is beyond the edge."""


class TabBar(Widget):
    """Numbers and names of tabs, the one shown set off."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab-bar--tab", "tab-bar--shown"}
    DEFAULT_CSS = """
    TabBar {
        height: 1; display: none; background: $panel;
        &.-several { display: block; }
        & > .tab-bar--tab { color: $text-muted; }
        & > .tab-bar--shown { background: $surface; text-style: bold; }
    }
    """

    @dataclass
    class Clicked(Message):
        """A tab was clicked."""

        index: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._names: tuple[str, ...] = ()
        self._shown = 0

    def show(self, names: Sequence[str], shown: int) -> None:
        """Show these names, which must be visible text; a single one is not worth a line."""
        if (self._names, self._shown) != (tuple(names), shown):
            self._names, self._shown = tuple(names), shown
            self.set_class(len(names) > 1, "-several")
            self.refresh()

    @property
    def text(self) -> str:
        """The line as it is shown."""
        return self.render_line(0).text

    def texts(self) -> list[str]:
        """Return what stands for each tab, in the room there is."""
        each = (self.size.width - 1) // max(1, len(self._names)) - 4
        most = max(_LEAST_CELLS, each)
        spare = sum(max(0, most - cells(name)) for name in self._names)
        return [
            f" {number} {fit(name, most + (spare if number == self._shown + 1 else 0))} "
            for number, name in enumerate(self._names, 1)
        ]

    def render_line(self, y: int) -> Strip:
        segments = [
            Segment(text, self.get_component_rich_style(f"tab-bar--{'shown' if n == self._shown else 'tab'}"))
            for n, text in enumerate(self.texts())
        ]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        end = 0
        for index, text in enumerate(self.texts()):
            end += cells(text)
            if event.x < end:
                self.post_message(self.Clicked(index))
                return
