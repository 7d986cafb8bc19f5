"""A file as the viewer sees it: blocks read when they are shown, rows of text found locally, at any size.

A row begins after a line break. A line that goes on for a whole block without one is broken at the block's edge, so
that a row never holds more than two blocks, and where rows begin around any offset is known from the blocks there:
the end of a file, or the middle of a line of a gigabyte, is shown as fast as its start.
"""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.client.base import Places
    from tui.model.location import Location

BLOCK = 32 * 1024
KEPT_BLOCKS, KEPT_ROWS = 128, 256
TAB_CELLS = 8
_MARK = b"\xef\xbb\xbf"
"""A byte order mark, in UTF-8."""
CHUNK = 1 << 20
"""Read at once where much is read: while lines are counted, in a search."""
_STEP = CHUNK // 4
"""The index of lines keeps one number for so many bytes."""
_SIZELESS_LIMIT = 16 << 20
"""A file that claims to be empty and is not (as in /proc) is read so far."""


_BINARY_SHARE = 0.1
_ZERO = visible("\0")
_LONG = 4096
"""Rows of more bytes are made with a pause, for keys."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of text, or a part of a very long one.

    Attributes:
        start: Offset of its first byte.
        end: Offset after its last one, line break included.
        text: What is shown: tabs are spaces, what a terminal would obey is a mark.
        skipped_bytes: So many at its start are not in the text: a byte order mark, the rest of a character that the
            row before shows.
    """

    start: int
    end: int
    text: str
    skipped_bytes: int = 0


def shown_text(data: bytes) -> str:
    """Return bytes of one line as they are shown, without the line break; bytes that are no UTF-8 become marks."""
    if data.endswith(b"\n"):
        data = data[:-2] if data.endswith(b"\r\n") else data[:-1]
    text = data.decode("utf-8", "surrogateescape").expandtabs(TAB_CELLS)
    # Zeros come by the thousand, where a file has holes; one by one they would take long.
    return _ZERO.join(map(visible, text.split("\0"))) if "\0" in text else visible(text)


def is_binary(head: bytes) -> bool:
    """Say whether a file's first bytes look like anything but text: a NUL, or much that is no UTF-8."""
    if b"\0" in head:
        return True
    text = head.decode("utf-8", "surrogateescape")
    strange = sum(1 for character in text if 0xDC80 <= ord(character) <= 0xDCFF or character < "\x09")
    return strange > len(text) * _BINARY_SHARE


def _continuation(data: bytes) -> int:
    """Return how many bytes at the start belong to a character begun before (at most three)."""
    count = 0
    while count < min(3, len(data)) and 0x80 <= data[count] < 0xC0:
        count += 1
    return count


