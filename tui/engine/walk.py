"""Copying trees: folders batch by batch in threads, large files slice by slice, several at once."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tui.engine.folders import HOP_S, Folder, Folders, Report
from tui.engine.noting import lose
from tui.engine.reading_back import is_true
from tui.engine.run import Spot, Stop, Sums
from tui.model.error import AlreadyExists, PlaceError, SourceChanged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui.engine.run import Run
    from tui.places.local.copying import HardLinks, SliceCopy
    from tui.places.local.hops import Failure, Large
    from tui.places.local.root import Root

_HOPS_A_SLOT = 2
"""One to copy, and one to have the next folder at hand for a worker process."""
SLICE_BYTES = 32 << 20
"""Of a large file, at most so much is copied in one hop."""


class Walk:
    """A copy of folders and names from one opened folder to another, `slots` hops at a time.

    Args:
        owners, stage, compare: See `Folders`.
    """

    def __init__(
        self,
        run: Run,
        source: Root,
        target: Root,
        owners: dict[bytes, int],
        *,
        links: HardLinks,
        stage: tuple[bytes, bytes] | None = None,
        compare: bool = False,
    ) -> None:
        self._run = run
        self._folders = Folders(run, source, target, owners, links, stage, compare=compare)
        self._stage = stage
        self._large: list[tuple[Folder, Large]] = []
        self._busy = 0
        self._news = asyncio.Event()
        self.broken = False
        """A folder could not be read, or not be made."""

    def add(
        self, path: bytes, target_path: bytes, names: Sequence[tuple[bytes, bytes]] | None = None
    ) -> None:
        """Give it a folder to copy whole, or some entries of one."""
        self._folders.stack.append(Folder(path, target_path, names))

    async def run(self) -> None:
        """Copy all that was added, or until the run is stopped."""
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(_HOPS_A_SLOT * self._run.shared.slots):
                    group.create_task(self._worker(number, group))
        finally:
            for folder in self._folders.open():
                self._run.release(folder.copy)
            # Not waited for where the run was cancelled: the disk may not answer.
            self._run.shared.pool.submit(self._run.shared.workers.rest)

    async def _worker(self, number: int, group: asyncio.TaskGroup) -> None:
        """Do large files before more folders, so that few of them wait."""
        shared, slots = self._run.shared, self._run.shared.slots
        while not self._run.stopped and number < _HOPS_A_SLOT * shared.slots:
            if number == 0 and shared.slots > slots:
                for added in range(_HOPS_A_SLOT * slots, _HOPS_A_SLOT * shared.slots):
                    group.create_task(self._worker(added, group))
            slots = shared.slots
            work = self._next(for_large=number < slots)
            if work is None and self._busy == 0:
                return
            if work is None:
                # Waking sets no news: those that wait would wake each other without end.
                self._news.clear()
                await self._news.wait()
                continue
            self._busy += 1
            try:
                await work()
            finally:
                self._busy -= 1
                self._news.set()

    def _next(self, *, for_large: bool) -> Callable[[], Awaitable[None]] | None:
        """Return what is to be done now; None where there is nothing for this worker."""
        if for_large and self._large:
            return partial(self._copy_large, *self._large.pop())
        if self._folders.stack and (for_large or self._may_ask_ahead):
            return self._hop
        return None

    async def _hop(self) -> None:
        with self._run.noting.hop(self._stage) as notes:
            await self._take(await self._run.hop(self._folders.work, notes))

    @property
    def _may_ask_ahead(self) -> bool:
        """Whether folders go to processes of their own, which then never wait for what to do next."""
        return self._run.shared.workers.ready and self._run.limiter.bytes_s is None

    async def _take(self, report: Report) -> None:
        current = self._folders.spots.location(*report.last) if report.last else None
        self._run.count(report.sums, current)
        if report.needs_care:
            self._large += report.large
            self._news.set()
            if report.losses:
                await lose(self._run, report.losses, report.notes, self._folders.take_unkept())
            for folder, failure in report.failures:
                self.broken |= not failure.name
                for name in self._meant(folder, failure):
                    await self._fail(self._folders.spots.spot(folder, name), failure.error)
            for folder, collision in report.collisions:
                await self._run.collide(self._folders.spots.spot(folder, collision.name), collision)
        if self._folders.stack:
            self._run.shared.workers.start()
            self._folders.hop_s = HOP_S
        await self._run.pay(report.sums.bytes)

    @staticmethod
    def _meant(folder: Folder, failure: Failure) -> list[bytes]:
        """Return what a failure is about: where a folder fails of which just some entries are wanted, those entries.

        A folder of sources belongs to none of them, so that nothing in it would be tried again by its own name.
        """
        if failure.name or folder.names is None:
            return [failure.name]
        return [name for name, _ in folder.names]

    async def _copy_large(self, folder: Folder, large: Large) -> None:
        """Copy one large file, and finish its folder if it was the last thing missing there."""
        run = self._run
        run.record.current = self._folders.spots.location(folder, large.name)
        copy = self._folders.large(folder, large)
        counted = 0
        try:
            counted = await run.hop(copy.open)
            run.count(Sums(same_bytes=counted))
            counted = await self._slices(copy, counted)
            if run.verifies and not await is_true(run, copy, last=False):
                run.count(Sums(same_bytes=-counted))
                counted = 0
                await run.hop(copy.restart)
                counted = await self._slices(copy, 0)
                await is_true(run, copy, last=True)
            if run.stopped:
                await self._leave(copy, counted)
                return
            await self._finish(copy, folder, large)
        except PlaceError as error:
            if not copy.is_kept:
                await self._give_up(copy, counted)
            if isinstance(error, SourceChanged) and not large.again:
                self._large.append((folder, replace(large, again=True)))
                return
            await self._large_failed(folder, large, error)
        except asyncio.CancelledError:
            if not run.abandoned:
                copy.suspend()
            raise
        else:
            run.count(Sums(files=1))
        if self._folders.settled(folder, -1):
            await self._take(await run.hop(self._folders.finish_alone, folder))

    async def _finish(self, copy: SliceCopy, folder: Folder, large: Large) -> None:
        """Give a large file all but its content, and its name; tell what it lost."""
        with self._run.noting.hop(self._stage) as notes, closing(notes):
            report = Report(notes=notes)
            self._folders.lost(report, folder, large.name, await self._run.hop(copy.finish, notes))
            if report.losses:
                await lose(self._run, report.losses, notes, self._folders.take_unkept())

    async def _slices(self, copy: SliceCopy, counted: int) -> int:
        """Copy to the end or until stopped; return the bytes counted by then.

        Where it fails, nothing of what it counted stays: the half file is gone, unless it waits for room.
        """
        run, before = self._run, counted
        while not run.stopped and not copy.is_complete:
            try:
                done = await run.hop(copy.step, run.limiter.portion(SLICE_BYTES))
            except PlaceError:
                if not copy.is_kept:
                    run.count(Sums(same_bytes=before - counted))
                raise
            counted += done
            run.count(Sums(bytes=done))
            await run.pay(done)
        return counted

    async def _leave(self, copy: SliceCopy, counted: int) -> None:
        """Let go of a half file: for later, or for good."""
        if self._run.stop_reason is Stop.CANCEL:
            await self._give_up(copy, counted)
        else:
            await self._run.hop(copy.suspend)

    async def _give_up(self, copy: SliceCopy, counted: int) -> None:
        await self._run.hop(copy.abandon)
        self._run.count(Sums(same_bytes=-counted))

    async def _large_failed(self, folder: Folder, large: Large, error: PlaceError) -> None:
        spot = self._folders.spots.spot(folder, large.name)
        if isinstance(error, AlreadyExists):
            # Its name was taken while it was copied: it is met again, as a conflict like any other.
            self._folders.stack.append(
                Folder(folder.path, folder.target_path, [(large.name, large.target_name)])
            )
            self._news.set()
            return
        await self._fail(spot, error)

    async def _fail(self, spot: Spot, error: PlaceError) -> None:
        """Write down what could not be done, under the name a tree will have, not that of the folder it is built in."""
        if self._stage is not None:
            now, then = (str(self._folders.target.location(name)) for name in self._stage)
            error.message = error.message.replace(now, then)
        await self._run.fail(spot, error)
