"""A disk tells of a lost write once: whoever hears it, every job that wrote there compares before it believes."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from tests.engine.engine_harness import Harness, crash, names, new_engine, running
from tests.faults.seam import Fault, Seam
from tui.model.job import Conflict, Flush, JobKind, JobState
from tui.places.local import syscalls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not hasattr(syscalls._libc, "syncfs"), reason="the system cannot flush a single filesystem"
)

FILES = 6
REFUSED_ONCE = Fault(0, errno.EIO, name="syncfs")


@pytest.fixture
async def seam(monkeypatch: pytest.MonkeyPatch) -> Seam:
    monkeypatch.setattr("tui.places.local.copying.BATCH_ENTRIES", 1)
    return Seam(monkeypatch)


@pytest.fixture
async def harness(tmp_path: Path, seam: Seam) -> AsyncIterator[Harness]:
    async with running(tmp_path / "journal") as harness:
        yield harness


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Some files, and a folder `target` beside them."""
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"file {number}").write_text("text" * 100)
    (tmp_path / "other").write_text("of another job")
    (tmp_path / "target").mkdir()
    return folder


async def under_way(harness: Harness, source: Path, kind: JobKind = JobKind.COPY) -> int:
    """Begin a job, slowly, and return its id when something is at the target."""
    files = [source / f"file {number}" for number in range(FILES)]
    target = source.parent / "target"
    id = await harness.copy(*files, to=target, kind=kind, limit_bytes_s=400, conflict=Conflict.OVERWRITE)
    await harness.until(id, lambda job: 0 < job.progress.files_done < FILES)
    return id


async def pause(harness: Harness, id: int) -> None:
    await harness.engine.pause([id])
    await harness.until(id, lambda _: not harness.engine._keeper._tasks)


async def go_on(harness: Harness, id: int) -> None:
    await harness.engine.limit(None, [id])
    await harness.engine.resume([id])


async def another_hears_of_it(harness: Harness, seam: Seam, source: Path) -> None:
    seam.arm(REFUSED_ONCE)
    job = await harness.ends(await harness.copy(source.parent / "other", to=source.parent / "target"))
    assert (job.state, seam.struck) == (JobState.FAILED, "syncfs")


def lose(target: Path) -> Path:
    """Let a copy hold something else under the same size and time, as where a page never reached the disk."""
    copy = next(target.glob("file *"))
    info = copy.stat()
    copy.write_bytes(bytes(info.st_size))
    os.utime(copy, ns=(info.st_atime_ns, info.st_mtime_ns))
    return copy


async def test_a_job_that_rests_is_in_doubt_where_the_flush_of_another_fails(
    harness: Harness, seam: Seam, source: Path
) -> None:
    id = await under_way(harness, source)
    await pause(harness, id)
    await another_hears_of_it(harness, seam, source)
    assert (await harness.engine.job(id)).note.startswith("a disk did not take everything")
    lost = lose(source.parent / "target")
    await go_on(harness, id)
    job = await harness.done(id)
    assert lost.read_text() == "text" * 100
    assert job.progress.bytes_flushed == job.progress.bytes_done


@pytest.mark.parametrize("killed", ["before", "after"])
async def test_an_engine_that_is_killed_before_or_after_knows_it_too(
    tmp_path: Path, seam: Seam, source: Path, killed: str
) -> None:
    first = Harness(new_engine(tmp_path / "journal"), tmp_path / "journal")
    await first.engine.start_up()
    id = await under_way(first, source)
    await pause(first, id)
    if killed == "after":
        await another_hears_of_it(first, seam, source)
    await crash(first)
    async with running(tmp_path / "journal") as last:
        if killed == "before":
            await another_hears_of_it(last, seam, source)
        lost = lose(tmp_path / "target")
        await go_on(last, id)
        await last.done(id)
    assert lost.read_text() == "text" * 100


async def test_a_move_that_runs_meanwhile_removes_nothing_though_its_own_flush_succeeds(
    harness: Harness, seam: Seam, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.engine.moving.move_into_place", lambda *_, **__: False)
    id = await under_way(harness, source, JobKind.MOVE)
    seam.arm(REFUSED_ONCE)
    other = await harness.copy(source.parent / "other", to=source.parent / "target")
    await harness.engine.start([other])
    assert (await harness.ends(other)).state is JobState.FAILED
    lost = lose(source.parent / "target")
    await harness.engine.limit(None, [id])
    assert (await harness.ends(id)).state is JobState.FAILED
    assert {error.code for error in await harness.engine.errors(id)} == {"NotFlushed"}
    assert len(names(source)) == FILES
    await harness.engine.retry([id])
    await harness.done(id)
    assert (lost.read_text(), names(source)) == ("text" * 100, [])


async def test_a_job_whose_writes_were_flushed_before_is_in_no_doubt(
    harness: Harness, seam: Seam, source: Path
) -> None:
    (source.parent / "target" / "other").write_text("in the way")
    flushed = await harness.copy(source / "file 0", source.parent / "other", to=source.parent / "target")
    assert (await harness.ends(flushed)).state is JobState.WAITING  # for an answer; the rest is on the disk
    seam.arm(REFUSED_ONCE)
    job = await harness.ends(
        await harness.copy(source / "file 1", to=source.parent / "target", flush=Flush.JOB)
    )
    assert job.state is JobState.FAILED
    record = harness.engine._keeper.board.get(flushed)
    assert record is not None
    assert not record.doubtful
