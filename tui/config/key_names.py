"""Names of keys, as a person writes them or help shows them, and as the table of actions has them."""

from __future__ import annotations

import re
import unicodedata

_NAMES = frozenset(
    "up down left right home end pageup pagedown insert delete escape enter tab space backspace backslash"
    " <any> <digit>".split()
)
_ALSO = {
    "↑": "up", "↓": "down", "←": "left", "→": "right", "pgup": "pageup", "pgdn": "pagedown", "ins": "insert",
    "del": "delete", "esc": "escape", "return": "enter",
}  # fmt: skip
_MODIFIERS = ("ctrl", "alt", "shift", "meta", "super", "hyper")


def read(text: str) -> str:
    """Return a key, or a sequence of keys with spaces between, as the table of actions writes it.

    Raises:
        ValueError: A part of it, which is the message, is the name of no key.
    """
    return " ".join(_one(key) for key in text.split())


def _one(key: str) -> str:
    *modifiers, last = re.split(r"\+(?=.)", key)
    modifiers = [modifier.lower() for modifier in modifiers]
    if len(last) > 1 or "ctrl" in modifiers:
        last = last.lower()  # with Ctrl, terminals tell no capital letters
    last = _ALSO.get(last, last)
    if not set(modifiers) <= set(_MODIFIERS) or not _is_key(last):
        raise ValueError(key)
    return "+".join([*modifiers, last])


def _is_key(name: str) -> bool:
    if len(name) == 1 or name in _NAMES or re.fullmatch(r"f([1-9]|1\d|2[0-4])", name):
        return True
    try:
        unicodedata.lookup(name.replace("_", " "))  # as in ctrl+right_square_bracket
    except KeyError:
        return False
    return True
