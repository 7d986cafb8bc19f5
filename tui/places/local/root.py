"""An opened folder from which everything below is reached without following a link."""

from __future__ import annotations

import errno
import os
import stat
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tui.model.error import NotFound, from_os_error
from tui.model.location import Location
from tui.places.local import syscalls
from tui.places.local.content import Ways

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_SEGMENT_BYTES = 3000
"""Paths are walked in pieces below PATH_MAX (4,096), so that a tree may be as deep as it likes."""

_WIDEST_UMASK = 0o777
"""Assumed where there is no /proc to tell: every mode is then set by hand."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_STEP = (syscalls.O_PATH or os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


class RootId(NamedTuple):
    """An opened folder, as another process can find it and be sure that it is the same."""

    path: str
    device: int
    inode: int


class Root:
    """An opened folder. A link swapped in anywhere below it cannot send a reader or a writer elsewhere.

    Attributes:
        ways: What has been learnt about the devices below; shared by all that work from this root.
    """

    def __init__(self, path: str, fd: int) -> None:
        self.path, self.fd = path, fd
        try:
            info = os.fstat(fd)
        except OSError as error:
            syscalls.let_go(fd)
            raise from_os_error(error, Location.local(path), "open the folder") from error
        self.device, self.inode = info.st_dev, info.st_ino
        self.id = RootId(path, info.st_dev, info.st_ino)
        self.ways = Ways()

    @cached_property
    def umask(self) -> int:
        """What this process takes from the modes of what it makes; looked up when first asked for."""
        return read_umask()

    @classmethod
    def open(cls, path: str) -> Root:
        """Open a folder a person named: links in its path are followed, once, here.

        Raises:
            PlaceError: It is not there, not a folder, or not allowed.
        """
        try:
            return cls(path, _open_path(os.fsencode(path)))
        except OSError as error:
            raise from_os_error(error, Location.local(path), "open the folder") from error

    def folder(self, relative: bytes) -> int:
        """Open a folder below ("" is this one itself) and return its descriptor; the caller closes it.

        Raises:
            PlaceError: LinkInTheWay where a link stands in the path; NotFound, NotAFolder, PermissionDenied, …
        """
        try:
            return _open_below(self.fd, relative)
        except OSError as error:
            raise from_os_error(error, self.location(relative), "open the folder") from error

    def location(self, relative: bytes = b"", name: bytes = b"") -> Location:
        """Return where something below is, for messages."""
        parts = [part for part in (relative, name) if part]
        return Location(os.fsdecode(b"/".join([os.fsencode(self.path).rstrip(b"/"), *parts])) or "/")

    def close(self) -> None:
        """Close the folder; what was opened from it stays open."""
        fd, self.fd = self.fd, -1
        syscalls.let_go(fd)

    def __enter__(self) -> Root:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Root {self.path!r}, {'open' if self.fd >= 0 else 'closed'}>"


def join(folder: bytes, name: bytes) -> bytes:
    """Return the relative path of an entry of a folder."""
    return folder + b"/" + name if folder else name


def split(path: bytes) -> tuple[bytes, bytes]:
    """Return the folder and the name of a relative path."""
    folder, _, name = path.rpartition(b"/")
    return folder, name


def read_umask() -> int:
    """Return the umask without touching it (setting it to read it would race with other threads); 0o777 if unknown."""
    try:
        status = Path("/proc/self/status").read_bytes()
    except OSError:
        return _WIDEST_UMASK
    for line in status.splitlines():
        if line.startswith(b"Umask:"):
            return int(line.split()[1], 8)
    return _WIDEST_UMASK


def _segments(path: bytes) -> list[bytes]:
    """Cut a path at slashes into pieces of less than PATH_MAX, in order."""
    if len(path) <= _SEGMENT_BYTES:
        return [path]
    pieces: list[bytes] = []
    held: list[bytes] = []
    length = 0
    for part in path.split(b"/"):
        if held and length + len(part) > _SEGMENT_BYTES:
            pieces.append(b"/".join(held))
            held, length = [], 0
        held.append(part)
        length += len(part) + 1
    return [*pieces, b"/".join(held)]


def _walk(start: int, pieces: list[bytes], step: Callable[[int, bytes, bool], int]) -> int:
    """Open piece after piece, each from the one before (`step(fd, piece, last)`); `start` stays open."""
    fd = start
    try:
        for place, piece in enumerate(pieces):
            inner = step(fd, piece, place == len(pieces) - 1)
            if fd != start:
                syscalls.let_go(fd)
            fd = inner
    except BaseException:
        if fd != start:
            syscalls.let_go(fd)
        raise
    return fd


def _open_path(path: bytes) -> int:
    first = os.open(b"/" if path.startswith(b"/") else b".", _STEP)
    pieces = [piece for piece in _segments(path.strip(b"/")) if piece]
    if not pieces:
        return first
    try:
        return _walk(first, pieces, lambda fd, piece, _last: os.open(piece, _STEP, dir_fd=fd))
    finally:
        syscalls.let_go(first)


def _open_below(folder: int, relative: bytes) -> int:
    if not relative:
        return os.open(b".", _FOLDER, dir_fd=folder)
    return _walk(
        folder, _segments(relative), lambda fd, piece, last: _beneath(fd, piece, _FOLDER if last else _STEP)
    )


def _beneath(folder: int, path: bytes, flags: int) -> int:
    try:
        return syscalls.open_beneath(folder, path, flags)
    except OSError as error:
        # EPERM is how some sandboxes answer calls they do not know.
        if error.errno not in (errno.ENOSYS, errno.EPERM):
            raise
    parts = [part for part in path.split(b"/") if part]
    return _walk(folder, parts, lambda fd, part, last: _plain_step(fd, part, flags if last else _STEP))


def _plain_step(folder: int, name: bytes, flags: int) -> int:
    """Go one folder down, where there is no openat2."""
    if name == b"..":
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    try:
        return os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ENOTDIR and stat.S_ISLNK(os.lstat(name, dir_fd=folder).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error
        raise


def nearest(folder: Location) -> tuple[Root, bool]:
    """Open a folder, or the nearest one above it that is there; say whether it is the folder itself.

    Raises:
        PlaceError: It, or that one, cannot be opened.
    """
    there = True
    while True:
        try:
            return Root.open(folder.path), there
        except NotFound:
            if folder.is_root:
                raise
            folder, there = folder.parent, False
