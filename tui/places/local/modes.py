"""Changing permission bits of an entry, and of all below it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tui.places.local import syscalls
from tui.places.local.descent import Descent
from tui.places.local.root import split
from tui.places.local.standing import READ_FLAGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.places.local.descent import Level, Volume
    from tui.places.local.hops import Batch, Brake
    from tui.places.local.root import Root


def change_mode(folder: int, name: bytes, change: Callable[[os.stat_result], int]) -> os.stat_result:
    """Set an entry's permission bits to what `change` makes of its state; links are left alone.

    Returns:
        The entry's state before.
    """
    flags = syscalls.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC if syscalls.O_PATH else READ_FLAGS
    fd = os.open(name, flags, dir_fd=folder)
    try:
        info = os.fstat(fd)
        mode = change(info)
        if mode != stat.S_IMODE(info.st_mode) and not stat.S_ISLNK(info.st_mode):
            # A descriptor opened for its path only cannot be given to fchmod(2); its name in /proc can.
            os.chmod(f"/proc/self/fd/{fd}" if syscalls.O_PATH else fd, mode)
    finally:
        syscalls.let_go(fd)
    return info


class TreeMode(Descent):
    """Adds and takes permission bits, of one entry or of all below it too. Links are skipped, never followed.

    A folder first gets the bits it is given, so that one may go into it, and loses the others when all in it is done.
    `Batch.files` counts entries that are not folders, changed or already right; folders are not counted.
    """

    doing = "change the permissions of"
    gone_is_done = False

    def __init__(
        self,
        parent: Root,
        name: bytes,
        mode_set: int,
        mode_clear: int,
        folder_mode_set: int,
        recursive: bool,
        brake: Brake,
    ) -> None:
        super().__init__(parent, name, brake)
        self._set, self._clear, self._folder_set = mode_set, mode_clear, folder_mode_set
        self._recursive = recursive

    def before(self, path: bytes) -> None:
        """Give a folder the bits it is to get."""
        self._change(path, self._opened)

    def entered(self, fd: int, path: bytes, volume: Volume, batch: Batch) -> bool:
        """Go in only where all below is meant too."""
        if not self._recursive:
            self._change(path, self._changed)
        return self._recursive

    def file(self, fd: int, folder: bytes, name: bytes, batch: Batch) -> None:
        """Change one entry that is not a folder."""
        info = change_mode(fd, name, self._changed)
        if stat.S_ISLNK(info.st_mode):
            batch.skipped_files += 1
        else:
            batch.files += 1

    def folder(self, level: Level, batch: Batch) -> bool:
        """Give a folder its final bits."""
        self._change(level.path, self._changed)
        return False

    def _change(self, path: bytes, change: Callable[[os.stat_result], int]) -> None:
        above, name = split(path)
        fd = self.root.folder(above)
        try:
            change_mode(fd, name or b".", change)
        finally:
            syscalls.let_go(fd)

    def _opened(self, info: os.stat_result) -> int:
        return stat.S_IMODE(info.st_mode) | (self._changed(info) if self._recursive else 0)

    def _changed(self, info: os.stat_result) -> int:
        more = self._folder_set if stat.S_ISDIR(info.st_mode) else 0
        return stat.S_IMODE(info.st_mode) & ~self._clear | self._set | more
