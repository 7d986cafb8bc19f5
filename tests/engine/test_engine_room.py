"""Whether there is room: looked at before anything is written, and noticed when it runs out."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, at_rest, names, running

from tests.mounts import image, tmpfs
from tests.trees import partials
from tui.model.job import Conflict, Flush, JobKind, JobState
from tui.places.local.landing import Landing
from tui.places.local.room import Room
from tui.places.local.slices import SliceCopy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tui.model.job import Job

MIB = 1 << 20


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 4 MiB."""
    with tmpfs(tmp_path / "tiny", "size=4m") as folder:
        yield folder


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 40 files."""
    with tmpfs(tmp_path / "few", "size=4m,nr_inodes=41") as folder:
        yield folder


def enlarge(folder: Path, options: str = "size=64m") -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def fill(folder: Path, count: int, size_bytes: int) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    for number in range(count):
        (folder / f"file {number}").write_bytes(os.urandom(size_bytes))


def inside(folder: Path) -> list[Path]:
    return [folder / name for name in names(folder)]


@pytest.mark.parametrize("what", ["files", "tree"])
async def test_what_does_not_fit_waits_before_it_fills_the_disk_and_nothing_has_failed(
    harness: Harness, source: Path, tiny: Path, what: str
) -> None:
    fill(source, 5, 3 * MIB)
    sources = [source] if what == "tree" else inside(source)
    job = await harness.ends(await harness.copy(*sources, to=tiny))
    assert (job.state, job.wants_room) == (JobState.WAITING, True)
    assert job.note == f"needs 15.0 MiB, 4.0 MiB free on {tiny}: free space and resume"
    assert (job.progress.errors, job.progress.files_total) == (0, 5)
    if what == "files":
        assert names(tiny) == []


@pytest.mark.parametrize("into", [True, False])
async def test_the_room_is_measured_above_a_target_that_is_still_to_be_made(
    harness: Harness, source: Path, tiny: Path, into: bool
) -> None:
    fill(source, 2, 3 * MIB)
    sources = inside(source) if into else [source]
    job = await harness.ends(await harness.copy(*sources, to=tiny / "new", into=into))
    assert job.note == f"needs 6.0 MiB, 4.0 MiB free on {tiny}: free space and resume"


async def test_resuming_looks_again_and_goes_on_when_there_is_room(
    harness: Harness, source: Path, tiny: Path
) -> None:
    fill(source, 5, 3 * MIB)
    id = await harness.copy(source, to=tiny)
    await harness.ends(id)
    await at_rest(harness.engine)
    await harness.engine.resume([id])
    await harness.until(id, lambda job: job.state is not JobState.WAITING)
    assert (await harness.ends(id)).state is JobState.WAITING
    await at_rest(harness.engine)
    enlarge(tiny)
    await harness.engine.resume()
    await harness.done(id)
    assert names(tiny / "source") == names(source)


@pytest.mark.parametrize("size_bytes", [500_000, 20 * MIB])
async def test_a_job_that_is_told_to_start_all_the_same_fills_the_disk_and_waits(
    harness: Harness, source: Path, tiny: Path, size_bytes: int
) -> None:
    fill(source, 5_000_000 // size_bytes + 5, size_bytes)
    id = await harness.copy(source, to=tiny)
    await harness.ends(id)
    await at_rest(harness.engine)
    await harness.engine.start([id])
    await harness.until(id, lambda job: job.state is not JobState.WAITING)
    job = await harness.ends(id)
    assert (job.state, job.progress.errors) == (JobState.WAITING, 0)
    assert job.note.startswith(f"no space left on {tiny} (")
    assert job.note.endswith("free): free space and resume")
    await at_rest(harness.engine)
    enlarge(tiny, "size=160m")
    await harness.engine.resume([id])
    job = await harness.done(id)
    assert all(
        (tiny / "source" / name).read_bytes() == (source / name).read_bytes() for name in names(source)
    )
    assert partials(tiny) == []


@pytest.fixture
def offsets(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where the copies of large files went on from."""
    opened, open_it = list[int](), SliceCopy.open

    def noted(copy: SliceCopy) -> int:
        opened.append(open_it(copy))
        return opened[-1]

    monkeypatch.setattr(SliceCopy, "open", noted)
    return opened


