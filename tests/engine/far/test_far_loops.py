"""A target that lies within its source, which only links or other names of a host tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hosts_harness import at

from tui.model.job import Conflict, JobKind, JobState

if TYPE_CHECKING:
    from hosts_harness import Hosts, HostsHarness


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
@pytest.mark.parametrize("host", ["host", "alias"])
async def test_a_folder_is_not_copied_into_itself_again_and_again(
    queue: HostsHarness, hosts: Hosts, kind: JobKind, host: str
) -> None:
    store = hosts.store()
    hosts.stores["alias"] = store
    store.write("/data/tree/file", b"text")
    store.folder("/data/tree/inner/here")
    store.link("/data/link", "/data/tree/inner/here")
    id = await queue.add(kind, at("/data/tree"), target=at("/data/link", host), into=True)
    job = await queue.ends(id)
    assert job.state is JobState.FAILED
    assert "TargetInsideSource" in [error.code for error in await queue.engine.errors(id)]
    kept = store.tree("/data/tree")
    assert "inner/here/tree/inner/here" not in kept or kept["inner/here/tree/inner/here"] is None
    assert not any(path.count("inner/here") > 2 for path in kept)
    copied = kept.get("inner/here/tree/file")
    assert b"text" in (kept.get("file"), copied)


async def test_a_folder_named_like_the_one_it_is_in_is_copied(queue: HostsHarness, hosts: Hosts) -> None:
    here, there = hosts.store(), hosts.store("other")
    here.write("/data/tree/tree/tree/file", b"text")
    id = await queue.add(JobKind.COPY, at("/data/tree"), target=at("/data", "other"), into=True)
    await queue.done(id)
    assert there.tree("/data") == here.tree("/data")


async def test_a_folder_is_not_synced_into_itself(queue: HostsHarness, hosts: Hosts) -> None:
    store = hosts.store()
    store.write("/data/tree/file", b"text")
    store.folder("/data/tree/inner")
    store.link("/data/link", "/data/tree/inner")
    id = await queue.add(
        JobKind.SYNC,
        at("/data/tree"),
        target=at("/data/link/copy"),
        into=False,
        conflict=Conflict.OVERWRITE,
        delete_extra=True,
    )
    job = await queue.ends(id)
    assert job.state is JobState.FAILED
    assert store.read("/data/tree/file") == b"text"
    assert not any(path.count("copy") > 2 for path in store.tree("/data"))
