from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import pytest

from tui.places.local import content
from tui.places.local.content import CHUNK_BYTES, Ways

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEVICES = (1, 2)
DATA = os.urandom((3 << 20) + 12_345)


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A file of DATA, and an empty one, both open."""
    (tmp_path / "source").write_bytes(DATA)
    opened = [os.open(tmp_path / name, os.O_RDWR | os.O_CREAT) for name in ("source", "target")]
    yield opened[0], opened[1]
    for fd in opened:
        os.close(fd)


def test_where_a_chunk_takes_long_the_next_is_smaller_and_grows_again_where_it_does_not(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = Ways()
    monkeypatch.setattr(content, "CHUNK_S", -1)
    slow = [ways.some(*ends, 0, CHUNK_BYTES, DEVICES) for _ in range(6)]
    assert slow == [len(DATA), 2 << 20, 1 << 20, 512 << 10, 256 << 10, 256 << 10]
    monkeypatch.setattr(content, "CHUNK_S", math.inf)
    assert [ways.some(*ends, 0, CHUNK_BYTES, DEVICES) for _ in range(4)] == [
        256 << 10,
        512 << 10,
        1 << 20,
        2 << 20,
    ]
