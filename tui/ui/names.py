r"""Names as they are typed: any name in one line of plain text, and back.

A backslash stands before what cannot be typed or seen: `\n`, `\t`, `\\`, `\xff` for a byte that is no UTF-8 (or a
control character), `\u202e` and `\U000e0041` for characters that hide or reorder others.
"""

from __future__ import annotations

import os
import re

from tui.model.error import UsageError
from tui.visible import harmless

_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", "\x1b": "\\e"}
_LONG = {written[1]: character for character, written in _SHORT.items()}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.|$)", re.DOTALL)


def escape(name: str) -> str:
    """Return a name as one line of text that can be edited; `unescape` gives the very name back."""
    if name.isascii() and name.isprintable() and "\\" not in name:
        return name
    return "".join(_escaped(name, position) for position in range(len(name)))


def _escaped(name: str, position: int) -> str:
    character = name[position]
    if short := _SHORT.get(character):
        return short
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    # Beside its neighbour, because an emoji's variation selector is fit to be seen only there.
    before = name[position - 1 : position]
    if harmless(before + character)[-1:] == character:
        return character
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unescape(text: str) -> str:
    """Return the name that a line of text stands for.

    Raises:
        UsageError: A backslash stands before something it has no meaning for.
    """
    if "\\" not in text:
        return text
    return os.fsdecode(os.fsencode(_ESCAPE.sub(_unescaped, text)))  # bytes that make a character become it


def _unescaped(match: re.Match[str]) -> str:
    written = match[1]
    if written in _LONG:
        return _LONG[written]
    if len(written) < 2:
        raise UsageError(f"\\{written} means nothing in a name", r"Write \\ for a backslash.")
    code = int(written[1:], 16)
    if written[0] == "x":
        return chr(code if code < 0x80 else 0xDC00 + code)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise UsageError(f"\\{written} is no character", r"Write \x80 to \xff for single bytes.")
    return chr(code)


def check_name(name: str) -> None:
    """Refuse what cannot be the name of an entry.

    Raises:
        UsageError: With the reason.
    """
    if not name:
        raise UsageError("a name is needed")
    if name in (".", ".."):
        raise UsageError(f"{name} is no name for a new entry")
    if "/" in name:
        raise UsageError("a name cannot hold a slash")
    if "\0" in name:
        raise UsageError("a name cannot hold a NUL character")
    if len(name.encode("utf-8", "surrogateescape")) > 255:
        raise UsageError("the name is too long: 255 bytes at most")
