"""From keys to actions: single keys, sequences, Esc-digit for F-keys, and what a person remapped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.ui.bindings import ACTIONS, Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual.events import Key

ANY = "<any>"
DIGIT = "<digit>"
ESCAPE_DIGIT_S = 1.5
"""So long after Escape a digit still means an F-key. (Midnight Commander's habit; KEYS.)"""

_SAME_KEY = {
    "ctrl+@": "ctrl+space",
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+h": "backspace",
    "ctrl+j": "enter",
}


def key_name(event: Key) -> str:
    """Return the name this table knows a key event by: a printable key is its character, after "alt+" with Alt."""
    if event.character == " ":
        return "space"
    if event.is_printable and event.character:
        return f"alt+{event.character}" if event.key.startswith("alt+") else event.character
    return _SAME_KEY.get(event.key, event.key)


@dataclass(frozen=True, slots=True)
class Hit:
    """An action to run, with the key that `<any>` or `<digit>` stood for."""

    action: Action
    argument: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A sequence has begun: what was typed, and what may follow, as (key, action) pairs."""

    typed: str
    choices: tuple[tuple[str, Action], ...]


class Keymap:
    """The keys of one scope, with those of the app, after a person's remapping.

    Args:
        scope: "pane", "queue" or "viewer".
        remapped: Keys by action id, from the configuration; they replace the default ones. A new key that another
            action has by default, or that begins or goes on one of its sequences, is taken from it; of two new ones
            the first counts.
    """

    def __init__(self, scope: str, remapped: Mapping[str, Iterable[str]] | None = None) -> None:
        remapped = remapped or {}
        wanted = [
            (tuple(keys.split(" ")), action)
            for part in ("app", scope)
            for action in ACTIONS
            if action.scope == part
            for keys in remapped.get(action.id, action.keys)
        ]
        kept = _without_clashes(wanted, tuple(remapped))
        self._actions = {keys: action for keys, action in wanted if kept.get(keys) is action}
        self._prefixes = _beginnings(self._actions)

    def keys_of(self, action_id: str) -> tuple[str, ...]:
        """Return the keys that reach an action here, as they are written in the table."""
        return tuple(" ".join(keys) for keys, action in self._actions.items() if action.id == action_id)

    def look_up(self, typed: tuple[str, ...]) -> Hit | Pending | None:
        """Say what a sequence of keys means so far; None where it means nothing."""
        if action := self._actions.get(typed):
            return Hit(action)
        if typed[-1] in "123456789" and (action := self._actions.get((*typed[:-1], DIGIT))):
            return Hit(action, typed[-1])
        if action := self._actions.get((*typed[:-1], ANY)):
            return Hit(action, typed[-1])
        if typed in self._prefixes:
            n = len(typed)
            choices = (
                (keys[n], act) for keys, act in self._actions.items() if keys[:n] == typed and len(keys) > n
            )
            return Pending(" ".join(typed), tuple(choices))
        return None


def _without_clashes(
    wanted: Sequence[tuple[tuple[str, ...], Action]], remapped: Sequence[str]
) -> dict[tuple[str, ...], Action]:
    """Return what can be typed: new keys in the order of `remapped`, then the scope's own, then the app's."""

    def rank(pair: tuple[tuple[str, ...], Action]) -> tuple[int, bool]:
        keys, action = pair
        is_new = action.id in remapped and (action.scope != "app" or " ".join(keys) not in action.keys)
        return (remapped.index(action.id) if is_new else len(remapped), action.scope == "app")

    kept: dict[tuple[str, ...], Action] = {}
    begun: set[tuple[str, ...]] = set()
    for keys, action in sorted(wanted, key=rank):
        heads = _beginnings([keys])
        if keys not in kept and keys not in begun and heads.isdisjoint(kept):
            kept[keys] = action
            begun |= heads
    return kept


def _beginnings(sequences: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Return what is typed of sequences before their last key."""
    return {keys[:n] for keys in sequences for n in range(1, len(keys))}


class Router:
    """Follows the keys typed in one scope."""

    def __init__(self, keymap: Keymap) -> None:
        self.keymap = keymap
        self._typed: tuple[str, ...] = ()
        self._escape_at = float("-inf")

    @property
    def in_sequence(self) -> bool:
        return bool(self._typed)

    def apart(self, key: str) -> tuple[str, ...]:
        """Return the keys that one stands for: Escape and a key that came together are told as that key with Alt.

        On a slow line they often come together. A key with Alt that means something is left whole.
        """
        modifier, _, character = key.partition("alt+")
        if modifier or len(character) != 1 or character.isdigit() or self.keymap.look_up((*self._typed, key)):
            return (key,)
        return ("escape", character)

    def feed(self, key: str, now_s: float) -> Hit | Pending | None:
        """Take one key.

        Args:
            key: As `key_name` gives it.
            now_s: A monotonic time, for Esc-digit.
        Returns:
            An action to run, a sequence that has begun, or None: the key means nothing here (or ended a sequence).
        """
        if self._typed and key == "escape":
            self._typed = ()
            return None
        if not self._typed and (function_key := self._function_key(key, now_s)):
            key = function_key
        self._escape_at = now_s if key == "escape" else float("-inf")
        found = self.keymap.look_up((*self._typed, key))
        self._typed = (*self._typed, key) if isinstance(found, Pending) else ()
        return found

    def _function_key(self, key: str, now_s: float) -> str | None:
        digit = key.removeprefix("alt+")
        if not (len(digit) == 1 and digit in "1234567890"):
            return None
        if digit == key and now_s - self._escape_at > ESCAPE_DIGIT_S:
            return None
        return f"f{digit if digit != '0' else '10'}"


_SHOWN = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn", "delete": "Del",
    "insert": "Ins", "escape": "Esc", "backslash": "\\", ANY: "letter", DIGIT: "1…9",
}  # fmt: skip


def shown(keys: str) -> str:
    """Return keys as help shows them: "ctrl+x c" is "Ctrl+X c", "f5" is "F5"."""
    return " ".join(_shown_one(key) for key in keys.split(" "))


def _shown_one(key: str) -> str:
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    last = _SHOWN.get(last, last)
    if modifiers or len(last) > 1:
        last = last[:1].upper() + last[1:]
    return "+".join([*(modifier.capitalize() for modifier in modifiers), last])
