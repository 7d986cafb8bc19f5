"""Moves between places and within one: the source goes last, and only what is whole at the target."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, cast

import pytest
from engine_harness import stride
from far_harness import Far
from msgspec.structs import replace

from tui.engine.far.transfer import is_other
from tui.model.entry import Entry, EntryKind
from tui.model.error import PermissionDenied, PlaceUnavailable
from tui.model.job import Conflict, JobKind, JobState
from tui.model.location import Location
from tui.places.base import Capabilities
from tui.places.memory import ALL, HARDLY_ANY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from hosts_harness import Hosts, HostsHarness

NOON = 1_700_000_000_000_000_000


async def move(far: Far, *sources: str, **rest: object) -> int:
    return await far.submit(*sources, kind=JobKind.MOVE, **rest)  # type: ignore[arg-type]


async def test_a_tree_is_gone_from_where_it_was(far: Far) -> None:
    far.here.write("/from/tree/inner/a", b"a", mtime_ns=NOON)
    far.here.write("/from/tree/large", b"L" * 1_500_000)
    far.here.folder("/from/tree/empty")
    far.here.write("/from/stays", b"s")
    job = await far.done(await move(far, "/from/tree"))
    assert far.here.tree("/from") == {"stays": b"s"}
    assert far.tree("/target/tree") == {
        "inner": None,
        "inner/a": b"a",
        "large": b"L" * 1_500_000,
        "empty": None,
    }
    assert job.progress.files_done == job.progress.files_total == 2


def test_a_link_is_the_same_whether_or_not_it_leads_anywhere() -> None:
    link = Entry("link", EntryKind.LINK, 4, NOON, 0o120777, 0, 0, 1)
    assert not is_other(link, replace(link, kind=EntryKind.BROKEN_LINK))
    assert not is_other(link, replace(link, kind=EntryKind.FOLDER_LINK))
    assert is_other(link, replace(link, kind=EntryKind.FILE))
    assert is_other(link, replace(link, mtime_ns=NOON + 1))


async def test_each_file_is_on_the_disk_before_its_original_goes(far: Far) -> None:
    far.here.write("/a", b"a")

    def check(number: int, name: str, path: str) -> None:
        if name == "remove_file":
            assert "/target/a" in far.there.flushed

    far.faults.at = check
    await far.done(await move(far, "/a"))
    assert far.tree() == {"a": b"a"}


@pytest.mark.parametrize(
    "step", ["get", "put", "stat", "remove_file", "open_reader", "write", "publish", "look"]
)
async def test_an_original_stays_whatever_fails_and_goes_with_a_retry(far: Far, step: str) -> None:
    far.here.write("/tree/a", b"a")
    far.here.write("/tree/large", b"L" * 1_300_000)

    def refuse(number: int, name: str, path: str) -> None:
        if name == step and path.endswith(("/a", "/large")):
            raise PermissionDenied(f"cannot {name} {path}: permission denied", location=Location(path))

    far.faults.at = refuse
    id = await move(far, "/tree")
    assert (await far.rests(id)).state is JobState.FAILED
    sides = [store.tree().values() for store in (far.here, far.there)]
    assert any(b"a" in side for side in sides)
    assert any(b"L" * 1_300_000 in side for side in sides)
    far.faults.at = lambda number, name, path: None
    await far.engine.retry([id])
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert "tree" not in far.here.tree()
    assert far.tree("/target/tree") == {"a": b"a", "large": b"L" * 1_300_000}


async def test_what_is_skipped_stays_and_so_does_its_folder(far: Far) -> None:
    far.here.write("/tree/a", b"here")
    far.here.write("/tree/b", b"b")
    far.here.write("/tree/inner/c", b"c")
    far.there.write("/target/tree/a", b"there")
    await far.done(await move(far, "/tree", conflict=Conflict.SKIP))
    assert far.here.tree("/tree") == {"a": b"here"}
    assert far.tree("/target/tree") == {"a": b"there", "b": b"b", "inner": None, "inner/c": b"c"}


@pytest.mark.parametrize("rule", [Conflict.OVERWRITE, Conflict.RENAME, Conflict.SKIP])
async def test_a_question_keeps_the_original_until_it_is_answered(far: Far, rule: Conflict) -> None:
    far.here.write("/tree/inner/a", b"here")
    far.there.write("/target/tree/inner/a", b"there")
    id = await move(far, "/tree")
    assert (await far.rests(id)).state is JobState.WAITING
    assert far.here.read("/tree/inner/a") == b"here"
    (question,) = await far.engine.questions(id)
    await far.engine.answer(question.id, rule)
    await far.until(id, lambda job: job.state is JobState.DONE)
    if rule is Conflict.SKIP:
        assert far.here.tree("/tree") == {"inner": None, "inner/a": b"here"}
    else:
        assert "tree" not in far.here.tree()
        kept = "a (1)" if rule is Conflict.RENAME else "a"
        assert far.tree("/target/tree/inner")[kept] == b"here"


async def test_what_only_looks_the_same_is_compared_before_the_original_goes(far: Far) -> None:
    far.here.write("/a", b"here!", mtime_ns=NOON)
    far.there.write("/target/a", b"there", mtime_ns=NOON)
    id = await move(far, "/a")
    assert (await far.rests(id)).state is JobState.WAITING
    assert far.here.read("/a") == b"here!"
    assert far.there.read("/target/a") == b"there"


async def test_what_is_the_same_is_not_copied_but_goes(far: Far) -> None:
    far.here.write("/a", b"same!", mtime_ns=NOON)
    far.there.write("/target/a", b"same!", mtime_ns=NOON)
    job = await far.done(await move(far, "/a"))
    assert job.progress.files_same == 1
    assert "a" not in far.here.tree()


async def test_an_original_written_to_after_its_copy_was_made_stays(far: Far) -> None:
    far.here.write("/tree/a", b"a", mtime_ns=NOON)

    def write(number: int, name: str, path: str) -> None:
        if name == "put done":
            far.here.write("/tree/a", b"news")

    far.faults.at = write
    id = await move(far, "/tree")
    assert (await far.rests(id)).state is JobState.FAILED
    assert (await far.messages(id))[0].startswith("SourceChanged")
    assert far.here.read("/tree/a") == b"news"


async def test_within_a_place_a_tree_is_renamed(far: Far) -> None:
    far.here.write("/from/tree/inner/a", b"a")
    far.here.folder("/target")
    await far.done(await move(far, "/from/tree", within=True))
    assert far.here.tree("/target") == {"tree": None, "tree/inner": None, "tree/inner/a": b"a"}
    assert far.here.tree("/from") == {}
    assert {name for name, _ in far.faults.steps}.isdisjoint({"get", "put", "copy", "list"})


async def test_within_a_place_a_merge_renames_what_is_new(far: Far) -> None:
    far.here.write("/from/tree/inner/a", b"a")
    far.here.write("/from/tree/b", b"b")
    far.here.write("/target/tree/c", b"c")
    await far.done(await move(far, "/from/tree", within=True))
    assert far.here.tree("/target/tree") == {"c": b"c", "inner": None, "inner/a": b"a", "b": b"b"}
    assert far.here.tree("/from") == {}
    assert {name for name, _ in far.faults.steps}.isdisjoint({"get", "copy"})
    assert [path for name, path in far.faults.steps if name == "put" and ".ferry-" not in path] == []


async def test_where_nothing_can_be_renamed_the_place_copies(tmp_path: Path) -> None:
    far = Far(tmp_path / "journal", Capabilities(sets_times=True, copies=True))
    far.here.write("/from/tree/inner/a", b"a", mtime_ns=NOON)
    async with far.engine_on():
        await far.done(await move(far, "/from/tree", within=True))
    assert far.here.tree("/target/tree") == {"inner": None, "inner/a": b"a"}
    assert far.here.tree("/from") == {}
    assert {name for name, _ in far.faults.steps}.isdisjoint({"get", "put"})


@pytest.mark.parametrize("path", ["/home/me", "/home"])
async def test_a_home_folder_is_never_moved(far: Far, path: str) -> None:
    far.here.home = "/home/me"
    far.here.write("/home/me/a", b"a")
    id = await move(far, path)
    assert (await far.rests(id)).state is JobState.FAILED
    assert "home folder" in (await far.messages(id))[0]
    assert far.here.read("/home/me/a") == b"a"


@pytest.mark.parametrize("capabilities", [ALL, Capabilities(sets_times=True, copies=True)])
async def test_a_move_within_a_place_is_done_wherever_the_connection_is_lost(
    tmp_path: Path, capabilities: Capabilities
) -> None:
    steps, step = 1, 0
    while step < steps:
        far = Far(tmp_path / str(step), capabilities)
        far.here.write("/from/tree/inner/a", b"a", mtime_ns=NOON)
        far.here.write("/from/tree/b", b"b", mtime_ns=NOON)
        far.here.write("/from/alone", b"alone", mtime_ns=NOON)
        far.here.write("/target/tree/c", b"c")

        def lose(number: int, name: str, path: str, step: int = step) -> None:
            if number == step:
                raise PlaceUnavailable(f"lost before {name} {path}")

        far.faults.at = lose
        async with far.engine_on():
            await far.done(await move(far, "/from/tree", "/from/alone", within=True))
        expected = {"tree": None, "tree/c": b"c", "tree/inner": None, "tree/inner/a": b"a", "tree/b": b"b"}
        assert far.here.tree("/target") == expected | {"alone": b"alone"}, far.faults.steps[step]
        assert far.here.tree("/from") == {}, far.faults.steps[step]
        steps, step = len(far.faults.steps) - 1, step + stride(2)


@pytest.mark.parametrize("rule", [Conflict.ASK, Conflict.OVERWRITE])
@pytest.mark.parametrize("source", ["/from/tree", "/from/tree/a"])
async def test_what_has_two_names_is_not_moved_onto_itself(far: Far, source: str, rule: Conflict) -> None:
    far.here.write("/from/tree/a", b"a")
    far.openers["there"]._store = far.here  # two names of one host
    to = source.rpartition("/")[0]
    id = await move(far, source, to=to, conflict=rule)
    assert (await far.rests(id)).state is JobState.FAILED
    assert [message.partition(":")[0] for message in await far.messages(id)] == ["SameFile"]
    assert far.here.tree("/from") == {"tree": None, "tree/a": b"a"}


async def renaming_killed(far: Far, step: str) -> int:
    """Have a rename of a folder killed at a step; return the job's number."""
    far.here.write("/from/tree/a", b"a")
    far.here.folder("/target")
    killed = asyncio.Event()

    def kill(number: int, name: str, path: str) -> Awaitable[None] | None:
        if killed.is_set():
            raise PlaceUnavailable("the engine is no more")
        if name != step:
            return None
        killed.set()
        return asyncio.Event().wait()  # type: ignore[return-value]

    far.faults.at = kill
    async with far.engine_on():
        id = await move(far, "/from/tree", within=True)
        await killed.wait()
        await far.crash()
    far.faults.at = lambda number, name, path: None
    return id


