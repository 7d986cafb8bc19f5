"""Copying one folder into another, batch by batch; large files are left to `SliceCopy`."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from typing import TYPE_CHECKING

from tui.model.error import (
    OutOfSpace,
    PlaceError,
    SameFile,
    from_os_error,
)
from tui.model.job import Flush
from tui.places.local import attributes, syscalls
from tui.places.local.alignment import drop_others, named_attributes
from tui.places.local.content import Stopped
from tui.places.local.entry_copy import LEFT_OUT, EntryCopy, Side
from tui.places.local.flushing import Refused, flush_folder
from tui.places.local.halves import drop_halves
from tui.places.local.hops import BATCH_ENTRIES, BATCH_S, Batch, Failure
from tui.places.local.links import HardLinks
from tui.places.local.names import told
from tui.places.local.partial import is_partial, own_partials, sweep
from tui.places.local.plain import BREATH, Item
from tui.places.local.root import join
from tui.places.local.slices import SliceCopy
from tui.places.local.standing import TargetNames, same_inode
from tui.places.local.traits import Traits

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence, Set

    from tui.model.fidelity import Loss
    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.hops import Brake
    from tui.places.local.loss_notes import LossNotes
    from tui.places.local.new_names import NewNames
    from tui.places.local.root import Root

__all__ = ["FolderCopy", "HardLinks", "SliceCopy", "own_partials", "sweep"]

_SOURCE_SIDE = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT})
"""Errors of a copy that are told of the source: a bad block is met when reading."""

_JUST_MADE_S = 10.0
"""An empty folder of a younger time may be new."""

_ENCODING = sys.getfilesystemencoding()

_END: Item = b"", b"", False
"""Stands for the entry after the last."""


class FolderCopy:
    """Copies one source folder into one target folder, batch by batch; subfolders are made and reported, not entered.

    All is done relative to the two opened folders, and no link is followed. An entry whose copy the brake stopped is
    taken up again by the next `step`.

    Attributes:
        rules: May be replaced between two steps (a changed conflict rule, a changed rate).
    """

    def __init__(
        self,
        source: Root,
        target: Root,
        source_path: bytes,
        target_path: bytes,
        rules: CopyRules,
        links: HardLinks | None,
        brake: Brake,
        names: Sequence[tuple[bytes, bytes]] | None = None,
        *,
        are_final: bool = False,
    ) -> None:
        """Say what is to be copied; nothing is opened before the first `step`.

        Args:
            links: None: files with several names are reported in `Batch.linked`, not copied.
            names: (source name, target name) of the entries wanted; None for all, under their own names.
            are_final: The target names were fitted to the target's filesystem.
        """
        self._source, self._target = source, target
        self._source_path, self._target_path = source_path, target_path
        self.rules, self._links, self._brake, self._names = rules, links, brake, names
        self._are_final = are_final
        self._from = self._to = -1
        self._items: Generator[Item | None] | None = None
        self._again: Item | None = None
        self._passed_by: Set[bytes] = frozenset()
        self._lent_mode: int | None = None
        self._mirror: attributes.Mirror | None = None
        self._traits = Traits(rules.keep)
        self._stood: os.stat_result | None = None
        """The target folder's state before anything was done in it, unless it may have been made just now."""

    def pass_by(self, names: Set[bytes]) -> None:
        """Leave out entries that somebody else takes care of: by their names in the source."""
        self._passed_by = names

    def step(self, *, finish: bool = False, notes: LossNotes | None = None) -> Batch:
        """Copy until a batch is full, the brake is on, or the folder has no more; tell what was done.

        Args:
            finish: With the last batch, do what `finish` does, unless something of the folder is left to others.
            notes: Where it is noted before what entries cannot keep.
        """
        batch = Batch()
        self._traits.notes = notes
        try:
            self._open()
            batch.device = self._entries.device
            self._entries.rules = self.rules
            self._entries.plain.begin(batch, self.rules)
            self._fill(batch)
            if self.rules.flush is Flush.FILE and (batch.files or batch.wrote):
                flush_folder(self._to, self._target.location(self._target_path))
            if finish and batch.exhausted and not (batch.large or batch.linked):
                batch.lost = self.finish()
                batch.finished = True
        except Stopped:
            pass  # while names were chosen: nothing was begun, and the next step chooses them anew
        except PlaceError as error:
            self._end(batch, error)
        except OSError as error:
            self._end(
                batch, from_os_error(error, self._source.location(self._source_path), "read the folder")
            )
        return batch

    def _fill(self, batch: Batch) -> None:
        ends, done = time.monotonic() + BATCH_S, 0
        while not self._brake.on:
            copied = batch.files
            item = self._next()
            if item is _END:
                batch.exhausted = True
                return
            if item is not None and (not self._copy(item, batch) or batch.out_of_space):
                return
            done += BREATH if item is None and batch.files > copied else 1  # to look costs little
            if (
                done + BREATH > BATCH_ENTRIES  # plain files come so many at a time
                or batch.size_bytes >= self.rules.batch_bytes
                or time.monotonic() > ends
            ):
                return

    def finish(self) -> list[Loss]:
        """Give the target folder what is wanted of the source's owner, mode, access lists, attributes and times.

        Does nothing where only some names were copied.

        Returns:
            What the folder could not keep.
        Raises:
            PlaceError: One of the folders has gone, or the disk fails.
        """
        if self._names is not None:
            return []
        try:
            return self._finished()
        except OSError as error:
            where = self._target.location(self._target_path)
            raise from_os_error(error, where, "set the attributes of") from error

    def _finished(self) -> list[Loss]:
        if self._from >= 0:
            return self._given(self._from, self._to)
        source = self._source.folder(self._source_path)
        try:
            target = self._target.folder(self._target_path)
            try:
                if self._traits.times:  # one that something was put into would have another than its source
                    self._stood = os.fstat(target)
                return self._given(source, target)
            finally:
                syscalls.let_go(target)
        finally:
            syscalls.let_go(source)

    def _given(self, source: int, target: int) -> list[Loss]:
        """Give the target folder what is wanted; return what is new of what it could not keep."""
        stands = self._give(source, target)
        lost, stood = self._traits.take(), self._stood
        if self.rules.first and stood is not None and _state(stood) == _state(stands):
            return []
        return lost

    def _give(self, source: int, target: int) -> os.stat_result:
        self._traits.lost.clear()
        if self.rules.mirror:
            drop_others(named_attributes(source), target)
        stands = attributes.give_folder(source, target, self._traits)
        if self.rules.flush is Flush.FILE:
            flush_folder(target, self._target.location(self._target_path))
        self._lent_mode = None
        return stands

    def drop_halves(self) -> None:
        """Remove what whoever copied here before, and died over a small file, left of it under its final name.

        A walk replaces it where it meets the source's file again; but that may have gone, or not be readable.
        """
        if not (self.rules.own and self._traits.times):
            return  # all has a partial name until it is whole
        source = -1
        try:
            target = self._target.folder(self._target_path)
        except PlaceError:
            return  # it had not come so far
        try:
            with contextlib.suppress(PlaceError):
                source = self._source.folder(self._source_path)
            drop_halves(source, target, self._target.ways)
        finally:
            syscalls.let_go(source, target)

    def close(self) -> None:
        """Close the folders; the mode or time borrowed of a standing target folder is given back.

        Raises:
            PlaceError: It cannot be given back.
        """
        if self._items is not None:
            self._items.close()
            self._items = None
        source, target = self._from, self._to
        self._from = self._to = -1
        try:
            if target >= 0:
                self._give_back(target)
        except OSError as error:
            where = self._target.location(self._target_path)
            raise from_os_error(error, where, "set the attributes of") from error
        finally:
            syscalls.let_go(source, target)

    def _give_back(self, target: int) -> None:
        if self._lent_mode is not None:
            attributes.set_mode(target, self._lent_mode)
        if self._mirror is not None:
            self._mirror.restore(target)

    def _open(self) -> None:
        if self._from >= 0:
            return
        self._from = self._source.folder(self._source_path)
        try:
            self._to = self._target.folder(self._target_path)
        except PlaceError:
            fd, self._from = self._from, -1
            syscalls.let_go(fd)
            raise
        source, target = os.fstat(self._from), os.fstat(self._to)
        if same_inode(source, target) and self._names is None:
            where = self._target.location(self._target_path)
            raise SameFile(f"cannot copy {where} into itself", location=where)
        if self._names is not None:
            finished = self.rules.compare and bool(self._target_path)
            self._mirror = attributes.Mirror(self._from, self._to, finished=finished)
        self._borrow_mode(target)
        is_empty = self._names is None and self._is_known_empty(target)
        if not is_empty or time.time() - target.st_mtime > _JUST_MADE_S:
            self._stood = target
        self._entries = EntryCopy(
            Side(self._source, self._source_path, self._from, source),
            Side(self._target, self._target_path, self._to, target),
            self.rules, self._traits, self._links, self._brake,
            TargetNames(self._to, is_empty=is_empty, may_list=self._names is None),
        )  # fmt: skip

    def _is_known_empty(self, target: os.stat_result) -> bool:
        """Say whether it is plain that nothing stands in the target folder yet.

        One of the job's own was just made. An old one is full more often than not, and is not listed for that.
        """
        if self.rules.own and self.rules.first:
            return True
        if time.time() - target.st_mtime > _JUST_MADE_S:
            return False
        with os.scandir(self._to) as there:
            return next(there, None) is None

    def _borrow_mode(self, target: os.stat_result) -> None:
        """Make a folder of one's own writable for as long as it is copied into: its source may be read-only."""
        if target.st_uid == os.geteuid() != 0 and target.st_mode & 0o300 != 0o300:
            self._lent_mode = stat.S_IMODE(target.st_mode)
            attributes.set_mode(self._to, self._lent_mode | 0o700)

    def _changed(self) -> NewNames:
        """Return the entries that get other names; the folder that holds the sources is named from above."""
        fitting = self.rules.fitting
        if fitting is None or self._are_final or not self._source_path:
            return {}
        return fitting.of(self._from, self._source_path, brake=self._brake)

    def _listed(self) -> Generator[Item]:
        changed, passed_by, excludes = self._changed(), self._passed_by, bool(self.rules.exclude)
        with os.scandir(self._from) as entries:
            for entry in entries:
                name = entry.name.encode(_ENCODING, "surrogateescape")
                if name in passed_by or is_partial(name) or (excludes and self._excludes(name, entry)):
                    continue
                put = changed.get(name, name) or LEFT_OUT
                yield name, put, entry.is_file(follow_symlinks=False)

    def _excludes(self, name: bytes, entry: os.DirEntry[str]) -> bool:
        below = join(self._source_path, name).partition(b"/")[2]
        return self.rules.exclude.covers(below, folder=entry.is_dir(follow_symlinks=False))

    def _named(self, names: Sequence[tuple[bytes, bytes]]) -> Generator[Item]:
        changed = self._changed()
        for name, target_name in names:
            if name not in self._passed_by:
                put = changed.get(name, name) if name == target_name else target_name
                yield name, put or LEFT_OUT, False

    def _next(self) -> Item | None:
        """Return the next entry that takes care, or _END; None after some that were plain, and are done."""
        if self._again is not None:
            item, self._again = self._again, None
            return item
        if self._items is None:
            items = self._listed() if self._names is None else self._named(self._names)
            self._items = self._entries.plain.sift(items)
        try:
            return next(self._items, _END)
        except Stopped:
            self._items = None  # nothing of it was given yet: it begins anew
            raise

    def _end(self, batch: Batch, error: PlaceError) -> None:
        """Give the folder up."""
        batch.failures.append(Failure(b"", error))
        batch.exhausted = True

    def _copy(self, item: Item, batch: Batch) -> bool:
        """Copy one entry, or note why not; False where the brake stopped it."""
        name, target_name, regular = item
        batch.last = name
        if target_name not in (name, LEFT_OUT):
            batch.renamed[name] = target_name
        try:
            self._entries.copy(name, target_name, regular, batch)
        except Stopped:
            self._again = item
            return False
        except Refused as error:
            failure = error.told(self._target.location(self._target_path, target_name))
            batch.failures.append(Failure(name, failure))
            batch.out_of_space = isinstance(failure, OutOfSpace)
        except PlaceError as error:
            batch.failures.append(Failure(name, error))
            batch.out_of_space = isinstance(error, OutOfSpace)
        except OSError as error:
            failure = self._told(error, name, target_name)
            batch.failures.append(Failure(name, failure))
            batch.out_of_space = isinstance(failure, OutOfSpace)
        else:
            if self._traits.lost:
                batch.losses += [(loss, name) for loss in self._traits.take()]
        return True

    def _told(self, error: OSError, name: bytes, target_name: bytes) -> PlaceError:
        if error.errno in _SOURCE_SIDE:
            return from_os_error(error, self._source.location(self._source_path, name), "copy")
        return told(error, self._target.location(self._target_path, target_name), "write")


def _state(folder: os.stat_result) -> tuple[int, int, int, int]:
    """Return what a copy gives a folder, as far as a look tells."""
    return folder.st_mode, folder.st_uid, folder.st_gid, folder.st_mtime_ns
