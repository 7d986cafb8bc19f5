"""Frames: what every cell of the screen shows, kept so that only what changes has to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.ui.terminal.cells import CONTINUED, split
from tui.ui.terminal.look import PLAIN, Look, look_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.color import ColorSystem
    from rich.segment import Segment


class Frame:
    """Rows of cells. A wide character takes two: its text, then `CONTINUED`; no half of one is ever left alone."""

    __slots__ = ("height", "looks", "texts", "width")

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.texts: list[list[str]] = [[" "] * width for _ in range(height)]
        self.looks: list[list[Look]] = [[PLAIN] * width for _ in range(height)]

    def resized(self, width: int, height: int) -> Frame:
        """Return a frame of another size that shows what both have room for."""
        frame = Frame(width, height)
        for y in range(min(height, self.height)):
            frame.put(y, 0, self.texts[y][:width], self.looks[y][:width])
        return frame

    def put(self, y: int, x: int, texts: Sequence[str], looks: Sequence[Look]) -> None:
        """Set cells of a row from a column on; what lies outside is dropped, halves of wide characters are blanked."""
        if not (0 <= y < self.height and 0 <= x < self.width):
            return
        count = min(len(texts), self.width - x)
        if not count:
            return
        row = self.texts[y]
        end = x + count
        if row[x] == CONTINUED and x:
            row[x - 1] = " "
        if end < self.width and row[end] == CONTINUED:
            row[end] = " "
        row[x:end] = texts[:count]
        self.looks[y][x:end] = looks[:count]
        if row[x] == CONTINUED:
            row[x] = " "
        if self._is_cut(y, end):
            row[end - 1] = " "

    def _is_cut(self, y: int, end: int) -> bool:
        """Tell whether the cell before `end` is the first half of a wide character whose second half is not there."""
        row = self.texts[y]
        text = row[end - 1]
        if text <= "\u10ff" or text == CONTINUED or (end < self.width and row[end] == CONTINUED):
            return False
        return split(text)[-1] == CONTINUED


def cells_of(segments: Iterable[Segment], colors: ColorSystem) -> tuple[list[str], list[Look]]:
    """Take the segments of a strip apart into cells. Control segments are left out."""
    texts: list[str] = []
    looks: list[Look] = []
    for text, style, control in segments:
        if control or not text:
            continue
        parts = text if text.isascii() and text.isprintable() else split(text)
        texts.extend(parts)
        looks.extend([look_of(style, colors)] * len(parts))
    return texts, looks
