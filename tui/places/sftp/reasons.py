"""Why something was refused, found out by a look: version 3 says "failure" of nearly everything."""

from __future__ import annotations

import posixpath
import stat
from typing import TYPE_CHECKING

from tui.model import error
from tui.places.sftp.answers import NO, names_of
from tui.places.sftp.errors import Lost, Refused, from_refusal, told
from tui.places.sftp.protocol import Code, Kind, text
from tui.places.sftp.session import STATVFS

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tui.model.error import PlaceError
    from tui.model.location import Location
    from tui.places.sftp.protocol import Attrs
    from tui.places.sftp.session import Session

_LOOKS_FIRST = "Ferry looks before it writes. Have the server allow that (STAT, LSTAT), or upload with sftp."
_MAY_BE_FULL = (
    "The server does not say why: the disk there may be full, a quota used up, or the filesystem read-only. "
    "See to that, then retry."
)
_READ_ONLY = 1
"""Bit of statvfs's flags."""


async def _looked(
    look: Awaitable[tuple[type[PlaceError], str] | None], refused: Refused, location: Location, doing: str
) -> PlaceError:
    """Return what a look found out, else what the refusal says by itself."""
    try:
        found = await look
    except Refused:
        found = None
    except Lost as lost:
        return from_refusal(lost, location, doing)
    return told(found[0], doing, location, found[1]) if found else from_refusal(refused, location, doing)


async def _looked_for_room(
    look: Awaitable[tuple[type[PlaceError], str] | None], refused: Refused, location: Location, doing: str
) -> PlaceError:
    """Return the same where something was to be added, with what may be wrong where nothing tells."""
    found = await _looked(look, refused, location, doing)
    if type(found) is error.PlaceError and not found.remedy:
        found.remedy = _MAY_BE_FULL
    return found


async def not_looked_at(session: Session, refused: Refused | Lost, location: Location) -> PlaceError:
    """Say why an entry could not be looked at: there are servers for uploads alone, that tell nothing of anything."""
    doing = "look at"
    if isinstance(refused, Lost) or refused.code not in NO:
        return from_refusal(refused, location, doing)
    try:
        await session.stat(b".")
    except Refused as everywhere:
        if everywhere.code in NO:
            message = f"cannot {doing} {location}: the server lets nobody look at anything"
            return error.Unsupported(message, _LOOKS_FIRST, location=location)
    except Lost as lost:
        return from_refusal(lost, location, doing)
    return from_refusal(refused, location, doing)


async def not_made(
    session: Session, refused: Refused | Lost, location: Location, path: bytes, doing: str
) -> PlaceError:
    """Say why a new name could not be given."""

    async def look() -> tuple[type[PlaceError], str] | None:
        if await session.exists(path) is not None:
            return error.AlreadyExists, "something of that name is already there"
        return await _no_room(session, path, 0)

    if isinstance(refused, Lost) or refused.code != Code.FAILURE:
        return from_refusal(refused, location, doing)
    return await _looked_for_room(look(), refused, location, doing)


async def not_written(
    session: Session,
    refused: Refused | Lost,
    location: Location,
    path: bytes,
    doing: str,
    size_bytes: int = 0,
) -> PlaceError:
    """Say why bytes could not be written, of which there were so many to write."""
    if isinstance(refused, Lost) or refused.code != Code.FAILURE:
        return from_refusal(refused, location, doing)
    return await _looked_for_room(_no_room(session, path, size_bytes), refused, location, doing)


async def not_replaced(
    session: Session, refused: Refused | Lost, location: Location, path: bytes, doing: str
) -> PlaceError:
    """Say why nothing could be put into the place of what stands under a name."""

    async def look() -> tuple[type[PlaceError], str] | None:
        if is_folder(await session.exists(path)):
            return error.IsAFolder, "a folder stands there"
        return await _no_room(session, path, 0)

    if isinstance(refused, Lost) or refused.code not in (Code.FAILURE, Code.NO_SUCH_FILE):
        return from_refusal(refused, location, doing)
    return await _looked_for_room(look(), refused, location, doing)


async def file_not_removed(
    session: Session, refused: Refused | Lost, location: Location, path: bytes, doing: str
) -> PlaceError:
    """Say why an entry that is no folder could not be removed: it is one, mostly."""

    async def look() -> tuple[type[PlaceError], str] | None:
        if is_folder(await session.exists(path)):
            return error.IsAFolder, "it is a folder"
        return await _no_room(session, path, None)

    if isinstance(refused, Lost) or refused.code not in (Code.FAILURE, Code.PERMISSION_DENIED):
        return from_refusal(refused, location, doing)
    return await _looked(look(), refused, location, doing)


async def folder_not_removed(
    session: Session, refused: Refused | Lost, location: Location, path: bytes, doing: str
) -> PlaceError:
    """Say why a folder could not be removed."""

    async def look() -> tuple[type[PlaceError], str] | None:
        if (found := await session.exists(path)) is None:
            return None
        if not is_folder(found):
            return error.NotAFolder, "not a folder"
        if await has_entries(session, path):
            return error.NotEmpty, "the folder is not empty"
        return await _no_room(session, path, None)

    if isinstance(refused, Lost) or refused.code not in (Code.FAILURE, Code.NO_SUCH_FILE):
        return from_refusal(refused, location, doing)
    return await _looked(look(), refused, location, doing)


async def not_changed(
    session: Session, refused: Refused | Lost, location: Location, path: bytes, doing: str
) -> PlaceError:
    """Say why attributes could not be set."""
    if isinstance(refused, Lost) or refused.code != Code.FAILURE:
        return from_refusal(refused, location, doing)
    return await _looked(_no_room(session, path, None), refused, location, doing)


async def not_listed(
    session: Session, refused: Refused | Lost, location: Location, path: bytes, doing: str
) -> PlaceError:
    """Say why a folder could not be opened."""

    async def look() -> tuple[type[PlaceError], str] | None:
        found = await session.stat(path)
        return None if is_folder(found) else (error.NotAFolder, "not a folder")

    if isinstance(refused, Lost) or refused.code not in (Code.FAILURE, Code.NO_SUCH_FILE):
        return from_refusal(refused, location, doing)
    return await _looked(look(), refused, location, doing)


def is_folder(found: Attrs | None) -> bool:
    return found is not None and stat.S_ISDIR(found.mode)


async def has_entries(session: Session, path: bytes) -> bool:
    handle = await session.open_folder(path)
    try:
        while page := names_of(await session.send(Kind.READDIR, text(handle))):
            if any(named.name not in (b".", b"..") for named in page):
                return True
        return False
    finally:
        session.close(handle)


async def _no_room(
    session: Session, path: bytes, size_bytes: int | None
) -> tuple[type[PlaceError], str] | None:
    """Say whether the filesystem is full, or takes nothing. `size_bytes` None: nothing was to be added."""
    if not session.offers(STATVFS):
        return None
    _, unit, _, _, available, files, _, files_available, _, flags, _ = await session.statvfs(
        posixpath.dirname(path)
    )
    if flags & _READ_ONLY:
        return error.ReadOnly, "the filesystem is read-only"
    if size_bytes is not None and (available * unit <= size_bytes or (files and not files_available)):
        return error.OutOfSpace, "no space left"
    return None
