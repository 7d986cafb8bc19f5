"""The half file of a large copy: found again and gone on with, or begun anew."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, NamedTuple

from tui.places.local import syscalls
from tui.places.local.content import read_exactly
from tui.places.local.names import check_size
from tui.places.local.partial import NO_HALF, discard, is_own_file
from tui.places.local.standing import forget_cached

if TYPE_CHECKING:
    from tui.model.location import Location

_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
_OVERLAP_BYTES = 64 << 10
"""So much of the end of a half file is compared with the source before it is continued."""


class HalfFile(NamedTuple):
    """An opened half file.

    Attributes:
        good_bytes: So much of it is as the source.
        unsure_bytes: So much stands in it that is to be compared first.
    """

    fd: int
    good_bytes: int = 0
    unsure_bytes: int = 0


class Original(NamedTuple):
    """The opened file that is copied."""

    fd: int
    info: os.stat_result


def take_up(
    folder: int, name: bytes, of: Original, where: Location, *, doubtful: bool, retried: bool = False
) -> HalfFile:
    """Open the half file of before, or a new one.

    One that cannot be opened or read just now stays: it is worth as much when the disk is well, or less is open.

    Args:
        folder: Opened.
        where: The file as it will be called, for errors.
        doubtful: Nobody knows whether the disk took what was written before.
        retried: Somebody asked for another try: what the disk does not give back of a half file now, it never will.
    Raises:
        OSError, PlaceError: Neither can be had.
    """
    try:
        half = os.open(name, _FLAGS | os.O_NONBLOCK | os.O_NOCTTY, dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.ENOENT, *NO_HALF):
            raise
        return _begin(folder, name, of.info.st_size, where)
    try:
        found = os.fstat(half)
        if is_own_file(found, of.info):
            return _gone_on_with(half, found.st_size, of, doubtful=doubtful, retried=retried)
    except BaseException:
        syscalls.let_go(half)
        raise
    syscalls.let_go(half)
    return _begin(folder, name, of.info.st_size, where)


def _begin(folder: int, name: bytes, size_bytes: int, where: Location) -> HalfFile:
    discard(folder, name)
    half = os.open(name, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    try:
        check_size(half, size_bytes, where)
    except BaseException:
        syscalls.let_go(half)
        discard(folder, name)
        raise
    return HalfFile(half)


def _gone_on_with(half: int, size_bytes: int, of: Original, *, doubtful: bool, retried: bool) -> HalfFile:
    fits = size_bytes <= of.info.st_size
    if doubtful and fits:
        forget_cached(half)
        return HalfFile(half, unsure_bytes=size_bytes)
    if fits and _ends_alike(half, size_bytes, of.fd, retried=retried):
        return HalfFile(half, good_bytes=size_bytes)
    os.ftruncate(half, 0)
    return HalfFile(half)


def _ends_alike(half: int, size_bytes: int, source: int, *, retried: bool) -> bool:
    start = max(0, size_bytes - _OVERLAP_BYTES)
    wanted = read_exactly(source, size_bytes - start, start)
    try:
        return read_exactly(half, size_bytes - start, start) == wanted
    except OSError as error:
        if retried and error.errno == errno.EIO:
            return False
        raise
