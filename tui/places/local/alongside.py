"""Going through two folders side by side: what one of them has is looked for in the other."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.model.error import PlaceError, from_os_error
from tui.model.exclusion import NOTHING, Exclusion
from tui.places.local import attributes, syscalls
from tui.places.local.excluding import leaves_out
from tui.places.local.hops import BATCH_ENTRIES, BATCH_S, Failure
from tui.places.local.partial import is_partial
from tui.places.local.root import join
from tui.places.local.standing import is_folder, look

if TYPE_CHECKING:
    from tui.places.local.hops import Brake
    from tui.places.local.root import Root


@dataclass(slots=True)
class Passed:
    """What one hop came by, and what it removed. Files are all entries that are not folders."""

    files: int = 0
    size_bytes: int = 0
    clashes: list[tuple[bytes, bool]] = field(default_factory=list)
    """Where one side has a folder and the other something else: the path, and whether the source has the folder."""
    failures: list[Failure] = field(default_factory=list)
    """Their names are paths below the target."""
    last: bytes = b""
    exhausted: bool = False


@dataclass(slots=True)
class Folder:
    """A folder that stands on both sides, being gone through.

    Attributes:
        source: -1: the source has none.
        before: The target folder's state before anything in it was changed.
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


class Alongside:
    """Goes through a target and, beside it, its source, batch by batch. Subclasses say what is done about an entry.

    No link is followed. What stands under a partial name is passed by. Folders keep their times. Of an entry of which
    the source cannot say whether it has it, nothing is known: that is a failure.
    """

    doing = "read"
    """For messages: "cannot <doing> …"."""

    def __init__(self, source: Root, target: Root, brake: Brake, exclude: Exclusion = NOTHING) -> None:
        """Say what is gone through.

        Args:
            exclude: What is passed by, on whichever side it stands.
        """
        self._source, self._target, self._brake, self._exclude = source, target, brake, exclude
        self._extra: set[bytes] = set()
        """Folders that only the target has, and that are to be gone into all the same."""
        self._waiting: list[tuple[bytes, list[bytes]]] = []
        self._folder: Folder | None = None
        self._begun = False

    def step(self) -> Passed:
        """Go on until a batch is full, the brake is on, or nothing is left."""
        batch = Passed()
        ends, done = time.monotonic() + BATCH_S, 0
        while not (self._brake.on or done >= BATCH_ENTRIES or time.monotonic() > ends):
            if not self._one(batch):
                batch.exhausted = True
                break
            done += 1
        return batch

    def close(self) -> None:
        """Close what is open; a folder keeps the time it had."""
        if self._folder is not None:
            with contextlib.suppress(OSError):  # what ended the work is told, and counts for more
                self._leave(self._folder)

    def _one(self, batch: Passed) -> bool:
        """Do one thing; False where nothing is left."""
        if self._folder is not None:
            self._next_entry(self._folder, batch)
            return True
        return self._next_folder(batch)

    # Folders

    def _next_folder(self, batch: Passed) -> bool:
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

    def _enter(self, path: bytes, batch: Passed) -> None:
        source = target = -1
        try:
            source = self._source_folder(path)
            target = self._target.folder(path)
            before = os.fstat(target)
            self._folder = Folder(path, source, target, before, os.scandir(target))
        except (PlaceError, OSError) as error:
            syscalls.let_go(source, target)
            self.fail(path, error, batch)

    def _source_folder(self, path: bytes) -> int:
        """Open the source's folder; -1 where it has none."""
        return -1 if path in self._extra else self._source.folder(path)

    def _make_writable(self, folder: Folder) -> None:
        """Open a folder of one's own for as long as it is gone through: its source may be read-only."""
        if folder.before.st_uid == os.geteuid() != 0 and folder.before.st_mode & 0o300 != 0o300:
            folder.lent = True
            attributes.set_mode(folder.target, stat.S_IMODE(folder.before.st_mode) | 0o700)

    def _leave(self, folder: Folder) -> None:
        """Close a folder; those in it wait on top.

        Raises:
            OSError: It does not get its mode or its times back.
        """
        self._folder = None
        if folder.names:
            self._waiting.append((folder.path, folder.names))
        try:
            folder.entries.close()
            if folder.lent:
                attributes.set_mode(folder.target, stat.S_IMODE(folder.before.st_mode))
            if folder.changed or os.fstat(folder.target).st_mtime_ns != folder.before.st_mtime_ns:
                attributes.set_times(folder.target, folder.before)
        finally:
            syscalls.let_go(folder.source, folder.target)

    # Entries

    def _next_entry(self, folder: Folder, batch: Passed) -> None:
        try:
            entry = next(folder.entries, None)
        except OSError as error:
            self.fail(folder.path, error, batch)
            entry = None
        if entry is not None:
            self._look_at(folder, os.fsencode(entry.name), batch)
        elif folder.changed and not (folder.repeated or folder.failed):
            self._look_again(folder, batch)
        else:
            self._let_go(folder, batch)

    def _look_again(self, folder: Folder, batch: Passed) -> None:
        """Go through a folder once more: some filesystems skip entries while others are being removed."""
        folder.entries.close()
        folder.repeated = True
        try:
            folder.entries = os.scandir(folder.target)
        except OSError as error:
            self.fail(folder.path, error, batch)
            self._let_go(folder, batch)
        else:
            folder.names = []

    def _let_go(self, folder: Folder, batch: Passed) -> None:
        try:
            self._leave(folder)
        except OSError as error:
            self.fail(folder.path, error, batch)

    def _look_at(self, folder: Folder, name: bytes, batch: Passed) -> None:
        path = batch.last = join(folder.path, name)
        try:
            if is_partial(name):
                self.unfinished(folder, name, batch)
                return
            there = os.lstat(name, dir_fd=folder.target)
            wanted = look(folder.source, name) if folder.source >= 0 else None
            if leaves_out(self._exclude, path, there, wanted):
                return
            if wanted is not None and is_folder(wanted) and is_folder(there):
                folder.names.append(name)
            else:
                self.judge(folder, name, there, wanted, batch)
        except FileNotFoundError:
            return  # it went by itself
        except OSError as error:
            self.fail(path, error, batch)

    def unfinished(self, folder: Folder, name: bytes, batch: Passed) -> None:
        """Do what is to be done about something a job, whichever, has not finished."""

    def judge(
        self,
        folder: Folder,
        name: bytes,
        there: os.stat_result,
        wanted: os.stat_result | None,
        batch: Passed,
    ) -> None:
        """Do what is to be done about an entry of the target, unless it is a folder on both sides.

        Args:
            wanted: What the source has under that name, if anything.
        """
        raise NotImplementedError

    def fail(self, path: bytes, error: OSError | PlaceError, batch: Passed) -> None:
        """Note what could not be done."""
        if isinstance(error, OSError):
            error = from_os_error(error, self._target.location(path), self.doing)
        batch.failures.append(Failure(path, error))
        if self._folder is not None:
            self._folder.failed = True


class Clashes(Alongside):
    """Finds the names of which one side has a folder and the other something else."""

    def judge(
        self,
        folder: Folder,
        name: bytes,
        there: os.stat_result,
        wanted: os.stat_result | None,
        batch: Passed,
    ) -> None:
        if wanted is not None and is_folder(wanted) != is_folder(there):
            batch.clashes.append((join(folder.path, name), is_folder(wanted)))
