"""Comparing what two places hold."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from engine_harness import stride
from hosts_harness import Hosts, HostsHarness, at, killed_and_done, troubles

from tui.engine.far.memory import Memory
from tui.model.error import PermissionDenied
from tui.model.job import Conflict, JobKind, JobState
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    from tui.places.memory_store import MemoryStore

LARGE = bytes(range(256)) * 20
FILES = 5
BYTES = len(LARGE) * 2 + 4 * 3


@pytest.fixture(autouse=True)
def small_is_smaller(monkeypatch: pytest.MonkeyPatch, hosts: Hosts) -> None:
    """Have files that are read in several pieces, without having to make any that are large."""
    monkeypatch.setattr("tui.engine.far.likeness.SMALL_BYTES", 1000)
    hosts.capabilities = replace(hosts.capabilities, part_bytes=700)


def plant(store: MemoryStore) -> None:
    store.write("/data/tree/a file", b"text")
    store.write("/data/tree/large", LARGE)
    store.write("/data/tree/other large", LARGE)
    store.write("/data/tree/inner/file", b"text")
    store.write("/data/tree/inner/none", b"")
    store.write("/data/tree/last/file", b"text")
    store.link("/data/tree/last/link", "nowhere")


def plant_both(hosts: Hosts) -> MemoryStore:
    plant(hosts.store())
    plant(hosts.store("other"))
    return hosts.store("other")


async def verify(queue: HostsHarness, path: str = "/data/tree", **rest: object) -> int:
    return await queue.add(JobKind.VERIFY, at(path), targets=(at(path, "other"),), **rest)


async def told(queue: HostsHarness, id: int) -> dict[str, str]:
    """Return the messages of what failed, by where it is at the target, without the names of hosts."""
    errors = await queue.engine.errors(id)
    return {
        error.location.path.removeprefix("/data/tree").lstrip("/"): error.message.replace(
            "sftp://other/data/tree/", ""
        ).replace("sftp://host/data/tree/", "source ")
        for error in errors
    }


async def test_what_is_alike_is_counted_as_verified(queue: HostsHarness, hosts: Hosts) -> None:
    plant_both(hosts)
    job = await queue.done(await verify(queue))
    progress = job.progress
    assert (progress.files_done, progress.files_verified) == (7, 7)
    assert (progress.bytes_done, progress.bytes_verified) == (BYTES, BYTES)


async def test_over_a_long_way_many_small_files_are_compared_at_once(
    queue: HostsHarness, hosts: Hosts
) -> None:
    for number in range(150):
        for host in ("host", "other"):
            hosts.store(host).write(f"/data/tree/{number}", b"text")
    many, under_way = asyncio.Event(), 0

    def trouble(name: str, location: Location) -> Awaitable[None] | None:
        nonlocal under_way
        if name != "get" or many.is_set():
            return None
        under_way += 1
        if under_way == 200:  # of both sides
            many.set()
        return cast("Awaitable[None]", many.wait())

    hosts.trouble = trouble
    job = await queue.done(await verify(queue))
    assert job.progress.files_verified == 150


async def test_what_is_compared_at_once_holds_only_so_much_memory(
    queue: HostsHarness, hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    class Watched(Memory):
        def __init__(self) -> None:
            super().__init__(most_bytes=4000)

        async def take(self, size_bytes: int) -> None:
            await super().take(size_bytes)
            held.append(self.used_bytes)

    monkeypatch.setattr("tui.engine.far.likeness.Memory", Watched)
    for number in range(20):
        for host in ("host", "other"):
            hosts.store(host).write(f"/data/tree/{number}", b"a" * 900)
    await queue.done(await verify(queue))
    assert max(held) == 3600


async def test_every_difference_is_told_once_and_what_is_extra_is_none(
    queue: HostsHarness, hosts: Hosts
) -> None:
    there = plant_both(hosts)
    there.write("/data/tree/large", LARGE[:-1] + b"x")
    there.write("/data/tree/other large", LARGE + b"x")
    there.write("/data/tree/a file", b"tixt")
    there.remove("/data/tree/inner/file")
    there.remove("/data/tree/inner/none")
    there.folder("/data/tree/inner/none")
    there.remove("/data/tree/last/link")
    there.link("/data/tree/last/link", "elsewhere")
    there.write("/data/tree/extra", b"extra")
    there.write("/data/tree/.ferry-abcdefgh-half", b"half")
    job = await queue.ends(await verify(queue))
    assert job.state is JobState.FAILED
    assert await told(queue, job.id) == {
        "a file": "a file differs from source a file in content",
        "large": "large differs from source large in content",
        "other large": "other large differs from source other large in size",
        "inner/file": "inner/file is missing: it should be a copy of source inner/file",
        "inner/none": "inner/none differs from source inner/none in kind",
        "last/link": "last/link differs from source last/link in where it points",
    }
    assert (job.progress.files_done, job.progress.files_verified) == (6, 1)


async def test_what_is_listed_in_another_spelling_is_not_missing(queue: HostsHarness, hosts: Hosts) -> None:
    there = plant_both(hosts)
    there.remove("/data/tree/a file")

    def find(name: str, location: Location) -> None:
        if name == "stat" and location == at("/data/tree/a file", "other"):
            there.write("/data/tree/a file", b"text")

    hosts.trouble = find
    job = await queue.done(await verify(queue))
    assert job.progress.files_verified == 7


async def test_a_missing_folder_is_told_but_not_all_in_it(queue: HostsHarness, hosts: Hosts) -> None:
    plant_both(hosts).remove("/data/tree/inner")
    job = await queue.ends(await verify(queue))
    assert list(await told(queue, job.id)) == ["inner"]


async def test_single_files_are_compared_and_a_source_that_is_not_there_is_an_error(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant_both(hosts)
    sources = [at("/data/tree/none"), at("/data/tree/large")]
    targets = tuple(at(source.path, "other") for source in sources)
    job = await queue.ends(await queue.add(JobKind.VERIFY, *sources, targets=targets))
    assert await queue.messages(job.id) == [
        "cannot verify sftp://host/data/tree/none: no such file or folder"
    ]
    assert job.progress.files_verified == 1


async def test_a_file_kept_beside_another_is_found_under_its_other_name(
    queue: HostsHarness, hosts: Hosts
) -> None:
    there = plant_both(hosts)
    for name in ("a file", "inner/file"):
        there.write(f"/data/tree/{name}", b"was here before")
        there.write(f"/data/tree/{name} (1)", b"text")
    await queue.done(await verify(queue, conflict=Conflict.RENAME))
    await queue.done(await verify(queue, "/data/tree/a file", conflict=Conflict.RENAME))
    job = await queue.ends(await verify(queue))
    assert sorted(await told(queue, job.id)) == ["a file", "inner/file"]


async def test_what_cannot_be_read_is_told_and_the_rest_is_compared(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant_both(hosts)

    def refuse(name: str, location: Location) -> None:
        if name == "open_reader" and location.name == "large" and location.authority == "other":
            raise PermissionDenied(f"cannot read {location}: permission denied", location=location)

    hosts.trouble = refuse
    job = await queue.ends(await verify(queue))
    assert await told(queue, job.id) == {"large": "cannot read large: permission denied"}
    assert job.progress.files_verified == 6


async def test_a_pause_goes_on_with_the_file_where_it_was_and_counts_nothing_twice(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant_both(hosts)
    reached = asyncio.Event()
    read: list[str] = []

    def hang(name: str, location: Location) -> Awaitable[None] | None:
        read.append(location.path)
        if name != "read" or location.name != "other large" or read.count(location.path) < 9:
            return None
        reached.set()
        return cast("Awaitable[None]", asyncio.Event().wait())

    hosts.trouble = hang
    id = await verify(queue)
    async with asyncio.timeout(10):
        await reached.wait()
    await queue.until(id, lambda job: job.progress.files_verified == 2)
    await queue.engine.pause([id])
    record = queue.engine._board.get(id)
    assert record is not None
    await queue.engine._keeper.settled([record], 5)
    assert not queue.engine._keeper.is_busy(record)
    read.clear()
    hosts.trouble = lambda _, location: read.append(location.path)
    await queue.engine.resume([id])
    job = await queue.done(id)
    assert "/data/tree/a file" not in read
    assert "/data/tree/large" not in read
    assert (job.progress.files_verified, job.progress.bytes_verified) == (7, BYTES)


async def test_a_lost_connection_is_made_anew_whatever_it_was_used_for(
    queue: HostsHarness, hosts: Hosts
) -> None:
    for trouble in troubles(hosts, more_than=50, stride=stride(2)):
        plant_both(hosts).write("/data/tree/inner/file", b"tixt")
        hosts.trouble = trouble
        job = await queue.ends(await verify(queue))
        assert list(await told(queue, job.id)) == ["inner/file"], trouble.names
        assert (job.progress.files_verified, job.progress.bytes_done) == (6, BYTES), trouble.names


async def test_a_job_that_was_killed_is_finished_whenever_that_was(tmp_path: Path, hosts: Hosts) -> None:
    for trouble in troubles(hosts, more_than=50, stride=stride(7)):
        plant_both(hosts)
        before = hosts.store("other").tree(), hosts.store().tree()
        await killed_and_done(tmp_path, hosts, verify, trouble)
        assert (hosts.store("other").tree(), hosts.store().tree()) == before


async def test_a_folder_of_this_computer_is_compared_with_one_that_is_far(
    queue: HostsHarness, hosts: Hosts, tmp_path: Path
) -> None:
    plant(hosts.store())
    for path, data in (("a file", b"text"), ("large", LARGE), ("inner/file", b"tixt")):
        (tmp_path / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / path).write_bytes(data)
    here = Location.local(tmp_path / "tree")
    job = await queue.ends(await queue.add(JobKind.VERIFY, here, targets=(at("/data/tree"),)))
    assert list(await told(queue, job.id)) == ["inner/file"]
    assert job.progress.files_verified == 2
