"""What an entry has besides content: owner, mode, extended attributes (ACLs among them) and times, and how they travel.

Times are always set last, so that an entry whose copy was cut short never has the time of a complete one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from tui.model.fidelity import Loss
from tui.places.local import syscalls

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from tui.places.local.traits import Traits

ACCESS_ACL = "system.posix_acl_access"
DEFAULT_ACL = "system.posix_acl_default"
_ACLS = (ACCESS_ACL, DEFAULT_ACL)
_LABELS = frozenset({"security.selinux", "security.SMACK64"})
"""Given by the machine's own policy to all that is made on it: one that cannot be taken along is no loss."""
_OF_THE_FILESYSTEM = ("trusted.SGI_", "security.evm")
"""XFS shows its access lists a second time under such names, and who removes the one removes the other; a seal of the
kernel's fits one inode alone. (As in libattr's xattr.conf, which says what `cp -a` leaves out.)"""

UNKEPT = frozenset(
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
"""The target cannot hold it, or this user may not set it: the file itself is none the worse, and it is told."""

_HAS_XATTRS = hasattr(os, "listxattr")
SET_ID = stat.S_ISUID | stat.S_ISGID

_ACL_GROUP_OBJ = 0x04
"""In the kernel's form of an access list (linux/posix_acl_xattr.h): the entry of the owning group."""


def xattr_names(fd: int) -> list[str]:
    """Return the names of an open file's extended attributes; none where there are none to be had."""
    if not _HAS_XATTRS:
        return []
    try:
        return os.listxattr(fd)
    except OSError as error:
        if error.errno in UNKEPT:
            return []
        raise


def is_acl(name: str) -> bool:
    return name in _ACLS


def belongs_to_file(name: str) -> bool:
    """Say whether an extended attribute goes where its file goes: some are the filesystem's own."""
    return not name.startswith(_OF_THE_FILESYSTEM)


def has_default_acl(folder: int) -> bool:
    """Say whether what is made in a folder is born with an access list of the folder's making."""
    if not _HAS_XATTRS:
        return False
    try:
        os.getxattr(folder, DEFAULT_ACL)
    except OSError as error:
        if error.errno in UNKEPT:
            return False
        raise
    return True


def set_owner(target: int | str, info: os.stat_result) -> bool:
    """Give owner and group, or the group alone where only that is allowed; say whether both are now right."""
    for uid, gid in ((info.st_uid, info.st_gid), (-1, info.st_gid)):
        try:
            os.chown(target, uid, gid)
        except OSError as error:
            if error.errno not in UNKEPT:
                raise
        else:
            return uid != -1
    return False


def give_owner(target: int | str, info: os.stat_result, mode: int, traits: Traits) -> int:
    """Give an entry its owner, if that is wanted; return the mode it may have then.

    Where the owner is not the source's, nobody is to get a program that runs as somebody else.
    """
    if traits.owner:
        if set_owner(target, info):
            return mode
        traits.lose(Loss.OWNER)
    if mode & SET_ID:
        traits.lose(Loss.MODE)
    return mode & ~SET_ID


def set_mode(target: int | str, mode: int, traits: Traits | None = None) -> None:
    with Tolerant(traits, Loss.MODE):
        os.chmod(target, mode)


def set_times(target: int | str, info: os.stat_result, traits: Traits | None = None) -> None:
    try:  # (it is called for every file: a context manager takes as long as the call)
        os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
    except OSError as error:
        if error.errno not in UNKEPT:
            raise
        if traits is not None:
            traits.lose(Loss.TIMES)


def copy_xattrs(
    source: int | str | bytes, target: int | str, names: Sequence[str], traits: Traits, *, follow: bool = True
) -> None:
    """Copy the extended attributes that are wanted; those the target cannot hold are left out.

    Access lists come last: one may take the right to write from the owner, without whom there are no others to be set.

    Args:
        follow: What `source` names may be a link to what is meant.
    Raises:
        OSError: ENOSPC, EDQUOT: the disk is full; EIO.
    """
    for name in sorted(names, key=is_acl):
        if not (traits.acl if is_acl(name) else traits.xattr) or not belongs_to_file(name):
            continue
        try:
            value = os.getxattr(source, name, follow_symlinks=follow)
        except OSError as error:
            if error.errno not in UNKEPT:
                raise
            held = False
        else:
            held = set_xattr(target, name, value)
        if not held:
            lose_attribute(name, traits)


def set_xattr(target: int | str, name: str, value: bytes) -> bool:
    """Set an extended attribute; say whether the target can hold it, and lets this user set it.

    Raises:
        OSError: ENOSPC, EDQUOT: the disk is full; EIO.
    """
    try:
        os.setxattr(target, name, value)
    except OSError as error:
        # ext4 says ENOSPC also where all attributes together do not fit beside one file.
        if error.errno not in UNKEPT and not (error.errno == errno.ENOSPC and _has_room(target)):
            raise
        return False
    return True


def lose_attribute(name: str, traits: Traits) -> None:
    """Note that an extended attribute did not come along, where that is a loss."""
    if name not in _LABELS:
        traits.lose(Loss.ACL if is_acl(name) else Loss.XATTR)


def mode_kept(source: int | str | bytes, mode: int, names: Container[str], traits: Traits) -> int:
    """Return the mode for an entry whose access list may not have come along.

    Beside a list, the group's bits in the mode are the most that anybody named in it may do; without it they would
    become rights of the owning group, which it may never have had.

    Args:
        names: Of the source's extended attributes.
    """
    if ACCESS_ACL not in names or (traits.acl and Loss.ACL not in traits.lost):
        return mode
    try:
        entries = os.getxattr(source, ACCESS_ACL, follow_symlinks=isinstance(source, int))
    except OSError:
        return mode & ~0o070
    for start in range(4, len(entries) - 7, 8):
        tag = int.from_bytes(entries[start : start + 2], "little")
        if tag == _ACL_GROUP_OBJ:
            rights = int.from_bytes(entries[start + 2 : start + 4], "little")
            return mode & ~0o070 | mode & (rights & 7) << 3
    return mode & ~0o070


def _has_room(target: int | str) -> bool:
    return os.statvfs(target).f_bavail > 0


def drop_acls(target: int | str, names: Sequence[str]) -> None:
    """Remove access lists the source does not have: a folder's default list gives them to all that is made in it."""
    for acl in _ACLS:
        if acl not in names and _HAS_XATTRS:
            with Tolerant():
                os.removexattr(target, acl)


def give_folder(source: int, target: int, traits: Traits) -> os.stat_result:
    """Make a folder's owner, mode, access lists, attributes and times those of another folder, as far as wanted.

    Returns:
        What it is then.
    """
    info, stands = os.fstat(source), os.fstat(target)
    names = xattr_names(source)
    mode = stat.S_IMODE(info.st_mode)
    if (info.st_uid, info.st_gid) != (stands.st_uid, stands.st_gid):
        mode = give_owner(target, info, mode, traits)
        stands = os.fstat(target)
    if names or xattr_names(target):
        if traits.acl:
            drop_acls(target, names)
        copy_xattrs(source, target, names, traits)
        mode = mode_kept(source, mode, names, traits)
        stands = os.fstat(target)
    if mode != stat.S_IMODE(stands.st_mode):
        set_mode(target, mode, traits)
    if traits.times:
        set_times(target, info, traits)
    made = os.fstat(target)
    traits.compare(info, mode, made)
    return made


def give_nameless(
    source_folder: int,
    source: bytes,
    target_folder: int,
    target: bytes,
    info: os.stat_result,
    traits: Traits,
    note: Callable[[int, int], None],
    *,
    exact: bool,
) -> os.stat_result | None:
    """Give a new link, FIFO, socket or device, just made as `target`, what is wanted of the source's besides its kind.

    It is reached through a descriptor that pins it, so that an entry swapped in under its name is left alone.

    Args:
        note: Called with its mode and a descriptor when all but the time was given.
        exact: The filesystem makes nothing else of it; nobody looks back.

    Returns:
        What it was seen to be in the end; None where nobody looked.
    """
    if not syscalls.O_PATH:
        give_by_name(target_folder, target, info, traits)
        return None
    fd = os.open(target, syscalls.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=target_folder)
    try:
        made = os.fstat(fd)
        if stat.S_IFMT(made.st_mode) != stat.S_IFMT(info.st_mode) or made.st_nlink != 1:
            return None
        path = f"/proc/self/fd/{fd}"
        mode = stat.S_IMODE(info.st_mode)
        if (made.st_uid, made.st_gid) != (info.st_uid, info.st_gid):
            mode = give_owner(path, info, mode, traits)
        mode = _copy_xattrs_by_name(source_folder, source, path, info, mode, traits)
        if not stat.S_ISLNK(info.st_mode) and mode != stat.S_IMODE(os.stat(path).st_mode):
            set_mode(path, mode, traits)
        note(stat.S_IFMT(info.st_mode) | mode, fd)
        if traits.times:
            set_times(path, info, traits)
        if exact and not mode & SET_ID:
            return None
        made = os.fstat(fd)
        traits.compare(info, mode, made)
        return made
    finally:
        syscalls.let_go(fd)


def give_by_name(folder: int, name: bytes, info: os.stat_result, traits: Traits) -> None:
    if traits.owner:
        with Tolerant(traits, Loss.OWNER):
            os.chown(name, info.st_uid, info.st_gid, dir_fd=folder, follow_symlinks=False)
    with Tolerant(traits, Loss.MODE), contextlib.suppress(NotImplementedError):
        os.chmod(name, stat.S_IMODE(info.st_mode), dir_fd=folder, follow_symlinks=False)
    if traits.times:
        with Tolerant(traits, Loss.TIMES):
            os.utime(name, ns=(info.st_atime_ns, info.st_mtime_ns), dir_fd=folder, follow_symlinks=False)


def _copy_xattrs_by_name(
    folder: int, name: bytes, target: str, info: os.stat_result, mode: int, traits: Traits
) -> int:
    """Copy what is wanted of the attributes of an entry that cannot be opened; return the mode it is to have then."""
    source = b"/proc/self/fd/%d/%s" % (folder, name)
    try:
        names = os.listxattr(source, follow_symlinks=False)
        born = [] if stat.S_ISLNK(info.st_mode) else os.listxattr(target)  # a link gets no access list
    except OSError as error:
        if error.errno in UNKEPT:
            return mode
        raise
    if traits.acl and ACCESS_ACL in born:
        drop_acls(target, names)
    copy_xattrs(source, target, names, traits, follow=False)
    return mode_kept(source, mode, names, traits)


class Tolerant:
    """A context that lets pass what a target cannot hold or this user may not set, and notes it as a loss.

    (A class: a generator would cost as much as what is done in it.)
    """

    __slots__ = ("_loss", "_traits")

    def __init__(self, traits: Traits | None = None, loss: Loss | None = None) -> None:
        self._traits, self._loss = traits, loss

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, OSError) or error.errno not in UNKEPT:
            return False
        if self._traits is not None and self._loss is not None:
            self._traits.lose(self._loss)
        return True


class Mirror:
    """Keeps a target folder that already equals its source (in time) looking so, though something is put into it late.

    An answered question or a retried file comes after the folder was finished; without this the folder's time would
    tell of the repair instead of the source.
    """

    def __init__(self, source: int, target: int, *, finished: bool = False) -> None:
        """Look at both folders.

        Args:
            finished: The target has its time for sure, though the source's is another one now (a move took from it).
        """
        before = os.fstat(target)
        alike = finished or before.st_mtime_ns == os.fstat(source).st_mtime_ns
        self._before = before if alike else None

    def restore(self, target: int) -> None:
        if self._before is not None and os.fstat(target).st_mtime_ns != self._before.st_mtime_ns:
            set_times(target, self._before)
