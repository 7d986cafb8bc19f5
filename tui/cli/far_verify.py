"""`ferry verify` where a side is on another host: both are listed and read through the client, piece by piece."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from tui.cli.exclusions import leave_out_sources
from tui.cli.far_operands import Looking, plan_transfer
from tui.cli.reaching import reach
from tui.model.entry import EntryKind
from tui.model.error import NotFound, PlaceError
from tui.places.local.checking import Finding, Verdict
from tui.places.local.partial import is_partial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.cli.findings import Told
    from tui.cli.session import OpenClient, Session
    from tui.model.exclusion import Exclusion
    from tui.model.location import Location

PIECE_BYTES = 1 << 20
BATCH = 1000
SMALL_BYTES = 128 << 10
SMALL_AT_ONCE = 64
"""Entries under way at once: each takes some round trips, however long the way."""
LARGE_AT_ONCE = 4

Columns = tuple[EntryKind, int]
"""Kind, links being just LINK, and size in bytes."""


def run(session: Session, told: Told, words: Sequence[str], *, exact: bool, exclude: Exclusion) -> int:
    """Compare what the words name, the last one being the target, and return the exit status."""
    return asyncio.run(_run(session, told, words, exact=exact, exclude=exclude))


async def _run(session: Session, told: Told, words: Sequence[str], *, exact: bool, exclude: Exclusion) -> int:
    client = session.engines.client()
    try:
        looking = Looking(client, session.messages)
        plan = await plan_transfer(looking, words, "verify", exact=exact)
        if looking.unanswered is not None:
            raise looking.unanswered
        leave_out_sources(plan, exclude)
        for refused in plan.refused:
            told.error(refused, refused.location)
        for source, final in plan.finals():
            check = TreeCheck(client, told, exclude)
            await reach(client, session.messages, [source, final], check.pair(source, final))
        told.missing_at_all(plan)
        return told.end("verified")
    finally:
        await client.close()


class TreeCheck:
    """Compares an entry, and all below it, with another: kinds, contents, where links point. No link is followed."""

    def __init__(self, client: OpenClient, told: Told, exclude: Exclusion) -> None:
        self._client, self._told, self._exclude = client, told, exclude
        self._at_once = asyncio.Semaphore(SMALL_AT_ONCE)
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def pair(self, source: Location, final: Location) -> None:
        """Compare two entries and what is below them, telling what is found."""
        try:
            first = await self._client.stat(source)
            try:
                second = await self._client.stat(final)
            except NotFound:
                self._told.finding(Finding(Verdict.MISSING, source, final))
                return
        except PlaceError as error:
            self._told.error(error, error.location)
            return
        one, other = (_plain(first.kind), first.size_bytes), (_plain(second.kind), second.size_bytes)
        await self._entry(source, final, one, other)
        if one[0] is other[0] is EntryKind.FOLDER:
            await self._tree(source, final)

    async def _tree(self, source: Location, final: Location) -> None:
        """Compare two folders and all below, a folder after the other."""
        waiting = [(source, final)]
        while waiting:
            here, there = waiting.pop()
            try:
                first, second = await asyncio.gather(self._inside(here), self._inside(there))
                self._leave_out(source.relative(here), first, second)
            except PlaceError as error:
                self._told.error(error, error.location)
                continue
            for name in sorted(second.keys() - first.keys()):
                if not is_partial(os.fsencode(name)):
                    self._told.finding(Finding(Verdict.EXTRA, here.child(name), there.child(name)))
            async with asyncio.TaskGroup() as group:
                for name, columns in sorted(first.items()):
                    pair = here.child(name), there.child(name)
                    if name not in second:
                        self._told.finding(Finding(Verdict.MISSING, *pair))
                        continue
                    if columns[0] is second[name][0] is EntryKind.FOLDER:
                        waiting.append(pair)
                    await self._at_once.acquire()
                    task = group.create_task(self._entry(*pair, columns, second[name]))
                    task.add_done_callback(lambda _: self._at_once.release())

    def _leave_out(self, path: str, *sides: dict[str, Columns]) -> None:
        """Take from both sides of a folder what is left out on either."""
        if not self._exclude:
            return
        for name in sides[0].keys() | sides[1].keys():
            below = os.fsencode(f"{path}/{name}" if path else name)
            kinds = [side[name][0] for side in sides if name in side]
            if any(self._exclude.covers(below, folder=kind is EntryKind.FOLDER) for kind in kinds):
                for side in sides:
                    side.pop(name, None)

    async def _inside(self, folder: Location) -> dict[str, Columns]:
        names: list[str] = []
        found: dict[str, Columns] = {}
        async for page in self._client.list(folder):
            names += page.names
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            details = await self._client.details(folder, batch)
            columns = zip(batch, details.kinds, details.sizes_bytes, strict=True)
            found |= {name: (_plain(EntryKind(kind)), size) for name, kind, size in columns if size >= 0}
        return found

    async def _entry(self, source: Location, final: Location, one: Columns, other: Columns) -> None:
        """Compare two entries, not what is below them."""
        try:
            why = await self._differs(source, final, one, other)
        except PlaceError as error:
            self._told.error(error, error.location)
            return
        if why:
            self._told.finding(Finding(Verdict.DIFFERS, source, final, why))
        if not one[0] is other[0] is EntryKind.FOLDER:
            self._told.counts.files += 1

    async def _differs(self, source: Location, final: Location, one: Columns, other: Columns) -> str:
        """Return what is different ("kind", "size", "content", "link"), or nothing."""
        if one[0] is not other[0]:
            return "kind"
        if one[0] is EntryKind.LINK:
            first, second = await asyncio.gather(self._client.stat(source), self._client.stat(final))
            return "" if first.link_target == second.link_target else "link"
        if one[0] is not EntryKind.FILE:
            return ""
        if one[1] != other[1]:
            return "size"
        if one[1] <= SMALL_BYTES:
            return await self._content(source, final, one[1])
        async with self._large:
            return await self._content(source, final, one[1])

    async def _content(self, source: Location, final: Location, all_bytes: int) -> str:
        for offset in range(0, all_bytes, PIECE_BYTES):
            size_bytes = min(PIECE_BYTES, all_bytes - offset)
            first_bytes, second_bytes = await asyncio.gather(
                self._client.read(source, offset, size_bytes), self._client.read(final, offset, size_bytes)
            )
            self._told.read(size_bytes, source.name)
            if first_bytes != second_bytes or len(first_bytes) != size_bytes:
                return "content"
        return ""


def _plain(kind: EntryKind) -> EntryKind:
    return EntryKind.LINK if kind.is_link else kind
