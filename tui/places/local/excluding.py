"""What a job leaves out of local folders."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tui.model.error import PlaceError
from tui.places.local import syscalls
from tui.places.local.root import join

if TYPE_CHECKING:
    from collections.abc import Generator

    from tui.model.exclusion import Exclusion
    from tui.places.local.hops import Brake
    from tui.places.local.root import Root

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def leaves_out(exclude: Exclusion, path: bytes, *stands: os.stat_result | None) -> bool:
    """Say whether an entry is left out, by what it is on one side or on the other.

    Args:
        path: From the folder that is copied or compared.
    """
    return bool(exclude) and any(
        info is not None and exclude.covers(path, folder=stat.S_ISDIR(info.st_mode)) for info in stands
    )


def names_left(exclude: Exclusion, folder: int, path: bytes) -> Generator[bytes]:
    """Yield the names in an opened folder that are not left out, through a descriptor of its own.

    Args:
        path: From the folder that is copied.
    Raises:
        OSError: It cannot be read.
    """
    fd = os.open(b".", _FOLDER, dir_fd=folder)
    try:
        with os.scandir(fd) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if not exclude or not exclude.covers(
                    join(path, name), folder=entry.is_dir(follow_symlinks=False)
                ):
                    yield name
    finally:
        syscalls.let_go(fd)


def holds_excluded(root: Root, folder: bytes, path: bytes, exclude: Exclusion, brake: Brake) -> bool:
    """Say whether anything in a folder is left out, or may be: not all of it could be looked at.

    Args:
        folder: Below the root.
        path: The same, from the folder that is synced.
    """
    waiting = [b""]
    while waiting:
        below = waiting.pop()
        if brake.on:
            return True
        try:
            fd = root.folder(join(folder, below) if below else folder)
        except PlaceError:
            return True
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    inside = join(below, os.fsencode(entry.name))
                    is_one = entry.is_dir(follow_symlinks=False)
                    if exclude.covers(join(path, inside), folder=is_one):
                        return True
                    if is_one:
                        waiting.append(inside)
        except OSError:
            return True
        finally:
            syscalls.let_go(fd)
    return False
