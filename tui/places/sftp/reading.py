"""Files at the far end opened for reading: regular ones only, links not followed as far as version 3 lets one know."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from tui.model.error import IsAFolder, LinkInTheWay, PlaceUnavailable, SourceChanged, Unsupported
from tui.places.sftp.answers import attrs_of, attrs_of_open, data_of, is_told_of_open
from tui.places.sftp.errors import Lost, Refused, from_refusal, told
from tui.places.sftp.protocol import READ, Attrs, Kind, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Buffer
    from tui.places.sftp.open_files import OpenFiles
    from tui.places.sftp.session import Session

_TRIES = 3


def refuse_irregular(found: Attrs, location: Location, doing: str) -> None:
    """Refuse what is no regular file: opening a pipe would hold up the whole session."""
    if stat.S_ISREG(found.mode):
        return
    if stat.S_ISLNK(found.mode):
        raise told(LinkInTheWay, doing, location, "it is a link")
    if stat.S_ISDIR(found.mode):
        raise told(IsAFolder, doing, location, "it is a folder")
    raise told(Unsupported, doing, location, "it is no regular file")


async def open_regular(
    session: Session, path: bytes, location: Location, doing: str, flags: int = READ
) -> tuple[bytes, Attrs]:
    """Open a regular file, not through a link: return its handle, and what it is.

    The server's `open` follows links. So the name is looked at before and after, and what was opened must be what one
    of the looks saw: a link swapped in between shows by its target's attributes.
    """
    found = await session.lstat(path)
    for _ in range(_TRIES):
        refuse_irregular(found, location, doing)
        handle = await session.open(path, flags)
        try:
            asked = session.send(Kind.FSTAT, text(handle)), session.send_lstat(path)
            after = attrs_of(await asked[1])
            opened = attrs_of_open(await asked[0], after)
            if stat.S_ISREG(after.mode) and opened in (found, after):
                return handle, opened
        except BaseException:
            session.close(handle)
            raise
        session.close(handle)
        found = after
    raise told(PlaceUnavailable, doing, location, "it is being changed all the time")


class SftpReader:
    """An open file."""

    def __init__(
        self, session: Session, path: bytes, location: Location, handle: bytes, found: Attrs
    ) -> None:
        self.entry: Entry = found.entry(location.name)
        self._session, self._path, self._location, self._handle = session, path, location, handle
        self._closed = False

    async def read(self, offset: int, size_bytes: int) -> bytes:
        """Return up to `size_bytes` from `offset`; fewer only at the end of the file."""
        return b"".join(await self.pieces(offset, size_bytes))

    async def pieces(self, offset: int, size_bytes: int) -> Sequence[Buffer]:
        """Return the same as `read` does, in the pieces it came in."""
        self._refuse_if_closed()
        try:
            return await self._session.pieces(self._handle, offset, size_bytes)
        except (Refused, Lost) as refused:
            raise from_refusal(refused, self._location, "read") from refused

    async def look(self) -> Entry:
        """Return what the open file is now."""
        self._refuse_if_closed()
        session, name = self._session, self._location.name
        try:
            answer = await session.send(Kind.FSTAT, text(self._handle))
            if is_told_of_open(answer):
                return attrs_of(answer).entry(name)
            return (await session.lstat(self._path)).entry(name)
        except (Refused, Lost) as refused:
            raise from_refusal(refused, self._location, "look at") from refused

    async def close(self) -> None:
        """Let go of it; never raises."""
        if not self._closed:
            self._closed = True
            self._session.close(self._handle)

    def _refuse_if_closed(self) -> None:
        """Refuse to use a handle that may be another file's by now."""
        if self._closed:
            raise ValueError("the reader is closed")


async def open_reader(session: Session, path: bytes, location: Location) -> SftpReader:
    try:
        handle, found = await open_regular(session, path, location, "read")
    except (Refused, Lost) as refused:
        raise from_refusal(refused, location, "read") from refused
    return SftpReader(session, path, location, handle, found)


async def get(
    session: Session,
    open_files: OpenFiles,
    path: bytes,
    location: Location,
    most_bytes: int,
    seen: Attrs | None = None,
) -> tuple[Entry, bytes]:
    """Return a small file whole: a look, unless a listing has told the same; an open; and all the rest in one go.

    Args:
        open_files: Has a place for each file that the server may have open for this.
        seen: What a listing told. What is read was that very file also when it was open; else it is looked at anew.
    """
    try:
        for _ in range(_TRIES):
            found, seen = seen or await session.lstat(path), None
            refuse_irregular(found, location, "read")
            if found.size_bytes > most_bytes:
                raise told(Unsupported, "read", location, f"it has more than {most_bytes} bytes by now")
            if (data := await _got(session, open_files, path, found)) is not None:
                return found.entry(location.name), data
    except (Refused, Lost) as refused:
        raise from_refusal(refused, location, "read") from refused
    raise told(SourceChanged, "read", location, "it was written to meanwhile")


async def _got(session: Session, open_files: OpenFiles, path: bytes, found: Attrs) -> bytes | None:
    """Return the content of the very file a look found; None where it has become another."""
    end = found.size_bytes
    handle = await open_files.open(lambda: session.open(path, READ))
    reads = session.send_reads(handle, 0, end)
    looks = session.send(Kind.FSTAT, text(handle)), session.send_lstat(path)
    session.close(handle)
    open_files.closed()
    if attrs_of_open(await looks[0], found) != found or attrs_of(await looks[1]) != found:
        return None
    parts = [data_of(await read) for read in reads]
    data = b"".join(parts)
    if len(data) == end:
        return data
    return await _got_slowly(session, open_files, path, found)


async def _got_slowly(session: Session, open_files: OpenFiles, path: bytes, found: Attrs) -> bytes | None:
    """Do the same with a server that gives less in one packet than it was asked for."""
    handle = await open_files.open(lambda: session.open(path, READ))
    try:
        data = await session.read(handle, 0, found.size_bytes)
        after = attrs_of_open(await session.send(Kind.FSTAT, text(handle)), found)
        return data if after == found and len(data) == found.size_bytes else None
    finally:
        session.close(handle)
        open_files.closed()
