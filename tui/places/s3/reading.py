"""Reading files: small ones whole, others range by range, all of the same state of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.model.error import AlreadyExists, IsAFolder, NotFound, PlaceError, SourceChanged, Unsupported
from tui.places.s3.entries import entry_of_head, size_of_head, start_of
from tui.places.s3.errors import BrokeOff
from tui.places.s3.looking import has_no_byte, head_of, is_folder, not_found
from tui.places.s3.stretches import Stretches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Buffer
    from tui.places.s3.spots import Spot
    from tui.places.s3.store import Body, Store

_DOING = "read"


FIRST_BYTES = 256 << 10
"""So much is asked for as a file is opened: a small one comes with what is told of it."""


class S3Reader:
    """Implements `tui.places.base.Reader`. Whatever is asked for is of the state it began with.

    Args:
        head: What was told of the file.
        body: Its first bytes, at most FIRST_BYTES, as they come; None: none have been asked for.
    """

    def __init__(
        self, store: Store, location: Location, spot: Spot, head: dict[str, Any], body: Body | None
    ) -> None:
        self.entry = entry_of_head(location.name, head)
        self._store, self._location, self._spot, self._etag = store, location, spot, head["ETag"]
        self._stretches = Stretches(self._ask, self.entry.size_bytes)
        if body is not None:
            self._stretches.begin(body, min(FIRST_BYTES, self.entry.size_bytes))

    async def read(self, offset: int, size_bytes: int) -> bytes:
        return b"".join(await self.pieces(offset, size_bytes))

    async def pieces(self, offset: int, size_bytes: int) -> Sequence[Buffer]:
        end = min(offset + size_bytes, self.entry.size_bytes)
        return await self._stretches.read(offset, end) if offset < end else []

    async def _ask(self, start: int, end: int) -> Body:
        """Have a range sent, and make sure that it is the one, of the file that was opened."""
        request = {**self._spot.at, "Range": f"bytes={start}-{end - 1}", "IfMatch": self._etag}
        try:
            head, body = await self._store.open(_DOING, self._location, **request)
        except AlreadyExists as error:  # the condition does not hold any more
            raise self._changed() from error
        if head.get("ETag", self._etag) != self._etag:  # a store that does not know conditions
            body.close()
            raise self._changed()
        if start_of(head) != start:
            body.close()
            message = f"cannot {_DOING} {self._location}: the store does not send the part it was asked for"
            raise Unsupported(message, "Copy it with another tool.", location=self._location)
        return body

    def _changed(self) -> SourceChanged:
        return SourceChanged(
            f"cannot {_DOING} {self._location}: it was replaced meanwhile", location=self._location
        )

    async def look(self) -> Entry:
        head = await head_of(self._store, self._location, self._spot, "look at")
        if head is None:
            raise not_found("look at", self._location)
        return entry_of_head(self._location.name, head)

    async def close(self) -> None:
        self._stretches.close()


async def open_reader(store: Store, location: Location, spot: Spot) -> S3Reader:
    """Open a file; a folder is refused."""
    if not spot.key:
        raise await _no_file(store, location, spot)
    body: Body | None
    try:
        head, body = await store.open(_DOING, location, Range=f"bytes=0-{FIRST_BYTES - 1}", **spot.at)
    except NotFound as error:
        raise await _no_file(store, location, spot) from error
    except PlaceError as error:
        if not has_no_byte(error):
            raise
        head, body = await store.call("head_object", _DOING, location, **spot.at), None
    if body is not None and start_of(head):  # another part than was asked for: `_ask` will tell
        body.close()
        body = None
    return S3Reader(store, location, spot, head, body)


async def read_whole(store: Store, location: Location, spot: Spot, most_bytes: int) -> tuple[Entry, bytes]:
    """Return a small file whole, in one request (or another, where that breaks off)."""
    if not spot.key:
        raise await _no_file(store, location, spot)
    try:
        try:
            return await _read_whole(store, location, spot, most_bytes)
        except BrokeOff:
            return await _read_whole(store, location, spot, most_bytes)
    except NotFound as error:
        raise await _no_file(store, location, spot) from error


async def _read_whole(store: Store, location: Location, spot: Spot, most_bytes: int) -> tuple[Entry, bytes]:
    async with store.fetch(_DOING, location, **spot.at) as (head, body):
        if size_of_head(head) > most_bytes:
            message = f"cannot {_DOING} {location}: it has grown meanwhile"
            raise Unsupported(message, "Retry when it is at rest.", location=location)
        return entry_of_head(location.name, head), await body.rest()


async def _no_file(store: Store, location: Location, spot: Spot) -> NotFound | IsAFolder:
    """Return why there is no file to be read."""
    if not spot.bucket or await is_folder(store, location, spot, _DOING) or not spot.key:
        return IsAFolder(f"cannot {_DOING} {location}: it is a folder", location=location)
    return not_found(_DOING, location)
