"""Names of unfinished things at a target, by which a job finds its own again after a restart."""

from __future__ import annotations

import errno
import os
import re
import stat
from hashlib import blake2b
from typing import TYPE_CHECKING

from tui.places.local import syscalls
from tui.places.local.attributes import set_times

if TYPE_CHECKING:
    from tui.places.local.root import Root


STAGE = b".part"
"""How the name ends under which something whole is made ready: a tree, or what is to replace something."""

NO_HALF = frozenset({errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EACCES, errno.EPERM, errno.ETXTBSY})
"""What opening says of something that is no half file: a link, a folder, a pipe, what may not be written to."""

_START = b".ferry-"
_PARTIAL = re.compile(rb"\.ferry-[a-z0-9]{8}-")


def prefix(tag: str) -> bytes:
    """Return how every unfinished name of a job begins."""
    return f".ferry-{tag}-".encode()


def is_partial(name: bytes) -> bool:
    """Say whether a name is that of something a job, whichever, has not finished.

    Such a thing is not the user's: in a folder that is copied, moved, compared or verified it is passed over, on either
    side. It goes with a folder that is deleted, and whoever names it gets it.
    """
    return name.startswith(_START) and _PARTIAL.match(name) is not None


def partial_name(tag: str, name: bytes, info: os.stat_result) -> bytes:
    """Return the name a file has at the target while it is being copied: its identity is in it."""
    return name_of_half(tag, name, info.st_size, info.st_mtime_ns)


def name_of_half(tag: str, name: bytes, size_bytes: int, mtime_ns: int) -> bytes:
    """Return the partial name of a file whose source has this size and time."""
    identity = b"%b\0%d\0%d" % (name, size_bytes, mtime_ns)
    return prefix(tag) + blake2b(identity, digest_size=8).hexdigest().encode()


def own_partials(folder: int, tag: str) -> list[bytes]:
    """Return the names of a job's unfinished files in an opened folder: never of stages, whatever those are."""
    start = prefix(tag)
    with os.scandir(folder) as entries:  # of which there may be a million
        return [
            name
            for entry in entries
            if (name := os.fsencode(entry.name)).startswith(start)
            and not name.endswith(STAGE)
            and not entry.is_dir(follow_symlinks=False)
        ]


def sweep(target: Root, path: bytes, tag: str) -> int:
    """Remove what a job left unfinished in one folder; return how many files went.

    The folder keeps its time: what is removed was never meant to be seen.

    Raises:
        PlaceError: The folder cannot be opened.
    """
    folder = target.folder(path)
    removed = 0
    try:
        before = os.fstat(folder)
        for name in own_partials(folder, tag):
            if discard(folder, name):
                removed += 1
        if removed:
            set_times(folder, before)
    finally:
        syscalls.let_go(folder)
    return removed


def discard(folder: int, name: bytes) -> bool:
    """Remove one unfinished file, if it is there."""
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return False
    return True


def is_own_file(found: os.stat_result, source: os.stat_result) -> bool:
    """Say whether a partial may be written on: an ordinary file of one name, of this user or the source's."""
    return (
        stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid in (os.geteuid(), source.st_uid)
    )
