"""What is said to jobs holds: whoever else says something at the same time, and where the journal is full."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, at_rest, names, write

from tui.engine.journal import Journal
from tui.engine.outcome import carry_out
from tui.engine.states import UNWRITTEN, States
from tui.model.error import EngineError, NoSuchJob
from tui.model.job import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tui.engine.board import Record
    from tui.engine.rows import JobRow
    from tui.engine.run import Run

SLOW = 1 << 20


def full(*_: object, **__: object) -> Iterator[None]:
    raise sqlite3.OperationalError("database or disk is full")


async def paused(harness: Harness, source: Path, target: Path, count: int) -> list[int]:
    write(source / "file")
    return [await harness.copy(source / "file", to=target / f"{n}", paused=True) for n in range(count)]


async def state_of(harness: Harness, id: int) -> JobState:
    return (await harness.engine.job(id)).state


async def written(path: Path) -> list[JobRow]:
    """Return what an engine would find that is started now."""
    journal = Journal(path)
    await journal.open()
    found = await journal.jobs()
    await journal.close()
    return found


async def test_a_job_ended_by_somebody_else_keeps_no_other_from_being_paused(
    harness: Harness, source: Path, target: Path
) -> None:
    ids = await paused(harness, source, target, 3)
    first = await harness.copy(write(source / "big", bytes(8 << 20)), to=target, limit_bytes_s=SLOW)
    await harness.until(first, lambda job: job.state is JobState.RUNNING)
    await harness.engine.resume(ids)
    await asyncio.gather(harness.engine.pause(), harness.engine.cancel([ids[1]]))
    states = [await state_of(harness, id) for id in (first, *ids)]
    assert states == [JobState.PAUSED, JobState.PAUSED, JobState.CANCELLED, JobState.PAUSED]


async def test_a_job_that_two_take_up_again_at_once_is_taken_up_once(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.copy(source / "gone", to=target)
    assert (await harness.ends(id)).state is JobState.FAILED
    write(source / "gone")
    await asyncio.gather(*(harness.engine.retry([id]) for _ in range(3)))
    await harness.done(id)
    await at_rest(harness.engine)
    assert [job.state for job in harness.ended] == [JobState.FAILED, JobState.DONE]


async def test_jobs_that_two_resume_at_once_are_all_resumed(
    harness: Harness, source: Path, target: Path
) -> None:
    ids = await paused(harness, source, target, 4)
    await asyncio.gather(harness.engine.resume(ids[2:]), harness.engine.resume(ids), harness.engine.resume())
    for id in ids:
        await harness.done(id)


async def test_jobs_that_are_paused_while_the_first_is_started_stay_paused(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await paused(harness, source, target, 2)
    start, told = States.set, asyncio.Event()

    async def paused_meanwhile(states: States, record: Record, state: JobState) -> None:
        await start(states, record, state)
        await harness.engine.pause(ids)
        told.set()

    monkeypatch.setattr(States, "set", paused_meanwhile)
    await harness.engine.start(ids)
    await told.wait()
    await at_rest(harness.engine)
    assert [await state_of(harness, id) for id in ids] == [JobState.PAUSED] * 2
    assert names(target) == []
    monkeypatch.undo()
    await harness.engine.resume(ids)
    for id in ids:
        await harness.done(id)


async def test_a_job_cancelled_while_it_is_taken_up_again_stays_cancelled(
    harness: Harness, source: Path, target: Path
) -> None:
    (id,) = await paused(harness, source, target, 1)
    await asyncio.gather(harness.engine.resume([id]), harness.engine.cancel([id]))
    await at_rest(harness.engine)
    assert await state_of(harness, id) is JobState.CANCELLED
    assert names(target) == []


async def test_a_pause_holds_where_it_cannot_be_written_down_and_is_written_later(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = write(source / "big", bytes(8 << 20))
    ids = [await harness.copy(big, to=target / f"{n}", limit_bytes_s=SLOW) for n in range(3)]
    await harness.until(ids[0], lambda job: job.state is JobState.RUNNING)
    with monkeypatch.context() as disk:
        disk.setattr(Journal, "transaction", full)
        await harness.engine.pause()
        jobs = await harness.engine.jobs()
        assert {(job.state, job.note) for job in jobs} == {(JobState.PAUSED, UNWRITTEN)}
    for id in ids:
        await harness.until(id, lambda job: job.note == "")
    assert {row.state for row in await written(harness.journal)} == {JobState.PAUSED}


async def test_a_cancel_holds_and_tidies_up_where_it_cannot_be_written_down(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = write(source / "big", bytes(8 << 20))
    id = await harness.copy(big, to=target, limit_bytes_s=SLOW)
    await harness.until(id, lambda job: job.progress.bytes_done > 0)
    with monkeypatch.context() as disk:
        disk.setattr(Journal, "transaction", full)
        await harness.engine.cancel([id])
        await at_rest(harness.engine)
        job = await harness.engine.job(id)
        assert (job.state, job.note) == (JobState.CANCELLED, UNWRITTEN)
        assert (names(target), [ended.id for ended in harness.ended]) == ([], [id])
    await harness.until(id, lambda job: job.note == "")
    (row,) = await written(harness.journal)
    assert (row.state, row.cleanup) == (JobState.CANCELLED, None)


async def test_a_job_that_fails_for_a_full_journal_says_so_until_it_goes_on(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as disk:

        async def filled_as_it_begins(run: Run) -> JobState | None:
            disk.setattr(Journal, "transaction", full)
            return await carry_out(run)

        disk.setattr("tui.engine.keeper.carry_out", filled_as_it_begins)
        id = await harness.copy(write(source / "file"), to=target)
        job = await harness.ends(id)
        await at_rest(harness.engine)
        assert (job.state, job.progress.errors) == (JobState.FAILED, 1)
        assert job.note.endswith("cannot be used: database or disk is full")
        assert [ended.note for ended in harness.ended] == [job.note]
    await harness.engine.retry([id])
    assert (await harness.done(id)).note == ""


async def test_a_job_that_is_done_is_so_where_that_cannot_be_written_down(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_all = Journal.update_all

    async def full_at_the_end(
        journal: Journal, changes: list[tuple[int, dict[str, object]]], **rest: bool
    ) -> None:
        if changes[0][1]["state"] is JobState.DONE:
            raise EngineError("the journal cannot be used: database or disk is full")
        await update_all(journal, changes, **rest)

    with monkeypatch.context() as disk:
        disk.setattr(Journal, "update_all", full_at_the_end)
        job = await harness.done(await harness.copy(write(source / "file"), to=target))
        assert job.note == UNWRITTEN
        assert [row.state for row in await written(harness.journal)] == [JobState.RUNNING]
    await harness.until(job.id, lambda job: job.note == "")
    assert [row.state for row in await written(harness.journal)] == [JobState.DONE]
    assert [ended.state for ended in harness.ended] == [JobState.DONE]


async def test_a_job_is_off_the_list_as_soon_as_it_is_being_removed(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.copy(source / "gone", to=target)
    assert (await harness.ends(id)).state is JobState.FAILED
    await at_rest(harness.engine)
    write(source / "gone")
    removing = asyncio.create_task(harness.engine.remove([id]))
    await asyncio.sleep(0)  # it is on its way into the journal
    with pytest.raises(NoSuchJob):
        await harness.engine.retry([id])
    await removing
    await at_rest(harness.engine)
    assert names(target) == []


async def test_what_cannot_be_removed_stays_on_the_list(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await harness.done(await harness.copy(write(source / "file"), to=target))
    await at_rest(harness.engine)
    with monkeypatch.context() as disk:
        disk.setattr(Journal, "transaction", full)
        with pytest.raises(EngineError):
            await harness.engine.remove()
    assert [listed.id for listed in await harness.engine.jobs()] == [job.id]


async def test_a_paused_job_does_not_say_that_it_waits_for_another(
    harness: Harness, source: Path, target: Path
) -> None:
    first = await harness.copy(write(source / "big", bytes(8 << 20)), to=target, limit_bytes_s=SLOW)
    second = await harness.copy(write(source / "small"), to=target)
    await harness.until(second, lambda job: job.note != "")
    await harness.engine.pause([second])
    assert (await harness.engine.job(second)).note == ""
    await harness.engine.cancel([first])
