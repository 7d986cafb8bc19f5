"""The line at the bottom of a pane where a person types what to find, to filter by or to mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Horizontal
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input, Static

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class LineInput(Horizontal):
    """A label and a field, there only while it is asked for something."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("ctrl+c", "leave", "Leave", show=False, priority=True),  # not to copy, as a field has it
        Binding("up", "step(-1)", "Up", show=False),
        Binding("down", "step(1)", "Down", show=False),
    ]
    DEFAULT_CSS = """
    LineInput {
        height: 1; display: none; background: $surface;
        &.-open { display: block; }
        Static { width: auto; padding: 0 1; color: $text-primary; text-style: bold; }
        Input { width: 1fr; border: none; height: 1; padding: 0; background: $surface; }
        &.-missing Input { color: $text-error; }
    }
    """

    field = query_one(Input)
    label = query_one(Static)

    @dataclass
    class Typed(Message):
        """The text has changed; `purpose` is what the line was opened for."""

        purpose: str
        text: str

    @dataclass
    class Accepted(Message):
        """Enter was pressed."""

        purpose: str
        text: str

    @dataclass
    class Left(Message):
        """Escape was pressed."""

        purpose: str

    @dataclass
    class Stepped(Message):
        """An arrow key asks for the cursor of the list to move."""

        rows: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.purpose = ""

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)
        field = Input(compact=True, select_on_focus=True)
        field.cursor_blink = False  # each blink would be a repaint over the line
        yield field

    @property
    def is_open(self) -> bool:
        return bool(self.purpose)

    def open(self, purpose: str, label: str, text: str = "") -> None:
        """Ask for something; `purpose` comes back with every message."""
        self.label.update(label)
        with self.prevent(Input.Changed):
            self.field.value = text
        self.purpose = purpose
        self.remove_class("-missing").add_class("-open")
        self.field.focus()

    def close(self) -> None:
        """Go away; whoever opened it takes the focus back."""
        self.purpose = ""
        self.remove_class("-open")

    def show_missing(self, missing: bool) -> None:
        """Say by colour whether nothing fits what was typed."""
        self.set_class(missing, "-missing")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open:
            self.post_message(self.Typed(self.purpose, event.value))

    @on(Input.Submitted)
    def _accepted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.is_open:
            self.post_message(self.Accepted(self.purpose, event.value))

    def action_leave(self) -> None:
        self.post_message(self.Left(self.purpose))

    def action_step(self, rows: int) -> None:
        self.post_message(self.Stepped(rows))