class ViewSource:
    """Reads one file in blocks, keeping the last ones used, and finds rows.

    Args:
        places: Where it is read.
        location: A regular file.
        size_bytes: Its size when it was opened; a change met later on is followed, and told by `notice`.
    """

    def __init__(self, places: Places, location: Location, size_bytes: int) -> None:
        self._places = places
        self.location = location
        self.size_bytes = size_bytes
        self.notice = ""
        """What happened to the file meanwhile, to be told once."""
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._starts: OrderedDict[int, array[int]] = OrderedDict()
        self._rows: OrderedDict[int, Row] = OrderedDict()

    async def open(self) -> bytes:
        """Read the first block and return it. The size of a file that has none of its own is found out."""
        if self.size_bytes == 0:
            while self.size_bytes < _SIZELESS_LIMIT:
                data = await self._places.read(self.location, self.size_bytes, CHUNK)
                self.size_bytes += len(data)
                if len(data) < CHUNK:
                    break
        return await self.block(0)

    async def refresh_size(self) -> None:
        """Find out how big the file is now."""
        size_bytes = (await self._places.stat(self.location, follow=True)).size_bytes
        if size_bytes != self.size_bytes and size_bytes:
            self._resize(size_bytes)

    async def read(self, offset: int, size_bytes: int) -> bytes:
        """Return bytes past the cache, for those who read on and on."""
        wanted = max(0, min(size_bytes, self.size_bytes - offset))
        if not wanted:
            return b""
        data = await self._places.read(self.location, offset, wanted)
        if len(data) < wanted:
            self._resize(offset + len(data))
            self.notice = "The file has become shorter while it was viewed."
        return data

    async def block(self, number: int) -> bytes:
        """Return a block; the last one is shorter, those after it are empty."""
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        data = await self.read(number * BLOCK, BLOCK)
        self._blocks[number] = data
        while len(self._blocks) > KEPT_BLOCKS:
            self._starts.pop(self._blocks.popitem(last=False)[0], None)
        return data

    async def bytes_at(self, offset: int, size_bytes: int) -> bytes:
        """Return some bytes through the cache; fewer at the end."""
        end = min(offset + size_bytes, self.size_bytes)
        parts = [await self.block(number) for number in range(offset // BLOCK, -(-end // BLOCK))]
        skipped = offset % BLOCK
        return b"".join(parts)[skipped : skipped + max(0, end - offset)]

    # Rows.

    async def rows(self, start: int, count: int) -> list[Row]:
        """Return up to `count` rows from the one that begins at `start`."""
        found: list[Row] = []
        while len(found) < count and start < self.size_bytes:
            row = await self.row(start)
            if row.end <= start:
                break  # the file has become shorter
            found.append(row)
            start = row.end
        return found

    async def row(self, start: int) -> Row:
        """Return the row that begins at `start`."""
        if start in self._rows:
            self._rows.move_to_end(start)
            return self._rows[start]
        end = await self._next_start(start)
        if end - start > _LONG:
            await asyncio.sleep(0)
        data = await self.bytes_at(start, end - start)
        skipped = await self._skipped(start, data)
        if data and not data.endswith(b"\n") and end < self.size_bytes:
            following = await self.bytes_at(end, 3)
            data += following[: _continuation(following)]
        self._rows[start] = row = Row(start, end, shown_text(data[skipped:]), skipped)
        if len(self._rows) > KEPT_ROWS:
            self._rows.popitem(last=False)
        return row

    async def _skipped(self, start: int, data: bytes) -> int:
        if start == 0:
            return len(_MARK) if data.startswith(_MARK) else 0
        if start % BLOCK == 0 and await self.bytes_at(start - 1, 1) != b"\n":
            return _continuation(data)
        return 0

    async def start_at(self, offset: int) -> int:
        """Return where the row begins that holds an offset (of the last byte, where it lies past the end)."""
        offset = max(0, min(offset, self.size_bytes - 1))
        for number in range(offset // BLOCK, -1, -1):
            starts = await self._starts_in(number)
            if (at := bisect_right(starts, offset)) > 0:
                return starts[at - 1]
        return 0

    async def starts_before(self, start: int, count: int) -> list[int]:
        """Return where up to `count` rows before the one at `start` begin, in the order of the file."""
        found: list[int] = []
        number = (start - 1) // BLOCK
        while len(found) < count and number >= 0:
            starts = await self._starts_in(number)
            earlier = starts[: bisect_left(starts, start)]
            found = [*earlier[max(0, len(earlier) - count + len(found)) :], *found]
            number -= 1
        return found

    async def _next_start(self, start: int) -> int:
        number = start // BLOCK
        while number * BLOCK < self.size_bytes:
            starts = await self._starts_in(number)
            if (at := bisect_right(starts, start)) < len(starts):
                return starts[at]
            number += 1
        return self.size_bytes

    async def _starts_in(self, number: int) -> array[int]:
        """Return the offsets in a block at which rows begin, ascending."""
        if number in self._starts:
            return self._starts[number]
        before = await self.block(number - 1) if number else b"\n"
        data = await self.block(number)
        base = number * BLOCK
        starts = array("Q")
        if data and (before.endswith(b"\n") or b"\n" not in before):
            starts.append(base)
        at = data.find(b"\n")
        while -1 < at < len(data) - 1:
            starts.append(base + at + 1)
            at = data.find(b"\n", at + 1)
        self._starts[number] = starts
        return starts

    def _resize(self, size_bytes: int) -> None:
        """Take over another size; what was known from the shorter one's end on is forgotten."""
        first_wrong = min(size_bytes, self.size_bytes) // BLOCK
        for number in [number for number in self._blocks if number >= first_wrong]:
            del self._blocks[number]
            self._starts.pop(number, None)
        self._starts.pop(first_wrong + 1, None)
        self._rows.clear()
        self.size_bytes = size_bytes


class LineIndex:
    """Knows how many lines lie before each quarter of a MiB, as far as it has counted.

    Args:
        source: The file.
    """

    def __init__(self, source: ViewSource) -> None:
        self._source = source
        self._before = array("Q", [0])
        """Line breaks before each full step."""
        self._after = 0
        """Line breaks in what was counted after the last full step."""
        self._counted_bytes = 0
        self._ends_with_break = True
        self._step_read = 0, b""
        """The step looked into last, and what is in it: one moves about where one is."""

    @property
    def is_complete(self) -> bool:
        return self._counted_bytes >= self._source.size_bytes

    @property
    def counted_bytes(self) -> int:
        return self._counted_bytes

    @property
    def lines(self) -> int | None:
        """Lines in the whole file, where all were counted."""
        if not self.is_complete:
            return None
        return self._before[-1] + self._after + (0 if self._ends_with_break else 1)

    async def count(self, limit_bytes: int | None = None) -> AsyncIterator[None]:
        """Count on, yielding after each chunk, to the end of the file or to `limit_bytes`."""
        while not self.is_complete and (limit_bytes is None or self._counted_bytes < limit_bytes):
            start = (len(self._before) - 1) * _STEP
            data = await self._source.read(start, CHUNK)
            if not data:
                return
            self._after = 0
            for at in range(0, len(data), _STEP):
                breaks = data.count(b"\n", at, at + _STEP)
                if at + _STEP <= len(data):
                    self._before.append(self._before[-1] + breaks)
                else:
                    self._after = breaks
            self._ends_with_break = data.endswith(b"\n")
            self._counted_bytes = start + len(data)
            yield

    async def line_at(self, offset: int) -> int | None:
        """Return the number of the line (from 1) that holds an offset; None where it was not counted yet."""
        if offset > self._counted_bytes:
            return None
        step = min(offset // _STEP, len(self._before) - 1)
        data = await self._step(step)
        return self._before[step] + data.count(b"\n", 0, offset - step * _STEP) + 1

    async def start_of(self, line: int) -> int | None:
        """Return where a line (from 1) begins; None where it is not among those counted."""
        if line <= 1:
            return 0
        breaks = line - 1
        step = bisect_left(self._before, breaks) - 1
        if breaks > self._before[-1] + self._after:
            return None
        data = await self._step(step)
        at = -1
        for _ in range(breaks - self._before[step]):
            at = data.find(b"\n", at + 1)
            if at < 0:
                return None
        start = step * _STEP + at + 1
        return start if start < self._source.size_bytes else None

    async def _step(self, step: int) -> bytes:
        """Return what is in a step."""
        known, data = self._step_read
        wanted = min(_STEP, self._source.size_bytes - step * _STEP)
        if known != step or len(data) != wanted:
            data = await self._source.read(step * _STEP, _STEP)
            self._step_read = step, data
        return data
