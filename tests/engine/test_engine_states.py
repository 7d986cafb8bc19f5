"""Pausing, cancelling, asking, retrying, and going on after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, at_rest, crash, names, new_engine, running, until

from tests.trees import describe, differences, make_mixed_tree, partials
from tui.engine.engine import Limits
from tui.engine.walk import Walk
from tui.model.error import NotPossible
from tui.model.job import Conflict, JobKind, JobState
from tui.places.local.slices import SliceCopy

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
SLOW = 4 * MIB
"""A limit at which a large file takes seconds, in bytes a second."""


def big(path: Path, size_mib: int = 24) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(MIB) * size_mib)
    return path


def many(folder: Path, count: int = 40, size_bytes: int = 200_000) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"file {number}").write_bytes(os.urandom(size_bytes))
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


async def started(harness: Harness, id: int, size_bytes: int = 2 * MIB) -> None:
    await harness.until(id, lambda job: job.progress.bytes_done >= size_bytes)


# Pause


async def test_a_job_paused_before_all_was_counted_does_not_tell_what_it_met_for_the_whole(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.engine.totals.DELAY_S", 3600)
    many(source / "tree")
    id = await harness.copy(source / "tree", to=target, limit_bytes_s=SLOW)
    await started(harness, id)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    assert (await harness.engine.job(id)).progress.counting
    await harness.engine.limit(None, [id])
    await harness.engine.resume([id])
    job = await harness.done(id)
    assert not job.progress.counting
    assert (job.progress.files_done, job.progress.files_total) == (40, 40)


async def test_a_paused_job_goes_on_at_its_offset(harness: Harness, source: Path, target: Path) -> None:
    file = big(source / "big")
    id = await harness.copy(file, to=target, limit_bytes_s=SLOW)
    await started(harness, id)
    await harness.engine.pause([id])
    paused = await harness.engine.job(id)
    assert paused.state is JobState.PAUSED
    await at_rest(harness.engine)
    assert not (target / "big").exists()
    (partial,) = partials(target)
    kept = os.stat(partial).st_blocks * 512
    assert kept >= 2 * MIB
    await harness.engine.limit(None, [id])
    await harness.engine.resume([id])
    first = await harness.until(id, lambda job: job.state in (JobState.RUNNING, JobState.DONE))
    assert first.progress.bytes_done >= paused.progress.bytes_done
    await harness.done(id)
    assert (target / "big").read_bytes() == file.read_bytes()
    assert partials(target) == []


async def test_a_paused_tree_goes_on_without_copying_twice(
    harness: Harness, source: Path, target: Path
) -> None:
    many(source / "a")
    id = await harness.copy(source, to=target, limit_bytes_s=SLOW)
    await started(harness, id)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    assert not (target / "source").exists()
    await harness.engine.limit(None, [id])
    await harness.engine.resume([id])
    job = await harness.done(id)
    assert job.progress.files_same > 0
    assert job.progress.files_done == 40
    assert differences(describe(source), describe(target / "source")) == []


async def test_pausing_and_resuming_are_refused_after_the_end(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await harness.copy(write(source / "a", "text"), to=target)
    await harness.done(id)
    for action in (harness.engine.pause, harness.engine.resume, harness.engine.cancel, harness.engine.retry):
        with pytest.raises(NotPossible):
            await action([id])
    await harness.engine.pause()
    assert (await harness.engine.job(id)).state is JobState.DONE


async def test_a_waiting_or_queued_job_can_be_paused(harness: Harness, source: Path, target: Path) -> None:
    id = await harness.copy(write(source / "a", "text"), to=target, paused=True)
    await harness.engine.pause([id])
    assert not (target / "a").exists()
    assert harness.engine.idle
    await harness.engine.resume()
    await harness.done(id)


# Cancel


async def test_a_cancelled_file_leaves_nothing(harness: Harness, source: Path, target: Path) -> None:
    id = await harness.copy(big(source / "big"), to=target, limit_bytes_s=SLOW)
    await started(harness, id)
    await harness.engine.cancel([id])
    assert (await harness.engine.job(id)).state is JobState.CANCELLED
    assert names(target) == []


async def test_a_cancelled_tree_keeps_what_is_finished(harness: Harness, source: Path, target: Path) -> None:
    many(source)
    big(source / "zz" / "big")
    id = await harness.copy(source, to=target, limit_bytes_s=SLOW)
    await started(harness, id)
    await harness.engine.cancel([id])
    job = await harness.until(id, lambda job: job.note != "")
    assert "incomplete" in job.note
    assert partials(target) == []
    copied = [path for path in (target / "source").iterdir() if path.is_file()]
    assert 0 < len(copied) < 40
    assert all(path.read_bytes() == (source / path.name).read_bytes() for path in copied)


async def test_a_cancelled_tree_goes_when_asked_to(harness: Harness, source: Path, target: Path) -> None:
    many(source)
    small = write(source.parent / "small", "text")
    id = await harness.copy(small, source, to=target, limit_bytes_s=SLOW)
    await started(harness, id)
    await harness.engine.cancel([id], keep=False)
    await at_rest(harness.engine)
    assert names(target) == []
    assert len(names(source)) == 40


async def test_what_stood_at_the_target_before_survives_a_cancel(
    harness: Harness, source: Path, target: Path
) -> None:
    many(source)
    write(target / "source" / "mine", "stays")
    id = await harness.copy(source, to=target, limit_bytes_s=SLOW)
    await started(harness, id)
    await harness.engine.cancel([id], keep=False)
    await at_rest(harness.engine)
    assert (target / "source" / "mine").read_text() == "stays"
    assert partials(target) == []


async def test_a_paused_job_can_be_cancelled_and_leaves_no_half_file(
    harness: Harness, source: Path, target: Path
) -> None:
    big(source / "big")
    write(target / "source" / "mine", "stays")
    id = await harness.copy(source, to=target, limit_bytes_s=SLOW)
    await started(harness, id)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    assert len(partials(target)) == 1
    await harness.engine.cancel([id])
    await at_rest(harness.engine)
    assert partials(target) == []


async def test_a_cancelled_job_can_be_taken_up_again(harness: Harness, source: Path, target: Path) -> None:
    many(source)
    id = await harness.copy(source, to=target, limit_bytes_s=SLOW)
    await started(harness, id)
    await harness.engine.cancel([id])
    await harness.engine.limit(None)
    await at_rest(harness.engine)
    await harness.engine.retry([id])
    await harness.engine.limit(None, [id])
    job = await harness.done(id)
    assert job.progress.files_same > 0
    assert differences(describe(source), describe(target / "source")) == []


async def test_a_cancel_is_quick(harness: Harness, source: Path, target: Path) -> None:
    many(source, 2000, 100)
    id = await harness.copy(source, to=target, limit_bytes_s=1_000)
    await started(harness, id, 1)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await harness.engine.cancel([id])
    assert (await harness.engine.job(id)).state is JobState.CANCELLED
    assert (
        loop.time() - began < 5
    )  # 0.2 s on a machine that does nothing else; the batch takes a quarter of a minute


# Ask


async def asked(harness: Harness, source: Path, target: Path, count: int = 3) -> int:
    for number in range(count):
        write(source / "inner" / f"taken {number}", "here")
        write(target / "source" / "inner" / f"taken {number}", "there!")
    write(source / "inner" / "free", "text")
    id = await harness.copy(source, to=target)
    job = await harness.ends(id)
    assert job.state is JobState.WAITING
    assert job.progress.questions == count
    assert (target / "source" / "inner" / "free").read_text() == "text"
    return id


async def test_a_conflict_asks_and_the_answer_is_carried_out(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await asked(harness, source, target)
    await until(lambda: harness.engine.idle)  # how far it is may still be on its way into the journal
    questions = await harness.engine.questions(id)
    assert [question.source.name for question in questions] == ["taken 0", "taken 1", "taken 2"]
    assert questions[0].target.path == str(target / "source" / "inner" / "taken 0")
    assert (questions[0].source_facts.size_bytes, questions[0].target_facts.size_bytes) == (4, 6)
    await harness.engine.answer(questions[0].id, Conflict.OVERWRITE)
    await harness.engine.answer(questions[1].id, Conflict.RENAME)
    await harness.engine.answer(questions[2].id, Conflict.SKIP)
    job = await harness.done(id)
    inner = target / "source" / "inner"
    found = {path.name: path.read_text() for path in inner.iterdir()}
    assert found == {
        "free": "text",
        "taken 0": "here",
        "taken 1": "there!",
        "taken 1 (1)": "here",
        "taken 2": "there!",
    }
    assert (job.progress.files_done, job.progress.files_skipped, job.progress.files_total) == (4, 1, 4)
    assert inner.stat().st_mtime_ns == (source / "inner").stat().st_mtime_ns
    with pytest.raises(NotPossible):
        await harness.engine.answer(questions[0].id, Conflict.SKIP)


async def test_one_answer_can_be_for_all(harness: Harness, source: Path, target: Path) -> None:
    id = await asked(harness, source, target)
    (first, *_) = await harness.engine.questions()
    await harness.engine.answer(first.id, Conflict.OVERWRITE, for_all=True)
    job = await harness.done(id)
    assert job.conflict is Conflict.OVERWRITE
    assert {path.read_text() for path in (target / "source" / "inner").glob("taken*")} == {"here"}


async def test_a_change_of_the_rule_answers_what_is_open(
    harness: Harness, source: Path, target: Path
) -> None:
    id = await asked(harness, source, target)
    await harness.engine.set_conflict([id], Conflict.FAIL)
    job = await harness.ends(id)
    assert job.state is JobState.FAILED
    assert {error.code for error in await harness.engine.errors(id)} == {"CollisionRefused"}
    assert job.progress.errors == 3


async def test_the_retry_of_a_job_that_failed_for_taken_names_goes_by_a_new_rule(
    harness: Harness, source: Path, target: Path
) -> None:
    write(target / "a", "there!")
    id = await harness.copy(write(source / "a", "here"), to=target, conflict=Conflict.FAIL)
    assert (await harness.ends(id)).state is JobState.FAILED
    await harness.engine.set_conflict([id], Conflict.OVERWRITE)
    assert (await harness.engine.job(id)).state is JobState.FAILED
    assert (target / "a").read_text() == "there!"
    await harness.engine.retry([id])
    await harness.done(id)
    assert (target / "a").read_text() == "here"


async def test_a_conflict_of_a_single_file_asks_too(harness: Harness, source: Path, target: Path) -> None:
    write(target / "a", "there!")
    id = await harness.copy(write(source / "a", "here"), to=target)
    assert (await harness.ends(id)).state is JobState.WAITING
    (question,) = await harness.engine.questions(id)
    await harness.engine.answer(question.id, Conflict.OVERWRITE)
    await harness.done(id)
    assert (target / "a").read_text() == "here"


async def test_questions_and_answers_survive_a_restart(tmp_path: Path, source: Path, target: Path) -> None:
    async with running(tmp_path / "journal") as first:
        id = await asked(first, source, target)
        (question, *_) = await first.engine.questions(id)
        await first.engine.pause([id])
        await first.engine.answer(question.id, Conflict.OVERWRITE)
    async with running(tmp_path / "journal") as second:
        assert (await second.engine.job(id)).progress.questions == 2
        await second.engine.resume([id])
        job = await second.until(id, lambda job: job.state is JobState.WAITING)
        assert job.progress.questions == 2
        assert (target / "source" / "inner" / "taken 0").read_text() == "here"
        for question in await second.engine.questions(id):
            await second.engine.answer(question.id, Conflict.SKIP)
        job = await second.done(id)
        assert job.progress.files_done == job.progress.files_total == 4


async def test_a_question_that_has_settled_itself_is_forgotten(
    tmp_path: Path, source: Path, target: Path
) -> None:
    async with running(tmp_path / "journal") as first:
        id = await asked(first, source, target, count=1)
    (target / "source" / "inner" / "taken 0").unlink()
    async with running(tmp_path / "journal") as second:
        await second.done(id)
    assert (target / "source" / "inner" / "taken 0").read_text() == "here"


# Retry


async def test_a_retry_does_just_what_failed(harness: Harness, source: Path, target: Path) -> None:
    write(source / "good", "text")
    write(source / "inner" / "bad", "text")
    (target / "source" / "inner" / "bad" / "x").mkdir(parents=True)
    id = await harness.copy(source, source / "missing", to=target, conflict=Conflict.FAIL)
    assert (await harness.ends(id)).progress.errors == 2
    (target / "source" / "inner" / "bad" / "x").rmdir()
    (target / "source" / "inner" / "bad").rmdir()
    (target / "source" / "good").unlink()  # if all was walked again, it would come back
    await harness.engine.retry([id])
    job = await harness.ends(id)
    assert [error.location.name for error in await harness.engine.errors(id)] == ["missing"]
    assert (target / "source" / "inner" / "bad").read_text() == "text"
    assert not (target / "source" / "good").exists()
    write(source / "missing", "now")
    await harness.engine.retry([id])
    job = await harness.done(id)
    assert job.progress.errors == 0
    assert job.progress.files_done == job.progress.files_total == 3
    assert (target / "missing").read_text() == "now"


# After a crash


async def test_a_crashed_copy_is_finished_at_the_next_start(tmp_path: Path, target: Path) -> None:
    make_mixed_tree(tmp_path / "tree", seed=5, files=120, large_bytes=24 << 20)
    journal = tmp_path / "journal"
    first = Harness(new_engine(journal), journal)
    await first.engine.start_up()
    id = await first.copy(tmp_path / "tree", to=target, limit_bytes_s=SLOW)
    await started(first, id, 6 * MIB)
    await crash(first)
    assert not (target / "tree").exists()
    async with running(journal) as second:
        await second.engine.limit(None, [id])
        job = await second.done(id)
    assert differences(describe(tmp_path / "tree"), describe(target / "tree")) == []
    assert partials(target) == []
    assert job.progress.files_done == job.progress.files_total


async def test_a_crashed_merge_leaves_no_partial(tmp_path: Path, source: Path, target: Path) -> None:
    many(source)
    big(source / "inner" / "big")
    (target / "source").mkdir()
    journal = tmp_path / "journal"
    first = Harness(new_engine(journal), journal)
    await first.engine.start_up()
    id = await first.copy(source, to=target, limit_bytes_s=SLOW)
    await started(first, id, 5 * MIB)
    await crash(first)
    tag = first.engine._board.get(id).row.tag  # type: ignore[union-attr]
    write(target / "source" / f".ferry-{tag}-leftover", "of a file that has gone from the source since")
    async with running(journal) as second:
        await second.engine.limit(None, [id])
        await second.done(id)
    assert partials(target) == []
    assert (target / "source" / "inner" / "big").read_bytes() == (source / "inner" / "big").read_bytes()


async def test_paused_jobs_stay_paused_over_a_restart_and_go_on_at_their_offset(
    tmp_path: Path, source: Path, target: Path
) -> None:
    journal = tmp_path / "journal"
    async with running(journal) as first:
        id = await first.copy(big(source / "big"), to=target, limit_bytes_s=SLOW)
        await started(first, id, 8 * MIB)
        await first.engine.pause([id])
    async with running(journal) as second:
        job = await second.engine.job(id)
        assert job.state is JobState.PAUSED
        assert job.progress.bytes_done >= 8 * MIB
        assert second.engine.idle
        await second.engine.resume([id])
        await second.until(id, lambda job: job.state is JobState.RUNNING)
        await second.engine.limit(None, [id])
        await second.done(id)
    assert (target / "big").read_bytes() == (source / "big").read_bytes()


async def test_shutting_down_is_quick_and_keeps_the_job(tmp_path: Path, source: Path, target: Path) -> None:
    journal = tmp_path / "journal"
    async with running(journal) as first:
        id = await first.copy(many(source), to=target, limit_bytes_s=10_000)
        await started(first, id, 1)
        began = asyncio.get_running_loop().time()
        await first.engine.shut_down()
        assert asyncio.get_running_loop().time() - began < 5
        assert (await first.engine.job(id)).state is JobState.QUEUED
    async with running(journal) as second:
        await second.engine.limit(None, [id])
        await second.done(id)
    assert differences(describe(source), describe(target / "source")) == []


async def test_a_name_taken_while_a_tree_is_built_is_met_as_a_conflict(
    harness: Harness, source: Path, target: Path
) -> None:
    many(source)
    id = await harness.copy(source, to=target, limit_bytes_s=SLOW, conflict=Conflict.SKIP)
    await started(harness, id)
    write(target / "source" / "file 0", "somebody else's")
    await harness.engine.limit(None, [id])
    job = await harness.done(id)
    assert (target / "source" / "file 0").read_text() == "somebody else's"
    assert (target / "source" / "file 1").read_bytes() == (source / "file 1").read_bytes()
    assert partials(target) == []
    assert job.progress.files_skipped == 1


async def test_slots_and_limits_set_by_hand_outlive_the_engine_until_the_configuration_changes(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "journal"
    async with running(journal, Limits(2, None)) as first:
        await first.engine.set_slots(5)
        await first.engine.limit(1000)
    async with running(journal, Limits(2, None)) as second:
        status = await second.engine.status()
        assert (status.slots, status.limit_bytes_s) == (5, 1000)
    async with running(journal, Limits(3, 2000)) as third:
        status = await third.engine.status()
        assert (status.slots, status.limit_bytes_s) == (3, 2000)


async def test_a_damaged_journal_is_set_aside(tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite3"
    journal.write_bytes(b"this is no database" * 1000)
    async with running(journal) as harness:
        assert await harness.engine.jobs() == ()
        assert "damaged" in harness.engine.note
    assert any(name.startswith("journal.sqlite3.damaged-") for name in names(tmp_path))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("names", "'kfep'"),
        ("staging", "CAST(x'74ff' AS TEXT)"),
        ("first_source", "'file:///%00'"),
        ("losses", "'{'"),
    ],
)
async def test_a_job_that_cannot_be_understood_is_left_out_and_the_others_are_saved(
    tmp_path: Path, source: Path, target: Path, column: str, value: str
) -> None:
    journal = tmp_path / "journal.sqlite3"
    async with running(journal) as harness:
        ids = [await harness.copy(write(source / f"{n}", "text"), to=target, paused=True) for n in range(3)]
    with contextlib.closing(sqlite3.connect(journal, isolation_level=None)) as db:
        db.execute("UPDATE job SET state = 'running'")
        db.execute(f"UPDATE job SET {column} = {value} WHERE id = 2")
    async with running(journal) as harness:
        note = (await harness.engine.status()).note
        assert note.startswith("the queue's journal was damaged (")
        assert note.endswith("; 2 jobs were saved, what had not ended is paused"), note
        jobs = await harness.engine.jobs()
        assert [(job.id, job.state) for job in jobs] == [(ids[0], JobState.PAUSED), (ids[2], JobState.PAUSED)]
        await harness.engine.resume()
        for job in jobs:
            await harness.done(job.id)
    assert names(target) == ["0", "2"]


async def test_removing_takes_ended_jobs_off_the_list(harness: Harness, source: Path, target: Path) -> None:
    done = await harness.copy(write(source / "a", "text"), to=target)
    await harness.done(done)
    paused = await harness.submit(JobKind.DELETE, source / "a", paused=True)
    with pytest.raises(NotPossible):
        await harness.engine.remove([paused])
    await harness.engine.remove()
    assert [job.id for job in await harness.engine.jobs()] == [paused]


async def test_what_has_nothing_to_do_waits_without_waking_the_rest(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()
    step = SliceCopy.step

    def slow(copy: SliceCopy, size_bytes: int) -> int:
        begun.set()
        assert may_end.wait(20)
        return step(copy, size_bytes)

    looks: list[bool] = []
    look = Walk._next
    monkeypatch.setattr(SliceCopy, "step", slow)
    monkeypatch.setattr(Walk, "_next", lambda walk, **rest: (looks.append(True), look(walk, **rest))[1])
    id = await harness.copy(big(source / "a"), to=target)
    try:
        assert await asyncio.to_thread(begun.wait, 20)
        for _ in range(10):
            await asyncio.sleep(0)
        before = len(looks)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert len(looks) == before
    finally:
        may_end.set()
    await harness.done(id)
