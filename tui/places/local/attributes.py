"""What an entry has besides content: owner, mode, extended attributes (ACLs among them) and times, and how they travel.

Times are always set last, so that an entry whose copy was cut short never has the time of a complete one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from tui.places.local import syscalls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ACCESS_ACL = "system.posix_acl_access"
DEFAULT_ACL = "system.posix_acl_default"

_UNKEPT = frozenset(
    {
        errno.EOPNOTSUPP,
        errno.EPERM,
        errno.EACCES,
        errno.EINVAL,
        errno.ENOSYS,
        errno.ENODATA,
        errno.E2BIG,
        errno.ERANGE,
    }
)
"""The target cannot hold it, or this user may not set it: the file itself is none the worse."""

_HAS_XATTRS = hasattr(os, "listxattr")
_SET_ID = stat.S_ISUID | stat.S_ISGID


def xattr_names(fd: int) -> list[str]:
    """Return the names of an open file's extended attributes; none where there are none to be had."""
    if not _HAS_XATTRS:
        return []
    try:
        return os.listxattr(fd)
    except OSError as error:
        if error.errno in _UNKEPT:
            return []
        raise


def has_default_acl(folder: int) -> bool:
    """Say whether what is made in a folder is born with an access list of the folder's making."""
    if not _HAS_XATTRS:
        return False
    try:
        os.getxattr(folder, DEFAULT_ACL)
    except OSError:
        return False
    return True


def set_owner(target: int | str, info: os.stat_result) -> bool:
    """Give owner and group, or the group alone where only that is allowed; say whether both are now right."""
    for uid, gid in ((info.st_uid, info.st_gid), (-1, info.st_gid)):
        try:
            os.chown(target, uid, gid)
        except OSError as error:
            if error.errno not in _UNKEPT:
                raise
        else:
            return uid != -1
    return False


def set_mode(target: int | str, mode: int) -> None:
    with tolerant():
        os.chmod(target, mode)


def set_times(target: int | str, info: os.stat_result) -> None:
    try:
        os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
    except OSError as error:
        if error.errno not in _UNKEPT:
            raise


def copy_xattrs(source: int | str, target: int | str, names: Sequence[str]) -> None:
    """Copy extended attributes; those the target cannot hold are left out.

    Raises:
        OSError: ENOSPC, EDQUOT: the disk is full; EIO.
    """
    for name in names:
        try:
            os.setxattr(target, name, os.getxattr(source, name))
        except OSError as error:
            # ext4 says ENOSPC also where all attributes together do not fit beside one file.
            if error.errno not in _UNKEPT and not (error.errno == errno.ENOSPC and _has_room(target)):
                raise


def _has_room(target: int | str) -> bool:
    return os.statvfs(target).f_bavail > 0


def drop_acls(target: int, names: Sequence[str]) -> None:
    """Remove access lists the source does not have: a folder's default list gives them to all that is made in it."""
    for acl in (ACCESS_ACL, DEFAULT_ACL):
        if acl not in names and _HAS_XATTRS:
            with tolerant():
                os.removexattr(target, acl)


def give_folder(source: int, target: int) -> None:
    """Make a folder's owner, mode, access lists, attributes and times those of another folder."""
    info, now = os.fstat(source), os.fstat(target)
    names = xattr_names(source)
    mode = stat.S_IMODE(info.st_mode)
    if (info.st_uid, info.st_gid) != (now.st_uid, now.st_gid) and not set_owner(target, info):
        mode &= ~_SET_ID
    if names or xattr_names(target):
        drop_acls(target, names)
        copy_xattrs(source, target, names)
    if mode != stat.S_IMODE(os.fstat(target).st_mode):
        set_mode(target, mode)
    set_times(target, info)


def give_nameless(
    source_folder: int, source: bytes, target_folder: int, target: bytes, info: os.stat_result
) -> None:
    """Give a new link, FIFO, socket or device, just made as `target`, what the source's has besides its kind.

    It is reached through a descriptor that pins it, so that an entry swapped in under its name is left alone.
    """
    if not syscalls.O_PATH:
        give_by_name(target_folder, target, info)
        return
    fd = os.open(target, syscalls.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=target_folder)
    try:
        made = os.fstat(fd)
        if stat.S_IFMT(made.st_mode) != stat.S_IFMT(info.st_mode) or made.st_nlink != 1:
            return
        path = f"/proc/self/fd/{fd}"
        mode = stat.S_IMODE(info.st_mode)
        if (made.st_uid, made.st_gid) != (info.st_uid, info.st_gid) and not set_owner(path, info):
            mode &= ~_SET_ID
        _copy_xattrs_by_name(source_folder, source, path)
        if not stat.S_ISLNK(info.st_mode) and mode != stat.S_IMODE(os.stat(path).st_mode):
            set_mode(path, mode)
        set_times(path, info)
    finally:
        os.close(fd)


def give_by_name(folder: int, name: bytes, info: os.stat_result) -> None:
    with tolerant():
        os.chown(name, info.st_uid, info.st_gid, dir_fd=folder, follow_symlinks=False)
    with tolerant(), contextlib.suppress(NotImplementedError):
        os.chmod(name, stat.S_IMODE(info.st_mode), dir_fd=folder, follow_symlinks=False)
    with tolerant():
        os.utime(name, ns=(info.st_atime_ns, info.st_mtime_ns), dir_fd=folder, follow_symlinks=False)


def _copy_xattrs_by_name(folder: int, name: bytes, target: str) -> None:
    source = b"/proc/self/fd/%d/%s" % (folder, name)
    try:
        names = os.listxattr(source, follow_symlinks=False)
    except OSError:
        return
    for attribute in names:
        with tolerant():
            os.setxattr(target, attribute, os.getxattr(source, attribute, follow_symlinks=False))


@contextlib.contextmanager
def tolerant() -> Iterator[None]:
    """Let pass what a target cannot hold or this user may not set."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNKEPT:
            raise


class Mirror:
    """Keeps a target folder that already equals its source (in time) looking so, though something is put into it late.

    An answered question or a retried file comes after the folder was finished; without this the folder's time would
    tell of the repair instead of the source.
    """

    def __init__(self, source: int, target: int) -> None:
        before = os.fstat(target)
        self._before = before if before.st_mtime_ns == os.fstat(source).st_mtime_ns else None

    def restore(self, target: int) -> None:
        if self._before is not None and os.fstat(target).st_mtime_ns != self._before.st_mtime_ns:
            set_times(target, self._before)
