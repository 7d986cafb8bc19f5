"""Undoing moves across filesystems: a move back, as careful as the first, of what is still as that left it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from engine_harness import Harness, crash, names, new_engine, running, stride
from undo_steps import changed, gone, refusal, replaced, texts, turned_into_a_folder, undone, write

from tests.mounts import tmpfs
from tests.trees import describe, differences, make_mixed_tree, partials
from tui.engine.traces import Bar, Trace
from tui.model.job import Conflict, JobKind, JobState
from tui.places.local.identity import identify
from tui.places.local.reversing import why_not_there

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


async def moved(harness: Harness, *sources: Path, to: Path, **rest: object) -> int:
    id = await harness.move(*sources, to=to, **rest)
    await harness.done(id)
    return id


@asynccontextmanager
async def held(harness: Harness) -> AsyncIterator[None]:
    """Let no job start for as long as the block lasts."""
    keeper = harness.engine._keeper
    keeper._closing = True
    yield
    keeper._closing = False
    keeper.kick()


def make_read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def entries(folder: Path) -> dict[bytes, tuple[object, ...]]:
    """Describe what is in a folder, but not the folder itself: its time changes with what comes and goes."""
    return {name: state for name, state in describe(folder).items() if name}


# What comes back


async def test_a_tree_comes_back_as_it_was_and_goes_again(
    harness: Harness, tmp_path: Path, far: Path
) -> None:
    tree = tmp_path / "tree"
    make_mixed_tree(tree, seed=5, files=60)
    before = describe(tree)
    id = await moved(harness, tree, to=far)
    assert (await harness.engine.job(id)).reversible
    undoing = await undone(harness, id)
    job = await harness.engine.job(undoing)
    assert (job.kind, job.title) == (JobKind.MOVE, "undo")
    assert differences(before, describe(tree)) == []
    assert names(far) == []
    redoing = await undone(harness, undoing)
    assert differences(before, describe(far / "tree")) == []
    assert not tree.exists()
    await undone(harness, redoing)
    assert differences(before, describe(tree)) == []
    assert names(far) == []


async def test_files_folders_and_links_come_back_under_their_old_names(
    harness: Harness, source: Path, far: Path
) -> None:
    write(far / "a.txt", "there")
    (source / "link").symlink_to("nowhere")
    write(source / "folder" / "file")
    before = describe(source)
    files = (write(source / "a.txt", "mine"), write(source / "b"))
    id = await moved(harness, *files, source / "link", source / "folder", to=far, conflict=Conflict.RENAME)
    assert names(far) == ["a (1).txt", "a.txt", "b", "folder", "link"]
    await undone(harness, id)
    assert names(source) == ["a.txt", "b", "folder", "link"]
    assert (source / "a.txt").read_text() == "mine"
    assert os.readlink(source / "link") == "nowhere"
    assert {name: before[name] for name in before if name.startswith(b"folder/")} == {
        name: state for name, state in describe(source).items() if name.startswith(b"folder/")
    }
    assert texts(far) == {"a.txt": "there"}


async def test_what_was_moved_under_another_name_gets_its_own_back(
    harness: Harness, source: Path, far: Path
) -> None:
    id = await moved(harness, write(source / "folder" / "file").parent, to=far / "other", into=False)
    await undone(harness, id)
    assert names(source / "folder") == ["file"]
    assert names(far) == []


async def test_a_folder_comes_back_with_what_was_put_into_it(
    harness: Harness, source: Path, far: Path
) -> None:
    id = await moved(harness, write(source / "folder" / "file").parent, to=far)
    write(far / "folder" / "new", "new")
    write(far / "folder" / "file", "changed")
    await undone(harness, id)
    assert texts(source / "folder") == {"file": "changed", "new": "new"}


@pytest.mark.parametrize("staging", ["tree", "file"])
async def test_a_move_that_made_files_one_by_one_comes_back_too(
    harness: Harness, source: Path, far: Path, staging: str
) -> None:
    id = await moved(harness, write(source / "folder" / "file").parent, to=far, staging=staging)
    await undone(harness, id)
    assert names(source / "folder") == ["file"]


async def test_more_than_a_page_comes_back(harness: Harness, source: Path, far: Path) -> None:
    id = await moved(harness, *(write(source / f"{number:04}") for number in range(700)), to=far)
    job = await harness.engine.job(await undone(harness, id))
    assert len(names(source)) == 700
    assert names(far) == []
    assert job.progress.files_done == job.progress.files_total == 700


async def test_what_was_skipped_stays_where_it_is(harness: Harness, source: Path, far: Path) -> None:
    write(far / "a", "there")
    id = await moved(
        harness, write(source / "a", "mine"), write(source / "b"), to=far, conflict=Conflict.SKIP
    )
    assert texts(source) == {"a": "mine"}
    await undone(harness, id)
    assert texts(source) == {"a": "mine", "b": "text"}
    assert texts(far) == {"a": "there"}


async def test_a_job_of_which_a_file_failed_is_undone_but_for_that(
    harness: Harness, source: Path, far: Path
) -> None:
    write(far / "a", "there")
    id = await harness.move(write(source / "a", "mine"), write(source / "b"), to=far, conflict=Conflict.FAIL)
    assert (await harness.ends(id)).state is JobState.FAILED
    await undone(harness, id)
    assert texts(source) == {"a": "mine", "b": "text"}


async def test_a_move_is_undone_after_a_restart(tmp_path: Path, source: Path, far: Path) -> None:
    journal = tmp_path / "journal"
    async with running(journal) as first:
        id = await moved(first, write(source / "a"), to=far)
    async with running(journal) as second:
        assert (await second.engine.job(id)).reversible
        undoing = await undone(second, id)
    async with running(journal) as third:
        assert "has undone it already" in await refusal(third, id)
        await undone(third, undoing)
    assert names(source) == []
    assert names(far) == ["a"]


# Crashes


class Cut:
    """Stops an engine before one of the writes by which its journal keeps up with the disk."""

    def __init__(self, harness: Harness, before_write: int) -> None:
        self.reached = asyncio.Event()
        self._left = before_write
        journal = harness.engine._journal
        for name in ("set_traces", "set_sources", "drop_traces"):
            setattr(journal, name, self._counted(getattr(journal, name)))

    def _counted(self, write: Callable[..., Any]) -> Callable[..., Any]:
        async def counted(*args: object, **rest: object) -> object:
            self._left -= 1
            if not self._left:
                self.reached.set()
                await asyncio.Event().wait()
            return await write(*args, **rest)

        return counted


async def ends_or_is_cut(harness: Harness, id: int, cut: Cut) -> bool:
    """Let a job run until it is done, or cut; say whether it was cut."""
    ending = asyncio.ensure_future(harness.done(id))
    cutting = asyncio.ensure_future(cut.reached.wait())
    await asyncio.wait((ending, cutting), return_when=asyncio.FIRST_COMPLETED)
    cutting.cancel()
    if not cut.reached.is_set():
        await ending
        return False
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)
    return True


@pytest.mark.parametrize("during", ["the move", "its undoing"])
async def test_a_crash_at_any_step_loses_nothing_and_is_made_good(
    tmp_path: Path, source: Path, far: Path, during: str
) -> None:
    step, cut_short = 0, True
    while cut_short:
        step += stride(2)
        home, journal = tmp_path / f"home {step}", tmp_path / f"journal {step}"
        make_mixed_tree(home / "tree", seed=8, files=6)
        files = [write(home / name, name) for name in "abc"]
        before = entries(home)
        first = Harness(new_engine(journal), journal)
        await first.engine.start_up()
        if during == "the move":
            cut = Cut(first, step)
            id = first_cut = await first.move(home / "tree", *files, to=far)
        else:
            id = await moved(first, home / "tree", *files, to=far)
            cut = Cut(first, step)
            first_cut = await first.engine.undo(id)
        cut_short = await ends_or_is_cut(first, first_cut, cut)
        await crash(first)
        async with running(journal) as second:
            await second.done(first_cut)
            if during == "the move":
                await undone(second, id)
            assert differences(before, entries(home)) == [], step
            assert partials(home, far) == names(far) == []
    assert step > 4


async def test_an_undo_that_was_interrupted_goes_on_after_its_record_was_removed(
    tmp_path: Path, source: Path, far: Path
) -> None:
    journal = tmp_path / "journal"
    async with running(journal) as first:
        id = await moved(first, write(source / "a"), write(source / "b"), to=far)
        async with held(first):
            undoing = await first.engine.undo(id)
            await first.engine.remove([id])
            await first.engine.pause([undoing])
    async with running(journal) as second:
        await second.engine.resume([undoing])
        await second.done(undoing)
    assert names(source) == ["a", "b"]


# A world that has changed


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (gone, "is not there any more"),
        (changed, "was changed since"),
        (replaced, "is another one now"),
        (turned_into_a_folder, "is another one now"),
    ],
)
async def test_what_is_not_as_it_was_left_is_not_touched(
    harness: Harness, source: Path, far: Path, change: Callable[[Path], None], why: str
) -> None:
    id = await moved(harness, write(source / "a"), write(source / "b"), to=far)
    change(far / "a")
    standing = describe(far)
    assert await refusal(harness, id) == f"{far / 'a'} {why}"
    assert describe(far) == standing


async def test_another_folder_of_the_same_name_is_not_moved_back(
    harness: Harness, source: Path, far: Path
) -> None:
    id = await moved(harness, write(source / "folder" / "file").parent, to=far)
    (far / "folder").rename(far / "aside")
    write(far / "folder" / "file")
    assert await refusal(harness, id) == f"{far / 'folder'} is another one now"


async def test_nothing_is_moved_back_to_a_place_that_is_taken(
    harness: Harness, source: Path, far: Path
) -> None:
    id = await moved(harness, write(source / "folder" / "a").parent, write(source / "b"), to=far)
    write(source / "folder" / "other")
    assert await refusal(harness, id) == f"something stands at {source / 'folder'} now"


async def test_nothing_is_moved_back_into_a_folder_that_has_gone(
    harness: Harness, source: Path, far: Path
) -> None:
    id = await moved(harness, write(source / "inner" / "a"), to=far)
    (source / "inner").rmdir()
    assert await refusal(harness, id) == f"the folder {source / 'inner'} is not there any more"


async def test_nothing_is_moved_back_while_the_disk_it_came_from_is_not_mounted(
    harness: Harness, source: Path, target: Path
) -> None:
    disk = source / "disk"
    with tmpfs(disk, "size=1m"):
        id = await moved(harness, write(disk / "a"), to=target)
    said = await refusal(harness, id)
    assert said == f"the folder {disk} is on another disk than it was (is its own mounted?)"
    assert names(disk) == []


async def test_a_disk_that_goes_between_the_look_and_the_undoing_gets_nothing(
    harness: Harness, source: Path, target: Path
) -> None:
    disk = source / "disk"
    async with held(harness):
        with tmpfs(disk, "size=1m"):
            harness.engine._keeper._closing = False
            id = await moved(harness, write(disk / "a"), to=target)
            harness.engine._keeper._closing = True
            undoing = await harness.engine.undo(id)
    assert (await harness.ends(undoing)).state is JobState.FAILED
    (error,) = await harness.engine.errors(undoing)
    assert "is on another disk than it was" in error.message
    assert names(disk) == []
    assert names(target) == ["a"]


def test_a_folder_is_known_again_by_its_filesystem_or_by_itself(tmp_path: Path, far: Path) -> None:
    from tui.model.location import Location

    home = identify(-1, os.fsencode(tmp_path))
    kind, device, *rest = home.split()
    remounted = " ".join((kind, str(int(device) + 1), *rest))
    assert why_not_there(Location.local(tmp_path), home) is None
    assert why_not_there(Location.local(tmp_path), remounted) is None
    assert why_not_there(Location.local(tmp_path.parent), home) is None
    assert why_not_there(Location.local(far), home) is not None


async def test_nothing_is_moved_back_to_a_disk_that_is_read_only_now(
    harness: Harness, source: Path, target: Path
) -> None:
    disk = source / "disk"
    with tmpfs(disk, "size=1m"):
        id = await moved(harness, write(disk / "a"), to=target)
        make_read_only(disk)
        assert await refusal(harness, id) == f"the filesystem of {disk} is read-only now"
    assert names(target) == ["a"]


async def test_nothing_is_moved_back_to_a_disk_that_is_too_full(
    harness: Harness, source: Path, target: Path
) -> None:
    disk = source / "disk"
    with tmpfs(disk, "size=4m"):
        write(disk / "folder" / "file", "x" * (3 << 20))
        id = await moved(harness, disk / "folder", to=target)
        write(disk / "other", "x" * (2 << 20))
        said = await refusal(harness, id)
        assert said.startswith("it needs at least 3.0 MiB, ")
        assert said.endswith(f" free on {disk}")
        (disk / "other").unlink()
        await undone(harness, id)
        assert names(disk) == ["folder"]


async def test_holes_need_no_room_to_come_back(harness: Harness, source: Path, target: Path) -> None:
    disk = source / "disk"
    with tmpfs(disk, "size=4m"):
        write(disk / "holes")
        os.truncate(disk / "holes", 1 << 30)
        id = await moved(harness, disk / "holes", to=target)
        await undone(harness, id)
        assert names(disk) == ["holes"]


async def test_what_came_from_several_folders_is_not_brought_back_in_one_go(
    harness: Harness, source: Path, far: Path
) -> None:
    id = await moved(harness, write(source / "one" / "a"), write(source / "two" / "b"), to=far)
    assert "not all of it came from" in await refusal(harness, id)
    assert names(far) == ["a", "b"]


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        ("folder/b", "was merged into a folder that stood there"),
        ("a", "met a file of its name"),
    ],
)
async def test_what_met_something_is_not_brought_back(
    harness: Harness, source: Path, far: Path, standing: str, why: str
) -> None:
    write(source / "folder" / "a"), write(source / "a")
    write(far / standing, "of somebody else")
    id = await moved(harness, source / "folder", source / "a", to=far, conflict=Conflict.OVERWRITE)
    assert why in await refusal(harness, id)


async def test_a_folder_of_which_a_part_stayed_is_not_brought_back_until_the_rest_went(
    harness: Harness, source: Path, far: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "folder" / "a"), write(source / "folder" / "b")
    unlink = os.unlink

    def refusing(path: Any, *args: Any, **rest: Any) -> None:
        if os.fsencode(path).endswith(b"b"):
            raise PermissionError(13, "no", path)
        unlink(path, *args, **rest)

    monkeypatch.setattr("os.unlink", refusing)
    id = await harness.move(source / "folder", to=far)
    assert (await harness.ends(id)).state is JobState.FAILED
    monkeypatch.setattr("os.unlink", unlink)
    assert names(source / "folder") == ["b"]
    assert "only a part of" in await refusal(harness, id)
    await harness.engine.retry([id])
    await harness.done(id)
    await undone(harness, id)
    assert names(source / "folder") == ["a", "b"]
    assert names(far) == []


# Between the look and the undoing


async def test_what_changes_meanwhile_is_an_error_of_its_own_and_can_be_retried(
    harness: Harness, source: Path, far: Path
) -> None:
    write(source / "folder" / "inner")
    files = [write(source / name, name) for name in "abc"]
    id = await moved(harness, *files, source / "folder", to=far)
    async with held(harness):
        undoing = await harness.engine.undo(id)
        changed(far / "a")
        write(source / "b", "new")
        write(source / "folder" / "new", "new")
    assert (await harness.ends(undoing)).state is JobState.FAILED
    errors = await harness.engine.errors(undoing)
    assert sorted((error.code, error.location.name) for error in errors) == [
        ("AlreadyExists", "b"),
        ("AlreadyExists", "folder"),
        ("SourceReplaced", "a"),
    ]
    assert texts(source / "folder") == {"new": "new"}
    assert (source / "c").read_text() == "c"
    assert (source / "b").read_text() == "new"
    assert names(far) == ["a", "b", "folder"]
    shutil.rmtree(source / "folder")
    (source / "b").unlink()
    (far / "a").unlink()
    await harness.engine.retry([undoing])
    await harness.ends(undoing)
    assert names(source) == ["b", "c", "folder"]
    assert names(source / "folder") == ["inner"]


async def test_a_place_taken_while_the_tree_is_copied_is_not_merged_with(
    harness: Harness, source: Path, far: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.engine import bringing

    id = await moved(harness, write(source / "folder" / "a").parent, to=far)
    publish = bringing.publish

    def late(*args: Any) -> None:
        write(source / "folder" / "other")
        publish(*args)

    monkeypatch.setattr(bringing, "publish", late)
    undoing = await harness.engine.undo(id)
    assert (await harness.ends(undoing)).state is JobState.FAILED
    assert names(source / "folder") == ["other"]
    assert names(far / "folder") == ["a"]
    assert partials(source) == []
    assert (await harness.engine.job(id)).undone_by == 0


async def test_a_move_by_an_earlier_version_kept_no_record(harness: Harness, source: Path, far: Path) -> None:
    id = await moved(harness, write(source / "a"), to=far)
    await harness.engine._journal.set_traces(id, [Trace(0, None, "", Bar.COPIED)])
    assert "an earlier version of Ferry" in await refusal(harness, id)
