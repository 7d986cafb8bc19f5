"""A killed engine loses nothing: a few rounds of what `make soak` plays by the hundred."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from tests.servers.sshd import need_sshd
from tests.soak import crash_rounds, far_rounds, merge_rounds, undo_rounds
from tests.soak.rounds import Ground, play_rounds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Play = Callable[[Ground], tuple[str, list[str]]]

SMALL = crash_rounds.Size(files=120, large_bytes=18 << 20, large_files=2)
SMALL_FAR = far_rounds.Size(files=50, large_bytes=6 << 20, large_files=2)
MOST_KILLS = 2


def faults(play: Play, rounds: int, folder: Path) -> list[str]:
    """Play some rounds; return what is wrong after the first in which anything is."""
    return play_rounds(play, rounds, random.randrange(1 << 20), folder, most_kills=MOST_KILLS)


def test_copies_and_moves_survive_sigkill_at_random_moments(tmp_path: Path) -> None:
    rounds = len(crash_rounds.KINDS) * len(crash_rounds.STANDING)
    assert faults(partial(crash_rounds.play, size=SMALL), rounds, tmp_path) == []


def test_the_undoing_of_moves_survives_sigkill_at_random_moments(tmp_path: Path) -> None:
    assert faults(partial(undo_rounds.play, size=SMALL), 3, tmp_path) == []


def test_merges_under_every_rule_survive_sigkill_at_random_moments(tmp_path: Path) -> None:
    assert faults(merge_rounds.play, len(merge_rounds.RULES), tmp_path) == []


def test_copies_and_moves_over_sftp_survive_what_kills_engines_and_sessions(tmp_path: Path) -> None:
    need_sshd()
    with far_rounds.running_hosts(tmp_path / "hosts") as hosts:
        play = partial(far_rounds.play, hosts=hosts, sizes=[SMALL_FAR], away_s=[0], most=MOST_KILLS)
        assert faults(play, 2, tmp_path) == []
