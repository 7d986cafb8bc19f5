"""Lists of renames at far places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine_harness import stride
from hosts_harness import Hosts, HostsHarness, at, counted, killed_and_done, troubles

from tui.model.error import HoldsHome, PermissionDenied, UsageError
from tui.model.job import JobKind, JobState
from tui.places.memory import HARDLY_ANY

if TYPE_CHECKING:
    from pathlib import Path

    from tui.model.location import Location

CIRCLE = {"a": "b", "b": "c", "c": "a", "d": "e", "e": "f"}


def plant(hosts: Hosts) -> None:
    for name in "abcde":
        hosts.store().write(f"/data/{name}", name.encode())
    hosts.store().write("/data/kept", b"kept")


async def rename(queue: HostsHarness, news: dict[str, str], folder: str = "/data") -> int:
    sources = [at(f"{folder}/{name}") for name in news]
    targets = tuple(at(f"{folder}/{name}") for name in news.values())
    return await queue.add(JobKind.RENAME, *sources, targets=targets)


AFTER = {"b": b"a", "c": b"b", "a": b"c", "e": b"d", "f": b"e", "kept": b"kept"}


async def test_circles_and_chains_of_names_work(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    job = await queue.done(await rename(queue, CIRCLE))
    assert hosts.store().tree("/data") == AFTER
    assert job.progress.files_done == job.progress.files_total == 5
    assert job.reversible


async def test_names_below_a_home_folder_are_changed(queue: HostsHarness, hosts: Hosts) -> None:
    hosts.store().write("/home/a", b"a")
    await queue.done(await rename(queue, {"a": "b"}, "/~"))
    assert hosts.store().tree("/home") == {"b": b"a"}


@pytest.mark.parametrize("path", ["/home/me", "/home", "/~"])
async def test_a_home_folder_keeps_its_name_and_others_get_theirs(
    queue: HostsHarness, hosts: Hosts, path: str
) -> None:
    hosts.store().home = "/home/me"
    hosts.store().write("/home/me/file", b"dear")
    plant(hosts)
    news = at(f"{path} new"), at("/data/new")
    job = await queue.ends(await queue.add(JobKind.RENAME, at(path), at("/data/a"), targets=news))
    assert job.state is JobState.FAILED
    (message,) = await queue.messages(job.id)
    assert "home folder" in message
    assert hosts.store().read("/home/me/file") == b"dear"
    assert hosts.store().read("/data/new") == b"a"
    with pytest.raises(HoldsHome, match="home folder"):
        await queue.engine.browsing.rename(at(path), at("/new"))


async def test_what_is_in_the_way_stays_and_the_rest_is_renamed(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    job = await queue.ends(await rename(queue, {"a": "kept", "b": "new", "none": "other"}))
    assert job.state is JobState.FAILED
    assert sorted(error.code for error in await queue.engine.errors(job.id)) == ["AlreadyExists", "NotFound"]
    tree = {"a": b"a", "new": b"b", "c": b"c", "d": b"d", "e": b"e", "kept": b"kept"}
    assert hosts.store().tree("/data") == tree


async def test_one_that_stepped_aside_in_vain_gets_its_old_name_back(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant(hosts)

    def refuse(name: str, location: Location) -> None:
        if name == "rename" and location.name.endswith("rename-0"):
            hosts.trouble = None
            raise PermissionDenied(f"cannot rename {location}: permission denied", location=location)

    hosts.trouble = refuse
    job = await queue.ends(await rename(queue, {"a": "new", "b": "a"}))
    assert job.state is JobState.FAILED
    found = hosts.store().tree("/data")
    assert sorted(value for value in found.values() if value) == [b"a", b"b", b"c", b"d", b"e", b"kept"]
    await queue.engine.retry([job.id])
    await queue.ends(job.id)
    found = hosts.store().tree("/data")
    assert (found["a"], found["new"]) == (b"b", b"a")


async def test_a_lost_connection_is_made_anew_whatever_it_was_used_for(
    queue: HostsHarness, hosts: Hosts
) -> None:
    told = set()
    for trouble in troubles(hosts, more_than=15, stride=stride(2)):
        plant(hosts)
        hosts.trouble = trouble
        ended = await queue.done(await rename(queue, CIRCLE))
        assert hosts.store().tree("/data") == AFTER, trouble.names
        told.add(counted(ended))
    assert len(told) == 1


async def test_a_job_that_was_killed_is_finished_whenever_that_was(tmp_path: Path, hosts: Hosts) -> None:
    told = set()
    for trouble in troubles(hosts, more_than=15, stride=stride(2)):
        plant(hosts)
        job = await killed_and_done(tmp_path, hosts, lambda queue: rename(queue, CIRCLE), trouble)
        assert hosts.store().tree("/data") == AFTER, trouble.names
        told.add(counted(job))
    assert len(told) == 1


async def test_where_names_cannot_be_changed_nothing_is_tried(queue: HostsHarness, hosts: Hosts) -> None:
    hosts.capabilities = HARDLY_ANY
    hosts.store().write("/bucket/a", b"a")
    job = await queue.ends(await rename(queue, {"a": "b"}, "/bucket"))
    assert await queue.messages(job.id) == [
        "cannot rename sftp://host/bucket/a: names cannot be changed in one step there"
    ]
    assert hosts.store().tree("/bucket") == {"a": b"a"}


async def test_a_new_name_elsewhere_is_no_name(queue: HostsHarness) -> None:
    with pytest.raises(UsageError, match="same place"):
        await queue.add(JobKind.RENAME, at("/a"), targets=(at("/a", "other"),))
