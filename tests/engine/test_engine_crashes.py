"""Crashes at random moments, again and again: nothing is lost, nothing half is left."""

from __future__ import annotations

import asyncio
import random
import secrets
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, crash, names, new_engine, running

from tests.trees import describe, differences, make_mixed_tree, partials
from tui.model.job import JobKind, JobState

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 60 << 20


async def interrupted(journal: Path, id: int, moments: random.Random) -> bool:
    """Run an engine for a random while and crash it; say whether the job is still to be finished."""
    engine = new_engine(journal)
    await engine.start_up()
    await asyncio.sleep(moments.uniform(0.02, 0.4))
    state = (await engine.job(id)).state
    await crash(Harness(engine, journal))
    return state in (JobState.QUEUED, JobState.RUNNING)


@pytest.mark.parametrize("merge", [False, True])
@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
async def test_a_tree_arrives_whole_whenever_the_engine_dies(
    tmp_path: Path, far: Path, kind: JobKind, merge: bool
) -> None:
    seed = secrets.randbelow(1000)
    tree, journal = tmp_path / "tree", tmp_path / "journal"
    make_mixed_tree(tree, seed=seed, files=250, large_bytes=18 << 20, large_files=2)
    before = describe(tree)
    if merge:
        (far / "tree").mkdir()
    async with running(journal) as first:
        id = await first.copy(tree, to=far, kind=kind, limit_bytes_s=LIMIT, paused=True)
        await first.engine.resume([id])
    moments = random.Random(seed)
    crashes = 0
    while await interrupted(journal, id, moments):
        crashes += 1
        assert crashes < 100
    assert crashes > 0
    async with running(journal) as last:
        job = await last.done(id)
    after = describe(far / "tree")
    if merge:  # a folder that was there keeps its own times and mode
        before.pop(b"")
        after.pop(b"")
    assert differences(before, after) == [], f"seed {seed}"
    assert partials(far) == []
    assert ("tree" in names(tmp_path)) == (kind is JobKind.COPY)
    assert job.progress.files_done == job.progress.files_total
