"""Text measured and cut in terminal cells, by the tables Textual uses, and taken apart into cells."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

from rich._unicode_data import load as load_cell_table
from rich.cells import cell_len, get_character_cell_size, split_graphemes

from tui.visible import harmless

ELLIPSIS: Final = "…"
CONTINUED: Final = ""
"""Stands in the second cell of a wide character."""

_EXTENSION_CELLS: Final = 8

# Narrow and wide ranges on whose width all terminals agree. (First, last.)
_CERTAIN: Final = (
    *((0x20, 0x7E), (0xA0, 0x2FF), (0x370, 0x482), (0x48A, 0x52F), (0x1E00, 0x1FFF), (0x2010, 0x2027)),
    *(
        (0x2030, 0x205E),
        (0x20A0, 0x20BF),
        (0x2100, 0x2BFF),
        (0x2E80, 0x2FD5),
        (0x3000, 0x3029),
        (0x3041, 0x3096),
    ),
    *(
        (0x309B, 0x31E3),
        (0x3200, 0x4DBF),
        (0x4E00, 0xA48C),
        (0xAC00, 0xD7A3),
        (0xF900, 0xFAD9),
        (0xFF01, 0xFF9D),
    ),
    (0x20000, 0x3FFFD),
)


def cells(text: str) -> int:
    """Return the width of text in cells."""
    return len(text) if text.isascii() and text.isprintable() else cell_len(text)


def fit(text: str, width: int, keep: Literal["start", "end", "extension"] = "start") -> str:
    """Cut text to a width in cells, with an ellipsis where something is missing; shorter text stays as it is.

    Args:
        text: One line of visible text.
        width: Cells there are.
        keep: What is left of a text that is too long: its start ("long na…"), its end ("…/folder"), or its start and
            the extension ("long n….tar").
    """
    if cells(text) <= width:
        return text
    if width <= 0:
        return ""
    if keep == "end":
        return ELLIPSIS + _last(text, width - 1)
    if keep == "extension":
        stem, dot, extension = text.rpartition(".")
        tail = dot + extension
        if stem and cells(tail) <= min(_EXTENSION_CELLS, width - 3):
            return first(stem, width - 1 - cells(tail)) + ELLIPSIS + tail
    return first(text, width - 1) + ELLIPSIS


def first(text: str, width: int) -> str:
    """Return the start of a text that takes so many cells at most."""
    used = 0
    for start, _end, size in split_graphemes(text)[0]:
        if used + size > width:
            return text[:start]
        used += size
    return text


def _last(text: str, width: int) -> str:
    spans, used = split_graphemes(text)
    for start, _end, size in spans:
        if used <= width:
            return text[start:]
        used -= size
    return ""


@lru_cache(maxsize=16384)
def split(text: str) -> tuple[str, ...]:
    """Take text apart into as many cells as it is planned to take, with nothing left that a terminal would obey.

    A wide character is followed by `CONTINUED`; combining marks stand with what they combine with. Text that grows
    because something had to be made visible is cut at the width Textual has planned for it.
    """
    planned = cells(text)
    safe = harmless(text)
    parts: list[str] = []
    for start, end, size in split_graphemes(safe)[0]:
        if size == 0:
            continue
        if len(parts) + size > planned:
            break
        parts.append(safe[start:end])
        parts.extend([CONTINUED] * (size - 1))
    parts.extend(" " * (planned - len(parts)))
    return tuple(parts)


@lru_cache(maxsize=16384)
def is_certain(cell: str) -> bool:
    """Tell whether all terminals agree on the width of a cell's character: not for emoji, combined or rare ones."""
    if len(cell) != 1:
        return False
    code = ord(cell)
    if not any(first <= code <= last for first, last in _CERTAIN):
        return False
    if cell in load_cell_table("auto").narrow_to_wide:
        return False
    # Symbols that became emoji are wide in new terminals only.
    return not (0x2100 <= code <= 0x2BFF and get_character_cell_size(cell) != 1)
