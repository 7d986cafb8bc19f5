"""Open files of a place in memory."""

from __future__ import annotations

import contextlib
import errno
from typing import TYPE_CHECKING, Protocol

from tui.places.memory_store import os_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Attributes, Buffer, Capabilities
    from tui.places.memory_store import MemoryStore, Node


class Opener(Protocol):
    """The place that opened a file."""

    store: MemoryStore
    capabilities: Capabilities

    def step(
        self, name: str, location: Location, doing: str, *, changes: bool = False
    ) -> AbstractAsyncContextManager[None]:
        """Do one step: let faults in, turn OSErrors into ours."""
        ...

    def place(self, node: Node, location: Location, attributes: Attributes, *, flush: bool) -> None:
        """Put a complete file under its name."""
        ...

    def drop_half(self, scratch: Location) -> None: ...


class MemoryReader:
    """Implements `tui.places.base.Reader`. What is put over the file's name meanwhile does not concern it."""

    def __init__(self, place: Opener, location: Location, node: Node) -> None:
        self._place, self._location, self._node = place, location, node
        self.entry = node.entry(location.name)

    async def read(self, offset: int, size_bytes: int) -> bytes:
        async with self._place.step("read", self._location, "read"):
            return bytes(self._node.data[offset : offset + size_bytes])

    async def pieces(self, offset: int, size_bytes: int) -> Sequence[Buffer]:
        data = await self.read(offset, size_bytes)
        middle = len(data) // 2
        return [piece for piece in (data[:middle], memoryview(data)[middle:]) if piece]

    async def look(self) -> Entry:
        async with self._place.step("look", self._location, "look at"):
            return self._node.entry(self._location.name)

    async def close(self) -> None:
        pass


class MemoryWriter:
    """Implements `tui.places.base.Writer`. What has been written is there, also when the place is lost."""

    def __init__(self, place: Opener, location: Location, scratch: Location, half: Node) -> None:
        self._place, self._location, self._scratch, self._half = place, location, scratch, half
        self.start = len(half.data)

    async def check(self, size_bytes: int) -> bytes | None:
        async with self._place.step("check", self._location, "read"):
            return bytes(self._half.data[max(self.start - size_bytes, 0) : self.start])

    async def rewind(self) -> None:
        async with self._place.step("rewind", self._location, "write"):
            self._half.data.clear()
            self.start = 0

    async def write(self, offset: int, *pieces: Buffer) -> None:
        async with self._place.step("write", self._location, "write"):
            if offset != len(self._half.data):
                raise os_error(errno.EINVAL)
            self._place.store.check_room(sum(map(len, pieces)))
            for piece in pieces:
                self._half.data += piece

    async def publish(self, attributes: Attributes, *, replace: bool, flush: bool) -> None:
        async with self._place.step("publish", self._location, "write", changes=True):
            self._place.store.make_way(self._location.path, replace=replace)
            self._place.drop_half(self._scratch)
            self._place.place(self._half, self._location, attributes, flush=flush)

    async def suspend(self) -> None:
        with contextlib.suppress(Exception):
            async with self._place.step("suspend", self._location, "write"):
                if not self._place.capabilities.resumes:
                    self._place.drop_half(self._scratch)

    async def discard(self) -> None:
        with contextlib.suppress(Exception):
            async with self._place.step("discard", self._location, "write", changes=True):
                self._place.drop_half(self._scratch)
