"""Copies and moves between the local disk and a far place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from far_harness import HERE, Far

from tests.trees import describe, make_mixed_tree, partials
from tui.model.fidelity import Loss
from tui.model.job import JobKind, JobState, Request
from tui.model.location import Location
from tui.places.local.end import LocalOpener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Far]:
    """A far place and the local disk, and an engine."""
    far = Far(tmp_path / "journal")
    far.openers["file"] = LocalOpener()  # type: ignore[assignment]
    async with far.engine_on():
        yield far


async def carry(far: Far, source: Location, target: Location, kind: JobKind = JobKind.COPY) -> int:
    return await far.engine.submit(Request(kind=kind, sources=(source,), target=target))


async def test_a_tree_goes_there_and_back_and_is_what_it_was(disk: Far, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    make_mixed_tree(tree, seed=7, files=120, large_bytes=2 << 20, large_files=2)
    there = await carry(disk, Location.local(tree), HERE.child("kept"))
    job = await disk.rests(there)
    told = {message.partition(":")[0] for message in await disk.messages(there)}
    assert told <= {"NotHeld"}, await disk.messages(there)
    assert job.state in (JobState.DONE, JobState.FAILED)
    back = await carry(disk, HERE.child("kept").child("tree"), Location.local(tmp_path / "back"))
    await disk.done(back)
    before, after = describe(tree), describe(tmp_path / "back" / "tree")
    lost = [path for path in before if path not in after]
    assert all(not (tree / os.fsdecode(path)).is_file() for path in lost)
    assert set(after) <= set(before)
    for path in after:
        here, came = tree / os.fsdecode(path), tmp_path / "back" / "tree" / os.fsdecode(path)
        if here.is_symlink():
            assert os.readlink(here) == os.readlink(came)
            continue
        one, other = here.stat(), came.stat()
        assert (one.st_mode & 0o777, one.st_mtime_ns) == (other.st_mode & 0o777, other.st_mtime_ns), path
        if here.is_file():
            assert here.read_bytes() == came.read_bytes(), path
    assert partials(tmp_path / "back") == []


async def test_a_move_takes_the_tree_off_the_disk(disk: Far, tmp_path: Path) -> None:
    (tmp_path / "tree" / "inner").mkdir(parents=True)
    (tmp_path / "tree" / "inner" / "a").write_bytes(b"a")
    (tmp_path / "tree" / "b").write_bytes(b"b" * 1_500_000)
    await disk.done(await carry(disk, Location.local(tmp_path / "tree"), HERE.child("kept"), JobKind.MOVE))
    assert not (tmp_path / "tree").exists()
    assert disk.here.tree("/kept/tree") == {"inner": None, "inner/a": b"a", "b": b"b" * 1_500_000}
    back = Location.local(tmp_path / "back")
    await disk.done(await carry(disk, HERE.child("kept").child("tree"), back, JobKind.MOVE))
    assert (tmp_path / "back" / "tree" / "inner" / "a").read_bytes() == b"a"
    assert disk.here.tree("/kept") == {}


async def test_what_a_far_place_cannot_keep_is_told(disk: Far, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_bytes(b"a")
    os.link(tree / "a", tree / "b")
    os.mkfifo(tree / "fifo")
    id = await carry(disk, Location.local(tree), HERE.child("kept"))
    assert (await disk.rests(id)).state is JobState.FAILED
    assert (await disk.messages(id))[0].startswith("NotHeld: cannot create here://one/kept/tree/fifo")
    lost = {lost.loss: lost.count for lost in await disk.engine.losses(id)}
    assert lost == {Loss.HARDLINKS: 2, Loss.SPECIAL: 1}


async def test_the_home_folder_of_this_user_is_never_moved(
    disk: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "people" / "me"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for source in (home, home.parent):
        id = await carry(disk, Location.local(source), HERE.child("kept"), JobKind.MOVE)
        assert (await disk.rests(id)).state is JobState.FAILED
        assert "home folder" in (await disk.messages(id))[0]
    assert home.is_dir()
