"""An engine for every test that asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    async with running(tmp_path / "state" / "journal.sqlite3") as harness:
        yield harness
