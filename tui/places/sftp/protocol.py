"""SFTP version 3 as bytes: what requests are made of, and how answers are read.

Version 3 is what OpenSSH speaks (draft-ietf-secsh-filexfer-02); its extensions are in its file PROTOCOL. Times are
whole seconds in 32 bits, names are bytes.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

from tui.model.entry import Entry, kind_of_mode

SECOND_NS = 1_000_000_000
LAST_SECOND = (1 << 32) - 1
"""Times go as 32 bits without a sign: up to February 2106, and none before 1970.

A server cuts the times of its files to them, so that one of 1969 is told as one of 2106; OpenSSH's own client and sshfs
take that for what it says, too.
"""


class Kind(IntEnum):
    """Kinds of packets."""

    LOST = -1
    """Never on the wire: stands for the answer that will not come."""
    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    SETSTAT = 9
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    REALPATH = 16
    STAT = 17
    RENAME = 18
    READLINK = 19
    SYMLINK = 20
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


class Code(IntEnum):
    """What a status says."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    NO_CONNECTION = 6
    CONNECTION_LOST = 7
    OP_UNSUPPORTED = 8
    # Of later versions; servers that speak them too send these to us as well.
    NO_SUCH_PATH = 10
    FILE_ALREADY_EXISTS = 11
    WRITE_PROTECT = 12
    NO_SPACE_ON_FILESYSTEM = 14
    QUOTA_EXCEEDED = 15
    DIR_NOT_EMPTY = 18
    NOT_A_DIRECTORY = 19
    INVALID_FILENAME = 20
    LINK_LOOP = 21
    FILE_IS_A_DIRECTORY = 24


READ, WRITE, CREATE, TRUNCATE, EXCLUSIVE = 0x01, 0x02, 0x08, 0x10, 0x20
"""Flags of OPEN."""

_SIZE, _OWNERS, _MODE, _TIMES, _EXTENDED = 0x01, 0x02, 0x04, 0x08, 0x80000000
_USUAL = _SIZE | _OWNERS | _MODE | _TIMES
_ALL = struct.Struct(">IQIIIII")
_NUMBER = struct.Struct(">I")
_LONG = struct.Struct(">Q")
_TWO = struct.Struct(">II")
_SPACE = struct.Struct(">11Q")

NOTHING = _NUMBER.pack(0)
"""Attributes of which none is given."""


class Attrs(NamedTuple):
    """What a server tells of one entry."""

    size_bytes: int
    uid: int
    gid: int
    mode: int
    mtime_s: int

    @classmethod
    def of(cls, entry: Entry) -> Attrs:
        """Return what `entry` was made of."""
        return cls(entry.size_bytes, entry.uid, entry.gid, entry.mode, entry.mtime_ns // SECOND_NS)

    def entry(self, name: str, link_target: str | None = None) -> Entry:
        return Entry(
            name,
            kind_of_mode(self.mode),
            self.size_bytes,
            self.mtime_s * SECOND_NS,
            self.mode,
            self.uid,
            self.gid,
            1,
            link_target=link_target,
        )


class Named(NamedTuple):
    """One name of a folder; `line` is what `ls -l` shows of it, where the server is so kind."""

    name: bytes
    line: bytes
    attrs: Attrs


def text(value: bytes) -> bytes:
    """Return a string as it is sent."""
    return _NUMBER.pack(len(value)) + value


def read_text(body: bytes, start: int = 0) -> tuple[bytes, int]:
    """Return a string of an answer, and where what follows begins."""
    end = start + 4 + _NUMBER.unpack_from(body, start)[0]
    if end > len(body):
        raise ValueError("a string ends beyond its packet")
    return body[start + 4 : end], end


def second_sent(mtime_ns: int) -> int:
    """Return a time as it is sent: the nearest there is."""
    return min(max(mtime_ns // SECOND_NS, 0), LAST_SECOND)


def attributes(
    *, size_bytes: int | None = None, mode: int | None = None, mtime_ns: int | None = None
) -> bytes:
    """Return attributes as they are sent. The time of last use goes with that of last change: both, or none."""
    flags, parts = 0, b""
    if size_bytes is not None:
        flags |= _SIZE
        parts += _LONG.pack(size_bytes)
    if mode is not None:
        flags |= _MODE
        parts += _NUMBER.pack(mode & 0o7777)
    if mtime_ns is not None:
        flags |= _TIMES
        second = second_sent(mtime_ns)
        parts += _TWO.pack(second, second)
    return _NUMBER.pack(flags) + parts


def read_attributes(body: bytes, start: int = 0) -> tuple[Attrs, int]:
    """Return the attributes in an answer, and where what follows begins."""
    flags = _NUMBER.unpack_from(body, start)[0]
    if flags == _USUAL:
        _, size, uid, gid, mode, _, mtime = _ALL.unpack_from(body, start)
        return Attrs(size, uid, gid, mode, mtime), start + _ALL.size
    at = start + 4
    size = uid = gid = mode = mtime = 0
    if flags & _SIZE:
        (size,) = _LONG.unpack_from(body, at)
        at += 8
    if flags & _OWNERS:
        uid, gid = _TWO.unpack_from(body, at)
        at += 8
    if flags & _MODE:
        (mode,) = _NUMBER.unpack_from(body, at)
        at += 4
    if flags & _TIMES:
        _, mtime = _TWO.unpack_from(body, at)
        at += 8
    if flags & _EXTENDED:
        (count,) = _NUMBER.unpack_from(body, at)
        at += 4
        for _ in range(2 * count):
            _, at = read_text(body, at)
    return Attrs(size, uid, gid, mode, mtime), at


def read_names(body: bytes) -> list[Named]:
    """Return what a NAME packet holds."""
    (count,) = _NUMBER.unpack_from(body)
    at, found = 4, []
    for _ in range(count):
        name, at = read_text(body, at)
        line, at = read_text(body, at)
        attrs, at = read_attributes(body, at)
        found.append(Named(name, line, attrs))
    return found


def read_status(body: bytes) -> tuple[int, str]:
    """Return what a STATUS packet says, and in which words (there may be none)."""
    (code,) = _NUMBER.unpack_from(body)
    message = read_text(body, 4)[0] if len(body) >= 8 else b""
    return code, message.decode(errors="replace")


def read_space(body: bytes) -> tuple[int, ...]:
    """Return the numbers of statvfs.

    Shape: (bsize, frsize, blocks, bfree, bavail, files, ffree, favail, fsid, flag, namemax).
    """
    return _SPACE.unpack_from(body)


def read_extensions(body: bytes) -> dict[bytes, bytes]:
    """Return the extensions a VERSION packet offers (without its number), with their own versions."""
    at, found = 0, {}
    while at < len(body):
        name, at = read_text(body, at)
        found[name], at = read_text(body, at)
    return found
