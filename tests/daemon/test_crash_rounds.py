"""A killed engine loses nothing: a few rounds of what `make soak` plays a hundred times."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.soak.crash_rounds import run_rounds
from tests.soak.merge_rounds import RULES, run_merges

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(120)
def test_copies_and_moves_survive_sigkill_at_random_moments(tmp_path: Path) -> None:
    seed = random.randrange(1 << 20)
    assert run_rounds(4, seed, tmp_path, large_bytes=24 << 20) == []


@pytest.mark.timeout(120)
def test_merges_under_every_rule_survive_sigkill_at_random_moments(tmp_path: Path) -> None:
    seed = random.randrange(1 << 20)
    assert run_merges(len(RULES), seed, tmp_path) == []
