"""Connections that are lost: when they are made anew, and what is given up in the end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from far_harness import THERE
from hosts_harness import at

from tui.engine.far.streak import MOST_LOSSES, Streak
from tui.engine.tally import Tally
from tui.model.error import PlaceUnavailable
from tui.model.job import Conflict, JobKind, JobState
from tui.places.memory_files import MemoryReader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from far_harness import Far
    from hosts_harness import Hosts, HostsHarness

    from tui.engine.run import Run
    from tui.model.location import Location


class Killer:
    """What ends the connection whenever one kind of step touches one entry; a moment later, so that others begin."""

    def __init__(self, step: str, path: str) -> None:
        self.step, self.path = step, path
        self.hits = 0

    def __call__(self, name: str, location: Location) -> Awaitable[None] | None:
        return self.kill() if (name, location.path) == (self.step, self.path) else None

    async def kill(self) -> None:
        self.hits += 1
        for _ in range(3):
            await asyncio.sleep(0)
        raise PlaceUnavailable(f"cannot {self.step} {self.path}: the line was cut")

    def told(self) -> list[str]:
        return [f"cannot {self.step} {self.path}: the line was cut (8 times in a row)"]


def tallied() -> tuple[Run, Tally]:
    tally = Tally()
    run = SimpleNamespace(record=SimpleNamespace(tally=tally, errors=0), advanced=0)
    return cast("Run", run), tally


def test_losses_are_counted_in_a_row_until_something_is_done_in_between() -> None:
    run, tally = tallied()
    streak = Streak(run)
    assert [streak.add(), streak.add()] == [1, 2]
    tally.files_done += 1
    assert [streak.add(), streak.add()] == [1, 2]
    tally.bytes_done += 1
    assert streak.add() == 1
    run.advanced += 1
    assert streak.add() == 1
    run.record.errors += 1
    assert [streak.add(), streak.add()] == [1, 2]


async def test_a_file_that_ends_the_connection_whenever_it_is_removed_is_left_and_all_else_goes(
    queue: HostsHarness, hosts: Hosts
) -> None:
    for number in range(60):
        hosts.store().write(f"/data/tree/{number}", b"text")
    hosts.trouble = killer = Killer("remove_file", "/data/tree/30")
    job = await queue.ends(await queue.add(JobKind.DELETE, at("/data/tree")))
    assert job.state is JobState.FAILED
    assert [error.code for error in await queue.engine.errors(job.id)] == ["EndsConnection"]
    assert await queue.messages(job.id) == killer.told()
    assert hosts.store().tree("/data") == {"tree": None, "tree/30": b"text"}
    assert MOST_LOSSES <= killer.hits <= MOST_LOSSES + 2
    hosts.trouble = None
    await queue.engine.retry([job.id])
    await queue.done(job.id)
    assert hosts.store().tree("/data") == {}


async def test_what_ends_the_connection_is_told_from_what_is_done_beside_it_also_twice(
    queue: HostsHarness, hosts: Hosts
) -> None:
    for number in range(20):
        hosts.store().write(f"/data/a/{number}", b"text")
        hosts.store().write(f"/data/b/{number}", b"text")
    killers = [Killer("remove_file", "/data/a/3"), Killer("remove_file", "/data/b/15")]
    hosts.trouble = lambda name, where: killers[0](name, where) or killers[1](name, where)
    job = await queue.ends(await queue.add(JobKind.DELETE, at("/data/a"), at("/data/b")))
    assert sorted(await queue.messages(job.id)) == killers[0].told() + killers[1].told()
    assert sorted(hosts.store().tree("/data")) == ["a", "a/3", "b", "b/15"]


async def test_a_folder_that_ends_the_connection_whenever_it_is_read_holds_up_no_other(
    queue: HostsHarness, hosts: Hosts
) -> None:
    for number in range(12):
        hosts.store().write(f"/data/tree/{number}/file", b"text")
    hosts.trouble = killer = Killer("list", "/data/tree/7")
    job = await queue.ends(await queue.add(JobKind.DELETE, at("/data/tree")))
    assert await queue.messages(job.id) == killer.told()
    assert sorted(hosts.store().tree("/data")) == ["tree", "tree/7", "tree/7/file"]


async def test_a_host_that_went_away_while_files_were_removed_is_tried_until_it_is_back(
    queue: HostsHarness, hosts: Hosts
) -> None:
    for number in range(10):
        hosts.store().write(f"/data/tree/{number}", b"text")
    removed = opened = 0

    def away(name: str, location: Location) -> None:
        nonlocal removed, opened
        opened += name == "open" and removed > 5
        removed += name == "remove_file"
        if removed > 5 and opened < 12:
            raise PlaceUnavailable("it is away")

    hosts.trouble = away
    await queue.done(await queue.add(JobKind.DELETE, at("/data/tree")))
    assert opened == 12
    assert hosts.store().tree("/data") == {}


async def test_whoever_waits_for_a_host_is_told_until_when_whatever_the_job_is(
    queue: HostsHarness, hosts: Hosts
) -> None:
    hosts.store().write("/data/file", b"text")
    away, was_there = True, False

    def gone(name: str, location: Location) -> None:
        nonlocal was_there
        was_there |= name == "remove_file"
        if away and was_there:
            raise PlaceUnavailable("it is away")

    hosts.trouble = gone
    id = await queue.add(JobKind.DELETE, at("/data/file"))
    job = await queue.until(id, lambda job: "trying again in" in job.note)
    assert job.note.startswith("host does not answer: trying again in ")
    away = False
    job = await queue.done(id)
    assert job.note == ""


@pytest.mark.parametrize("silent", ["here", "there"])
async def test_a_host_that_never_answered_fails_the_job_though_the_other_does(far: Far, silent: str) -> None:
    far.here.write("/a", b"a")
    tried, opener = 0, far.openers[silent]
    real = opener.open

    async def open_(*args: object) -> object:
        nonlocal tried
        tried += 1
        raise PlaceUnavailable("nobody is there")

    opener.open = open_  # type: ignore[method-assign, assignment]
    id = await far.submit("/a")
    for _ in range(2):
        assert (await far.rests(id)).state is JobState.FAILED
        assert await far.messages(id) == ["PlaceUnavailable: nobody is there"]
        assert tried == 3
        tried = 0
        await far.engine.retry([id])
    await far.rests(id)
    opener.open = real  # type: ignore[method-assign]
    await far.engine.retry([id])
    await far.done(id)


def kills(far: Far, *killers: Killer) -> None:
    """Have some steps end the connection."""

    def at(number: int, name: str, path: str) -> Awaitable[None] | None:
        return next((killer.kill() for killer in killers if (name, path) == (killer.step, killer.path)), None)

    far.faults.at = at


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
@pytest.mark.parametrize("number", [0, 30, 299])
async def test_a_file_that_ends_the_connection_whenever_it_is_written_is_left_and_the_rest_copied(
    far: Far, kind: JobKind, number: int
) -> None:
    for each in range(300):
        far.here.write(f"/tree/{each}", b"text")
    killer = Killer("put", f"/target/tree/{number}")
    kills(far, killer)
    id = await far.submit("/tree", kind=kind)
    job = await far.rests(id)
    assert job.state is JobState.FAILED
    assert await far.messages(id) == [f"EndsConnection: {text}" for text in killer.told()]
    assert (job.progress.files_done, len(far.tree("/target/tree"))) == (299, 299)
    assert MOST_LOSSES <= killer.hits <= MOST_LOSSES + 2
    kills(far)
    await far.engine.retry([id])
    await far.done(id)
    assert len(far.tree("/target/tree")) == 300
    assert far.here.tree("/").get("tree/0") == (b"text" if kind is JobKind.COPY else None)


@pytest.mark.parametrize(
    ("step", "path", "left"),
    [
        ("list", "/from/tree/b", {"tree/b/file"}),
        ("make_folder", "/target/tree/b", {"tree/b", "tree/b/file"}),
        ("set_attributes", "/target/tree/b", set()),
        ("open_reader", "/from/tree/large", {"tree/large"}),
        ("write", "/target/tree/large", {"tree/large"}),
        ("publish", "/target/tree/large", {"tree/large"}),
        ("stat", "/from/tree", {"tree", "tree/a", "tree/a/file", "tree/b", "tree/b/file", "tree/large"}),
    ],
)
async def test_whatever_ends_the_connection_again_and_again_is_one_error_and_no_end_of_the_job(
    far: Far, step: str, path: str, left: set[str]
) -> None:
    for name in ("tree/a/file", "tree/b/file", "other/file"):
        far.here.write(f"/from/{name}", b"text")
    far.here.write("/from/tree/large", bytes(1 << 20))
    killer = Killer(step, path)
    kills(far, killer)
    id = await far.submit("/from/tree", "/from/other")
    assert (await far.rests(id)).state is JobState.FAILED
    assert await far.messages(id) == [f"EndsConnection: {text}" for text in killer.told()]
    assert {p for p in far.tree() if ".ferry-" not in p} == set(far.here.tree("/from")) - left
    kills(far)
    await far.engine.retry([id])
    await far.done(id)
    assert far.tree() == far.here.tree("/from")


async def test_a_large_file_that_comes_further_each_time_is_never_given_up(far: Far) -> None:
    size_bytes, writes = 4 << 20, 0
    far.here.write("/tree/large", bytes(size_bytes))

    def flaky(number: int, name: str, path: str) -> None:
        nonlocal writes
        writes += name == "write"
        if name == "write" and writes % 4 == 0:
            raise PlaceUnavailable("the line was cut")

    far.faults.at = flaky
    await far.done(await far.submit("/tree"))
    assert writes > 4 * 2 * MOST_LOSSES
    assert far.tree() == {"tree": None, "tree/large": bytes(size_bytes)}


async def test_what_is_paid_for_as_the_connection_is_lost_is_counted_once(far: Far) -> None:
    for each in range(20):
        far.here.write(f"/tree/{each}", bytes(10_000))
    made, all_made, lost = set[str](), asyncio.Event(), False

    async def when_others_pay() -> None:
        nonlocal lost
        await all_made.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        lost = True
        raise PlaceUnavailable("the line was cut")

    def at(number: int, name: str, path: str) -> Awaitable[None] | None:
        if name == "put done":
            made.add(path)
            if len(made) == 19:
                all_made.set()
        return when_others_pay() if (name, path) == ("put", "/target/tree/19") and not lost else None

    far.faults.at = at
    job = await far.done(await far.submit("/tree", limit_bytes_s=50_000))
    assert lost
    assert (job.progress.files_done, job.progress.bytes_done) == (20, 200_000)


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
async def test_two_files_that_end_the_connection_are_told_from_all_others(far: Far, kind: JobKind) -> None:
    for each in range(150):
        far.here.write(f"/tree/a/{each}", b"text")
        far.here.write(f"/tree/b/{each}", b"text")
    killers = [Killer("put", "/target/tree/a/100"), Killer("put", "/target/tree/b/7")]
    kills(far, *killers)
    id = await far.submit("/tree", kind=kind)
    assert (await far.rests(id)).progress.files_done == 298
    assert sorted(await far.messages(id)) == [f"EndsConnection: {k.told()[0]}" for k in killers]


@pytest.mark.parametrize("step", ["stat", "rename", "remove_file"])
async def test_of_many_files_moved_at_once_the_one_that_ends_the_connection_stays_alone(
    far: Far, step: str
) -> None:
    names = [f"/from/{each}" for each in range(40)]
    for name in names:
        far.here.write(name, b"text")
    killer = Killer(step, "/from/17")
    kills(far, killer)
    id = await far.submit(*names, kind=JobKind.MOVE, within=step == "rename")
    await far.rests(id)
    assert await far.messages(id) == [f"EndsConnection: {text}" for text in killer.told()]
    there = (far.here if step == "rename" else far.there).tree("/target")
    assert len(there) == (40 if step == "remove_file" else 39)
    assert list(far.here.tree("/from")) == ["17"]


@pytest.mark.parametrize(
    ("rule", "state"), [(Conflict.OVERWRITE, JobState.FAILED), (Conflict.ASK, JobState.WAITING)]
)
async def test_what_is_being_told_of_an_entry_as_the_connection_is_lost_is_told_all_the_same_and_once(
    far: Far, monkeypatch: pytest.MonkeyPatch, rule: Conflict, state: JobState
) -> None:
    far.here.write("/tree/name", b"file")
    far.there.folder("/target/tree/name")
    for each in range(250):  # some pages, so that the folder is still being read
        far.here.write(f"/tree/{each}", b"text")
    written = asyncio.Event()

    def lost_before(write: Callable[..., Awaitable[int]]) -> Callable[..., Awaitable[int]]:
        async def told(*args: object) -> int:
            if not written.is_set():
                written.set()
                far.openers["here"].places[-1].lose()
                for _ in range(50):
                    await asyncio.sleep(0)
            return await write(*args)

        return told

    for name in ("add_errors", "ask"):
        monkeypatch.setattr(far.engine._journal, name, lost_before(getattr(far.engine._journal, name)))
    job = await far.rests(await far.submit("/tree", conflict=rule))
    told = await far.messages(job.id) + [each.target.name for each in await far.engine.questions(job.id)]
    assert written.is_set()
    assert (job.state, len(told)) == (state, 1)
    assert job.progress.errors + job.progress.questions == 1
    assert len(far.tree("/target/tree")) == 251


async def test_an_error_told_again_by_whoever_begins_anew_after_a_loss_is_one_error(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    far.here.write("/tree/name", b"file")
    far.here.write("/tree/other", b"file")
    far.there.folder("/target/tree/name")
    add_errors = far.engine._journal.add_errors
    lost = False

    async def told(*args: object) -> int:
        nonlocal lost
        added = await add_errors(*args)  # type: ignore[arg-type]
        if not lost:
            lost = True
            far.openers["there"].places[-1].lose()
            for _ in range(200):
                await asyncio.sleep(0)
        return added

    def after_all_are_listed(number: int, name: str, path: str) -> Awaitable[None] | None:
        return asyncio.sleep(0.01) if name == "put" and not lost else None

    far.faults.at = after_all_are_listed
    monkeypatch.setattr(far.engine._journal, "add_errors", told)
    job = await far.rests(await far.submit("/tree", conflict=Conflict.OVERWRITE))
    assert lost
    assert (len(await far.messages(job.id)), job.progress.errors) == (1, 1)


@pytest.mark.parametrize("number", [0, 399])
async def test_of_many_files_copied_at_once_the_one_at_fault_is_found_by_halves(
    far: Far, number: int
) -> None:
    for opener in far.openers.values():
        opener._capabilities = replace(opener._capabilities, pipeline=400)
    for each in range(400):
        far.here.write(f"/tree/{each}", b"text")
    killer = Killer("put", f"/target/tree/{number}")
    at_once = alone = 0

    async def put(killed: Awaitable[None] | None) -> None:
        nonlocal at_once, alone
        at_once += 1
        await asyncio.sleep(0)
        alone += at_once == 1
        try:
            if killed is not None:
                await killed
            for _ in range(10):  # longer than it takes to cut the line: all are under way then
                await asyncio.sleep(0)
        finally:
            at_once -= 1

    def trouble(_number: int, name: str, path: str) -> Awaitable[None] | None:
        return put(killer(name, THERE.below(path.strip("/")))) if name == "put" else None

    far.faults.at = trouble
    job = await far.rests(await far.submit("/tree"))
    assert await far.messages(job.id) == [f"EndsConnection: {text}" for text in killer.told()]
    assert len(far.tree("/target/tree")) == job.progress.files_done == 399
    assert killer.hits <= 2 + 9 + 1
    assert alone < 30


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
async def test_a_large_file_that_was_there_when_the_connection_was_lost_is_counted_once(
    far: Far, monkeypatch: pytest.MonkeyPatch, kind: JobKind
) -> None:
    large = bytes(range(256)) * 8000
    far.here.write("/tree/large", large)
    far.here.write("/tree/file", b"file")
    closing, lost = asyncio.Event(), asyncio.Event()

    async def close(reader: MemoryReader) -> None:
        closing.set()
        await lost.wait()
        await asyncio.sleep(0.1)  # cut off by the loss, but the first time only

    async def lose() -> None:
        await closing.wait()
        lost.set()
        raise PlaceUnavailable("the line was cut")

    def at(number: int, name: str, path: str) -> Awaitable[None] | None:
        return lose() if (name, path) == ("put", "/target/tree/file") and not lost.is_set() else None

    monkeypatch.setattr(MemoryReader, "close", close)
    far.faults.at = at
    progress = (await far.done(await far.submit("/tree", kind=kind))).progress
    assert lost.is_set()
    assert far.tree("/target/tree") == {"large": large, "file": b"file"}
    assert (progress.files_done, progress.bytes_done) == (2, len(large) + 4)
