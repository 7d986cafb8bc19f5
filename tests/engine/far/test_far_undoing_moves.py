"""Undoing moves to, from and within far places: just what was moved comes back, or nothing does."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from engine_harness import stride
from hosts_harness import Hosts, HostsHarness, at, counted, killed_and_done, running_hosts, troubles

from tests.trees import describe
from tui.model.error import NotPossible, PermissionDenied
from tui.model.job import Conflict, JobKind, JobState
from tui.model.location import Location
from tui.places.memory import HARDLY_ANY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tui.model.job import Job

NOON = 1_700_000_000_000_000_000
TREE = {"a": b"a", "inner/b": b"b" * 1_300_000, "inner/deep/c": b"c", "empty": None}

TREE_NAMES = {*TREE, "inner", "inner/deep"}


def plant(hosts: Hosts, folder: str = "/from", host: str = "host") -> dict[str, bytes | str | None]:
    """Put a tree and a file into a folder of a host; return all that is in it then."""
    store = hosts.store(host)
    for name, data in TREE.items():
        if data is None:
            store.folder(f"{folder}/tree/{name}")
        else:
            store.write(f"{folder}/tree/{name}", data, mtime_ns=NOON)
    store.write(f"{folder}/file", b"file", mtime_ns=NOON)
    store.write(f"{folder}/kept", b"kept")
    return store.tree(folder)


def plant_here(folder: Path) -> Path:
    for name, data in TREE.items():
        path = folder / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if data is None else path.write_bytes(data)
        os.utime(path, ns=(NOON, NOON))
    (folder / "file").write_bytes(b"file")
    (folder / "tree" / "link").symlink_to("inner")
    return folder


def entries(folder: Path) -> dict[bytes, tuple[object, ...]]:
    """Describe what is in a folder but the link: links have no time that travels."""
    return {name: state for name, state in describe(folder).items() if name != b"link"}


async def move(queue: HostsHarness, *sources: Location, to: Location, **rest: object) -> Job:
    return await queue.ends(await queue.add(JobKind.MOVE, *sources, target=to, **rest))


async def across(queue: HostsHarness) -> Job:
    """Move both from one host to the other."""
    job = await move(queue, at("/from/tree"), at("/from/file"), to=at("/to", "other"))
    assert job.state is JobState.DONE, await queue.messages(job.id)
    return job


async def undone(queue: HostsHarness, job: Job) -> Job:
    assert job.reversible
    return await queue.done(await queue.engine.undo(job.id))


async def refused(queue: HostsHarness, hosts: Hosts, job: Job) -> str:
    """Undo a job in vain: nothing is touched, and it can be undone as before. Return why."""
    before = {name: store.tree() for name, store in hosts.stores.items()}
    undoing = await queue.ends(await queue.engine.undo(job.id))
    assert undoing.state is JobState.FAILED
    assert {name: store.tree() for name, store in hosts.stores.items()} == before
    job = await queue.engine.job(job.id)
    assert (job.reversible, job.undone_by) == (True, 0)
    (message,) = await queue.messages(undoing.id)
    return message


async def why_not(queue: HostsHarness, job: Job) -> str:
    """Return why a job cannot be undone at all."""
    assert not (await queue.engine.job(job.id)).reversible
    with pytest.raises(NotPossible) as caught:
        await queue.engine.undo(job.id)
    return caught.value.message.partition(": ")[2]


# Within one place


async def test_what_was_renamed_into_another_folder_comes_back_and_goes_again(
    queue: HostsHarness, hosts: Hosts
) -> None:
    before = plant(hosts)
    job = await move(queue, at("/from/tree"), at("/from/file"), to=at("/to"))
    after = hosts.store().tree("/to")
    undoing = await undone(queue, job)
    assert hosts.store().tree("/from") == before
    assert hosts.store().tree("/to") == {}
    await undone(queue, undoing)
    assert hosts.store().tree("/to") == after


async def test_sources_of_several_folders_and_one_from_within_another_come_back(
    queue: HostsHarness, hosts: Hosts
) -> None:
    before = plant(hosts)
    hosts.store().write("/elsewhere/x", b"x")
    sources = [at("/from/tree/inner/b"), at("/elsewhere/x"), at("/from/tree")]
    job = await move(queue, *sources, to=at("/to"))
    assert set(hosts.store().tree("/to")) > {"b", "x", "tree"}
    await undone(queue, job)
    assert hosts.store().tree("/from") == before
    assert hosts.store().tree("/elsewhere") == {"x": b"x"}


async def test_one_that_was_moved_under_another_name_gets_its_own(queue: HostsHarness, hosts: Hosts) -> None:
    before = plant(hosts)
    job = await move(queue, at("/from/file"), to=at("/from/renamed"), into=False)
    assert "renamed" in hosts.store().tree("/from")
    await undone(queue, job)
    assert hosts.store().tree("/from") == before


# Between places


async def test_what_went_to_another_host_comes_back_and_goes_again(queue: HostsHarness, hosts: Hosts) -> None:
    before = plant(hosts)
    job = await across(queue)
    after = hosts.store("other").tree("/to")
    undoing = await undone(queue, job)
    assert hosts.store().tree("/from") == before
    assert hosts.store("other").tree("/to") == {}
    assert hosts.store().find("/from/tree/a").mtime_ns == NOON
    await undone(queue, undoing)
    assert hosts.store("other").tree("/to") == after
    assert hosts.store().tree("/from") == {"kept": b"kept"}


async def test_what_went_from_here_to_a_host_comes_back(
    queue: HostsHarness, hosts: Hosts, tmp_path: Path
) -> None:
    folder = plant_here(tmp_path / "from")
    before = entries(folder / "tree")
    sources = [Location.local(folder / name) for name in ("tree", "file")]
    job = await move(queue, *sources, to=at("/to"))
    assert os.listdir(folder) == []
    await undone(queue, job)
    assert entries(folder / "tree") == before
    assert os.readlink(folder / "tree" / "link") == "inner"
    assert (folder / "file").read_bytes() == b"file"
    assert hosts.store().tree("/to") == {}


async def test_what_came_from_a_host_goes_back(queue: HostsHarness, hosts: Hosts, tmp_path: Path) -> None:
    before = plant(hosts)
    (tmp_path / "to").mkdir()
    job = await move(queue, at("/from/tree"), at("/from/file"), to=Location.local(tmp_path / "to"))
    assert sorted(os.listdir(tmp_path / "to")) == ["file", "tree"]
    await undone(queue, job)
    assert hosts.store().tree("/from") == before
    assert os.listdir(tmp_path / "to") == []


async def test_what_was_kept_beside_another_comes_back_and_leaves_that(
    queue: HostsHarness, hosts: Hosts
) -> None:
    before = plant(hosts)
    hosts.store("other").write("/to/file", b"theirs")
    job = await move(queue, at("/from/file"), to=at("/to", "other"), conflict=Conflict.RENAME)
    assert hosts.store("other").tree("/to") == {"file": b"theirs", "file (1)": b"file"}
    await undone(queue, job)
    assert hosts.store().tree("/from") == before
    assert hosts.store("other").tree("/to") == {"file": b"theirs"}


async def test_what_was_skipped_or_failed_is_no_part_of_it(queue: HostsHarness, hosts: Hosts) -> None:
    before = plant(hosts)
    hosts.store("other").write("/to/file", b"theirs")
    sources = [at("/from/tree"), at("/from/file"), at("/from/missing")]
    job = await move(queue, *sources, to=at("/to", "other"), conflict=Conflict.SKIP)
    assert job.state is JobState.FAILED
    await undone(queue, job)
    assert hosts.store().tree("/from") == before
    assert hosts.store("other").tree("/to") == {"file": b"theirs"}


async def test_what_went_to_a_store_comes_back(queue: HostsHarness, hosts: Hosts, tmp_path: Path) -> None:
    hosts.capabilities = HARDLY_ANY
    folder = plant_here(tmp_path / "from")
    (folder / "tree" / "link").unlink()
    shutil.rmtree(folder / "tree" / "empty")
    sources = [Location.local(folder / name) for name in ("tree", "file")]
    job = await move(queue, *sources, to=at("/bucket"))
    await undone(queue, job)
    assert (folder / "tree" / "inner" / "b").read_bytes() == TREE["inner/b"]
    assert hosts.store().tree("/bucket") == {}
    again = await move(queue, *sources, to=at("/bucket"))
    hosts.store().write("/bucket/tree/a", b"A")
    assert (await refused(queue, hosts, again)).endswith("was changed, added or removed since")


# A world that has changed


def edited(hosts: Hosts) -> str:
    hosts.store("other").write("/to/file", b"FILE")
    return "sftp://other/to/file was changed since"


def edited_within(hosts: Hosts) -> str:
    hosts.store("other").write("/to/tree/inner/deep/c", b"C")
    return "something in sftp://other/to/tree was changed, added or removed since"


def added_within(hosts: Hosts) -> str:
    hosts.store("other").write("/to/tree/inner/deep/new", b"")
    return "something in sftp://other/to/tree was changed, added or removed since"


def removed_within(hosts: Hosts) -> str:
    hosts.store("other").take("/to/tree/empty")
    return "something in sftp://other/to/tree was changed, added or removed since"


def taken_away(hosts: Hosts) -> str:
    hosts.store("other").take("/to/tree")
    return "sftp://other/to/tree is not there any more"


def old_place_taken(hosts: Hosts) -> str:
    hosts.store().folder("/from/tree")
    return "something stands at sftp://host/from/tree now"


CHANGES = [edited, edited_within, added_within, removed_within, taken_away, old_place_taken]


@pytest.mark.parametrize("change", CHANGES)
async def test_where_the_world_has_changed_nothing_is_touched(
    queue: HostsHarness, hosts: Hosts, change: Callable[[Hosts], str]
) -> None:
    plant(hosts)
    job = await across(queue)
    reason = change(hosts)
    assert await refused(queue, hosts, job) == f"nothing was brought back: {reason}"


@pytest.mark.parametrize("change", CHANGES[1:])
async def test_the_only_one_is_refused_for_the_same_reasons(
    queue: HostsHarness, hosts: Hosts, change: Callable[[Hosts], str]
) -> None:
    plant(hosts)
    job = await move(queue, at("/from/tree"), to=at("/to", "other"))
    reason = change(hosts)
    assert await refused(queue, hosts, job) == f"cannot bring sftp://host/from/tree back: {reason}"


@pytest.mark.parametrize("to", [at("/to"), at("/to", "other")], ids=["within", "across"])
@pytest.mark.parametrize("name", ["tree", "file"])
async def test_what_takes_the_old_place_at_the_last_moment_is_neither_merged_with_nor_replaced(
    queue: HostsHarness, hosts: Hosts, to: Location, name: str
) -> None:
    plant(hosts)
    job = await move(queue, at(f"/from/{name}"), to=to)
    store = hosts.store(to.authority)
    moved = store.tree("/to")
    looks = 0

    def take(step: str, location: Location) -> None:
        nonlocal looks
        looks += (step, location.path) == ("stat", f"/to/{name}")
        if looks == 2 and hosts.store().look(f"/from/{name}") is None:
            hosts.store().write(f"/from/{name}/new" if name == "tree" else f"/from/{name}", b"theirs")

    hosts.trouble = take
    undoing = await queue.ends(await queue.engine.undo(job.id))
    hosts.trouble = None
    assert undoing.state is JobState.FAILED
    assert looks >= 2
    assert store.tree("/to") == moved
    theirs = "/from/tree/new" if name == "tree" else "/from/file"
    assert hosts.store().read(theirs) == b"theirs"
    assert set(hosts.store().tree("/from/tree")) == ({"new"} if name == "tree" else set(TREE_NAMES))


async def test_a_folder_that_has_gone_is_not_made_again(
    queue: HostsHarness, hosts: Hosts, tmp_path: Path
) -> None:
    plant(hosts)
    job = await across(queue)
    hosts.store().take("/from")
    gone = "nothing can be brought back: the folder sftp://host/from is not there any more"
    assert await refused(queue, hosts, job) == gone
    folder = plant_here(tmp_path / "from")
    job = await move(queue, Location.local(folder / "tree"), to=at("/away"))
    shutil.rmtree(folder)
    gone = f"nothing can be brought back: the folder {folder} is not there any more"
    assert await refused(queue, hosts, job) == gone


async def test_what_came_from_several_folders_and_was_copied_is_refused(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant(hosts)
    hosts.store().write("/from/inner/z", b"z")
    job = await move(queue, at("/from/tree"), at("/from/inner/z"), at("/from/file"), to=at("/to", "other"))
    assert job.reversible
    with pytest.raises(NotPossible, match="not all of it came from sftp://host/from, and it was copied"):
        await queue.engine.undo(job.id)


# What was not just moved


async def test_what_was_merged_or_replaced_is_refused_by_name(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    hosts.store("other").write("/to/tree/theirs", b"theirs")
    job = await move(queue, at("/from/tree"), to=at("/to", "other"))
    merged = "was merged into a folder that stood there, and cannot be told apart from it now"
    assert await why_not(queue, job) == f"sftp://host/from/tree {merged}"
    hosts.store("other").write("/to/file", b"theirs")
    job = await move(queue, at("/from/file"), to=at("/to", "other"), conflict=Conflict.OVERWRITE)
    replaced = "met a file of its name, and only one of the two is left"
    assert await why_not(queue, job) == f"sftp://host/from/file {replaced}"


async def test_a_tree_of_which_something_stayed_is_refused_until_a_retry_has_moved_it(
    queue: HostsHarness, hosts: Hosts
) -> None:
    before = plant(hosts)

    def refuse(name: str, location: Location) -> None:
        if name == "get" and location.name == "c":
            raise PermissionDenied(f"cannot read {location}: permission denied", location=location)

    hosts.trouble = refuse
    job = await move(queue, at("/from/tree"), to=at("/to", "other"))
    hosts.trouble = None
    reason = await why_not(queue, job)
    assert reason.startswith("only a part of sftp://host/from/tree could be moved")
    await queue.engine.retry([job.id])
    await undone(queue, await queue.done(job.id))
    assert hosts.store().tree("/from") == before


@pytest.mark.parametrize("step", ["stat", "rename", "remove_file"])
async def test_what_a_cancelled_move_had_done_comes_back_unless_nobody_knows_what_that_was(
    queue: HostsHarness, hosts: Hosts, step: str
) -> None:
    before = plant(hosts)
    hosts.store().write("/elsewhere/x", b"x")
    reached = asyncio.Event()

    def silent(name: str, location: Location) -> Awaitable[object] | None:
        if (name, location.path) != (step, "/elsewhere/x"):
            return None
        reached.set()
        return asyncio.Event().wait()

    hosts.trouble = silent  # type: ignore[assignment]
    to = at("/to", "other") if step == "remove_file" else at("/to")
    sources = [at("/from/tree"), at("/from/file"), at("/elsewhere/x")]
    id = await queue.add(JobKind.MOVE, *sources, target=to)
    await asyncio.wait_for(reached.wait(), 20)
    await queue.engine.cancel([id])
    hosts.trouble = None
    job = await queue.ends(id)
    assert job.state is JobState.CANCELLED
    if step != "stat":
        reason = "it was cancelled while sftp://host/elsewhere/x was on its way, and it is not known whether that went"
        assert (await why_not(queue, job)).startswith(reason)
        return
    await undone(queue, await queue.until(id, lambda job: job.reversible))
    assert hosts.store().tree("/from") == before


async def test_a_job_of_an_earlier_version_is_refused(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    job = await across(queue)
    await queue.engine._journal.drop_traces(job.id, (0, 1))
    with pytest.raises(NotPossible, match="an earlier version of Ferry did it and kept no record"):
        await queue.engine.undo(job.id)


# Interrupted

STRIDE = stride(3)


def plant_little(hosts: Hosts) -> dict[str, bytes | str | None]:
    """Put a small tree and a file into a folder; return all that is in it then."""
    for name, data in {"tree/a": b"a", "tree/inner/b": b"b" * 1_300_000, "file": b"file"}.items():
        hosts.store().write(f"/from/{name}", data, mtime_ns=NOON)
    return hosts.store().tree("/from")


async def test_it_is_undone_after_a_restart(tmp_path: Path, hosts: Hosts) -> None:
    before = plant(hosts)
    async with running_hosts(tmp_path / "journal", hosts) as first:
        job = await across(first)
    async with running_hosts(tmp_path / "journal", hosts) as second:
        await undone(second, job)
    assert hosts.store().tree("/from") == before


def undoing(hosts: Hosts, job: Callable[[HostsHarness], Awaitable[Job]]) -> Callable[[HostsHarness], object]:
    """Return what does a job without trouble, and has it undone with trouble."""

    async def undo(queue: HostsHarness) -> int:
        trouble, hosts.trouble = hosts.trouble, None
        done = await job(queue)
        hosts.trouble = trouble
        return await queue.engine.undo(done.id)

    return undo


async def within(queue: HostsHarness) -> Job:
    return await move(queue, at("/from/tree"), at("/from/file"), to=at("/to"))


@pytest.mark.parametrize("job", [within, across])
async def test_an_undoing_that_was_killed_is_finished_whenever_that_was(
    tmp_path: Path, hosts: Hosts, job: Callable[[HostsHarness], Awaitable[Job]]
) -> None:
    for trouble in troubles(hosts, more_than=10, stride=STRIDE):
        before = plant_little(hosts)
        ended = await killed_and_done(tmp_path, hosts, undoing(hosts, job), trouble)  # type: ignore[arg-type]
        assert hosts.store().tree("/from") == before, trouble.names
        assert all(not store.tree("/to") for store in hosts.stores.values() if store.look("/to")), (
            trouble.names
        )
        counted(ended)


@pytest.mark.parametrize("job", [within, across])
async def test_a_move_that_was_killed_is_undone_all_the_same(
    tmp_path: Path, hosts: Hosts, job: Callable[[HostsHarness], Awaitable[Job]]
) -> None:
    for trouble in troubles(hosts, more_than=10, stride=STRIDE):
        before = plant_little(hosts)

        async def moving(queue: HostsHarness) -> int:
            sources = at("/from/tree"), at("/from/file")
            target = at("/to") if job is within else at("/to", "other")
            return await queue.add(JobKind.MOVE, *sources, target=target)

        await killed_and_done(tmp_path, hosts, moving, trouble)
        async with running_hosts(tmp_path / f"journal {trouble.when}", hosts) as queue:
            await undone(queue, await queue.engine.job(1))
        assert hosts.store().tree("/from") == before, trouble.names


async def test_a_lost_connection_is_made_anew_in_the_middle_of_an_undoing(
    queue: HostsHarness, hosts: Hosts
) -> None:
    told = set()
    for trouble in troubles(hosts, more_than=30, stride=STRIDE):
        before = plant_little(hosts)
        job = await across(queue)
        hosts.trouble = trouble
        ended = await queue.done(await queue.engine.undo(job.id))
        assert hosts.store().tree("/from") == before, trouble.names
        told.add(counted(ended))
    assert len(told) == 1
