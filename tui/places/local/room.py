"""Room on a filesystem, and whether copies there share what the source already takes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.places.local import syscalls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.places.local.root import Root


@dataclass(frozen=True, slots=True)
class Room:
    """What is free where something goes, as this user may use it; None where that is unlimited or not told.

    Attributes:
        mount: Where the filesystem is mounted.
        free_files: Files and folders that can still be made there.
    """

    mount: str
    free_bytes: int | None
    free_files: int | None


def room_in(folder: Root) -> Room:
    """Measure the filesystem of an opened folder.

    Raises:
        OSError: It does not tell.
    """
    found = os.fstatvfs(folder.fd)
    unit = found.f_frsize or found.f_bsize
    return Room(
        _mount_of(os.path.realpath(folder.path)),
        found.f_bavail * unit if found.f_blocks else None,
        found.f_favail if found.f_files else None,
    )


def used_where(paths: Iterable[str]) -> tuple[int, int] | None:
    """Return the bytes and inodes in use on the filesystems these paths are on; None where one does not tell."""
    used: dict[int, tuple[int, int]] = {}
    for path in paths:
        try:
            device = os.lstat(path).st_dev
            if device not in used:
                found = os.statvfs(path)
                unit = found.f_frsize or found.f_bsize
                used[device] = (found.f_blocks - found.f_bfree) * unit, found.f_files - found.f_ffree
        except OSError:
            return None
        if used[device] == (0, 0):
            return None
    return sum(size for size, _ in used.values()), sum(files for _, files in used.values())


def _mount_of(path: str) -> str:
    while not os.path.ismount(path):
        path = os.path.dirname(path)
    return path


def shares(source: int, target: int) -> bool:
    """Say whether a copy from one opened folder to another may share the source's blocks, taking no room of its own."""
    kind = syscalls.filesystem_kind(target)
    if kind not in syscalls.SHARING or kind != syscalls.filesystem_kind(source):
        return False
    if os.fstat(source).st_dev == os.fstat(target).st_dev:
        return True
    # Subvolumes of one btrfs have devices of their own; datasets of one ZFS pool cannot be told from two pools.
    if kind == syscalls.BTRFS:
        return syscalls.btrfs_id(source) == syscalls.btrfs_id(target)
    return kind == syscalls.ZFS
