"""Whatever call fails, and however: a job ends in a truthful state, harms nothing, and is completed by a retry.

The suite takes a sample, the same each time, so that a change is judged by what it changed; `make soak` takes every
fault there can be.
"""

from __future__ import annotations

import errno
import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.faults.seam import Fault, Seam
from tests.faults.stands import SCENARIOS, Scenario
from tests.faults.sweep import sweep
from tui.places.local import syscalls

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = 8


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
async def test_any_fault_at_any_call_leaves_the_truth_and_is_mended_by_a_retry(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sweep(scenario, tmp_path, monkeypatch) as one:
        assert await one.begin() == []
        for fault in random.Random(str(scenario)).sample(one.faults(), SAMPLE):
            assert await one.suffer(fault) == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
async def test_at_no_moment_does_a_final_name_hold_wrong_bytes_or_is_an_original_nowhere(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sweep(scenario, tmp_path, monkeypatch) as one:
        assert await one.begin() == []
        assert await one.watched(every=7) == []


async def test_what_fails_in_two_ways_at_each_try_is_given_up_like_all_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file, and then the folder it is in: the second failure began the count of tries anew."""
    (scenario,) = (each for each in SCENARIOS if str(each) == "move across")
    async with sweep(scenario, tmp_path, monkeypatch) as one:
        assert await one.begin() == []
        assert await one.suffer(Fault(0, errno.EMFILE, lasting=True, name="utime")) == []


@pytest.mark.parametrize(
    ("kind", "call", "module", "number"),
    [
        ("sync merge", "lstat", "engine/syncing.py", errno.EIO),  # was told as a fault of Ferry's own
        ("sync merge", "fstat", "local/alongside.py", errno.EIO),  # a folder did not get its time back
        ("sync merge", "utime", "local/alongside.py", errno.EIO),  # nor did it by a retry
        ("move across single", "close", "local/landing.py", errno.EIO),  # two names became two files
    ],
)
async def test_what_was_found_wrong_once_is_right(
    kind: str, call: str, module: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scenario,) = (each for each in SCENARIOS if str(each) == kind)
    async with sweep(scenario, tmp_path, monkeypatch) as one:
        assert await one.begin() == []
        calls = [at for at, place in enumerate(one.places) if place.name == call and place.is_in(module)]
        assert calls
        for at in calls:
            assert await one.suffer(Fault(at, number)) == []


def test_a_descriptor_that_is_closed_twice_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seam = Seam(monkeypatch)
    fd = os.open(tmp_path, os.O_RDONLY)
    syscalls.let_go(fd)
    assert seam.descriptors.take_strays() == []
    syscalls.let_go(fd)
    (told,) = seam.descriptors.take_strays()
    assert told.startswith(f"descriptor {fd} closed that was not open: syscalls.py")
