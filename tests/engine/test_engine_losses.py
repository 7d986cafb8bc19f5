"""The loss report of a job: what it counts, and that it outlives pauses, crashes and restarts."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, crash, names, new_engine, running, until

from tui.engine.folders import Folders
from tui.model.fidelity import Loss, Trait
from tui.model.job import Conflict, JobKind, JobState
from tui.places.local import attributes
from tui.places.local.moved_removal import MovedRemoval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.engine.folders import Folder
    from tui.engine.losses import Losses
    from tui.engine.run import Run
    from tui.model.fidelity import Lost
    from tui.model.location import Location
    from tui.places.local.hops import Batch
    from tui.places.local.traits import Traits

FILES = 40


@pytest.fixture
def tree(source: Path) -> Path:
    """Files in folders, all with an attribute."""
    for number in range(FILES):
        file = source / "tree" / f"folder{number % 4}" / f"file{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"content")
    return source / "tree"


@pytest.fixture(autouse=True)
def lossy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target on which every file loses an attribute, and every folder its times."""

    def refused(_: object, __: object, names: object, traits: object, **___: object) -> None:
        traits.lose(Loss.XATTR)  # type: ignore[attr-defined]

    give_folder = attributes.give_folder

    def give(source: int, target: int, traits: Traits) -> os.stat_result:
        made = give_folder(source, target, traits)
        traits.lose(Loss.TIMES)
        return made

    monkeypatch.setattr(attributes, "xattr_names", lambda _: ["user.colour"])
    monkeypatch.setattr(attributes, "copy_xattrs", refused)
    monkeypatch.setattr(attributes, "give_folder", give)


def counts(report: tuple[Lost, ...]) -> dict[Loss, int]:
    return {lost.loss: lost.count for lost in report}


async def test_losses_are_counted_by_kind_with_the_first_few_by_name(
    harness: Harness, tree: Path, target: Path
) -> None:
    job = await harness.done(await harness.copy(tree, to=target))
    report = await harness.engine.losses(job.id)
    assert counts(report) == {Loss.XATTR: FILES + 5, Loss.TIMES: 5}
    assert job.progress.losses == FILES + 10
    for lost in report:
        assert len(set(lost.examples)) == 5
        for location in lost.examples:
            assert (target / "tree") in ((where := target / location.path), *where.parents)
            assert where.exists()


def aged(tree: Path) -> Path:
    """Let a tree be of some time ago: what is new at its target is of another time."""
    for folder in (*tree.rglob("folder*"), tree):
        os.utime(folder, (10**9, 10**9))
    return tree


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.SYNC])
async def test_a_repeated_copy_tells_again_of_no_folder(
    harness: Harness, tree: Path, target: Path, kind: JobKind
) -> None:
    (tree / "folder of nothing").mkdir()
    (tree / "folder0" / "large").write_bytes(bytes(17 << 20))
    rest = {"kind": kind, "into": False, "conflict": Conflict.OVERWRITE}
    first = await harness.done(await harness.copy(aged(tree), to=target / "tree", **rest))  # type: ignore[arg-type]
    assert counts(await harness.engine.losses(first.id))[Loss.TIMES] == 6
    again = await harness.done(await harness.copy(tree, to=target / "tree", **rest))  # type: ignore[arg-type]
    assert (await harness.engine.losses(again.id), again.progress.losses) == ((), 0)


async def test_a_repeated_copy_tells_of_what_is_new(harness: Harness, tree: Path, target: Path) -> None:
    await harness.done(await harness.copy(aged(tree), to=target))
    (tree / "folder1" / "new").mkdir()
    (tree / "folder1" / "new" / "file").write_bytes(b"new")
    job = await harness.done(await harness.copy(tree, to=target))
    (times,) = [lost for lost in await harness.engine.losses(job.id) if lost.loss is Loss.TIMES]
    assert times.count == 2
    assert {location.name for location in times.examples} == {"folder1", "new"}


async def test_a_large_file_is_in_the_report(harness: Harness, source: Path, target: Path) -> None:
    with (source / "large").open("wb") as file:
        file.truncate(17 << 20)
    job = await harness.done(await harness.copy(source / "large", to=target))
    (lost,) = await harness.engine.losses(job.id)
    assert (lost.loss, lost.count) == (Loss.XATTR, 1)
    assert [location.path for location in lost.examples] == [str(target / "large")]


