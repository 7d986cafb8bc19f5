"""Files in the making at the far end: written under a partial name, gone on with after a lost connection."""

from __future__ import annotations

import asyncio
import os
import stat
from collections import deque
from typing import TYPE_CHECKING

from tui.model.error import PlaceError, VerificationFailed
from tui.places.base import Attributes
from tui.places.sftp import protocol, reasons
from tui.places.sftp.answers import NO, attrs_of, taken
from tui.places.sftp.errors import Lost, Refused, from_refusal, told
from tui.places.sftp.protocol import READ, WRITE, Code, Kind, text
from tui.places.sftp.reading import open_regular
from tui.places.sftp.session import FSYNC
from tui.places.sftp.spreading import Spread, Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tui.model.location import Location
    from tui.places.base import Buffer
    from tui.places.sftp.channel import Answer
    from tui.places.sftp.session import Session
    from tui.places.sftp.tools import Tools

UNPROVEN_BYTES = 8 << 20
"""How far it may be, at most, from the first byte not acknowledged to the last one sent (four windows of OpenSSH), so
what may lie beyond a gap in a half file.

Never made smaller: half files of earlier versions are gone on with by this number.
"""
_PATIENCE_S = 5.0
"""How long the end of a writer waits for a server that may be dead."""


def mode_of_partial(mode: int | None) -> int | None:
    """Return with which mode a half file is made: nobody else reads it, and its maker can go on with it."""
    return None if mode is None else 0o600 | mode & 0o700


async def put(
    tools: Tools,
    paths: tuple[bytes, bytes],
    location: Location,
    data: bytes,
    wanted: Attributes,
    *,
    replace: bool,
    flush: bool,
) -> None:
    """Make a small file whole in three round trips: its opening, all it is to hold and be, and its name.

    Args:
        paths: Of the half file and of the final one.
    """
    session, dressing = tools.session, tools.dressing
    partial, path = paths
    if session.channel.is_full:
        await session.channel.room()
    named = False
    try:
        mode = mode_of_partial(dressing.wanted(wanted).mode)
        handle = await tools.open_files.open(lambda: session.create(partial, mode))
        try:
            answers, dressed = await _sent_whole(tools, handle, data, wanted, flush=flush)
        finally:
            tools.open_files.closed()
        await answers[-1]
        for answer in answers:
            taken(await answer, Kind.STATUS)
        await dressing.settle(dressed, partial, wanted)
        await tools.naming.give(partial, path, location, "write", replace=replace)
        named = True
        await dressing.prove(path, wanted)
    except (Refused, Lost) as refused:
        raise await reasons.not_written(session, refused, location, path, "write", len(data)) from refused
    finally:
        if not named:
            await session.drop(partial)


async def _sent_whole(
    tools: Tools, handle: bytes, data: bytes, wanted: Attributes, *, flush: bool
) -> tuple[list[Answer], Answer | None]:
    """Send all an open file is to hold and be, and its end: it is closed before what is asked for later is opened.

    Returns:
        The answers about what it holds, in order, its end last; and the one about its attributes.
    """
    session = tools.session
    try:
        if session.channel.is_full:
            await session.channel.room()
    except BaseException:
        session.close(handle)
        raise
    step = session.most_written
    answers = [
        session.send_write(handle, at, data if len(data) <= step else data[at : at + step])
        for at in range(0, len(data), step)
    ]
    dressed = tools.dressing.send(handle, wanted)
    if flush and session.offers(FSYNC):
        answers.append(session.send_fsync(handle))
    answers.append(session.send(Kind.CLOSE, text(handle)))
    return answers, dressed


