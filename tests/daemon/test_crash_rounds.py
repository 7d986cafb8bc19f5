"""A killed engine loses nothing: a few rounds of what `make soak` plays by the hundred."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.soak import crash_rounds, merge_rounds, undo_rounds
from tests.soak.rounds import play_rounds

if TYPE_CHECKING:
    from pathlib import Path

SMALL = crash_rounds.Size(files=250, large_bytes=18 << 20, large_files=2)


@pytest.mark.timeout(180)
def test_copies_and_moves_survive_sigkill_at_random_moments(tmp_path: Path) -> None:
    seed = random.randrange(1 << 20)
    rounds = len(crash_rounds.KINDS) * len(crash_rounds.STANDING)
    assert play_rounds(partial(crash_rounds.play, size=SMALL), rounds, seed, tmp_path) == []


@pytest.mark.timeout(180)
def test_the_undoing_of_moves_survives_sigkill_at_random_moments(tmp_path: Path) -> None:
    seed = random.randrange(1 << 20)
    assert play_rounds(partial(undo_rounds.play, size=SMALL), 3, seed, tmp_path) == []


@pytest.mark.timeout(180)
def test_merges_under_every_rule_survive_sigkill_at_random_moments(tmp_path: Path) -> None:
    seed = random.randrange(1 << 20)
    assert play_rounds(merge_rounds.play, len(merge_rounds.RULES), seed, tmp_path) == []
