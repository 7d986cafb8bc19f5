"""Undoing what was made or renamed at once in a far pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hosts_harness import Hosts, HostsHarness, at, counted, killed_and_done, running_hosts, troubles

from tui.model.error import NotFound, NotPossible
from tui.model.job import JobKind, JobState
from tui.places.memory import HARDLY_ANY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tui.model.job import Job


async def made(queue: HostsHarness, path: str) -> Job:
    """Make a folder as a pane does."""
    top = await queue.engine.browsing.make_folder(at(path))
    return await queue.engine.job(await queue.engine.note_step(JobKind.MAKE, at(path), top))


async def refused(queue: HostsHarness, hosts: Hosts, job: Job) -> str:
    """Undo something in vain: nothing is touched, and it can be undone as before. Return why."""
    before = hosts.store().tree()
    undoing = await queue.ends(await queue.engine.undo(job.id))
    assert undoing.state is JobState.FAILED
    assert hosts.store().tree() == before
    job = await queue.engine.job(job.id)
    assert (job.reversible, job.undone_by) == (True, 0)
    (message,) = await queue.messages(undoing.id)
    return message


async def test_a_folder_goes_with_those_made_on_the_way(queue: HostsHarness, hosts: Hosts) -> None:
    hosts.store().folder("/data")
    before = hosts.store().tree()
    job = await made(queue, "/data/a/b/c")
    assert job.reversible
    undoing = await queue.done(await queue.engine.undo(job.id))
    assert hosts.store().tree() == before
    with pytest.raises(NotPossible, match="what was taken away is not made again"):
        await queue.engine.undo(undoing.id)


async def test_of_the_way_what_holds_something_else_stays(queue: HostsHarness, hosts: Hosts) -> None:
    hosts.store().folder("/data")
    job = await made(queue, "/data/a/b/c")
    hosts.store().write("/data/a/kept", b"kept")
    await queue.done(await queue.engine.undo(job.id))
    assert hosts.store().tree("/data") == {"a": None, "a/kept": b"kept"}


async def test_a_new_file_and_a_new_link_go(queue: HostsHarness, hosts: Hosts) -> None:
    hosts.store().folder("/data")
    await queue.engine.browsing.create_file(at("/data/file"))
    await queue.engine.browsing.make_symlink(at("/data/link"), "file")
    for name in ("file", "link"):
        where = at(f"/data/{name}")
        await queue.done(await queue.engine.undo(await queue.engine.note_step(JobKind.MAKE, where, where)))
    assert hosts.store().tree("/data") == {}


def filled(hosts: Hosts) -> str:
    hosts.store().write("/data/new/file", b"text")
    return "(there it is known by its time alone)"


def replaced(hosts: Hosts) -> str:
    hosts.store().take("/data/new")
    hosts.store().folder("/data/new")
    return "(there it is known by its time alone)"


def gone(hosts: Hosts) -> str:
    hosts.store().take("/data/new")
    return "cannot take sftp://host/data/new away: it is not there any more"


def become_a_file(hosts: Hosts) -> str:
    hosts.store().take("/data/new")
    hosts.store().write("/data/new", b"")
    return "cannot take sftp://host/data/new away: sftp://host/data/new is another one now"


@pytest.mark.parametrize("change", [filled, replaced, gone, become_a_file])
async def test_a_folder_that_something_became_of_stays(
    queue: HostsHarness, hosts: Hosts, change: Callable[[Hosts], str]
) -> None:
    hosts.store().folder("/data")
    job = await made(queue, "/data/new")
    reason = change(hosts)
    assert (await refused(queue, hosts, job)).endswith(reason)


async def test_a_file_that_was_written_to_stays(queue: HostsHarness, hosts: Hosts) -> None:
    where = at("/data/file")
    hosts.store().folder("/data")
    await queue.engine.browsing.create_file(where)
    job = await queue.engine.job(await queue.engine.note_step(JobKind.MAKE, where, where))
    hosts.store().write("/data/file", b"text")
    assert (await refused(queue, hosts, job)).endswith("sftp://host/data/file was changed since")


async def test_an_empty_folder_of_a_store_goes_but_not_what_is_in_it(
    queue: HostsHarness, hosts: Hosts
) -> None:
    hosts.capabilities = HARDLY_ANY
    hosts.store().folder("/bucket")
    hosts.store().write("/bucket/kept", b"kept")
    job = await made(queue, "/bucket/new")
    hosts.store().write("/bucket/new/file", b"text")
    assert (await refused(queue, hosts, job)).startswith("cannot take ")
    hosts.store().take("/bucket/new/file")
    other = await made(queue, "/bucket/other")
    await queue.done(await queue.engine.undo(other.id))
    assert "other" not in hosts.store().tree("/bucket")


async def test_a_new_name_is_given_back(queue: HostsHarness, hosts: Hosts) -> None:
    hosts.store().write("/data/a", b"a")
    await queue.engine.browsing.rename(at("/data/a"), at("/data/b"))
    id = await queue.engine.note_step(JobKind.RENAME, at("/data/b"), at("/data/a"))
    undoing = await queue.done(await queue.engine.undo(id))
    assert hosts.store().tree("/data") == {"a": b"a"}
    await queue.done(await queue.engine.undo(undoing.id))
    assert hosts.store().tree("/data") == {"b": b"a"}


async def test_what_is_not_there_is_not_noted(queue: HostsHarness) -> None:
    with pytest.raises(NotFound):
        await queue.engine.note_step(JobKind.MAKE, at("/missing"), at("/missing"))
    assert await queue.engine.jobs() == ()


async def test_what_was_made_goes_whenever_the_engine_was_killed_meanwhile(
    tmp_path: Path, hosts: Hosts
) -> None:
    async def undo(queue: HostsHarness) -> int:
        trouble, hosts.trouble = hosts.trouble, None
        job = await made(queue, "/data/a/b")
        hosts.trouble = trouble
        return await queue.engine.undo(job.id)

    told = set()
    for trouble in troubles(hosts, more_than=5):
        hosts.store().folder("/data")
        job = await killed_and_done(tmp_path, hosts, undo, trouble)
        assert hosts.store().tree("/data") == {}, trouble.names
        told.add(counted(job))
    assert len(told) == 1


async def test_a_lost_connection_is_made_anew(queue: HostsHarness, hosts: Hosts) -> None:
    told = set()
    for trouble in troubles(hosts, more_than=5):
        hosts.store().folder("/data")
        job = await made(queue, "/data/a/b")
        hosts.trouble = trouble
        ended = await queue.done(await queue.engine.undo(job.id))
        assert hosts.store().tree("/data") == {}, trouble.names
        told.add(counted(ended))
    assert len(told) == 1


async def test_after_a_restart_a_host_that_asks_is_waited_for(tmp_path: Path, hosts: Hosts) -> None:
    hosts.store().folder("/data")
    async with running_hosts(tmp_path / "journal", hosts) as first:
        job = await made(first, "/data/new")
    hosts.openers.clear()
    hosts.password = "right"
    async with running_hosts(tmp_path / "journal", hosts) as second:
        id = await second.engine.undo(job.id)
        await second.until(id, lambda job: job.wants_host)
        assert "new" in hosts.store().tree("/data")
        (question,) = await second.engine.host_questions()
        await second.engine.answer_host(question.id, "right")
        await second.until(id, lambda job: job.state is JobState.DONE)
    assert hosts.store().tree("/data") == {}
