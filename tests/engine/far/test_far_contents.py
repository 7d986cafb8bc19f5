"""What is in the files: changes while they are read, copies read back, limits, and what is brought onto the disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tui.model.error import PermissionDenied, PlaceUnavailable, VerificationFailed
from tui.model.job import Conflict, Flush, JobKind, JobState
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from far_harness import Far

LARGE = bytes(range(256)) * 4000


def halves(far: Far) -> list[str]:
    return [path for path in far.there.tree("/") if ".ferry-" in path]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_file_written_to_while_it_is_read_is_copied_once_more(far: Far, times: int) -> None:
    far.here.write("/tree/large", LARGE)
    changed = 0

    def write(number: int, name: str, path: str) -> None:
        nonlocal changed
        if name == "look" and changed < times:
            changed += 1
            far.here.write("/tree/large", LARGE[changed:])

    far.faults.at = write
    id = await far.submit("/tree")
    job = await far.rests(id)
    assert halves(far) == []
    if times == 1:
        assert job.state is JobState.DONE
        assert far.there.read("/target/tree/large") == LARGE[1:]
    else:
        assert (await far.messages(id))[0].startswith("SourceChanged")
        assert far.tree() == {"tree": None}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("data", [b"small", LARGE])
async def test_a_copy_that_reads_back_differently_is_made_once_more(
    far: Far, data: bytes, times: int
) -> None:
    far.here.write("/tree/file", data)
    spoilt = 0

    def spoil(number: int, name: str, path: str) -> None:
        nonlocal spoilt
        if name in ("put done", "publish done") and spoilt < times:
            spoilt += 1
            node = far.there.find(path)
            node.data[0] ^= 1

    far.faults.at = spoil
    id = await far.submit("/tree", verify=True)
    job = await far.rests(id)
    assert far.here.read("/tree/file") == data
    if times == 1:
        assert job.state is JobState.DONE
        assert far.there.read("/target/tree/file") == data
        assert (job.progress.files_verified, job.progress.bytes_verified) == (1, len(data))
        assert job.progress.bytes_done == len(data)
    else:
        assert (await far.messages(id))[0].startswith("VerificationFailed")
        assert far.tree() == {"tree": None}


async def test_what_could_not_be_read_is_tried_by_a_retry_and_nothing_else(far: Far) -> None:
    for name in ("a", "b", "c"):
        far.here.write(f"/tree/inner/{name}", name.encode(), mtime_ns=10**18)
    far.here.find("/tree/inner").mtime_ns = 10**18

    def refuse(number: int, name: str, path: str) -> None:
        if name == "get" and path.endswith("/b"):
            raise PermissionDenied("cannot read it", location=Location(path))

    far.faults.at = refuse
    id = await far.submit("/tree")
    assert (await far.rests(id)).state is JobState.FAILED
    assert set(far.tree("/target/tree/inner")) == {"a", "c"}
    far.faults.at = lambda number, name, path: None
    before = len(far.faults.steps)
    await far.engine.retry([id])
    job = await far.until(id, lambda job: job.state is JobState.DONE)
    assert [path for name, path in far.faults.steps[before:] if name == "get"] == ["/tree/inner/b"]
    assert job.progress.files_done == job.progress.files_total == 3
    assert far.there.find("/target/tree/inner").mtime_ns == 10**18


async def test_what_is_busy_is_tried_again_by_itself(far: Far) -> None:
    far.here.write("/tree/inner/a", b"a")
    busy = 0
    place = far.openers["here"]

    def refuse(number: int, name: str, path: str) -> Awaitable[None] | None:
        nonlocal busy
        if name == "get" and busy < 2:
            busy += 1
            return refused()
        return None

    async def refused() -> None:
        alive = place.places[-1]
        alive.lose = lambda: None  # type: ignore[method-assign]
        raise PlaceUnavailable("cannot read it: busy")

    far.faults.at = refuse
    await far.done(await far.submit("/tree"))
    assert busy == 2
    assert far.tree("/target/tree") == {"inner": None, "inner/a": b"a"}
    assert len(place.places) == 1


async def test_photos_go_whole_as_small_files_do_for_each_step_of_a_long_way_takes_its_time(far: Far) -> None:
    far.here.write("/tree/photo", b"x" * 900_000)
    await far.done(await far.submit("/tree"))
    steps = {name for name, path in far.faults.steps if path.endswith("/photo")}
    assert steps == {"get", "put", "put done"}


async def test_under_a_limit_it_goes_in_pieces_that_are_paid_for_one_by_one(far: Far) -> None:
    far.here.write("/tree/photo", b"x" * 900_000)
    far.here.write("/tree/text", b"x" * 9_000)
    await far.done(await far.submit("/tree", limit_bytes_s=1_000_000))
    assert {path for name, path in far.faults.steps if name == "write"} == {"/target/tree/photo"}


async def test_a_limit_is_kept_to(far: Far) -> None:
    far.here.write("/tree/large", LARGE)
    for number in range(10):
        far.here.write(f"/tree/{number}", b"x" * 30_000)
    total = len(LARGE) + 300_000
    began = far.engine._clock.monotonic()
    await far.done(await far.submit("/tree", limit_bytes_s=total // 20))
    assert far.engine._clock.monotonic() - began > 15


@pytest.mark.parametrize(
    ("flush", "expected"),
    [(Flush.NONE, []), (Flush.JOB, ["/target"]), (Flush.FILE, ["/target/tree/a", "/target"])],
)
async def test_what_was_copied_is_brought_onto_the_disk_as_asked(
    far: Far, flush: Flush, expected: list[str]
) -> None:
    far.here.write("/tree/a", b"a")
    job = await far.done(await far.submit("/tree", flush=flush))
    assert far.there.flushed == expected
    assert job.progress.bytes_flushed == (0 if flush is Flush.NONE else 1)


async def test_many_files_are_under_way_at_once(far: Far) -> None:
    for number in range(400):
        far.here.write(f"/tree/{number % 40}/{number}", b"x")
    now = most = 0

    async def count() -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        for _ in range(30):
            await _turn()
        now -= 1

    far.faults.at = lambda number, name, path: count() if name == "put" else None
    await far.done(await far.submit("/tree"))
    assert most == sum(opener._capabilities.pipeline for opener in far.openers.values())


async def _turn() -> None:

    await asyncio.sleep(0)


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
async def test_a_large_folder_is_counted_once_though_its_listing_is_begun_anew(
    far: Far, kind: JobKind
) -> None:
    for number in range(350):
        far.here.write(f"/tree/{number}", b"xy")
    puts = 0

    def lose(number: int, name: str, path: str) -> None:
        nonlocal puts
        puts += name == "put"
        if name == "put" and puts in (40, 200):
            raise PlaceUnavailable("lost")

    far.faults.at = lose
    job = await far.done(await far.submit("/tree", kind=kind))
    assert len(far.tree("/target/tree")) == 350
    assert (job.progress.files_done, job.progress.files_total) == (350, 350)
    assert job.progress.bytes_done == 700


async def test_what_was_to_be_replaced_stays_where_its_source_never_rests(far: Far) -> None:
    far.here.write("/large", LARGE)
    far.there.write("/target/large", b"old")
    number_of_looks = 0

    def write(number: int, name: str, path: str) -> None:
        nonlocal number_of_looks
        if name == "look":
            number_of_looks += 1
            far.here.write("/large", LARGE[number_of_looks:])

    far.faults.at = write
    id = await far.submit("/large", conflict=Conflict.OVERWRITE)
    assert (await far.rests(id)).state is JobState.FAILED
    assert far.tree() == {"large": b"old"}


@pytest.mark.parametrize("conflict", [Conflict.OVERWRITE, Conflict.FAIL])
async def test_a_copy_found_wrong_before_it_has_its_name_leaves_what_stands_there(
    far: Far, conflict: Conflict
) -> None:
    far.here.write("/tree/large", LARGE)
    if conflict is Conflict.OVERWRITE:
        far.there.write("/target/tree/large", b"older")

    def refuse(number: int, name: str, path: str) -> None:
        if name == "publish":
            if conflict is Conflict.FAIL:
                far.there.write("/target/tree/large", b"of somebody else")
            raise VerificationFailed("cannot write it: 7 bytes are there, not 8")

    far.faults.at = refuse
    id = await far.submit("/tree", conflict=conflict)
    assert (await far.rests(id)).state is JobState.FAILED
    assert halves(far) == []
    left = b"older" if conflict is Conflict.OVERWRITE else b"of somebody else"
    assert far.tree() == {"tree": None, "tree/large": left}


async def test_a_name_no_disk_can_hold_is_an_error_of_its_own(far: Far) -> None:
    far.here.write("/tree/file", b"text")
    far.here.write("/tree/na\0me", b"text")
    id = await far.submit("/tree")
    assert (await far.rests(id)).state is JobState.FAILED
    (message,) = await far.messages(id)
    assert "that is no name for a file" in message
    assert far.tree() == {"tree": None, "tree/file": b"text"}
