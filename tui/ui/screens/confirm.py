"""A question before something is done: what, to how much, and two buttons, the safe one chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Static

from tui.ui.screens.dialog import Dialog, plain
from tui.ui.screens.totals import TotalsLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tui.client.base import Places
    from tui.model.location import Location


class Confirm(Dialog[bool]):
    """Asks before something is done: True where the person agreed.

    Args:
        title: The question's heading.
        text: What will be done, in one or two sentences.
        yes: The word on the button that does it.
        no: The word on the button that leaves all as it is.
        places, sources: What is counted and shown in numbers, where given.
        danger: Whether it cannot be undone: the doing button is red, and the other one is chosen at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n", "answer(False)", "No", show=False),
        Binding("left,right,h,l,up,down", "app.focus_next", "Other button", show=False),
    ]

    def __init__(
        self,
        title: str,
        text: str,
        *,
        yes: str,
        no: str = "Leave",
        places: Places | None = None,
        sources: Sequence[Location] = (),
        danger: bool = True,
    ) -> None:
        super().__init__(title, "y yes · n no · Enter chosen button · Esc leave")
        self._text, self._yes, self._no = text, yes, no
        self._places, self._sources, self._danger = places, sources, danger

    def compose_body(self) -> ComposeResult:
        yield Static(plain(self._text), id="text", markup=False)
        if self._places is not None:
            yield TotalsLine(self._places, self._sources)
        with Horizontal(classes="buttons"):
            yield Button(self._no, compact=True, id="no")
            yield Button(self._yes, compact=True, id="yes", variant="error" if self._danger else "primary")

    def on_mount(self) -> None:
        self.query_one("#no" if self._danger else "#yes", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
