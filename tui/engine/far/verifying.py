"""A verify job between any two places: both sides are read and compared, some files at once; nothing is written."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import TYPE_CHECKING

from tui.engine.checking import Checking
from tui.engine.far.columns import NONE, Columns, side_by_side
from tui.engine.far.ends import Ends, Halted, carry, look
from tui.engine.far.likeness import SMALL_AT_ONCE, Likeness
from tui.engine.far.standing import leaves_out
from tui.engine.far.totals import Counting
from tui.engine.run import Sums
from tui.model.entry import Entry, EntryKind
from tui.model.error import NotFound, PlaceError
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.job import Conflict
from tui.places.local.checking import Checked, Finding, Verdict
from tui.places.local.checkpoint import Checkpoint, Frame, frames_at
from tui.places.local.gathered import Gathered
from tui.places.local.partial import is_partial
from tui.places.local.root import join, split
from tui.places.local.standing import other_names

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.location import Location
    from tui.places.base import Place

    Take = Callable[[Checked, Checkpoint], Awaitable[None]]


BREATH = 512
"""After so many names others have a turn."""


class Verifying(Checking):
    """Compares all there is, once: after a pause or a crash it goes on with the file where it was."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.reach = Ends(run)

    async def execute(self) -> None:
        """Compare all there is, or until the run is stopped."""
        counting = Counting(self.run, self.reach)
        await carry(self.run, counting.beside(super().execute()))

    async def _source(self, source: Source, at: Checkpoint) -> None:
        run, record = self.run, self.run.record
        assert source.target is not None
        where = await self.reach.resolve(source.location)
        target = await self.reach.resolve(source.target)

        async def take(part: Checked, checkpoint: Checkpoint) -> None:
            await self._take(source, part, self.text(source.idx, checkpoint))

        kept_both = record.conflict is Conflict.RENAME
        check = TreeCheck(
            run, self.reach, where, target, take, kept_both=kept_both, exclude=record.row.exclude
        )
        try:
            await check.go(at)
        except PlaceError as error:
            await self._write([self._row(source, error, error.location or where)])
        if not run.stopped:
            record.checkpoint = self.text(source.idx + 1)


