"""Copying one folder into another, batch by batch; large files are left to `SliceCopy`."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from typing import TYPE_CHECKING

from tui.model.error import (
    AlreadyExists,
    OutOfSpace,
    PlaceError,
    SameFile,
    SourceChanged,
    TargetInsideSource,
    from_os_error,
)
from tui.places.local import attributes, syscalls
from tui.places.local.alignment import align, give_named, is_aligned, named_attributes
from tui.places.local.content import Moved, Stopped
from tui.places.local.decision import Decider, Same, Spot
from tui.places.local.flushing import Refused, flush_folder
from tui.places.local.hops import BATCH_ENTRIES, BATCH_S, Batch, Failure, Large
from tui.places.local.landing import Again, Landing
from tui.places.local.links import HardLinks, Joiner
from tui.places.local.making import Maker, Unmade, not_held
from tui.places.local.names import check_end, told
from tui.places.local.partial import own_partials, sweep
from tui.places.local.slices import SliceCopy
from tui.places.local.standing import READ_FLAGS, Pair, is_folder, look, same_inode
from tui.places.local.traits import Traits
from tui.places.local.verifying import Differs, not_the_same

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from tui.model.fidelity import Loss
    from tui.model.location import Location
    from tui.places.local.hops import Brake, CopyRules
    from tui.places.local.root import Root

__all__ = ["FolderCopy", "HardLinks", "SliceCopy", "own_partials", "sweep"]

_TRIES = 8
"""How often an entry is looked at anew when somebody else takes its name at the target meanwhile."""

_SOURCE_SIDE = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT})
"""Errors of a copy that are told of the source: a bad block is met when reading."""

_ENCODING = sys.getfilesystemencoding()

Item = tuple[bytes, bytes, bool]
"""Source name, target name, and whether the folder says it is a regular file."""


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
    ) -> None:
        """Say what is to be copied; nothing is opened before the first `step`.

        Args:
            links: None: files with several names are reported in `Batch.linked`, not copied.
            names: (source name, target name) of the entries wanted; None for all, under their own names.
        """
        self._source, self._target = source, target
        self._source_path, self._target_path = source_path, target_path
        self.rules, self._links, self._brake, self._names = rules, links, brake, names
        self._from = self._to = -1
        self._items: Generator[Item] | None = None
        self._again: Item | None = None
        self._fresh = False
        self._lent_mode: int | None = None
        self._mirror: attributes.Mirror | None = None
        self._traits = Traits(rules.keep)

    def step(self, *, finish: bool = False) -> Batch:
        """Copy until a batch is full, the brake is on, or the folder has no more; tell what was done.

        Args:
            finish: With the last batch, do what `finish` does, unless something of the folder is left to others.
        """
        batch = Batch()
        ends, done = time.monotonic() + BATCH_S, 0
        try:
            self._open()
            batch.device = self._landing.device
            self._decider.rules = self.rules
            while not self._brake.on:
                item = self._next()
                if item is None:
                    batch.exhausted = True
                    break
                if not self._copy(item, batch) or batch.out_of_space:
                    break
                done += 1
                if (
                    done >= BATCH_ENTRIES
                    or batch.size_bytes >= self.rules.batch_bytes
                    or time.monotonic() > ends
                ):
                    break
            if self.rules.flush and (batch.files or batch.wrote):
                flush_folder(self._to, self._target.location(self._target_path))
            if finish and batch.exhausted and not (batch.large or batch.linked):
                batch.lost = self.finish()
                batch.finished = True
        except PlaceError as error:
            self._end(batch, error)
        except OSError as error:
            self._end(
                batch, from_os_error(error, self._source.location(self._source_path), "read the folder")
            )
        return batch

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
        if self._from >= 0:
            self._give(self._from, self._to)
            return self._traits.take()
        source = self._source.folder(self._source_path)
        try:
            target = self._target.folder(self._target_path)
            try:
                self._give(source, target)
            finally:
                syscalls.let_go(target)
        finally:
            syscalls.let_go(source)
        return self._traits.take()

    def _give(self, source: int, target: int) -> None:
        self._traits.lost.clear()
        try:
            attributes.give_folder(source, target, self._traits)
            if self.rules.mirror:
                give_named(named_attributes(source), target)
        except OSError as error:
            where = self._target.location(self._target_path)
            raise from_os_error(error, where, "set the attributes of") from error
        if self.rules.flush:
            flush_folder(target, self._target.location(self._target_path))
        self._lent_mode = None

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
        if self._names is None:
            with os.scandir(self._to) as there:
                self._fresh = next(there, None) is None
        own, times, verify = self.rules.own, self._traits.times, self.rules.verify
        flush, tag = self.rules.flush, self.rules.tag
        self._landing = Landing(self._target, self._to, tag, self._traits, own=own, flush=flush)
        self._pair = Pair(
            self._from, self._to, self._target.ways, self._brake,
            strict=verify or (not times if own else self.rules.compare), from_disk=verify,
            timeless=self.rules.mirror and self.rules.compare, times=times,
        )  # fmt: skip
        self._decider = Decider(self._target, self._target_path, self.rules, self._pair, self._on_same)
        self._maker = Maker(self._from, self._landing, self._brake, verify=verify)
        self._joiner = Joiner(self._links or HardLinks(), self._landing, self._target_path)
        if self._items is None:
            self._items = self._listed() if self._names is None else self._named(self._names)

    def _borrow_mode(self, target: os.stat_result) -> None:
        """Make a folder of one's own writable for as long as it is copied into: its source may be read-only."""
        if target.st_uid == os.geteuid() != 0 and target.st_mode & 0o300 != 0o300:
            self._lent_mode = stat.S_IMODE(target.st_mode)
            attributes.set_mode(self._to, self._lent_mode | 0o700)

    def _listed(self) -> Generator[Item]:
        with os.scandir(self._from) as entries:
            for entry in entries:
                name = entry.name.encode(_ENCODING, "surrogateescape")
                yield name, name, entry.is_file(follow_symlinks=False)

    def _named(self, names: Sequence[tuple[bytes, bytes]]) -> Generator[Item]:
        for name, target_name in names:
            yield name, target_name, False

    def _next(self) -> Item | None:
        if self._again is not None:
            item, self._again = self._again, None
            return item
        return next(self._items, None) if self._items is not None else None

    def _end(self, batch: Batch, error: PlaceError) -> None:
        """Give the folder up."""
        batch.failures.append(Failure(b"", error))
        batch.exhausted = True

    def _copy(self, item: Item, batch: Batch) -> bool:
        """Copy one entry, or note why not; False where the brake stopped it."""
        name, target_name, regular = item
        batch.last = name
        try:
            self._try(name, target_name, regular, batch)
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
            return from_os_error(error, self._where(name), "copy")
        return told(error, self._target.location(self._target_path, target_name), "write")

    def _try(self, name: bytes, target_name: bytes, regular: bool, batch: Batch) -> None:
        if target_name.endswith((b".", b" ")):
            check_end(self._to, target_name, self._target, self._target_path)
        for _ in range(_TRIES):
            self._traits.lost.clear()
            try:
                if regular and self._file(name, target_name, batch):
                    return
                if not regular:
                    self._other_kind(name, target_name, batch)
                    return
                regular = False
            except (FileExistsError, Again):
                self._fresh = False
        where = self._target.location(self._target_path, target_name)
        raise AlreadyExists(f"cannot write {where}: its name is taken again and again", location=where)

    def _spot(self, name: bytes, target_name: bytes, info: os.stat_result, batch: Batch) -> Spot | None:
        """Return where an entry may go, or None where that is settled."""
        standing = None if self._fresh else look(self._to, target_name)
        if standing is None:
            return target_name, False
        return self._decider.spot(name, target_name, info, standing, batch)

    def _on_same(self, found: Same) -> None:
        if self.rules.mirror and not same_inode(found.info, found.standing):
            ways = self._target.ways
            if not is_aligned(
                self._from, found.name, found.info, self._to, found.target_name, found.standing, ways
            ):
                align(self._from, found.name, found.info, self._to, found.target_name)
        self._keep_together(found)

    def _keep_together(self, found: Same) -> None:
        """Let a file found complete be one with its other names, as it is in the source.

        What it lost was told when it was made.
        """
        info = found.info
        if info.st_nlink == 1 or not self._traits.hardlinks or same_inode(info, found.standing):
            return
        if (
            self.rules.own
            or self._pair.strict
            or not stat.S_ISREG(info.st_mode)
            or self._pair.same_bytes(found.name, found.target_name)
        ):
            self._joiner.tell(info, found.target_name)
            self._traits.lost.clear()

    def _file(self, name: bytes, target_name: bytes, batch: Batch) -> bool:
        """Copy a regular file; False where it turns out to be something else."""
        try:
            source = os.open(name, READ_FLAGS, dir_fd=self._from)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                return False
            raise from_os_error(error, self._where(name), "read") from error
        try:
            info = os.fstat(source)
            if not stat.S_ISREG(info.st_mode):
                return False
            if info.st_nlink > 1 and self._links is None:
                batch.linked.append((name, target_name))
                return True
            spot = self._spot(name, target_name, info, batch)
            if spot is None:
                return True
            put, replace = spot
            if self._has_names(info) and self._joiner.join(info, put, replace=replace):
                pass
            elif info.st_size > self.rules.large_bytes:
                batch.large.append(Large(name, put, info.st_size, replace))
                self._traits.lost.clear()  # it will be told when that is done
                return True
            else:
                info = self._make(source, name, put, info, replace=replace)
                if info.st_nlink > 1:
                    self._joiner.tell(info, put)
            batch.files += 1
            batch.size_bytes += info.st_size
            if self.rules.verify:
                batch.verified_files += 1
                batch.verified_bytes += info.st_size
        finally:
            syscalls.let_go(source)
        return True

    def _has_names(self, info: os.stat_result) -> bool:
        """Say whether a file may stand at the target by another of its names: a move takes these away one by one."""
        return info.st_nlink > 1 or self.rules.compare

    def _make(
        self, source: int, name: bytes, put: bytes, info: os.stat_result, *, replace: bool
    ) -> os.stat_result:
        try:
            return self._maker.file(source, put, info, replace=replace)
        except Moved:
            where = self._where(name)
            raise SourceChanged(f"cannot copy {where}: it changes while it is read", location=where) from None
        except Differs:
            raise not_the_same(self._target.location(self._target_path, put), self._where(name)) from None

    def _where(self, name: bytes) -> Location:
        return self._source.location(self._source_path, name)

    def _other_kind(self, name: bytes, target_name: bytes, batch: Batch) -> None:
        try:
            info = os.lstat(name, dir_fd=self._from)
        except OSError as error:
            raise from_os_error(error, self._where(name), "read") from error
        if is_folder(info):
            self._folder(name, target_name, info, batch)
        elif stat.S_ISREG(info.st_mode):
            if not self._file(name, target_name, batch):
                raise Again
        else:
            self._nameless(name, target_name, info, batch)

    def _nameless(self, name: bytes, target_name: bytes, info: os.stat_result, batch: Batch) -> None:
        if info.st_nlink > 1 and self._links is None:
            batch.linked.append((name, target_name))
            return
        spot = self._spot(name, target_name, info, batch)
        if spot is None:
            return
        put, replace = spot
        if not self._has_names(info) or not self._joiner.join(info, put, replace=replace):
            try:
                self._maker.nameless(name, put, info, replace=replace)
            except Unmade:
                raise not_held(info, self._target.location(self._target_path, put)) from None
            if info.st_nlink > 1:
                self._joiner.tell(info, put)
        batch.files += 1
        batch.size_bytes += info.st_size

    def _folder(self, name: bytes, target_name: bytes, info: os.stat_result, batch: Batch) -> None:
        """Make a subfolder, or find it; its mode stays open to its owner until `finish`."""
        if (info.st_dev, info.st_ino) == (self._target.device, self._target.inode):
            where = self._where(name)
            raise TargetInsideSource(f"cannot copy {where} into itself", location=where)
        put = self._stand_in(name, target_name, info, batch)
        if put is None:
            return
        batch.folders.append(name)
        if put != name:
            batch.renamed[name] = put

    def _stand_in(self, name: bytes, target_name: bytes, info: os.stat_result, batch: Batch) -> bytes | None:
        standing = None if self._fresh else look(self._to, target_name)
        if standing is None:
            os.mkdir(target_name, 0o700, dir_fd=self._to)
            batch.wrote = True
            return target_name
        another = self._decider.of_another(name, target_name, info, standing)
        if is_folder(standing) and another is None:
            if same_inode(info, standing):
                where = self._target.location(self._target_path, target_name)
                raise SameFile(f"cannot copy {where} onto itself", location=where)
            return target_name
        if self.rules.own and another is None:
            os.unlink(target_name, dir_fd=self._to)
            raise Again
        spot = self._decider.spot(name, target_name, info, standing, batch)
        if spot is None:
            return None
        if look(self._to, spot[0]) is None:
            os.mkdir(spot[0], 0o700, dir_fd=self._to)
            batch.wrote = True
        return spot[0]
