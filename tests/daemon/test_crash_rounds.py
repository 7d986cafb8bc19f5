"""A killed engine loses nothing: a few rounds of what `make soak` plays by the hundred."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from tests.servers.sshd import need_sshd
from tests.soak import crash_rounds, far_rounds, merge_rounds, undo_rounds
from tests.soak.rounds import play_rounds

if TYPE_CHECKING:
    from pathlib import Path

SMALL = crash_rounds.Size(files=250, large_bytes=18 << 20, large_files=2)
SMALL_FAR = far_rounds.Size(files=80, large_bytes=6 << 20, large_files=2)


def test_copies_and_moves_survive_sigkill_at_random_moments(tmp_path: Path) -> None:
    seed = random.randrange(1 << 20)
    rounds = len(crash_rounds.KINDS) * len(crash_rounds.STANDING)
    assert play_rounds(partial(crash_rounds.play, size=SMALL), rounds, seed, tmp_path) == []


def test_the_undoing_of_moves_survives_sigkill_at_random_moments(tmp_path: Path) -> None:
    seed = random.randrange(1 << 20)
    assert play_rounds(partial(undo_rounds.play, size=SMALL), 3, seed, tmp_path) == []


def test_merges_under_every_rule_survive_sigkill_at_random_moments(tmp_path: Path) -> None:
    seed = random.randrange(1 << 20)
    assert play_rounds(merge_rounds.play, len(merge_rounds.RULES), seed, tmp_path) == []


def test_copies_and_moves_over_sftp_survive_what_kills_engines_and_sessions(tmp_path: Path) -> None:
    need_sshd()
    seed = random.randrange(1 << 20)
    with far_rounds.running_hosts(tmp_path / "hosts") as hosts:
        play = partial(far_rounds.play, hosts=hosts, sizes=[SMALL_FAR], away_s=[0], most=2)
        assert play_rounds(play, 2, seed, tmp_path) == []
