"""A file as bytes in hexadecimal, with the text they make beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.strip import Strip

from tui.ui.view_window import HexLine, HexWindow
from tui.ui.widgets.view_base import Piece, ViewBase

if TYPE_CHECKING:
    from rich.style import Style

    from tui.ui.view_source import ViewSource

GROUP = 8
"""Bytes after which there is a wider gap."""


def columns(line: HexLine, per_line: int, digits: int) -> tuple[str, list[int], int]:
    """Return a line's text, the column of each byte's digits, and the column of the first byte's character."""
    text = f"{line.offset:0{digits}x}  "
    places: list[int] = []
    for number in range(per_line):
        text += " " if number and number % GROUP == 0 else ""
        places.append(len(text))
        text += f"{line.data[number]:02x} " if number < len(line.data) else "   "
    characters = len(text) + 1
    text += " " + "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in line.data)
    return text, places, characters


class HexView(ViewBase):
    """Shows lines of bytes.

    Args:
        source: The file.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "view--text",
        "view--offset",
        "view--zero",
        "view--high",
        "view--match",
        "view--found",
    }

    def __init__(self, source: ViewSource, *, id: str | None = None) -> None:
        self.hex_window = HexWindow(source)
        super().__init__(self.hex_window, id=id)
        self._source = source

    def render_line(self, y: int) -> Strip:
        base = self._style("text")
        if y >= len(self.hex_window.lines):
            return Strip.blank(self.size.width, base)
        line = self.hex_window.lines[y]
        digits = 8 if self._source.size_bytes <= 0xFFFFFFFF else 12
        text, places, characters = columns(line, self.hex_window.per_line, digits)
        pieces: list[Piece] = [(0, digits, "offset")]
        for number, byte in enumerate(line.data):
            name = self._name_of(line.offset + number, byte)
            if name:
                pieces.append((places[number], places[number] + 2, name))
                pieces.append((characters + number, characters + number + 1, name))
        return self.strip(text, pieces, self._style, base)

    def _name_of(self, offset: int, byte: int) -> str:
        for first, last in self.hex_window.matches:
            if first <= offset < last:
                return "found" if first == self.hex_window.found else "match"
        return "zero" if byte == 0 else "high" if not 0x20 <= byte < 0x7F else ""

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"view--{name}")
