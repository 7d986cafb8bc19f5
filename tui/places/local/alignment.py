"""Giving an entry that has the right content the rest of its source: owner, mode, access lists, attributes, times.

Content is never touched here. What the target cannot hold, or this user may not set, is left as it is.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tui.places.local import attributes, syscalls
from tui.places.local.standing import same_time, time_step_ns

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from tui.places.local.content import Ways
    from tui.places.local.traits import Traits

_NO_ATTRIBUTES: Mapping[str, bytes] = {}


def is_aligned(
    source_folder: int,
    name: bytes,
    info: os.stat_result,
    folder: int,
    there: bytes,
    standing: os.stat_result,
    ways: Ways,
) -> bool:
    """Say whether two entries of one kind, in two opened folders, agree in all that is not content.

    Folders may differ in their times: these follow from what is done in them.
    """
    if (info.st_uid, info.st_gid) != (standing.st_uid, standing.st_gid):
        return False
    if not stat.S_ISLNK(info.st_mode) and stat.S_IMODE(info.st_mode) != stat.S_IMODE(standing.st_mode):
        return False
    if not stat.S_ISDIR(info.st_mode):
        step = time_step_ns(standing.st_dev, ways)
        if not same_time(info.st_mtime_ns, standing.st_mtime_ns, step):
            return False
    if stat.S_ISLNK(info.st_mode):  # what could be there cannot be set
        return True
    return named_attributes(_path(source_folder, name)) == named_attributes(_path(folder, there))


def named_attributes(path: bytes | int) -> Mapping[str, bytes]:
    """Return the extended attributes, access lists among them, that a copy by this user would carry."""
    if not hasattr(os, "listxattr"):
        return _NO_ATTRIBUTES
    try:
        names = os.listxattr(path, follow_symlinks=False) if isinstance(path, bytes) else os.listxattr(path)
        if not names:
            return _NO_ATTRIBUTES
        follow = not isinstance(path, bytes)
        return {name: os.getxattr(path, name, follow_symlinks=follow) for name in names if _is_carried(name)}
    except OSError as error:
        if error.errno in attributes.UNKEPT:
            return _NO_ATTRIBUTES
        raise


def align(
    source_folder: int, name: bytes, info: os.stat_result, folder: int, there: bytes, traits: Traits
) -> None:
    """Make owner, mode, access lists, attributes and time of `there` those of `name`; note what it cannot hold.

    The entry is pinned by a descriptor first, so that one swapped in under its name is left alone, and a file that has
    other names as well is not changed through this one.
    """
    if not syscalls.O_PATH:
        attributes.give_by_name(folder, there, info, traits)  # not pinned: it cannot be, here
        return
    fd = os.open(there, syscalls.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        now = os.fstat(fd)
        if stat.S_IFMT(now.st_mode) != stat.S_IFMT(info.st_mode) or now.st_nlink != 1:
            return
        _give(_path(source_folder, name), info, now, f"/proc/self/fd/{fd}", traits)
    finally:
        os.close(fd)


def _give(source: bytes, info: os.stat_result, now: os.stat_result, pinned: str, traits: Traits) -> None:
    mode = stat.S_IMODE(info.st_mode)
    if (info.st_uid, info.st_gid) != (now.st_uid, now.st_gid):
        mode = attributes.give_owner(pinned, info, mode, traits)
    if not stat.S_ISLNK(info.st_mode):
        if now.st_uid == os.geteuid() != 0 and not now.st_mode & stat.S_IWUSR:
            attributes.set_mode(pinned, stat.S_IMODE(now.st_mode) | stat.S_IWUSR)  # or it takes no attributes
        wanted = named_attributes(source)
        _give_named(wanted, pinned, traits)
        mode = attributes.mode_kept(source, mode, wanted, traits)
        if mode != stat.S_IMODE(os.stat(pinned).st_mode):
            attributes.set_mode(pinned, mode, traits)
    if info.st_mtime_ns != now.st_mtime_ns:
        attributes.set_times(pinned, info, traits)


def _give_named(wanted: Mapping[str, bytes], target: str, traits: Traits) -> None:
    """Make the extended attributes of an entry those wanted: others go. (Access lists come last: see `copy_xattrs`.)"""
    drop_others(wanted, target)
    for name in sorted(wanted, key=attributes.is_acl):
        if not attributes.set_xattr(target, name, wanted[name]):
            attributes.lose_attribute(name, traits)


def drop_others(wanted: Container[str], target: str | int) -> None:
    """Remove the extended attributes of an entry, of those a copy by this user would carry, that are not wanted."""
    if not hasattr(os, "listxattr"):
        return
    with attributes.Tolerant():
        for name in os.listxattr(target):
            if name not in wanted and _is_carried(name):
                with attributes.Tolerant():
                    os.removexattr(target, name)


def _is_carried(name: str) -> bool:
    """Say whether an attribute belongs to the file, and not to the system it lies on, and may be set by this user."""
    if name in (attributes.ACCESS_ACL, attributes.DEFAULT_ACL) or name.startswith("user."):
        return True
    return os.geteuid() == 0 and not name.startswith("system.") and attributes.belongs_to_file(name)


def _path(folder: int, name: bytes) -> bytes:
    return b"/proc/self/fd/%d/%s" % (folder, name)
