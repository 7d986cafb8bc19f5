"""What a folder holds, in columns: small, sorted, and telling what a listing told."""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tui.engine.far.columns import NONE, Columns, side_by_side
from tui.model.entry import Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator


def entry(name: str, *, size_bytes: int = 7, mtime_ns: int = 8, kind: EntryKind = EntryKind.FILE) -> Entry:
    return Entry(name, kind, size_bytes, mtime_ns, 0o100640, -1, -1, 1)


def columns(*names: str) -> Columns:
    return Columns.of(entry(name) for name in names)


@pytest.mark.parametrize("mtime_ns", [0, 1, -1, -1_500_000_000, 1_700_000_000_123_456_789, 1 << 64])
@pytest.mark.parametrize("size_bytes", [0, 5 << 40, (1 << 64) - 1])
def test_an_entry_comes_out_as_it_went_in(mtime_ns: int, size_bytes: int) -> None:
    one = entry("one", size_bytes=size_bytes, mtime_ns=mtime_ns)
    other = entry(os.fsdecode(b"\xff other"), kind=EntryKind.LINK)
    found = Columns.of([one, other])
    assert [found.get(b"one"), found.get(b"\xff other"), found.get(b"none")] == [one, other, None]


def test_names_are_in_the_order_of_their_bytes_and_come_once() -> None:
    found = columns("b", "a", "ä", "B", "a", ".ferry-abcdefgh-half")
    assert [name for name, _ in found.entries()] == [b"B", b"a", b"b", "ä".encode()]


def test_what_two_folders_hold_is_told_name_by_name() -> None:
    one, other = columns("a", "c", "d"), columns("b", "c", "e")

    def told(after: bytes = b"") -> list[tuple[bytes, bool, bool]]:
        return [
            (name, here is not None, there is not None)
            for name, here, there in side_by_side(one, other, after)
        ]

    assert told() == [
        (b"a", True, False),
        (b"b", False, True),
        (b"c", True, True),
        (b"d", True, False),
        (b"e", False, True),
    ]
    assert told(b"c") == told()[3:]
    assert told(b"bb") == told()[2:]
    assert list(side_by_side(NONE, NONE)) == []


def test_an_entry_takes_little_memory() -> None:
    count = 20_000

    def entries() -> Iterator[Entry]:
        for number in range(count):
            yield entry(f"a file with a name of some length {number:06}", mtime_ns=number * 10**12)

    tracemalloc.start()
    try:
        found = Columns.of(entries())
        size_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(1 for _ in found.entries()) == count
    assert size_bytes / count < 100


@pytest.mark.parametrize("after", [b"", b"00499", b"00500 x", b"03000"])
@pytest.mark.parametrize("one_run", [100, 10_000])
def test_many_come_in_order_too_wherever_one_begins(
    monkeypatch: pytest.MonkeyPatch, one_run: int, after: bytes
) -> None:
    monkeypatch.setattr("tui.engine.far.columns.RUN", 100)
    monkeypatch.setattr("tui.engine.far.columns.ONE_RUN", one_run)
    monkeypatch.setattr("tui.engine.far.columns.PACK", 8)
    numbers = [number * 7919 % 1000 for number in range(1000)]
    found = Columns.of(
        [entry(f"{number:05}", size_bytes=size) for size in (1, 2) for number in numbers[: 1000 // size]]
    )
    again = set(numbers[:500])
    wanted = [(b"%05d" % n, 2 if n in again else 1) for n in range(1000) if b"%05d" % n > after]
    assert [(name, each.size_bytes) for name, each in found.entries(after)] == wanted
    got = {name: found.get(name) for name, _ in wanted}
    assert [(name, each.size_bytes) for name, each in got.items() if each] == wanted
    assert found.get(b"00499 x") is None
