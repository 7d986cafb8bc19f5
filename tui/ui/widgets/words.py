"""A few words in a row, one of them under the cursor; what does not fit goes on in the line below."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.geometry import Size

Value = TypeVar("Value")


class Words(Widget, Generic[Value], can_focus=True):
    """Several values, each with a word. What it means to pick one is up to the class that draws them.

    Args:
        options: (word, value) pairs, in the order shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Before", show=False),
        Binding("right", "step(1)", "Next", show=False),
    ]
    GAP: ClassVar[int] = 0
    """Cells between two words."""

    index: reactive[int] = reactive(0)

    def __init__(self, options: Sequence[tuple[str, Value]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.options = tuple(options)

    def shown(self, number: int) -> tuple[str, str]:
        """Return (text, component class) of one option as it is drawn now; the text is always of one length."""
        raise NotImplementedError

    def pick(self, number: int) -> None:
        """Do what a click on an option does, or its first letter."""
        raise NotImplementedError

    def lines(self, width: int) -> list[list[int]]:
        """Return the numbers of the options, line by line."""
        lines: list[list[int]] = [[]]
        taken = 0
        for number in range(len(self.options)):
            length = len(self.shown(number)[0])
            if lines[-1] and taken + length > width:
                lines.append([])
                taken = 0
            lines[-1].append(number)
            taken += length + self.GAP
        return lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.lines(width))

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        lines = self.lines(self.size.width)
        segments: list[Segment] = []
        for number in lines[y] if y < len(lines) else ():
            text, name = self.shown(number)
            segments += [Segment(text, self.get_component_rich_style(name)), Segment(" " * self.GAP, base)]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def on_key(self, event: events.Key) -> None:
        """Pick by first letter or digit; several of the same letter are gone through in turn."""
        if event.character is None or not event.is_printable:
            return
        typed = event.character.lower()
        order = [*range(self.index + 1, len(self.options)), *range(self.index + 1)]
        for number in order:
            if self.options[number][0].lower().startswith(typed):
                self.pick(number)
                event.stop()
                return

    def on_click(self, event: events.Click) -> None:
        x = 0
        for number in self.lines(self.size.width)[event.y]:
            x += len(self.shown(number)[0]) + self.GAP
            if event.x < x:
                self.pick(number)
                return

    def action_step(self, by: int) -> None:
        self.index = (self.index + by) % len(self.options)
