"""One line to type: a new name, a pattern, a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from tui.model.error import FerryError
from tui.ui.names import check_name, unescape
from tui.ui.screens.dialog import Dialog, feedback, plain
from tui.ui.widgets.path_input import PathInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from tui.client.base import Places
    from tui.model.location import Location

OFFERED_LINES = 6


def name_typed(text: str) -> str:
    """Return the name that was typed; raises UsageError for what is none."""
    name = unescape(text)
    check_name(name)
    return name


class Prompt(Dialog[str]):
    """Asks for one line; up and down go through what was typed before.

    Args:
        title: What is asked.
        value: What stands there at first.
        explanation: One sentence above the line, or empty.
        check: Raises a FerryError for text that will not do; the message is shown and the dialog stays.
        history: What was typed before, newest last.
        selected: How many characters of the value are selected at first, from its start (None: all).
        places, base: Where given, the line is a path that Tab completes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "history(-1)", "Before", show=False),
        Binding("down", "history(1)", "After", show=False),
    ]

    def __init__(
        self,
        title: str,
        value: str = "",
        *,
        explanation: str = "",
        check: Callable[[str], object] | None = None,
        history: Sequence[str] = (),
        selected: int | None = None,
        places: Places | None = None,
        base: Location | None = None,
    ) -> None:
        keys = "Enter ok · Tab complete · Esc leave" if places else "Enter ok · Esc leave"
        super().__init__(title, keys)
        self._value, self._explanation, self._check = value, explanation, check
        self._lines = [*history, value]
        self._line = len(self._lines) - 1
        self._selected, self._places, self._base = selected, places, base

    def compose_body(self) -> ComposeResult:
        if self._explanation:
            yield Static(plain(self._explanation), classes="explanation", markup=False)
        if self._places is not None and self._base is not None:
            yield PathInput(self._value, self._places, self._base, id="typed")
        else:
            yield Input(self._value, compact=True, select_on_focus=False, id="typed")
        yield feedback()

    def on_mount(self) -> None:
        typed = self.query_one("#typed", Input)
        typed.focus()
        end = len(self._value) if self._selected is None else self._selected
        if self._places is None and end:
            typed.selection = typed.selection.__class__(0, end)
        else:
            typed.cursor_position = len(self._value)

    @on(Input.Changed, "#typed")
    def _changed(self, event: Input.Changed) -> None:
        if event.value != self._lines[self._line]:
            self._lines[-1], self._line = event.value, len(self._lines) - 1
        self.say("")

    @on(Input.Submitted, "#typed")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            if self._check is not None:
                self._check(event.value)
        except FerryError as error:
            self.say(". ".join(filter(None, (error.message, error.remedy))), wrong=True)
            return
        self.dismiss(event.value)

    @on(PathInput.Offered)
    def _offered(self, event: PathInput.Offered) -> None:
        names = [
            text.rstrip("/").rpartition("/")[2] + ("/" if text.endswith("/") else "") for text in event.texts
        ]
        more = f"  … and {len(names) - 24} more" if len(names) > 24 else ""
        self.say("  ".join(names[:24]) + more)

    def action_history(self, by: int) -> None:
        line = min(max(self._line + by, 0), len(self._lines) - 1)
        if line != self._line:
            self._line = line
            typed = self.query_one("#typed", Input)
            typed.value = self._lines[line]
            typed.cursor_position = len(typed.value)