async def full(harness: Harness, source: Path, disk: Path, flush: Flush = Flush.JOB) -> Job:
    """Copy a file of 40 MiB, that somebody wants to be begun, until the disk is full; return the job, which waits."""
    fill(source, 1, 40 * MIB)
    id = await harness.copy(source / "file 0", to=disk, flush=flush)
    await harness.ends(id)
    await at_rest(harness.engine)
    await harness.engine.start([id])
    await harness.until(id, lambda job: job.state is not JobState.WAITING)
    job = await harness.ends(id)
    await at_rest(harness.engine)
    return job


@pytest.mark.parametrize("flush", [Flush.JOB, Flush.FILE])
async def test_a_file_that_fills_the_disk_waits_and_goes_on_where_it_stood(
    harness: Harness, source: Path, tmp_path: Path, offsets: list[int], flush: Flush
) -> None:
    with tmpfs(tmp_path / "disk", "size=24m") as disk:
        job = await full(harness, source, disk, flush=flush)
        assert (job.state, job.wants_room, job.progress.errors) == (JobState.WAITING, True, 0)
        (half,) = inside(disk)
        size_bytes = half.stat().st_size
        assert (size_bytes > 16 * MIB, offsets) == (True, [0])
        assert job.progress.bytes_done == size_bytes
        enlarge(disk)
        await harness.engine.resume([job.id])
        job = await harness.done(job.id)
        assert offsets == [0, size_bytes]
        assert (job.progress.files_done, job.progress.bytes_done) == (1, 40 * MIB)
        assert (names(disk), (disk / "file 0").read_bytes()) == (["file 0"], (source / "file 0").read_bytes())


async def test_the_half_file_that_fills_the_disk_goes_with_a_cancel(
    harness: Harness, source: Path, tmp_path: Path
) -> None:
    with tmpfs(tmp_path / "disk", "size=24m") as disk:
        job = await full(harness, source, disk)
        assert len(names(disk)) == 1
        await harness.engine.cancel([job.id])
        await at_rest(harness.engine)
        assert names(disk) == []


async def test_a_file_that_fills_the_disk_goes_on_after_a_restart(
    source: Path, tmp_path: Path, offsets: list[int]
) -> None:
    journal = tmp_path / "state" / "journal.sqlite3"
    with tmpfs(tmp_path / "disk", "size=24m") as disk:
        async with running(journal) as harness:
            job = await full(harness, source, disk)
            size_bytes = job.progress.bytes_done
        enlarge(disk)
        async with running(journal) as harness:
            await harness.done(job.id)
        assert (names(disk), offsets) == (["file 0"], [0, size_bytes])


async def test_a_whole_copy_whose_name_finds_no_room_is_kept(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, offsets: list[int]
) -> None:
    import errno

    fill(source, 1, 40 * MIB)

    def no_name(*arguments: object, **rest: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Landing, "settle", no_name)
        job = await harness.ends(await harness.copy(source / "file 0", to=target))
    assert (job.state, job.progress.bytes_done) == (JobState.WAITING, 40 * MIB)
    await at_rest(harness.engine)
    await harness.engine.resume([job.id])
    job = await harness.done(job.id)
    assert (offsets, job.progress.bytes_done) == ([0, 40 * MIB], 40 * MIB)
    assert (target / "file 0").read_bytes() == (source / "file 0").read_bytes()


