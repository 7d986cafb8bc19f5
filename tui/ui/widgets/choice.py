"""A choice among a few words, the chosen one standing out: left, right or its first letter chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

Value = TypeVar("Value")


class Choice(Words[Value]):
    """One of several values, each with a word.

    Args:
        options: (word, value) pairs, in the order shown.
        value: The value chosen at first; it must be among them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "step(1)", "Next", show=False)]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--option", "choice--chosen", "choice--chosen-focused"}
    DEFAULT_CSS = """
    Choice {
        height: auto;
        & > .choice--option { color: $text-muted; }
        & > .choice--chosen { text-style: bold; background: $panel; }
        & > .choice--chosen-focused { color: $block-cursor-foreground; background: $block-cursor-background; }
    }
    """
    GAP = 1

    @dataclass
    class Changed(Message):
        """Another value was chosen."""

        choice: Choice[object]

        @property
        def control(self) -> Choice[object]:
            return self.choice

    def __init__(self, options: Sequence[tuple[str, Value]], value: Value, *, id: str | None = None) -> None:
        super().__init__(options, id=id)
        self.set_reactive(Choice.index, [each for _, each in self.options].index(value))

    @property
    def value(self) -> Value:
        return self.options[self.index][1]

    def watch_index(self) -> None:
        self.post_message(self.Changed(self))  # type: ignore[arg-type]

    def shown(self, number: int) -> tuple[str, str]:
        chosen = "choice--chosen-focused" if self.has_focus else "choice--chosen"
        return f" {self.options[number][0]} ", chosen if number == self.index else "choice--option"

    def pick(self, number: int) -> None:
        self.index = number
