"""The queue as a whole: turns, priorities, order, limits, updates."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import os
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from engine_harness import Harness, at_rest, names, running
from msgspec.structs import replace

from tui.engine.engine import Limits
from tui.engine.journal import Journal
from tui.engine.turns import Turns
from tui.model.error import EngineError, NoSuchJob, NotPossible, UsageError
from tui.model.job import JobKind, JobState

if TYPE_CHECKING:
    from pathlib import Path

    from tui.engine.board import Record

MIB = 1 << 20
SLOW = 4 * MIB


def big(path: Path, size_mib: int = 24) -> Path:
    path.write_bytes(os.urandom(MIB) * size_mib)
    return path


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


async def test_jobs_on_one_disk_take_turns(harness: Harness, source: Path, target: Path) -> None:
    first = await harness.copy(big(source / "big"), to=target, limit_bytes_s=SLOW)
    second = await harness.copy(write(source / "small", "text"), to=target)
    job = await harness.until(second, lambda job: job.note != "")
    assert job.state is JobState.QUEUED
    assert job.note == f"waits for job {first} on the same disk"
    assert not harness.engine.idle
    await harness.engine.limit(None, [first])
    await harness.done(second)
    assert (await harness.engine.job(first)).state is JobState.DONE
    assert (await harness.engine.job(second)).note == ""


async def test_a_job_can_be_started_out_of_turn(harness: Harness, source: Path, target: Path) -> None:
    first = await harness.copy(big(source / "big"), to=target, limit_bytes_s=SLOW)
    await harness.until(first, lambda job: job.state is JobState.RUNNING)
    second = await harness.copy(write(source / "small", "text"), to=target)
    third = await harness.copy(write(source / "third", "text"), to=target, paused=True)
    await harness.engine.start([second, third])
    await harness.done(second)
    await harness.done(third)
    assert (await harness.engine.job(first)).state is JobState.RUNNING
    await harness.engine.cancel([first])


async def test_what_only_changes_names_does_not_wait_for_a_copy(
    harness: Harness, source: Path, target: Path
) -> None:
    first = await harness.copy(big(source / "big"), to=target, limit_bytes_s=SLOW)
    await harness.until(first, lambda job: job.state is JobState.RUNNING)
    other = write(source / "other", "text")
    await harness.done(await harness.submit(JobKind.DELETE, other))
    await harness.done(await harness.move(write(source / "small", "text"), to=target))
    assert not other.exists()
    assert (target / "small").exists()
    assert (await harness.engine.job(first)).state is JobState.RUNNING
    await harness.engine.cancel([first])


async def test_what_a_copy_still_reads_or_makes_is_not_taken_away_under_it(
    harness: Harness, source: Path, target: Path
) -> None:
    first = await harness.copy(big(source / "big"), to=target, limit_bytes_s=SLOW)
    await harness.until(first, lambda job: job.state is JobState.RUNNING)
    for path in (source / "big", target):
        removal = await harness.submit(JobKind.DELETE, path)
        job = await harness.until(removal, lambda job: job.note != "")
        assert (job.state, job.note) == (JobState.QUEUED, f"waits for job {first} on the same files")
    await harness.engine.limit(None, [first])
    await harness.done(removal)
    assert (await harness.engine.job(first)).state is JobState.DONE
    assert target.name not in names(target.parent)


async def ending_order(harness: Harness) -> list[int]:
    return [job.id for job in harness.ended]


async def test_the_highest_priority_goes_first(harness: Harness, source: Path, target: Path) -> None:
    blocker = await harness.copy(big(source / "big"), to=target, limit_bytes_s=SLOW)
    await harness.until(blocker, lambda job: job.state is JobState.RUNNING)
    ids = [await harness.copy(write(source / name, name), to=target) for name in "abc"]
    await harness.engine.set_priority([ids[2]], 5)
    await harness.engine.reorder([ids[1]], "top")
    listed = [job.id for job in await harness.engine.jobs()]
    assert listed == [ids[2], ids[1], blocker, ids[0]]
    await harness.engine.limit(None, [blocker])
    for id in ids:
        await harness.done(id)
    assert await ending_order(harness) == [blocker, ids[2], ids[1], ids[0]]


async def test_the_order_survives_a_restart(tmp_path: Path, source: Path) -> None:
    async with running(tmp_path / "journal") as first:
        ids = [await first.submit(JobKind.DELETE, source / name, paused=True) for name in "abcd"]
        await first.engine.reorder([ids[3]], "up")
        await first.engine.reorder([ids[0]], "bottom")
        listed = [job.id for job in await first.engine.jobs()]
        assert listed == [ids[1], ids[3], ids[2], ids[0]]
        with pytest.raises(UsageError):
            await first.engine.reorder(ids, "sideways")
    async with running(tmp_path / "journal") as second:
        assert [job.id for job in await second.engine.jobs()] == listed


@pytest.mark.parametrize("of_job", [True, False])
async def test_a_limit_holds_and_can_be_changed_while_running(
    harness: Harness, source: Path, target: Path, of_job: bool
) -> None:
    (source / "files").mkdir()
    for number in range(400):
        (source / "files" / str(number)).write_bytes(bytes(100_000))
    id = await harness.copy(source / "files", to=target, paused=True)
    await harness.engine.limit(1_000_000, [id] if of_job else None)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await harness.engine.resume([id])
    await harness.until(id, lambda job: job.progress.bytes_done >= 900_000)
    assert loop.time() - began > 0.5
    await harness.engine.limit(None, [id] if of_job else None)
    await harness.done(id)  # which has the patience for half of it, if the limit still held


async def test_many_jobs_resumed_at_once_are_looked_at_once(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await harness.copy(write(source / f"{n}", "text"), to=target, paused=True) for n in range(30)]
    looks: list[int] = []
    look = Turns.next

    def counted(self: Turns, *args: Any) -> list[Record]:
        looks.append(1)
        return look(self, *args)

    monkeypatch.setattr(Turns, "next", counted)
    await harness.engine.resume()
    assert len(looks) <= 2  # one may have been due before
    for id in ids:
        await harness.done(id)


async def test_where_many_wait_the_end_of_one_has_the_first_in_line_looked_at(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And those behind go on saying what they wait for: the one before them."""
    monkeypatch.setattr("tui.engine.turns.HEAD", 4)
    monkeypatch.setattr("tui.engine.turns.WHOLE_SHARE", 0)
    first = await harness.copy(big(source / "big"), to=target, limit_bytes_s=SLOW // 4)
    write(source / "small", "text")
    ids = [await harness.copy(source / "small", to=target / f"{n}", into=False) for n in range(21)]
    ids.append(await harness.copy(source / "big", to=target / "slow", into=False, limit_bytes_s=SLOW // 4))
    ids += [await harness.copy(source / "small", to=target / f"{n}", into=False) for n in range(21, 30)]
    last = await harness.until(ids[-1], lambda job: job.note.startswith("waits for job"))
    assert last.note == f"waits for job {ids[-2]} on the same disk"
    looked: list[int] = []
    choose = Turns._choose

    def counted(self: Turns, queued: list[Record], *rest: Any) -> list[Record]:
        looked.append(len(queued))
        return choose(self, queued, *rest)

    monkeypatch.setattr(Turns, "_choose", counted)
    harness.engine._keeper._turns._whole_due = math.inf
    await harness.engine.limit(None, [first])
    await harness.until(ids[20], lambda job: job.state.is_final)
    assert max(looked) <= 4
    assert (await harness.engine.job(ids[-1])).note == last.note
    await harness.engine.start([ids[-1]])
    await harness.done(ids[-1])


async def test_what_cannot_be_kept_is_not_set(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise EngineError("the journal cannot be used: database or disk is full")

    before = await harness.engine.status()
    monkeypatch.setattr(Journal, "set_setting", full)
    for asked in (harness.engine.limit(1_000_000), harness.engine.set_slots(before.slots + 1)):
        with pytest.raises(EngineError, match="full"):
            await asked
    assert await harness.engine.status() == before


async def test_the_number_of_slots_can_be_changed_while_running(
    tmp_path: Path, source: Path, target: Path
) -> None:
    async with running(tmp_path / "journal", Limits(slots=1)) as harness:
        for number in range(6):
            big(source / f"big {number}", 20)
        id = await harness.copy(source, to=target, limit_bytes_s=8 * SLOW)
        await harness.until(id, lambda job: job.progress.bytes_done > 2 * MIB)
        await harness.engine.set_slots(4)
        assert (await harness.engine.status()).slots == 4
        await harness.engine.limit(None, [id])
        job = await harness.done(id)
        assert job.progress.files_done == 6
        with pytest.raises(UsageError):
            await harness.engine.set_slots(0)


async def test_updates_begin_with_everything_and_go_on_with_what_changes(
    harness: Harness, source: Path, target: Path
) -> None:
    first = await harness.submit(JobKind.DELETE, source / "a", paused=True)
    updates = harness.engine.updates()
    begin = await anext(updates)
    assert begin.full
    assert [job.id for job in begin.jobs] == [first]
    second = await harness.submit(JobKind.DELETE, source / "b", paused=True)
    change = await anext(updates)
    assert not change.full
    assert [job.id for job in change.jobs] == [second]
    assert change.seq > begin.seq
    await harness.engine.cancel([first])
    await harness.engine.remove([first])
    gone = await anext(updates)
    assert gone.removed == (first,)
    await updates.aclose()


async def test_what_was_removed_last_is_brought_back_as_it_was(
    harness: Harness, source: Path, target: Path
) -> None:
    ids = [await harness.copy(big(source / name, 1), to=target) for name in "abc"]
    for id in ids:
        await harness.done(id)
    before = [await harness.engine.job(id) for id in ids]
    updates = harness.engine.updates()
    await anext(updates)
    await harness.engine.remove(ids[:1])
    await harness.engine.remove(ids[1:])
    assert await harness.engine.jobs() == ()
    assert await harness.engine.restore() == tuple(ids[1:])
    jobs = [await harness.engine.job(id) for id in ids[1:]]
    assert [replace(job, revision=0) for job in jobs] == [replace(job, revision=0) for job in before[1:]]
    change = await anext(updates)
    assert (change.removed, {job.id for job in change.jobs}) == ((ids[0],), set(ids[1:]))
    await updates.aclose()
    with pytest.raises(NotPossible, match="none was taken off the list"):
        await harness.engine.restore()
    with pytest.raises(NoSuchJob):
        await harness.engine.job(ids[0])


async def test_jobs_removed_twice_at_once_are_removed(harness: Harness, source: Path, target: Path) -> None:
    await harness.done(await harness.copy(big(source / "a", 1), to=target))
    await asyncio.gather(harness.engine.remove(), harness.engine.remove())
    assert await harness.engine.jobs() == ()


async def test_what_was_removed_stays_removed_after_a_restart_and_can_be_brought_back(
    tmp_path: Path, source: Path, target: Path
) -> None:
    async with running(tmp_path / "journal") as first:
        id = await first.move(big(source / "a", 1), to=target)
        await first.done(id)
        await first.engine.remove([id])
    async with running(tmp_path / "journal") as second:
        assert await second.engine.jobs() == ()
        assert await second.engine.restore() == (id,)
        assert (await second.engine.job(id)).reversible
        await second.done(await second.engine.undo(id))
    assert names(source) == ["a"]


async def test_a_failed_job_that_was_off_the_list_compares_what_a_disk_may_have_refused_meanwhile(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.copy(big(source / "a", 1), source / "missing", to=target)
    assert (await harness.ends(id)).state is JobState.FAILED
    await at_rest(harness.engine)  # it writes down what it was last
    await harness.engine._journal.update(id, {"unflushed": "7"})
    await harness.engine.remove([id])
    await harness.engine.restore()
    assert harness.engine._get(id).doubtful


async def test_a_subscription_goes_on_where_another_ended(harness: Harness, source: Path) -> None:
    first = await harness.submit(JobKind.DELETE, source / "a", paused=True)
    begin = await anext(harness.engine.subscribe(None))
    second = await harness.submit(JobKind.DELETE, source / "b", paused=True)
    later = await anext(harness.engine.subscribe(begin.seq))
    assert (later.full, [job.id for job in later.jobs]) == (False, [second])
    unknown = await anext(harness.engine.subscribe(begin.seq - 10**12))
    assert (unknown.full, [job.id for job in unknown.jobs]) == (True, [first, second])


async def test_that_a_job_is_in_another_state_is_told_at_once(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.engine.feed.UPDATE_S", 3600.0)
    one, other, third = [await harness.copy(source / name, to=target, paused=True) for name in "abc"]
    async with contextlib.aclosing(harness.engine.subscribe(None)) as updates, asyncio.timeout(20):
        await anext(updates)
        for id in (one, other, third):
            await harness.engine.cancel([id])
            told = {job.id: job.state for job in (await anext(updates)).jobs}
            assert told[id] is JobState.CANCELLED


async def test_updates_come_at_most_ten_times_a_second(harness: Harness, source: Path, target: Path) -> None:
    id = await harness.copy(big(source / "big", 8), to=target, limit_bytes_s=SLOW)
    count, loop = 0, asyncio.get_running_loop()
    began = loop.time()
    async for _ in harness.engine.updates():
        count += 1
        if (await harness.engine.job(id)).state.is_final:
            break
    assert 5 < count <= (loop.time() - began) * 10 + 3


async def test_a_job_tells_no_time_left_while_there_is_nothing_to_measure(
    harness: Harness, source: Path, target: Path
) -> None:
    (source / "tree").mkdir()
    for number in range(2000):
        write(source / "tree" / str(number), "")
    id = await harness.copy(source / "tree", to=target)
    told = []
    async for update in harness.engine.updates():
        told += [job.progress.time_left_s for job in update.jobs if job.state is JobState.RUNNING]
        if (await harness.engine.job(id)).state.is_final:
            break
    assert told
    assert set(told) == {None}


async def test_a_running_job_tells_rate_time_left_and_where_it_is(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.copy(big(source / "big"), to=target, limit_bytes_s=SLOW)
    job = await harness.until(id, lambda job: job.progress.bytes_done > 2 * MIB and not job.progress.counting)
    progress = job.progress
    assert progress.current is not None
    assert progress.current.name == "big"
    assert 0 < progress.rate_bytes_s < 40 * MIB
    assert progress.time_left_s is not None
    assert (await harness.engine.status()).rate_bytes_s > 0
    await harness.engine.cancel([id])


async def test_unknown_jobs_are_told(harness: Harness) -> None:
    for call in (harness.engine.pause, harness.engine.cancel, harness.engine.start, harness.engine.remove):
        with pytest.raises(NoSuchJob):
            await call([99])
    with pytest.raises(NoSuchJob):
        await harness.engine.errors(99)


async def test_nobody_is_disturbed_by_what_fails_at_a_jobs_end(
    tmp_path: Path, source: Path, target: Path
) -> None:
    async with running(tmp_path / "journal") as harness:

        def fails(job: object) -> None:
            raise ValueError("a hook went wrong")

        harness.engine._keeper._on_end = fails
        await harness.done(await harness.copy(write(source / "a", "text"), to=target))
        await harness.done(await harness.copy(write(source / "b", "text"), to=target))


async def ended_as_a_job_starts(journal: Path, file: Path, target: Path) -> int:
    """Give an engine a job, and end it when that is noted as running and not begun yet; return the job."""
    async with running(journal) as harness:
        keeper = harness.engine._keeper
        main, set_state = keeper._main, keeper.states.set
        assert main is not None

        async def ends_meanwhile(record: Record, state: JobState) -> None:
            await set_state(record, state)
            main.cancel()

        keeper.states.set = ends_meanwhile  # type: ignore[method-assign]
        id = await harness.copy(file, to=target)
        await asyncio.gather(main, return_exceptions=True)
        assert (await harness.engine.job(id)).state is JobState.RUNNING
    return id


async def test_a_job_that_is_about_to_start_as_the_engine_ends_goes_on_after_a_restart(
    tmp_path: Path, source: Path, target: Path
) -> None:
    """What was to work on it was made and never begun, which Python told on the terminal."""
    gc.collect()  # of what ran before
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", RuntimeWarning)
        id = await ended_as_a_job_starts(tmp_path / "journal", write(source / "a", "text"), target)
        gc.collect()
    assert [text for each in told if "never awaited" in (text := str(each.message))] == []
    assert names(target) == []
    async with running(tmp_path / "journal") as harness:
        await harness.done(id)
    assert names(target) == ["a"]
