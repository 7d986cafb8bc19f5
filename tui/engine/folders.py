"""The folders of a walk: a stack that hops take from, copying batch by batch in threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.engine.losses import Losses
from tui.engine.run import Spot, Sums
from tui.model.error import PlaceError
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
    renamed: dict[bytes, bytes] = field(default_factory=dict)
    """Entries that got other names at the target, as far as it went."""


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


class Folders:
    """What is left of a tree to be copied, and the hops that copy it.

    The walk itself happens in the threads: a hop takes folders from the stack, so it costs the event loop the same
    whether folders are large or tiny. Depth first: what waits is the names of the folders on the way down.

    Args:
        owners: The number of the source that an entry belongs to, by the first part of its path.
        stage: Where something new is built: the path it has now at the target, and the one it will get.
        compare: See `CopyRules.compare`.
    """

    def __init__(
        self,
        run: Run,
        source: Root,
        target: Root,
        owners: dict[bytes, int],
        links: HardLinks,
        stage: tuple[bytes, bytes] | None,
        *,
        compare: bool,
    ) -> None:
        self._run = run
        self.source, self.target = source, target
        self._links = links
        self._owners = owners
        self._stage = stage
        self._compare = compare
        self.stack: list[Folder] = []
        self._lock = threading.Lock()
        self._held = 0
        self.hop_s = FIRST_HOP_S

    def work(self) -> Report:
        """Copy folders from the stack for about as long as a hop may last."""
        report = Report()
        end = time.monotonic() + self.hop_s
        while not self._run.brake.on:
            try:
                folder = self.stack.pop()
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
                self.settled(folder, len(batch.large))
                self._close(folder)
                return
            if batch.exhausted:
                self._enter(folder, batch)
                if self.settled(folder, len(batch.large), exhausted=True) and not batch.finished:
                    self._finish(folder, report)
                else:
                    self.lost(report, folder, b"", batch.lost)
                    self._close(folder)
                return
            self.settled(folder, len(batch.large))
            if len(self.stack) > MOST_NAMES and self._held < MOST_OPEN:
                folder.held = True
                self._held += 1
                self._enter(folder, batch)
                self.stack.insert(max(0, len(self.stack) - len(batch.folders)), folder)
                return
            self._enter(folder, batch)
            if self._run.brake.on or time.monotonic() >= end or batch.large or limited or batch.out_of_space:
                self.stack.append(folder)
                return

    def large(self, folder: Folder, large: Large) -> SliceCopy:
        """Return the copy of a file that a hop left."""
        return SliceCopy(
            self.source, self.target, folder.path, folder.target_path, large, self._rules(folder),
            self._run.brake, self._links,
        )  # fmt: skip

    def _rules(self, folder: Folder) -> CopyRules:
        answers = self._run.answers(self._owners, folder.path)
        return self._run.rules(own=self._stage is not None, compare=self._compare, decided=answers)

    def _step(self, folder: Folder) -> Batch:
        rules = self._rules(folder)
        if folder.copy is None:
            folder.copy = self._run.shared.workers.copy(
                self.source,
                self.target,
                folder.path,
                folder.target_path,
                rules,
                self._links,
                self._run.brake,
                folder.names,
                most=self._run.shared.slots,
            )
        else:
            folder.copy.rules = rules
        # Otherwise there may be something to be swept up first, or a large file to come.
        finish = self._run.record.walk == 1 and not folder.large_left
        batch = folder.copy.step(finish=finish)
        if batch.linked:
            self._copy_linked(folder, batch, rules)
        return batch

    def _copy_linked(self, folder: Folder, batch: Batch, rules: CopyRules) -> None:
        """Copy files with several names here, where all that is known of such files is."""
        copy = FolderCopy(
            self.source, self.target, folder.path, folder.target_path, rules, self._links, self._run.brake,
            batch.linked, are_final=True,
        )  # fmt: skip
        try:
            exhausted = False
            while not exhausted and not self._run.brake.on and not batch.out_of_space:
                more = copy.step()
                exhausted = more.exhausted
                batch.add(more)
        finally:
            copy.close()

    def settled(self, folder: Folder, more_large: int, *, exhausted: bool = False) -> bool:
        """Note what has changed of a folder's work; say True once, when nothing is left of it but to be finished."""
        with self._lock:
            folder.large_left += more_large
            folder.exhausted |= exhausted
            return folder.exhausted and not folder.large_left

    def _enter(self, folder: Folder, batch: Batch) -> None:
        """Put the subfolders met on the stack."""
        for name in reversed(batch.folders):
            new_name = batch.renamed.get(name) or self._new_name(folder, name)
            self.stack.append(Folder(join(folder.path, name), join(folder.target_path, new_name)))

    @staticmethod
    def _new_name(folder: Folder, name: bytes) -> bytes:
        if name in folder.renamed:
            return folder.renamed[name]
        return dict(folder.names).get(name, name) if folder.names is not None else name

    def _add_up(self, folder: Folder, batch: Batch, report: Report) -> None:
        folder.renamed |= batch.renamed
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
            self.lost(report, folder, name, [loss])
        if batch.device and (batch.files or batch.large or batch.wrote):
            self._run.wrote(batch.device, folder.target_path)
        elif batch.device:
            self._run.met(batch.device, folder.target_path)
        if batch.last:
            report.last = (folder, batch.last)
        report.out_of_space |= batch.out_of_space
        self._run.clashed |= batch.clashed

    def lost(self, report: Report, folder: Folder, name: bytes, losses: Iterable[Loss]) -> None:
        """Note what an entry (without a name: the folder itself) could not keep."""
        for loss in losses:
            report.losses.add(loss, lambda: self.spot(folder, name).target, folder=not name)

    def _finish(self, folder: Folder, report: Report) -> None:
        """Give a folder that is complete its final times and mode, and tidy up what an earlier go left there."""
        assert folder.copy is not None
        try:
            if self._run.record.walk > 1 and folder.target_path:
                sweep(self.target, folder.target_path, self._run.record.row.tag)
            self.lost(report, folder, b"", folder.copy.finish())
        except PlaceError as error:
            report.failures.append((folder, Failure(b"", error)))
        finally:
            self._close(folder)

    def finish_alone(self, folder: Folder) -> Report:
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

    def location(self, folder: Folder, name: bytes) -> Location:
        return self.source.location(folder.path, name)

    def spot(self, folder: Folder, name: bytes) -> Spot:
        """Return where an entry is, under the names that count: not that of the folder a tree is built in."""
        path = join(folder.path, name) if name else folder.path
        target_path = join(folder.target_path, self._new_name(folder, name)) if name else folder.target_path
        if self._stage is not None:
            stage, final = self._stage
            if target_path == stage or target_path.startswith(stage + b"/"):
                target_path = final + target_path[len(stage) :]
        return Spot(
            self._idx(folder, name), path, target_path,
            self.source.location(path), self.target.location(*split(target_path)),
        )  # fmt: skip
