"""A home for an engine, and the certainty that no process is left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.daemon.homes import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home whose engine is asked to go when the test ends, and does."""
    made = Home(tmp_path / "home")
    yield made
    made.end()
