"""A choice among a few words in one line, the chosen one standing out: left, right or its first letter chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

Value = TypeVar("Value")


class Choice(Widget, Generic[Value], can_focus=True):
    """One of several values, each with a word.

    Args:
        options: (word, value) pairs, in the order shown.
        value: The value chosen at first; it must be among them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Before", show=False),
        Binding("right,space", "step(1)", "Next", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--option", "choice--chosen", "choice--chosen-focused"}
    DEFAULT_CSS = """
    Choice {
        height: 1;
        & > .choice--option { color: $text-muted; }
        & > .choice--chosen { text-style: bold; background: $panel; }
        & > .choice--chosen-focused { color: $block-cursor-foreground; background: $block-cursor-background; }
    }
    """

    index: reactive[int] = reactive(0)

    @dataclass
    class Changed(Message):
        """Another value was chosen."""

        choice: Choice[object]

        @property
        def control(self) -> Choice[object]:
            return self.choice

    def __init__(self, options: Sequence[tuple[str, Value]], value: Value, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.options = tuple(options)
        self.set_reactive(Choice.index, [each for _, each in self.options].index(value))

    @property
    def value(self) -> Value:
        return self.options[self.index][1]

    def watch_index(self) -> None:
        self.post_message(self.Changed(self))  # type: ignore[arg-type]

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        segments: list[Segment] = []
        chosen = "choice--chosen-focused" if self.has_focus else "choice--chosen"
        for number, (word, _) in enumerate(self.options):
            name = chosen if number == self.index else "choice--option"
            segments += [Segment(f" {word} ", self.get_component_rich_style(name)), Segment(" ", base)]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def on_key(self, event: events.Key) -> None:
        """Choose by first letter or digit; several of the same letter are gone through in turn."""
        if event.character is None or not event.is_printable:
            return
        typed = event.character.lower()
        order = [*range(self.index + 1, len(self.options)), *range(self.index + 1)]
        for number in order:
            if self.options[number][0].lower().startswith(typed):
                self.index = number
                event.stop()
                return

    def on_click(self, event: events.Click) -> None:
        x = 0
        for number, (word, _) in enumerate(self.options):
            x += len(word) + 3
            if event.x < x:
                self.index = number
                return

    def action_step(self, by: int) -> None:
        self.index = (self.index + by) % len(self.options)
