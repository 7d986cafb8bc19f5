"""Reading files: small ones whole, others range by range, all of the same state of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.error import AlreadyExists, IsAFolder, NotFound, SourceChanged, Unsupported
from tui.places.s3.entries import entry_of_head, size_of_head
from tui.places.s3.looking import head_of, is_folder, not_found

if TYPE_CHECKING:
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.s3.spots import Spot
    from tui.places.s3.store import Store

_DOING = "read"


class S3Reader:
    """Implements `tui.places.base.Reader`. Nothing is open at the store: each read asks for the state it began with."""

    def __init__(self, store: Store, location: Location, spot: Spot, entry: Entry, etag: str) -> None:
        self.entry = entry
        self._store, self._location, self._spot, self._etag = store, location, spot, etag

    async def read(self, offset: int, size_bytes: int) -> bytes:
        end = min(offset + size_bytes, self.entry.size_bytes)
        if offset >= end:
            return b""
        request = {**self._spot.at, "Range": f"bytes={offset}-{end - 1}", "IfMatch": self._etag}
        try:
            async with self._store.fetch(_DOING, self._location, **request) as (_, chunks):
                return b"".join([chunk async for chunk in chunks])
        except AlreadyExists as error:  # the condition does not hold any more
            raise SourceChanged(
                f"cannot {_DOING} {self._location}: it was replaced meanwhile", location=self._location
            ) from error

    async def look(self) -> Entry:
        head = await head_of(self._store, self._location, self._spot, "look at")
        if head is None:
            raise not_found("look at", self._location)
        return entry_of_head(self._location.name, head)

    async def close(self) -> None:
        pass


async def open_reader(store: Store, location: Location, spot: Spot) -> S3Reader:
    """Open a file; a folder is refused."""
    head = await head_of(store, location, spot, _DOING) if spot.key else None
    if head is None:
        raise await _no_file(store, location, spot)
    return S3Reader(store, location, spot, entry_of_head(location.name, head), head["ETag"])


async def read_whole(store: Store, location: Location, spot: Spot, most_bytes: int) -> tuple[Entry, bytes]:
    """Return a small file whole, in one request."""
    if not spot.key:
        raise await _no_file(store, location, spot)
    try:
        async with store.fetch(_DOING, location, **spot.at) as (head, chunks):
            if size_of_head(head) > most_bytes:
                message = f"cannot {_DOING} {location}: it has grown meanwhile"
                raise Unsupported(message, "Retry when it is at rest.", location=location)
            data = b"".join([chunk async for chunk in chunks])
            return entry_of_head(location.name, head), data
    except NotFound as error:
        raise await _no_file(store, location, spot) from error


async def _no_file(store: Store, location: Location, spot: Spot) -> NotFound | IsAFolder:
    """Return why there is no file to be read."""
    if not spot.bucket or await is_folder(store, location, spot, _DOING) or not spot.key:
        return IsAFolder(f"cannot {_DOING} {location}: it is a folder", location=location)
    return not_found(_DOING, location)
