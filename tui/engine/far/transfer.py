"""One entry from one place to another: small files whole, large ones in pieces, links, and copies within a place."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tui.engine.far.ends import look
from tui.engine.far.many import in_time
from tui.engine.far.memory import SMALL_BYTES, Memory
from tui.engine.far.standing import not_held
from tui.engine.far.streaming import Stream, agree, changed, new_sum, read_into, whole
from tui.engine.run import Stop
from tui.model.error import (
    AlreadyExists,
    OutOfSpace,
    PlaceError,
    PlaceUnavailable,
    Unsupported,
    VerificationFailed,
)
from tui.model.job import Flush
from tui.places.base import Identity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.engine.far.counts import Counts
    from tui.engine.far.standing import Pairing
    from tui.engine.far.tree import Item
    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Place, Reader, Writer

LEAVE_S = 0.08
"""So long a half file may take to be let go of when the run is stopped."""


class Transfer:
    """Makes entries at a target. What it is asked to make is free there, or to be replaced.

    Args:
        halves: Target folders that may hold half files, and how many: kept by it.
    """

    def __init__(self, run: Run, counts: Counts, halves: dict[Location, int]) -> None:
        self._run, self._counts, self._halves = run, counts, halves
        self._flush = run.moves or run.record.row.flush is Flush.FILE
        self._tag = run.record.row.tag
        self._memory = Memory()
        self._kept_bytes: dict[Location, int] = {}
        """Of half files that wait to be gone on with: how much is counted as copied meanwhile, by target."""
        self.furthest: dict[Location, int] = {}
        """How far large files ever came that were broken off, by target, in bytes."""
        self._source: Place
        self._target: Place
        self._pairing: Pairing

    def connect(self, source: Place, target: Place, pairing: Pairing) -> None:
        """Work between these places from now on."""
        self._source, self._target, self._pairing = source, target, pairing

    @property
    def _within(self) -> bool:
        return self._source is self._target and self._source.capabilities.copies

    async def file(self, item: Item) -> Entry:
        """Copy a file; return what it was when it was read.

        Raises:
            SourceChanged: It was written to meanwhile.
            VerificationFailed: What stands there now is not what was read.
            AlreadyExists: The name is taken, by now.
        """
        target = item.target
        if self._run.record.halves is None:
            # An earlier engine was killed: a server may do what that one asked for later than it lists what is there.
            self._halves.setdefault(target.parent, 1)
        try:
            if self._within:
                return await self._copy(item, target)
            if self.goes_whole(item.entry):
                return await self._small(item, target)
        except AlreadyExists:
            raise
        except BaseException:
            self._may_hold_half(target)
            raise
        return await self._large(item, target)

    def goes_whole(self, entry: Entry) -> bool:
        """Say whether a file goes whole: not where a limit would have to wait for it, and then for many of them."""
        return entry.size_bytes <= self._run.limiter.portion(SMALL_BYTES)

    async def link(self, item: Item) -> Entry:
        """Make a link that points where the source does."""
        entry, target = await self._source.stat(item.source), item.target
        can = self._source.capabilities.symlinks and self._target.capabilities.symlinks
        if not can or entry.link_target is None:
            raise not_held(entry, target)
        mtime_ns = entry.mtime_ns if self._pairing.keeps_times else None
        dated = await self._target.make_symlink(
            target, entry.link_target, self._tag, replace=item.replace, mtime_ns=mtime_ns
        )
        self._counts.link(entry, target, self._pairing, dated=dated)
        return entry

    def forget_halves(self) -> None:
        """Count half files no more: they were removed."""
        self._halves.clear()
        self._counts.half_again(-sum(self._kept_bytes.values()))
        self._kept_bytes.clear()
        self._counts.show()

    async def _check_expected(self, item: Item, target: Location) -> None:
        """Look, right before it is replaced, whether what stands there is what somebody wanted to replace.

        Raises:
            AlreadyExists: It is not: it is to be asked what becomes of it.
        """
        if item.expects is None or not item.replace or item.made:
            return
        there = await look(self._target, target)
        if there is not None and there.facts != item.expects:
            raise AlreadyExists(f"cannot replace {target}: it has changed", location=target)

    def _may_hold_half(self, target: Location) -> None:
        folder = target.parent
        self._halves[folder] = self._halves.get(folder, 0) + 1

    def _holds_none(self, target: Location) -> None:
        folder = target.parent
        self._halves[folder] -= 1
        if not self._halves[folder]:
            del self._halves[folder]

    # The ways

    async def _small(self, item: Item, target: Location) -> Entry:
        held_bytes = item.entry.size_bytes
        await self._memory.take(held_bytes)
        try:
            return await self._small_held(item, target)
        finally:
            self._memory.give_back(held_bytes)

    async def _small_held(self, item: Item, target: Location) -> Entry:
        source = item.source
        try:
            # After a lost connection the listing is of long ago.
            seen = None if item.again or not self._source.capabilities.lists_times else item.entry
            entry, data = await self._source.get(source, SMALL_BYTES, seen)
        except Unsupported as error:
            raise changed(source) from error
        if len(data) != entry.size_bytes:
            raise changed(source)
        attributes = self._pairing.attributes(entry)
        await self._check_expected(item, target)
        await self._target.put(target, data, attributes, self._tag, replace=item.replace, flush=self._flush)
        if self._run.verifies and (await self._target.get(target, SMALL_BYTES))[1] != data:
            item.made = True
            raise differs(target, source)
        await self._count_paid(entry.size_bytes)
        return entry

    async def _copy(self, item: Item, target: Location) -> Entry:
        """Have the place itself copy it."""
        source = item.source
        entry = item.entry if self._source.capabilities.lists_times else await self._source.stat(source)
        await self._source.copy(
            source, target, self._pairing.attributes(entry), self._tag, replace=item.replace
        )
        if entry.size_bytes > SMALL_BYTES and is_other(entry, await self._source.stat(source)):
            item.made = True
            raise changed(source)
        if self._flush and self._target.capabilities.flushes:
            await self._target.flush(target.parent)
        if self._run.verifies and not await self.same_content(source, target, entry.size_bytes):
            item.made = True
            raise differs(target, source)
        await self._count_paid(entry.size_bytes)
        return replace(entry, described=False)  # the place copies that, too

    async def _count_paid(self, size_bytes: int) -> None:
        """Count a file that was copied whole, and pay for it; broken off there, it is met again and counted then."""
        self._counts.sums.bytes += size_bytes
        if self._run.limiter.bytes_s is None:
            return
        try:
            await self._run.pay(size_bytes)
        except BaseException:
            self._counts.sums.same_bytes -= size_bytes
            raise

    async def _large(self, item: Item, target: Location) -> Entry:
        whole_bytes = 0
        try:
            async with _opened(self._source, item.source) as reader:
                self._counts.last = item
                entry = reader.entry
                identity = Identity(self._tag, entry.size_bytes, entry.mtime_ns)
                self._may_hold_half(target)
                writer = await self._target.open_writer(target, identity)
                hashed = await self._into(item, reader, writer)
                whole_bytes = entry.size_bytes
                self._counts.completed(whole_bytes)
                self._holds_none(target)
                self.furthest.pop(target, None)
                if hashed is not None:
                    await self._read_back(item, reader, target, hashed)
        except BaseException:
            # Broken off with all of it there, it is met again, or made again, and counted then.
            self._counts.sums.same_bytes -= whole_bytes
            raise
        return entry

    async def _into(self, item: Item, reader: Reader, writer: Writer) -> Any:
        """Write a file and give it its name; return the sum over what was read, where it is to be verified."""
        entry, counted = reader.entry, 0
        try:
            await agree(reader, writer)
            counted = writer.start
            self._counts.half_again(counted - self._kept_bytes.pop(item.target, 0))
            hashed = new_sum() if self._run.verifies else None
            if hashed is not None and counted:
                await read_into(hashed, reader, 0, counted, self._part_bytes)
            ahead_bytes = self._source.capabilities.ahead_bytes
            stream = Stream(self._run, self._counts, reader, item.source, hashed, ahead_bytes)
            try:
                await stream.copy(writer, self._part_bytes)
            finally:
                counted += stream.done_bytes
            if is_other(entry, await reader.look()):
                raise changed(item.source)
            attributes = self._pairing.attributes(entry)
            await self._check_expected(item, item.target)
            await writer.publish(attributes, replace=item.replace, flush=self._flush)
        except asyncio.CancelledError:
            self._came_to(item.target, counted)
            stays = self._run.stop_reason is not Stop.CANCEL
            self._left_at(item.target, counted, stays=stays)
            await in_time(writer.suspend() if stays else writer.discard(), LEAVE_S)
            raise
        except PlaceError as error:
            self._came_to(item.target, counted)
            stays = isinstance(error, (PlaceUnavailable, OutOfSpace))
            self._left_at(item.target, counted, stays=stays)
            await (writer.suspend() if stays else writer.discard())
            raise
        return hashed

    def _left_at(self, target: Location, counted: int, *, stays: bool) -> None:
        """Note that a file was left in the middle: what stays is shown as done until it is gone on with."""
        counted += self._kept_bytes.pop(target, 0)
        if stays:
            self._kept_bytes[target] = counted
        else:
            self._counts.half_again(-counted)

    def _came_to(self, target: Location, size_bytes: int) -> None:
        """Note how far a file came that is broken off."""
        if size_bytes > self.furthest.get(target, 0):
            self.furthest[target] = size_bytes
            self._run.advanced += 1

    async def _read_back(self, item: Item, reader: Reader, target: Location, hashed: Any) -> None:
        """Compare what was written with what was read."""
        size_bytes, back = reader.entry.size_bytes, new_sum()
        record = self._run.record
        record.verifying += 1
        try:
            async with _opened(self._target, target) as written:
                await read_into(back, written, 0, size_bytes, self._part_bytes)
                true = written.entry.size_bytes == size_bytes and back.digest() == hashed.digest()
        finally:
            record.verifying -= 1
        if not true:
            item.made = True
            raise differs(target, item.source)

    @property
    def _part_bytes(self) -> int:
        return max(self._source.capabilities.part_bytes, 16 << 10)

    async def same_content(self, source: Location, target: Location, size_bytes: int) -> bool:
        """Compare two files by what is in them."""
        if size_bytes <= SMALL_BYTES:
            try:
                (_, one), (_, other) = await asyncio.gather(
                    self._source.get(source, SMALL_BYTES), self._target.get(target, SMALL_BYTES)
                )
            except Unsupported:
                return False
            return bool(one == other)
        async with _opened(self._source, source) as mine, _opened(self._target, target) as theirs:
            if mine.entry.size_bytes != theirs.entry.size_bytes:
                return False
            at, size_bytes = 0, mine.entry.size_bytes
            while at < size_bytes:
                wanted = min(1 << 20, size_bytes - at)
                parts = await asyncio.gather(*(whole(reader, at, wanted) for reader in (mine, theirs)))
                one, other = map(b"".join, parts)
                if one != other or not one:
                    return False
                at += len(one)
            return not is_other(mine.entry, await mine.look())


@asynccontextmanager
async def _opened(place: Place, where: Location) -> AsyncIterator[Reader]:
    """Open a file, and close it again, which is not waited for where it takes long."""
    reader = await place.open_reader(where)
    try:
        yield reader
    finally:
        await in_time(reader.close(), LEAVE_S)


def is_other(before: Entry, now: Entry) -> bool:
    """Say whether a file was written to, or another link made, between two looks."""
    # What a link leads to is of no account: of a move it may have gone just before.
    same_kind = before.kind is now.kind or (before.kind.is_link and now.kind.is_link)
    return not same_kind or (before.size_bytes, before.mtime_ns) != (now.size_bytes, now.mtime_ns)


def differs(target: Location, source: Location) -> VerificationFailed:
    text = f"cannot verify {target}: read back, it differs from {source}, and so did a second copy"
    return VerificationFailed(text, location=target)
