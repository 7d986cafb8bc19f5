"""What a delete tells of itself when it was stopped in between."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from engine_harness import at_rest, running

from tui.model.job import JobKind, JobState
from tui.places.local.removal import TreeRemoval

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_delete_that_was_paused_counts_what_went_before_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarts: bool
) -> None:
    trees = [tmp_path / name for name in ("done", "half", "left")]
    for tree in trees:
        tree.mkdir()
        for number in range(10):
            (tree / f"{number}").write_text("text")
    removed, loop = count(1), asyncio.get_running_loop()
    remove = TreeRemoval.file

    async with running(tmp_path / "journal") as harness:

        def pausing(self: TreeRemoval, *args: Any) -> None:
            remove(self, *args)
            if next(removed) == 17:
                asyncio.run_coroutine_threadsafe(harness.engine.pause([id]), loop).result(10)

        monkeypatch.setattr(TreeRemoval, "file", pausing)
        id = await harness.submit(JobKind.DELETE, *trees)
        job = await harness.until(id, lambda job: job.state is JobState.PAUSED)
        await at_rest(harness.engine)
        assert [tree.exists() for tree in trees] == [False, True, True]
        if not restarts:
            await harness.engine.resume([id])
            job = await harness.done(id)
    if restarts:
        async with running(tmp_path / "journal") as harness:
            await harness.engine.resume([id])
            job = await harness.done(id)
    assert (job.progress.files_done, job.progress.files_total) == (30, 30)
    assert (job.progress.bytes_done, job.progress.bytes_total) == (120, 120)
