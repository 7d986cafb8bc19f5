"""What all dialogs share: a box in the middle with a title, and a line that says which keys end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.ui.notes import in_words, make_room
from tui.ui.terminal.cells import cells
from tui.visible import harmless

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

Result = TypeVar("Result")

ROOMY_CELLS = 76
"""From this width on a dialog has margins, and columns as wide as they like."""
_SHARE = 0.96
"""Of the screen's width that a dialog takes at most there, as in its style."""
_FRAME_CELLS, _NARROW_FRAME_CELLS = 7, 5
"""Of a dialog's width: border, padding and scroll bar."""
_TITLE_CELLS = 6
"""Of a border's width: what stands around a title in it."""

KEYS_EVERYWHERE = (
    Binding("ctrl+g", "app.answer_host", "Answer what a host asks", show=False, priority=True),
    Binding("ctrl+z", "app.suspend", "Go back to the shell until fg", show=False, priority=True),
    Binding("ctrl+l", "app.redraw", "Draw the screen anew", show=False, priority=True),
)
"""What a box over the screen lets through: no key of the app's own reaches that by itself."""


def plain(text: str) -> Content:
    """Return text that holds names as content: harmless, and nothing in it is markup."""
    return Content(harmless(text))


def fitting_keys(keys: str, width: int) -> str:
    """Return as many of the keys as there is room for: the last one ends the dialog and stays, others go before it."""
    parts = keys.split(" · ")
    while len(parts) > 1 and cells(" · ".join(parts)) > width:
        del parts[-2]
    return " · ".join(parts)


class Box(Vertical):
    """The box of a dialog: its title in the upper border, in the lower one the keys there is room for."""

    def __init__(self, title: str, keys: str) -> None:
        super().__init__(classes="dialog")
        self._keys = keys
        self.border_title, self.border_subtitle = plain(title), plain(keys)

    def on_resize(self) -> None:
        self.border_subtitle = plain(fitting_keys(self._keys, self.outer_size.width - _TITLE_CELLS))


class Dialog(ModalScreen[Result | None]):
    """A modal box. It ends with a result, or with None when it is left.

    Args:
        title: Stands in the border.
        keys: What ends it, as shown below ("Enter go there · Esc leave").
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f10", "leave", "Leave", show=False),
        Binding("ctrl+c", "leave", "Leave", show=False, priority=True),  # not to copy, as a field has it
        *KEYS_EVERYWHERE,
    ]

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (ROOMY_CELLS, "-roomy")]  # noqa: RUF012 (as Textual declares it)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (19, "-high")]  # noqa: RUF012

    answers_job: int | None = None
    """The job whose question it puts: that there is one needs no telling any more."""
    waits_for_host = False
    """It can do nothing before a host has answered: what that asks may stand over it."""

    def __init__(self, title: str, keys: str = "Esc leave") -> None:
        super().__init__()
        self._title, self._keys = title, keys

    def _on_mount(self, event: events.Mount) -> None:  # Textual calls this and that of each base
        # What was told a while ago, or of this very dialog, would lie over its first lines.
        make_room(self.app, fresh_too=self.answers_job is not None)

    def compose(self) -> ComposeResult:
        with Box(self._title, self._keys):
            yield from self.compose_body()

    def compose_body(self) -> ComposeResult:
        """Yield what stands in the box."""
        yield from ()

    def action_leave(self) -> None:
        self.dismiss(None)

    def cells_inside(self, box_cells: int) -> int:
        """Return the cells of a line inside a box that is so wide where the screen lets it."""
        width = self.app.size.width
        if width < ROOMY_CELLS:
            return min(box_cells, width) - _NARROW_FRAME_CELLS
        return min(box_cells, int(width * _SHARE)) - _FRAME_CELLS

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Show one line of feedback in the box's line for it (id "feedback")."""
        line = self.query_one("#feedback", Static)
        line.update(plain(text))
        line.set_class(wrong, "-wrong")
        line.set_class(bool(text), "-said")

    def report(self, error: Exception) -> None:
        """Show what failed in that line: this dialog stays, and a message might have no room beside it."""
        self.say(in_words(self.app, error), wrong=True)


def feedback(text: str = "") -> Static:
    """Return the line for `Dialog.say`."""
    return Static(plain(text), id="feedback", classes="-said" if text else "", markup=False)
