"""One store, spoken to: every request has a time by which it must have moved, and every error is Ferry's."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
from typing import TYPE_CHECKING, Any

from tui.model.error import PlaceError, PlaceUnavailable, Unsupported
from tui.places.s3.endpoints import host_of
from tui.places.s3.errors import LOST, BrokeOff, code_of, from_foreign, has_expired
from tui.places.s3.known import KnownFolders

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tui.model.location import Location
    from tui.places.s3.endpoints import Endpoint
    from tui.places.s3.spots import Spot

SILENCE_S = 28.0
"""A store that has neither answered nor taken nor sent a byte for so long is out of reach."""

_CHUNK_BYTES = 1 << 20
"""More than ever lies there at once: what has come is taken as it came, and not put together twice."""

_AT_ONCE_BYTES = 64 << 10
"""So few bytes go off in one step: nothing is to be seen of how they move, nor leave to be waited for (100-continue).

The library asks for leave where it is given something to read from, and makes that of `bytes`, not of a `bytearray`.
"""


_FAULTS = ("500", "InternalError")

_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What an answer cannot hold, as XML 1.0 has no sign for it (section 2.2)."""


class _Body(io.RawIOBase):
    """Bytes to be sent, without another copy of them; tells each time some are taken. (By a thread of aiohttp's.)"""

    def __init__(self, data: bytes | bytearray | memoryview, moved: Any) -> None:
        super().__init__()
        self._data, self._moved, self._at = memoryview(data), moved, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        self._at = min(max(base + offset, 0), len(self._data))
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        end = len(self._data) if size is None or size < 0 else self._at + size
        piece = bytes(self._data[self._at : end])
        self._at += len(piece)
        self._moved()
        return piece


