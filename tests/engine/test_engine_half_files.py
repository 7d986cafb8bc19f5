"""What another job has not finished lies in a folder: it is not the user's, and no copy brings it along."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, names

from tui.model.job import Conflict, JobKind, JobState, Request, Staging
from tui.model.location import Location
from tui.places.local.comparing import Comparison
from tui.places.local.hops import Brake
from tui.places.local.partial import is_partial

if TYPE_CHECKING:
    from pathlib import Path

HALF, STAGE = ".ferry-abcd1234-0123456789abcdef", ".ferry-abcd1234-0123456789abcdef.part"
BOTH = [HALF, STAGE]


@pytest.fixture
def tree(source: Path) -> Path:
    """A folder in which another job is at work, at two depths."""
    for folder in (source / "tree", source / "tree" / "below"):
        folder.mkdir()
        (folder / "file").write_text("whole")
        (folder / ".ferry-notes").write_text("a name like any other")
        (folder / HALF).write_text("half of")
        (folder / STAGE).mkdir()
        (folder / STAGE / "inner").write_text("of a tree")
    return source / "tree"


WHOLE = [".ferry-notes", "below", "file"]


def half_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if is_partial(os.fsencode(path.name)))


async def sync(harness: Harness, source: Path, target: Path) -> int:
    rest = {"into": False, "conflict": Conflict.OVERWRITE, "delete_extra": True}
    return await harness.copy(source, to=target, kind=JobKind.SYNC, **rest)


@pytest.mark.parametrize("staging", list(Staging))
async def test_a_copy_leaves_it_out_and_does_not_count_it(
    harness: Harness, tree: Path, target: Path, staging: Staging
) -> None:
    job = await harness.done(await harness.copy(tree, to=target, staging=staging))
    assert (names(target / "tree"), half_files(target)) == (WHOLE, [])
    assert (job.progress.files_done, job.progress.files_total) == (4, 4)
    assert job.progress.bytes_total == sum(
        path.stat().st_size for path in (target / "tree").rglob("*") if path.is_file()
    )


async def test_a_copy_into_what_stands_leaves_it_out_too(harness: Harness, tree: Path, target: Path) -> None:
    (target / "tree").mkdir()
    await harness.done(await harness.copy(tree, to=target))
    assert (names(target / "tree"), half_files(target)) == (WHOLE, [])


async def test_who_names_it_gets_it(harness: Harness, tree: Path, target: Path) -> None:
    await harness.done(await harness.copy(tree / HALF, tree / STAGE, to=target))
    assert (names(target), names(target / STAGE)) == (BOTH, ["inner"])


async def test_a_sync_leaves_it_out_and_lets_that_of_the_target_be(
    harness: Harness, tree: Path, target: Path
) -> None:
    other = HALF.replace("abcd", "wxyz")
    (target / other).write_text("of a third job")
    await harness.done(await sync(harness, tree, target))
    assert names(target) == sorted([other, *WHOLE])
    assert names(target / "below") == [".ferry-notes", "file"]


async def test_a_copy_is_verified_without_it(harness: Harness, tree: Path, target: Path) -> None:
    id = await harness.copy(tree, to=target)
    await harness.done(id)
    job = await harness.done(await harness.engine.verify(id))
    assert job.progress.files_done == 4


async def test_two_folders_compare_alike_without_it(
    harness: Harness, tree: Path, target: Path, tmp_path: Path
) -> None:
    await harness.done(await harness.copy(tree, to=target))
    (target / "tree" / HALF.replace("abcd", "wxyz")).write_text("at the other side")
    comparison = Comparison(str(tree), str(target / "tree"), Brake())
    found = []
    while not comparison.exhausted:
        found += comparison.step().differences
    assert [difference.path for difference in found] == []


async def test_a_deletion_takes_it_along(harness: Harness, tree: Path) -> None:
    job = await harness.done(await harness.submit(JobKind.DELETE, tree))
    assert names(tree.parent) == []
    assert job.progress.files_done == job.progress.files_total == 8


async def test_a_sync_removes_it_with_an_extra_folder(harness: Harness, tree: Path, target: Path) -> None:
    empty = tree.parent / "empty"
    empty.mkdir()
    shutil.move(tree, target / "extra")
    await harness.done(await sync(harness, empty, target))
    assert names(target) == []


async def test_a_move_leaves_it_in_its_folder_and_tells_of_each_folder_once(
    harness: Harness, tree: Path, far: Path
) -> None:
    job = await harness.ends(await harness.move(tree, to=far))
    assert job.state is JobState.FAILED
    told = [(error.code, str(error.location), error.message) for error in await harness.engine.errors(job.id)]
    assert told == [
        ("NotEmpty", str(folder), f"cannot remove {folder}: a job has not finished something in it")
        for folder in (tree / "below", tree)
    ]
    assert (names(far / "tree"), half_files(far)) == (WHOLE, [])
    assert (names(tree), names(tree / "below")) == ([*BOTH, "below"], BOTH)


async def test_a_retry_moves_what_the_other_job_has_finished_since(
    harness: Harness, tree: Path, far: Path
) -> None:
    id = await harness.move(tree, to=far)
    await harness.ends(id)
    for folder in (tree, tree / "below"):
        (folder / HALF).rename(folder / "done now")
        (folder / STAGE).rename(folder / "done tree")
    await harness.engine.retry([id])
    await harness.done(id)
    assert names(tree.parent) == []
    assert names(far / "tree") == [".ferry-notes", "below", "done now", "done tree", "file"]
    assert names(far / "tree" / "below") == [".ferry-notes", "done now", "done tree", "file"]


async def test_a_verification_of_folders_named_by_hand_passes_it_over_on_both_sides(
    harness: Harness, tree: Path, target: Path
) -> None:
    await harness.done(await harness.copy(tree, to=target))
    os.mkdir(target / "tree" / STAGE.replace("abcd", "wxyz"))
    request = Request(
        kind=JobKind.VERIFY,
        sources=(Location.local(tree),),
        targets=(Location.local(target / "tree"),),
    )
    await harness.done(await harness.engine.submit(request))
