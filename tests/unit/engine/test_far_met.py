"""Names that were met: known exactly, however many."""

from __future__ import annotations

import tracemalloc

import pytest

from tui.engine.far.met import FEW, Met


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 3 * FEW])
def test_names_are_known_until_they_are_forgotten(count: int) -> None:
    met, names = Met(), [f"name {number}" for number in range(count)]
    for name in names:
        assert name not in met
        met.add(name)
        met.add(name)
    met.discard("another")
    met.discard(names[0])
    assert [name for name in names if name not in met] == names[:1]
    assert "another" not in met
    met.add(names[0])
    assert all(name in met for name in names)


def test_very_many_take_little_memory() -> None:
    count = 50_000
    tracemalloc.start()
    try:
        met = Met()
        for number in range(count):
            met.add(f"a file with a name of some length {number:06}")
        size_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size_bytes / count < 20
