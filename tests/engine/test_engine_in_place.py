"""Jobs without a target: delete, trash, chmod, and lists of renames."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from engine_harness import Harness, names, new_engine, running

from tests.trees import make_mixed_tree
from tui.engine.rows import Phase
from tui.engine.run import Run
from tui.model.job import JobKind, JobState
from tui.model.location import Location

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def all_below(folder: Path) -> list[str]:
    return [path.name for path in sorted(folder.rglob("*"))]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


async def test_trees_are_deleted_and_counted(harness: Harness, tmp_path: Path, source: Path) -> None:
    make_mixed_tree(tmp_path / "tree", seed=9, files=100)
    (source / "link").symlink_to(tmp_path)
    job = await harness.done(await harness.submit(JobKind.DELETE, tmp_path / "tree", source))
    assert "tree" not in names(tmp_path)
    assert "source" not in names(tmp_path)
    assert job.progress.files_done == job.progress.files_total > 100


async def test_what_cannot_be_deleted_in_a_wide_tree_is_one_error(
    harness: Harness, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        write(source / "tree" / f"folder {number}" / "deeper" / f"file {number}", "text")
    unlink = os.unlink

    def refuse(path: bytes, *, dir_fd: int) -> None:
        if path == b"file 7":
            raise PermissionError(errno.EPERM, "immutable")
        unlink(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse)
    job = await harness.ends(await harness.submit(JobKind.DELETE, source / "tree"))
    monkeypatch.undo()
    assert job.state is JobState.FAILED
    assert [error.location.name for error in await harness.engine.errors(job.id)] == ["file 7"]
    assert job.progress.files_done == 39
    assert all_below(source) == ["tree", "folder 7", "deeper", "file 7"]
    await harness.engine.retry([job.id])
    await harness.done(job.id)
    assert names(source) == []


async def test_what_is_not_there_cannot_be_deleted(harness: Harness, source: Path) -> None:
    good = write(source / "good", "text")
    job = await harness.ends(await harness.submit(JobKind.DELETE, source / "missing", good))
    assert job.state is JobState.FAILED
    assert [error.code for error in await harness.engine.errors(job.id)] == ["NotFound"]
    assert names(source) == []


async def test_what_was_deleted_before_a_crash_is_no_error(tmp_path: Path, source: Path) -> None:
    journal = tmp_path / "journal"
    first = new_engine(journal)
    await first.start_up()
    id = await Harness(first, journal).submit(JobKind.DELETE, write(source / "a", "text"), paused=True)
    await first._journal.set_phase(id, [0], Phase.REMOVING)
    await first.shut_down()
    (source / "a").unlink()
    async with running(journal) as second:
        await second.engine.resume([id])
        await second.done(id)


async def test_trash_takes_entries_away(
    harness: Harness, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    kept: list[str] = []
    monkeypatch.setattr(
        "tui.engine.removing.trash", lambda path: kept.append(path) or os.rename(path, path + ".gone")
    )
    one, two = write(source / "one", "1"), write(source / "two", "2")
    job = await harness.done(await harness.submit(JobKind.TRASH, one, two))
    assert kept == [str(one), str(two)]
    assert job.progress.files_done == 2


async def test_modes_are_changed_below_folders_and_not_through_links(
    harness: Harness, source: Path, tmp_path: Path
) -> None:
    outside = write(tmp_path / "outside", "text")
    file = write(source / "inner" / "file", "text")
    (source / "link").symlink_to(outside)
    for path in (outside, file):
        path.chmod(0o644)
    (source / "inner").chmod(0o755)
    id = await harness.submit(
        JobKind.CHMOD, source, mode_set=0o600, mode_clear=0o077, folder_mode_set=0o100, recursive=True
    )
    await harness.done(id)
    assert (mode(file), mode(source / "inner"), mode(outside)) == (0o600, 0o700, 0o644)


# Lists of renames


async def rename(harness: Harness, folder: Path, **pairs: str) -> int:
    return await harness.submit(
        JobKind.RENAME,
        *(folder / old for old in pairs),
        targets=tuple(Location.local(folder / new) for new in pairs.values()),
    )


async def test_names_are_swapped_and_turned_in_a_circle(harness: Harness, source: Path) -> None:
    for name in "abcdef":
        write(source / name, name)
    job = await harness.done(await rename(harness, source, a="b", b="a", c="d", d="e", e="c", f="g"))
    assert {name: (source / name).read_text() for name in names(source)} == {
        "a": "b", "b": "a", "d": "c", "e": "d", "c": "e", "g": "f",
    }  # fmt: skip
    assert job.progress.files_done == job.progress.files_total == 6


async def test_a_rename_never_takes_the_name_of_something_else(harness: Harness, source: Path) -> None:
    for name in "abc":
        write(source / name, name)
    write(source / "taken", "taken")
    job = await harness.ends(await rename(harness, source, a="taken", b="a", c="x"))
    assert job.state is JobState.FAILED
    assert sorted(e.location.name for e in await harness.engine.errors(job.id)) == ["a", "b"]
    assert {name: (source / name).read_text() for name in names(source)} == {
        "a": "a", "b": "b", "taken": "taken", "x": "c",
    }  # fmt: skip
    (source / "taken").unlink()
    await harness.engine.retry([job.id])
    await harness.done(job.id)
    assert {name: (source / name).read_text() for name in names(source)} == {"taken": "a", "a": "b", "x": "c"}


async def test_two_new_names_that_are_the_same_are_refused(harness: Harness, source: Path) -> None:
    for name in "ab":
        write(source / name, name)
    job = await harness.ends(await rename(harness, source, a="x", b="x"))
    assert [e.code for e in await harness.engine.errors(job.id)] == ["AlreadyExists"]
    assert {name: (source / name).read_text() for name in names(source)} == {"x": "a", "b": "b"}


@pytest.mark.parametrize("steps", range(7))
async def test_a_swap_interrupted_anywhere_is_finished(tmp_path: Path, source: Path, steps: int) -> None:
    """After each number of renames on the disk, with what the journal says at that moment."""
    for name in "ab":
        write(source / name, name)
    journal = tmp_path / "journal"
    first = new_engine(journal)
    await first.start_up()
    harness = Harness(first, journal)
    id = await harness.submit(
        JobKind.RENAME, source / "a", source / "b",
        targets=(Location.local(source / "b"), Location.local(source / "a")), paused=True,
    )  # fmt: skip
    record = first._board.get(id)
    assert record is not None
    passage = [source / f".ferry-{record.row.tag}-rename-{idx}" for idx in range(2)]
    sources = await first._journal.sources(id)
    phases = [None, Phase.PARKING, Phase.PARKING, Phase.PARKING, Phase.PARKED, Phase.PARKED, Phase.PARKED]
    moves = [
        (source / "a", passage[0]),
        (source / "b", passage[1]),
        (passage[0], source / "b"),
        (passage[1], source / "a"),
    ]
    for old, new in moves[: [0, 0, 1, 2, 2, 3, 4][steps]]:
        old.rename(new)
    await first._journal.set_phase(id, [s.idx for s in sources], phases[steps])
    await first.shut_down()
    async with running(journal) as second:
        await second.engine.resume([id])
        await second.done(id)
    assert {name: (source / name).read_text() for name in names(source)} == {"a": "b", "b": "a"}


@pytest.mark.parametrize("kind", [JobKind.DELETE, JobKind.TRASH])
async def test_many_sources_take_few_hops_and_what_fails_among_them_is_told(
    harness: Harness, source: Path, monkeypatch: pytest.MonkeyPatch, kind: JobKind
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(source.parent / "data"))
    marked = [write(source / f"file {number:03}", "text") for number in range(200)]
    marked[7].unlink()
    (source / "folder" / "inner").mkdir(parents=True)
    hops = 0
    hop = Run.hop

    async def counted(run: Run, *args: Any, **rest: Any) -> Any:
        nonlocal hops
        hops += 1
        return await hop(run, *args, **rest)

    monkeypatch.setattr(Run, "hop", counted)
    job = await harness.ends(await harness.submit(kind, *marked, source / "folder"))
    assert names(source) == []
    (error,) = await harness.engine.errors(job.id)
    assert (error.code, error.location.name) == ("NotFound", "file 007")
    assert job.progress.files_done >= 199
    assert hops < 60
