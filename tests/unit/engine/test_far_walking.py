"""Who waits for whom in a far copy."""

from __future__ import annotations

import asyncio
import stat
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from tui.engine.far.tree import Folder, Item
from tui.engine.far.walking import WINDOW, Walk
from tui.model.entry import Entry, EntryKind
from tui.model.job import JobKind
from tui.model.location import Location
from tui.places.memory import MemoryPlace
from tui.places.memory_store import MemoryStore

if TYPE_CHECKING:
    from tui.engine.far.deciding import Tools

HERE, THERE = Location("/from", "here"), Location("/to", "there")


def full_walk() -> Walk:
    """Return a walk of which so much is waiting that no more is read, and at which nobody works."""
    place = MemoryPlace(MemoryStore())
    row = SimpleNamespace(by_content=False, kind=JobKind.COPY, preserve=frozenset())
    run = SimpleNamespace(moves=False, verifies=False, record=SimpleNamespace(doubtful=False, row=row))
    ends = SimpleNamespace(at=lambda _: place)
    transfer = SimpleNamespace(furthest={}, connect=lambda *_: None, goes_whole=lambda _: True)
    tools = SimpleNamespace(
        run=run, ends=ends, counts=None, transfer=transfer, halves={}, clashes=None, times=None
    )
    walk = Walk(cast("Tools", tools), HERE, THERE, frozenset())
    folder = Folder(0, "", "", HERE, THERE, None)
    entry = Entry("file", EntryKind.FILE, 0, 0, stat.S_IFREG, 0, 0, 1)
    for _ in range(WINDOW + 1):
        walk.add(Item(folder, entry, "file", 0))
    return walk


async def test_no_folder_waits_for_room_where_nobody_makes_any() -> None:
    """What is suspected is tried alone, and one folder may clear those below it just before their turn."""
    async with asyncio.timeout(10):
        await full_walk()._wait_for_room()
