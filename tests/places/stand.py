"""Where a place is tried: what the contract suite needs to know of it besides the place itself.

To have a place tried, add a file `stand_NAME.py` here with

    STANDS = {"NAME": make}

where `make(request)` is an async context manager that gives a `Stand`; session fixtures (a server) come by
`request.getfixturevalue`. See `stand_memory.py`, and `stand_local.py` for one that can be looked at through a disk.
"""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

from tui.places.base import Attributes, Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Capabilities, Place, Writer

    Make = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager["Stand"]]

TAG, OTHER_TAG = "abcdefgh", "ijklmnop"
TIME_NS = 1_600_000_000_123_456_789


class Stand:
    """An empty folder of a place, and the means to look at it behind the place's back.

    Attributes:
        folder: Empty at the start; all happens in it.
        kept_bytes: So much of a half file, at least, is found again where the place resumes, if twice as much was
            written. (Stores that keep whole parts only say how big those are.)
        excused: Tests that cannot hold here, by name, and why.
    """

    folder: Location
    kept_bytes = 50_000
    excused: ClassVar[Mapping[str, str]] = {}

    async def open(self) -> Place:
        """Return a place of a connection of its own; the suite closes it."""
        raise NotImplementedError

    async def lose(self, place: Place) -> None:
        """Cut a place off, as a dying network would; skips where that cannot be."""
        pytest.skip("this cannot be lost")

    async def names(self, name: str = "") -> set[str]:
        """Return all that stands in the folder, or one in it: also half files, if they can be seen by anybody."""
        raise NotImplementedError

    async def read(self, name: str) -> bytes:
        """Return the content of a file in the folder, through links."""
        raise NotImplementedError

    async def write(self, name: str, data: bytes) -> None:
        """Write to a file in the folder: into the one that stands there, if any."""
        raise NotImplementedError

    async def symlink(self, name: str, points_to: str) -> None:
        """Make a link; asked for only where the place knows such."""
        raise NotImplementedError

    def at(self, name: str) -> Location:
        """Return the location of something in the folder."""
        return self.folder.below(name)


class DiskStand(Stand):
    """A stand whose folder is at the same time a folder of this machine's disk."""

    def __init__(self, disk: Path, folder: Location) -> None:
        self.disk, self.folder = disk, folder

    async def names(self, name: str = "") -> set[str]:
        return {path.name for path in (self.disk / name).iterdir()}

    async def read(self, name: str) -> bytes:
        return (self.disk / name).read_bytes()

    async def write(self, name: str, data: bytes) -> None:
        (self.disk / name).write_bytes(data)

    async def symlink(self, name: str, points_to: str) -> None:
        (self.disk / name).symlink_to(points_to)


def found() -> dict[str, Make]:
    """Return what makes each stand there is, by name."""
    makers: dict[str, Make] = {}
    for path in sorted(Path(__file__).parent.glob("stand_*.py")):
        makers.update(importlib.import_module(f"tests.places.{path.stem}").STANDS)
    return makers


# What tests of all kinds say.


def need(capabilities: Capabilities, *names: str) -> None:
    """Skip a test where a place cannot do what it is about (its mark `needs`)."""
    for name in names:
        if not getattr(capabilities, name):
            pytest.skip(f"no {name.replace('_', ' ')} here")


async def listed(place: Place, folder: Location) -> dict[str, Entry]:
    """Return all entries of a folder by name; none may come twice."""
    entries = [entry async for page in place.list(folder) for entry in page]
    by_name = {entry.name: entry for entry in entries}
    assert len(by_name) == len(entries)
    return by_name


async def put(place: Place, location: Location, data: bytes = b"", *, replace: bool = False) -> None:
    """Make a small file with nothing special about it."""
    await place.put(location, data, Attributes(), TAG, replace=replace, flush=False)


async def begin(
    place: Place, location: Location, size_bytes: int, *, tag: str = TAG, mtime_ns: int = TIME_NS
) -> Writer:
    return await place.open_writer(location, Identity(tag, size_bytes, mtime_ns))


async def write_all(writer: Writer, data: bytes, *, piece_bytes: int = 40_000) -> None:
    """Write what is missing up to `data`, piece by piece."""
    for offset in range(writer.start, len(data), piece_bytes):
        await writer.write(offset, data[offset : offset + piece_bytes])


@functools.lru_cache(maxsize=8)
def some_bytes(size_bytes: int, seed: int = 1) -> bytes:
    """Return bytes that look random, no two stretches alike, the same every time."""
    import random

    return random.Random(seed).randbytes(size_bytes)
