"""Copies between places."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from far_harness import Far

from tui.model.error import PermissionDenied
from tui.model.fidelity import Loss
from tui.model.job import Conflict, JobState
from tui.model.location import Location
from tui.places.memory import ALL

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

NOON = 1_700_000_000_123_456_789


def make_tree(far: Far) -> None:
    for number in range(30):
        far.here.write(
            f"/tree/{number % 5}/file {number}", b"%d" % number * number, mtime_ns=NOON, mode=0o640
        )
    far.here.write("/tree/large", bytes(range(256)) * 4000, mtime_ns=NOON)
    far.here.folder("/tree/empty")
    far.here.link("/tree/link", "large")


async def test_a_tree_arrives_whole(far: Far) -> None:
    make_tree(far)
    job = await far.done(await far.submit("/tree"))
    assert far.tree("/target/tree") == far.here.tree("/tree")
    assert job.progress.files_done == job.progress.files_total == 32
    assert job.progress.bytes_done == job.progress.bytes_total


async def test_a_folder_does_not_wait_for_what_is_set_of_those_in_it(far: Far) -> None:
    far.here.write("/tree/inner/file", b"file", mtime_ns=NOON)
    for path in ("/tree", "/tree/inner"):
        far.here.find(path).mtime_ns = NOON
    outer = asyncio.Event()

    def wait_for_outer(_: int, name: str, path: str) -> Awaitable[object] | None:
        if name == "set_attributes" and path == "/target/tree":
            outer.set()
        return outer.wait() if name == "set_attributes" else None

    far.faults.at = wait_for_outer  # type: ignore[assignment]
    await far.done(await far.submit("/tree"))
    for path in ("/target/tree", "/target/tree/inner"):
        assert far.there.find(path).mtime_ns == NOON


async def test_a_folder_that_closes_the_way_to_those_in_it_is_closed_last(far: Far) -> None:
    far.here.write("/tree/inner/file", b"file")
    far.here.find("/tree").mode = 0o600
    await far.done(await far.submit("/tree"))
    steps = [path for name, path in far.faults.steps if name == "set_attributes done"]
    assert steps == ["/target/tree/inner", "/target/tree"]
    assert far.there.find("/target/tree").mode == 0o600


async def test_files_and_folders_keep_mode_and_time(far: Far) -> None:
    make_tree(far)
    far.here.find("/tree/1").mode, far.here.find("/tree/1").mtime_ns = 0o500, NOON
    await far.done(await far.submit("/tree"))
    for path in ("/tree/1/file 1", "/tree/1", "/tree/empty"):
        there, here = far.there.find(f"/target{path}"), far.here.find(path)
        assert (there.mode, there.mtime_ns) == (here.mode, here.mtime_ns)


async def test_what_stands_there_complete_is_not_copied_again(far: Far) -> None:
    make_tree(far)
    await far.done(await far.submit("/tree"))
    before = len(far.faults.steps)
    job = await far.done(await far.submit("/tree"))
    assert job.progress.files_same == 32
    assert {name for name, _ in far.faults.steps[before:]}.isdisjoint({"put", "get", "open_writer"})


async def test_a_name_that_is_taken_becomes_a_question(far: Far) -> None:
    far.here.write("/tree/a", b"new")
    far.there.write("/target/tree/a", b"old!")
    id = await far.submit("/tree")
    assert (await far.rests(id)).state is JobState.WAITING
    (question,) = await far.engine.questions(id)
    assert question.target.path == "/target/tree/a"
    await far.engine.answer(question.id, Conflict.OVERWRITE)
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.there.read("/target/tree/a") == b"new"


async def test_a_name_that_leads_elsewhere_is_refused(far: Far) -> None:
    far.here.write("/tree/good", b"good")
    folder = far.here.find("/tree")
    for name in ("../evil", ".."):
        folder.children[name] = folder.children["good"]
    id = await far.submit("/tree")
    assert (await far.rests(id)).state is JobState.FAILED
    assert {message.partition(":")[0] for message in await far.messages(id)} == {"Unsupported"}
    assert far.there.tree("/") == {
        "home": None,
        "target": None,
        "target/tree": None,
        "target/tree/good": b"good",
    }


async def test_what_another_job_has_not_finished_stays_behind(far: Far) -> None:
    far.here.write("/tree/a", b"a")
    far.here.write("/tree/.ferry-abcdefgh-0123456789abcdef", b"half")
    far.here.write("/tree/.ferry-abcdefgh-0123456789abcdef.part/inner", b"half a tree")
    job = await far.done(await far.submit("/tree"))
    assert far.tree("/target/tree") == {"a": b"a"}
    assert job.progress.files_done == 1


async def test_what_comes_late_into_a_read_only_folder_finds_it_writable(far: Far) -> None:
    far.here.write("/tree/inner/a", b"a")
    far.here.write("/tree/inner/b", b"b")
    far.here.find("/tree/inner").mode, far.here.find("/tree/inner").mtime_ns = 0o555, NOON

    def refuse(number: int, name: str, path: str) -> None:
        if (name, path) == ("get", "/tree/inner/b"):
            raise PermissionDenied(f"cannot read {path}: permission denied", location=Location(path))

    far.faults.at = refuse
    id = await far.submit("/tree")
    assert (await far.rests(id)).state is JobState.FAILED
    assert far.there.find("/target/tree/inner").mode == 0o555
    modes: list[int] = []

    def look(number: int, name: str, path: str) -> None:
        if (name, path) == ("put", "/target/tree/inner/b"):
            modes.append(far.there.find("/target/tree/inner").mode)

    far.faults.at = look
    await far.engine.retry([id])
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert modes == [0o755]
    folder = far.there.find("/target/tree/inner")
    assert (folder.mode, folder.mtime_ns) == (0o555, NOON)


@pytest.mark.parametrize("sets_times", [True, False])
async def test_a_link_keeps_its_time_or_that_is_told(tmp_path: Path, sets_times: bool) -> None:
    far = Far(tmp_path / "journal", there=replace(ALL, sets_times=sets_times))
    far.here.link("/link", "nowhere")
    far.here.find("/link").mtime_ns = NOON
    async with far.engine_on() as engine:
        job = await far.done(await far.submit("/link"))
        lost = {lost.loss: lost.count for lost in await engine.losses(job.id)}
    assert (far.there.find("/target/link").mtime_ns == NOON) is sets_times
    assert lost == ({} if sets_times else {Loss.TIMES: 1})
