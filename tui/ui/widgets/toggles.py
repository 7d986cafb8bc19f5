"""A few words, each on or off: left and right choose one, space or its first letter switches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.reactive import reactive

from tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

Value = TypeVar("Value")

ON, OFF = "✓", "–"


class Toggles(Words[Value]):
    """Several values, each with a word, any of them on.

    Args:
        options: (word, value) pairs, in the order shown; first letters all different.
        values: Those that are on at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "switch", "Switch", show=False)]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"toggles--on", "toggles--off", "toggles--cursor"}
    DEFAULT_CSS = """
    Toggles {
        height: auto;
        & > .toggles--off { color: $text-muted; }
        & > .toggles--cursor { color: $block-cursor-foreground; background: $block-cursor-background; }
    }
    """

    on: reactive[frozenset[int]] = reactive(frozenset())

    def __init__(
        self, options: Sequence[tuple[str, Value]], values: Collection[Value], *, id: str | None = None
    ) -> None:
        super().__init__(options, id=id)
        chosen = (number for number, (_, value) in enumerate(self.options) if value in values)
        self.set_reactive(Toggles.on, frozenset(chosen))

    @property
    def values(self) -> frozenset[Value]:
        return frozenset(self.options[number][1] for number in self.on)

    def shown(self, number: int) -> tuple[str, str]:
        is_on = number in self.on
        style = "toggles--on" if is_on else "toggles--off"
        if self.has_focus and number == self.index:
            style = "toggles--cursor"
        return f" {ON if is_on else OFF}{self.options[number][0]} ", style

    def pick(self, number: int) -> None:
        """Turn one on, or off."""
        self.index = number
        self.on = self.on ^ {number}

    def action_switch(self) -> None:
        self.pick(self.index)
