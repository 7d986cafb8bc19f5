"""Writing files: small ones in one request, others in parts, some of them on their way while the next is filled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tui.model.error import PlaceError, Unsupported
from tui.places.s3 import uploads
from tui.places.s3.copying import set_time

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.base import Attributes, Buffer, Identity
    from tui.places.s3.budget import Budget
    from tui.places.s3.endpoints import Sizes
    from tui.places.s3.ledger import Ledger
    from tui.places.s3.spots import Spot
    from tui.places.s3.store import Store

MOST_AT_ONCE = 4
"""So many parts of one file are on their way at most."""

_SUSPENDING_S = 2.0
"""So long parts on their way may take to arrive when a file is put aside; the rest is sent again later."""


async def write_whole(
    store: Store,
    location: Location,
    spot: Spot,
    data: bytes | bytearray,
    attributes: Attributes,
    *,
    replace: bool,
) -> None:
    """Make a file in one request."""
    request: dict[str, Any] = {**spot.at, **uploads.described(location.name, attributes.mtime_ns)}
    request.update(await uploads.guarded(store, data))

    async def ask(**more: Any) -> None:
        await store.send("put_object", "write", location, data, **request, **more)

    await uploads.make(store, location, spot, ask, replace=replace)


class S3Writer:
    """Implements `tui.places.base.Writer`. Nothing is under the final name before all of it is at the store."""

    def __init__(
        self,
        store: Store,
        budget: Budget,
        ledger: Ledger,
        sizes: Sizes,
        location: Location,
        spot: Spot,
        identity: Identity,
    ) -> None:
        self._store, self._budget, self._ledger = store, budget, ledger
        self._location, self._spot, self._identity = location, spot, identity
        self._in_parts = identity.size_bytes >= sizes.single_bytes
        self._part_bytes = sizes.part_bytes_of(identity.size_bytes) if self._in_parts else sizes.single_bytes
        self._upload_id: str | None = None
        self._etags: dict[int, str] = {}
        """Of the parts that have arrived."""
        self._left: dict[int, uploads.Part] = {}
        """Parts of an earlier try that lie behind a gap: they need not be sent again if they are the same."""
        self._number = 1
        self._buffer = bytearray()
        self._held_bytes = 0
        self._sending: set[asyncio.Task[None]] = set()
        self._beginning: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self.start = self._end = 0

    async def find_earlier(self) -> None:
        """Go on with what an earlier writer of the same left at the store, if there is something."""
        upload_id = await self._ledger.find(self._location.url, self._identity) if self._in_parts else None
        if upload_id is None:
            return
        parts = await uploads.parts_of(self._store, self._location, self._spot, upload_id)
        if parts is None:
            await self._ledger.forget(self._location.url, upload_id)
            return
        self._upload_id = upload_id
        while (part := parts.pop(self._number, None)) and 0 < part.size_bytes == self._expected_bytes():
            self._etags[part.number] = part.etag
            self._number += 1
            self.start += part.size_bytes
        self._end, self._left = self.start, parts

    def _expected_bytes(self) -> int:
        return min(self._part_bytes, self._identity.size_bytes - self.start)

    async def check(self, size_bytes: int) -> bytes | None:
        return None  # each part was taken with its hash

    async def rewind(self) -> None:
        await self._stop_sending()
        await self._drop_upload()
        self._drop_buffer()
        self._etags, self._left, self._failure = {}, {}, None
        self._number, self.start, self._end = 1, 0, 0

    async def write(self, offset: int, *pieces: Buffer) -> None:
        self._raise_failure()
        self._store.check_alive("write", self._location)
        if offset != self._end:
            message = f"cannot write {self._location}: bytes from {self._end} are missing"
            raise Unsupported(message, location=self._location)
        for piece in pieces:
            await self._take(memoryview(piece))
        if self._in_parts and len(self._buffer) == self._part_bytes:
            await self._send_buffer()

    async def _take(self, rest: memoryview) -> None:
        """Take some bytes into the part being filled, and into those behind it."""
        while rest:
            self._raise_failure()
            if len(self._buffer) == self._part_bytes:
                await self._send_buffer()
            if not self._held_bytes:
                await self._hold()
            piece = rest[: self._part_bytes - len(self._buffer)]
            self._buffer += piece
            self._end += len(piece)
            rest = rest[len(piece) :]

    async def publish(self, attributes: Attributes, *, replace: bool, flush: bool) -> None:
        self._raise_failure()
        if self._upload_id is None:
            await write_whole(
                self._store, self._location, self._spot, self._buffer, attributes, replace=replace
            )
            self._drop_buffer()
            return
        if self._buffer:
            await self._send_buffer()
        while self._sending:
            await asyncio.wait(self._sending)
        self._raise_failure()
        await uploads.complete(
            self._store,
            self._location,
            self._spot,
            self._upload_id,
            self._etags,
            self._identity,
            replace=replace,
        )
        await self._ledger.forget(self._location.url, self._upload_id)
        self._upload_id = None
        if attributes.mtime_ns not in (None, self._identity.mtime_ns):
            await set_time(self._store, self._location, self._spot, attributes.mtime_ns)

    async def suspend(self) -> None:
        if self._sending:
            await asyncio.wait(self._sending, timeout=_SUSPENDING_S)
        await self._stop_sending()
        self._drop_buffer()

    async def discard(self) -> None:
        await self._stop_sending()
        self._drop_buffer()
        await self._drop_upload()

    async def _hold(self) -> None:
        size_bytes = min(self._part_bytes, max(self._identity.size_bytes - self._end, 1))
        await self._budget.take(size_bytes)
        self._held_bytes = size_bytes

    async def _send_buffer(self) -> None:
        """Have the full part sent, as soon as few enough others are on their way."""
        while len(self._sending) >= MOST_AT_ONCE:
            await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)
        self._raise_failure()
        if self._upload_id is None:  # what the store has begun is kept in any case
            self._beginning = asyncio.create_task(self._begin(), name=f"begin {self._location}")
            await asyncio.shield(self._beginning)
        data, self._buffer = self._buffer, bytearray()
        held_bytes, self._held_bytes = self._held_bytes, 0
        self._budget.sent(held_bytes)
        task = asyncio.create_task(
            self._send(self._number, data), name=f"part {self._number} of {self._location}"
        )
        self._sending.add(task)
        self._number += 1
        task.add_done_callback(lambda task: self._sent(task, held_bytes))

    async def _begin(self) -> None:
        described = uploads.described(self._location.name, self._identity.mtime_ns)
        upload_id = await uploads.begin(self._store, self._location, self._spot, described)
        await self._ledger.keep(self._location.url, self._identity, upload_id)
        self._upload_id = upload_id

    async def _send(self, number: int, data: bytearray) -> None:
        left, digest = self._left.get(number), None
        if left is not None and left.size_bytes == len(data):
            digest = await uploads.digest_of(data)
            if left.md5 == digest.hex():
                self._etags[number] = left.etag
                return
        answer = await self._store.send(
            "upload_part",
            "write",
            self._location,
            data,
            **self._spot.at,
            UploadId=self._upload_id,
            PartNumber=number,
            **await uploads.guarded(self._store, data, digest),
        )
        self._etags[number] = answer["ETag"]

    def _sent(self, task: asyncio.Task[None], held_bytes: int) -> None:
        self._sending.discard(task)
        self._budget.give_back(held_bytes, sent=True)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error

    def _raise_failure(self) -> None:
        if self._failure is None:
            return
        if isinstance(self._failure, PlaceError):  # anew: it may be raised several times
            again = type(self._failure)(self._failure.message, self._failure.remedy, location=self._location)
            raise again from self._failure
        raise self._failure

    async def _stop_sending(self) -> None:
        if self._beginning is not None and not self._beginning.done():
            await asyncio.wait({self._beginning}, timeout=_SUSPENDING_S)
        for task in self._sending:
            task.cancel()
        if self._sending:
            await asyncio.wait(self._sending)

    def _drop_buffer(self) -> None:
        self._buffer = bytearray()
        held_bytes, self._held_bytes = self._held_bytes, 0
        if held_bytes:
            self._budget.give_back(held_bytes, sent=False)

    async def _drop_upload(self) -> None:
        """Have what arrived removed. If that fails it stays in the ledger, for `abandon`."""
        upload_id, self._upload_id = self._upload_id, None
        if upload_id is None:
            return
        if await uploads.give_up(self._store, self._location, self._spot, upload_id):
            await self._ledger.forget(self._location.url, upload_id)
