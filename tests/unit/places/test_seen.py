"""Names a job has met."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from tui.places.local.seen import SeenNames


def test_a_name_that_was_met_is_known() -> None:
    seen = SeenNames()
    names = [b"%d" % number for number in range(5000)]
    for name in names:
        seen.meet(name)
    assert all(seen.meet(name) for name in names)


def test_hardly_a_name_that_was_not_met_seems_to_be_known() -> None:
    seen = SeenNames()
    assert sum(seen.meet(b"%d" % number) for number in range(10_000)) < 100


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux only")
def test_a_filter_takes_memory_only_for_what_it_knows() -> None:
    before = resident_bytes()
    filters = [SeenNames() for _ in range(32)]  # of 4 MiB each, if all of it were written
    assert filters[31].meet(b"a name") is False
    assert filters[0].knows(b"a name") is False
    assert resident_bytes() - before < 32 << 20
