"""A large file from a reader to a writer: a few reads ahead, in order, from where an earlier try came to."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from tui.model.error import SourceChanged

if TYPE_CHECKING:
    from tui.engine.far.counts import Counts
    from tui.engine.run import Run
    from tui.model.location import Location
    from tui.places.base import Buffer, Reader, Writer

MOST_READS = 32
"""Of a large file, so many are under way at once, at most."""

OVERLAP_BYTES = 64 << 10
"""So much of a half file is compared with the source before it is gone on with."""


class Stream:
    """Takes a file from a reader to a writer, with several reads under way."""

    def __init__(
        self, run: Run, counts: Counts, reader: Reader, where: Location, hashed: Any, ahead_bytes: int
    ) -> None:
        self._run, self._counts, self._reader, self._where, self._hashed = run, counts, reader, where, hashed
        self._ahead_bytes = ahead_bytes
        self.done_bytes = 0

    async def copy(self, writer: Writer, part_bytes: int) -> None:
        """Go on from the writer's start to the end.

        Raises:
            SourceChanged: The file ends earlier than it did.
        """
        size_bytes, at = self._reader.entry.size_bytes, writer.start
        reads: deque[tuple[int, int, asyncio.Task[list[Buffer]]]] = deque()
        limiter = self._run.limiter
        try:
            while at < size_bytes or reads:
                limited = limiter.bytes_s is not None
                part = limiter.portion(part_bytes)
                ahead = 1 if limited else max(2, min(MOST_READS, self._ahead_bytes // part))
                while at < size_bytes and len(reads) < ahead:
                    wanted = min(part, size_bytes - at)
                    reads.append((at, wanted, asyncio.ensure_future(whole(self._reader, at, wanted))))
                    at += wanted
                start, wanted, read = reads[0]
                pieces = await read
                reads.popleft()
                if sum(map(len, pieces)) < wanted:
                    raise changed(self._where)
                if self._hashed is not None:
                    for piece in pieces:
                        self._hashed.update(piece)
                await writer.write(start, *pieces)
                self.done_bytes += wanted
                self._counts.half(wanted)
                if limited:
                    await self._run.pay(wanted)
        finally:
            for _, _, read in reads:
                read.cancel()
            await asyncio.gather(*(read for _, _, read in reads), return_exceptions=True)


async def agree(reader: Reader, writer: Writer) -> None:
    """Begin anew where what is there of a half file is not the beginning of the source."""
    start = writer.start
    if not start:
        return
    if start <= reader.entry.size_bytes:
        there = await writer.check(min(OVERLAP_BYTES, start))
        if there is None or there == b"".join(await whole(reader, start - len(there), len(there))):
            return
    await writer.rewind()


async def whole(reader: Reader, offset: int, size_bytes: int) -> list[Buffer]:
    """Read so much, in several calls if need be; less only at the end of the file.

    Returns:
        It in pieces, as `Reader.pieces` gives it.
    """
    got: list[Buffer] = []
    end = offset + size_bytes
    while offset < end and (pieces := await reader.pieces(offset, end - offset)):
        got += pieces
        offset += sum(map(len, pieces))
    return got


async def read_into(hashed: Any, reader: Reader, start: int, end: int, part_bytes: int) -> None:
    """Take what is between two offsets into a sum, a few reads ahead."""
    ahead: deque[asyncio.Task[list[Buffer]]] = deque()
    try:
        while start < end or ahead:
            while start < end and len(ahead) < 4:
                wanted = min(part_bytes, end - start)
                ahead.append(asyncio.ensure_future(whole(reader, start, wanted)))
                start += wanted
            for piece in await ahead[0]:
                hashed.update(piece)
            ahead.popleft()
    finally:
        for read in ahead:
            read.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)


def new_sum() -> Any:
    from xxhash import xxh3_128

    return xxh3_128()


def changed(source: Location) -> SourceChanged:
    return SourceChanged(f"cannot copy {source}: it changes while it is read", location=source)
