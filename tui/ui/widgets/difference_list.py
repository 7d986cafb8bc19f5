"""A plan to look at: one line for each entry that differs, drawn as it comes into view."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui import format as fmt
from tui.model.comparison import Change, Difference
from tui.ui.terminal.cells import cells, fit
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

MOST_LINES = 20_000
"""More are counted, but not listed: nobody reads them, and they would fill the memory."""

_SIGNS = {
    Change.NEW: "+",
    Change.CHANGED: "~",
    Change.ATTRIBUTES: "=",
    Change.EXTRA: "-",
    Change.CLASH: "!",
}
_WORDS = {Change.ATTRIBUTES: "attributes", Change.CLASH: "a folder on one side"}


class DifferenceList(ScrollView, can_focus=True):
    """Lists differences; it is only looked at, so that there is no cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("home,g", "scroll_home", "First", show=False),
        Binding("end,G", "scroll_end", "Last", show=False),
        Binding("pagedown,ctrl+f,space", "page_down", "Page down", show=False),
        Binding("pageup,ctrl+b", "page_up", "Page up", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "difference-list--text",
        "difference-list--quiet",
        "difference-list--new",
        "difference-list--changed",
        "difference-list--extra",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._listed: list[Difference] = []
        self._more = 0
        self.removes = False

    @property
    def lines(self) -> int:
        return len(self._listed) + bool(self._more)

    def clear(self) -> None:
        """Forget all, before another comparison."""
        self._listed.clear()
        self._more = 0
        self.scroll_home(animate=False)
        self._measure()

    def add(self, differences: Sequence[Difference]) -> None:
        """Put more at the end."""
        room = MOST_LINES - len(self._listed)
        self._listed += differences[:room]
        self._more += max(0, len(differences) - room)
        self._measure()

    def show_removals(self, removes: bool) -> None:
        """Say whether what only the target has is to be removed; else it is shown as what stays."""
        self.removes = removes
        self.refresh()

    def _measure(self) -> None:
        self.virtual_size = Size(self.size.width, self.lines)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        index, width = y + int(self.scroll_offset.y), self.size.width
        base = self.get_component_rich_style("difference-list--text")
        if index >= self.lines:
            return Strip.blank(width, base)
        quiet = self.get_component_rich_style("difference-list--quiet")
        if index == len(self._listed):
            return Strip([Segment(f" … and {fmt.count(self._more)} more", quiet)]).adjust_cell_length(
                width, base
            )
        difference = self._listed[index]
        right = self._right(difference)
        path = (visible(difference.path) or ".") + ("/" if difference.is_folder else "")
        text = fit(path, max(4, width - cells(right) - 5), "end")
        gap = " " * max(1, width - cells(text) - cells(right) - 4)
        style = self._style(difference.change)
        sign = Segment(f" {_SIGNS[difference.change]} ", style)
        name = quiet if difference.change is Change.EXTRA and not self.removes else base
        strip = Strip([sign, Segment(text, name), Segment(gap, base), Segment(right, quiet)])
        return strip.adjust_cell_length(width, base)

    def _right(self, difference: Difference) -> str:
        if difference.change is Change.EXTRA and not self.removes:
            return "stays"
        if difference.change in _WORDS:
            return _WORDS[difference.change]
        facts = difference.source or difference.target
        return "" if facts is None or difference.is_folder else fmt.size(facts.size_bytes)

    def _style(self, change: Change) -> Style:
        name = {Change.NEW: "new", Change.CHANGED: "changed", Change.ATTRIBUTES: "quiet"}.get(change, "extra")
        if change is Change.EXTRA and not self.removes:
            name = "quiet"
        return self.get_component_rich_style(f"difference-list--{name}")
