"""With `stage file`, each file of a new tree appears as it is done."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, at_rest, crash, names, new_engine, running

from tests.trees import describe, differences, make_mixed_tree, partials
from tui.model.job import JobState, Staging

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
SLOW = 4 * MIB
"""A limit at which the trees of these tests take seconds, in bytes a second."""

FILE = Staging.FILE
both = pytest.mark.parametrize("staging", list(Staging))


def tree(folder: Path, count: int = 40, size_bytes: int = 200_000) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"file {number}").write_bytes(os.urandom(size_bytes))
    return folder


async def slowly(harness: Harness, source: Path, target: Path, **rest: object) -> int:
    """Begin a copy and wait until some of it is done."""
    id = await harness.copy(source, to=target, limit_bytes_s=SLOW, staging=FILE, **rest)
    await harness.until(id, lambda job: job.progress.files_done >= 2)
    return id


@both
async def test_a_tree_is_the_same_either_way(
    harness: Harness, tmp_path: Path, target: Path, staging: Staging
) -> None:
    make_mixed_tree(tmp_path / "tree", seed=11, files=120, large_bytes=20 << 20)
    await harness.done(await harness.copy(tmp_path / "tree", to=target, staging=staging))
    assert differences(describe(tmp_path / "tree"), describe(target / "tree")) == []
    assert partials(target) == []


async def test_files_appear_under_their_final_names_whole(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await slowly(harness, tree(source / "a"), target)
    assert (await harness.engine.job(id)).stage is None
    assert names(target) == ["a"]
    for name in set(names(target / "a")) - {path.name for path in partials(target)}:
        assert (target / "a" / name).read_bytes() == (source / "a" / name).read_bytes()
    await harness.engine.limit(None, [id])
    await harness.done(id)


async def test_a_tree_that_becomes_the_target_itself(harness: Harness, source: Path, target: Path) -> None:
    await harness.done(await harness.copy(tree(source / "a", 3), to=target / "b", into=False, staging=FILE))
    assert differences(describe(source / "a"), describe(target / "b")) == []


async def test_a_paused_tree_goes_on_where_it_was(harness: Harness, source: Path, target: Path) -> None:
    id = await slowly(harness, tree(source / "a"), target)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    await harness.engine.limit(None, [id])
    await harness.engine.resume([id])
    job = await harness.done(id)
    assert job.progress.files_same >= 2
    assert differences(describe(source / "a"), describe(target / "a")) == []


@both
async def test_after_a_crash_it_goes_on_the_way_it_was_asked_to(
    tmp_path: Path, source: Path, target: Path, staging: Staging
) -> None:
    journal = tmp_path / "journal"
    killed = Harness(new_engine(journal), journal)
    await killed.engine.start_up()
    id = await killed.copy(tree(source / "a"), to=target, limit_bytes_s=SLOW, staging=staging)
    await killed.until(id, lambda job: job.progress.files_done >= 2)
    await crash(killed)
    assert ("a" in names(target)) is (staging is FILE)
    async with running(journal) as harness:
        await harness.engine.limit(None, [id])
        job = await harness.done(id)
    assert job.progress.files_same >= 2
    assert differences(describe(source / "a"), describe(target / "a")) == []
    assert partials(target) == []


@pytest.mark.parametrize("keep", [True, False])
async def test_a_cancelled_tree_stays_as_far_as_it_is_or_goes(
    harness: Harness, source: Path, target: Path, keep: bool
) -> None:
    id = await slowly(harness, tree(source / "a"), target)
    await harness.engine.cancel([id], keep=keep)
    await at_rest(harness.engine)
    assert names(target) == (["a"] if keep else [])
    assert partials(target) == []


async def test_a_standing_folder_is_merged_into_and_never_dropped(
    harness: Harness, source: Path, target: Path
) -> None:
    (target / "a").mkdir()
    (target / "a" / "mine").write_text("mine")
    id = await slowly(harness, tree(source / "a"), target)
    await harness.engine.cancel([id], keep=False)
    await at_rest(harness.engine)
    assert (target / "a" / "mine").read_text() == "mine"


async def test_of_a_tree_that_is_dropped_what_others_put_there_or_changed_stays(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await slowly(harness, tree(source / "a"), target)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    changed, kept, *_ = (name for name in names(target / "a") if name.startswith("file"))
    (target / "a" / "mine").write_text("mine")
    (target / "a" / changed).write_text("changed")
    (source / "a" / kept).unlink()
    await harness.engine.cancel([id], keep=False)
    await at_rest(harness.engine)
    assert names(target / "a") == sorted([changed, kept, "mine"])
    assert (await harness.engine.job(id)).note == (
        f"cancelled: {target}/a stays: not all in it is as it was copied"
    )


async def test_a_tree_of_folders_that_may_not_be_written_to_is_dropped(
    harness: Harness, source: Path, target: Path
) -> None:
    (tree(source / "a") / "sub").mkdir(mode=0o500)
    (source / "a").chmod(0o500)
    id = await slowly(harness, source / "a", target)
    await harness.engine.cancel([id], keep=False)
    await at_rest(harness.engine)
    assert names(target) == []


async def test_a_move_between_filesystems_too(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.engine.moving.move_into_place", lambda *_, **__: False)
    before = describe(tree(source / "a", 5))
    job = await harness.done(await harness.move(source / "a", to=target, staging=FILE))
    assert differences(before, describe(target / "a")) == []
    assert (names(source), job.progress.files_done) == ([], 5)


async def test_how_it_was_asked_is_kept_with_the_request(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.copy(tree(source / "a", 1), to=target, staging=FILE, paused=True)
    assert (await harness.engine.request(id)).staging is FILE
    assert (await harness.engine.job(id)).state is JobState.PAUSED
