"""What a job between any two places leaves out: neither copied nor counted, neither compared nor removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hosts_harness import Hosts, HostsHarness, at
from sync_trees import sync

from tui.model.exclusion import Exclusion
from tui.model.job import JobKind, JobState
from tui.model.location import Location

if TYPE_CHECKING:
    from pathlib import Path

    from tui.places.memory_store import MemoryStore

S = 1_000_000_000
EXCLUDE = Exclusion(("*.tmp", "!keep.tmp", "node_modules/", "/build"))
LEFT = {
    "tree": None,
    "tree/keep.tmp": b"text",
    "tree/file": b"text",
    "tree/sub": None,
    "tree/sub/file": b"text",
    "tree/sub/build": None,
    "tree/sub/build/file": b"text",
}


@pytest.fixture
def here(hosts: Hosts) -> MemoryStore:
    """Return a store with a tree of which LEFT is what is wanted."""
    store = hosts.store()
    for path in ("a.tmp", "keep.tmp", "file", "sub/b.tmp", "sub/file", "build/file", "node_modules/x/file"):
        store.write(f"/data/tree/{path}", b"text", mtime_ns=5 * S)
    for path in ("sub/build/file", "sub/node_modules/file"):
        store.write(f"/data/tree/{path}", b"text", mtime_ns=5 * S)
    return store


@pytest.fixture
def there(hosts: Hosts) -> MemoryStore:
    return hosts.store("other")


@pytest.mark.usefixtures("here")
async def test_a_copy_leaves_it_out_and_does_not_count_it(queue: HostsHarness, there: MemoryStore) -> None:
    there.write("/data/tree/a.tmp", b"mine")
    copy = await queue.add(JobKind.COPY, at("/data/tree"), target=at("/data", "other"), exclude=EXCLUDE)
    job = await queue.done(copy)
    assert there.tree("/data") == LEFT | {"tree/a.tmp": b"mine"}
    assert job.progress.files_done == job.progress.files_total == 4


@pytest.mark.usefixtures("here")
async def test_what_comes_from_a_host_is_left_out_too(queue: HostsHarness, tmp_path: Path) -> None:
    target = Location.local(tmp_path)
    await queue.done(await queue.add(JobKind.COPY, at("/data/tree"), target=target, exclude=EXCLUDE))
    found = {str(path.relative_to(tmp_path)) for path in (tmp_path / "tree").rglob("*")}
    assert found | {"tree"} == set(LEFT)


@pytest.mark.usefixtures("here")
async def test_a_sync_removes_what_is_extra_but_neither_what_is_left_out_nor_the_folders_it_is_in(
    queue: HostsHarness, there: MemoryStore
) -> None:
    mine = {"tree/mine.tmp": b"mine", "tree/build": None, "tree/build/mine": b"mine"}
    mine |= {"tree/old": None, "tree/old/node_modules": None, "tree/old/node_modules/mine": b"mine"}
    for path, content in mine.items():
        if content is not None:
            there.write(f"/data/{path}", content)
    for path in ("extra", "gone/deep/file", "old/extra", "old/more/extra"):
        there.write(f"/data/tree/{path}", b"extra")
    job = await queue.done(await sync(queue, exclude=EXCLUDE))
    assert there.tree("/data") == LEFT | mine
    assert job.progress.files_removed == 4


@pytest.mark.usefixtures("here")
async def test_a_sync_does_not_replace_a_folder_in_which_something_is_left_out(
    queue: HostsHarness, there: MemoryStore
) -> None:
    there.write("/data/tree/file/mine.tmp", b"mine")
    job = await queue.ends(await sync(queue, exclude=EXCLUDE))
    assert job.state is JobState.FAILED
    assert there.tree("/data/tree/file") == {"mine.tmp": b"mine"}


@pytest.mark.usefixtures("here")
async def test_a_comparison_passes_it_over_on_both_sides(queue: HostsHarness, there: MemoryStore) -> None:
    copy = await queue.add(JobKind.COPY, at("/data/tree"), target=at("/data", "other"), exclude=EXCLUDE)
    await queue.done(copy)
    there.write("/data/tree/other.tmp", b"mine")
    there.write("/data/tree/node_modules/mine", b"mine")
    job = await queue.done(await queue.engine.verify(copy))
    assert job.progress.files_done == 4
    there.write("/data/tree/file", b"tixt")
    job = await queue.ends(await queue.engine.verify(copy))
    (error,) = await queue.engine.errors(job.id)
    assert error.location.name == "file"
