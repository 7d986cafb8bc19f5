"""A list to choose from, narrowed down by typing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.ui.screens.dialog import Dialog
from tui.ui.terminal.cells import cells, fit
from tui.visible import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Item(Generic[Value]):
    """One line: what is chosen by it, a text, and a word at its right. Items of a group stand below its heading.

    Attributes:
        also: What it is found by besides, unseen.
    """

    value: Value
    text: str
    right: str = ""
    group: str = ""
    also: str = ""


def matches(text: str, typed: str) -> bool:
    """Say whether every word typed stands somewhere in the text."""
    folded = text.casefold()
    return all(word in folded for word in typed.casefold().split())


class Picker(Dialog[Value]):
    """Lets the person choose one item, or None.

    Args:
        items: In the order shown.
        empty: What is said where there are none.
        chosen: The value under the cursor at first.
        highlighted: Called with each value the cursor comes to.
        remove: Called with the value when Delete is pressed on it; the item goes from the list.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+j,ctrl+n", "step('cursor_down')", "Down", show=False),
        Binding("up,ctrl+k,ctrl+p", "step('cursor_up')", "Up", show=False),
        Binding("pagedown", "step('page_down')", "Page down", show=False),
        Binding("pageup", "step('page_up')", "Page up", show=False),
        Binding("delete,ctrl+d", "remove", "Remove", show=False, priority=True),
    ]

    BOX_CELLS: ClassVar[int] = 72
    """The dialog's width, as in its style."""

    def __init__(
        self,
        title: str,
        items: Sequence[Item[Value]],
        *,
        empty: str = "There is nothing to choose from.",
        chosen: Value | None = None,
        highlighted: Callable[[Value], None] | None = None,
        remove: Callable[[Value], None] | None = None,
    ) -> None:
        keys = "type to narrow · Enter choose" + (" · Del remove" if remove else "") + " · Esc leave"
        super().__init__(title, keys)
        self._items, self._empty, self._chosen = list(items), empty, chosen
        self._highlighted, self._remove = highlighted, remove
        self._shown: list[Item[Value] | None] = []

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="type to narrow the list", compact=True, id="typed")
        yield OptionList(compact=True, markup=False, id="list")
        yield Static("", id="feedback", markup=False)

    def on_mount(self) -> None:
        self.query_one("#typed").focus()
        self.query_one("#list").can_focus = False
        self.fill("")

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        choices = self.query_one("#list", OptionList)
        for index, item in enumerate(self._shown):
            if item is not None:
                choices.replace_option_prompt_at_index(index, self.line(item))

    def fill(self, typed: str) -> None:
        """Show the items that match what was typed."""
        found = self.found(typed)
        self._shown = []
        options: list[Option] = []
        group = ""
        for item in found:
            if item.group != group:
                group = item.group
                options.append(Option(self.heading(group), disabled=True))
                self._shown.append(None)
            options.append(Option(self.line(item)))
            self._shown.append(item)
        choices = self.query_one("#list", OptionList)
        choices.set_options(options)
        at = next((n for n, item in enumerate(self._shown) if item and item.value == self._chosen), None)
        first = next((n for n, item in enumerate(self._shown) if item), None)
        choices.highlighted = first if at is None or typed else at
        self.say("" if found else self.nothing(typed))

    @property
    def typed(self) -> Input:
        return self.query_one("#typed", Input)

    def found(self, typed: str) -> list[Item[Value]]:
        """Return the items that match what was typed, in their order."""
        return [
            item
            for item in self._items
            if matches(f"{item.text} {item.right} {item.group} {item.also}", typed)
        ]

    def nothing(self, typed: str) -> str:
        """Return what is said where nothing was found."""
        return "Nothing matches." if self._items else self._empty

    def heading(self, group: str) -> Content:
        return Content.styled(harmless(group), "bold $primary")

    def line(self, item: Item[Value]) -> Content:
        width, text = self.cells_inside(self.BOX_CELLS), harmless(item.text)
        right = fit(harmless(item.right), max(width // 2, width - cells(text) - 2))
        room = width - cells(right) - 2
        text = fit(text, room)
        gap = " " * (room - cells(text) + 2)
        return Content.assemble(text, gap, (right, "$quiet"))

    @property
    def current(self) -> Item[Value] | None:
        at = self.query_one("#list", OptionList).highlighted
        return None if at is None else self._shown[at]

    @on(Input.Changed, "#typed")
    def _typed(self, event: Input.Changed) -> None:
        self.fill(event.value)

    @on(Input.Submitted, "#typed")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if item := self.current:
            self.dismiss(item.value)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if item := self._shown[event.option_index]:
            self.dismiss(item.value)

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self._highlighted is not None and (item := self._shown[event.option_index]):
            self._highlighted(item.value)

    def action_step(self, how: str) -> None:
        getattr(self.query_one("#list", OptionList), f"action_{how}")()

    def action_remove(self) -> None:
        item = self.current
        if self._remove is None or item is None:
            return
        self._remove(item.value)
        self._items.remove(item)
        self.fill(self.query_one("#typed", Input).value)
