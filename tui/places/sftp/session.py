"""The calls of SFTP, one method each: what they send, and what their answers mean.

All raise Refused or Lost, which know no locations: callers make Ferry's errors of them (`errors`, `reasons`).
"""

from __future__ import annotations

import asyncio
import struct
from functools import partial as bound
from typing import TYPE_CHECKING, TypeVar

from tui.places.sftp.answers import attrs_of, data_of, decoded, refusal, taken
from tui.places.sftp.errors import Lost, Refused
from tui.places.sftp.protocol import (
    CREATE,
    EXCLUSIVE,
    NOTHING,
    READ,
    TRUNCATE,
    WRITE,
    Attrs,
    Code,
    Kind,
    attributes,
    read_extensions,
    read_names,
    read_space,
    read_text,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.places.sftp.channel import Answer, Channel, Data

T = TypeVar("T")

_NUMBER = struct.Struct(">I")
_RANGE = struct.Struct(">QI")
_OFFSET = struct.Struct(">Q")
_LIMITS = struct.Struct(">4Q")
_COPY = struct.Struct(">QQ")

_SAFE_BYTES = 32768
"""What every server takes and gives in one packet."""
_SAFE_OPEN = 128
"""So many files every server lets one have open."""
_MOST_BYTES = 255 << 10
"""More in one packet gains nothing, and delays what comes behind it."""
_MOST_READS = 128
"""Packets asked for at once by one read."""

POSIX_RENAME, FSYNC, STATVFS = b"posix-rename@openssh.com", b"fsync@openssh.com", b"statvfs@openssh.com"
LIMITS, LSETSTAT, COPY_DATA = b"limits@openssh.com", b"lsetstat@openssh.com", b"copy-data"
_KNOWN = {POSIX_RENAME: b"1", FSYNC: b"1", STATVFS: b"2", LIMITS: b"1", LSETSTAT: b"1", COPY_DATA: b"1"}


class Session:
    """One SFTP session, greeted. `extensions` are the known ones it offers in the version known."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.send, self.tell = channel.send, channel.tell
        self.extensions: frozenset[bytes] = frozenset()
        self.most_read = self.most_written = _SAFE_BYTES
        self.most_open = _SAFE_OPEN
        self._look = Kind.LSTAT
        """STAT where the server knows none that does not follow links."""
        self._creates_new = True
        """It creates a file on condition that there is none."""
        self.sets_nothing = False
        """It sets no attributes of anything: that is known before any are to be set."""
        self.usual_mode: int | None = None
        """What new files get that are made without a mode; None: not known yet."""
        self.left_modes = self.taken_modes = 0
        """Bits of the modes of new folders that the server leaves alone, and those it takes away."""
        self.distance_s = 0.0
        """What a round trip took at the start; nothing before that is known."""
        self._tell_distance: Callable[[float], None] = lambda distance_s: None
        self._asked: tuple[Answer, Answer, Answer | None] | None = None
        self.owed_bytes = self.taken_bytes = 0
        """Of large files: written and not acknowledged yet, and acknowledged so far."""

    def begin(self, *, ahead: bool) -> None:
        """Begin, without waiting for the server. `ahead`: ask also what `start` will, even if it may not be known."""
        self.channel.begin()
        if ahead:
            self._asked = self._questions()

    async def start(self) -> bytes:
        """Greet, ask what is there, and return the path of the home folder."""
        offered = decoded(read_extensions, taken(await self.channel.greet(), Kind.VERSION))
        self.extensions = frozenset(name for name, version in _KNOWN.items() if offered.get(name) == version)
        begun_at = asyncio.get_running_loop().time()
        home, setting, limits = self._asked or self._questions(limits=LIMITS in self.extensions)
        if self._asked:  # the answers say nothing of the way any more: they come with the first
            self.send(Kind.REALPATH, text(b".")).add_done_callback(bound(self._measured, begun_at))
        else:
            home.add_done_callback(bound(self._measured, begun_at))
        if LIMITS in self.extensions and limits is not None:
            self._take_limits(await limits)
        self.sets_nothing = self._is_no(refusal(await setting))
        return _home(await home)

    def _take_limits(self, answer: tuple[int, Data]) -> None:
        try:
            told = taken(answer, Kind.EXTENDED_REPLY)
        except Refused:
            return  # what every server takes holds for one that does not say
        _, read, written, opened = decoded(_LIMITS.unpack_from, told)
        self.most_read = min(read or _SAFE_BYTES, _MOST_BYTES)
        self.most_written = min(written or _SAFE_BYTES, _MOST_BYTES)
        self.most_open = opened or _SAFE_OPEN

    def _questions(self, *, limits: bool = True) -> tuple[Answer, Answer, Answer | None]:
        home = self.send(Kind.REALPATH, text(b"."))
        setting = self.send(Kind.SETSTAT, text(b"."), NOTHING)  # that changes nothing, whoever does it
        return home, setting, self.send(Kind.EXTENDED, text(LIMITS)) if limits else None

    def _is_no(self, code: int | None) -> bool:
        """Say whether the answer to a setting of nothing means that there is no setting here."""
        # OpenSSH has no other reason (`sftp-server -P setstat`); others may look first whose the folder is.
        return code == Code.OP_UNSUPPORTED or (code is not None and self._asked is not None)

    def _measured(self, asked_at: float, answer: Answer) -> None:
        if answer.result()[0] != Kind.LOST:
            self.distance_s = asyncio.get_running_loop().time() - asked_at
            self.when_measured(self._tell_distance)

    def when_measured(self, tell: Callable[[float], None]) -> None:
        """Have `distance_s` told as soon as it is known."""
        if self.distance_s:
            tell(self.distance_s)
        self._tell_distance = tell

    async def start_as(self, other: Session) -> None:
        """Greet a server that is known from another session."""
        taken(await self.channel.greet(), Kind.VERSION)
        self.extensions, self.distance_s = other.extensions, other.distance_s
        self.most_read, self.most_written = other.most_read, other.most_written
        self.most_open = other.most_open

    def offers(self, extension: bytes) -> bool:
        return extension in self.extensions

    async def done(self, kind: Kind, *parts: bytes, slow: bool = False) -> None:
        """Send a request that is answered by a status, and have it done."""
        taken(await self.send(kind, *parts, slow=slow), Kind.STATUS)

    # Names.

    def send_lstat(self, path: bytes) -> Answer:
        return self.send(self._look, text(path))

    async def lstat(self, path: bytes) -> Attrs:
        try:
            return attrs_of(await self.send_lstat(path))
        except Refused as refused:
            if refused.code != Code.OP_UNSUPPORTED or self._look is Kind.STAT:
                raise
        self._look = Kind.STAT
        return await self.stat(path)

    async def stat(self, path: bytes) -> Attrs:
        return attrs_of(await self.send(Kind.STAT, text(path)))

    async def readlink(self, path: bytes) -> bytes:
        return self._one_name(await self.send(Kind.READLINK, text(path)))

    async def realpath(self, path: bytes) -> bytes:
        return self._one_name(await self.send(Kind.REALPATH, text(path)))

    async def exists(self, path: bytes) -> Attrs | None:
        """Return what stands under a name, a link itself; None where nothing does."""
        try:
            return await self.lstat(path)
        except Refused as refused:
            if refused.code in (Code.NO_SUCH_FILE, Code.NO_SUCH_PATH):
                return None
            raise

    async def statvfs(self, path: bytes) -> tuple[int, ...]:
        answer = await self.send(Kind.EXTENDED, text(STATVFS), text(path))
        return decoded(read_space, taken(answer, Kind.EXTENDED_REPLY))

    async def posix_rename(self, path: bytes, new: bytes) -> None:
        await self.done(Kind.EXTENDED, text(POSIX_RENAME), text(path), text(new))

    async def rename(self, path: bytes, new: bytes) -> None:
        await self.done(Kind.RENAME, text(path), text(new))

    def send_set(self, path: bytes, sent_attributes: bytes) -> Answer | None:
        """Have attributes set, those of a link itself; None where the server can do that only through links."""
        if not self.offers(LSETSTAT):
            return None
        return self.send(Kind.EXTENDED, text(LSETSTAT), text(path), sent_attributes)

    async def set(self, path: bytes, sent_attributes: bytes, asked: Answer | None = None) -> None:
        """Set attributes of what is no link; of a link that was swapped in, its own where the server can.

        Args:
            asked: What `send_set` returned, where that went ahead.
        """
        if (asked := asked or self.send_set(path, sent_attributes)) is not None:
            try:
                taken(await asked, Kind.STATUS)
            except Refused as refused:
                if refused.code in (Code.NO_SUCH_FILE, Code.PERMISSION_DENIED):
                    raise
            else:
                return
        await self.done(Kind.SETSTAT, text(path), sent_attributes)

    # Open files.

    async def open(self, path: bytes, flags: int, mode: int | None = None) -> bytes:
        sent = NOTHING if mode is None else attributes(mode=mode)
        return await self._opened(self.send(Kind.OPEN, text(path), _NUMBER.pack(flags), sent))

    async def create(self, path: bytes, mode: int | None = None, *, readable: bool = False) -> bytes:
        """Open a file that was not there; Refused where anything is, or the server opens none to be read, too."""
        flags = WRITE | CREATE | (READ if readable else 0)
        if self._creates_new:
            try:
                return await self.open(path, flags | EXCLUSIVE, mode)
            except Refused as refused:
                if refused.code != Code.OP_UNSUPPORTED or readable:
                    raise
        if await self.exists(path) is not None:
            raise Refused(Code.FILE_ALREADY_EXISTS)
        handle = await self.open(path, flags | TRUNCATE, mode)
        self._creates_new = False
        return handle

    async def open_folder(self, path: bytes) -> bytes:
        return await self._opened(self.send(Kind.OPENDIR, text(path)))

    async def fstat(self, handle: bytes) -> Attrs:
        return attrs_of(await self.send(Kind.FSTAT, text(handle)))

    def send_read(self, handle: bytes, offset: int, size_bytes: int) -> Answer:
        return self.send(Kind.READ, text(handle), _RANGE.pack(offset, size_bytes))

    def send_write(self, handle: bytes, offset: int, *pieces: Data) -> Answer:
        span = _RANGE.pack(offset, sum(map(len, pieces)))
        return self.send(Kind.WRITE, text(handle), span, *pieces)

    def send_fsync(self, handle: bytes) -> Answer:
        return self.send(Kind.EXTENDED, text(FSYNC), text(handle), slow=True)

    def send_copy(self, source: bytes, target: bytes, offset: int, size_bytes: int) -> Answer:
        """Have the server copy a range of one open file to the same place in another."""
        span, place = _COPY.pack(offset, size_bytes), _OFFSET.pack(offset)
        return self.send(Kind.EXTENDED, text(COPY_DATA), text(source), span, text(target), place, slow=True)

    def close(self, handle: bytes) -> None:
        """Close a file or a folder whose last words nobody waits for."""
        self.tell(Kind.CLOSE, text(handle))

    async def drop(self, partial: bytes) -> None:
        """Remove what is not to stay; nothing is said of a failure. Who was cancelled does not wait for it."""
        removed = self.send(Kind.REMOVE, text(partial))
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            await removed

    async def read(self, handle: bytes, offset: int, size_bytes: int) -> bytes:
        """Return up to `size_bytes` from `offset`; fewer only at the end of the file."""
        return b"".join(await self.pieces(handle, offset, size_bytes))

    async def pieces(self, handle: bytes, offset: int, size_bytes: int) -> list[Data]:
        """Return the same as `read` does, in the pieces it came in."""
        got: list[Data] = []
        end = offset + size_bytes
        while offset < end:
            until = min(end, offset + _MOST_READS * self.most_read)
            wave = self.send_reads(handle, offset, until)
            pieces = await self._gathered(handle, offset, until, wave)
            got += pieces
            offset += sum(map(len, pieces))
            if offset < until:
                break
        return got

    def send_reads(self, handle: bytes, offset: int, end: int) -> list[Answer]:
        step = self.most_read
        return [self.send_read(handle, at, min(step, end - at)) for at in range(offset, end, step)]

    async def _gathered(self, handle: bytes, offset: int, end: int, answers: list[Answer]) -> list[Data]:
        """Return what `send_reads` asked for, up to the end of the file; what came short is asked for again."""
        parts: list[Data] = []
        for answer in answers:
            wanted = min(self.most_read, end - offset)
            part = data_of(await answer)
            parts.append(part)
            got = len(part)
            while part and got < wanted:
                part = data_of(await self.send_read(handle, offset + got, wanted - got))
                parts.append(part)
                got += len(part)
            offset += got
            if got < wanted:
                break
        return [part for part in parts if part]

    async def _opened(self, answer: Answer) -> bytes:
        try:
            return decoded(read_text, taken(await answer, Kind.HANDLE))[0]
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and answer.result()[0] == Kind.HANDLE:
                self.tell(Kind.CLOSE, answer.result()[1])
            raise

    @staticmethod
    def _one_name(answer: tuple[int, Data]) -> bytes:
        names = decoded(read_names, taken(answer, Kind.NAME))
        if len(names) != 1:
            raise Lost("it does not speak SFTP as it should")
        return names[0].name


def _home(answer: tuple[int, Data]) -> bytes:
    """Return the path of the home folder; "/" where the server does not say, as with those that show nothing else."""
    try:
        names = decoded(read_names, taken(answer, Kind.NAME))
    except Refused:
        return b"/"
    path = names[0].name if names else b"."
    return b"/" if path == b"." else b"/" + path.lstrip(b"/")
