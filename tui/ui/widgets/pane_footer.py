"""The line below a pane: the filter, the marks, the entry under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.terminal.cells import cells, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = "  "
_NAME_CELLS = 12
"""Facts give way until the name has so many cells, or all it needs."""
_LEADS = " → "
"""Between a link's name and where it leads, which ends in no ending of the name's."""
_GARBLED = 4
"""In so few cells a longer name says nothing."""


class PaneFooter(Widget):
    """One line: notices on the left, the entry's name after them, then its facts as far as there is room, its place.

    Like the line above the rows it ends a cell before the pane.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "pane-footer--filter",
        "pane-footer--marks",
        "pane-footer--name",
        "pane-footer--detail",
        "pane-footer--gap",
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
        self._shown: tuple[str, str, str, tuple[str, ...], str] = ("", "", "", (), "")

    def show(
        self,
        *,
        filter: str = "",
        marks: str = "",
        name: str = "",
        details: Sequence[str] = (),
        position: str = "",
    ) -> None:
        """Show these texts, which must be visible text; details the most telling first."""
        if self._shown != (shown := (filter, marks, name, tuple(details), position)):
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
        filter, marks, name, details, position = self._shown
        parts: list[tuple[str, str]] = []
        left = width - 2
        for kind, text in (("filter", filter), ("marks", marks)):
            if text and left > 4:
                text = fit(text, left)
                parts.append((kind, text + _GAP))
                left -= cells(text) + len(_GAP)
        kept = [*details, position] if position else list(details)
        while kept and left - sum(cells(text) + len(_GAP) for text in kept) < min(_NAME_CELLS, cells(name)):
            kept.pop(-2 if position and len(kept) > 1 else -1)
        tail = "".join(_GAP + text for text in kept)
        room = max(0, left - cells(tail))
        keep: Literal["start", "extension"] = "start" if _LEADS in name else "extension"
        name = fit(name, room, keep) if room > _GARBLED or cells(name) <= room else ""
        parts.append(("name", name + " " * max(0, left - cells(tail) - cells(name))))
        parts.append(("detail", tail))
        segments = [Segment(" ", self.rich_style)]
        segments += [
            Segment(text, self.get_component_rich_style(f"pane-footer--{kind}")) for kind, text in parts
        ]
        strip = Strip(segments).adjust_cell_length(width, self.rich_style)
        return Strip([*strip, Segment(" ", self.get_component_rich_style("pane-footer--gap"))], width + 1)
