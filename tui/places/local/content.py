"""How bytes get from one open file into another: the fastest way both filesystems know, holes kept."""

from __future__ import annotations

import errno
import os
import sys
import time
from typing import TYPE_CHECKING

from tui.model.fidelity import Loss
from tui.places.local import syscalls

if TYPE_CHECKING:
    from tui.places.local.hops import Brake
    from tui.places.local.traits import Traits

CHUNK_BYTES, _LEAST_CHUNK_BYTES = 4 << 20, 256 << 10
CHUNK_S = 0.1
"""Between two looks at the brake: at most so much, and less where a disk takes longer than this for it."""
_BUFFER_BYTES = 1 << 20
_CLONE_BYTES = 256 << 10
"""Below this, asking for a clone costs more than it saves (copy_file_range shares blocks by itself where it can)."""
SMALL_BYTES = 64 << 10
"""Up to this, reading and writing costs less than asking the kernel to copy."""

_TRY_NEXT = frozenset(
    {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSOCK, errno.EPERM}
)
"""Answers that mean "not this way": copy_file_range gives EXDEV between two ext4 mounts, EPERM in some sandboxes."""


class Stopped(Exception):
    """The brake was on in the middle of a file."""


class Moved(Exception):
    """The source is not what it was when its copy began."""


def _by_range(source: int, target: int, offset: int, size_bytes: int) -> int:
    return os.copy_file_range(source, target, size_bytes, offset, offset)


def _by_sendfile(source: int, target: int, offset: int, size_bytes: int) -> int:
    os.lseek(target, offset, os.SEEK_SET)
    return os.sendfile(target, source, offset, size_bytes)


def _by_buffer(source: int, target: int, offset: int, size_bytes: int) -> int:
    data = os.pread(source, min(size_bytes, _BUFFER_BYTES), offset)
    written = 0
    while written < len(data):
        written += os.pwrite(target, memoryview(data)[written:], offset + written)
    return written


_WAYS = (
    *((_by_range,) if hasattr(os, "copy_file_range") else ()),
    *((_by_sendfile,) if sys.platform.startswith("linux") else ()),
    _by_buffer,
)


