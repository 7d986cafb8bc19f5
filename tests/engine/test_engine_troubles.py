"""Passing troubles, mistakes of ours, and disks that do not answer."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import threading
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, names, running

from tui.engine.journal import Journal
from tui.model.error import EngineError, PlaceUnavailable
from tui.model.job import JobState
from tui.places.local import attributes
from tui.places.local.copying import FolderCopy
from tui.places.local.hops import Batch, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tui.places.local.loss_notes import LossNotes


@pytest.fixture
def small_files() -> Iterator[int]:
    """No file can grow beyond this size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = 24 << 20
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_what_is_wrong_in_a_tree_is_told_by_the_name_it_will_have(
    harness: Harness, source: Path, target: Path, small_files: int
) -> None:
    (source / "tree" / "inner").mkdir(parents=True)
    with (source / "tree" / "inner" / "huge").open("wb") as huge:
        for _ in range(small_files >> 20):
            huge.write(bytes(range(256)) * 4096)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (small_files // 2, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    )
    job = await harness.ends(await harness.copy(source / "tree", to=target))
    assert job.state is JobState.FAILED
    (error,) = await harness.engine.errors(job.id)
    assert f"{target}/tree/inner/huge" in error.message
    assert ".ferry-" not in error.message
    assert (job.progress.files_done, job.progress.bytes_done) == (0, 0)


async def test_a_name_that_is_too_long_is_told_as_it_was_to_be(
    harness: Harness, source: Path, target: Path
) -> None:
    (source / "file").write_text("text")
    long = target / ("x" * 256)
    job = await harness.ends(await harness.copy(source / "file", to=long, into=False))
    (error,) = await harness.engine.errors(job.id)
    assert error.message == f"cannot write {long}: the name is too long"


async def test_a_passing_trouble_is_tried_again_by_itself(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a").write_text("text")
    tried: list[int] = []
    step = FolderCopy.step

    def busy_at_first(copy: FolderCopy, *, finish: bool, notes: LossNotes | None) -> Batch:
        tried.append(1)
        if len(tried) == 1:
            return Batch(failures=[Failure(b"a", PlaceUnavailable("busy"))], exhausted=True)
        return step(copy, finish=finish, notes=notes)

    monkeypatch.setattr(FolderCopy, "step", busy_at_first)
    job = await harness.done(await harness.copy(source, to=target))
    assert (target / "source" / "a").read_text() == "text"
    assert (job.progress.errors, len(tried)) == (0, 2)


async def test_a_lasting_trouble_becomes_an_error_after_some_tries(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a").write_text("text")
    tried: list[int] = []

    def busy(copy: FolderCopy, *, finish: bool, notes: LossNotes | None) -> Batch:
        tried.append(1)
        return Batch(failures=[Failure(b"a", PlaceUnavailable("busy"))], exhausted=True)

    monkeypatch.setattr("tui.engine.retry.FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(FolderCopy, "step", busy)
    job = await harness.ends(await harness.copy(source / "a", to=target))
    assert job.state is JobState.FAILED
    assert (job.progress.errors, len(tried)) == (1, 3)


async def test_a_mistake_of_ours_ends_one_job_with_a_row_and_no_other(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a").write_text("text")

    def wrong(copy: FolderCopy, *, finish: bool, notes: LossNotes | None) -> Batch:
        raise ZeroDivisionError("a mistake")

    with monkeypatch.context() as patched:
        patched.setattr(FolderCopy, "step", wrong)
        job = await harness.ends(await harness.copy(source, to=target))
    assert job.state is JobState.FAILED
    (error,) = await harness.engine.errors(job.id)
    assert "ZeroDivisionError" in error.message
    await harness.engine.retry([job.id])
    await harness.done(job.id)
    assert (target / "source" / "a").read_text() == "text"


async def test_a_disk_that_does_not_answer_stops_neither_cancel_nor_shut_down(
    tmp_path: Path, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a").write_text("text")
    answers = threading.Event()
    entered = threading.Event()

    def hangs(copy: FolderCopy, *, finish: bool, notes: LossNotes | None) -> Batch:
        entered.set()
        answers.wait()
        return Batch(exhausted=True)

    monkeypatch.setattr(FolderCopy, "step", hangs)
    loop = asyncio.get_running_loop()
    async with running(tmp_path / "journal") as harness:
        id = await harness.copy(source, to=target)
        await harness.until(id, lambda _: entered.is_set())
        began = loop.time()
        await harness.engine.cancel([id])
        assert (await harness.engine.job(id)).state is JobState.CANCELLED
        await harness.engine.shut_down()
        assert loop.time() - began < 10
    answers.set()


async def test_a_disk_that_does_not_answer_holds_up_no_other_job(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.engine import turns

    (source / "good").write_text("text")
    answers = threading.Event()
    lanes_of = turns.lanes_of

    def look(places: list[object], target: object) -> frozenset[int]:
        if "hung" in str(places):
            answers.wait()
        return lanes_of(places, target)  # type: ignore[arg-type]

    monkeypatch.setattr(turns, "lanes_of", look)
    monkeypatch.setattr(turns, "LANES_PATIENCE_S", 0.05)
    hung = await harness.copy(source / "hung", to=target)
    good = await harness.copy(source / "good", to=target)
    await harness.done(good)
    job = await harness.until(hung, lambda job: job.note != "")
    assert (job.state, job.note) == (JobState.QUEUED, "waits for a disk that does not answer")
    await harness.engine.cancel([hung])
    answers.set()


async def test_a_mistake_of_ours_with_one_job_keeps_no_other_from_starting(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a").write_text("text")

    def broken(*arguments: object) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr("tui.engine.turns.lanes_of", broken)
    await harness.done(await harness.copy(source / "a", to=target))
    monkeypatch.setattr("tui.engine.turns.plan", broken)
    waiting = await harness.copy(source, to=target)
    await asyncio.sleep(0)
    monkeypatch.undo()
    harness.engine._keeper.kick()
    await harness.done(waiting)


async def test_a_job_whose_start_cannot_be_written_down_starts_all_the_same(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a").write_text("text")
    update_all, refused = Journal.update_all, []

    async def full_at_first(journal: Journal, *args: object, **rest: object) -> None:
        if not refused:
            refused.append(args)
            raise EngineError("the journal's disk is full")
        await update_all(journal, *args, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Journal, "update_all", full_at_first)
    await harness.done(await harness.copy(source / "a", to=target))
    assert len(refused) == 1


async def test_a_folder_that_does_not_get_its_time_back_keeps_nothing_else_from_being_copied(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [source / "a" / "one", source / "b" / "two"]
    for file in files:
        file.parent.mkdir()
        file.write_text(file.name)
    for folder in (source / "a", source / "b", target):
        os.utime(folder, ns=(10**18, 10**18))  # the target's is kept when something is put into it, then

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(attributes.Mirror, "restore", fail)
    job = await harness.ends(await harness.copy(*files, to=target))
    assert job.state is JobState.FAILED
    told = {error.message for error in await harness.engine.errors(job.id)}
    assert told == {f"cannot set the attributes of {target}: the disk reported an error"}
    assert names(target) == ["one", "two"]
    monkeypatch.undo()
    await harness.engine.retry([job.id])
    await harness.done(job.id)


async def test_a_job_whose_end_cannot_be_written_down_does_not_seem_to_run(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise EngineError("the journal cannot be used: database or disk is full")

    (source / "file").write_text("text")
    with monkeypatch.context() as disk:
        disk.setattr(Journal, "sum_of_traces", full)
        id = await harness.move(source / "file", to=target)
        job = await harness.ends(id)
        assert (job.state, job.progress.errors) == (JobState.FAILED, 1)
        assert job.note == "the journal cannot be used: database or disk is full"
    await harness.engine.retry([id])
    await harness.done(id)
    assert [job.id for job in harness.ended] == [id, id]
    assert (target / "file").read_text() == "text"
