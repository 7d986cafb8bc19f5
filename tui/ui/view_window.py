"""What of a file is on the screen: windows on its text and on its bytes, moved by lines, to offsets, to the end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from rich.cells import split_graphemes

from tui.ui.terminal.cells import cells
from tui.ui.view_source import Row, shown_text

if TYPE_CHECKING:
    from tui.ui.view_search import Needle
    from tui.ui.view_source import ViewSource

Range = tuple[int, int]


class Window(Protocol):
    """A part of a file as high and wide as the screen allows."""

    needle: Needle | None
    found: int | None
    """Offset of the match a search went to last."""

    @property
    def offset(self) -> int:
        """Where it begins."""
        ...

    @property
    def end(self) -> int:
        """Where it ends."""
        ...

    async def resize(self, width: int, height: int) -> None: ...
    async def step(self, lines: int) -> None: ...
    async def go_to(self, offset: int) -> None:
        """Show an offset, some lines below the top where it was not in view."""
        ...

    async def to_start(self) -> None: ...
    async def to_end(self) -> None: ...
    async def lay_out(self) -> None:
        """Read what is in the window now."""
        ...


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of the window: some characters of a row."""

    row: Row
    first: int
    last: int


class TextWindow:
    """Lines of text, wrapped at the width or cut there.

    Args:
        source: The file.
        top: Where the first line shown begins.
    """

    def __init__(self, source: ViewSource, top: int = 0) -> None:
        self.source = source
        self.width, self.height = 80, 24
        self.wrap = True
        self.left = 0
        """First column shown, where lines are cut."""
        self.needle: Needle | None = None
        self.lines: list[TextLine] = []
        self.matches: dict[int, list[Range]] = {}
        """By start of the row: (first, last) characters of what the needle finds."""
        self.found: int | None = None
        self.found_at: tuple[int, int] | None = None
        """The same as start of the row and character, where it is in view."""
        self._top, self._sub = top, 0
        """The first line shown: where its row begins, and which of its lines it is."""

    @property
    def offset(self) -> int:
        return self._top

    @property
    def end(self) -> int:
        if not self.lines:
            return 0
        last = self.lines[-1]
        if last.last >= len(last.row.text) or not self.wrap:
            return last.row.end
        share = last.last / max(1, len(last.row.text))
        return last.row.start + int((last.row.end - last.row.start) * share)

    @property
    def rows(self) -> list[Row]:
        """The rows in view, each once."""
        return list({line.row.start: line.row for line in self.lines}.values())

    async def resize(self, width: int, height: int) -> None:
        first = self.lines[0].first if self.lines and self.wrap else 0
        self.width, self.height = max(1, width), max(1, height)
        if self._sub:
            self._sub = self._line_of(await self.source.row(self._top), first)
        await self.lay_out()

    async def set_wrap(self, wrap: bool) -> None:
        self.wrap, self.left, self._sub = wrap, 0, 0
        await self.lay_out()

    async def shift(self, columns: int) -> None:
        """Show other columns, where lines are cut."""
        if not self.wrap:
            longest = max((cells(line.row.text) for line in self.lines), default=0)
            self.left = max(0, min(self.left + columns, longest - 1))
            await self.lay_out()

    async def to_start(self) -> None:
        self._top = self._sub = 0
        await self.lay_out()

    async def to_end(self) -> None:
        await self.source.refresh_size()
        self._top = await self.source.start_at(self.source.size_bytes)
        self._sub = max(0, len(self._ranges(await self.source.row(self._top))) - 1)
        await self._up(self.height - 1)
        await self.lay_out()

    async def go_to(self, offset: int) -> None:
        start = await self.source.start_at(offset)
        row = await self.source.row(start)
        data = await self.source.bytes_at(start, offset - start)
        character = len(shown_text(data[row.skipped_bytes :]))
        sub = self._line_of(row, character)
        if not self.wrap:
            column = cells(row.text[:character])
            if not self.left <= column < self.left + self.width:
                self.left = max(0, column - self.width // 2)
        if not self._shows(start, character):
            self._top, self._sub = start, sub
            await self._up(self.height // 3)
        await self.lay_out()

    async def step(self, lines: int) -> None:
        if lines < 0:
            await self._up(-lines)
        else:
            await self._down(lines)
        await self.lay_out()

    async def lay_out(self) -> None:
        self.lines = await self._lines_from_top()
        missing = self.height - len(self.lines)
        if missing > 0 and (self._top or self._sub):
            await self._up(missing)
            self.lines = await self._lines_from_top()
        self.matches, self.found_at = {}, None
        if self.needle is not None:
            for row in self.rows:
                self.matches[row.start] = await self._matches_in(row, self.needle)
                if self.found is not None and row.start <= self.found < row.end:
                    self.found_at = row.start, await self._character_at(row, self.found)

    def _line_of(self, row: Row, character: int) -> int:
        """Return which of a row's lines shows a character."""
        return (
            next((n for n, (_, last) in enumerate(self._ranges(row)) if character < last), 0)
            if self.wrap
            else 0
        )

    def _shows(self, start: int, character: int) -> bool:
        return any(
            line.row.start == start
            and (not self.wrap or line.first <= character < max(line.last, line.first + 1))
            for line in self.lines
        )

    def _ranges(self, row: Row) -> list[Range]:
        if self.wrap:
            return wrapped(row.text, self.width)
        return [cut_out(row.text, self.left, self.width)]

    async def _lines_from_top(self) -> list[TextLine]:
        lines: list[TextLine] = []
        start, sub = min(self._top, self.source.size_bytes), self._sub
        while len(lines) < self.height and start < self.source.size_bytes:
            row = await self.source.row(start)
            lines += [TextLine(row, first, last) for first, last in self._ranges(row)[sub:]]
            if row.end <= start:
                break  # the file has become shorter
            start, sub = row.end, 0
        return lines[: self.height]

    async def _down(self, lines: int) -> None:
        while lines > 0 and self._top < self.source.size_bytes:
            row = await self.source.row(self._top)
            below = len(self._ranges(row)) - 1 - self._sub
            if lines <= below:
                self._sub += lines
                return
            if row.end >= self.source.size_bytes:
                self._sub += below
                return
            lines -= below + 1
            self._top, self._sub = row.end, 0

    async def _up(self, lines: int) -> None:
        while lines > 0:
            if lines <= self._sub:
                self._sub -= lines
                return
            lines -= self._sub
            self._sub = 0
            before = await self.source.starts_before(self._top, lines if not self.wrap else 1)
            if not before:
                return
            self._top = before[0]
            if not self.wrap:
                return
            self._sub = len(self._ranges(await self.source.row(self._top))) - 1
            lines -= 1

    async def _character_at(self, row: Row, offset: int) -> int:
        data = await self.source.bytes_at(row.start, offset - row.start)
        return len(shown_text(data[row.skipped_bytes :]))

    async def _matches_in(self, row: Row, needle: Needle) -> list[Range]:
        data = await self.source.bytes_at(row.start, row.end - row.start)
        skipped = row.skipped_bytes
        return [
            (len(shown_text(data[skipped:first])), len(shown_text(data[skipped:last])))
            for first, last in needle.spans(data)
        ]


@dataclass(frozen=True, slots=True)
class HexLine:
    """One line of the window: some bytes and where they are."""

    offset: int
    data: bytes


class HexWindow:
    """Lines of bytes, as many a line as fit.

    Args:
        source: The file.
    """

    def __init__(self, source: ViewSource) -> None:
        self._source = source
        self.width, self.height = 80, 24
        self.needle: Needle | None = None
        self.lines: list[HexLine] = []
        self.matches: list[Range] = []
        """(first, last) offsets of what the needle finds."""
        self.found: int | None = None
        self._top = 0

    @property
    def per_line(self) -> int:
        return 8 if self.width < 76 else 16 if self.width < 146 else 32

    @property
    def offset(self) -> int:
        return self._top

    @property
    def end(self) -> int:
        return self.lines[-1].offset + len(self.lines[-1].data) if self.lines else 0

    async def resize(self, width: int, height: int) -> None:
        self.width, self.height = width, max(1, height)
        await self._show(self._top)

    async def step(self, lines: int) -> None:
        await self._show(self._top + lines * self.per_line)

    async def to_start(self) -> None:
        await self._show(0)

    async def to_end(self) -> None:
        await self._source.refresh_size()
        await self._show(self._source.size_bytes)

    async def go_to(self, offset: int) -> None:
        if self._top <= offset < self._top + self.per_line * self.height:
            await self.lay_out()
        else:
            await self._show(offset - self.height // 3 * self.per_line)

    async def lay_out(self) -> None:
        await self._show(self._top)

    async def _show(self, offset: int) -> None:
        last_line = max(0, self._source.size_bytes - 1) // self.per_line
        line = max(0, min(offset // self.per_line, last_line - self.height + 1))
        self._top = line * self.per_line
        before = self.needle.longest_bytes - 1 if self.needle else 0
        start = max(0, self._top - before)
        data = await self._source.bytes_at(start, self._top - start + self.per_line * self.height + before)
        page = data[self._top - start :][: self.per_line * self.height]
        self.lines = [
            HexLine(self._top + at, page[at : at + self.per_line])
            for at in range(0, len(page), self.per_line)
        ]
        spans = self.needle.spans(data) if self.needle else []
        self.matches = [(start + first, start + last) for first, last in spans]


@lru_cache(maxsize=512)
def wrapped(text: str, width: int) -> list[Range]:
    """Return (first, last) characters of the lines a text makes when it is wrapped; an empty one makes one line."""
    if cells(text) <= width:
        return [(0, len(text))]
    if text.isascii():
        return [(at, min(at + width, len(text))) for at in range(0, len(text), width)]
    ranges: list[Range] = []
    first = used = 0
    for start, _end, size in split_graphemes(text)[0]:
        if used + size > width and start > first:
            ranges.append((first, start))
            first, used = start, 0
        used += size
    return [*ranges, (first, len(text))]


@lru_cache(maxsize=512)
def cut_out(text: str, left: int, width: int) -> Range:
    """Return (first, last) characters of a text that lie in the columns from `left` on."""
    if text.isascii():
        return min(left, len(text)), min(left + width, len(text))
    looked_at = text[: 2 * (left + width) + 64]  # the rest is rarely in reach, and may be long
    while len(looked_at) < len(text) and cells(looked_at) < left + width:
        looked_at = text[: 2 * len(looked_at)]
    first, at = None, 0
    for start, _end, size in split_graphemes(looked_at)[0]:
        if first is None and at >= left:
            first = start
        if at + size > left + width:
            return (start if first is None else first), start
        at += size
    return (len(text) if first is None else first), len(looked_at)
