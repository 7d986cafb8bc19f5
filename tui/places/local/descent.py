"""Going through a tree, children before their folder, with one folder open at a time."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.model.error import NotFound, PlaceError, from_os_error
from tui.places.local import syscalls
from tui.places.local.content import Stopped
from tui.places.local.hops import Batch, Failure
from tui.places.local.root import join, split
from tui.places.local.standing import is_folder

if TYPE_CHECKING:
    from tui.places.local.hops import Brake
    from tui.places.local.root import Root

STEP_ENTRIES = 1024
STEP_S = 0.05
"""A step ends after so many entries or seconds, whichever comes first."""


Volume = tuple[int, int]
"""The device of a filesystem, and the mount by which it was reached; 0 where that is not told."""


def volume_of(fd: int) -> Volume:
    """Return on which filesystem an open file is, and in which of the places where that is mounted."""
    return os.fstat(fd).st_dev, syscalls.mount_id(fd)


@dataclass(slots=True)
class Level:
    """A folder that has been read: `names` are its subfolders still to be gone into.

    Attributes:
        volume: Of the folder.
        held: Something in it stays where it is.
        repeated: It was read a second time.
    """

    path: bytes
    volume: Volume
    names: list[bytes] = field(default_factory=list)
    held: bool = False
    repeated: bool = False


class Descent:
    """Walks one entry and all below it, batch by batch. Subclasses say what is done to files and folders.

    Memory holds the names of subfolders not yet gone into, level by level: neither depth nor the number of files
    costs a descriptor.
    """

    doing = "read"
    """For messages: "cannot <doing> …"."""

    def __init__(self, root: Root, name: bytes, brake: Brake) -> None:
        """Say where to begin.

        Args:
            name: The path of the entry below `root`.
        """
        self.root, self._name, self._brake = root, name, brake
        self._levels: list[Level] = []
        self._level: Level | None = None
        self._fd = -1
        self._entries: os._ScandirIterator[str] | None = None
        self._again: tuple[bytes, bool] | None = None
        self._begun = False

    def step(self) -> Batch:
        """Do a batch of entries, or fewer where the brake goes on."""
        batch = Batch()
        ends, done = time.monotonic() + STEP_S, 0
        while not (self._brake.on or done >= STEP_ENTRIES or time.monotonic() > ends):
            try:
                if not self._one(batch):
                    batch.exhausted = True
                    break
            except Stopped:
                break
            done += 1
        return batch

    def close(self) -> None:
        """Close what is open."""
        if self._entries is not None:
            self._entries.close()
            self._entries = None
        fd, self._fd = self._fd, -1
        syscalls.let_go(fd)

    def _one(self, batch: Batch) -> bool:
        """Do one thing; False where nothing is left."""
        if not self._begun:
            self._begin(batch)
            self._begun = True
        elif self._level is not None:
            self._next_entry(self._level, batch)
        elif self._levels:
            level = self._levels[-1]
            if level.names:
                self._enter(join(level.path, level.names.pop()), level.volume, batch)
            else:
                self._levels.pop()
                self._left(level, batch)
        else:
            return False
        return True

    def _begin(self, batch: Batch) -> None:
        folder, name = split(self._name)
        try:
            above = self.root.folder(folder)
        except PlaceError as error:
            self.fail(batch, self._name, error)
            return
        try:
            info = os.lstat(name or b".", dir_fd=above)
            if is_folder(info):
                self._enter(self._name, volume_of(above), batch)
            else:
                self.file(above, folder, name, batch)
        except OSError as error:
            self.fail(batch, self._name, error)
        finally:
            syscalls.let_go(above)

    def _enter(self, path: bytes, volume: Volume, batch: Batch) -> None:
        batch.last = path
        try:
            self.before(path)
            fd = self.root.folder(path)
        except (PlaceError, OSError) as error:
            self.fail(batch, path, error)
            return
        try:
            if not self.entered(fd, path, volume, batch):
                syscalls.let_go(fd)
                self.hold()
                return
        except OSError as error:
            syscalls.let_go(fd)
            self.fail(batch, path, error)
            return
        self._fd = fd
        try:
            self._entries = os.scandir(fd)
            self._level = Level(path, volume_of(fd))
        except OSError as error:
            self.close()
            self.fail(batch, path, error)

    def _next_entry(self, level: Level, batch: Batch) -> None:
        try:
            item = self._again or self._read()
        except OSError as error:
            self.fail(batch, level.path, error)
            item = None
        if item is None:
            self.close()
            self._levels.append(level)
            self._level = None
            return
        name, is_dir = self._again = item
        if is_dir:
            level.names.append(name)
        else:
            batch.last = join(level.path, name)
            try:
                self.file(self._fd, level.path, name, batch)
            except OSError as error:
                self.fail(batch, batch.last, error)
        self._again = None

    def _read(self) -> tuple[bytes, bool] | None:
        entry = next(self._entries, None) if self._entries is not None else None
        return None if entry is None else (os.fsencode(entry.name), entry.is_dir(follow_symlinks=False))

    def _left(self, level: Level, batch: Batch) -> None:
        try:
            stays = self.folder(level, batch)
        except (OSError, PlaceError) as error:
            self.fail(batch, level.path, error)
            return
        if stays:
            self.hold()

    def repeat(self, level: Level, batch: Batch) -> bool:
        """Go through a folder once more, where it was not empty though all in it was removed; False the second time."""
        if level.repeated:
            return False
        self._enter(level.path, level.volume, batch)
        if self._level is not None:
            self._level.repeated = True
        return True

    def hold(self) -> None:
        """Say that something in the folder being gone through stays."""
        level = self._level or (self._levels[-1] if self._levels else None)
        if level is not None:
            level.held = True

    def fail(self, batch: Batch, path: bytes, error: OSError | PlaceError) -> None:
        """Note an entry that could not be done. One that has gone by itself is none."""
        if isinstance(error, OSError):
            error = from_os_error(error, self.root.location(path), self.doing)
        if isinstance(error, NotFound) and self.gone_is_done:
            return
        batch.failures.append(Failure(path, error))
        self.hold()

    gone_is_done = True
    """Whether an entry that is not there (any more) is as good as done."""

    def before(self, path: bytes) -> None:
        """Prepare a folder before it is opened."""

    def entered(self, fd: int, path: bytes, volume: Volume, batch: Batch) -> bool:
        """Say whether to go through a folder just opened; `volume` is that of the folder above."""
        return True

    def file(self, fd: int, folder: bytes, name: bytes, batch: Batch) -> None:
        """Do one entry that is not a folder. OSErrors become failures."""
        raise NotImplementedError

    def folder(self, level: Level, batch: Batch) -> bool:
        """Do a folder whose entries have all been done; say whether it stays."""
        raise NotImplementedError