async def test_a_job_that_loses_nothing_has_an_empty_report(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attributes, "xattr_names", lambda _: [])
    (source / "file").write_text("x")
    job = await harness.done(await harness.copy(source / "file", to=target))
    assert (await harness.engine.losses(job.id), job.progress.losses) == ((), 0)


@pytest.mark.parametrize("end", ["stop", "crash"])
async def test_the_report_outlives_a_restart(tmp_path: Path, tree: Path, target: Path, end: str) -> None:
    journal = tmp_path / "journal"
    engine = new_engine(journal)
    await engine.start_up()
    first = Harness(engine, journal)
    id = (await first.done(await first.copy(tree, to=target))).id
    told = await engine.losses(id)
    if end == "crash":
        await crash(first)
    else:
        await engine.shut_down()
    async with running(journal) as last:
        assert await last.engine.losses(id) == told
        assert (await last.engine.job(id)).progress.losses == FILES + 10


async def test_a_sync_that_goes_on_tells_once_of_what_it_tries_again(
    tmp_path: Path, tree: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.places.local.decision.is_aligned", lambda *_: False)
    monkeypatch.setattr("tui.places.local.entry_copy.is_aligned", lambda *_: False)

    def aligned(*given: object) -> None:
        given[-1].lose(Loss.XATTR)  # type: ignore[attr-defined]

    monkeypatch.setattr("tui.places.local.entry_copy.align", aligned)
    journal, rest = (
        tmp_path / "journal",
        {"kind": JobKind.SYNC, "into": False, "conflict": Conflict.OVERWRITE},
    )
    engine = new_engine(journal)
    await engine.start_up()
    first = Harness(engine, journal)
    (target / "tree").mkdir()
    id = await first.copy(tree, to=target / "tree", limit_bytes_s=100, **rest)  # type: ignore[arg-type]
    await first.until(id, lambda job: 0 < job.progress.losses)
    await engine.shut_down()
    async with running(journal) as last:
        await last.engine.limit(None, [id])
        await last.done(id)
        assert counts(await last.engine.losses(id))[Loss.XATTR] == FILES + 5


@pytest.mark.parametrize("end", ["pause", "stop", "crash"])
async def test_what_is_interrupted_is_neither_forgotten_nor_counted_twice(
    tmp_path: Path, tree: Path, target: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.places.local.copying.BATCH_ENTRIES", 3)
    (target / "tree").mkdir()  # a merge: file after file, and folder after folder
    journal = tmp_path / "journal"
    engine = new_engine(journal)
    await engine.start_up()
    first = Harness(engine, journal)
    id = await first.copy(tree, to=target, limit_bytes_s=1000, conflict=Conflict.FAIL)
    await first.until(id, lambda job: 0 < job.progress.losses < FILES)
    if end == "crash":
        await crash(first)
    elif end == "pause":
        await engine.pause([id])
        await engine.shut_down()
    else:
        await engine.shut_down()
    async with running(journal) as last:
        await last.engine.limit(None, [id])
        await last.engine.resume([id])
        await last.done(id)
        found = counts(await last.engine.losses(id))
        assert found[Loss.XATTR] == FILES + 5
        assert found[Loss.TIMES] == 5


def examples(losses: Losses) -> Iterator[Location]:
    return (where for lost in losses.report() for where in lost.examples)


async def killed_untold(journal: Path, tree: Path, target: Path, patch: pytest.MonkeyPatch) -> int:
    """Copy until hops wait to tell their losses, and be killed then; return the job's id."""
    engine = new_engine(journal)
    await engine.start_up()
    first = Harness(engine, journal)
    waiting: list[Losses] = []

    async def told_too_late(_: Run, losses: Losses, *__: object) -> None:
        waiting.append(losses)
        await asyncio.Event().wait()

    with patch.context() as patched:
        patched.setattr("tui.engine.walk.lose", told_too_late)
        id = await first.copy(tree, to=target, conflict=Conflict.FAIL)
        await until(lambda: any("file" in where.name for each in waiting for where in examples(each)))
        await crash(first)
    return id


def paths(folder: Path) -> set[str]:
    """Return the paths of all that is below a folder."""
    return {str(path) for path in folder.rglob("*")}


def remove_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()


@pytest.mark.parametrize("merged", [False, True], ids=["new tree", "merge"])
@pytest.mark.parametrize("large", [False, True])
async def test_what_a_killed_engine_had_not_told_is_counted_once(
    tmp_path: Path, tree: Path, target: Path, monkeypatch: pytest.MonkeyPatch, merged: bool, large: bool
) -> None:
    journal, kept = tmp_path / "journal", tmp_path / "notes"
    if large:
        monkeypatch.setattr("tui.engine.run.LARGE_BYTES", 3)
    if merged:
        (target / "tree").mkdir()
    id = await killed_untold(journal, tree, target, monkeypatch)
    assert names(kept)
    async with running(journal) as last:
        await last.done(id)
        report = await last.engine.losses(id)
        assert counts(report) == {Loss.XATTR: FILES + 5, Loss.TIMES: 5}
        assert {location.path for location in report[0].examples} <= paths(target)
        await until(lambda: not names(kept))


async def test_what_was_noted_and_never_came_to_be_is_no_loss(
    tmp_path: Path, tree: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "journal"
    (target / "tree").mkdir()
    id = await killed_untold(journal, tree, target, monkeypatch)
    remove_files(target)
    async with running(journal) as last:
        await last.done(id)
        assert counts(await last.engine.losses(id))[Loss.XATTR] == FILES + 5


async def test_notes_of_jobs_that_are_no_more_are_removed(tmp_path: Path, harness: Harness) -> None:
    journal = tmp_path / "other" / "journal"
    notes = journal.parent / "notes"
    notes.mkdir(parents=True)
    (notes / "zzzzzzzz-0").write_bytes(b"token\0\0\0")
    async with running(journal):
        await until(lambda: not names(notes))


async def test_what_cannot_be_made_is_an_error_and_in_the_report(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    os.mkfifo(source / "fifo")
    monkeypatch.setattr(os, "mkfifo", refuse)
    job = await harness.ends(await harness.copy(source / "fifo", to=target))
    assert job.state is JobState.FAILED
    (lost,) = await harness.engine.losses(job.id)
    assert (lost.loss, lost.count, lost.examples[0].name) == (Loss.SPECIAL, 1, "fifo")
    await harness.engine.retry([job.id])
    await harness.until(job.id, lambda job: job.state is JobState.FAILED)
    assert counts(await harness.engine.losses(job.id)) == {Loss.SPECIAL: 1}


async def test_what_is_not_to_travel_stays_behind_and_is_no_loss(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    file = source / "file"
    file.write_text("x")
    os.utime(file, ns=(10**18, 10**18))
    keep = frozenset(Trait) - {Trait.TIMES}
    job = await harness.done(await harness.copy(file, to=target, preserve=keep))
    assert (target / "file").stat().st_mtime_ns > 10**18
    assert await harness.engine.losses(job.id) == ()
    again = await harness.done(await harness.copy(file, to=target, preserve=keep, conflict=Conflict.FAIL))
    assert again.progress.files_same == 1


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def inodes(folder: Path) -> set[int]:
    return {path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("end", ["stop", "crash"])
async def test_a_move_to_another_disk_without_times_leaves_nothing_behind(
    tmp_path: Path, tree: Path, far: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.undo()
    os.link(tree / "folder0" / "file0", tree / "folder1" / "twin")
    journal = tmp_path / "journal"
    engine = new_engine(journal)
    await engine.start_up()
    first = Harness(engine, journal)
    id = await first.move(tree, to=far, preserve=frozenset(Trait) - {Trait.TIMES}, limit_bytes_s=200)
    await first.until(id, lambda job: job.progress.files_done > 3)
    if end == "crash":
        await crash(first)
    else:
        await engine.shut_down()
    async with running(journal) as last:
        await last.engine.limit(None, [id])
        await last.done(id)
    assert names(tree.parent) == []
    assert contents(far) == [b"content"] * (FILES + 1)
    assert len(inodes(far)) == FILES


def entering(patch: pytest.MonkeyPatch, *, backwards: bool) -> None:
    """Let folders be gone into in the order of their names, or in the other one."""
    enter = Folders._enter

    def sorted_first(folders: Folders, folder: Folder, batch: Batch) -> None:
        batch.folders.sort(reverse=backwards)
        enter(folders, folder, batch)

    patch.setattr(Folders, "_enter", sorted_first)


@pytest.mark.parametrize("merged", [False, True], ids=["new tree", "merge"])
@pytest.mark.parametrize("end", ["stopped", "killed", "killed untold"])
async def test_a_file_with_several_names_is_counted_once_whichever_is_met_first(
    tmp_path: Path, tree: Path, target: Path, monkeypatch: pytest.MonkeyPatch, merged: bool, end: str
) -> None:
    for number in range(FILES):
        twin = tree / f"twins{number % 4}" / f"twin{number}"
        twin.parent.mkdir(exist_ok=True)
        os.link(tree / f"folder{number % 4}" / f"file{number}", twin)
    journal = tmp_path / "journal"
    if merged:
        (target / "tree").mkdir()
    with monkeypatch.context() as patched:
        entering(patched, backwards=False)
        if end == "killed untold":
            id = await killed_untold(journal, tree, target, patched)
        else:
            engine = new_engine(journal)
            await engine.start_up()
            first = Harness(engine, journal)
            id = await first.copy(tree, to=target, conflict=Conflict.FAIL, limit_bytes_s=70)
            await first.until(id, lambda job: 5 < job.progress.losses < FILES)
            await (crash(first) if end == "killed" else engine.shut_down())
    entering(monkeypatch, backwards=True)
    async with running(journal) as last:
        await last.engine.limit(None, [id])
        await last.done(id)
        found = counts(await last.engine.losses(id))
    assert found == {Loss.XATTR: FILES + 9, Loss.TIMES: 9}
    assert len(inodes(target)) == FILES


def twin_of(tree: Path) -> Path:
    """Make a second tree like one."""
    return Path(shutil.copytree(tree, tree.with_name("twin")))


@pytest.mark.parametrize("at", ["first", "second"])
async def test_what_moved_folders_have_lost_is_told_after_they_have_gone(
    tmp_path: Path, tree: Path, far: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    trees = {"first": tree, "second": twin_of(tree)}
    journal, has_gone, step = tmp_path / "journal", asyncio.Event(), MovedRemoval.step
    loop = asyncio.get_running_loop()

    def removed(removal: MovedRemoval) -> Batch:
        batch = step(removal)
        if not trees[at].exists():
            loop.call_soon_threadsafe(has_gone.set)
            while not removal._brake.on:
                time.sleep(0.01)
        return batch

    first = Harness(new_engine(journal), journal)
    await first.engine.start_up()
    with monkeypatch.context() as patched:
        patched.setattr(MovedRemoval, "step", removed)
        id = await first.move(*trees.values(), to=far)
        await has_gone.wait()
        await crash(first)
    async with running(journal) as last:
        await last.done(id)
        assert counts(await last.engine.losses(id)) == {Loss.XATTR: 2 * (FILES + 5), Loss.TIMES: 2 * 5}


async def killed_at_the_end(harness: Harness, patch: pytest.MonkeyPatch, id: int | None, *what: Path) -> int:
    """Let a job (or a new one that copies to the last of these) do all but end, and be killed; return its id."""
    is_copied = asyncio.Event()

    async def never_flushed(*_: object, **__: object) -> None:
        is_copied.set()
        await asyncio.Event().wait()

    with patch.context() as patched:
        patched.setattr("tui.engine.copying.flush_at_the_end", never_flushed)
        await harness.engine.start_up()
        *sources, to = what
        id = id or await harness.copy(*sources, to=to, conflict=Conflict.FAIL)
        await is_copied.wait()
        await crash(harness)
    return id


@pytest.mark.parametrize("merged", [False, True], ids=["new tree", "merge"])
async def test_files_are_counted_once_where_a_killed_go_met_them_complete(
    tmp_path: Path, tree: Path, target: Path, monkeypatch: pytest.MonkeyPatch, merged: bool
) -> None:
    journal = tmp_path / "journal"
    if merged:
        (target / "tree").mkdir()
    id = await killed_at_the_end(Harness(new_engine(journal), journal), monkeypatch, None, tree, target)
    await killed_at_the_end(Harness(new_engine(journal), journal), monkeypatch, id, target)
    async with running(journal) as last:
        await last.done(id)
        assert counts(await last.engine.losses(id)) == {Loss.XATTR: FILES + 5, Loss.TIMES: 5}
