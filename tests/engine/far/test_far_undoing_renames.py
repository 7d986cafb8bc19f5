"""Undoing renames at far places: all of it, or nothing, and never in a world that has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine_harness import stride
from hosts_harness import Hosts, HostsHarness, at, counted, killed_and_done, running_hosts, troubles

from tui.model.error import NotPossible
from tui.model.job import JobKind, JobState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tui.model.job import Job

CIRCLE = {"a": "b", "b": "c", "c": "a", "d": "e", "e": "f", "dir": "inner"}
BEFORE = {
    "a": b"a", "b": b"b", "c": b"c", "d": b"d", "e": b"e", "kept": b"kept", "dir": None, "dir/x": b"x",
}  # fmt: skip
AFTER = {
    "b": b"a", "c": b"b", "a": b"c", "e": b"d", "f": b"e", "kept": b"kept", "inner": None, "inner/x": b"x",
}  # fmt: skip


def plant(hosts: Hosts) -> None:
    for name, data in BEFORE.items():
        if data is not None:
            hosts.store().write(f"/data/{name}", data)


async def renamed(queue: HostsHarness, news: dict[str, str], folder: str = "/data") -> Job:
    sources = [at(f"{folder}/{name}") for name in news]
    targets = tuple(at(f"{folder}/{name}") for name in news.values())
    return await queue.done(await queue.add(JobKind.RENAME, *sources, targets=targets))


async def refused(queue: HostsHarness, hosts: Hosts, id: int) -> str:
    """Undo a job in vain: nothing is touched, and it can be undone as before. Return why."""
    before = hosts.store().tree("/data")
    undoing = await queue.ends(await queue.engine.undo(id))
    assert undoing.state is JobState.FAILED
    assert hosts.store().tree("/data") == before
    job = await queue.engine.job(id)
    assert (job.reversible, job.undone_by) == (True, 0)
    (message,) = await queue.messages(undoing.id)
    assert message.startswith("nothing was brought back: ")
    return message.partition(": ")[2]


async def test_circles_chains_and_folders_get_their_old_names_and_the_new_ones_again(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant(hosts)
    job = await renamed(queue, CIRCLE)
    assert job.reversible
    undoing = await queue.done(await queue.engine.undo(job.id))
    assert hosts.store().tree("/data") == BEFORE
    assert (undoing.title, undoing.undoes) == ("undo", job.id)
    redoing = await queue.done(await queue.engine.undo(undoing.id))
    assert hosts.store().tree("/data") == AFTER
    assert redoing.title == "redo"


async def test_names_below_a_home_folder_are_given_back(queue: HostsHarness, hosts: Hosts) -> None:
    hosts.store().write("/home/a", b"a")
    hosts.store().write("/home/b", b"b")
    job = await renamed(queue, {"a": "b", "b": "a"}, "/~")
    assert hosts.store().tree("/home") == {"b": b"a", "a": b"b"}
    await queue.done(await queue.engine.undo(job.id))
    assert hosts.store().tree("/home") == {"a": b"a", "b": b"b"}


def edited(hosts: Hosts) -> str:
    hosts.store().write("/data/f", b"other")
    return "sftp://host/data/f was changed since"


def touched(hosts: Hosts) -> str:
    hosts.store().write("/data/f", b"e", mtime_ns=1)
    return "sftp://host/data/f was changed since"


def taken_away(hosts: Hosts) -> str:
    hosts.store().take("/data/f")
    return "sftp://host/data/f is not there any more"


def become_a_folder(hosts: Hosts) -> str:
    hosts.store().take("/data/f")
    hosts.store().folder("/data/f")
    return "sftp://host/data/f is another one now"


def filled(hosts: Hosts) -> str:
    hosts.store().write("/data/inner/new", b"new")
    return "the folder sftp://host/data/inner was changed since (there it is known by its time alone)"


def old_name_taken(hosts: Hosts) -> str:
    hosts.store().write("/data/dir", b"new")
    return "something stands at sftp://host/data/dir now"


@pytest.mark.parametrize("change", [edited, touched, taken_away, become_a_folder, filled, old_name_taken])
async def test_where_the_world_has_changed_nothing_is_touched(
    queue: HostsHarness, hosts: Hosts, change: Callable[[Hosts], str]
) -> None:
    plant(hosts)
    job = await renamed(queue, CIRCLE)
    reason = change(hosts)
    assert await refused(queue, hosts, job.id) == reason


async def test_an_old_folder_that_has_gone_is_not_made_again(queue: HostsHarness, hosts: Hosts) -> None:
    hosts.store().write("/data/old/a", b"a")
    hosts.store().write("/data/old/b", b"b")
    sources, targets = [at("/data/old/a"), at("/data/old/b")], (at("/data/a"), at("/data/b"))
    job = await queue.done(await queue.add(JobKind.RENAME, *sources, targets=targets))
    hosts.store().take("/data/old")
    reason = "the folder sftp://host/data/old is not there any more (and 1 more like that)"
    assert await refused(queue, hosts, job.id) == reason
    hosts.store().folder("/data/old")
    await queue.done(await queue.engine.undo(job.id))
    assert hosts.store().tree("/data") == {"old": None, "old/a": b"a", "old/b": b"b"}


async def test_a_retry_brings_back_what_was_refused_once_nothing_is_in_its_way(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant(hosts)
    job = await renamed(queue, CIRCLE)
    old_name_taken(hosts)
    undoing = await queue.ends(await queue.engine.undo(job.id))
    hosts.store().take("/data/dir")
    await queue.engine.retry([undoing.id])
    await queue.done(undoing.id)
    assert hosts.store().tree("/data") == BEFORE


async def test_it_is_undone_after_a_restart(tmp_path: Path, hosts: Hosts) -> None:
    plant(hosts)
    async with running_hosts(tmp_path / "journal", hosts) as first:
        job = await renamed(first, CIRCLE)
    async with running_hosts(tmp_path / "journal", hosts) as second:
        await second.done(await second.engine.undo(job.id))
    assert hosts.store().tree("/data") == BEFORE


async def test_an_undoing_that_was_killed_is_finished_whenever_that_was(tmp_path: Path, hosts: Hosts) -> None:
    async def undo(queue: HostsHarness) -> int:
        trouble, hosts.trouble = hosts.trouble, None
        job = await renamed(queue, CIRCLE)
        hosts.trouble = trouble
        return await queue.engine.undo(job.id)

    told = set()
    for trouble in troubles(hosts, more_than=30, stride=stride(3)):
        plant(hosts)
        job = await killed_and_done(tmp_path, hosts, undo, trouble)
        assert hosts.store().tree("/data") == BEFORE, trouble.names
        told.add(counted(job))
    assert len(told) == 1


async def test_a_lost_connection_is_made_anew_in_the_middle_of_an_undoing(
    queue: HostsHarness, hosts: Hosts
) -> None:
    told = set()
    for trouble in troubles(hosts, more_than=30, stride=stride(3)):
        plant(hosts)
        job = await renamed(queue, CIRCLE)
        hosts.trouble = trouble
        ended = await queue.done(await queue.engine.undo(job.id))
        assert hosts.store().tree("/data") == BEFORE, trouble.names
        told.add(counted(ended))
    assert len(told) == 1


async def test_what_failed_to_be_renamed_is_left_alone(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    sources, targets = [at("/data/a"), at("/data/b")], (at("/data/kept"), at("/data/new"))
    job = await queue.ends(await queue.add(JobKind.RENAME, *sources, targets=targets))
    assert (job.state, job.reversible) == (JobState.FAILED, True)
    await queue.done(await queue.engine.undo(job.id))
    assert hosts.store().tree("/data") == BEFORE


async def test_what_an_earlier_version_did_there_is_refused(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    job = await renamed(queue, CIRCLE)
    await queue.engine._journal.drop_traces(job.id, range(len(CIRCLE)))
    with pytest.raises(NotPossible, match="an earlier version of Ferry did it and kept no record"):
        await queue.engine.undo(job.id)