class Ways:
    """Which ways of copying work between two devices, found by trying; safe to share between threads.

    Attributes:
        no_tmpfile: Devices on which nameless files cannot be made or named.
        time_steps_ns: How fine each device keeps times, where it was asked for.
        exact: Devices that were seen to keep owners, modes and times as they are given.
        faithful: Of devices, whether they keep owners and modes if they keep times: see `keeps_all`.
        owners: Owner and group of what this process makes in a folder: by its device, its group, and whether that is
            passed on (S_ISGID).
    """

    def __init__(self) -> None:
        self._way: dict[tuple[int, int], int] = {}
        self._no_clone: set[tuple[int, int]] = set()
        self._chunk_bytes: dict[tuple[int, int], int] = {}
        self.no_tmpfile: set[int] = set()
        self.time_steps_ns: dict[int, int] = {}
        self.exact: set[int] = set()
        self.faithful: dict[int, bool] = {}
        self.owners: dict[tuple[int, int, int], tuple[int, int]] = {}

    def may_clone(self, devices: tuple[int, int]) -> bool:
        """Say whether files there may share content, as far as is known."""
        return devices not in self._no_clone

    def clone(self, source: int, target: int, devices: tuple[int, int]) -> bool:
        """Share the whole content, where the filesystem can; `target` must be empty."""
        if not self.may_clone(devices):
            return False
        if syscalls.clone(source, target):
            return True
        self._no_clone.add(devices)
        return False

    def some(self, source: int, target: int, offset: int, size_bytes: int, devices: tuple[int, int]) -> int:
        """Copy a chunk at `offset` of both, of up to `size_bytes`; return how much came, 0 only at the source's end."""
        chunk = self._chunk_bytes.get(devices, CHUNK_BYTES)
        began = time.monotonic()
        count = self._some(source, target, offset, min(size_bytes, chunk), devices)
        took = time.monotonic() - began
        if took > CHUNK_S:
            self._chunk_bytes[devices] = max(chunk // 2, _LEAST_CHUNK_BYTES)
        elif chunk < CHUNK_BYTES and took < CHUNK_S / 4 and count == chunk:
            self._chunk_bytes[devices] = chunk * 2
        return count

    def _some(self, source: int, target: int, offset: int, size_bytes: int, devices: tuple[int, int]) -> int:
        while True:
            way = self._way.get(devices, 0)
            try:
                count = _WAYS[way](source, target, offset, size_bytes)
            except OSError as error:
                if error.errno not in _TRY_NEXT or way == len(_WAYS) - 1:
                    raise
                self._way[devices] = way + 1
                continue
            # Kernels 5.3 to 5.18 say 0 for files that are made up as they are read; only a read knows their end.
            return count or _by_buffer(source, target, offset, size_bytes)


def copy_all(
    source: int,
    target: int,
    info: os.stat_result,
    ways: Ways,
    devices: tuple[int, int],
    brake: Brake,
    traits: Traits,
) -> None:
    """Copy a whole file into an empty one, with its holes.

    Args:
        info: The source's state before.
        devices: Of the source and of the target.
        traits: Say whether holes are to stay, and learn whether they did.
    Raises:
        Stopped: The brake went on.
        Moved: The source ended early.
    """
    size = info.st_size
    if is_unsized(source, info):
        _copy_unsized(source, target, size, brake)
        return
    if size <= SMALL_BYTES and info.st_blocks * 512 >= size:
        _copy_small(source, target, size)
        return
    if size >= _CLONE_BYTES and clone_all(source, target, info, ways, devices, traits):
        return
    if info.st_blocks * 512 >= size:
        copy_extent(source, target, 0, size, ways, devices, brake)
        return
    offset = 0
    while (start := next_data(source, offset, size)) < size:
        end = next_hole(source, start, size)
        copy_extent(source, target, start, end, ways, devices, brake)
        offset = end
    os.ftruncate(target, size)
    settle_holes(source, target, size, traits)


def clone_all(
    source: int, target: int, info: os.stat_result, ways: Ways, devices: tuple[int, int], traits: Traits
) -> bool:
    """Have an empty file share the whole content of another, with its holes; False where the filesystem cannot.

    Args:
        info, devices, traits: See `copy_all`.
    """
    if not ways.clone(source, target, devices):
        return False
    if info.st_blocks * 512 < info.st_size:
        settle_holes(source, target, info.st_size, traits)
    return True


def settle_holes(source: int, target: int, size_bytes: int, traits: Traits) -> None:
    """Fill the holes of a copy where they are not wanted; else note if the target has filled them by itself."""
    if not traits.sparse:
        syscalls.reserve(target, 0, size_bytes)
    elif (
        next_hole(source, 0, size_bytes) < size_bytes
        and next_hole(target, 0, size_bytes) == size_bytes
        and os.fstat(target).st_blocks * 512 >= size_bytes
    ):
        traits.lose(Loss.SPARSE)


def _copy_small(source: int, target: int, size_bytes: int) -> None:
    data = os.pread(source, size_bytes + 1, 0)
    if (
        len(data) < size_bytes
    ):  # a read may give less than there is: only one that gives nothing is at the end
        data = read_exactly(source, size_bytes + 1, 0)
    if len(data) != size_bytes:
        raise Moved
    written = os.write(target, data)
    while written < size_bytes:
        written += os.write(target, memoryview(data)[written:])


def copy_extent(
    source: int, target: int, start: int, end: int, ways: Ways, devices: tuple[int, int], brake: Brake
) -> None:
    """Copy the bytes from `start` up to `end`, looking at the brake between chunks."""
    while start < end:
        count = ways.some(source, target, start, end - start, devices)
        if count == 0:
            raise Moved
        start += count
        if brake.on and start < end:
            raise Stopped


def is_unsized(fd: int, info: os.stat_result) -> bool:
    """Say whether the size of an open file need not be that of what is in it.

    Most files that say they are empty are, but those the kernel makes up as they are read (as in /proc) say so too, or
    that they have the size of a page (as in /sys), and occupy nothing.
    """
    return info.st_size == 0 or (
        info.st_blocks == 0 and syscalls.filesystem_kind(fd) in syscalls.MAKES_FILES_UP
    )


def _copy_unsized(source: int, target: int, size_bytes: int, brake: Brake) -> None:
    """Copy a file up to where reading it ends.

    Raises:
        Moved: It says another size now: it is being written, and nobody knows for how long one would run behind.
    """
    offset = 0
    while data := os.pread(source, _BUFFER_BYTES if offset else 4096, offset):
        if brake.on:
            raise Stopped
        written = 0
        while written < len(data):
            written += os.pwrite(target, memoryview(data)[written:], offset + written)
        offset += written
        if os.fstat(source).st_size != size_bytes:
            raise Moved


def next_data(fd: int, offset: int, size_bytes: int) -> int:
    """Return where data goes on from `offset`; `size_bytes` where only a hole is left."""
    try:
        return os.lseek(fd, offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size_bytes
        if error.errno == errno.EINVAL:
            return offset
        raise


def next_hole(fd: int, offset: int, size_bytes: int) -> int:
    """Return where the data at `offset` ends."""
    try:
        return min(size_bytes, os.lseek(fd, offset, os.SEEK_HOLE))
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENXIO):
            return size_bytes
        raise


def same_content(first: int, second: int, brake: Brake) -> bool:
    """Say whether two open files hold the same bytes.

    Raises:
        Stopped: The brake went on.
    """
    offset = 0
    while True:
        data = os.pread(first, _BUFFER_BYTES, offset)
        if data != read_exactly(second, len(data) or 1, offset):
            return False
        if not data:
            return True
        if brake.on:
            raise Stopped
        offset += len(data)


def read_exactly(fd: int, size_bytes: int, offset: int) -> bytes:
    """Read that many bytes, fewer only at the end of the file."""
    data = os.pread(fd, size_bytes, offset)
    while data and len(data) < size_bytes:
        more = os.pread(fd, size_bytes - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data
