"""What stands in a target folder: found by name, however much there is, and small."""

from __future__ import annotations

import os
import stat
import tracemalloc

import pytest

from tui.engine.far.held import FEW, Held
from tui.model.entry import Entry, EntryKind


def file(number: int) -> Entry:
    # As another host tells it: with names of its own for whoever it belongs to.
    owner = f"user {number}"
    return Entry(
        f"a file {number:06}", EntryKind.FILE, 7 + number, 10**18 + number, stat.S_IFREG, -1, -1, 1, owner
    )


@pytest.mark.parametrize("count", [1, FEW, 4 * FEW])
def test_what_matters_of_each_entry_is_found_by_its_name(count: int) -> None:
    odd = os.fsdecode(b"\xff odd")
    link = Entry("link", EntryKind.LINK, 3, 4, stat.S_IFLNK, 0, 0, 1, link_target="there")
    folder = Entry(odd, EntryKind.FOLDER, 0, 5, stat.S_IFDIR | 0o700, 0, 0, 1)
    held = Held()
    held.add([link, folder])
    for start in range(0, count, 100):
        held.add(map(file, range(start, min(start + 100, count))))
    held.end()
    assert len(held) == count + 2
    assert held.get("link") == link
    assert held.get("another") is None
    for wanted in (folder, *map(file, range(count))):
        found = held.get(wanted.name)
        assert found is not None
        assert (found.facts, found.mode) == (wanted.facts, wanted.mode)


def test_many_take_little_memory() -> None:
    count = 9_000
    tracemalloc.start()
    try:
        held = Held()
        for start in range(0, count, 100):
            held.add(map(file, range(start, start + 100)))
        held.end()
        size_bytes, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size_bytes / count < 100
    assert peak_bytes / count < 160
