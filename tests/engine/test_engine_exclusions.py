"""What a job leaves out: neither copied nor counted, neither compared nor removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine_harness import NEW, Harness, crash, names, new_engine, running, write

from tests.mounts import tmpfs
from tui.model.error import UsageError
from tui.model.exclusion import Exclusion
from tui.model.job import Conflict, JobKind, JobState, Staging
from tui.model.location import Location

if TYPE_CHECKING:
    from pathlib import Path

EXCLUDE = Exclusion(("*.tmp", "!keep.tmp", "node_modules/", "/build"))
LEFT = {"keep.tmp", "file", "sub", "sub/file", "sub/build", "sub/build/file", "node_modules.txt"}


@pytest.fixture
def tree(source: Path) -> Path:
    """Return a source of which LEFT is what is wanted."""
    for path in ("a.tmp", "keep.tmp", "file", "sub/b.tmp", "sub/file", "node_modules.txt"):
        write(source / path)
    for folder in ("build", "node_modules/x.tmp/y", "sub/build", "sub/node_modules"):
        write(source / folder / "file")
    return source


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


async def sync(harness: Harness, tree: Path, target: Path, *, delete_extra: bool = True) -> int:
    return await harness.submit(
        JobKind.SYNC,
        tree,
        target=Location.local(target),
        into=False,
        conflict=Conflict.OVERWRITE,
        delete_extra=delete_extra,
        exclude=EXCLUDE,
    )


@pytest.mark.parametrize("staging", Staging)
async def test_a_copy_leaves_it_out_and_does_not_count_it(
    harness: Harness, tree: Path, target: Path, staging: Staging
) -> None:
    job = await harness.done(await harness.copy(tree, to=target, exclude=EXCLUDE, staging=staging))
    assert below(target / "source") == LEFT
    assert job.progress.files_done == job.progress.files_total == 5
    assert job.progress.files_skipped == 0


async def test_a_copy_into_a_standing_tree_leaves_alone_what_is_there(
    harness: Harness, tree: Path, target: Path
) -> None:
    write(target / "source" / "a.tmp", "mine", NEW)
    write(target / "source" / "build", "a file", NEW)
    await harness.done(await harness.copy(tree, to=target, exclude=EXCLUDE, conflict=Conflict.OVERWRITE))
    assert below(target / "source") == LEFT | {"a.tmp", "build"}
    assert (target / "source" / "a.tmp").read_text() == "mine"


async def test_patterns_hold_below_each_source_by_whatever_name_it_goes(
    harness: Harness, tree: Path, target: Path
) -> None:
    request = {"target": Location.local(target / "other"), "into": False, "exclude": EXCLUDE}
    await harness.done(await harness.submit(JobKind.COPY, tree, **request))
    assert below(target / "other") == LEFT


async def test_a_source_that_was_named_is_copied(harness: Harness, tree: Path, target: Path) -> None:
    await harness.done(await harness.copy(tree / "a.tmp", tree / "build", to=target, exclude=EXCLUDE))
    assert names(target) == ["a.tmp", "build"]


async def test_it_is_left_out_after_a_crash_too(tmp_path: Path, tree: Path, target: Path) -> None:
    engine = new_engine(tmp_path / "journal")
    await engine.start_up()
    first = Harness(engine, tmp_path / "journal")
    id = await first.copy(tree, to=target, exclude=EXCLUDE, paused=True)
    await crash(first)
    async with running(tmp_path / "journal") as second:
        assert (await second.engine.request(id)).exclude == EXCLUDE
        await second.engine.resume([id])
        await second.done(id)
    assert below(target / "source") == LEFT


async def test_a_copy_is_verified_again_without_it(harness: Harness, tree: Path, target: Path) -> None:
    copied = await harness.copy(tree, to=target, exclude=EXCLUDE)
    await harness.done(copied)
    write(target / "source" / "b.tmp", "mine")
    job = await harness.done(await harness.engine.verify(copied))
    assert job.progress.files_done == 5
    (target / "source" / "file").unlink()
    job = await harness.ends(await harness.engine.verify(copied))
    (error,) = await harness.engine.errors(job.id)
    assert error.location.name == "file"


async def test_a_sync_removes_what_is_extra_but_not_what_is_left_out(
    harness: Harness, tree: Path, target: Path
) -> None:
    write(target / "mine.tmp", "mine")
    write(target / "build" / "mine", "mine")
    write(target / "gone" / "deep" / "file")
    write(target / "extra")
    job = await harness.done(await sync(harness, tree, target))
    assert below(target) == LEFT | {"mine.tmp", "build", "build/mine"}
    assert job.progress.files_removed == 2


async def test_a_sync_keeps_the_folders_in_which_something_is_left_out(
    harness: Harness, tree: Path, target: Path
) -> None:
    write(target / "old" / "inner" / "node_modules" / "file", "mine")
    write(target / "old" / "inner" / "extra")
    write(target / "old" / "other" / "extra")
    write(target / "old" / "extra")
    job = await harness.done(await sync(harness, tree, target))
    kept = {"old", "old/inner", "old/inner/node_modules", "old/inner/node_modules/file"}
    assert below(target) == LEFT | kept
    assert job.progress.files_removed == 3


async def test_a_sync_passes_by_a_name_that_is_left_out_on_one_side_only(
    harness: Harness, tree: Path, target: Path
) -> None:
    write(target / "node_modules", "a file, which the pattern does not cover")
    await harness.done(await sync(harness, tree, target))
    assert (target / "node_modules").is_file()


async def test_a_sync_does_not_replace_a_folder_in_which_something_is_left_out(
    harness: Harness, tree: Path, target: Path
) -> None:
    write(target / "file" / "mine.tmp", "mine")
    job = await harness.ends(await sync(harness, tree, target))
    assert job.state is JobState.FAILED
    told = {(error.code, error.location.name) for error in await harness.engine.errors(job.id)}
    assert told == {("NotEmpty", "file"), ("NothingRemoved", "target")}
    assert (target / "file" / "mine.tmp").read_text() == "mine"
    (target / "file" / "mine.tmp").unlink()
    await harness.engine.retry([job.id])
    await harness.done(job.id)
    assert (target / "file").is_file()


@pytest.mark.parametrize("kind", [JobKind.MOVE, JobKind.DELETE])
async def test_what_takes_things_away_leaves_nothing_out(
    harness: Harness, tree: Path, target: Path, kind: JobKind
) -> None:
    with pytest.raises(UsageError, match="leaves nothing out"):
        await harness.submit(kind, tree, target=Location.local(target), exclude=EXCLUDE)


async def test_what_is_no_pattern_is_refused(harness: Harness, tree: Path, target: Path) -> None:
    with pytest.raises(UsageError, match="no pattern"):
        await harness.copy(tree, to=target, exclude=Exclusion(("[",)))


async def test_a_sync_does_not_go_into_what_is_mounted_for_what_is_left_out_there(
    harness: Harness, tree: Path, target: Path
) -> None:
    mounted = target / "old" / "disk"
    write(target / "old" / "mine.tmp", "mine")
    with tmpfs(mounted, "size=1m"):
        write(mounted / "mine.tmp", "mine")
        write(mounted / "dear", "dear")
        job = await harness.ends(await sync(harness, tree, target))
        assert job.state is JobState.FAILED
        assert names(mounted) == ["dear", "mine.tmp"]
