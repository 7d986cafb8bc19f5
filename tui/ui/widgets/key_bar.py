"""The bar at the bottom: F-keys with what they do, and their letters beneath, for the scope that has the focus."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.bindings import ACTIONS, Action
from tui.ui.keys import shown

if TYPE_CHECKING:
    from textual import events

    from tui.ui.keys import Keymap

FUNCTION_KEYS = tuple(f"f{number}" for number in range(1, 11))
_FEW = 5
"""With fewer actions on F-keys than these, a scope's keys are shown in a row of their own instead."""
_WHOLE_KEY = 8
"""In a slot with fewer cells the key is its number alone ("5Copy"), as in Midnight Commander."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of the bar: an action (None: an F-key without one), its upper key and the one beneath."""

    action: Action | None
    key: str
    below: str = ""


def slots_of(keymap: Keymap, scope: str) -> tuple[tuple[Slot, ...], bool]:
    """Return what stands in the bar for a scope, and whether the slots are those of the F-keys, F1 to F10."""
    named = [action for action in ACTIONS if action.label and action.scope in (scope, "app")]
    keys = {action: keymap.keys_of(action.id) for action in named}
    by_function_key = {key: action for action in named for key in keys[action] if key in FUNCTION_KEYS}
    if len(by_function_key) >= _FEW:
        return tuple(_function_slot(key, by_function_key.get(key), keys) for key in FUNCTION_KEYS), True
    order = sorted(named, key=lambda action: action.scope == "app")
    return tuple(Slot(action, shown(keys[action][0])) for action in order if keys[action]), False


def _cells_of(slot: Slot) -> int:
    """Return the cells of a key and its label, with a blank before each and one after them."""
    return len(slot.key) + len(slot.action.label if slot.action else "") + 3


def _function_slot(key: str, action: Action | None, keys: dict[Action, tuple[str, ...]]) -> Slot:
    others = [other for other in keys.get(action, ()) if other not in FUNCTION_KEYS] if action else []
    return Slot(action, shown(key), shown(others[0]) if others else "")


class KeyBar(Widget):
    """Two lines of keys (one where the screen is low); a click on one runs its action."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key", "key-bar--label", "key-bar--letter"}
    DEFAULT_CSS = """
    KeyBar {
        height: 2;
        & > .key-bar--key { color: $text-muted; }
        & > .key-bar--label { background: $panel; color: $foreground; }
        & > .key-bar--letter { color: $text-muted; }
    }
    """

    @dataclass
    class Pressed(Message):
        """An action was chosen with the mouse."""

        action: Action

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._slots: tuple[Slot, ...] = ()
        self._by_function_key = True

    def show(self, keymap: Keymap, scope: str) -> None:
        """Show the keys of a scope."""
        slots = slots_of(keymap, scope)
        if slots != (self._slots, self._by_function_key):
            self._slots, self._by_function_key = slots
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        segments: list[Segment] = []
        for slot, start, end in self._places(y):
            segments += self._slot_segments(slot, end - start, y)
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        for slot, start, end in self._places(event.y):
            if start <= event.x < end and slot.action is not None:
                self.post_message(self.Pressed(slot.action))

    def _places(self, y: int) -> list[tuple[Slot, int, int]]:
        """Return (slot, first column, column after the last) for a line."""
        if not self._slots:
            return []
        width = self.size.width
        if self._by_function_key:
            columns = len(self._slots)
            edges = [n * width // columns for n in range(columns + 1)]
            return list(zip(self._slots, edges, edges[1:], strict=False))
        slots, wanted = self._fitting()
        columns = len(wanted)
        spare = min(max(0, width - sum(wanted)) // columns, 5)
        edges = list(accumulate((cells + spare for cells in wanted), initial=0))
        return list(zip(slots[y * columns : (y + 1) * columns], edges, edges[1:], strict=False))

    def _fitting(self) -> tuple[list[Slot], list[int]]:
        """Return the slots there is room for, and how wide columns are that hold the widest in them.

        What a scope's actions leave no room for goes, the last first; help, menu and quitting stay.
        """
        slots, lines = list(self._slots), max(1, self.size.height)
        while True:
            columns = -(-len(slots) // lines)
            wanted = [max(_cells_of(slot) for slot in slots[n::columns]) for n in range(columns)]
            own = [slot for slot in slots if slot.action and slot.action.scope != "app"]
            if sum(wanted) <= self.size.width or not own:
                return slots, wanted
            slots.remove(own[-1])

    def _has_gaps(self) -> bool:
        """Say whether there is room for a blank before and after the word in each slot of the F-keys."""
        slot_cells = self.size.width // max(1, len(self._slots))
        return all(_cells_of(slot) - 1 <= slot_cells for slot in self._slots)

    def _slot_segments(self, slot: Slot, width: int, y: int) -> list[Segment]:
        key, label, letter = (
            self.get_component_rich_style(f"key-bar--{part}") for part in ("key", "label", "letter")
        )
        word = slot.action.label if slot.action else ""
        name = slot.key if width >= _WHOLE_KEY else slot.key.removeprefix("F")
        if not self._by_function_key:
            text = f" {word} "[: max(0, width - len(slot.key) - 1)]
            rest = width - len(slot.key) - 1 - len(text)
            return [Segment(f" {slot.key}", key), Segment(text, label), Segment(" " * rest, self.rich_style)]
        if y:
            indent = min(len(name) + 1, width - 1 - len(slot.below))
            below = slot.below if indent >= 0 else ""  # a part of it would be another key
            return [Segment((" " * indent + below).ljust(width), letter)]
        gap = int(self._has_gaps())
        room = width - len(name) - gap
        return [
            Segment(name, key),
            Segment((" " * gap + word).ljust(room)[:room] if word else " " * room, label),
            Segment(" " * gap, self.rich_style),
        ]
