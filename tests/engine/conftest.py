"""An engine for every test that asks for one, and a folder on another filesystem."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MEMORY = Path("/dev/shm")


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    async with running(tmp_path / "state" / "journal.sqlite3") as harness:
        yield harness


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Path]:
    """A folder on another filesystem than the other folders of a test."""
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second filesystem")
    folder = Path(tempfile.mkdtemp(prefix="ferry-test-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder)
