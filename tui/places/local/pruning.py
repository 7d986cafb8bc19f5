"""Removing from a folder what its source does not have: the last part of a sync."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.model.error import PlaceError, from_os_error
from tui.places.local import attributes, syscalls
from tui.places.local.hops import BATCH_ENTRIES, BATCH_S, Failure
from tui.places.local.partial import is_partial
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import join
from tui.places.local.standing import is_folder, look

if TYPE_CHECKING:
    from tui.places.local.hops import Brake
    from tui.places.local.root import Root


@dataclass(slots=True)
class Pruned:
    """What one hop removed. Files are all entries that are not folders."""

    files: int = 0
    size_bytes: int = 0
    clashes: list[bytes] = field(default_factory=list)
    """Of what was removed, the paths whose names the source has too, as something else: they can be copied now."""
    failures: list[Failure] = field(default_factory=list)
    """Their names are paths below the target."""
    last: bytes = b""
    exhausted: bool = False


@dataclass(slots=True)
class Folder:
    """A folder that stands on both sides, being gone through.

    Attributes:
        before: The target folder's state before anything in it was removed.
        changed: Something in it was removed.
        failed: Something in it could not be.
        lent: It was made writable for as long as it is gone through.
    """

    path: bytes
    source: int
    target: int
    before: os.stat_result
    entries: os._ScandirIterator[str]
    names: list[bytes] = field(default_factory=list)
    changed: bool = False
    failed: bool = False
    repeated: bool = False
    lent: bool = False


class Pruning:
    """Goes through two folders side by side and removes from the target what the source has not, batch by batch.

    A folder where the source has something else, or the reverse, is removed too, and told. No link is followed, no
    mounted filesystem removed, and what unfinished jobs have under partial names stays. Folders keep their times.
    An entry of which the source cannot say whether it has it stays.
    """

    def __init__(self, source: Root, target: Root, brake: Brake) -> None:
        self._source, self._target, self._brake = source, target, brake
        self._waiting: list[tuple[bytes, list[bytes]]] = []
        self._folder: Folder | None = None
        self._removal: TreeRemoval | None = None
        self._removing = (b"", False)
        self._held = False
        self._begun = False

    def step(self) -> Pruned:
        """Remove until a batch is full, the brake is on, or nothing is left."""
        batch = Pruned()
        ends, done = time.monotonic() + BATCH_S, 0
        while not (self._brake.on or done >= BATCH_ENTRIES or time.monotonic() > ends):
            if self._removal is not None:
                self._remove_more(self._removal, batch)
            elif self._folder is not None:
                self._next_entry(self._folder, batch)
            elif not self._next_folder(batch):
                batch.exhausted = True
                break
            done += 1
        return batch

    def close(self) -> None:
        """Close what is open; a folder keeps the time it had."""
        if self._removal is not None:
            self._removal.close()
            self._removal = None
        if self._folder is not None:
            self._leave(self._folder)

    # Folders

    def _next_folder(self, batch: Pruned) -> bool:
        """Open the next folder that waits; False where none is left."""
        if not self._begun:
            self._begun = True
            self._enter(b"", batch)
            return True
        while self._waiting and not self._waiting[-1][1]:
            self._waiting.pop()
        if not self._waiting:
            return False
        above, names = self._waiting[-1]
        self._enter(join(above, names.pop()), batch)
        return True

    def _enter(self, path: bytes, batch: Pruned) -> None:
        source = target = -1
        try:
            source = self._source.folder(path)
            target = self._target.folder(path)
            before = os.fstat(target)
            self._folder = Folder(path, source, target, before, os.scandir(target))
        except (PlaceError, OSError) as error:
            syscalls.let_go(source, target)
            self._fail(path, error, batch)

    def _leave(self, folder: Folder) -> None:
        """Close a folder; those in it wait on top."""
        self._folder = None
        try:
            folder.entries.close()
            if folder.lent:
                attributes.set_mode(folder.target, stat.S_IMODE(folder.before.st_mode))
            if os.fstat(folder.target).st_mtime_ns != folder.before.st_mtime_ns:
                attributes.set_times(folder.target, folder.before)
        finally:
            syscalls.let_go(folder.source, folder.target)
        if folder.names:
            self._waiting.append((folder.path, folder.names))

    # Entries

    def _next_entry(self, folder: Folder, batch: Pruned) -> None:
        try:
            entry = next(folder.entries, None)
        except OSError as error:
            self._fail(folder.path, error, batch)
            entry = None
        if entry is not None:
            self._judge(folder, os.fsencode(entry.name), batch)
        elif folder.changed and not (folder.repeated or folder.failed):
            # Some filesystems skip entries while others are being removed: look again, once.
            folder.entries.close()
            folder.entries = os.scandir(folder.target)
            folder.names, folder.repeated = [], True
        else:
            self._leave(folder)

    def _judge(self, folder: Folder, name: bytes, batch: Pruned) -> None:
        path = batch.last = join(folder.path, name)
        if is_partial(name):
            return
        try:
            there = os.lstat(name, dir_fd=folder.target)
            wanted = look(folder.source, name)
            if wanted is None or is_folder(wanted) != is_folder(there):
                self._remove(folder, name, there, batch, clashes=wanted is not None)
            elif is_folder(there):
                folder.names.append(name)
        except FileNotFoundError:
            return  # it went by itself
        except OSError as error:
            self._fail(path, error, batch)

    def _remove(
        self, folder: Folder, name: bytes, there: os.stat_result, batch: Pruned, *, clashes: bool
    ) -> None:
        self._make_writable(folder)
        path = join(folder.path, name)
        if is_folder(there):
            folder.changed = True
            self._removing = (path, clashes)
            self._removal = TreeRemoval(self._target, path, self._brake)
            return
        os.unlink(name, dir_fd=folder.target)
        folder.changed = True
        batch.files += 1
        batch.size_bytes += there.st_size
        if clashes:
            batch.clashes.append(path)

    def _remove_more(self, removal: TreeRemoval, batch: Pruned) -> None:
        removed = removal.step()
        batch.files += removed.files
        batch.size_bytes += removed.size_bytes
        batch.failures += removed.failures
        batch.last = removed.last or batch.last
        if removed.failures and self._folder is not None:
            self._folder.failed = True
        self._held |= bool(removed.failures)
        if removed.exhausted:
            removal.close()
            self._removal = None
            path, clashes = self._removing
            if clashes and not self._held:
                batch.clashes.append(path)
            self._held = False

    def _make_writable(self, folder: Folder) -> None:
        """Open a folder of one's own for as long as it is gone through: its source may be read-only."""
        if folder.before.st_uid == os.geteuid() != 0 and folder.before.st_mode & 0o300 != 0o300:
            folder.lent = True
            attributes.set_mode(folder.target, stat.S_IMODE(folder.before.st_mode) | 0o700)

    def _fail(self, path: bytes, error: OSError | PlaceError, batch: Pruned) -> None:
        if isinstance(error, OSError):
            error = from_os_error(error, self._target.location(path), "remove")
        batch.failures.append(Failure(path, error))
        if self._folder is not None:
            self._folder.failed = True
