"""Places in memory, and an engine between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from far_harness import Far
from hosts_harness import Hosts, HostsHarness, running_hosts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[Far]:
    """Two places, and an engine."""
    far = Far(tmp_path / "journal")
    async with far.engine_on():
        yield far


@pytest.fixture
def hosts() -> Hosts:
    return Hosts()


@pytest.fixture
async def queue(tmp_path: Path, hosts: Hosts) -> AsyncIterator[HostsHarness]:
    """An engine that reaches hosts by name."""
    async with running_hosts(tmp_path / "journal.sqlite3", hosts) as harness:
        yield harness