@pytest.mark.parametrize("step", ["rename", "rename done"])
async def test_a_rename_is_understood_after_a_kill(tmp_path: Path, step: str) -> None:
    far = Far(tmp_path / "journal")
    id = await renaming_killed(far, step)
    async with far.engine_on():
        job = await far.done(id)
    assert (job.progress.files_done, job.progress.errors) == (1, 0)
    assert far.here.tree("/target") == {"tree": None, "tree/a": b"a"}
    assert far.here.tree("/from") == {}


async def test_what_somebody_took_away_before_it_was_renamed_was_not_moved(tmp_path: Path) -> None:
    far = Far(tmp_path / "journal")
    id = await renaming_killed(far, "rename")
    far.here.take("/from/tree")
    async with far.engine_on():
        assert (await far.rests(id)).state is JobState.FAILED
        assert (await far.messages(id))[0].startswith("NotFound: cannot look at here://one/from/tree")


async def test_an_original_behind_a_link_swapped_in_stays(
    queue: HostsHarness, hosts: Hosts, tmp_path: Path
) -> None:
    """What the link leads to looks just like the original that was copied."""
    inner, outside = tmp_path / "tree" / "inner", tmp_path / "outside"
    inner.mkdir(parents=True)
    (inner / "a").write_bytes(b"a")
    shutil.copytree(inner, outside)
    hosts.store().folder("/to")

    def swap(name: str, location: Location) -> None:
        if name == "put":
            inner.rename(tmp_path / "away")
            inner.symlink_to(outside)

    hosts.trouble = swap
    target = Location("/to", "sftp", "host")
    id = await queue.add(JobKind.MOVE, Location.local(tmp_path / "tree"), target=target, into=True)
    job = await queue.ends(id)
    assert job.state is JobState.FAILED
    assert hosts.store().read("/to/tree/inner/a") == b"a"
    assert (outside / "a").read_bytes() == (tmp_path / "away" / "a").read_bytes() == b"a"


