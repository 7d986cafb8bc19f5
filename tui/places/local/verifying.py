"""Reading back what was written: both files again, from the disk and not from memory, hashed and compared.

What the system still holds of a file in memory is written out and forgotten first. That cannot be done everywhere: a
filesystem in memory (tmpfs) has nothing else to read from, pages that a program has mapped stay, and the caches of a
disk, a controller or a file server are beyond reach of anything but time or a restart.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tui.model.error import VerificationFailed
from tui.places.local import syscalls
from tui.places.local.content import Stopped, next_data

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.local.hops import Brake

SLICE_BYTES = 8 << 20
"""So much is read of the one file, then of the other; both are compared at the end of each slice."""
_CHUNK_BYTES = 1 << 20
"""Held in memory at a time, and between two looks at the brake."""
_AHEAD_BYTES = 4 << 20
"""So much behind a slice is forgotten with it: pages are kept in pieces of up to 2 MiB, and go as a whole or not."""


class Differs(Exception):
    """What was read back is not what the source holds."""


class ReadBack:
    """Compares two open files of one size, slice by slice.

    Attributes:
        reading: Which of the two was read last: where an OSError comes from.
        offset: So much of both was compared.
    """

    def __init__(self, source: int, target: int, size_bytes: int, offset: int = 0) -> None:
        from xxhash import xxh3_128

        self._source, self._target, self._size_bytes = source, target, size_bytes
        self._hashes: dict[int, Any] = {source: xxh3_128(), target: xxh3_128()}
        self.offset = offset
        self.reading = source

    def step(self, size_bytes: int, brake: Brake) -> int:
        """Compare up to so many bytes more; return how far it went, holes of both files counted, and 0 at the end.

        Raises:
            Differs: They are not the same.
            Stopped: The brake went on; the slice is to be begun anew.
            OSError: One of them cannot be read.
        """
        start, size = self.offset, self._size_bytes
        if start >= size:
            self._check_sizes()
            return 0
        data = min(next_data(self._source, start, size), next_data(self._target, start, size))
        if data > start:
            self.offset = data
            return data - start
        end = min(size, start + min(size_bytes, SLICE_BYTES))
        for fd in (self._source, self._target):
            self.reading = fd
            self._read(fd, start, end, brake)
        if self._hashes[self._source].digest() != self._hashes[self._target].digest():
            raise Differs
        self.offset = end
        return end - start

    def _read(self, fd: int, start: int, end: int, brake: Brake) -> None:
        forget(fd, start, end - start + _AHEAD_BYTES)
        digest = self._hashes[fd].copy()
        while start < end:
            data = read_from_disk(fd, min(end - start, _CHUNK_BYTES), start)
            if not data:
                raise Differs
            digest.update(data)
            start += len(data)
            if brake.on and start < end:
                raise Stopped
        self._hashes[fd] = digest

    def _check_sizes(self) -> None:
        """Refuse a target that is longer than it should be. (An empty source may be one the kernel makes up.)"""
        if self._size_bytes and os.fstat(self._target).st_size != self._size_bytes:
            raise Differs


def same_on_disk(source: int, target: int, size_bytes: int, brake: Brake) -> bool:
    """Say whether two open files hold the same, as the disks have it.

    Raises:
        Stopped: The brake went on.
        OSError: One of them cannot be read.
    """
    back = ReadBack(source, target, size_bytes)
    try:
        while back.step(SLICE_BYTES, brake):
            if brake.on:
                raise Stopped
    except Differs:
        return False
    return True


def not_the_same(target: Location, source: Location) -> VerificationFailed:
    """Return the error of a copy that read back differently, twice."""
    message = (
        f"cannot verify {target}: read back from the disk, it differs from {source}, and so did a second copy"
    )
    return VerificationFailed(message, location=target)


def forget(fd: int, start: int, size_bytes: int) -> None:
    """Write out what the system holds of a part of a file, and make it forget it, as far as it lets itself be told."""
    syscalls.write_out(fd, start, size_bytes)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(fd, start, size_bytes, os.POSIX_FADV_DONTNEED)


def read_from_disk(fd: int, size_bytes: int, offset: int) -> bytes:
    """Read a piece of a file that was forgotten before."""
    return os.pread(fd, size_bytes, offset)
