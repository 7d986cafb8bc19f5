"""The tree a job is building is told, until it stands under its name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from engine_harness import Harness, at_rest, crash, names, new_engine, running

from tests.trees import partials
from tui.engine import bringing
from tui.model.error import PlaceUnavailable
from tui.model.job import JobState
from tui.model.location import Location
from tui.places.local.slices import SliceCopy
from tui.places.local.staging import stage_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tui.model.job import Job

MIB = 1 << 20
SLOW = 4 * MIB
"""A limit at which the trees of these tests take seconds, in bytes a second."""


def tree(folder: Path, count: int = 40, size_bytes: int = 200_000) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"file {number}").write_bytes(os.urandom(size_bytes))
    return folder


def is_building(final: Path, size_bytes: int = 1) -> Callable[[Job], bool]:
    wanted = Location.local(final)
    return lambda job: (
        job.stage is not None and job.stage.final == wanted and job.stage.bytes_done >= size_bytes
    )


async def test_a_new_tree_is_told_while_it_is_built_and_not_after(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.copy(tree(source / "a"), to=target, limit_bytes_s=SLOW)
    job = await harness.until(id, is_building(target / "a", MIB))
    assert job.stage is not None
    folder = target / job.stage.folder.name
    assert job.stage.folder == Location.local(folder)
    assert names(target) == [folder.name]
    assert job.stage.bytes_done == job.progress.bytes_done
    await harness.engine.limit(None, [id])
    assert (await harness.done(id)).stage is None
    assert names(target) == ["a"]


async def test_of_several_trees_each_is_told_with_its_own_bytes(
    harness: Harness, source: Path, target: Path
) -> None:
    first, second = tree(source / "a", 20), tree(source / "b")
    id = await harness.copy(first, second, to=target, limit_bytes_s=SLOW)
    job = await harness.until(id, is_building(target / "b", MIB))
    assert job.stage is not None
    assert job.stage.bytes_done == job.progress.bytes_done - 20 * 200_000
    await harness.engine.limit(None, [id])
    await harness.done(id)


async def test_a_job_that_merges_and_a_single_file_build_nothing(
    harness: Harness, source: Path, target: Path
) -> None:
    (target / "a").mkdir()
    (source / "big").write_bytes(os.urandom(8 * MIB))
    id = await harness.copy(tree(source / "a"), source / "big", to=target, limit_bytes_s=SLOW)
    job = await harness.until(id, lambda job: job.progress.bytes_done >= 2 * MIB)
    assert job.stage is None
    await harness.engine.cancel([id])


async def test_the_tree_of_a_paused_job_is_told_also_by_the_next_engine(
    source: Path, target: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    async with running(journal) as harness:
        id = await harness.copy(tree(source / "a"), to=target, limit_bytes_s=SLOW)
        await harness.until(id, is_building(target / "a", MIB))
        await harness.engine.pause([id])
        await at_rest(harness.engine)
        paused = await harness.engine.job(id)
        assert paused.stage is not None
    async with running(journal) as harness:
        job = await harness.engine.job(id)
        assert (job.state, job.stage and job.stage.folder) == (JobState.PAUSED, paused.stage.folder)
        await harness.engine.limit(None, [id])
        await harness.engine.resume([id])
        assert (await harness.done(id)).stage is None


async def test_after_a_crash_the_tree_is_told_again_until_it_is_built(
    source: Path, target: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    killed = Harness(new_engine(journal), journal)
    await killed.engine.start_up()
    id = await killed.copy(tree(source / "a"), to=target, limit_bytes_s=SLOW)
    before = await killed.until(id, is_building(target / "a", MIB))
    await crash(killed)
    async with running(journal) as harness:
        again = await harness.until(id, is_building(target / "a"))
        assert before.stage and again.stage
        assert again.stage.folder == before.stage.folder
        await harness.engine.limit(None, [id])
        assert (await harness.done(id)).stage is None


async def test_a_cancelled_job_builds_nothing_once_it_is_tidied_up(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.copy(tree(source / "a"), to=target, limit_bytes_s=SLOW)
    await harness.until(id, is_building(target / "a", MIB))
    await harness.engine.cancel([id])
    job = await harness.until(id, lambda job: job.state is JobState.CANCELLED and job.stage is None)
    assert names(target) == ["a"]
    assert partials(target) == []
    assert "incomplete" in job.note


async def test_a_name_taken_meanwhile_ends_the_building(harness: Harness, source: Path, target: Path) -> None:
    id = await harness.copy(tree(source / "a"), to=target, limit_bytes_s=SLOW)
    await harness.until(id, is_building(target / "a", MIB))
    (target / "a").mkdir()
    await harness.engine.limit(None, [id])
    assert (await harness.done(id)).stage is None
    assert len(names(target / "a")) == 40


async def test_a_stranger_in_the_place_of_the_partial_folder_is_an_error_of_its_own(
    harness: Harness, source: Path, target: Path
) -> None:
    paused = await harness.copy(tree(source / "a", 1), to=target, paused=True)
    tag = harness.engine._keeper.board.get(paused).row.tag  # type: ignore[union-attr]
    partial = os.fsdecode(stage_name(tag, b"a"))
    (target / partial).write_text("not a folder")
    await harness.engine.resume([paused])
    job = await harness.ends(paused)
    (error,) = await harness.engine.errors(paused)
    assert (job.state, job.stage, error.code) == (JobState.FAILED, None, "AlreadyExists")


async def test_a_tree_that_did_not_get_its_name_at_first_is_not_copied_again(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large files were, and their half files stayed in the tree: its folder was taken for empty."""
    publish, slices, calls = bringing.publish, SliceCopy.step, []

    def refused_once(*args: Any) -> None:
        calls.append("publish")
        if calls.count("publish") == 1:
            raise PlaceUnavailable("cannot create a: too many files are open")
        publish(*args)

    def counted(copy: SliceCopy, size_bytes: int) -> int:
        calls.append("slice")
        return slices(copy, size_bytes)

    monkeypatch.setattr("tui.engine.retry.FIRST_WAIT_S", 0.001)
    monkeypatch.setattr("tui.engine.run.LARGE_BYTES", 1000)
    monkeypatch.setattr(bringing, "publish", refused_once)
    monkeypatch.setattr(SliceCopy, "step", counted)
    await harness.done(await harness.copy(tree(source / "a", 1), to=target))
    assert calls == ["slice", "publish", "publish"]
    assert partials(target) == []