class SftpWriter:
    """A half file, written on from `start`, over several sessions where the way is long (`spreading`).

    Why nothing before `start` can be missing: requests carry rising offsets without gaps from `start`, and none is
    sent that ends more than UNPROVEN_BYTES beyond the first byte whose write is not acknowledged. So whatever a server
    did with the requests it got (all in order, or some of them, as several sessions have no order between them, or one
    failed in the middle and those behind it did not, or the line was cut between two of them), the end of the file is
    at most UNPROVEN_BYTES beyond what is there without gap. All but the last UNPROVEN_BYTES of a half file is therefore
    there, and that is where `start` is put.
    It stays so over several tries: a try that does not get beyond the old end leaves the size, hence `start`, as it
    was; one that does obeys the same rule from a `start` that was already right. Requests of a lost connection that a
    server carries out late bring the same bytes to the same offsets: they are of the same source, by its identity.
    (What a host lost that went down with writes in its memory, no size tells: `check` is for that.) The rule holds
    whichever version wrote the file, so the number only grows.
    """

    def __init__(
        self,
        tools: Tools,
        location: Location,
        paths: tuple[bytes, bytes],
        handle: bytes,
    ) -> None:
        self.start = 0
        self.size_bytes = 0
        self._session, self._tools, self._location = tools.session, tools, location
        (self._partial, self._path), self._handle = paths, handle
        self._spread = Spread(tools.lanes, self._partial, Way(tools.session, handle))
        self._sent = self._acknowledged = 0
        self._under_way: deque[tuple[Answer, int]] = deque()
        self._failed: PlaceError | None = None
        self._closed = self._complete = False

    @classmethod
    async def open(
        cls, tools: Tools, location: Location, paths: tuple[bytes, bytes], size_bytes: int
    ) -> SftpWriter:
        """Begin a file of so many bytes, or go on with what is there under its partial name.

        Args:
            paths: Of the half file and of the final one.
        """
        partial, path = paths
        try:
            handle, start = await _begin_or_go_on(tools.session, location, partial, size_bytes)
        except (Refused, Lost) as refused:
            raise await reasons.not_written(tools.session, refused, location, path, "write") from refused
        writer = cls(tools, location, paths, handle)
        writer.size_bytes = size_bytes
        writer.start = writer._sent = writer._acknowledged = start
        return writer

    async def check(self, size_bytes: int) -> bytes | None:
        """Return the last bytes before `start`, at most so many."""
        begin = max(0, self.start - size_bytes)
        try:
            return await self._session.read(self._handle, begin, self.start - begin)
        except (Refused, Lost) as refused:
            raise from_refusal(refused, self._location, "read what is there of") from refused

    async def rewind(self) -> None:
        """Throw away what is there: `start` becomes 0."""
        try:
            await self._session.done(Kind.FSETSTAT, text(self._handle), protocol.attributes(size_bytes=0))
        except (Refused, Lost) as refused:
            raise from_refusal(refused, self._location, "begin anew with") from refused
        self.start = self._sent = self._acknowledged = 0

    async def write(self, offset: int, *pieces: Buffer) -> None:
        """Write some bytes behind those before. Errors may come from a later call."""
        self._refuse_if_failed()
        if not self._session.channel.alive:
            raise from_refusal(Lost(), self._location, "write")
        if self._closed:  # the handle may be another file's by now
            raise ValueError("the writer is closed")
        if offset != self._sent:
            raise ValueError(f"bytes for {offset} where {self._sent} is next")
        for packet in packets(pieces, self._session.most_written):
            size = sum(map(len, packet))
            while self._sent + size - self._acknowledged > UNPROVEN_BYTES:
                await self._acknowledge()
            way = await self._spread.free(self.size_bytes - self._sent)
            while self._under_way and self._under_way[0][0].done():
                await self._acknowledge()
            self._refuse_if_failed()
            answer = self._spread.send_write(way, self._sent, packet)
            self._sent += size
            self._under_way.append((answer, self._sent))

    async def publish(self, attributes: Attributes, *, replace: bool, flush: bool) -> None:
        """Give the complete file its attributes (the time last) and then its name, in one step."""
        if not self._complete:
            await self._finish(attributes, flush=flush)
            self._complete = True
        naming, path = self._tools.naming, self._path
        await naming.give(self._partial, path, self._location, "write", replace=replace)
        try:
            await self._tools.dressing.prove(path, attributes)
        except Lost as lost:
            raise from_refusal(lost, self._location, "write") from lost

    async def suspend(self) -> None:
        """Close it and keep what is there; never raises."""
        await self._end(keep=True)

    async def discard(self) -> None:
        """Close it and remove what is there; never raises."""
        await self._end(keep=False)

    async def _acknowledge(self) -> None:
        """Wait for the oldest write."""
        self._refuse_if_failed()
        answer, end = self._under_way[0]
        reply = await asyncio.shield(answer)  # who is cancelled while waiting must not take it from the next
        if self._under_way and self._under_way[0][0] is answer:
            self._under_way.popleft()
        try:
            taken(reply, Kind.STATUS)
        except (Refused, Lost) as refused:
            self._failed = await self._why(refused)
            raise self._failed from refused
        self._acknowledged = end

    async def _finish(self, attributes: Attributes, *, flush: bool) -> None:
        session, handle = self._session, text(self._handle)
        self._refuse_if_failed()
        is_wide = self._spread.settle()
        look = session.send(Kind.FSTAT, handle)
        while self._under_way:
            await self._acknowledge()
        try:
            if is_wide:
                look = await self._brought_together()
            self._spread.close()
            is_there = await self._is_there(look)
            answers = [session.send_fsync(self._handle)] if flush and session.offers(FSYNC) else []
            wanted = await self._wanted(attributes)
            dressed = self._tools.dressing.send(self._handle, wanted)
            answers.append(session.send(Kind.CLOSE, handle))
            self._closed = True
            for answer in answers:
                taken(await answer, Kind.STATUS)
            if not is_there:
                await self._check_closed()
            await self._tools.dressing.settle(dressed, self._partial, wanted)
        except (Refused, Lost) as refused:
            self._failed = await self._why(refused)
            raise self._failed from refused

    async def _is_there(self, look: Answer) -> bool:
        """Say whether an open file has all that was written to it; there are servers that do not tell."""
        try:
            return attrs_of(await look).size_bytes == self._sent
        except Refused as refused:
            if refused.code not in NO:
                raise
            return False

    async def _check_closed(self) -> None:
        found = (await self._session.lstat(self._partial)).size_bytes
        if found != self._sent:
            why = f"{found} bytes are there, not {self._sent}"
            raise told(VerificationFailed, "write", self._location, why)

    async def _brought_together(self) -> Answer:
        """Make sure that all ways led to one file, now that nothing is under way by any; return a look at it."""
        looks = self._spread.look_and_close()
        look = self._session.send(Kind.FSTAT, text(self._handle))
        there = attrs_of(await look)
        if any([attrs_of(await other) != there for other in looks]):
            raise told(VerificationFailed, "write", self._location, "its half file was swapped for another")
        return look

    async def _end(self, *, keep: bool) -> None:
        """Ask for all that is to be done at once, so that it is done also where nobody can wait for it."""
        last = self._spread.close()
        if not self._closed:
            self._closed = True
            last.append(self._session.send(Kind.CLOSE, text(self._handle)))
        if not keep:
            last.append(self._session.send(Kind.REMOVE, text(self._partial)))
        if last:
            await asyncio.wait(last, timeout=_PATIENCE_S)

    async def _wanted(self, attributes: Attributes) -> Attributes:
        if attributes.mode is not None or not self._tools.dressing.manners.sets_modes:
            return attributes
        return Attributes(await self._usual_mode(), attributes.mtime_ns)

    async def _usual_mode(self) -> int:
        """Return the mode the server gives to new files: half files are nobody else's, whatever that is."""
        session = self._session
        if session.usual_mode is None:
            probe = self._partial[:-16] + os.urandom(8).hex().encode()
            session.close(await session.create(probe))
            try:
                session.usual_mode = stat.S_IMODE((await session.lstat(probe)).mode)
            finally:
                session.tell(Kind.REMOVE, text(probe))
        return session.usual_mode

    async def _why(self, refused: Refused | Lost) -> PlaceError:
        if isinstance(
            refused, Lost
        ):  # of one session: what was sent by it is nowhere any more, so all begin anew
            self._session.channel.give_up(str(refused))
        left = max(self.size_bytes - self._acknowledged, 0)
        return await reasons.not_written(self._session, refused, self._location, self._path, "write", left)

    def _refuse_if_failed(self) -> None:
        if self._failed is not None:
            raise self._failed


