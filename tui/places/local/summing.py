"""Checksums of files, as their disks have them: SHA-256 and BLAKE3."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tui.model.error import IsAFolder, LinkInTheWay, PlaceError, Unsupported, from_os_error
from tui.model.location import Location
from tui.places.local import checkpoint
from tui.places.local.partial import is_partial
from tui.places.local.root import Root, join
from tui.places.local.standing import READ_FLAGS
from tui.places.local.verifying import SLICE_BYTES, forget, read_from_disk

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_CHUNK_BYTES = 1 << 20
_PATH_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Algorithm(StrEnum):
    """How a sum is made; both have 64 hexadecimal digits."""

    SHA256 = "sha256"
    BLAKE3 = "blake3"


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of one file.

    Attributes:
        path: Where it is, from the folder that holds what was named.
        mark: By what is seen that nobody has written to it since; without spaces.
        size_bytes: What was not read of it, since its sum was known.
    """

    path: bytes
    digest: str
    mark: str
    size_bytes: int = 0


Known = Callable[[bytes, str], str | None]
"""Returns the sum of a file that was summed before under this path and with this mark, if it was."""


def _nothing(path: bytes, mark: str) -> None:
    return None


Piece = Sum | PlaceError | int
"""What comes of summing: a sum, something that could not be read, or that so many bytes were read."""


def sums_below(location: Location, algorithm: Algorithm, known: Known = _nothing) -> Iterator[Piece]:
    """Sum an entry, or all regular files below it, folder by folder in order of names.

    No link is followed, and what is no regular file is passed over; one that was named itself is an error.
    """
    try:
        with Root.open(location.parent.path) as root:
            name = os.fsencode(location.name) or b"."
            info = os.lstat(name, dir_fd=root.fd)
            if stat.S_ISDIR(info.st_mode):
                yield from _tree(root, name, algorithm, known)
            elif stat.S_ISLNK(info.st_mode):
                remedy = "Name what it points to."
                yield LinkInTheWay(f"cannot sum {location}: it is a link", remedy, location=location)
            elif not stat.S_ISREG(info.st_mode):
                yield Unsupported(
                    f"cannot sum {location}: it is not a regular file", "Leave it out.", location=location
                )
            else:
                yield from _file(root, root.fd, (b"", name), algorithm, known)
    except PlaceError as error:
        yield error
    except OSError as error:
        yield from_os_error(error, location, "read")


def _tree(root: Root, top: bytes, algorithm: Algorithm, known: Known) -> Iterator[Piece]:
    waiting = [top]
    while waiting:
        path = waiting.pop()
        below: list[bytes] = []
        try:
            folder = root.folder(path)
        except PlaceError as error:
            yield error
            continue
        try:
            files: list[bytes] = []
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = os.fsencode(entry.name)
                    if is_partial(name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        below.append(join(path, name))
                    elif entry.is_file(follow_symlinks=False):
                        files.append(name)
            for name in sorted(files):
                yield from _file(root, folder, (path, name), algorithm, known)
        except OSError as error:
            yield from_os_error(error, root.location(path), "read the folder")
        finally:
            os.close(folder)
        waiting += sorted(below, reverse=True)


def _file(
    root: Root, folder: int, entry: tuple[bytes, bytes], algorithm: Algorithm, known: Known
) -> Iterator[Piece]:
    path, name = join(*entry), entry[1]
    with ExitStack() as opened:
        try:
            fd = os.open(name, READ_FLAGS, dir_fd=folder)
            opened.callback(os.close, fd)
            mark, size_bytes = ":".join(map(str, checkpoint.mark(fd))), 0
            digest = known(path, mark)
            if digest is not None:
                size_bytes = os.fstat(fd).st_size
            else:
                digest = yield from _digest(fd, algorithm)
        except OSError as error:
            yield from_os_error(error, root.location(*entry), "read")
            return
    yield Sum(path, digest, mark, size_bytes)


def sum_of(path: bytes, algorithm: Algorithm) -> Generator[int, None, str]:
    """Sum one file, a link to it followed; yield how many bytes were read, and return the sum.

    Raises:
        PlaceError: It cannot be read.
    """
    location = Location(os.fsdecode(os.path.abspath(path)))
    try:
        fd = os.open(path, _PATH_FLAGS)
        try:
            mode = os.fstat(fd).st_mode
            if stat.S_ISDIR(mode):
                raise IsAFolder(f"cannot sum {location}: it is a folder", location=location)
            if not stat.S_ISREG(mode):
                raise Unsupported(f"cannot sum {location}: it is not a regular file", location=location)
            return (yield from _digest(fd, algorithm))
        finally:
            os.close(fd)
    except OSError as error:
        raise from_os_error(error, location, "read") from error


def _hasher(algorithm: Algorithm) -> Any:
    if algorithm is Algorithm.SHA256:
        return hashlib.sha256()
    from blake3 import blake3

    return blake3()


def _digest(fd: int, algorithm: Algorithm) -> Generator[int, None, str]:
    digest, offset = _hasher(algorithm), 0
    while True:
        if offset % SLICE_BYTES == 0:
            forget(fd, offset, 2 * SLICE_BYTES)
        data = read_from_disk(fd, _CHUNK_BYTES, offset)
        if not data:
            hexadecimal: str = digest.hexdigest()
            return hexadecimal
        digest.update(data)
        offset += len(data)
        yield len(data)
