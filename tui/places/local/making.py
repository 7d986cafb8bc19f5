"""Making one entry at the target: files, links, FIFOs, sockets and devices."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from tui.model.error import NotHeld
from tui.places.local import attributes
from tui.places.local.content import Moved, clone_all, copy_all, is_unsized
from tui.places.local.partial import discard
from tui.places.local.verifying import Differs, same_on_disk

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.model.location import Location
    from tui.places.local.hops import Brake
    from tui.places.local.landing import Landing

    _Fill = Callable[[int, int, os.stat_result], None]
    """Brings the content of one open file into another."""

_NO_SUCH_THING = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


_KINDS = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "device",
    stat.S_IFCHR: "device",
}


_SHORTEST_LINK_BYTES = 1023
"""What links point to may be so long everywhere; XFS holds no more, others hold 4095 bytes."""


class _Unshared(Exception):
    """Files cannot share content there."""


class Unmade(Exception):
    """The target holds no entries of this kind, or not this one, or lets this user make none."""


def not_held(info: os.stat_result, where: Location) -> NotHeld:
    """Return the error of an entry that could not be made, as the target holds none of its kind, or none so long."""
    what = _KINDS.get(stat.S_IFMT(info.st_mode), "entry")
    if stat.S_ISLNK(info.st_mode) and info.st_size > _SHORTEST_LINK_BYTES:
        message = f"cannot create {where}: that filesystem holds no link to so long a path"
        return NotHeld(message, location=where)
    if what == "device" and os.geteuid() != 0:
        remedy = "Copy it as root, or leave it out."
        return NotHeld(f"cannot create {where}: only root may create devices", remedy, location=where)
    return NotHeld(f"cannot create {where}: there can be no {what} on that filesystem", location=where)


def unchanged(before: os.stat_result, after: os.stat_result) -> bool:
    """Say whether nobody wrote to a file between two looks."""
    return (before.st_mtime_ns, before.st_ctime_ns, before.st_size) == (
        after.st_mtime_ns,
        after.st_ctime_ns,
        after.st_size,
    )


class Maker:
    """Makes entries of one source folder in one target folder.

    Args:
        verify: Read every file back before it gets its name.
    """

    def __init__(self, source: int, landing: Landing, brake: Brake, *, verify: bool = False) -> None:
        self._source, self._landing, self._brake, self._verify = source, landing, brake, verify

    def file(self, source: int, name: bytes, info: os.stat_result, *, replace: bool) -> os.stat_result:
        """Copy an opened file to its final name; return the state of the source that was copied.

        A source that is written to meanwhile, or a copy that reads back differently, is copied once more, and then
        given up: nothing stands under the final name.

        Raises:
            Moved: The source was written to the second time, too.
            Differs: It reads back differently the second time, too.
            Stopped: The brake went on.
            FileExistsError: The name was taken meanwhile.
        """
        try:
            self._make(source, name, info, self._fill, replace=replace)
        except (Moved, Differs):
            info = os.fstat(source)
            self._make(source, name, info, self._fill, replace=replace)
        return info

    def clone(self, source: int, name: bytes, info: os.stat_result, *, replace: bool) -> bool:
        """Make an opened file's copy share its content, in no time whatever its size; False where that cannot be.

        Then nothing is made: the filesystem cannot, or the source is written to, or the copy is to be read back.

        Raises:
            FileExistsError: The name was taken meanwhile.
        """
        if self._verify or not self._landing.root.ways.may_clone(self._devices(info)):
            return False
        try:
            self._make(source, name, info, self._share, replace=replace)
        except (Moved, _Unshared):
            return False
        return True

    def _make(self, source: int, name: bytes, info: os.stat_result, fill: _Fill, *, replace: bool) -> None:
        landing = self._landing
        xattrs = attributes.xattr_names(source)
        draft = landing.draft(name, info, xattrs, replace=replace)
        try:
            fill(source, draft.fd, info)
            same = not self._verify or self._is_same(source, draft.fd, info)
            if not unchanged(info, os.fstat(source)):
                raise Moved
            if not same:
                raise Differs
            landing.give(source, draft, name, info, xattrs)
            landing.publish(draft, name, info.st_size, replace=replace)
        except BaseException:
            landing.abandon(draft)
            raise

    def _fill(self, source: int, target: int, info: os.stat_result) -> None:
        landing = self._landing
        copy_all(source, target, info, landing.root.ways, self._devices(info), self._brake, landing.traits)

    def _share(self, source: int, target: int, info: os.stat_result) -> None:
        landing = self._landing
        if not clone_all(source, target, info, landing.root.ways, self._devices(info), landing.traits):
            raise _Unshared

    def _devices(self, info: os.stat_result) -> tuple[int, int]:
        return info.st_dev, self._landing.device

    def _is_same(self, source: int, target: int, info: os.stat_result) -> bool:
        size_bytes = 0 if is_unsized(source, info) else info.st_size
        return same_on_disk(source, target, size_bytes, self._brake)

    def nameless(self, name: bytes, target_name: bytes, info: os.stat_result, *, replace: bool) -> None:
        """Make a link, FIFO, socket or device like the one called `name` in the source folder.

        Raises:
            FileExistsError: The name was taken meanwhile.
            Unmade: There is no such thing at the target.
        """
        landing = self._landing
        if landing.own:
            if replace:
                os.unlink(target_name, dir_fd=landing.fd)
            scratch = target_name
        else:
            scratch = landing.scratch(target_name, info)
        self._create(name, scratch, info)
        try:
            landing.give_nameless(self._source, name, scratch, target_name, info)
            if not landing.own:
                landing.settle(scratch, target_name, replace=replace)
        except BaseException:
            discard(landing.fd, scratch)
            raise

    def _create(self, name: bytes, scratch: bytes, info: os.stat_result) -> None:
        folder = self._landing.fd
        points_to = os.readlink(name, dir_fd=self._source) if stat.S_ISLNK(info.st_mode) else b""
        try:
            if points_to:
                os.symlink(points_to, scratch, dir_fd=folder)
            elif stat.S_ISFIFO(info.st_mode):
                os.mkfifo(scratch, 0o600, dir_fd=folder)
            else:
                os.mknod(scratch, stat.S_IFMT(info.st_mode) | 0o600, info.st_rdev, dir_fd=folder)
        except OSError as error:
            too_long = error.errno == errno.ENAMETOOLONG and len(points_to) > _SHORTEST_LINK_BYTES
            if too_long or error.errno in _NO_SUCH_THING:
                raise Unmade from error
            raise