class TreeCheck:
    """Compares an entry, and all below it, with another: kinds, content of files, where links point.

    Modes and times do not count. No link is followed. What unfinished jobs have under partial names is passed over.
    Memory holds what is in the folder that is compared, and the names of the folders on the way down, packed.
    """

    def __init__(
        self,
        run: Run,
        reach: Ends,
        source: Location,
        target: Location,
        take: Take,
        *,
        kept_both: bool,
        exclude: Exclusion = NOTHING,
    ) -> None:
        """Say what is compared.

        Args:
            take: Called with what was found, and how far it is by then.
            kept_both: A file may stand at the target under one of its other names ("name (1).ext"), too.
            exclude: What is passed over, on whichever side it stands.
        """
        self._exclude = exclude
        self._run, self._reach, self._take, self._kept_both = run, reach, take, kept_both
        self._source, self._target = source, target
        self._likeness = Likeness(reach, self._count, self._pace)
        self._untold: dict[Location, int] = {}
        """Bytes counted of entries of which nothing was told yet."""
        self._into: dict[bytes, Iterator[bytes]] = {}
        """By folder on the way down, the names of those in it that are still to be gone into."""

    async def go(self, begin: Checkpoint) -> None:
        """Compare what comes after a checkpoint, or until the run is stopped.

        Raises:
            PlaceError: One of the two cannot be looked at.
        """
        source, target = await self._look(self._source), await self._look(self._target)
        if source is None:
            message = f"cannot verify {self._source}: no such file or folder"
            raise NotFound(message, location=self._source)
        if target is None or not source.kind is target.kind is EntryKind.FOLDER:
            part = await self._entry(b"", source, target, await self._beside(source, target))
            await self._take(part, begin)
            return
        frames = frames_at(begin)
        while frames and not self._run.stopped:
            frame = frames[-1]
            if not frame.listed or frame.more:
                await self._folder(frame)
            elif (name := next(self._into[frame.path], None)) is not None:
                frames.append(Frame(join(frame.path, name)))
            else:
                del self._into[frames.pop().path]
                if frames:
                    frames[-1].folder = split(frame.path)[1]

    async def _folder(self, frame: Frame) -> None:
        """Compare the entries of a folder, unless that was done; those that are folders wait to be gone into."""
        try:
            source, target = await self._list_both(self._from(frame.path), self._to(frame.path))
        except PlaceError as error:
            checkpoint = Checkpoint(frame.path, frame.name, whole=True)
            await self._take(Checked(failures=[error]), checkpoint)
            frame.listed, frame.more, self._into[frame.path] = True, False, iter(())
            return
        if not frame.listed:
            await self._entries(frame, source, target)
            failures: list[PlaceError] = [columns.untold for columns in (source, target) if columns.untold]
            if failures and not self._run.stopped:
                await self._take(Checked(failures=failures), Checkpoint(frame.path, frame.name))
        self._into[frame.path] = iter(await self._folders_of(frame, source, target))
        frame.listed, frame.more = True, False

    async def _folders_of(self, frame: Frame, source: Columns, target: Columns) -> Gathered:
        """Return the names of folders on both sides, behind the last one that was gone into."""
        found = Gathered()
        for seen, (name, entry, there) in enumerate(side_by_side(source, target, frame.folder)):
            if seen % BREATH == 0:
                await asyncio.sleep(0)
            if entry and there and entry.kind is there.kind is EntryKind.FOLDER:
                if not self._leaves_out(frame, name, entry, there):
                    found.append(name)
        return found

    async def _entries(self, frame: Frame, source: Columns, target: Columns) -> None:
        """Compare all names of both sides behind the last one that was compared, and tell of them in order."""
        window: deque[tuple[bytes, asyncio.Future[Checked]]] = deque()

        async def settle() -> None:
            name, task = window[0]
            part = await task
            window.popleft()
            frame.name = name
            self._untold.pop(self._from(join(frame.path, name)), None)
            await self._take(part, Checkpoint(frame.path, name))

        try:
            for name, entry, there in side_by_side(source, target, frame.name):
                if self._run.stopped:
                    return
                if self._leaves_out(frame, name, entry, there):
                    continue
                work = self._entry(join(frame.path, name), entry, there, target)
                window.append((name, asyncio.ensure_future(work)))
                if len(window) == SMALL_AT_ONCE:
                    await settle()
            while window and not self._run.stopped:
                await settle()
        finally:
            for _, task in window:
                task.cancel()
            await asyncio.gather(*(task for _, task in window), return_exceptions=True)
            for where, size_bytes in tuple(self._untold.items()):
                self._count(-size_bytes, where)  # it is compared again
            self._untold.clear()

    def _leaves_out(self, frame: Frame, name: bytes, *stands: Entry | None) -> bool:
        return leaves_out(self._exclude, os.fsdecode(join(frame.path, name)), *stands)

    async def _entry(self, path: bytes, entry: Entry | None, there: Entry | None, names: Columns) -> Checked:
        """Compare one entry with what stands in its place.

        Args:
            names: What else stands beside it.
        """
        source, target = self._from(path), self._to(path)
        part = Checked(current=source)
        try:
            if there is None and path:
                there = await self._look(target)  # it may be listed there in another spelling
        except PlaceError as error:
            part.failures.append(error)
            return part
        if entry is None:
            if not is_partial(os.fsencode(target.name)):
                part.findings.append(Finding(Verdict.EXTRA, source, target))
        elif there is None:
            part.findings.append(Finding(Verdict.MISSING, source, target))
        elif not entry.kind is there.kind is EntryKind.FOLDER:
            try:
                why = await self._likeness.difference(source, entry, target, there)
                if why and self._kept_both and entry.kind is EntryKind.FILE:
                    why = "" if await self._is_elsewhere(source, entry, target, names) else why
            except PlaceError as error:
                part.failures.append(error)
                return part
            part.files = 1
            if why:
                part.findings.append(Finding(Verdict.DIFFERS, source, target, why))
        return part

    async def _is_elsewhere(self, source: Location, entry: Entry, target: Location, names: Columns) -> bool:
        """Look for a file under its other names."""
        for other in other_names(os.fsencode(target.name), folder=False):
            there = names.get(other)
            if there is None:
                return False
            where = target.parent.child(os.fsdecode(other))
            if not await self._likeness.difference(source, entry, where, there):
                return True
        return False

    async def _beside(self, source: Entry, target: Entry | None) -> Columns:
        """Return what stands beside the target, where it matters."""
        if not self._kept_both or target is None or source.kind is not EntryKind.FILE:
            return NONE
        return await self._list(self._target.parent)

    async def _look(self, where: Location) -> Entry | None:
        async def find(place: Place) -> Entry | None:
            return await look(place, where)

        return await self._reach.do(where, find)

    async def _list(self, folder: Location) -> Columns:
        return await self._reach.do(folder, lambda place: Columns.read(place, folder))

    async def _list_both(self, source: Location, target: Location) -> list[Columns]:
        reading = [asyncio.ensure_future(self._list(folder)) for folder in (source, target)]
        try:
            return [await each for each in reading]
        finally:
            for each in reading:
                each.cancel()
            await asyncio.gather(*reading, return_exceptions=True)

    def _from(self, path: bytes) -> Location:
        return self._source.below(os.fsdecode(path))

    def _to(self, path: bytes) -> Location:
        return self._target.below(os.fsdecode(path))

    async def _pace(self, size_bytes: int) -> None:
        await self._run.pay(size_bytes)
        if self._run.stopped:
            raise Halted

    def _count(self, size_bytes: int, current: Location) -> None:
        self._untold[current] = self._untold.get(current, 0) + size_bytes
        sums = Sums(bytes=size_bytes, verified_bytes=size_bytes)
        self._run.count(sums, current, metered=size_bytes > 0)
