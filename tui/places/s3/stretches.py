"""Reading a file in order: it comes in few long answers, of which several may be on their way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.places.s3.errors import BrokeOff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui.places.s3.store import Body

MOST_BYTES = 32 << 20
"""One answer has at most so much: some stores take 30 ms for each, whatever it brings."""


class Stretch:
    """A range of a file that comes in one answer. What is read of it is taken from there, in order.

    Args:
        ask: Asks for a range: (first byte, the byte behind the last).
        body: The answer, where it has been asked for already.
    """

    def __init__(
        self, ask: Callable[[int, int], Awaitable[Body]], start: int, end: int, body: Body | None = None
    ) -> None:
        self._ask, self._at, self.end = ask, start, end
        self._turn = asyncio.Lock()
        self._body = body
        self._came = body is not None
        """Of this answer something has come: its head, where that was wanted, too."""

    @property
    def is_read(self) -> bool:
        """Somebody reads, or waits to."""
        return self._turn.locked()

    async def read(self, start: int, end: int) -> list[bytes]:
        """Return what is between two offsets, in the pieces it came in. Several may ask at once, each for what follows.

        Raises:
            BrokeOff: It ended before anything came.
        """
        async with self._turn:
            if start != self._at:  # whoever was to read what is before it gave up
                self.close()
                self._at = start
            pieces: list[bytes] = []
            while self._at < end:
                pieces.append(await self._more(end - self._at))
            if end == self.end:
                self.close()
        return pieces

    async def _more(self, most_bytes: int) -> bytes:
        """Return some bytes; none where the answer broke off after some had come: the rest is asked for anew."""
        if self._body is None:
            self._body, self._came = await self._ask(self._at, self.end), False
        try:
            chunk = await self._body.some(most_bytes)
        except BrokeOff:
            self.close()
            if not self._came:
                raise
            return b""
        self._came = True
        self._at += len(chunk)
        return chunk

    def close(self) -> None:
        """Let go of the answer: what has not come of it is not wanted."""
        body, self._body = self._body, None
        if body is not None:
            body.close()


class Stretches:
    """Divides what is read into stretches: the longer, the more was read in order before.

    So a look here and there asks for no more than is looked at.
    """

    def __init__(self, ask: Callable[[int, int], Awaitable[Body]], size_bytes: int) -> None:
        self._ask, self._size_bytes = ask, size_bytes
        self._since = self._next = -1
        """Where reading in order began, and where it goes on."""
        self._last: Stretch | None = None
        self._open: set[Stretch] = set()

    def begin(self, body: Body, size_bytes: int) -> None:
        """Take the first bytes from an answer that is there."""
        self._since = self._next = 0
        self._last = Stretch(self._ask, 0, size_bytes, body)
        self._open.add(self._last)

    async def read(self, start: int, end: int) -> list[bytes]:
        """Return what is between two offsets, both within the file, in the pieces it came in."""
        pieces: list[bytes] = []
        for stretch, at, until in self._planned(start, end):
            pieces += await stretch.read(at, until)
            if until == stretch.end:
                self._open.discard(stretch)
        return pieces

    def _planned(self, start: int, end: int) -> list[tuple[Stretch, int, int]]:
        """Return which stretches some bytes come from. (Before anything is waited for: reads are planned as asked.)"""
        if start != self._next:
            self._leave()
            self._since = start
        self._next = end
        planned, at = [], start
        while at < end:
            if self._last is None or self._last.end == at:
                self._last = Stretch(self._ask, at, self._end_of(at, end))
                self._open.add(self._last)
            upto = min(end, self._last.end)
            planned.append((self._last, at, upto))
            at = upto
        return planned

    def _end_of(self, start: int, end: int) -> int:
        step = end - start
        size_bytes = min(max(step, start - self._since), MOST_BYTES)
        return min(start + max(size_bytes // step, 1) * step, self._size_bytes)

    def _leave(self) -> None:
        """Go on elsewhere: what is not being read is let go of."""
        last, self._last = self._last, None
        if last is not None and not last.is_read:
            last.close()
            self._open.discard(last)

    def close(self) -> None:
        """Let go of all."""
        for stretch in self._open:
            stretch.close()
        self._open.clear()
        self._leave()
