"""Whether two entries of any two places are alike, by what is in them: read from both, in pieces, never whole."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.engine.far.memory import SMALL_BYTES, Memory
from tui.model.entry import EntryKind, Facts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui.engine.far.reaching import Reaching
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Place, Reader

SMALL_AT_ONCE = 128
"""So many entries are to be under way at once: fewer leave a long way idle. (`Memory` holds what they hold.)"""

LARGE_AT_ONCE = 2

AHEAD_BYTES = 8 << 20
"""So much of a large file is being read ahead, of each side."""

CLOSE_S = 0.1


@dataclass(slots=True)
class _Part:
    """How far two files were compared, and what they were then."""

    done_bytes: int = 0
    facts: tuple[Facts, Facts] | None = None


class Likeness:
    """Compares entries.

    Args:
        count: Called with how many bytes were compared, as it goes; a number below zero takes back.
        pace: Waited for after each piece of so many bytes; whatever it raises ends the comparison.
    """

    def __init__(
        self,
        reach: Reaching,
        count: Callable[[int, Location], None],
        pace: Callable[[int], Awaitable[None]],
    ) -> None:
        self._reach, self._count, self._pace = reach, count, pace
        self._turn = asyncio.Semaphore(LARGE_AT_ONCE)
        self._memory = Memory()

    async def difference(self, source: Location, entry: Entry, target: Location, there: Entry) -> str:
        """Return how they differ: "kind", "size", "content" or "link" (it points elsewhere); empty if they do not.

        Raises:
            PlaceError: One of them cannot be read.
        """
        if entry.kind.is_link and there.kind.is_link:
            one, other = await self._points(source), await self._points(target)
            return "" if one == other else "link"
        if entry.kind is not there.kind:
            return "kind"
        if entry.kind is not EntryKind.FILE:
            return ""
        if entry.size_bytes != there.size_bytes:
            return "size"
        if entry.size_bytes == 0:
            return ""
        if entry.size_bytes <= SMALL_BYTES:
            held_bytes = 2 * entry.size_bytes
            await self._memory.take(held_bytes)
            try:
                return await self._small(source, target)
            finally:
                self._memory.give_back(held_bytes)
        return await self._large(source, target)

    async def _points(self, where: Location) -> str | None:
        return (await self._reach.do(where, lambda place: place.stat(where))).link_target

    async def _small(self, source: Location, target: Location) -> str:
        async def both(here: Place, there: Place) -> tuple[bytes, bytes]:
            one = asyncio.ensure_future(here.get(source, SMALL_BYTES))
            try:
                _, other = await there.get(target, SMALL_BYTES)
                return (await one)[1], other
            finally:
                one.cancel()
                await asyncio.gather(one, return_exceptions=True)

        one, other = await self._reach.do_both(source, target, both)
        self._count(len(one), source)
        await self._pace(len(one))
        return "" if one == other else "content"

    async def _large(self, source: Location, target: Location) -> str:
        part = _Part()
        async with self._turn:
            try:
                return await self._reach.do_both(
                    source, target, lambda here, there: self._go_on(here, source, there, target, part)
                )
            except BaseException:
                self._count(-part.done_bytes, source)
                raise

    async def _go_on(self, here: Place, source: Location, there: Place, target: Location, part: _Part) -> str:
        """Compare what comes after `part`, unless the files are others by now: then all."""
        readers: list[Reader] = []
        try:
            readers.append(await here.open_reader(source))
            readers.append(await there.open_reader(target))
            facts = readers[0].entry.facts, readers[1].entry.facts
            if facts != part.facts:
                self._count(-part.done_bytes, source)
                part.done_bytes, part.facts = 0, facts
            if facts[0].size_bytes != facts[1].size_bytes:
                return "size"
            step = min(here.capabilities.part_bytes, there.capabilities.part_bytes)
            return await self._pieces(readers, source, part, step)
        finally:
            for reader in readers:
                await asyncio.wait({asyncio.ensure_future(reader.close())}, timeout=CLOSE_S)

    async def _pieces(self, readers: list[Reader], source: Location, part: _Part, step: int) -> str:
        assert part.facts is not None
        at, size_bytes = part.done_bytes, part.facts[0].size_bytes
        reads: deque[list[asyncio.Future[bytes]]] = deque()
        try:
            while at < size_bytes or reads:
                while at < size_bytes and len(reads) < max(2, AHEAD_BYTES // step):
                    wanted = min(step, size_bytes - at)
                    reads.append([asyncio.ensure_future(reader.read(at, wanted)) for reader in readers])
                    at += wanted
                one, other = [await read for read in reads[0]]
                reads.popleft()
                if one != other:
                    return "content"
                part.done_bytes += len(one)
                self._count(len(one), source)
                await self._pace(len(one))
            return ""
        finally:
            left = [read for pair in reads for read in pair]
            for read in left:
                read.cancel()
            await asyncio.gather(*left, return_exceptions=True)