async def test_a_folder_whose_removal_is_cut_off_is_not_forgotten(far: Far) -> None:
    far.here.folder("/tree/empty")
    cut = False

    async def lose() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        raise PlaceUnavailable("the line was cut")

    def fault(number: int, name: str, path: str) -> Awaitable[None] | None:
        nonlocal cut
        if name != "remove_folder" or cut:
            return None
        cut = True
        return lose()

    far.faults.at = fault
    await far.done(await move(far, "/tree"))
    assert cut
    assert "tree" not in far.here.tree("/")
    assert far.tree() == {"tree": None, "tree/empty": None}


async def test_a_connection_lost_again_while_it_is_looked_what_was_moved_is_no_error(far: Far) -> None:
    far.here.write("/tree/a", b"a")
    stats: list[str] = []

    def fault(number: int, name: str, path: str) -> None:
        if name == "remove_file" and not stats:
            stats.append("removed")
            far.here.remove("/tree/a")  # it was done, and its answer got lost
            raise PlaceUnavailable("the line was cut")
        if name == "stat" and path == "/target/tree/a" and stats:
            stats.append(path)
            if len(stats) == 3:
                raise PlaceUnavailable("the line was cut again")

    far.faults.at = fault
    await far.done(await move(far, "/tree"))
    assert len(stats) > 3
    assert far.tree() == {"tree": None, "tree/a": b"a"}
    assert "tree" not in far.here.tree("/")


