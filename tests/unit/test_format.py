"""Numbers as people read them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import format

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW_S = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (102_348, "99.9 KiB"),
        (102_400, "100 KiB"),
        ((1 << 20) - 1, "1.0 MiB"),
        (312 << 30, "312 GiB"),
        (5 << 40, "5.0 TiB"),
    ],
)
def test_sizes(size_bytes: int, text: str) -> None:
    assert format.size(size_bytes) == text


@given(st.integers(0, 1 << 62))
def test_a_size_takes_eight_cells_at_most(size_bytes: int) -> None:
    assert len(format.size(size_bytes)) <= 8


@given(st.integers(0, 1 << 60), st.integers(0, 1 << 60))
def test_a_bigger_size_never_looks_smaller(one: int, other: int) -> None:
    units = "B KiB MiB GiB TiB PiB EiB".split()

    def value(text: str) -> float:
        number, unit = text.split(" ")
        return float(number) * 1024 ** units.index(unit)

    small, big = sorted((one, other))
    assert value(format.size(small)) <= value(format.size(big))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0:00"),
        (0.4, "0:00"),
        (7, "0:07"),
        (754, "12:34"),
        (11_045, "3:04:05"),
        (86_399.6, "1 d 0 h"),
        (187_200, "2 d 4 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert format.duration(seconds) == text


@pytest.mark.parametrize(
    ("age_s", "text"),
    [
        (0, "Jan 15 08:00"),
        (86_400 * 30, "Dec 16 08:00"),
        (86_400 * 183, "Jul 16  2026"),
        (-7200, "Jan 15  2027"),
    ],
)
def test_modification_times_are_twelve_cells(age_s: int, text: str) -> None:
    assert format.modified(int((NOW_S - age_s) * 1e9), NOW_S) == text
    assert len(text) == 12


@pytest.mark.parametrize("mtime_ns", [1 << 62, -(1 << 62), 10**19])
def test_a_time_beyond_all_calendars_is_a_mark(mtime_ns: int) -> None:
    assert len(format.modified(mtime_ns, NOW_S)) == 12


def test_counts_and_entries() -> None:
    assert format.count(1_234_567) == "1,234,567"
    assert format.entries(1) == "1 file"
    assert format.entries(12_345) == "12,345 files"
    assert format.entries(2, "entry", "entries") == "2 entries"


def test_moments_and_rates() -> None:
    assert format.moment(NOW_S) == "2027-01-15 08:00:00"
    assert format.rate(85_899_346) == "81.9 MiB/s"


@pytest.mark.parametrize("seconds", [1e18, -1e18, 253_402_300_800 + 100_000])
def test_a_time_that_no_calendar_has_is_said_to_be_one(seconds: float) -> None:
    assert format.moment(seconds) == "no calendar date"
