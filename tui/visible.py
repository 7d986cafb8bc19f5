"""Make any text safe to print: what a terminal would obey, hide or reorder becomes a mark that can be seen.

A file name may hold escape sequences, line breaks, bidi overrides, zero-width characters and bytes that are no
UTF-8. Printed raw, such a name sets the clipboard, moves the cursor or looks like another name. Here each such
character becomes a mark of one cell, another for each character; the rest passes as it is:

- C0 controls and DEL: their control pictures (`␛`, `␊`, …, `␡`).
- Bytes that are no UTF-8 (lone surrogates U+DC80..U+DCFF): a braille pattern, one for each of the 128 bytes.
- C1 controls, bidi controls, separators, zero-width and other invisible characters: other braille patterns.
- The few left over (other lone surrogates, noncharacters, tags): `␦` and the code point, as `␦e0041;`.
- The marks themselves, where they stand in a name: `␦` before them, so that no two names look alike.

A zero-width joiner is always shown, in emoji too: terminals differ on the width of joined emoji, so a joined and
an unjoined name could look alike. The emoji variation selector is kept where it follows a symbol: it is seen there.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

LITERAL: Final = "\u2426"
"""Stands before a mark that is itself part of the text, and before a code point in hexadecimal digits."""

EMOJI_STYLE: Final = "\ufe0f"
KEYCAP: Final = "\u20e3"

# (first, last) code points below U+10000: C1, the separators, the interlinear marks and the invisible ones, which
# Unicode calls Default_Ignorable_Code_Point.
_INVISIBLE: Final = (
    *((0x80, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *(
        (0x180B, 0x180F),
        (0x200B, 0x200F),
        (0x2028, 0x202E),
        (0x2060, 0x206F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
    ),
    *((0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0xFFFE, 0xFFFF)),
)
# The same above, and what no name should hold at all.
_LEFT_OVER: Final = (
    *((0xD800, 0xDC7F), (0xDD00, 0xDFFF), (0xFDD0, 0xFDEF), (0xFFF0, 0xFFF8), (0x13430, 0x13440)),
    *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
    *((plane << 16 | 0xFFFE, plane << 16 | 0xFFFF) for plane in range(1, 17)),
)
_CONTROLS: Final = ((0x00, 0x1F), (0x7F, 0x7F))
_BYTES: Final = ((0xDC80, 0xDCFF),)
_LITERAL_MARKS: Final = ((0x2400, 0x241F), (0x2421, 0x2421), (0x2426, 0x2426), (0x2800, 0x28FF))

_MARKS: Final[dict[str, str]] = {
    **{chr(code): chr(0x2400 + code) for code in range(0x20)},
    "\x7f": "\u2421",
    **{chr(0xDC00 + byte): chr(0x2800 + byte) for byte in range(0x80, 0x100)},
}
for _first, _last in _INVISIBLE:
    for _code in range(_first, _last + 1):
        # 33 controls and 128 bytes are in before; braille patterns from U+2801 are free up to U+287F.
        _MARKS[chr(_code)] = chr(0x2801 + len(_MARKS) - 161)


def _class_of(*ranges: tuple[int, int]) -> str:
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


# Made when they are first needed: most names are plain, and a short command does without.
@functools.cache
def _dangerous() -> re.Pattern[str]:
    return re.compile(f"[{_class_of(*_CONTROLS, *_INVISIBLE, *_BYTES, *_LEFT_OVER)}]")


@functools.cache
def _dangerous_or_mark() -> re.Pattern[str]:
    return re.compile(f"[{_class_of(*_CONTROLS, *_INVISIBLE, *_BYTES, *_LEFT_OVER, *_LITERAL_MARKS)}]")


def visible(text: str) -> str:
    """Return a name with all shown that a terminal would obey, hide or reorder; different for different names.

    For text as it came from the disk or the network, once: marks in the text are taken as part of the name.
    """
    if text.isascii() and text.isprintable():
        return text
    return _dangerous_or_mark().sub(_mark, text)


def harmless(text: str) -> str:
    """Return text of our own that may hold names, without what a terminal would obey, hide or reorder.

    The last line of defence: like `visible`, but marks and braille patterns pass as they are, so that text which
    is already visible does not change.
    """
    if text.isascii() and text.isprintable():
        return text
    return _dangerous().sub(_mark, text)


def _mark(match: re.Match[str]) -> str:
    character = match[0]
    if character == EMOJI_STYLE and _follows_symbol(match.string, match.start()):
        return character
    if (mark := _MARKS.get(character)) is not None:
        return mark
    if "\u2400" <= character <= "\u28ff":
        return LITERAL + character
    return f"{LITERAL}{ord(character):x};"


def _follows_symbol(text: str, position: int) -> bool:
    """Tell whether the variation selector at a position makes an emoji of what stands before it."""
    before = text[position - 1 : position]
    if before and before in "0123456789#*":
        return text[position + 1 : position + 2] == KEYCAP
    return bool(before) and unicodedata.category(before) == "So" and not _dangerous_or_mark().match(before)
