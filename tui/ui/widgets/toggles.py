"""A few words in one line, each on or off: left and right choose one, space or its first letter switches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from textual import events

Value = TypeVar("Value")

ON, OFF = "✓", "–"


class Toggles(Widget, Generic[Value], can_focus=True):
    """Several values, each with a word, any of them on.

    Args:
        options: (word, value) pairs, in the order shown; first letters all different.
        values: Those that are on at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Before", show=False),
        Binding("right", "step(1)", "Next", show=False),
        Binding("space", "switch", "Switch", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"toggles--on", "toggles--off", "toggles--cursor"}
    DEFAULT_CSS = """
    Toggles {
        height: 1;
        & > .toggles--off { color: $text-muted; }
        & > .toggles--cursor { color: $block-cursor-foreground; background: $block-cursor-background; }
    }
    """

    index: reactive[int] = reactive(0)
    on: reactive[frozenset[int]] = reactive(frozenset())

    def __init__(
        self, options: Sequence[tuple[str, Value]], values: Collection[Value], *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.options = tuple(options)
        chosen = (number for number, (_, value) in enumerate(self.options) if value in values)
        self.set_reactive(Toggles.on, frozenset(chosen))

    @property
    def values(self) -> frozenset[Value]:
        return frozenset(self.options[number][1] for number in self.on)

    def render_line(self, y: int) -> Strip:
        segments = []
        for number, (word, _) in enumerate(self.options):
            is_on = number in self.on
            name = "toggles--on" if is_on else "toggles--off"
            if self.has_focus and number == self.index:
                name = "toggles--cursor"
            mark = ON if is_on else OFF
            segments.append(Segment(f" {mark}{word} ", self.get_component_rich_style(name)))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def switch(self, number: int) -> None:
        """Turn one on, or off."""
        self.index = number
        self.on = self.on ^ {number}

    def on_key(self, event: events.Key) -> None:
        """Switch by first letter."""
        if event.character is None or not event.is_printable:
            return
        for number, (word, _) in enumerate(self.options):
            if word[0].lower() == event.character.lower():
                self.switch(number)
                event.stop()
                return

    def on_click(self, event: events.Click) -> None:
        x = 0
        for number, (word, _) in enumerate(self.options):
            x += len(word) + 3
            if event.x < x:
                self.switch(number)
                return

    def action_step(self, by: int) -> None:
        self.index = (self.index + by) % len(self.options)

    def action_switch(self) -> None:
        self.switch(self.index)
