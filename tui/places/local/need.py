"""What a copy still has to write: blocks and inodes, as they will lie at the target."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from tui.model.error import NotFound, PlaceError
from tui.model.job import Conflict
from tui.places.local.content import SMALL_BYTES
from tui.places.local.copy_rules import LARGE_BYTES
from tui.places.local.fitting import Trail
from tui.places.local.partial import partial_name
from tui.places.local.room import shares
from tui.places.local.standing import is_newer, look, same_inode, same_time, time_step_ns

if TYPE_CHECKING:
    from tui.places.local.fitting import Fitting
    from tui.places.local.root import Root

_BLOCK_BYTES = 512
"""The unit of `st_blocks`, whatever the filesystem's own is."""


def lies_bytes(info: os.stat_result) -> int:
    """Return what a file takes on its disk: holes take nothing, and its last block is not rounded up."""
    return min(info.st_size, info.st_blocks * _BLOCK_BYTES)


class Need:
    """Adds up what is still to be written, never more than that.

    What stands complete at the target needs nothing, files with several names need it once, what will be shared
    with the source needs next to nothing. Where it depends on an answer still to be given, it counts as nothing.

    Attributes:
        size_bytes: Bytes that have to be written; less than none where what is replaced takes more.
        files: Files and folders to be made.
        may_shrink: What is still to come may replace something larger.
    """

    def __init__(
        self,
        target: Root,
        tag: str,
        conflict: Conflict,
        *,
        there: bool,
        again: bool,
        fitting: Fitting | None = None,
    ) -> None:
        """Say where it goes.

        Args:
            target: The folder the sources go into; where it is still to be made, the nearest one above it.
            there: It is that folder.
            again: An earlier go of the job may have left something in it.
            fitting: How names are changed there.
        """
        self._target, self._there, self._fitting = target, there, fitting
        self._trail = Trail(fitting, (b"", b""))
        self._tag, self._conflict, self._again = tag, conflict, again
        self.size_bytes = self.files = 0
        self.may_shrink = there and conflict in (Conflict.OVERWRITE, Conflict.NEWER)
        self._links: dict[tuple[int, int], int] = {}
        """Names still to come of files with several, by device and inode."""
        self._shared: dict[int, bool] = {}
        self._top: tuple[bytes, bytes | None] = b"", b""
        self._own = False
        self._from = self._to = -1
        self._leave_out = False

    def plain(self, folder: int, name: bytes, target_name: bytes, info: os.stat_result) -> None:
        """Add a source that is no folder.

        Args:
            folder: The opened folder it is in.
        """
        self._own = self._leave_out = False
        self._from, self._to = folder, self._target.fd if self._there else -1
        try:
            self.entry(name, info, target_name)
        finally:
            self._from = self._to = -1

    def tree(self, name: bytes, target_name: bytes, stage: bytes) -> None:
        """Say that what is entered from now on is below the source folder `name`.

        Args:
            stage: The name under which it is built, where it is new at the target.
        """
        standing: bytes | None = None
        self._own = False
        if self._there:
            if look(self._target.fd, target_name) is not None:
                standing = target_name
            elif self._again and look(self._target.fd, stage) is not None:
                standing, self._own = stage, True
        self._top = name, standing
        self._trail = Trail(self._fitting, (name, standing or b""))

    def enter(self, fd: int, path: bytes) -> None:
        """Go into a folder of the tree.

        Args:
            path: From the folder that holds the tree.
        """
        self.leave()
        _, standing = self._top
        twin = self._trail.twin_of(path)
        self._from, self._leave_out = fd, twin is None
        if twin is None:
            return  # it does not fit, and is left out
        with contextlib.suppress(OSError):
            self._trail.enter(fd, path, twin)
        if standing is None:
            self.files += 1
            return
        try:
            self._to = self._target.folder(twin)
        except NotFound:
            self.files += 1  # it is still to be made
        except PlaceError:
            self._leave_out = True  # something else stands there: nothing will be copied into it

    def leave(self) -> None:
        """Close what is open of the target."""
        if self._to >= 0:
            os.close(self._to)
        self._from = self._to = -1

    def entry(self, name: bytes, info: os.stat_result, target_name: bytes | None = None) -> None:
        """Add an entry of the folder entered that is no folder itself."""
        target_name = target_name or self._trail.name(name)
        if self._leave_out or target_name is None:
            return
        if info.st_nlink > 1 and self._is_further_name(info):
            return
        standing = None
        if self._to >= 0:
            with contextlib.suppress(OSError):
                standing = look(self._to, target_name)
        if standing is None:
            self.files += 1
            self.size_bytes += self._writes(info) - self._done_of(target_name, info)
        elif self._is_replaced(info, standing):
            self.size_bytes += self._writes(info) - self._done_of(target_name, info)
            if standing.st_nlink == 1:
                self.size_bytes -= lies_bytes(standing)

    def _is_further_name(self, info: os.stat_result) -> bool:
        key = info.st_dev, info.st_ino
        left = self._links.pop(key, 0)
        if left > 1 or not left:
            self._links[key] = (left or info.st_nlink) - 1
        return left > 0

    def _is_replaced(self, info: os.stat_result, standing: os.stat_result) -> bool:
        """Say whether the entry takes the place of what stands there, for sure."""
        if not stat.S_ISREG(info.st_mode) or not stat.S_ISREG(standing.st_mode):
            return False
        if same_inode(info, standing):
            return False
        ways = self._target.ways
        step = time_step_ns(standing.st_dev, ways)
        if info.st_size == standing.st_size and same_time(info.st_mtime_ns, standing.st_mtime_ns, step):
            return False
        if self._own or self._conflict is Conflict.OVERWRITE:
            return True
        return self._conflict is Conflict.NEWER and is_newer(info, standing, ways)

    def _writes(self, info: os.stat_result) -> int:
        if info.st_size > SMALL_BYTES and self._is_shared(info.st_dev):
            return 0
        return lies_bytes(info)

    def _is_shared(self, device: int) -> bool:
        known = self._shared.get(device)
        if known is None:
            known = self._shared[device] = shares(self._from, self._target.fd)
        return known

    def _done_of(self, target_name: bytes, info: os.stat_result) -> int:
        """Return what an earlier go has already written of a large file."""
        if not self._again or info.st_size <= LARGE_BYTES or self._to < 0:
            return 0
        with contextlib.suppress(OSError):
            partial = look(self._to, partial_name(self._tag, target_name, info))
            if partial is not None:  # its room may have been kept beyond its end
                return min(partial.st_blocks * _BLOCK_BYTES, lies_bytes(info))
        return 0
