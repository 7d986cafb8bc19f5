"""Removing trees for good."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from tui.model.error import HoldsHome, Unsupported
from tui.places.local import syscalls
from tui.places.local.descent import Descent, volume_of
from tui.places.local.homes import NO_HOMES, spare_home
from tui.places.local.hops import Failure
from tui.places.local.modes import change_mode
from tui.places.local.root import split

if TYPE_CHECKING:
    from tui.places.local.descent import Level, Volume
    from tui.places.local.homes import Homes
    from tui.places.local.hops import Batch, Brake
    from tui.places.local.root import Root

NOT_EMPTY = frozenset({errno.ENOTEMPTY, errno.EEXIST})
"""What the removal of a folder gives in which something is."""


class TreeRemoval(Descent):
    """Removes one entry and all below it. No link is followed, and no mounted filesystem or home folder is gone into.

    `Batch.files` and `size_bytes` are what was removed; the names of failures are paths below the parent.
    """

    doing = "remove"

    def __init__(
        self, root: Root, name: bytes, brake: Brake, homes: Homes = NO_HOMES, *, opening: bool = False
    ) -> None:
        """Say what is to go.

        Args:
            name: The path of the entry below `root`.
            opening: Make this user's own folders writable first, as `rsync --delete` does: what is to go is a copy, and
                some of its folders may be read-only as their sources are.
        """
        super().__init__(root, name, brake)
        self._homes = homes
        self._opening = opening and os.geteuid() != 0

    def before(self, path: bytes) -> None:
        """Open a folder up where that is wanted."""
        if not self._opening:
            return
        above, name = split(path)
        fd = self.root.folder(above)
        try:
            change_mode(fd, name, lambda info: self._opened(info, path))
        finally:
            syscalls.let_go(fd)

    def _opened(self, info: os.stat_result, path: bytes) -> int:
        mode = stat.S_IMODE(info.st_mode)
        if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or info.st_dev != self.root.device:
            return mode
        spare_home(info, self.root.location(path), self._homes, self.doing)
        return mode | stat.S_IRWXU

    def entered(self, fd: int, path: bytes, volume: Volume, batch: Batch) -> bool:
        """Refuse to go into another filesystem, or a home folder."""
        info, where = os.fstat(fd), self.root.location(path)
        try:
            spare_home(info, where, self._homes, self.doing)
        except HoldsHome as error:
            batch.failures.append(Failure(path, error))
            return False
        now = volume_of(fd)
        if now == volume:
            return True
        what, remedy = "another filesystem is mounted there", "Unmount it first, then retry."
        if now[0] == volume[0]:
            what = "another folder of the same filesystem is mounted there"
        elif now[1] == volume[1] and syscalls.btrfs_id(fd):
            what, remedy = "it is a subvolume", "Delete it with `btrfs subvolume delete`, then retry."
        message = f"cannot remove {where}: {what}"
        batch.failures.append(Failure(path, Unsupported(message, remedy, location=where)))
        return False

    def file(self, fd: int, folder: bytes, name: bytes, batch: Batch) -> None:
        """Remove one entry."""
        size_bytes = os.lstat(name, dir_fd=fd).st_size
        os.unlink(name, dir_fd=fd)
        batch.files += 1
        batch.size_bytes += size_bytes

    def folder(self, level: Level, batch: Batch) -> bool:
        """Remove a folder that is empty now."""
        if level.held:
            return True
        above, name = split(level.path)
        fd = self.root.folder(above)
        try:
            os.rmdir(name, dir_fd=fd)
        except OSError as error:
            # Some filesystems skip entries while others are being removed: look again, once.
            if error.errno in NOT_EMPTY and self.repeat(level, batch):
                return False
            raise
        finally:
            syscalls.let_go(fd)
        return False
