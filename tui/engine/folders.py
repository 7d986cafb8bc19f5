"""The folders of a walk: a stack that hops take from, copying batch by batch in threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tui.engine.losses import Losses, is_told_again
from tui.engine.noting import add_noted
from tui.engine.run import Sums
from tui.engine.spots import Spots
from tui.model.error import PlaceError
from tui.places.local.copying import FolderCopy, HardLinks, SliceCopy, sweep
from tui.places.local.hops import Batch, Collision, Failure, Large
from tui.places.local.loss_notes import LossNotes
from tui.places.local.root import join
from tui.places.local.worker_copy import WorkerCopy, step_together

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.engine.run import Run
    from tui.model.fidelity import Loss
    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.links import Group
    from tui.places.local.root import Root

HOP_S = 0.05
"""A hop over folders ends about here: often enough for the screen, seldom enough for the event loop."""
FIRST_HOP_S = 0.005
"""The first one: what is left then is worth worker processes."""

MOST_NAMES = 4096
"""With more subfolders than this known and not entered, a folder is left open and they are entered first."""

MOST_TOGETHER = 64
"""So many small folders a worker is asked for at once, at most."""

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
    """Entries that got other names at the target and are still to be told of, or to be copied."""

    @property
    def is_new(self) -> bool:
        """Whether all of it is still to be done."""
        return self.copy is None and self.names is None

    def new_name(self, name: bytes) -> bytes:
        """Return what an entry is called at the target."""
        if name in self.renamed:
            return self.renamed[name]
        return dict(self.names).get(name, name) if self.names is not None else name


@dataclass(slots=True)
class Report:
    """What one hop did, over several folders."""

    sums: Sums = field(default_factory=Sums)
    last: tuple[Folder, bytes] | None = None
    large: list[tuple[Folder, Large]] = field(default_factory=list)
    collisions: list[tuple[Folder, Collision]] = field(default_factory=list)
    failures: list[tuple[Folder, Failure]] = field(default_factory=list)
    losses: Losses = field(default_factory=Losses)
    notes: LossNotes | None = None
    """Where losses are noted before."""
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
        self.links = links
        self._owners, self._is_new = owners, stage is not None
        self.spots = Spots(source, target, owners, stage)
        self._compare = compare
        self.stack: list[Folder] = []
        self._lock = threading.Lock()
        self._held = 0
        self.hop_s = FIRST_HOP_S
        self.through: set[Folder] = set()
        """Folders of which only large files are left: these are put there while they are held open."""
        self._together = 2
        """So many folders a worker is asked for at once: about as many as one batch's work was the last time."""

    def work(self, notes: LossNotes) -> Report:
        """Copy folders from the stack for about as long as a hop may last."""
        report = Report(notes=notes)
        with closing(notes):
            self._work(report)
        row = self._run.record.row
        add_noted(report.losses, notes.of_the_dead(self.target, row.preserve), self.target, row.kind)
        if report.losses:
            notes.look()
        return report

    def _work(self, report: Report) -> None:
        end = time.monotonic() + self.hop_s
        limited = self._run.limiter.bytes_s is not None
        while not self._run.brake.on and (folders := self._taken(1 if limited else self._together)):
            self._work_on(folders, report)
            if time.monotonic() >= end or report.large or report.out_of_space:
                break
            if limited and report.sums.bytes:
                break

    def _taken(self, most: int) -> list[Folder]:
        """Take from the stack a folder, and others for the same worker where none of them is under way.

        At most half of what there is: there are other workers.
        """
        taken: list[Folder] = []
        with self._lock:
            most = min(most, 1 + len(self.stack) // 2)
            while len(taken) < most and self.stack:
                if taken and not (taken[-1].is_new and self.stack[-1].is_new):
                    break
                taken.append(self._popped())
        return taken

    def _popped(self) -> Folder:
        folder = self.stack.pop()
        if folder.held:
            folder.held = False
            self._held -= 1
        return folder

    def _work_on(self, folders: Sequence[Folder], report: Report) -> None:
        """Do a batch of the first folder, and of the next ones as far as that goes; what is left is put back."""
        try:
            batches = self._step(folders, report.notes)
        except PlaceError as error:
            batches = [Batch(failures=[Failure(b"", error)], exhausted=True)]
        done, left = len(batches), folders[len(batches) :]
        if len(folders) > 1:
            self._together = done + 1 if left else min(2 * done, MOST_TOGETHER)
        for folder in left:
            self._close(folder, report)
            folder.copy = None
        self.stack += reversed(left)
        for folder, batch in zip(folders, batches, strict=False):
            self._settle(folder, batch, report)

    def _settle(self, folder: Folder, batch: Batch, report: Report) -> None:
        """Take in what was done of a folder, and put it back where it has more."""
        if batch.linked:
            self._copy_linked(folder, batch, report.notes)
        self._add_up(folder, batch, report)
        given_up = any(failure.name == b"" for failure in batch.failures)
        complete = self.settled(folder, len(batch.large), exhausted=batch.exhausted and not given_up)
        if not given_up and not batch.exhausted:
            self._put_back(folder, batch)
            return
        self._enter(folder, batch)
        if complete and not batch.finished:
            self._finish(folder, report)
        elif folder.large_left and not given_up:
            self._hold(folder)
        else:
            self.lost(report, folder, b"", batch.lost)
            self._close(folder, report)

    def _hold(self, folder: Folder) -> None:
        """Keep a folder open until its large files are there: a read-only one is writable for as long as it is open."""
        with self._lock:
            self.through.add(folder)

    def _put_back(self, folder: Folder, batch: Batch) -> None:
        """Put a folder that has more back onto the stack: below its subfolders where too many are known already."""
        if len(self.stack) > MOST_NAMES and self._held < MOST_OPEN:
            folder.held = True
            self._held += 1
            self._enter(folder, batch)
            self.stack.insert(max(0, len(self.stack) - len(batch.folders)), folder)
        else:
            self._enter(folder, batch)
            self.stack.append(folder)

    def take_unkept(self) -> list[Group]:
        """Return the files of which names are still to come, and where they will stand: each once."""
        return [self.spots.final(group) for group in self.links.take_unkept()]

    def large(self, folder: Folder, large: Large) -> SliceCopy:
        """Return the copy of a file that a hop left."""
        return SliceCopy(
            self.source, self.target, folder.path, folder.target_path, large, self._rules(folder),
            self._run.brake, self.links,
        )  # fmt: skip

    def _rules(self, folder: Folder, common: CopyRules | None = None) -> CopyRules:
        """Return the rules for a folder: those `common` to folders under way at once, unless it has answers."""
        common = common or self._common_rules()
        answers = self._run.answers_in(self._owners, folder.path)
        return replace(common, decided=answers) if answers else common

    def _common_rules(self) -> CopyRules:
        return self._run.rules(own=self._is_new, compare=self._compare)

    def _step(self, folders: Sequence[Folder], notes: LossNotes | None) -> list[Batch]:
        """Do a batch; return what was done of the first folder, and maybe of some that follow it."""
        if notes is not None:
            notes.begin()
        copies, common = list[WorkerCopy](), self._common_rules()
        for folder in folders:
            rules = self._rules(folder, common)
            if folder.copy is None:
                folder.copy = self._copy(folder, rules, copies[0] if copies else None)
            folder.copy.rules = rules
            if isinstance(folder.copy, WorkerCopy):
                copies.append(folder.copy)
            elif not copies:
                return [folder.copy.step(finish=self._may_finish(folder), notes=notes)]
            else:
                break
        return step_together(copies, finish=self._may_finish(folders[0]), notes=notes)

    def _may_finish(self, folder: Folder) -> bool:
        """Say whether nothing may have to be swept up first in a folder, and no large file is still to come."""
        return self._run.record.walk == 1 and not folder.large_left

    def _copy(self, folder: Folder, rules: CopyRules, beside: WorkerCopy | None) -> FolderCopy | WorkerCopy:
        run = self._run
        return run.shared.workers.copy(
            self.source, self.target, folder.path, folder.target_path, rules, self.links, run.brake, folder.names,
            most=run.shared.slots, beside=beside,
        )  # fmt: skip

    def _copy_linked(self, folder: Folder, batch: Batch, notes: LossNotes | None) -> None:
        """Copy files with several names here, where all that is known of such files is."""
        copy = FolderCopy(
            self.source, self.target, folder.path, folder.target_path, self._rules(folder), self.links,
            self._run.brake, batch.linked, are_final=True,
        )  # fmt: skip
        try:
            with closing(copy):
                exhausted = False
                while not exhausted and not self._run.brake.on and not batch.out_of_space:
                    more = copy.step(notes=notes)
                    exhausted = more.exhausted
                    batch.add(more)
        except PlaceError as error:
            batch.failures.append(Failure(b"", error))

    def settled(self, folder: Folder, more_large: int, *, exhausted: bool = False) -> bool:
        """Note what has changed of a folder's work; say True once, when nothing is left of it but to be finished."""
        with self._lock:
            folder.large_left += more_large
            folder.exhausted |= exhausted
            return folder.exhausted and not folder.large_left

    def _enter(self, folder: Folder, batch: Batch) -> None:
        """Put the subfolders met on the stack."""
        for name in reversed(batch.folders):
            new_name = batch.renamed.get(name) or folder.new_name(name)
            self.stack.append(Folder(join(folder.path, name), join(folder.target_path, new_name)))

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
        before = folder.renamed
        folder.renamed = before | batch.renamed  # while it is told what was lost
        for loss, name in batch.losses:
            self.lost(report, folder, name, [loss])
        folder.renamed = before | _still_needed(batch) if batch.renamed else before
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
        kind = self._run.record.row.kind
        for loss in losses:
            again = not name or is_told_again(loss, kind)
            report.losses.add(loss, lambda: self.spots.spot(folder, name).target, folder=again)

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
            self._close(folder, report)

    def open(self) -> list[Folder]:
        """Return what is open, or may be, when nobody works any more."""
        return [*self.stack, *self.through]

    def finish_alone(self, folder: Folder) -> Report:
        report = Report()
        self._finish(folder, report)
        return report

    def _close(self, folder: Folder, report: Report) -> None:
        """Let a folder go; one that does not get back what was borrowed of it is told, unless it failed already."""
        with self._lock:
            self.through.discard(folder)
        if folder.copy is None:
            return
        try:
            folder.copy.close()
        except PlaceError as error:
            if all(failed is not folder or failure.name for failed, failure in report.failures):
                report.failures.append((folder, Failure(b"", error)))


def _still_needed(batch: Batch) -> dict[bytes, bytes]:
    """Return the new names of those entries of a batch that are still to be told of, or to be copied."""
    names = [large.name for large in batch.large] + [collision.name for collision in batch.collisions]
    names += [failure.name for failure in batch.failures]
    return {name: batch.renamed[name] for name in names if name in batch.renamed}
