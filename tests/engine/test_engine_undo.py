"""Undoing what jobs did: from their record, also after a restart, and never in a world that has changed."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from engine_harness import Harness, at_rest, crash, names, new_engine, running
from undo_steps import changed, gone, refusal, replaced, texts, turned_into_a_folder, undone, write

from tests.trees import describe, make_mixed_tree
from tui.engine import moving
from tui.engine.rows import Phase
from tui.engine.run import Stop
from tui.engine.traces import Trace
from tui.model.error import NoSuchJob, PermissionDenied
from tui.model.job import Conflict, JobKind, JobState
from tui.model.location import Location
from tui.places.local.identity import identify
from tui.places.local.root import Root
from tui.places.local.trash import trash

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if sys.platform == "darwin":
        pytest.skip("the trash of freedesktop.org")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "Trash"


async def rename(harness: Harness, folder: Path, **pairs: str) -> int:
    return await harness.submit(
        JobKind.RENAME,
        *(folder / old for old in pairs),
        targets=tuple(Location.local(folder / new) for new in pairs.values()),
    )


# Each kind


async def test_a_move_of_a_tree_is_undone_and_done_again(
    harness: Harness, tmp_path: Path, target: Path
) -> None:
    tree = tmp_path / "tree"
    make_mixed_tree(tree, seed=5, files=60)
    before = describe(tree)
    id = await harness.move(tree, to=target)
    await harness.done(id)
    undoing = await undone(harness, id)
    assert describe(tree) == before
    assert names(target) == []
    redoing = await undone(harness, undoing)
    assert describe(target / "tree") == before
    assert not tree.exists()
    await undone(harness, redoing)
    assert describe(tree) == before


async def test_jobs_tell_what_they_undo_and_by_what_they_were_undone(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.move(write(source / "a"), to=target)
    assert (await harness.done(id)).reversible
    undoing = await undone(harness, id)
    redoing = await undone(harness, undoing)
    first, second, third = [await harness.engine.job(each) for each in (id, undoing, redoing)]
    assert (first.title, first.undone_by, first.reversible) == ("move", undoing, False)
    assert (second.title, second.undoes, second.undone_by, second.reversible) == ("undo", id, redoing, False)
    assert (third.title, third.undoes, third.undone_by, third.reversible) == ("redo", undoing, 0, True)


async def test_a_move_that_kept_both_is_undone_under_the_old_names(
    harness: Harness, source: Path, target: Path
) -> None:
    write(target / "a.txt", "there")
    id = await harness.move(
        write(source / "a.txt", "mine"), write(source / "b"), to=target, conflict=Conflict.RENAME
    )
    await harness.done(id)
    assert names(target) == ["a (1).txt", "a.txt", "b"]
    await undone(harness, id)
    assert texts(source) == {"a.txt": "mine", "b": "text"}
    assert texts(target) == {"a.txt": "there"}


async def test_what_a_move_skipped_is_not_touched_by_its_undoing(
    harness: Harness, source: Path, target: Path
) -> None:
    write(target / "a", "there")
    id = await harness.move(
        write(source / "a", "mine"), write(source / "b"), to=target, conflict=Conflict.SKIP
    )
    await harness.done(id)
    await undone(harness, id)
    assert texts(source) == {"a": "mine", "b": "text"}
    assert texts(target) == {"a": "there"}


async def test_a_swap_and_a_circle_of_names_are_undone(harness: Harness, source: Path) -> None:
    for name in "abcde":
        write(source / name, name)
    before = texts(source)
    id = await rename(harness, source, a="b", b="a", c="d", d="e", e="c")
    await harness.done(id)
    assert texts(source) != before
    undoing = await undone(harness, id)
    assert texts(source) == before
    await undone(harness, undoing)
    assert texts(source) == {"a": "b", "b": "a", "d": "c", "e": "d", "c": "e"}


async def test_a_folder_that_was_moved_with_something_of_its_own_gets_it_back(
    harness: Harness, source: Path, target: Path
) -> None:
    write(source / "folder" / "inner")
    id = await harness.move(source / "folder" / "inner", source / "folder", to=target)
    await harness.done(id)
    assert names(target) == ["folder", "inner"]
    await undone(harness, id)
    assert names(source / "folder") == ["inner"]
    assert names(target) == []


async def test_the_trash_gives_back_what_it_got_and_keeps_no_note_of_it(
    harness: Harness, source: Path, bin_: Path
) -> None:
    write(bin_ / "files" / "one", "of somebody else")
    write(bin_ / "info" / "one.trashinfo", "[Trash Info]\nPath=/one\nDeletionDate=2020-01-01T00:00:00\n")
    make_mixed_tree(source / "tree", seed=6, files=40)
    before = describe(source / "tree")
    (source / "link").symlink_to("nowhere")
    id = await harness.submit(JobKind.TRASH, write(source / "one"), source / "tree", source / "link")
    await harness.done(id)
    assert names(source) == []
    undoing = await undone(harness, id)
    assert names(source) == ["link", "one", "tree"]
    assert describe(source / "tree") == before
    assert os.readlink(source / "link") == "nowhere"
    assert names(bin_ / "files") == ["one"]
    assert names(bin_ / "info") == ["one.trashinfo"]
    await undone(harness, undoing)
    assert names(source) == []
    assert len(names(bin_ / "files")) == len(names(bin_ / "info")) == 4


@pytest.mark.parametrize("name", [b"bad\xff\n", b"x" * 255, b"-rf", b"%41 =", b"\xf0\x9f\x9a\x80"])
async def test_hostile_names_come_back_as_they_were(
    harness: Harness, source: Path, bin_: Path, name: bytes
) -> None:
    path = source / os.fsdecode(name)
    write(path, "content")
    id = await harness.submit(JobKind.TRASH, path)
    await harness.done(id)
    await undone(harness, id)
    assert os.listdir(os.fsencode(source)) == [name]
    assert path.read_text() == "content"


async def test_more_than_a_page_of_entries_is_undone(harness: Harness, source: Path, target: Path) -> None:
    files = [write(source / f"{number:04}") for number in range(1100)]
    id = await harness.move(*files, to=target)
    await harness.done(id)
    job = await harness.engine.job(await undone(harness, id))
    assert len(names(source)) == 1100
    assert names(target) == []
    assert job.progress.files_done == job.progress.files_total == 1100


async def test_what_did_not_fail_of_a_failed_job_can_be_undone(
    harness: Harness, source: Path, target: Path
) -> None:
    job = await harness.ends(await harness.move(write(source / "a"), source / "missing", to=target))
    assert job.state is JobState.FAILED
    await undone(harness, job.id)
    assert names(source) == ["a"]


# Restarts and crashes


@pytest.mark.parametrize("kind", [JobKind.MOVE, JobKind.RENAME, JobKind.TRASH])
async def test_a_job_is_undone_after_a_restart(
    tmp_path: Path, source: Path, target: Path, bin_: Path, kind: JobKind
) -> None:
    journal = tmp_path / "journal"
    file = write(source / "a")
    async with running(journal) as first:
        if kind is JobKind.MOVE:
            id = await first.move(file, to=target)
        elif kind is JobKind.RENAME:
            id = await rename(first, source, a="b")
        else:
            id = await first.submit(JobKind.TRASH, file)
        await first.done(id)
    assert not file.exists()
    async with running(journal) as second:
        assert (await second.engine.job(id)).reversible
        undoing = await undone(second, id)
    assert names(source) == ["a"]
    async with running(journal) as third:
        assert (await third.engine.job(id)).undone_by == undoing
        assert "has undone it already" in await refusal(third, id)
        await undone(third, undoing)
    assert names(source) == (["b"] if kind is JobKind.RENAME else [])


async def test_an_undo_outlives_the_record_it_was_made_from(
    tmp_path: Path, source: Path, target: Path
) -> None:
    journal = tmp_path / "journal"
    first = new_engine(journal)
    await first.start_up()
    harness = Harness(first, journal)
    id = await harness.move(write(source / "a"), write(source / "b"), to=target)
    await harness.done(id)
    first._keeper._closing = True  # nothing starts any more
    undoing = await first.undo(id)
    await first.remove([id])
    await crash(harness)
    async with running(journal) as second:
        await second.done(undoing)
    assert names(source) == ["a", "b"]


@pytest.mark.parametrize("moved", range(4))
async def test_an_undo_cut_short_is_finished_by_the_next_engine(
    tmp_path: Path, source: Path, bin_: Path, moved: int
) -> None:
    """After each number of entries that were back when the engine died, its journal none the wiser."""
    journal = tmp_path / "journal"
    first = new_engine(journal)
    await first.start_up()
    harness = Harness(first, journal)
    id = await harness.submit(JobKind.TRASH, *(write(source / name, name) for name in "abc"))
    await harness.done(id)
    first._keeper._closing = True  # nothing starts any more
    undoing = await first.undo(id)
    sources = await first._journal.sources(undoing)
    await first._journal.set_phase(undoing, [each.idx for each in sources], Phase.RENAMING)
    for each in sources[:moved]:
        assert each.target is not None
        os.rename(each.location.path, each.target.path)
    first._keeper._closing = False
    await crash(harness)
    async with running(journal) as second:
        await second.done(undoing)
    assert texts(source) == {"a": "a", "b": "b", "c": "c"}
    assert names(bin_ / "files") == names(bin_ / "info") == []


async def test_what_went_to_the_trash_just_before_a_crash_can_be_undone(
    tmp_path: Path, source: Path, bin_: Path
) -> None:
    journal = tmp_path / "journal"
    write(bin_ / "files" / "a", "of somebody else")
    write(bin_ / "info" / "a.trashinfo", "note")
    write(source / "a", "mine")
    first = new_engine(journal)
    await first.start_up()
    id = await Harness(first, journal).submit(JobKind.TRASH, source / "a", paused=True)
    with Root.open(str(source)) as folder:
        await first._journal.set_traces(id, [Trace(0, None, identify(folder.fd, b"a"))])
    await first._journal.set_phase(id, [0], Phase.REMOVING)
    await first.shut_down()
    trash(str(source / "a"))
    async with running(journal) as second:
        await second.engine.resume([id])
        await second.done(id)
        await undone(second, id)
    assert texts(source) == {"a": "mine"}
    assert texts(bin_ / "files") == {"a": "of somebody else"}


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
@pytest.mark.parametrize("kind", [JobKind.MOVE, JobKind.RENAME, JobKind.TRASH])
async def test_what_is_not_as_it_was_left_is_not_touched(
    harness: Harness,
    source: Path,
    target: Path,
    bin_: Path,
    kind: JobKind,
    change: Callable[[Path], None],
    why: str,
) -> None:
    file, other = write(source / "a"), write(source / "b")
    if kind is JobKind.MOVE:
        id, now = await harness.move(file, other, to=target), target / "a"
    elif kind is JobKind.RENAME:
        id, now = await rename(harness, source, a="x", b="y"), source / "x"
    else:
        id, now = await harness.submit(JobKind.TRASH, file, other), bin_ / "files" / "a"
    await harness.done(id)
    change(now)
    standing = describe(now.parent)
    said = await refusal(harness, id)
    assert said.startswith(f"{now} ")
    assert why.replace("one", "entry of the trash" if kind is JobKind.TRASH else "one") in said
    assert describe(now.parent) == standing


async def test_a_folder_replaced_by_another_of_its_name_is_not_moved_back(
    harness: Harness, source: Path, target: Path
) -> None:
    write(source / "folder" / "file")
    id = await harness.move(source / "folder", to=target)
    await harness.done(id)
    shutil.rmtree(target / "folder")
    write(target / "folder" / "file")
    assert await refusal(harness, id) == f"{target / 'folder'} is another one now"


async def test_a_folder_comes_back_with_what_was_put_into_it(
    harness: Harness, source: Path, target: Path
) -> None:
    write(source / "folder" / "file")
    id = await harness.move(source / "folder", to=target)
    await harness.done(id)
    write(target / "folder" / "new")
    await undone(harness, id)
    assert names(source / "folder") == ["file", "new"]


async def test_nothing_is_moved_back_over_what_took_the_old_place(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.move(write(source / "a"), write(source / "b"), to=target)
    await harness.done(id)
    write(source / "a", "new")
    assert await refusal(harness, id) == f"something stands at {source / 'a'} now"
    assert texts(source) == {"a": "new"}
    assert names(target) == ["a", "b"]


async def test_nothing_is_moved_back_into_a_folder_that_has_gone(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.move(write(source / "inner" / "a"), to=target)
    await harness.done(id)
    (source / "inner").rmdir()
    assert await refusal(harness, id) == f"the folder {source / 'inner'} is not there any more"


async def test_merged_folders_are_not_taken_apart(harness: Harness, source: Path, target: Path) -> None:
    write(source / "folder" / "a")
    write(target / "folder" / "b")
    id = await harness.move(source / "folder", write(source / "c"), to=target)
    assert not (await harness.done(id)).reversible
    assert "was merged into a folder that stood there" in await refusal(harness, id)
    assert names(target) == ["c", "folder"]


@pytest.mark.parametrize("same", [False, True])
async def test_a_replaced_file_is_not_brought_back_from_nowhere(
    harness: Harness, source: Path, target: Path, same: bool
) -> None:
    write(source / "a", "text")
    write(target / "a", "text" if same else "the one that is lost")
    if same:
        os.utime(target / "a", ns=(os.stat(source / "a").st_mtime_ns,) * 2)
    id = await harness.move(source / "a", to=target, conflict=Conflict.OVERWRITE)
    await harness.done(id)
    assert names(source) == []
    assert "met a file of its name" in await refusal(harness, id)


async def test_a_file_that_could_not_be_replaced_does_not_keep_the_others_from_going_back(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(target / "a", "there")
    real = moving.move_into_place

    def refuse(parent: Root, name: bytes, *rest: Any, **how: Any) -> bool:
        if name == b"a":
            raise PermissionDenied("no")
        return real(parent, name, *rest, **how)

    with monkeypatch.context() as patch:
        patch.setattr(moving, "move_into_place", refuse)
        id = await harness.move(
            write(source / "a"), write(source / "b"), to=target, conflict=Conflict.OVERWRITE
        )
        job = await harness.ends(id)
    assert (job.state, job.reversible) == (JobState.FAILED, True)
    await undone(harness, id)
    assert (names(source), texts(target)) == (["a", "b"], {"a": "there"})


async def test_nor_does_a_file_that_was_to_be_replaced_when_the_job_was_cancelled(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(target / "b", "there")
    real = moving.Moving._rename_in_thread

    def stop_behind_the_first(self: moving.Moving, steps: Any, parent: Root) -> Any:
        done = real(self, steps[:1], parent)
        self.run.stop(Stop.PAUSE)
        return done + real(self, steps[1:], parent)

    with monkeypatch.context() as patch:
        patch.setattr(moving.Moving, "_rename_in_thread", stop_behind_the_first)
        id = await harness.move(
            write(source / "a"), write(source / "b"), to=target, conflict=Conflict.OVERWRITE
        )
        await harness.until(id, lambda job: job.state is JobState.PAUSED)
    assert names(source) == ["b"]
    await harness.engine.cancel([id])
    await undone(harness, id)
    assert (names(source), texts(target)) == (["a", "b"], {"b": "there"})


async def test_a_job_off_the_list_is_not_undone_by_what_did_nothing(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.move(write(source / "a"), to=target)
    await harness.done(id)
    keeper = harness.engine._keeper
    keeper._closing = True  # nothing starts any more
    undoing = await harness.engine.undo(id)
    await harness.engine.remove([id])
    await harness.engine.cancel([undoing])
    await at_rest(harness.engine)
    await harness.engine.restore()
    assert (await harness.engine.job(id)).undone_by == 0
    keeper._closing = False
    await undone(harness, id)
    assert names(source) == ["a"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (JobKind.COPY, "a copy is undone by deleting what it made"),
        (JobKind.DELETE, "what was deleted for good is gone"),
        (JobKind.CHMOD, "the permissions there were before are not kept"),
    ],
)
async def test_other_jobs_say_why_they_cannot_be_undone(
    harness: Harness, source: Path, target: Path, kind: JobKind, why: str
) -> None:
    file = write(source / "a")
    if kind is JobKind.COPY:
        id = await harness.copy(file, to=target)
    else:
        id = await harness.submit(kind, file, mode_set=0o600)
    assert not (await harness.done(id)).reversible
    assert await refusal(harness, id) == why


async def test_a_job_that_has_not_ended_or_did_nothing_cannot_be_undone(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.move(write(source / "a"), to=target, paused=True)
    assert "it is paused" in await refusal(harness, id)
    await harness.engine.cancel([id])
    await harness.until(id, lambda _: not harness.engine._keeper.is_busy(harness.engine._get(id)))
    assert await refusal(harness, id) == "it has done nothing"
    with pytest.raises(NoSuchJob):
        await harness.engine.undo(99)


async def test_a_job_of_an_earlier_version_left_no_record(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.move(write(source / "a"), to=target)
    await harness.done(id)
    traces = await harness.engine._journal.traces(id, 0, 1)
    await harness.engine._journal.set_traces(id, [replace(traces[0], idx=7)])
    await harness.engine._journal.set_phase(id, [0], None)
    assert "kept no record" in await refusal(harness, id)


async def test_what_changes_between_the_look_and_the_undoing_is_an_error_of_its_own(
    harness: Harness, source: Path, target: Path
) -> None:
    """And only of the entry concerned; what is in order comes back. The rest can be retried."""
    id = await harness.move(*(write(source / name, name) for name in "abc"), to=target)
    await harness.done(id)
    keeper = harness.engine._keeper
    keeper._closing = True  # nothing starts any more
    undoing = await harness.engine.undo(id)
    changed(target / "a")
    write(source / "b", "new")
    keeper._closing = False
    keeper.kick()
    job = await harness.ends(undoing)
    assert job.state is JobState.FAILED
    errors = await harness.engine.errors(undoing)
    assert sorted((error.code, error.location.name) for error in errors) == [
        ("AlreadyExists", "b"),
        ("SourceReplaced", "a"),
    ]
    assert texts(source) == {"b": "new", "c": "c"}
    assert texts(target) == {"a": "something else", "b": "b"}
    (source / "b").unlink()
    (target / "a").unlink()
    await harness.engine.retry([undoing])
    await harness.ends(undoing)
    assert texts(source) == {"b": "b", "c": "c"}


async def test_an_undo_that_did_nothing_leaves_the_job_to_be_undone(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.move(write(source / "a"), to=target)
    await harness.done(id)
    keeper = harness.engine._keeper
    keeper._closing = True  # nothing starts any more
    undoing = await harness.engine.undo(id)
    await harness.engine.cancel([undoing])
    keeper._closing = False
    await harness.until(id, lambda job: job.reversible)
    await undone(harness, id)
    assert names(source) == ["a"]


async def test_a_trash_that_tells_nothing_is_named_as_the_reason(
    harness: Harness, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of macOS, by way of send2trash."""
    monkeypatch.setattr("tui.engine.removing.trash", os.unlink)
    id = await harness.submit(JobKind.TRASH, write(source / "a"))
    await harness.done(id)
    assert "the trash of this system does not tell where" in await refusal(harness, id)
