"""Far places in memory for every test that asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hosts_harness import HostsHarness, Hosts, running_hosts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def hosts() -> Hosts:
    return Hosts()


@pytest.fixture
async def queue(tmp_path: Path, hosts: Hosts) -> AsyncIterator[HostsHarness]:
    async with running_hosts(tmp_path / "journal.sqlite3", hosts) as harness:
        yield harness
