"""Two places in memory, and an engine between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from far_harness import Far

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[Far]:
    far = Far(tmp_path / "journal")
    async with far.engine_on():
        yield far
