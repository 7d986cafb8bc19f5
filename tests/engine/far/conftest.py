"""Far places in memory for every test that asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from far_harness import FarHarness, Hosts, running_far

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def hosts() -> Hosts:
    return Hosts()


@pytest.fixture
async def far(tmp_path: Path, hosts: Hosts) -> AsyncIterator[FarHarness]:
    async with running_far(tmp_path / "journal.sqlite3", hosts) as harness:
        yield harness
