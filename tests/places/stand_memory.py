"""Places in memory: one that can do everything, and one that can do hardly anything."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.places.stand import Stand
from tui.model.location import Location
from tui.places.memory import ALL, HARDLY_ANY, MemoryPlace
from tui.places.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from tui.places.base import Capabilities, Place


class MemoryStand(Stand):
    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._store = MemoryStore()
        self.folder = Location("/folder", "memory", "host")
        self._store.folder(self.folder.path)

    async def open(self) -> Place:
        return MemoryPlace(self._store, self._capabilities)

    async def lose(self, place: Place) -> None:
        assert isinstance(place, MemoryPlace)
        place.lose()

    async def names(self, name: str = "") -> set[str]:
        return {path for path in self._store.tree(self.at(name).path) if "/" not in path}

    async def read(self, name: str) -> bytes:
        return self._store.read(self.at(name).path)

    async def write(self, name: str, data: bytes) -> None:
        self._store.write(self.at(name).path, data)

    async def symlink(self, name: str, points_to: str) -> None:
        self._store.link(self.at(name).path, points_to)


@contextlib.asynccontextmanager
async def _all(_: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    yield MemoryStand(ALL)


@contextlib.asynccontextmanager
async def _hardly_any(_: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    yield MemoryStand(HARDLY_ANY)


STANDS = {"memory": _all, "flat memory": _hardly_any}
