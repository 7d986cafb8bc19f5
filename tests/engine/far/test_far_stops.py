"""Jobs between places that are paused or cancelled, or whose host does not answer, asks, or is full."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from engine_harness import until
from far_harness import HERE, THERE, Far

from tui.engine.far import ends, many
from tui.engine.far.ends import TRIES
from tui.model.error import PermissionDenied, PlaceError, PlaceUnavailable
from tui.model.job import Conflict, JobKind, JobState, Request
from tui.places.memory import MemoryOpener

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    from tui.model.location import Location
    from tui.places.base import Place

LARGE = bytes(range(256)) * 8000


class Gate:
    """Holds the steps of one name once so many of them were let through."""

    def __init__(self, far: Far, name: str, after: int) -> None:
        self._name, self._left = name, after
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        far.faults.at = self

    def __call__(self, number: int, name: str, path: str) -> Awaitable[None] | None:
        if name != self._name:
            return None
        self._left -= 1
        if self._left >= 0:
            return None
        self.reached.set()
        return self.open.wait()  # type: ignore[return-value]


def halves(far: Far) -> list[str]:
    return [path for path in far.tree("/") if ".ferry-" in path]


@pytest.mark.parametrize("keep", [True, False])
async def test_a_cancel_is_quick_and_leaves_no_half_file(far: Far, keep: bool) -> None:
    far.here.write("/tree/large", LARGE)
    far.there.write("/target/tree/others", b"not ours")
    gate = Gate(far, "write", 3)
    id = await far.submit("/tree")
    await gate.reached.wait()
    assert halves(far)
    began = time.monotonic()
    await far.engine.cancel([id], keep=keep)
    assert time.monotonic() - began < 5
    gate.open.set()
    job = await far.until(id, lambda job: not halves(far))
    assert job.state is JobState.CANCELLED
    assert far.tree() == {"tree": None, "tree/others": b"not ours"}
    assert far.here.read("/tree/large") == LARGE


async def test_a_paused_file_is_gone_on_with(far: Far) -> None:
    far.here.write("/tree/large", LARGE)
    gate = Gate(far, "write", 20)
    id = await far.submit("/tree")
    await gate.reached.wait()
    await far.pause(id)
    assert halves(far)
    far.faults.at = lambda number, name, path: None
    before = len(far.faults.steps)
    await far.engine.resume([id])
    await far.until(id, lambda job: job.state is JobState.DONE)
    writes = [name for name, _ in far.faults.steps[before:] if name == "write"]
    assert len(writes) <= len(LARGE) // far.openers["there"]._capabilities.part_bytes + 1 - 20
    assert far.tree() == {"tree": None, "tree/large": LARGE}


async def test_a_paused_job_still_shows_what_it_has_of_a_half_file(far: Far) -> None:
    far.here.write("/tree/large", LARGE)
    gate = Gate(far, "write", 20)
    id = await far.submit("/tree")
    await gate.reached.wait()
    await far.pause(id)
    part_bytes = far.openers["there"]._capabilities.part_bytes
    assert (await far.engine.job(id)).progress.bytes_done == 20 * part_bytes
    far.faults.at = lambda number, name, path: None
    await far.engine.resume([id])
    job = await far.until(id, lambda job: job.state is JobState.DONE)
    assert job.progress.bytes_done == job.progress.bytes_total == len(LARGE)


@pytest.mark.parametrize("at_last", [JobState.DONE, JobState.FAILED])
async def test_a_job_that_waits_for_its_host_still_shows_what_it_has_of_a_half_file(
    far: Far, at_last: JobState
) -> None:
    far.here.write("/tree/large", LARGE)
    down, writes = True, 0

    def fault(number: int, name: str, path: str) -> None:
        nonlocal writes
        writes += name == "write"
        if down and writes > 20:
            raise PlaceUnavailable("gone")
        if not down and name == "open_writer" and at_last is JobState.FAILED:
            raise PermissionDenied("no more")

    far.faults.at = fault
    id = await far.submit("/tree")
    job = await far.until(id, lambda job: "does not answer" in job.note)
    part_bytes = far.openers["there"]._capabilities.part_bytes
    assert job.progress.bytes_done == 20 * part_bytes
    down = False
    job = await far.rests(id)
    assert job.state is at_last
    assert not halves(far)
    assert job.progress.bytes_done == (len(LARGE) if at_last is JobState.DONE else 0)


async def test_a_half_file_that_is_no_beginning_of_the_source_is_begun_anew(far: Far) -> None:
    far.here.write("/large", LARGE, mtime_ns=1_000_000_000)
    gate = Gate(far, "write", 4)
    id = await far.submit("/large")
    await gate.reached.wait()
    await far.pause(id)
    far.faults.at = lambda number, name, path: None
    other = LARGE[::-1]
    far.here.write("/large", other, mtime_ns=1_000_000_000)
    await far.engine.resume([id])
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.tree() == {"large": other}


async def test_a_host_that_never_answers_fails_the_job_after_three_tries(far: Far) -> None:
    far.here.write("/a", b"a")
    tried = 0
    opener = far.openers["there"]
    real = opener.open

    async def open_(*args: object) -> object:
        nonlocal tried
        tried += 1
        raise PlaceUnavailable("nobody is there")

    opener.open = open_  # type: ignore[method-assign, assignment]
    id = await far.submit("/a")
    job = await far.rests(id)
    assert (job.state, tried) == (JobState.FAILED, 3)
    assert await far.messages(id) == ["PlaceUnavailable: nobody is there"]
    opener.open = real  # type: ignore[method-assign]
    await far.engine.retry([id])
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.tree() == {"a": b"a"}


async def test_a_host_that_went_away_is_waited_for_and_a_pause_is_heeded(far: Far) -> None:
    far.here.write("/a", b"a")
    down, was_there = True, False

    def fault(number: int, name: str, path: str) -> None:
        nonlocal was_there
        was_there |= name == "put"
        if down and was_there:
            raise PlaceUnavailable("gone")

    far.faults.at = fault
    id = await far.submit("/a")
    job = await far.until(id, lambda job: "does not answer: trying again" in job.note)
    assert job.note.startswith("two does not answer")
    await far.engine.pause([id])
    await far.until(id, lambda job: job.state is JobState.PAUSED)
    down = False
    await far.engine.resume([id])
    job = await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.tree() == {"a": b"a"}
    assert job.progress.errors == 0


async def test_a_job_that_waits_for_its_host_lets_others_have_the_rest(far: Far) -> None:
    far.here.write("/tree/large", LARGE)
    gate = Gate(far, "write", 4)
    waiting = await far.submit("/tree")
    await gate.reached.wait()
    opener = far.openers["there"]
    real = opener.open

    async def nobody(*args: object) -> object:
        raise PlaceUnavailable("nobody is there")

    opener.open = nobody  # type: ignore[method-assign, assignment]
    for place in opener.places:
        place.lose()
    gate.open.set()
    await far.until(waiting, lambda job: "does not answer: trying again" in job.note)
    behind = await far.submit("/tree", to="/target/later")
    beside = await far.submit("/tree", to="/copies", within=True)
    await far.until(beside, lambda job: job.state is JobState.DONE)
    await far.until(behind, lambda job: job.note == f"waits for job {waiting} on the same host")
    opener.open = real  # type: ignore[method-assign]
    await far.until(behind, lambda job: job.state is JobState.DONE)


async def test_while_a_host_takes_its_time_to_answer_the_job_tells_whom_it_waits_for(far: Far) -> None:
    far.here.write("/a", b"a")
    answers = asyncio.Event()

    async def wait() -> None:
        await answers.wait()

    far.faults.at = lambda number, name, path: wait() if name == "open" else None
    id = await far.submit("/a")
    await far.until(id, lambda job: job.note == "connecting to two …")
    answers.set()
    job = await far.until(id, lambda job: job.state is JobState.DONE)
    assert job.note == ""


async def test_a_job_under_way_waits_for_its_host_also_in_its_next_run(far: Far) -> None:
    far.here.write("/tree/large", LARGE)
    gate = Gate(far, "write", 3)
    id = await far.submit("/tree")
    await gate.reached.wait()
    await far.pause(id)
    tried, opener = 0, far.openers["there"]
    real = opener.open
    for place in opener.places:
        await place.close()

    async def open_(*args: object) -> object:
        nonlocal tried
        tried += 1
        raise PlaceUnavailable("it starts again")

    opener.open = open_  # type: ignore[method-assign, assignment]
    far.faults.at = lambda number, name, path: None
    await far.engine.resume([id])
    job = await far.until(id, lambda job: tried > TRIES or job.state.is_final)
    assert job.state is JobState.RUNNING
    opener.open = real  # type: ignore[method-assign]
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.tree() == {"tree": None, "tree/large": LARGE}


async def test_a_host_that_asks_keeps_the_job_waiting_until_somebody_answers(tmp_path: Path) -> None:
    far = Far(tmp_path / "journal")
    far.openers["there"] = MemoryOpener(far.there, password="secret")
    far.here.write("/a", b"a")
    async with far.engine_on() as engine:
        id = await far.submit("/a")
        job = await far.until(id, lambda job: job.state is JobState.WAITING)
        assert job.wants_host
        (question,) = await engine.host_questions()
        await engine.answer_host(question.id, "secret")
        await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.tree() == {"a": b"a"}


async def test_nobody_is_asked_for_a_job_that_is_paused_as_the_host_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = Far(tmp_path / "journal")
    far.openers["there"] = MemoryOpener(far.there, password="secret")
    far.here.write("/a", b"a")
    async with far.engine_on() as engine:
        place = engine._doors.place

        async def pause_first(location: Location, *, job: int = 0) -> Place:
            await engine.pause([job])
            return await place(location, job=job)

        for module in (ends, many):  # it is not looked in between whether the run was stopped
            monkeypatch.setattr(module, "LOOK_S", 20.0)
        monkeypatch.setattr(engine._doors, "place", pause_first)
        id = await far.submit("/a")
        await far.until(id, lambda job: job.state is JobState.PAUSED)
        record = engine._board.get(id)
        assert record is not None
        await engine._keeper.settled([record], 20)
        async with asyncio.timeout(5):
            async for _ in engine.updates():
                if not await engine.host_questions():
                    break
        assert (await engine.job(id)).state is JobState.PAUSED


async def test_nobody_is_asked_for_a_job_that_was_cancelled(tmp_path: Path) -> None:
    far = Far(tmp_path / "journal")
    far.here.write("/tree/large", LARGE)
    async with far.engine_on() as engine:
        gate = Gate(far, "write", 3)
        id = await far.submit("/tree")
        await gate.reached.wait()
        await far.pause(id)
        gate.open.set()
        far.openers["there"].places[-1].lose()
        far.openers["there"]._password = "secret"
        await engine.cancel([id])
        job = await far.until(id, lambda job: job.note != "")
        assert job.state is JobState.CANCELLED
        assert "half files may be left" in job.note
        async with asyncio.timeout(5):
            async for _ in engine.updates():
                if not await engine.host_questions():
                    break


async def test_a_full_target_holds_the_job_and_what_was_written_is_gone_on_with(far: Far) -> None:
    far.here.write("/tree/large", LARGE)
    far.there.room_bytes = len(LARGE) // 2
    id = await far.submit("/tree")
    await far.rests(id)
    await far.engine.start([id])
    full = "no space left on there://two"
    await far.until(id, lambda job: full in job.note and job.state is JobState.WAITING)
    assert halves(far)
    far.there.room_bytes = None
    before = len(far.faults.steps)
    await far.engine.resume([id])
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.tree() == {"tree": None, "tree/large": LARGE}
    writes = [name for name, _ in far.faults.steps[before:] if name == "write"]
    assert len(writes) < 20


async def test_half_files_of_a_killed_engine_are_found_by_a_cancel(tmp_path: Path) -> None:
    far = Far(tmp_path / "journal")
    far.here.write("/tree/inner/large", LARGE)
    async with far.engine_on():
        gate = Gate(far, "write", 3)
        id = await far.submit("/tree")
        await gate.reached.wait()

        def gone(number: int, name: str, path: str) -> None:
            raise PlaceUnavailable("the engine is no more")

        far.faults.at = gone
        await far.crash()
    assert halves(far)
    far.faults.at = lambda number, name, path: None
    gate = Gate(far, "list", 0)
    async with far.engine_on() as engine:
        await gate.reached.wait()
        await engine.cancel([id])
        gate.open.set()
        await far.until(id, lambda job: not halves(far))


async def test_what_a_killed_engine_had_asked_for_may_come_late_and_goes_all_the_same(tmp_path: Path) -> None:
    """A server does what it was sent, also where whoever sent it is no more and the folder was listed anew since."""
    far = Far(tmp_path / "journal")
    far.here.write("/tree/inner/a", b"a")
    async with far.engine_on():
        gate = Gate(far, "put", 0)
        id = await far.submit("/tree")
        await gate.reached.wait()
        await far.crash()
    late: list[str] = []
    async with far.engine_on() as engine:

        def arrive(number: int, name: str, path: str) -> None:
            if name == "put" and not late:
                tag = engine._board.get(id).row.tag
                late.append(f"{path.rpartition('/')[0]}/.ferry-{tag}-0123456789abcdef")
                far.there.write(late[0], b"")

        far.faults.at = arrive
        await far.done(id)
    assert late
    assert far.tree() == {"tree": None, "tree/inner": None, "tree/inner/a": b"a"}


async def test_folders_keep_their_times_though_a_move_is_paused(far: Far) -> None:
    for path in ("/tree/inner/a", "/tree/inner/large"):
        far.here.write(path, LARGE if path.endswith("large") else b"a")
    for path in ("/tree", "/tree/inner"):
        far.here.find(path).mtime_ns = 10**18
    gate = Gate(far, "write", 5)
    id = await far.submit("/tree", kind=JobKind.MOVE)
    await gate.reached.wait()
    await far.until(id, lambda job: not far.here.tree("/tree/inner").get("a"))
    await far.pause(id)
    assert far.here.find("/tree/inner").mtime_ns != 10**18
    far.faults.at = lambda number, name, path: None
    await far.engine.resume([id])
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.tree("/target/tree") == {"inner": None, "inner/a": b"a", "inner/large": LARGE}
    assert far.there.find("/target/tree").mtime_ns == 10**18
    assert far.there.find("/target/tree/inner").mtime_ns == 10**18


async def test_of_a_killed_move_no_more_is_told_than_there_is(tmp_path: Path) -> None:
    """What was copied of a file that is not complete is not gone: it is found there again."""
    far = Far(tmp_path / "journal")
    far.here.write("/tree/a", bytes(1000))
    far.here.write("/tree/large", LARGE)
    async with far.engine_on():
        gate = Gate(far, "write", 5)
        id = await far.submit("/tree", kind=JobKind.MOVE)
        await gate.reached.wait()
        await far.until(id, lambda job: job.progress.files_done == 1 and job.progress.bytes_done > 300_000)
        record = far.engine._board.get(id)
        assert record is not None
        await far.engine._keeper._checkpoint(record)  # as it is done each second
        await far.crash()
    held = Gate(far, "open_reader", 0)
    async with far.engine_on() as engine:
        await held.reached.wait()
        again = engine._board.get(id)
        assert again is not None
        await until(lambda: again.tally.bytes_total >= len(LARGE))
        job = await engine.job(id)
        assert job.progress.bytes_total == len(LARGE) + 1000
        assert job.progress.files_total == 2
        held.open.set()
        job = await far.done(id)
    assert job.progress.bytes_done == job.progress.bytes_total == len(LARGE) + 1000


async def test_a_cancel_takes_back_what_the_job_made_and_nothing_else(far: Far) -> None:
    for name in ("a", "b", "inner/c", "changed"):
        far.here.write(f"/tree/{name}", name.encode() * 10, mtime_ns=10**18)
    far.here.link("/tree/link", "a")
    far.here.write("/tree/large", LARGE)
    far.here.write("/merged/d", b"d")
    far.there.write("/target/merged/e", b"e")
    gate = Gate(far, "write", 3)
    id = await far.submit("/tree", "/merged")
    await gate.reached.wait()
    await far.until(id, lambda job: job.progress.files_done == 6)
    far.there.write("/target/tree/inner/others", b"others")
    far.there.write("/target/tree/changed", b"by others")
    far.faults.at = lambda number, name, path: None
    await far.engine.cancel([id], keep=False)
    job = await far.until(id, lambda job: bool(job.note))
    assert "stays at there://two/target" in job.note
    assert far.tree() == {
        "tree": None, "tree/inner": None, "tree/inner/others": b"others", "tree/changed": b"by others",
        "merged": None, "merged/d": b"d", "merged/e": b"e",
    }  # fmt: skip
    assert len(far.here.tree("/tree")) == 7


async def test_a_cancel_of_a_move_takes_nothing_back(far: Far) -> None:
    far.here.write("/tree/a", b"a", mtime_ns=10**18)
    far.here.write("/tree/large", LARGE)
    gate = Gate(far, "write", 3)
    id = await far.submit("/tree", kind=JobKind.MOVE)
    await gate.reached.wait()
    await far.until(id, lambda job: job.progress.files_done == 1)
    far.faults.at = lambda number, name, path: None
    await far.engine.cancel([id], keep=False)
    await far.until(id, lambda job: bool(job.note))
    assert far.tree() == {"tree": None, "tree/a": b"a"}
    assert far.here.tree("/tree")["large"] == LARGE


async def test_a_cancel_does_not_wait_for_a_place_that_hangs(far: Far) -> None:
    far.here.write("/tree/large", LARGE)
    hung, reached = asyncio.Event(), asyncio.Event()

    def hang(number: int, name: str, path: str) -> Awaitable[None] | None:
        if name != "write" and not reached.is_set():
            return None
        reached.set()
        return hung.wait()  # type: ignore[return-value]

    far.faults.at = hang
    id = await far.submit("/tree")
    await reached.wait()
    run = far.engine._keeper._runs[id]
    began = time.monotonic()
    await far.engine.pause([id])
    task = far.engine._keeper._tasks[id]
    await asyncio.wait({task}, timeout=5)
    assert task.done()
    assert run.stopped
    assert time.monotonic() - began < 5
    hung.set()


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.DELETE])
async def test_a_job_whose_work_is_cancelled_by_nobody_fails_and_says_so(
    far: Far, kind: JobKind, caplog: pytest.LogCaptureFixture
) -> None:
    far.here.write("/tree/file", b"text")

    def give_up(number: int, name: str, path: str) -> None:
        if name == "list":
            raise asyncio.CancelledError

    far.faults.at = give_up
    rest = {} if kind is JobKind.COPY else {"target": None, "into": False}
    id = await far.engine.submit(
        Request(kind=kind, sources=(HERE.child("tree"),), **({"target": THERE, "into": True} | rest))  # type: ignore[arg-type]
    )
    assert (await far.rests(id)).state is JobState.FAILED
    assert "something went wrong inside Ferry" in (await far.messages(id))[0]
    assert "not foreseen" in caplog.text
    assert far.here.read("/tree/file") == b"text"


class Busy(PlaceError):
    """What passes by itself, and ends no connection."""

    transient = True


async def test_what_waits_for_one_more_try_of_a_retry_is_not_forgotten_over_a_pause(far: Far) -> None:
    far.here.write("/tree/a", b"a")
    fails: list[type[PlaceError]] = [PlaceError, Busy]

    def at(number: int, name: str, path: str) -> None:
        if name == "put" and fails:
            raise fails.pop(0)("cannot write it")

    far.faults.at = at
    id = await far.submit("/tree")
    assert (await far.rests(id)).state is JobState.FAILED
    await far.engine.retry([id])
    await until(lambda: not fails)
    for _ in range(5):  # whatever the journal was told meanwhile is in it
        await far.engine.errors(id)
    await far.pause(id)
    await far.engine.resume([id])
    await far.done(id)
    assert far.tree() == {"tree": None, "tree/a": b"a"}


async def test_what_was_answered_in_a_retry_and_waits_for_one_more_try_is_not_forgotten_over_a_pause(
    far: Far,
) -> None:
    far.here.write("/tree/a", b"a")
    far.there.write("/target/tree/a", b"another")
    id = await far.submit("/tree", conflict=Conflict.FAIL)
    assert (await far.rests(id)).state is JobState.FAILED
    await far.engine.set_conflict([id], Conflict.ASK)
    await far.engine.retry([id])
    assert (await far.rests(id)).state is JobState.WAITING
    busy = [Busy("cannot write it"), Busy("cannot write it")]

    def at(number: int, name: str, path: str) -> None:
        if name == "put" and busy:
            raise busy.pop()

    far.faults.at = at
    (question,) = await far.engine.questions(id)
    await far.engine.answer(question.id, Conflict.OVERWRITE)
    await until(lambda: not busy)
    await far.pause(id)
    await far.engine.resume([id])
    await far.done(id)
    assert far.tree() == {"tree": None, "tree/a": b"a"}