async def test_a_job_waiting_for_room_may_be_paused_and_cancelled(
    harness: Harness, source: Path, tiny: Path
) -> None:
    fill(source, 5, 3 * MIB)
    id = await harness.copy(source, to=tiny)
    await harness.ends(id)
    await harness.engine.pause([id])
    assert (await harness.engine.job(id)).state is JobState.PAUSED
    await harness.engine.resume([id])
    await harness.until(id, lambda job: job.state is JobState.WAITING)
    await harness.engine.cancel([id], keep=False)  # a file may have come before all were counted
    await at_rest(harness.engine)
    assert names(tiny) == []


async def test_after_a_restart_a_job_looks_again_whether_it_fits(
    tmp_path: Path, source: Path, tiny: Path
) -> None:
    fill(source, 2, 3 * MIB)
    async with running(tmp_path / "journal") as harness:
        id = await harness.copy(source, to=tiny)
        assert (await harness.ends(id)).wants_room
    enlarge(tiny)
    async with running(tmp_path / "journal") as harness:
        await harness.done(id)


async def test_too_few_inodes_are_noticed_before_they_run_out(
    harness: Harness, source: Path, few: Path
) -> None:
    fill(source, 50, 10)
    job = await harness.ends(await harness.copy(source, to=few))
    assert job.state is JobState.WAITING
    assert job.note == f"needs 51 inodes, 40 free on {few}: remove files and resume"


