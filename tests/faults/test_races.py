"""Somebody swaps folders for links to a tree outside while a job works: nothing there is written, read or removed."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.races import ATTACKS, Attack, play

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = Path("/dev/shm")
ROUNDS, ENOUGH_SWAPS = 2, 1000


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Path]:
    """A folder on another filesystem, where there is one."""
    if not MEMORY.is_dir():
        yield tmp_path / "far"
        return
    folder = Path(tempfile.mkdtemp(prefix="ferry-test-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names are exchanged by renameat2")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
async def test_a_link_swapped_in_leads_no_job_outside(attack: Attack, tmp_path: Path, far: Path) -> None:
    swaps, harm = await play(attack, tmp_path, far, ROUNDS, seed=1, enough=ENOUGH_SWAPS)
    assert harm == []
    assert swaps >= ENOUGH_SWAPS