class Body:
    """The bytes of an answer, as they come. It outlasts the request, and is to be closed."""

    def __init__(self, store: Store, raw: Any, doing: str, location: Location) -> None:
        self._store, self._raw, self._doing, self._location = store, raw, doing, location

    async def next(self, most_bytes: int = _CHUNK_BYTES) -> bytes:
        """Return some bytes; none at the end.

        Raises:
            BrokeOff: It ended before all had come that were told of.
        """
        with self._store.told(self._doing, self._location):
            try:
                async with asyncio.timeout(self._store.silence_s):
                    return bytes(await self._raw.read(min(most_bytes, _CHUNK_BYTES)))
            except LOST as error:
                if isinstance(error, TimeoutError):
                    raise
                raise self._broke_off() from error

    async def some(self, most_bytes: int) -> bytes:
        """Return some bytes, of which there must be more.

        Raises:
            BrokeOff.
        """
        if not (chunk := await self.next(most_bytes)):
            raise self._broke_off()
        return chunk

    def _broke_off(self) -> BrokeOff:
        return BrokeOff(
            f"cannot {self._doing} {self._location}: the connection broke off", location=self._location
        )

    async def rest(self) -> bytes:
        """Return all there is. Raises as `next`."""
        pieces = []
        while piece := await self.next():
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Let go of it. What has not come yet does not come any more."""
        self._raw.close()


class Store:
    """Requests to one endpoint.

    Attributes:
        alive: It answered when it was last asked, and still knows the keys.
        let_in: It has accepted the keys.
        signs_bodies: What is sent is part of what is signed. (Where TLS guards it, that would be needless work.)
        answers_head: It answers HEAD as HTTP has it, also of what is not there. (With eventlet 0.33 Swift ends such
            answers as if they had a body, and what follows on that connection cannot be read.)
        conditional: It takes `If-None-Match` with what it is given; None: that was not tried. (Swift refuses it.)
        heeds: It is certain that it does not replace anything then. (Some take it, and replace all the same: only one
            that is Amazon's, or has refused something for that reason, is trusted.)
        tested: Whether it heeds them was tried with the mark of a folder.
        heeds_in_parts: So it is for what was uploaded in parts, too. (Ceph 16 heeds a condition of a file sent whole,
            and not of one put together: this is known of Amazon's alone.)
        first: Held while one finds out for all whether it is `conditional`.
        known: What was lately learnt of folders there.
    """

    def __init__(self, client: Any, endpoint: Endpoint, silence_s: float = SILENCE_S) -> None:
        self._client, self.endpoint, self.silence_s = client, endpoint, silence_s
        self._turns: dict[Spot, tuple[asyncio.Lock, int]] = {}
        self.alive, self.let_in, self.signs_bodies = True, False, False
        self.answers_head, self.heeds, self.heeds_in_parts = True, False, False
        self.conditional: bool | None = None
        self.tested = False
        self.first = asyncio.Lock()
        self.known = KnownFolders()

    @contextlib.asynccontextmanager
    async def turn(self, spot: Spot) -> AsyncIterator[None]:
        """Of those here who want one name let one after the other find out whether it is free, and take it."""
        lock, waiting = self._turns.get(spot) or (asyncio.Lock(), 0)
        self._turns[spot] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._turns.pop(spot)
            if waiting > 1:
                self._turns[spot] = lock, waiting - 1

    @property
    def region(self) -> str:
        return str(self._client.meta.region_name)

    @property
    def host(self) -> str:
        """Where it is: name and port."""
        return host_of(str(self._client.meta.endpoint_url))

    async def call(
        self, operation: str, doing: str, location: Location, *, longer_s: float = 0.0, **request: Any
    ) -> dict[str, Any]:
        """Ask for something that has a short answer.

        Args:
            operation: Name of the client's method: "head_object", ….
            longer_s: So much longer than usual it may take, as it is real work for the store.
        """
        with self.told(doing, location):
            async with asyncio.timeout(self.silence_s + longer_s):
                return self._answer(await getattr(self._client, operation)(**request))

    async def keys(self, doing: str, location: Location, **request: Any) -> dict[str, Any]:
        """Ask for a page of the keys that begin with `Prefix`.

        Raises:
            Unsupported: An answer would have to repeat what XML cannot hold. (Ceph has a fault of its own each time.)
        """
        try:
            return await self.call("list_objects_v2", doing, location, **request)
        except PlaceUnavailable as error:
            if self.alive and code_of(error.__cause__) in _FAULTS and _NOT_IN_XML.search(request["Prefix"]):
                message = (
                    f"cannot {doing} {location}: the store cannot tell what is in a folder of such a name"
                )
                remedy = "Give it a name without control characters."
                raise Unsupported(message, remedy, location=location) from error
            raise

    async def send(
        self,
        operation: str,
        doing: str,
        location: Location,
        data: bytes | bytearray | memoryview,
        **request: Any,
    ) -> dict[str, Any]:
        """Send some bytes; it may take as long as they move."""
        with self.told(doing, location):
            async with asyncio.timeout(self.silence_s) as limit:
                loop = asyncio.get_running_loop()

                def moved() -> None:
                    with contextlib.suppress(RuntimeError):  # it has just ended
                        limit.reschedule(loop.time() + self.silence_s)

                small = len(data) <= _AT_ONCE_BYTES
                body = bytearray(data) if small else _Body(data, lambda: loop.call_soon_threadsafe(moved))
                return self._answer(await getattr(self._client, operation)(Body=body, **request))

    async def open(self, doing: str, location: Location, **request: Any) -> tuple[dict[str, Any], Body]:
        """Ask for an object: return what is told about it, and its bytes, to be closed."""
        with self.told(doing, location):
            async with asyncio.timeout(self.silence_s):
                answer = self._answer(await self._client.get_object(**request))
        return answer, Body(self, answer["Body"], doing, location)

    @contextlib.asynccontextmanager
    async def fetch(
        self, doing: str, location: Location, **request: Any
    ) -> AsyncIterator[tuple[dict[str, Any], Body]]:
        """Get an object: what is told about it, and its bytes, as long as the block lasts."""
        answer, body = await self.open(doing, location, **request)
        try:
            yield answer, body
        finally:
            body.close()

    def check_alive(self, doing: str, location: Location) -> None:
        """Raise PlaceUnavailable where the store was found out of reach, or this was closed."""
        if not self.alive:
            message = f"cannot {doing} {location}: the connection was lost"
            raise PlaceUnavailable(message, location=location)

    async def close(self) -> None:
        self.alive = False
        with contextlib.suppress(Exception):
            await self._client.close()

    def _answer(self, answer: Any) -> dict[str, Any]:
        assert isinstance(answer, dict)
        return answer

    @contextlib.contextmanager
    def told(self, doing: str, location: Location) -> Iterator[None]:
        """Let what goes wrong be Ferry's errors; note where the store was lost."""
        self.check_alive(doing, location)
        try:
            yield
        except PlaceError:
            raise
        except Exception as error:
            made = from_foreign(error, doing, location, self.host)
            if isinstance(error, LOST):
                self.alive = False
            elif self.let_in and has_expired(
                error
            ):  # new keys may be there by now: whoever connects anew has those
                self.alive = False
                raise PlaceUnavailable(made.message, made.remedy, location=location) from error
            raise made from error
