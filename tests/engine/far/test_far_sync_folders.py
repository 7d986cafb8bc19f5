"""What a sync makes of folders that stood at the target: in the end they look like those of the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hosts_harness import Hosts, HostsHarness, at
from sync_trees import S, mirrored, plant, sync

from tui.model.job import Conflict, JobKind, JobState

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.memory_store import MemoryStore

FOLDERS = ("tree", "tree/inner", "tree/fresh")


def times(store: MemoryStore) -> dict[str, int]:
    return {path: store.find(f"/data/{path}").mtime_ns // S for path in FOLDERS}


def give_times(store: MemoryStore) -> None:
    for number, path in enumerate(FOLDERS, 100):
        store.find(f"/data/{path}").mtime_ns = number * S


@pytest.mark.parametrize("delete_extra", [False, True])
async def test_folders_that_stood_there_get_the_times_of_the_source(
    queue: HostsHarness, hosts: Hosts, delete_extra: bool
) -> None:
    here, there = plant(hosts)
    there.write("/data/tree/inner/clash/file", b"in the way")
    here.write("/data/tree/inner/clash", b"text")
    give_times(here)
    id = await sync(queue, delete_extra=delete_extra)
    job = await (queue.done if delete_extra else queue.ends)(id)
    assert job.state is (JobState.DONE if delete_extra else JobState.FAILED)
    assert times(there) == times(here)


async def test_where_only_a_folder_has_another_time_it_gets_that_of_the_source(
    queue: HostsHarness, hosts: Hosts
) -> None:
    here, there = plant(hosts)
    await queue.done(await sync(queue))
    give_times(here)
    await queue.done(await sync(queue))
    assert times(there) == times(here)


async def test_a_copy_leaves_folders_that_stood_there_their_own_times(
    queue: HostsHarness, hosts: Hosts
) -> None:
    here, there = plant(hosts)
    give_times(here)
    target = at("/data", "other")
    await queue.done(
        await queue.add(JobKind.COPY, at("/data/tree"), target=target, conflict=Conflict.OVERWRITE)
    )
    assert times(there)["tree/fresh"] == times(here)["tree/fresh"]
    assert times(there)["tree/inner"] != times(here)["tree/inner"]


async def test_an_entry_that_comes_late_leaves_its_folder_the_time_of_the_source(
    queue: HostsHarness, hosts: Hosts
) -> None:
    here, there = plant(hosts)
    give_times(here)
    target, source = at("/data/tree", "other"), at("/data/tree")
    id = await queue.add(JobKind.SYNC, source, target=target, into=False, conflict=Conflict.ASK)
    await queue.until(id, lambda job: job.state is JobState.WAITING)
    for question in await queue.engine.questions(id):
        await queue.engine.answer(question.id, Conflict.OVERWRITE)
    await queue.done(id)
    assert there.read("/data/tree/inner/changed") == b"new text"
    assert times(there) == times(here)


@pytest.mark.parametrize("mode", [0o555, 0o755])
async def test_folders_that_are_read_only_are_written_to_and_are_so_again(
    queue: HostsHarness, hosts: Hosts, mode: int
) -> None:
    here, there = plant(hosts)
    here.write("/data/tree/inner/new/file", b"text")
    here.find("/data/tree/inner").mode = mode
    there.find("/data/tree/inner").mode = 0o555
    give_times(here)
    modes: dict[str, int] = {}

    def look(name: str, location: Location) -> None:
        if location.authority == "other" and location.parent.path == "/data/tree/inner":
            if name in ("put", "make_folder", "remove_folder"):
                modes[name] = there.find("/data/tree/inner").mode

    hosts.trouble = look
    await queue.done(await sync(queue))
    assert modes == dict.fromkeys(("put", "make_folder", "remove_folder"), 0o755)
    assert there.tree("/data") == mirrored(here)
    assert there.find("/data/tree/inner").mode == mode
    assert times(there) == times(here)
