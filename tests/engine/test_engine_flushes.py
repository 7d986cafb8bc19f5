"""A job waits for the disk before it is done, and before a move removes anything; what the disk refuses is told."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, at_rest, crash, names, new_engine, running, until, write

from tests.mounts import tmpfs
from tui.engine import keeper
from tui.engine.engine import Limits
from tui.model.error import EngineError
from tui.model.job import Conflict, Flush, JobState
from tui.places.local import syscalls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.model.job import Job


class Disk:
    """Stands for the calls that wait for the disk: notes what stood where at each, fails or waits as a test wants.

    Attributes:
        flushes: At each flush of a filesystem: (names in the source folder, names in the target folder).
        names_flushed: Folders of which just the names were flushed, and files flushed alone.
        devices: The filesystem of each flush.
        fails: Numbers of the errors to come, 0 for none.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, source: Path, target: Path) -> None:
        self.flushes: list[tuple[list[str], list[str]]] = []
        self.names_flushed: list[str] = []
        self.devices: list[int] = []
        self.fails: list[int] = []
        self.answers = threading.Event()
        self.answers.set()
        self._source, self._target = source, target
        monkeypatch.setattr(syscalls, "sync_filesystem", self._filesystem)
        monkeypatch.setattr(syscalls, "sync_file", self._file)

    def _filesystem(self, fd: int) -> None:
        self.flushes.append((names(self._source), names(self._target)))
        self.devices.append(os.fstat(fd).st_dev)
        assert self.answers.wait(20)
        if self.fails and (number := self.fails.pop(0)):
            raise OSError(number, os.strerror(number))

    def _file(self, fd: int) -> None:
        self.names_flushed.append(os.readlink(f"/proc/self/fd/{fd}"))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, source: Path, target: Path) -> Iterator[Disk]:
    disk = Disk(monkeypatch, source, target)
    yield disk
    disk.answers.set()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renames do not reach from one folder to another, as between filesystems."""
    monkeypatch.setattr("tui.engine.moving.move_into_place", lambda *_, **__: False)


def device(path: Path) -> int:
    return path.stat().st_dev


def in_the_stage(target: Path) -> Path:
    """Return a file of the tree that is being built."""
    return next(target.glob(".ferry-*/*"))


async def flushing(harness: Harness, id: int) -> Job:
    return await harness.until(id, lambda job: job.progress.flushing)


# Copies


async def test_the_disk_is_waited_for_behind_the_last_write_and_once(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    write(source / "a"), write(source / "tree" / "b")
    job = await harness.done(await harness.copy(source / "a", source / "tree", to=target))
    assert [there for _, there in disk.flushes] == [["a", "tree"]]
    assert job.progress.bytes_flushed == job.progress.bytes_done == 8


async def test_written_and_flushed_are_told_apart(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    disk.answers.clear()
    id = await harness.copy(write(source / "a"), to=target)
    job = await flushing(harness, id)
    assert (job.state, job.note) == (JobState.RUNNING, "flushing to disk…")
    assert (job.progress.bytes_done, job.progress.bytes_flushed) == (4, 0)
    disk.answers.set()
    job = await harness.done(id)
    assert (job.note, job.progress.flushing, job.progress.bytes_flushed) == ("", False, 4)


async def test_what_was_flushed_is_known_to_the_next_engine(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    id = await harness.copy(write(source / "a"), to=target)
    await harness.done(id)
    await harness.engine.shut_down()
    async with running(harness.journal) as again:
        assert (await again.engine.job(id)).progress.bytes_flushed == 4


async def test_none_waits_for_nothing(harness: Harness, source: Path, target: Path, disk: Disk) -> None:
    write(source / "tree" / "a")
    job = await harness.done(await harness.copy(source / "tree", to=target, flush=Flush.NONE))
    assert (disk.flushes, disk.names_flushed, job.progress.bytes_flushed) == ([], [], 0)


async def test_file_flushes_each_file_and_the_names_and_not_all_the_rest(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    write(source / "tree" / "a")
    job = await harness.done(await harness.copy(source / "tree", to=target, flush=Flush.FILE))
    assert disk.flushes == []
    stage = next(path for path in disk.names_flushed if path.endswith("/a")).removesuffix("/a")
    assert disk.names_flushed == [f"{stage}/a", stage, stage, str(target), str(target.parent)]
    assert job.progress.bytes_flushed == 4


async def test_a_job_that_wrote_nothing_does_not_wait(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    write(source / "tree" / "a")
    await harness.done(await harness.copy(source / "tree", to=target))
    write(target / "skipped", "mine"), write(source / "skipped")
    disk.flushes.clear()
    id = await harness.copy(source / "tree", source / "skipped", to=target, conflict=Conflict.SKIP)
    await harness.done(id)
    assert disk.flushes == []


async def test_empty_folders_and_links_are_something_written(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    (source / "empty").mkdir()
    (source / "link").symlink_to("nowhere")
    (source / "merged" / "new").mkdir(parents=True)
    (target / "merged").mkdir()
    for name in ("empty", "link", "merged"):
        await harness.done(await harness.copy(source / name, to=target))
    assert len(disk.flushes) == 3


async def test_what_an_engine_wrote_before_it_died_is_flushed_by_the_next(
    tmp_path: Path, source: Path, target: Path, disk: Disk
) -> None:
    journal = tmp_path / "journal"
    harness = Harness(new_engine(journal), journal)
    await harness.engine.start_up()
    disk.answers.clear()
    id = await harness.copy(write(source / "a"), to=target)
    await flushing(harness, id)
    await crash(harness)
    disk.answers.set()
    disk.flushes.clear()
    async with running(journal) as again:
        job = await again.done(id)
    assert (job.progress.files_same, len(disk.flushes), job.progress.bytes_flushed) == (1, 1, 4)


async def test_so_is_a_filesystem_mounted_below_the_target(
    tmp_path: Path, source: Path, target: Path, disk: Disk
) -> None:
    write(source / "tree" / "mounted" / "a"), write(source / "rest" / "b", "text" * 100)
    (target / "tree").mkdir(), (target / "rest").mkdir()
    with tmpfs(target / "tree" / "mounted", "size=1m") as mounted:
        async with running(tmp_path / "journal", Limits(slots=1)) as first:
            id = await first.copy(source / "tree", source / "rest", to=target, limit_bytes_s=4)
            await first.until(id, lambda job: job.progress.files_done == 1)
            assert names(mounted) == ["a"]
            await first.engine.pause([id])
        assert disk.devices == []
        async with running(tmp_path / "journal", Limits(slots=1)) as again:
            await again.engine.limit(None, [id])
            await again.engine.resume([id])
            assert (await again.done(id)).progress.files_same == 1
        assert disk.devices == [device(target), device(mounted)]


async def test_answers_are_flushed_too(harness: Harness, source: Path, target: Path, disk: Disk) -> None:
    write(source / "a"), write(source / "b"), write(target / "a", "other")
    id = await harness.copy(source / "a", source / "b", to=target)
    assert (await harness.ends(id)).state is JobState.WAITING
    (question,) = await harness.engine.questions(id)
    await harness.engine.answer(question.id, Conflict.OVERWRITE)
    job = await harness.done(id)
    assert len(disk.flushes) == 2
    assert job.progress.bytes_flushed == job.progress.bytes_done


# A slow disk


async def test_a_disk_that_takes_long_keeps_neither_a_pause_nor_a_cancel_waiting(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    disk.answers.clear()
    id = await harness.copy(write(source / "a"), to=target)
    await flushing(harness, id)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    assert (await harness.engine.job(id)).state is JobState.PAUSED
    await harness.engine.resume([id])
    await flushing(harness, id)
    await harness.engine.cancel([id])
    await at_rest(harness.engine)
    job = await harness.engine.job(id)
    assert (job.state, job.note, job.progress.flushing) == (JobState.CANCELLED, "", False)


async def test_other_jobs_go_on_meanwhile(harness: Harness, source: Path, target: Path, disk: Disk) -> None:
    disk.answers.clear()
    slow = await harness.copy(write(source / "a"), to=target)
    await flushing(harness, slow)
    quick = await harness.copy(write(source / "b"), to=target, flush=Flush.NONE)
    await harness.engine.start([quick])
    await harness.done(quick)
    assert (await harness.engine.job(slow)).state is JobState.RUNNING
    disk.answers.set()
    await harness.done(slow)


async def test_an_engine_stops_while_a_disk_hangs(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    disk.answers.clear()
    await flushing(harness, await harness.copy(write(source / "a"), to=target))
    async with asyncio.timeout(5):
        await harness.engine.shut_down()


# A disk that refuses


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
async def test_a_job_whose_flush_fails_is_not_done_and_says_so(
    harness: Harness, source: Path, target: Path, disk: Disk, number: int
) -> None:
    disk.fails = [number]
    job = await harness.ends(await harness.copy(write(source / "a"), to=target))
    assert (job.state, job.progress.bytes_flushed) == (JobState.FAILED, 0)
    (error,) = await harness.engine.errors(job.id)
    assert error.code == "NotFlushed"
    assert error.message.startswith(f"the disk did not take what was written to {target}: ")
    assert "compared" in error.remedy


async def test_a_retry_compares_what_looks_complete_and_is_done_only_then(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    write(source / "tree" / "good"), write(source / "tree" / "lost", "text")
    disk.fails = [errno.EIO]
    id = await harness.copy(source / "tree", to=target, conflict=Conflict.OVERWRITE)
    assert (await harness.ends(id)).state is JobState.FAILED
    write(target / "tree" / "lost", "\0\0\0\0")  # of the same size and time
    await harness.engine.retry([id])
    job = await harness.done(id)
    assert (target / "tree" / "lost").read_text() == "text"
    assert (job.progress.files_same, job.progress.bytes_flushed) == (1, 8)
    assert not harness.engine._keeper.board.get(id).doubtful  # type: ignore[union-attr]


async def test_the_doubt_outlives_the_engine(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    disk.fails = [errno.EIO]
    id = await harness.copy(write(source / "a"), to=target, conflict=Conflict.OVERWRITE)
    await harness.ends(id)
    await harness.engine.shut_down()
    write(target / "a", "\0\0\0\0")
    async with running(harness.journal) as again:
        await again.engine.retry([id])
        await again.done(id)
    assert (target / "a").read_text() == "text"


async def test_so_is_the_tree_compared_that_was_being_built(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    for number in range(20):
        write(source / "tree" / f"{number}", "text")
    id = await harness.copy(source / "tree", to=target, limit_bytes_s=16)
    await harness.until(id, lambda job: job.progress.files_done > 0)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    write(in_the_stage(target), "\0\0\0\0")
    disk.fails = [errno.EIO]
    assert (
        await harness.ends(await harness.copy(write(source / "other"), to=target))
    ).state is JobState.FAILED
    await harness.engine.limit(None, [id])
    await harness.engine.resume([id])
    await harness.done(id)
    assert {path.read_text() for path in (target / "tree").iterdir()} == {"text"}


# Moves


@pytest.mark.parametrize("flush", list(Flush))
async def test_a_move_removes_originals_only_behind_a_flush(
    harness: Harness, source: Path, target: Path, disk: Disk, elsewhere: None, flush: Flush
) -> None:
    write(source / "a"), write(source / "tree" / "b")
    await harness.done(await harness.move(source / "a", source / "tree", to=target, flush=flush))
    assert disk.flushes[0] == (["a", "tree"], ["a", "tree"])
    assert (names(source), names(target)) == ([], ["a", "tree"])
    assert len(disk.flushes) == 1


async def test_a_move_whose_flush_fails_keeps_the_originals_until_their_copies_are_compared(
    harness: Harness, source: Path, target: Path, disk: Disk, elsewhere: None
) -> None:
    write(source / "good"), write(source / "lost")
    disk.fails = [errno.EIO]
    id = await harness.move(source / "good", source / "lost", to=target, conflict=Conflict.OVERWRITE)
    assert (await harness.ends(id)).state is JobState.FAILED
    assert {error.code for error in await harness.engine.errors(id)} == {"NotFlushed"}
    assert (await harness.engine.job(id)).progress.bytes_flushed == 0
    assert names(source) == ["good", "lost"]
    write(target / "lost", "\0\0\0\0")
    await harness.engine.retry([id])
    job = await harness.done(id)
    assert (names(source), (target / "lost").read_text()) == ([], "text")
    assert job.progress.bytes_flushed == job.progress.bytes_done


async def test_a_move_stopped_while_it_is_flushed_keeps_the_originals(
    harness: Harness, source: Path, target: Path, disk: Disk, elsewhere: None
) -> None:
    disk.answers.clear()
    id = await harness.move(write(source / "a"), to=target)
    await flushing(harness, id)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    assert names(source) == ["a"]
    disk.answers.set()
    await harness.engine.resume([id])
    await harness.done(id)
    assert names(source) == []


@pytest.mark.parametrize("flush", list(Flush))
async def test_a_move_removes_nothing_before_it_flushed_what_a_killed_engine_wrote_below_the_target(
    tmp_path: Path, source: Path, target: Path, disk: Disk, elsewhere: None, flush: Flush,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    write(source / "tree" / "mounted" / "a"), write(source / "rest" / "b", "text" * 100)
    (target / "tree").mkdir(), (target / "rest").mkdir()
    monkeypatch.setattr(keeper, "CHECKPOINT_TICKS", 10**9)
    journal = tmp_path / "journal"
    with tmpfs(target / "tree" / "mounted", "size=1m") as mounted:
        first = Harness(new_engine(journal, Limits(slots=1)), journal)
        await first.engine.start_up()
        id = await first.move(source / "tree", source / "rest", to=target, limit_bytes_s=4, flush=flush)
        await first.until(id, lambda job: job.progress.files_done == 1)
        await crash(first)
        assert (names(mounted), disk.devices) == (["a"], [])
        assert names(source / "tree" / "mounted") == ["a"]
        async with running(journal, Limits(slots=1)) as again:
            await again.engine.limit(None, [id])
            await again.done(id)
        assert disk.devices[:2] == [device(target), device(mounted)]
        assert disk.flushes[1][0] == ["rest", "tree"]
    assert names(source) == []


@pytest.mark.parametrize(("flush", "flushed"), [(Flush.NONE, False), (Flush.JOB, True), (Flush.FILE, True)])
async def test_a_move_that_only_renames_flushes_names_and_no_filesystem(
    harness: Harness, source: Path, target: Path, disk: Disk, flush: Flush, flushed: bool
) -> None:
    write(source / "tree" / "a")
    await harness.done(await harness.move(source / "tree", to=target, flush=flush))
    assert disk.flushes == []
    assert (str(target) in disk.names_flushed) is flushed


async def test_a_flush_that_cannot_be_announced_is_not_begun_and_leaves_nothing_open(
    harness: Harness, source: Path, target: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise EngineError("the journal is full")

    write(source / "a")
    opened = open_at(target)
    with monkeypatch.context() as patch:
        patch.setattr(harness.engine._journal, "set_doubts", refuse)
        job = await harness.ends(await harness.copy(source / "a", to=target))
    assert (job.state, disk.flushes) == (JobState.FAILED, [])
    assert open_at(target) == opened == 0


def open_at(folder: Path) -> int:
    """Return how often this process has a folder open."""
    opened = (os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return sum(path == str(folder) for path in opened)


# A failure that nobody waits for any more


async def test_a_flush_that_fails_behind_a_pause_is_not_forgotten(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    disk.answers.clear()
    disk.fails = [errno.EIO]
    id = await harness.copy(write(source / "a"), to=target, conflict=Conflict.OVERWRITE)
    await flushing(harness, id)
    await harness.engine.pause([id])
    await harness.until(id, lambda job: job.state is JobState.PAUSED)
    disk.answers.set()
    await harness.until(id, lambda job: bool(job.note))
    write(target / "a", "\0\0\0\0")
    await harness.engine.resume([id])
    await harness.done(id)
    assert (target / "a").read_text() == "text"


async def test_a_flush_that_succeeds_behind_a_pause_leaves_no_doubt(
    harness: Harness, source: Path, target: Path, disk: Disk
) -> None:
    disk.answers.clear()
    id = await harness.copy(write(source / "a"), to=target)
    await flushing(harness, id)
    assert await doubts(harness, id)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    assert await doubts(harness, id)
    disk.answers.set()
    async with asyncio.timeout(20):
        while await doubts(harness, id):
            pass  # the journal is asked until it says so


async def test_an_engine_killed_while_it_flushes_leaves_the_job_in_doubt(
    tmp_path: Path, source: Path, target: Path, disk: Disk
) -> None:
    journal = tmp_path / "journal"
    harness = Harness(new_engine(journal), journal)
    await harness.engine.start_up()
    disk.answers.clear()
    id = await harness.copy(write(source / "a"), to=target, conflict=Conflict.OVERWRITE)
    await flushing(harness, id)
    await until(lambda: disk.flushes)  # shown as flushing, it may still be writing the doubt down
    await crash(harness)
    disk.answers.set()
    write(target / "a", "\0\0\0\0")
    async with running(journal) as again:
        await again.done(id)
        assert not await doubts(again, id)
    assert (target / "a").read_text() == "text"


async def doubts(harness: Harness, id: int) -> bool:
    """Say whether the journal holds a job in doubt."""
    (row,) = await harness.engine._journal.jobs(id)
    return row.doubtful