async def test_a_folder_stays_while_another_job_has_something_unfinished_in_it(far: Far) -> None:
    far.here.write("/tree/inner/a", b"a")
    far.here.write("/tree/inner/.ferry-abcdefgh-0123456789abcdef", b"half")
    id = await move(far, "/tree")
    assert (await far.rests(id)).state is JobState.FAILED
    assert far.here.tree("/tree") == {"inner": None, "inner/.ferry-abcdefgh-0123456789abcdef": b"half"}
    assert far.tree("/target/tree")["inner/a"] == b"a"
    assert all("not empty" in message for message in await far.messages(id))


async def test_a_folder_of_a_flat_store_that_went_with_its_last_file_was_moved(tmp_path: Path) -> None:
    far = Far(tmp_path / "journal", here=HARDLY_ANY)
    async with far.engine_on():
        far.here.write("/from/tree/a", b"here")
        far.there.write("/target/tree/a", b"there too")
        id = await move(far, "/from/tree", conflict=Conflict.ASK)
        await far.until(id, lambda job: job.state is JobState.WAITING)
        (question,) = await far.engine.questions(id)
        await far.engine.answer(question.id, Conflict.OVERWRITE)
        await far.until(id, lambda job: job.state is JobState.DONE)
        assert (far.tree(), far.here.tree("/from")) == ({"tree": None, "tree/a": b"here"}, {})
        assert await far.messages(id) == []


async def killed_in_a_move(far: Far, at: Callable[[str, str], bool]) -> int:
    """Move a tree, and kill the engine in an operation of which `at` says so; return the job's id."""
    reached = asyncio.Event()

    def kill(number: int, name: str, path: str) -> Awaitable[None] | None:
        if not at(name, path):
            return None
        reached.set()
        return cast("Awaitable[None]", asyncio.Event().wait())

    far.faults.at = kill
    async with far.engine_on():
        id = await move(far, "/from/tree")
        await reached.wait()
        await far.crash()
    far.faults.at = lambda number, name, path: None
    return id


async def test_killed_before_it_knows_that_a_flat_store_is_emptied_a_move_is_done_all_the_same(
    tmp_path: Path,
) -> None:
    far = Far(tmp_path / "journal", here=HARDLY_ANY)
    far.here.write("/from/tree/a", b"a")
    id = await killed_in_a_move(far, lambda name, path: name == "remove_file done")
    async with far.engine_on():
        await far.until(id, lambda job: job.state is JobState.DONE)
        assert far.tree() == {"tree": None, "tree/a": b"a"}
        gone = await move(far, "/from/tree")
        assert (await far.rests(gone)).state is JobState.FAILED  # this job has moved nothing


async def test_killed_while_it_looks_whether_two_folders_are_one_a_move_leaves_nothing_in_a_flat_store(
    tmp_path: Path,
) -> None:
    far = Far(tmp_path / "journal", there=HARDLY_ANY)
    far.here.write("/from/tree/a", b"a")
    far.there.write("/target/tree/b", b"b")
    id = await killed_in_a_move(far, lambda name, path: name == "put done" and "/.ferry-" in path)
    async with far.engine_on():
        await far.until(id, lambda job: job.state is JobState.DONE)
        assert far.tree() == {"tree": None, "tree/a": b"a", "tree/b": b"b"}


async def test_a_folder_has_its_time_though_something_of_it_came_only_with_a_retry(tmp_path: Path) -> None:
    far = Far(tmp_path / "journal")
    for name in ("a", "b", "inner/c"):
        far.here.write(f"/tree/{name}", name.encode())
    for path in ("/tree", "/tree/inner"):
        far.here.find(path).mtime_ns = NOON

    def refuse(number: int, name: str, path: str) -> None:
        if name == "get" and path in ("/tree/b", "/tree/inner/c"):
            raise PermissionDenied(f"cannot read {path}: permission denied", location=Location(path))

    async with far.engine_on():
        far.faults.at = refuse
        id = await move(far, "/tree")
        assert (await far.rests(id)).state is JobState.FAILED
        assert far.here.find("/tree").mtime_ns != NOON
    far.faults.at = lambda number, name, path: None
    async with far.engine_on():
        await far.engine.retry([id])
        await far.until(id, lambda job: job.state is JobState.DONE)
    assert "tree" not in far.here.tree()
    assert far.there.find("/target/tree").mtime_ns == NOON
    assert far.there.find("/target/tree/inner").mtime_ns == NOON