def packets(pieces: Iterable[Buffer], most_bytes: int) -> Iterator[list[memoryview]]:
    """Divide pieces into what goes into one packet each, without a copy of them."""
    packet: list[memoryview] = []
    room = most_bytes
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            part = rest[:room]
            packet.append(part)
            rest, room = rest[len(part) :], room - len(part)
            if not room:
                yield packet
                packet, room = [], most_bytes
    if packet:
        yield packet


async def _begin_or_go_on(
    session: Session, location: Location, partial: bytes, size_bytes: int
) -> tuple[bytes, int]:
    """Return the handle of a half file, and from where it is to be written."""
    try:
        return await _begun(session, partial), 0
    except Refused as refused:
        if refused.code not in (*NO, Code.FILE_ALREADY_EXISTS):
            raise
        standing = await session.exists(partial)
        if standing is None:
            raise
    if stat.S_ISREG(standing.mode) and standing.size_bytes <= size_bytes:
        try:
            handle, found = await open_regular(session, partial, location, "write", READ | WRITE)
        except Refused as refused:
            if refused.code not in NO:
                raise
        else:
            if found.size_bytes <= size_bytes:
                return handle, max(0, found.size_bytes - UNPROVEN_BYTES)
            session.close(handle)
    await session.done(Kind.REMOVE, text(partial))
    return await _begun(session, partial), 0


async def _begun(session: Session, partial: bytes) -> bytes:
    """Return the handle of a new half file, to be read, too, unless the server opens none for both."""
    try:
        return await session.create(partial, 0o600, readable=True)
    except Refused as refused:
        if refused.code not in NO or await session.exists(partial) is not None:
            raise
    return await session.create(partial, 0o600)
