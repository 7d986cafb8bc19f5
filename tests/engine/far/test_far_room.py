"""Whether there is room beyond the local disk, or on it for what comes from there: looked at before it is filled."""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from engine_harness import at_rest
from far_harness import Far

from tests.mounts import tmpfs
from tui.engine.far.walking import Walk
from tui.model.job import Conflict, JobKind, JobState, Request
from tui.model.location import Location
from tui.places.local.end import LocalOpener
from tui.places.memory import ALL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator
    from pathlib import Path

KIB = 1 << 10


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 4 MiB."""
    with tmpfs(tmp_path / "tiny", "size=4m") as folder:
        yield folder


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Far]:
    """A far place and the local disk, and an engine."""
    far = Far(tmp_path / "journal")
    far.openers["file"] = LocalOpener()  # type: ignore[assignment]
    async with far.engine_on():
        yield far


@pytest.fixture
def ample(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Have what does not fit counted to its end, however fast the clock is, and before anything of it is copied."""
    monkeypatch.setattr("tui.engine.far.copy_totals.FULL_COUNT_S", 1000.0)

    async def never(walk: Walk, _item: object) -> None:
        await asyncio.sleep(60)

    with monkeypatch.context() as patched:
        patched.setattr(Walk, "_item", never)
        yield patched


def fill(far: Far, folder: str, count: int, size_bytes: int) -> list[str]:
    paths = [f"{folder}/file {number}" for number in range(count)]
    for path in paths:
        far.here.write(path, os.urandom(size_bytes))
    return paths


def enlarge(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)


async def resumed(far: Far, id: int) -> None:
    await at_rest(far.engine)
    await far.engine.resume([id])
    await far.until(id, lambda job: job.state is not JobState.WAITING)


async def test_files_that_do_not_fit_wait_before_anything_is_written(far: Far) -> None:
    files = fill(far, "/", 5, 300 * KIB)
    far.there.room_bytes = 1000 * KIB
    job = await far.rests(await far.submit(*files))
    assert (job.state, job.wants_room, job.progress.errors) == (JobState.WAITING, True, 0)
    assert job.note == "needs 1.5 MiB, 1000 KiB free on there://two/target: free space and resume"
    assert job.progress.files_total == 5
    assert far.tree() == {}


async def test_the_room_is_measured_while_sources_are_looked_at(far: Far) -> None:
    files = fill(far, "/", 1, 300 * KIB)
    far.there.room_bytes = 100 * KIB
    looked = asyncio.Event()

    def wait(number: int, name: str, path: str) -> Awaitable[bool] | None:
        if name == "stat" and path == "/target/file 0":
            looked.set()
        return looked.wait() if name == "space" else None

    far.faults.at = wait  # type: ignore[assignment]
    assert (await far.rests(await far.submit(*files))).wants_room  # who waited in vain would not know