@pytest.mark.parametrize("kind", ["files", "folders", "links", "names"])
async def test_inodes_that_run_out_hold_the_job_whatever_was_to_be_made(
    harness: Harness, source: Path, few: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("tui.engine.room.room_in", unlimited)
    for number in range(50):
        path = source / f"entry {number}"
        if kind == "folders":
            path.mkdir()
        elif kind == "links":
            path.symlink_to("anywhere")
        else:
            path.write_text("text")
    sources = inside(source) if kind == "names" else [source]
    job = await harness.ends(await harness.copy(*sources, to=few))
    assert (job.state, job.progress.errors) == (JobState.WAITING, 0)
    await at_rest(harness.engine)
    enlarge(few, "nr_inodes=400")
    monkeypatch.undo()
    await harness.engine.resume([job.id])
    await harness.done(job.id)
    copied = few if kind == "names" else few / "source"
    assert names(copied) == names(source)


def unlimited(folder: object) -> Room:
    return Room("/", None, None)


async def test_a_target_folder_that_cannot_be_made_holds_the_job(
    harness: Harness, source: Path, few: Path
) -> None:
    fill(few, 39, 0)
    fill(source, 1, 10)
    (few / "last").mkdir()
    job = await harness.ends(await harness.copy(source / "file 0", to=few / "new"))
    assert (job.state, job.progress.errors) == (JobState.WAITING, 0)
    assert job.note == f"needs 1 inode, 0 free on {few}: remove files and resume"
    await at_rest(harness.engine)
    await harness.engine.start([job.id])
    await harness.until(job.id, lambda job: job.state is not JobState.WAITING)
    job = await harness.ends(job.id)
    assert job.note == f"no inodes left on {few}: remove files and resume"


async def test_a_quota_that_is_used_up_holds_the_job_and_is_named(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    fill(source, 3, 10)

    def used_up(*arguments: object, **rest: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    with monkeypatch.context() as patched:
        patched.setattr("tui.places.local.making.copy_all", used_up)
        job = await harness.ends(await harness.copy(source, to=target))
    assert (job.state, job.progress.errors) == (JobState.WAITING, 0)
    assert job.note.startswith("the disk quota on ")
    await at_rest(harness.engine)
    await harness.engine.resume([job.id])
    await harness.done(job.id)


async def test_only_the_job_on_the_full_disk_waits(
    harness: Harness, source: Path, target: Path, tiny: Path
) -> None:
    fill(source, 5, 3 * MIB)
    full = await harness.copy(source, to=tiny)
    other = await harness.copy(source, to=target)
    await harness.done(other)
    assert (await harness.ends(full)).wants_room


async def test_holes_and_further_names_need_no_room(harness: Harness, source: Path, tiny: Path) -> None:
    with (source / "sparse").open("wb") as file:
        file.write(os.urandom(100_000))
        file.truncate(1 << 30)
    fill(source, 1, MIB)
    for number in range(9):
        (source / f"name {number}").hardlink_to(source / "file 0")
    await harness.done(await harness.copy(source, to=tiny))


async def test_what_stands_complete_needs_no_room(harness: Harness, source: Path, tiny: Path) -> None:
    fill(source, 3, MIB)
    await harness.done(await harness.copy(source, to=tiny))
    await harness.done(await harness.copy(source, to=tiny))
    fill(source / "more", 1, MIB // 2)
    await harness.done(await harness.copy(source, to=tiny))


async def test_a_replaced_file_needs_only_what_it_grows_by(
    harness: Harness, source: Path, tiny: Path
) -> None:
    fill(source, 6, MIB // 2)
    await harness.done(await harness.copy(source, to=tiny))
    fill(source, 6, MIB // 2 + 4096)
    await harness.done(await harness.copy(source, to=tiny, conflict=Conflict.OVERWRITE))
    fill(source, 6, MIB)
    job = await harness.ends(await harness.copy(source, to=tiny, conflict=Conflict.OVERWRITE))
    assert job.wants_room
    job = await harness.ends(await harness.copy(source, to=tiny, conflict=Conflict.SKIP))
    assert job.state is JobState.DONE


async def test_a_half_copied_file_is_gone_on_with_where_the_rest_fits(
    harness: Harness, source: Path, tmp_path: Path
) -> None:
    with tmpfs(tmp_path / "disk", "size=48m") as disk:
        fill(source, 1, 40 * MIB)
        id = await harness.copy(source / "file 0", to=disk, limit_bytes_s=30 * MIB)
        await harness.until(id, lambda job: job.progress.bytes_done >= 16 * MIB)
        await harness.engine.pause([id])
        await at_rest(harness.engine)
        assert partials(disk)
        await harness.engine.limit(None, [id])
        await harness.engine.resume([id])
        await harness.done(id)


async def test_a_move_on_one_filesystem_needs_no_room(harness: Harness, tiny: Path) -> None:
    fill(tiny / "old", 3, MIB)
    await harness.done(await harness.move(tiny / "old", to=tiny / "new"))
    assert names(tiny / "new" / "old") == ["file 0", "file 1", "file 2"]


async def test_a_move_elsewhere_that_does_not_fit_removes_nothing(
    harness: Harness, source: Path, tiny: Path
) -> None:
    fill(source, 5, 3 * MIB)
    job = await harness.ends(await harness.move(source, to=tiny))
    assert job.wants_room
    assert len(names(source)) == 5
    await at_rest(harness.engine)
    enlarge(tiny)
    await harness.engine.resume([job.id])
    await harness.done(job.id)
    assert (len(names(tiny / "source")), names(source.parent).count("source")) == (5, 0)


@pytest.mark.parametrize(
    "make", [["mkfs.btrfs", "-q", "--mixed"], ["mkfs.xfs", "-q", "-m", "reflink=1"]], ids=" ".join
)
async def test_copies_that_share_their_blocks_need_no_room(
    harness: Harness, tmp_path: Path, make: list[str]
) -> None:
    with image(tmp_path / "disk", make, 320 * MIB) as disk:
        fill(disk / "big", 4, 50 * MIB)
        os.sync()
        await harness.done(await harness.copy(disk / "big", to=disk / "copies"))
        assert names(disk / "copies" / "big") == names(disk / "big")


async def test_removing_and_renaming_ask_for_no_room(harness: Harness, tiny: Path) -> None:
    fill(tiny / "full", 1, 4 * MIB - 8192)
    await harness.done(await harness.submit(JobKind.DELETE, tiny / "full"))
    assert names(tiny) == []
