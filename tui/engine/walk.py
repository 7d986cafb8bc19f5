"""Copying trees: folders batch by batch in threads, large files slice by slice, several at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tui.engine.losses import Losses
from tui.engine.reading_back import is_true
from tui.engine.run import Spot, Stop, Sums
from tui.model.error import AlreadyExists, PlaceError, SourceChanged
from tui.places.local.copying import FolderCopy, HardLinks, SliceCopy, sweep
from tui.places.local.hops import Batch, Collision, CopyRules, Failure, Large
from tui.places.local.root import join, split
from tui.places.local.workers import WorkerCopy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.engine.run import Run
    from tui.model.fidelity import Loss
    from tui.model.location import Location
    from tui.places.local.root import Root

HOP_S = 0.05
"""A hop over folders ends about here: often enough for the screen, seldom enough for the event loop."""
FIRST_HOP_S = 0.005
"""The first one: what is left then is worth worker processes."""

SLICE_S = 0.1
SMALLEST_SLICE_BYTES, LARGEST_SLICE_BYTES = 1 << 20, 32 << 20

MOST_NAMES = 4096
"""With more subfolders than this known and not entered, a folder is left open and they are entered first."""

MOST_OPEN = 64
"""Folders left open half way at the same time."""


@dataclass(slots=True, eq=False)
class Folder:
    """One folder of a walk. `names`: just these entries of it (name there, name at the target); None: all."""

    path: bytes
    target_path: bytes
    names: Sequence[tuple[bytes, bytes]] | None = None
    copy: FolderCopy | WorkerCopy | None = None
    large_left: int = 0
    exhausted: bool = False
    held: bool = False


@dataclass(slots=True)
class Report:
    """What one hop did, over several folders."""

    sums: Sums = field(default_factory=Sums)
    last: tuple[Folder, bytes] | None = None
    large: list[tuple[Folder, Large]] = field(default_factory=list)
    collisions: list[tuple[Folder, Collision]] = field(default_factory=list)
    failures: list[tuple[Folder, Failure]] = field(default_factory=list)
    losses: Losses = field(default_factory=Losses)
    out_of_space: bool = False

    @property
    def needs_care(self) -> bool:
        return bool(self.large or self.collisions or self.failures or self.losses)


class Walk:
    """A copy of folders and names from one opened folder to another, `slots` hops at a time.

    The walk itself happens in the threads: a hop takes folders from a common stack, so it costs the event loop the
    same whether folders are large or tiny. Depth first: what waits is the names of the folders on the way down.

    Args:
        owners: The number of the source that an entry belongs to, by the first part of its path.
        stage: Where a new tree is built: the name it has now at the target, and the one it will get.
        compare: See `CopyRules.compare`.
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
        self._source, self._target = source, target
        self._owners = owners
        self._links = links
        self._stage = stage
        self._compare = compare
        self._stack: list[Folder] = []
        self._large: list[tuple[Folder, Large]] = []
        self._lock = threading.Lock()
        self._held = 0
        self._busy = 0
        self._news = asyncio.Event()
        self.broken = False
        """A folder could not be read, or not be made."""
        self._slice_bytes = SMALLEST_SLICE_BYTES * 8
        self._hop_s = FIRST_HOP_S

    def add(
        self, path: bytes, target_path: bytes, names: Sequence[tuple[bytes, bytes]] | None = None
    ) -> None:
        """Give it a folder to copy whole, or some entries of one."""
        self._stack.append(Folder(path, target_path, names))

    async def run(self) -> None:
        """Copy all that was added, or until the run is stopped."""
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._run.shared.slots):
                    group.create_task(self._worker(number, group))
        finally:
            for folder in self._stack:
                self._run.release(folder.copy)
            # Not waited for where the run was cancelled: the disk may not answer.
            self._run.shared.pool.submit(self._run.shared.workers.rest)

    # In the event loop

    async def _worker(self, number: int, group: asyncio.TaskGroup) -> None:
        """Do large files before more folders, so that few of them wait."""
        slots = self._run.shared.slots
        while not self._run.stopped and number < self._run.shared.slots:
            if number == 0 and self._run.shared.slots > slots:
                for added in range(slots, self._run.shared.slots):
                    group.create_task(self._worker(added, group))
            slots = self._run.shared.slots
            self._busy += 1
            try:
                if self._large:
                    await self._copy_large(*self._large.pop())
                elif self._stack:
                    await self._take(await self._run.hop(self._work))
                elif self._busy == 1:
                    return
                else:
                    self._busy -= 1
                    try:
                        self._news.clear()
                        await self._news.wait()
                    finally:
                        self._busy += 1
            finally:
                self._busy -= 1
                self._news.set()

    async def _take(self, report: Report) -> None:
        current = self._location(*report.last) if report.last else None
        self._run.count(report.sums, current)
        if report.needs_care:
            self._large += report.large
            self._news.set()
            if report.losses:
                await self._run.lose(report.losses)
            for folder, failure in report.failures:
                self.broken |= not failure.name
                for name in self._meant(folder, failure):
                    await self._fail(self._spot(folder, name), failure.error)
            for folder, collision in report.collisions:
                await self._run.collide(self._spot(folder, collision.name), collision)
        if self._stack:
            self._run.shared.workers.start()
            self._hop_s = HOP_S
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
        run.record.current = self._location(folder, large.name)
        rules = self._rules(folder)
        copy = SliceCopy(
            self._source, self._target, folder.path, folder.target_path, large, rules, run.brake, self._links
        )
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
            lost = await run.hop(copy.finish)
        except PlaceError as error:
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
            if lost:
                report = Report()
                self._lost(report, folder, large.name, lost)
                await run.lose(report.losses)
        if self._settled(folder, -1):
            await self._take(await run.hop(self._finish_alone, folder))

    async def _slices(self, copy: SliceCopy, counted: int) -> int:
        """Copy to the end or until stopped, in slices that take about SLICE_S; return the bytes counted by then.

        Where it fails, nothing of what it counted stays: the half file is gone.
        """
        run, before = self._run, counted
        while not run.stopped:
            size = run.limiter.portion(self._slice_bytes)
            began = run.clock.monotonic()
            try:
                done = await run.hop(copy.step, size)
            except PlaceError:
                run.count(Sums(same_bytes=before - counted))
                raise
            took = run.clock.monotonic() - began
            if not done:
                break
            counted += done
            run.count(Sums(bytes=done))
            if took > 0 and done >= size // 2:
                wanted = int(size * SLICE_S / took)
                self._slice_bytes = max(SMALLEST_SLICE_BYTES, min(wanted, size * 2, LARGEST_SLICE_BYTES))
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
        spot = self._spot(folder, large.name)
        if isinstance(error, AlreadyExists):
            # Its name was taken while it was copied: it is met again, as a conflict like any other.
            self._stack.append(Folder(folder.path, folder.target_path, [(large.name, large.target_name)]))
            self._news.set()
            return
        await self._fail(spot, error)

    async def _fail(self, spot: Spot, error: PlaceError) -> None:
        """Write down what could not be done, under the name a tree will have, not that of the folder it is built in."""
        if self._stage is not None:
            now, then = (str(self._target.location(name)) for name in self._stage)
            error.message = error.message.replace(now, then)
        await self._run.fail(spot, error)

    # In the threads

    def _work(self) -> Report:
        """Copy folders from the stack for about as long as a hop may last."""
        report = Report()
        end = time.monotonic() + self._hop_s
        while not self._run.brake.on:
            try:
                folder = self._stack.pop()
            except IndexError:
                break
            if folder.held:
                folder.held = False
                self._held -= 1
            self._work_on(folder, report, end)
            if time.monotonic() >= end or report.large or report.out_of_space:
                break
            if self._run.limiter.bytes_s is not None and report.sums.bytes:
                break
        return report

    def _work_on(self, folder: Folder, report: Report, end: float) -> None:
        """Copy batches of one folder until it has no more, or time is up: then it goes back on the stack."""
        limited = self._run.limiter.bytes_s is not None
        while True:
            try:
                batch = self._step(folder)
            except PlaceError as error:
                report.failures.append((folder, Failure(b"", error)))
                self._close(folder)
                return
            self._add_up(folder, batch, report)
            if any(failure.name == b"" for failure in batch.failures):
                self._enter(folder, batch)
                self._settled(folder, len(batch.large))
                self._close(folder)
                return
            if batch.exhausted:
                self._enter(folder, batch)
                if self._settled(folder, len(batch.large), exhausted=True):
                    self._finish(folder, report)
                else:
                    self._close(folder)
                return
            self._settled(folder, len(batch.large))
            if len(self._stack) > MOST_NAMES and self._held < MOST_OPEN:
                folder.held = True
                self._held += 1
                self._enter(folder, batch)
                self._stack.insert(max(0, len(self._stack) - len(batch.folders)), folder)
                return
            self._enter(folder, batch)
            if self._run.brake.on or time.monotonic() >= end or batch.large or limited or batch.out_of_space:
                self._stack.append(folder)
                return

    def _rules(self, folder: Folder) -> CopyRules:
        answers = self._run.answers(self._owners, folder.path)
        return self._run.rules(own=self._stage is not None, compare=self._compare, decided=answers)

    def _step(self, folder: Folder) -> Batch:
        rules = self._rules(folder)
        if folder.copy is None:
            folder.copy = self._run.shared.workers.copy(
                self._source,
                self._target,
                folder.path,
                folder.target_path,
                rules,
                self._links,
                self._run.brake,
                folder.names,
            )
        else:
            folder.copy.rules = rules
        batch = folder.copy.step()
        if batch.linked:
            self._copy_linked(folder, batch, rules)
        return batch

    def _copy_linked(self, folder: Folder, batch: Batch, rules: CopyRules) -> None:
        """Copy files with several names here, where all that is known of such files is."""
        copy = FolderCopy(
            self._source, self._target, folder.path, folder.target_path, rules, self._links, self._run.brake,
            batch.linked,
        )  # fmt: skip
        try:
            exhausted = False
            while not exhausted and not self._run.brake.on and not batch.out_of_space:
                more = copy.step()
                exhausted = more.exhausted
                batch.add(more)
        finally:
            copy.close()

    def _settled(self, folder: Folder, more_large: int, *, exhausted: bool = False) -> bool:
        """Note what has changed of a folder's work; say True once, when nothing is left of it but to be finished."""
        with self._lock:
            folder.large_left += more_large
            folder.exhausted |= exhausted
            return folder.exhausted and not folder.large_left

    def _enter(self, folder: Folder, batch: Batch) -> None:
        """Put the subfolders met on the stack."""
        for name in reversed(batch.folders):
            new_name = batch.renamed.get(name) or self._new_name(folder, name)
            self._stack.append(Folder(join(folder.path, name), join(folder.target_path, new_name)))

    @staticmethod
    def _new_name(folder: Folder, name: bytes) -> bytes:
        return dict(folder.names).get(name, name) if folder.names is not None else name

    def _add_up(self, folder: Folder, batch: Batch, report: Report) -> None:
        sums = report.sums
        sums.files += batch.files
        sums.bytes += batch.size_bytes
        sums.same_files += batch.same_files
        sums.same_bytes += batch.same_bytes
        sums.skipped_files += batch.skipped_files
        sums.skipped_bytes += batch.skipped_bytes
        sums.verified_files += batch.verified_files
        sums.verified_bytes += batch.verified_bytes
        report.large += [(folder, large) for large in batch.large]
        report.collisions += [(folder, collision) for collision in batch.collisions]
        report.failures += [(folder, failure) for failure in batch.failures]
        for loss, name in batch.losses:
            self._lost(report, folder, name, [loss])
        if batch.device and (batch.files or batch.large or batch.wrote):
            self._run.wrote(batch.device, folder.target_path)
        if batch.last:
            report.last = (folder, batch.last)
        report.out_of_space |= batch.out_of_space

    def _lost(self, report: Report, folder: Folder, name: bytes, losses: Iterable[Loss]) -> None:
        """Note what an entry (without a name: the folder itself) could not keep."""
        for loss in losses:
            report.losses.add(loss, lambda: self._spot(folder, name).target, folder=not name)

    def _finish(self, folder: Folder, report: Report) -> None:
        """Give a folder that is complete its final times and mode, and tidy up what an earlier go left there."""
        assert folder.copy is not None
        try:
            if self._run.record.walk > 1 and folder.target_path:
                sweep(self._target, folder.target_path, self._run.record.row.tag)
            self._lost(report, folder, b"", folder.copy.finish())
        except PlaceError as error:
            report.failures.append((folder, Failure(b"", error)))
        finally:
            self._close(folder)

    def _finish_alone(self, folder: Folder) -> Report:
        report = Report()
        self._finish(folder, report)
        return report

    @staticmethod
    def _close(folder: Folder) -> None:
        if folder.copy is not None:
            folder.copy.close()

    # Names

    def _idx(self, folder: Folder, name: bytes) -> int:
        """Return the number of the source an entry belongs to; -1 for a folder of sources as such."""
        return self._owners.get(join(folder.path, name).partition(b"/")[0], -1)

    def _location(self, folder: Folder, name: bytes) -> Location:
        return self._source.location(folder.path, name)

    def _spot(self, folder: Folder, name: bytes) -> Spot:
        """Return where an entry is, under the names that count: not that of the folder a tree is built in."""
        path = join(folder.path, name) if name else folder.path
        target_path = join(folder.target_path, self._new_name(folder, name)) if name else folder.target_path
        if self._stage is not None:
            first, slash, rest = target_path.partition(b"/")
            target_path = (self._stage[1] if first == self._stage[0] else first) + slash + rest
        return Spot(
            self._idx(folder, name), path, target_path,
            self._source.location(path), self._target.location(*split(target_path)),
        )  # fmt: skip
