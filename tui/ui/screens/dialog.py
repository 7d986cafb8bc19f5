"""What all dialogs share: a box in the middle with a title, and a line that says which keys end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.ui.notes import make_room
from tui.visible import harmless

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

Result = TypeVar("Result")


def plain(text: str) -> Content:
    """Return text that holds names as content: harmless, and nothing in it is markup."""
    return Content(harmless(text))


class Dialog(ModalScreen[Result | None]):
    """A modal box. It ends with a result, or with None when it is left.

    Args:
        title: Stands in the border.
        keys: What ends it, as shown below ("Enter go there · Esc leave").
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("ctrl+g", "app.answer_host", "Answer what a host asks", show=False, priority=True),
    ]

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (76, "-roomy")]  # noqa: RUF012 (as Textual declares it)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (19, "-high")]  # noqa: RUF012

    waits_for_host = False
    """It can do nothing before a host has answered: what that asks may stand over it."""

    def __init__(self, title: str, keys: str = "Esc leave") -> None:
        super().__init__()
        self._title, self._keys = title, keys

    def _on_mount(self, event: events.Mount) -> None:  # Textual calls this and that of each base
        make_room(self.app)  # what was told a while ago would lie over the dialog's first lines

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = plain(self._title)
            box.border_subtitle = plain(self._keys)
            yield from self.compose_body()

    def compose_body(self) -> ComposeResult:
        """Yield what stands in the box."""
        yield from ()

    def action_leave(self) -> None:
        self.dismiss(None)

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Show one line of feedback in the box's line for it (id "feedback")."""
        line = self.query_one("#feedback", Static)
        line.update(plain(text))
        line.set_class(wrong, "-wrong")


def feedback(text: str = "") -> Static:
    """Return the line for `Dialog.say`."""
    return Static(plain(text), id="feedback", markup=False)