async def test_a_tree_that_does_not_fit_waits_and_says_what_all_of_it_needs(
    far: Far, ample: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        fill(far, f"/tree/{number}", 2, 300 * KIB)
    far.there.room_bytes = 1000 * KIB
    job = await far.rests(await far.submit("/tree"))
    assert job.note == "needs 2.9 MiB, 1000 KiB free on there://two/target: free space and resume"
    assert (job.wants_room, job.progress.errors, job.progress.files_total) == (True, 0, 10)


async def test_resuming_looks_again_and_goes_on_when_there_is_room(far: Far) -> None:
    fill(far, "/tree", 5, 300 * KIB)
    far.there.room_bytes = 1000 * KIB
    id = await far.submit("/tree")
    await far.rests(id)
    await resumed(far, id)
    assert (await far.rests(id)).wants_room
    far.there.room_bytes = 2000 * KIB
    await resumed(far, id)
    await far.done(id)
    assert far.tree("/target/tree") == far.here.tree("/tree")


async def test_a_job_that_is_told_to_start_all_the_same_fills_the_place(far: Far) -> None:
    fill(far, "/tree", 5, 300 * KIB)
    far.there.room_bytes = 1000 * KIB
    id = await far.submit("/tree")
    await far.rests(id)
    await at_rest(far.engine)
    await far.engine.start([id])
    full = "no space left on there://two"
    await far.until(id, lambda job: job.note.startswith(full) and job.state is JobState.WAITING)
    assert far.tree("/target/tree") != {}


async def test_what_stands_complete_needs_no_room(far: Far) -> None:
    fill(far, "/tree/inner", 5, 300 * KIB)
    await far.done(await far.submit("/tree"))
    far.there.room_bytes = far.there.used_bytes + 500 * KIB
    await far.done(await far.submit("/tree"))
    fill(far, "/tree/more", 1, 300 * KIB)
    await far.done(await far.submit("/tree"))
    await far.done(await far.submit("/tree/inner/file 0", to="/target/tree/inner"))


async def test_a_replaced_file_needs_only_what_it_grows_by(far: Far) -> None:
    fill(far, "/tree", 5, 300 * KIB)
    await far.done(await far.submit("/tree"))
    far.there.room_bytes = far.there.used_bytes + 800 * KIB
    fill(far, "/tree", 5, 350 * KIB)
    await far.done(await far.submit("/tree", conflict=Conflict.OVERWRITE))
    fill(far, "/tree", 5, 600 * KIB)
    id = await far.submit("/tree", conflict=Conflict.OVERWRITE)
    assert (await far.rests(id)).wants_room
    job = await far.rests(await far.submit("/tree", conflict=Conflict.SKIP))
    assert job.state is JobState.DONE


async def test_what_is_asked_about_counts_as_nothing(far: Far) -> None:
    fill(far, "/tree", 5, 300 * KIB)
    for number in range(5):
        far.there.write(f"/target/tree/file {number}", b"another")
    far.there.room_bytes = 1000 * KIB
    job = await far.rests(await far.submit("/tree", conflict=Conflict.ASK))
    assert (job.state, job.wants_room, job.progress.questions) == (JobState.WAITING, False, 5)


async def test_a_half_file_is_gone_on_with_where_the_rest_fits(far: Far) -> None:
    fill(far, "/", 1, 4000 * KIB)
    far.there.room_bytes = 5000 * KIB
    id = await far.submit("/file 0", limit_bytes_s=2 << 20)
    await far.until(id, lambda job: job.progress.bytes_done > 1500 * KIB)
    await far.pause(id)
    assert far.there.used_bytes > 1000 * KIB
    await far.engine.limit(None, [id])
    await far.engine.resume([id])
    await far.done(id)
    assert far.tree()["file 0"] == far.here.tree("/")["file 0"]


async def test_a_move_within_one_place_asks_for_no_room(far: Far) -> None:
    fill(far, "/tree", 3, 300 * KIB)
    far.here.room_bytes = far.here.used_bytes
    await far.done(await far.submit("/tree", kind=JobKind.MOVE, within=True))
    assert "space" not in {name for name, _ in far.faults.steps}


async def test_a_move_that_does_not_fit_removes_nothing(far: Far) -> None:
    files = fill(far, "/tree", 5, 300 * KIB)
    far.there.room_bytes = 1000 * KIB
    id = await far.submit("/tree", kind=JobKind.MOVE)
    assert (await far.rests(id)).wants_room
    assert len(far.here.tree("/tree")) == len(files)
    far.there.room_bytes = None
    await resumed(far, id)
    await far.done(id)
    assert "tree" not in far.here.tree("/")


@pytest.mark.parametrize("space", [True, False])
async def test_a_copy_that_fits_does_not_wait_for_the_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, space: bool
) -> None:
    monkeypatch.setattr("tui.engine.far.totals.DELAY_S", 0)
    far = Far(tmp_path / "journal", here=replace(ALL, space=False), there=replace(ALL, space=space))
    fill(far, "/tree/inner", 5, KIB)
    stuck, run = asyncio.Event(), Walk.run

    def hold(number: int, name: str, path: str) -> Awaitable[None] | None:
        if name != "list" or path != "/tree/inner" or stuck.is_set():
            return None
        stuck.set()
        return asyncio.sleep(60)

    async def begin_late(walk: Walk) -> None:
        await asyncio.wait_for(stuck.wait(), 5)
        await run(walk)

    far.faults.at = hold
    monkeypatch.setattr(Walk, "run", begin_late)
    async with far.engine_on():
        await far.done(await far.submit("/tree"))


async def test_a_count_goes_on_after_a_lost_connection(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        fill(far, f"/tree/{number}", 2, 50 * KIB)
    far.there.room_bytes = 1000 * KIB
    lost: list[str] = []

    def lose(number: int, name: str, path: str) -> None:
        if name == "list" and path.count("/") == 2 and not lost:
            lost.append(path)
            far.openers["here"].places[-1].lose()

    far.faults.at = lose
    job = await far.rests(await far.submit("/tree"))
    assert lost
    assert job.wants_room


@pytest.mark.parametrize("what", ["files", "tree"])
async def test_what_comes_to_the_local_disk_waits_for_room_there(
    disk: Far, tiny: Path, ample: pytest.MonkeyPatch, what: str
) -> None:
    files = fill(disk, "/tree", 5, 3 << 20)
    sources = files if what == "files" else ["/tree"]
    places = tuple(Location(path, "here", "one") for path in sources)
    request = Request(kind=JobKind.COPY, sources=places, target=Location.local(tiny))
    id = await disk.engine.submit(request)
    job = await disk.rests(id)
    assert job.wants_room
    assert job.note == f"needs 15.0 MiB, 4.0 MiB free on {tiny}: free space and resume"
    ample.undo()
    enlarge(tiny)
    await resumed(disk, id)
    await disk.done(id)
