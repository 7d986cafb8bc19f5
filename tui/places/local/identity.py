"""Which entry it is: by what something that was moved is known again under its new name.

An inode's number is soon given to another entry once the first has gone. So a folder is known by the moment it was made
as well (where the filesystem keeps that), anything else by its size and its time.
"""

from __future__ import annotations

import os
import stat
from enum import Enum

from tui.places.local import syscalls


class Likeness(Enum):
    """How an entry compares with the one that was kept in mind."""

    SAME = "same"
    CHANGED = "changed"
    """The same entry, with other content."""
    OTHER = "other"


def identify(folder: int, name: bytes, info: os.stat_result | None = None) -> str:
    """Return what an entry is known by, as short text: kind, device, inode, size and time.

    Args:
        info: Its state, where that was looked at already.
    Raises:
        OSError: As lstat(2).
    """
    info = info or os.lstat(name, dir_fd=folder)
    kind = stat.S_IFMT(info.st_mode)
    size_bytes, time_ns = info.st_size, info.st_mtime_ns
    if kind == stat.S_IFDIR:
        size_bytes, time_ns = 0, syscalls.born_ns(folder, name)
    return f"{kind:o} {info.st_dev} {info.st_ino} {size_bytes} {time_ns}"


def compare(kept: str, now: str) -> Likeness:
    """Compare two identities. Devices count only where nothing better is known: their numbers change with a mount."""
    kind, device, inode, size_bytes, time_ns = kept.split()
    kind_now, device_now, inode_now, size_bytes_now, time_ns_now = now.split()
    if (kind, inode) != (kind_now, inode_now):
        return Likeness.OTHER
    if int(kind, 8) != stat.S_IFDIR:
        same = (size_bytes, time_ns) == (size_bytes_now, time_ns_now)
        return Likeness.SAME if same else Likeness.CHANGED
    unknown = "0" in (time_ns, time_ns_now)
    same = device == device_now if unknown else time_ns == time_ns_now
    return Likeness.SAME if same else Likeness.OTHER


def device_of(identity: str) -> int:
    """Return the device an identity was taken on."""
    return int(identity.split()[1])


def inode_of(identity: str) -> int:
    return int(identity.split()[2])
