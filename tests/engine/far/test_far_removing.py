"""Deleting at far places."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from engine_harness import at_rest, stride
from hosts_harness import Hosts, HostsHarness, at, counted, killed_and_done, running_hosts, troubles

from tui.model.error import PermissionDenied, PlaceUnavailable
from tui.model.job import JobKind, JobState
from tui.places.memory import ALL, HARDLY_ANY

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    from tui.model.location import Location
    from tui.places.base import Capabilities


def plant(hosts: Hosts) -> None:
    """Make a tree with a bit of everything, and something beside it that is not to be touched."""
    store = hosts.store()
    for number in range(5):
        store.write(f"/data/tree/file {number}", b"text")
    store.write("/data/tree/deep/deeper/file", b"text")
    store.folder("/data/tree/deep/empty")
    store.link("/data/tree/deep/link", "/data/kept")
    store.write("/data/kept/file", b"kept")


KEPT = {"kept": None, "kept/file": b"kept"}
FILES = 7


async def test_trees_are_deleted_and_counted(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    hosts.store().write("/data/alone", b"12345")
    job = await queue.done(await queue.add(JobKind.DELETE, at("/data/tree"), at("/data/alone")))
    assert hosts.store().tree("/data") == KEPT
    assert job.progress.files_done == job.progress.files_total == FILES + 1
    assert job.progress.bytes_done == 6 * 4 + 5 + len("/data/kept")


async def test_many_files_are_removed_at_once_but_no_more_than_is_worth_it(
    queue: HostsHarness, hosts: Hosts
) -> None:
    hosts.capabilities = replace(hosts.capabilities, pipeline=7)
    for number in range(40):
        hosts.store().write(f"/data/tree/{number}", b"")
    now = most = 0

    async def slow() -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        for _ in range(10):
            await asyncio.sleep(0)
        now -= 1

    hosts.trouble = lambda name, _: slow() if name == "remove_file" else None
    await queue.done(await queue.add(JobKind.DELETE, at("/data/tree")))
    assert most == 7


async def test_a_folder_that_became_a_link_is_not_gone_into(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    store = hosts.store()

    def swap(name: str, location: Location) -> None:
        if name == "remove_file" and location.name == "file 0":
            store.remove("/data/tree/deep")
            store.link("/data/tree/deep", "/data/kept")

    hosts.trouble = swap
    job = await queue.ends(await queue.add(JobKind.DELETE, at("/data/tree")))
    assert job.state is JobState.FAILED
    assert [error.code for error in await queue.engine.errors(job.id)] == ["LinkInTheWay"]
    assert store.tree("/data") == {"tree": None, "tree/deep": "/data/kept", **KEPT}
    hosts.trouble = None
    await queue.engine.retry([job.id])
    await queue.done(job.id)
    assert store.tree("/data") == KEPT


async def test_a_link_in_the_place_of_a_folder_further_up_is_noticed_before_anything_is_removed_behind_it(
    queue: HostsHarness, hosts: Hosts
) -> None:
    store = hosts.store()
    store.write("/data/tree/deep/deeper/file", b"text")
    store.write("/data/kept/deeper/file", b"kept")

    def swap(name: str, location: Location) -> None:
        if name == "list" and location.name == "deeper":
            store.remove("/data/tree/deep")
            store.link("/data/tree/deep", "/data/kept")

    hosts.trouble = swap
    job = await queue.ends(await queue.add(JobKind.DELETE, at("/data/tree")))
    assert job.state is JobState.FAILED
    assert store.tree("/data/kept") == {"deeper": None, "deeper/file": b"kept"}


async def test_what_could_not_be_deleted_is_told_entry_by_entry_and_tried_again(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant(hosts)

    def refuse(name: str, location: Location) -> None:
        if name == "remove_file" and location.name in ("file 3", "link"):
            raise PermissionDenied(f"cannot remove {location}: permission denied", location=location)

    hosts.trouble = refuse
    job = await queue.ends(await queue.add(JobKind.DELETE, at("/data/tree")))
    assert job.state is JobState.FAILED
    assert {error.location.name for error in await queue.engine.errors(job.id)} == {"file 3", "link"}
    left = {"tree": None, "tree/file 3": b"text", "tree/deep": None, "tree/deep/link": "/data/kept"}
    assert hosts.store().tree("/data") == left | KEPT
    hosts.trouble = None
    await queue.engine.retry([job.id])
    job = await queue.done(job.id)
    assert hosts.store().tree("/data") == KEPT
    assert job.progress.files_done == FILES


async def test_what_is_not_there_is_an_error_and_the_rest_is_done(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    job = await queue.ends(await queue.add(JobKind.DELETE, at("/data/none"), at("/data/tree")))
    assert await queue.messages(job.id) == ["cannot delete sftp://host/data/none: no such file or folder"]
    assert hosts.store().tree("/data") == KEPT


@pytest.mark.parametrize("path", ["/home/me", "/home", "/~"])
async def test_no_home_folder_is_deleted_nor_what_holds_it(
    queue: HostsHarness, hosts: Hosts, path: str
) -> None:
    plant(hosts)
    hosts.store().home = "/home/me"
    hosts.store().write("/home/me/file", b"dear")
    before = hosts.store().tree()
    job = await queue.ends(await queue.add(JobKind.DELETE, at("/data/tree"), at(path)))
    assert job.state is JobState.FAILED
    assert [error.code for error in await queue.engine.errors(job.id)] == ["PermissionDenied"]
    assert hosts.store().tree() == before
    await queue.engine.retry([job.id])
    job = await queue.ends(job.id)
    assert (job.state, job.progress.errors) == (JobState.FAILED, 1)
    assert hosts.store().tree() == before


async def test_a_job_waits_until_somebody_has_told_the_password(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    hosts.password = "open sesame"
    id = await queue.add(JobKind.DELETE, at("/data/tree"))
    job = await queue.until(id, lambda job: job.wants_host)
    assert job.state is JobState.WAITING
    assert "tree" in hosts.store().tree("/data")
    (question,) = await queue.engine.host_questions()
    await queue.engine.answer_host(question.id, hosts.password)
    await queue.until(id, lambda job: job.state is JobState.DONE)
    assert hosts.store().tree("/data") == KEPT


async def test_what_is_in_a_home_folder_is_deleted_by_its_short_name(
    queue: HostsHarness, hosts: Hosts
) -> None:
    hosts.store().write("/home/tree/file", b"text")
    hosts.store().write("/home/kept", b"text")
    await queue.done(await queue.add(JobKind.DELETE, at("/~/tree")))
    assert hosts.store().tree("/home") == {"kept": b"text"}


async def test_folders_of_a_flat_store_are_deleted(queue: HostsHarness, hosts: Hosts) -> None:
    hosts.capabilities = HARDLY_ANY
    hosts.store().write("/bucket/a/b/file", b"text")
    hosts.store().write("/bucket/a/other", b"text")
    hosts.store().write("/bucket/kept", b"text")
    await queue.done(await queue.add(JobKind.DELETE, at("/bucket/a")))
    assert hosts.store().tree("/bucket") == {"kept": b"text"}


async def test_a_pause_does_not_wait_for_a_host_that_is_silent_and_the_rest_is_done_later(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant(hosts)
    reached = asyncio.Event()

    def hang(name: str, location: Location) -> Awaitable[None] | None:
        if name != "remove_file" or location.name != "file":
            return None
        reached.set()
        return cast("Awaitable[None]", asyncio.Event().wait())

    hosts.trouble = hang
    id = await queue.add(JobKind.DELETE, at("/data/tree"))
    async with asyncio.timeout(10):
        await reached.wait()
    await queue.engine.pause([id])
    record = queue.engine._board.get(id)
    assert record is not None
    await queue.engine._keeper.settled([record], 5)
    assert not queue.engine._keeper.is_busy(record)
    assert record.state is JobState.PAUSED
    hosts.trouble = None
    await queue.engine.resume([id])
    await queue.done(id)
    assert hosts.store().tree("/data") == KEPT


@pytest.mark.parametrize("can", [ALL, HARDLY_ANY], ids=["folders", "flat"])
async def test_a_lost_connection_is_made_anew_whatever_it_was_used_for(
    queue: HostsHarness, hosts: Hosts, can: Capabilities
) -> None:
    hosts.capabilities = can
    told = set()
    for trouble in troubles(hosts, more_than=20):
        plant(hosts)
        hosts.store().write("/data/alone", b"12345")
        hosts.trouble = trouble
        job = await queue.done(await queue.add(JobKind.DELETE, at("/data/tree"), at("/data/alone")))
        assert hosts.store().tree("/data") == KEPT, trouble.names
        assert job.progress.files_done == FILES + 1, trouble.names
        told.add(counted(job))
    assert len(told) == 1


async def test_a_job_that_was_killed_is_finished_whenever_that_was(tmp_path: Path, hosts: Hosts) -> None:
    for trouble in troubles(hosts, more_than=20, stride=stride(2)):
        plant(hosts)
        job = await killed_and_done(
            tmp_path, hosts, lambda queue: queue.add(JobKind.DELETE, at("/data/tree")), trouble
        )
        assert hosts.store().tree("/data") == KEPT, trouble.names
        counted(job)


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_delete_that_was_stopped_counts_what_went_before_too(
    tmp_path: Path, hosts: Hosts, restarts: bool
) -> None:
    """Files named by themselves, a tree that is done, one that is half done, one that is not begun."""
    for name in ("a", "b", "c"):
        for number in range(10):
            hosts.store().write(f"/data/{name}/inner/{number}", b"text")
    hosts.store().write("/data/alone", b"text")
    reached = asyncio.Event()

    def hang(name: str, location: Location) -> Awaitable[None] | None:
        if name != "remove_file" or location.path != "/data/b/inner/7":
            return None
        reached.set()
        return cast("Awaitable[None]", asyncio.Event().wait())

    hosts.trouble = hang
    sources = [at(f"/data/{name}") for name in ("alone", "a", "b", "c")]
    async with running_hosts(tmp_path / "journal", hosts) as first:
        id = await first.add(JobKind.DELETE, *sources)
        async with asyncio.timeout(10):
            await reached.wait()
        await first.engine.pause([id])
        await at_rest(first.engine)
        hosts.trouble = None
        if not restarts:
            await first.engine.resume([id])
            assert counted(await first.done(id)) == (31, 31 * 4, 0)
            return
    async with running_hosts(tmp_path / "journal", hosts) as second:
        await second.engine.resume([id])
        assert counted(await second.done(id)) == (31, 31 * 4, 0)


async def test_a_host_that_stays_away_fails_the_job_which_can_be_retried(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant(hosts)

    def away(name: str, location: Location) -> None:
        raise PlaceUnavailable(f"cannot {name} {location}: it is away", location=location)

    hosts.trouble = away
    job = await queue.ends(await queue.add(JobKind.DELETE, at("/data/tree")))
    assert job.state is JobState.FAILED
    assert [error.code for error in await queue.engine.errors(job.id)] == ["PlaceUnavailable"]
    hosts.trouble = None
    await queue.engine.retry([job.id])
    await queue.done(job.id)
    assert hosts.store().tree("/data") == KEPT
