"""Permissions: the nine bits and three more, by arrows and space, and the octal number beside them."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.reactive import reactive, var
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from tui.model.error import UsageError
from tui.ui.screens.dialog import Dialog, feedback, plain
from tui.ui.screens.totals import TotalsLine
from tui.ui.widgets.choice import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from tui.client.base import Places
    from tui.model.location import Location

ALL_BITS = 0o7777
_ROWS = ("owner", "group", "others")
_SPECIAL = (stat.S_ISUID, stat.S_ISGID, stat.S_ISVTX)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How wide the parts of the grid are, and its words."""

    name_cells: int
    column_cells: int
    columns: tuple[str, ...] = ("read", "write", "execute", "special")
    special: tuple[str, ...] = ("set user id", "set group id", "sticky")

    @property
    def width(self) -> int:
        return self.name_cells + 3 * self.column_cells + 4 + max(map(len, self.special))


_LAYOUTS = (
    _Layout(13, 11),
    _Layout(8, 8),
    _Layout(7, 6, ("read", "write", "exec", "special"), ("suid", "sgid", "sticky")),
)
"""The widest first."""


def bit(row: int, column: int) -> int:
    """Return the permission bit of a place in the grid."""
    if column == 3:
        return _SPECIAL[row]
    return int((0o400, 0o200, 0o100)[column]) >> (3 * row)


def parse_mode(text: str) -> int:
    """Return the bits of an octal number.

    Raises:
        UsageError: It is none, or too big.
    """
    try:
        mode = int(text.strip(), 8)
    except ValueError:
        raise UsageError(f"{text!r} is not an octal number", "Write it as 644 or 0755.") from None
    if not 0 <= mode <= ALL_BITS:
        raise UsageError(f"{text} has more than the twelve permission bits", "The largest is 7777.")
    return mode


@dataclass(frozen=True, slots=True)
class ModeChange:
    """Bits to add and to take; `recursive`: below folders too."""

    mode_set: int
    mode_clear: int
    recursive: bool

    @property
    def folder_mode_set(self) -> int:
        """Bits that folders get beside: whoever may list one of a tree may enter it too (as chmod's `X`)."""
        return (self.mode_set & 0o444) >> 2 if self.recursive else 0


class ModeGrid(Widget, can_focus=True):
    """The bits as a grid: owner, group, others by read, write, execute and a special one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(0,-1)", "Left", show=False),
        Binding("right,l", "step(0,1)", "Right", show=False),
        Binding("up,k", "step(-1,0)", "Up", show=False),
        Binding("down,j", "step(1,0)", "Down", show=False),
        Binding("space,x", "change_bit", "Change", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"grid--name", "grid--set", "grid--clear", "grid--cursor"}
    DEFAULT_CSS = """
    ModeGrid {
        height: 4;
        & > .grid--name { color: $text-muted; }
        & > .grid--set { color: $success; }
        & > .grid--clear { color: $text-muted; }
        & > .grid--cursor { color: $block-cursor-foreground; background: $block-cursor-background; }
    }
    """

    mode: reactive[int] = reactive(0)
    row: reactive[int] = reactive(0)
    column: reactive[int] = reactive(0)

    @dataclass
    class Changed(Message):
        """A bit was changed by key or mouse."""

        mode: int

    @property
    def _layout(self) -> _Layout:
        return next((each for each in _LAYOUTS if each.width <= self.size.width), _LAYOUTS[-1])

    def render_line(self, y: int) -> Strip:
        layout = self._layout
        name = self.get_component_rich_style("grid--name")
        if y == 0:
            text = " " * layout.name_cells + "".join(
                word.ljust(layout.column_cells) for word in layout.columns
            )
            return Strip([Segment(text, name)]).adjust_cell_length(self.size.width, self.rich_style)
        row = y - 1
        segments = [Segment(_ROWS[row].ljust(layout.name_cells), name)]
        for column in range(4):
            is_set = bool(self.mode & bit(row, column))
            here = self.has_focus and (row, column) == (self.row, self.column)
            part = "cursor" if here else "set" if is_set else "clear"
            word = f" {layout.special[row]}" if column == 3 else ""
            segments.append(
                Segment("[x]" if is_set else "[ ]", self.get_component_rich_style(f"grid--{part}"))
            )
            segments.append(Segment(word.ljust(layout.column_cells - 3), name))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        layout = self._layout
        row, column = event.y - 1, min(3, (event.x - layout.name_cells) // layout.column_cells)
        if row in range(3) and column >= 0:
            self.row, self.column = row, column
            self.action_change_bit()

    def action_step(self, down: int, right: int) -> None:
        self.row = (self.row + down) % 3
        self.column = (self.column + right) % 4

    def action_change_bit(self) -> None:
        self.mode ^= bit(self.row, self.column)
        self.post_message(self.Changed(self.mode))


class ChmodDialog(Dialog[ModeChange]):
    """Asks for permissions.

    Args:
        title: What gets them.
        mode: The bits it has (of the first of several).
        places, sources: For the totals, where a folder is among them.
        recursive: Whether "below folders too" is offered.
        single: Whether all bits are set as shown; else only those that were changed, on each entry.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "apply", "Apply", show=False)]
    mode: var[int] = var(0)

    def __init__(
        self,
        title: str,
        mode: int,
        places: Places,
        sources: Sequence[Location],
        *,
        recursive: bool,
        single: bool,
    ) -> None:
        super().__init__(title, "arrows, Space change a bit · Enter apply · Esc leave")
        self._before = mode & ALL_BITS
        self._places, self._sources = places, sources
        self._recursive, self._single = recursive, single

    def compose_body(self) -> ComposeResult:
        yield ModeGrid(id="grid")
        with Horizontal(classes="row gap"):
            yield Label("Octal", classes="name")
            yield Input(f"{self._before:04o}", compact=True, max_length=5, id="octal")
        if self._recursive:
            with Horizontal(classes="row"):
                yield Label("Apply to", classes="name")
                yield Choice((("these only", False), ("all below too", True)), False, id="recursive")
            with Horizontal(classes="row"):
                yield Label("", classes="name")
                yield TotalsLine(self._places, self._sources)
        if not self._single:
            yield Static(plain("Each keeps the bits that are not changed here."), classes="explanation")
        yield feedback()

    def on_mount(self) -> None:
        grid = self.query_one(ModeGrid)
        grid.mode = self._before
        grid.focus()

    @on(ModeGrid.Changed)
    def _toggled(self, event: ModeGrid.Changed) -> None:
        self.query_one("#octal", Input).value = f"{event.mode:04o}"

    @on(Input.Changed, "#octal")
    def _typed(self, event: Input.Changed) -> None:
        try:
            self.query_one(ModeGrid).mode = parse_mode(event.value)
        except UsageError as error:
            self.say(error.message, wrong=True)
        else:
            self.say("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_apply()

    def action_apply(self) -> None:
        try:
            mode = parse_mode(self.query_one("#octal", Input).value)
        except UsageError as error:
            self.say(f"{error.message}. {error.remedy}", wrong=True)
            return
        recursive = bool(self._recursive and self.query_one("#recursive", Choice).value)
        if self._single:
            self.dismiss(ModeChange(mode, ALL_BITS & ~mode, recursive))
            return
        changed = mode ^ self._before
        self.dismiss(ModeChange(mode & changed, ~mode & changed & ALL_BITS, recursive))
