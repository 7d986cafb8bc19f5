"""Copies and moves that read back what they wrote."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest
from engine_harness import OLD, Harness, crash, names, new_engine, running, until, write

from tests.spoiling import BadDisk
from tests.trees import describe, differences, make_mixed_tree, partials
from tui.engine.run import Stop
from tui.model.error import NotPossible, UsageError
from tui.model.job import Conflict, JobKind, JobState
from tui.places.local import checking, verifying

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LARGE = 20 << 20


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> BadDisk:
    disk = BadDisk()
    disk.install(monkeypatch)
    return disk


def regular(folder: Path) -> list[Path]:
    """Return the regular files below a folder."""
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


async def codes(harness: Harness, id: int) -> list[str]:
    return [error.code for error in await harness.engine.errors(id)]


async def test_a_verified_copy_is_a_copy_and_says_what_was_verified(
    harness: Harness, tmp_path: Path, target: Path
) -> None:
    make_mixed_tree(tmp_path / "tree", seed=5, files=60, large_bytes=LARGE)
    job = await harness.done(await harness.copy(tmp_path / "tree", to=target, verify=True))
    assert differences(describe(tmp_path / "tree"), describe(target / "tree")) == []
    files = regular(target)
    assert job.progress.files_verified == len(files) > 60
    assert job.progress.bytes_verified == sum(path.stat().st_size for path in files)
    assert job.verify
    assert not job.progress.verifying


async def test_without_being_asked_nothing_is_verified(
    harness: Harness, source: Path, target: Path, disk: BadDisk
) -> None:
    write(source / "file", b"content")
    disk.writes = 1
    job = await harness.done(await harness.copy(source, to=target))
    assert (job.verify, job.progress.files_verified) == (False, 0)
    assert (target / "source" / "file").read_bytes() != b"content"


@pytest.mark.parametrize("size", [100, LARGE])
async def test_a_copy_that_reads_back_differently_is_made_again(
    harness: Harness, source: Path, target: Path, disk: BadDisk, size: int
) -> None:
    content = os.urandom(size)
    write(source / "file", content)
    disk.writes = 1
    job = await harness.done(await harness.copy(source / "file", to=target, verify=True))
    assert disk.writes == 0
    assert (target / "file").read_bytes() == content
    assert (job.progress.bytes_done, job.progress.bytes_verified) == (size, size)


@pytest.mark.parametrize("size", [100, LARGE])
@pytest.mark.parametrize("whole_tree", [False, True])
async def test_one_that_differs_twice_is_an_error_row_and_can_be_retried(
    harness: Harness, source: Path, target: Path, disk: BadDisk, size: int, whole_tree: bool
) -> None:
    content = os.urandom(size)
    write(source / "bad", content)
    write(source / "good", b"good")
    disk.writes, disk.at_least = 2, min(size, 1 << 20)
    sources = [source] if whole_tree else [source / "bad"]
    id = await harness.copy(*sources, to=target, verify=True)
    job = await harness.ends(id)
    place = target / "source" if whole_tree else target
    assert (job.state, await codes(harness, id)) == (JobState.FAILED, ["VerificationFailed"])
    assert names(place) == (["good"] if whole_tree else [])
    assert partials(target) == []
    (error,) = await harness.engine.errors(id)
    assert str(place / "bad") in error.message
    assert error.remedy
    await harness.engine.retry([id])
    job = await harness.done(id)
    assert (place / "bad").read_bytes() == content


async def test_a_move_that_cannot_be_verified_keeps_its_source(
    harness: Harness, source: Path, far: Path, disk: BadDisk
) -> None:
    before = describe(write(source / "bad", b"content"))
    write(source / "good", b"good")
    disk.writes = 2
    id = await harness.move(source / "bad", source / "good", to=far, verify=True)
    job = await harness.ends(id)
    assert (job.state, await codes(harness, id)) == (JobState.FAILED, ["VerificationFailed"])
    assert describe(source / "bad") == before
    assert names(source) == ["bad"]
    assert names(far) == ["good"]


@pytest.mark.parametrize("size", [100, LARGE])
async def test_a_move_of_a_folder_keeps_just_what_cannot_be_verified(
    harness: Harness, source: Path, far: Path, disk: BadDisk, size: int
) -> None:
    write(source / "inner" / "bad", os.urandom(size))
    before = describe(source / "inner" / "bad")
    disk.writes = 2
    id = await harness.move(source, to=far, verify=True)
    await harness.ends(id)
    assert await codes(harness, id) == ["VerificationFailed"]
    assert describe(source / "inner" / "bad") == before
    await harness.engine.retry([id])
    await harness.done(id)
    assert names(source.parent) == ["state"]
    assert describe(far / "source" / "inner" / "bad") == before


async def test_a_move_over_a_file_keeps_both_where_it_cannot_be_verified(
    harness: Harness, source: Path, far: Path, disk: BadDisk
) -> None:
    write(source / "file", b"new", OLD + 10**9)
    write(far / "file", b"old")
    disk.writes = 2
    id = await harness.move(source / "file", to=far, verify=True, conflict=Conflict.OVERWRITE)
    await harness.ends(id)
    assert await codes(harness, id) == ["VerificationFailed"]
    assert (source / "file").read_bytes() == b"new"
    assert (far / "file").read_bytes() == b"old"


async def test_what_was_copied_before_a_crash_is_verified_again(
    tmp_path: Path, source: Path, target: Path
) -> None:
    for number in range(8):
        write(source / f"file {number}", b"%d" % number * 100)
    journal = tmp_path / "state" / "journal.sqlite3"
    first = Harness(new_engine(journal), journal)
    await first.engine.start_up()
    id = await first.copy(*regular(source), to=target, verify=True, limit_bytes_s=400)
    await first.until(id, lambda job: job.progress.files_done >= 3)
    await crash(first)
    spoilt = write(target / sorted(names(target))[0], b"x" * 100)
    async with running(journal) as second:
        await second.engine.limit(None, [id])
        job = await second.ends(id)
        assert job.state is JobState.WAITING  # it looks complete, and is not: somebody has to say what it is
        (question,) = await second.engine.questions(id)
        assert question.target.name == spoilt.name
        await second.engine.answer(question.id, Conflict.OVERWRITE)
        job = await second.done(id)
        assert job.progress.files_verified == 8
    assert {name: (target / name).read_bytes() for name in names(target)} == {
        name: (source / name).read_bytes() for name in names(source)
    }


async def test_a_half_built_tree_is_verified_again_and_mended(
    tmp_path: Path, source: Path, target: Path
) -> None:
    for number in range(8):
        write(source / f"file {number}", b"%d" % number * 100)
    journal = tmp_path / "state" / "journal.sqlite3"
    async with running(journal) as first:
        id = await first.copy(source, to=target, verify=True, limit_bytes_s=400)
        await first.until(id, lambda job: job.progress.files_done >= 3)
    (stage,) = names(target)
    write(target / stage / names(target / stage)[0], b"x" * 100)
    async with running(journal) as second:
        await second.engine.limit(None, [id])
        await second.done(id)
    assert differences(describe(source), describe(target / "source")) == []


@pytest.mark.parametrize("stop", ["pause", "cancel"])
async def test_reading_back_can_be_stopped(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    write(source / "big", os.urandom(LARGE))
    read = verifying.read_from_disk
    keeper = harness.engine._keeper

    def stops(fd: int, size_bytes: int, offset: int) -> bytes:
        if offset >= LARGE // 2:
            (run,) = keeper._runs.values()
            assert run.record.view().progress.verifying
            run.brake.on = True
        return read(fd, size_bytes, offset)

    id = await harness.copy(source / "big", to=target, verify=True, paused=True)
    monkeypatch.setattr(verifying, "read_from_disk", stops)
    await harness.engine.resume([id])
    await harness.until(id, lambda job: job.progress.bytes_done == LARGE)
    await (harness.engine.pause if stop == "pause" else harness.engine.cancel)([id])
    job = await harness.ends(id)
    assert (job.progress.files_verified, names(target) == ["big"]) == (0, False)
    monkeypatch.setattr(verifying, "read_from_disk", read)
    await (harness.engine.resume if stop == "pause" else harness.engine.retry)([id])
    job = await harness.done(id)
    assert (job.progress.files_verified, job.progress.bytes_verified) == (1, LARGE)
    assert (target / "big").read_bytes() == (source / "big").read_bytes()


async def test_only_copies_can_be_verified(harness: Harness, source: Path) -> None:
    with pytest.raises(UsageError, match="only copies and moves"):
        await harness.submit(JobKind.DELETE, source, verify=True)


# A copy that is done, verified again


async def test_a_copy_can_be_verified_again(harness: Harness, tmp_path: Path, target: Path) -> None:
    make_mixed_tree(tmp_path / "tree", seed=6, files=40, large_bytes=LARGE)
    id = await harness.copy(tmp_path / "tree", to=target)
    await harness.done(id)
    before = describe(target)
    job = await harness.done(await harness.engine.verify(id))
    assert job.kind is JobKind.VERIFY
    assert job.progress.bytes_verified == sum(path.stat().st_size for path in regular(target))
    assert job.progress.files_verified == job.progress.files_done == job.progress.files_total
    assert differences(before, describe(target)) == []


async def test_what_has_changed_since_is_one_error_row_each(
    harness: Harness, source: Path, target: Path
) -> None:
    for name in ("differs", "missing", "same"):
        write(source / name, b"content")
    id = await harness.copy(source, to=target)
    await harness.done(id)
    write(target / "source" / "differs", b"c0ntent")
    write(target / "source" / "extra", b"somebody else's")
    (target / "source" / "missing").rename(target / "elsewhere")
    verifying = await harness.engine.verify(id)
    job = await harness.ends(verifying)
    assert job.state is JobState.FAILED
    errors = {error.location.name: error for error in await harness.engine.errors(verifying)}
    assert {name: error.code for name, error in errors.items()} == {
        "differs": "VerificationFailed",
        "missing": "NotFound",
    }
    assert "differs from" in errors["differs"].message and "in content" in errors["differs"].message
    assert job.progress.files_verified == 1
    write(target / "source" / "differs", b"content")
    (target / "elsewhere").rename(target / "source" / "missing")
    await harness.engine.retry([verifying])
    job = await harness.done(verifying)
    assert job.progress.files_verified == 3


async def test_a_copy_under_another_name_is_found_by_it(harness: Harness, source: Path, target: Path) -> None:
    write(source / "file", b"content")
    id = await harness.copy(source / "file", to=target / "other", into=False)
    await harness.done(id)
    await harness.done(await harness.engine.verify(id))


@pytest.mark.parametrize("rule", [Conflict.RENAME, Conflict.ASK])
async def test_what_was_kept_beside_another_is_found_there(
    harness: Harness, source: Path, target: Path, rule: Conflict
) -> None:
    write(source / "file", b"content")
    write(target / "source" / "file", b"other", OLD + 1)
    id = await harness.copy(source, to=target, conflict=rule)
    if rule is Conflict.ASK:
        await harness.ends(id)
        (question,) = await harness.engine.questions(id)
        await harness.engine.answer(question.id, Conflict.RENAME)
    await harness.done(id)
    assert names(target / "source") == ["file", "file (1)"]
    await harness.done(await harness.engine.verify(id))
    write(target / "source" / "file (1)", b"c0ntent")
    job = await harness.ends(await harness.engine.verify(id))
    assert job.progress.errors == 1


async def test_a_verification_that_waits_survives_a_restart(
    tmp_path: Path, source: Path, target: Path
) -> None:
    write(source / "big", os.urandom(LARGE))
    journal = tmp_path / "state" / "journal.sqlite3"
    async with running(journal) as first:
        id = await first.copy(source, to=target)
        await first.done(id)
        await first.engine.pause()
        verifying = await first.engine.verify(id)
    async with running(journal) as second:
        job = await second.done(verifying)
        assert job.progress.bytes_verified == LARGE


async def test_a_fault_of_an_earlier_go_is_forgotten_by_the_one_that_goes_on(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        write(source / name, b"some")
    await harness.done(id := await harness.copy(source / "one", source / "two", to=target))
    step = checking.TreeCheck.step

    def fail(check: checking.TreeCheck) -> checking.Checked:
        if check._where[0].name == "two":
            raise RuntimeError("not foreseen")
        return step(check)

    with monkeypatch.context() as patched:
        patched.setattr(checking.TreeCheck, "step", fail)
        verifying = await harness.engine.verify(id)
        assert (await harness.ends(verifying)).state is JobState.FAILED
    await harness.engine.retry([verifying])
    await harness.until(verifying, lambda job: job.state is JobState.DONE)


FILES = 40


class Reads:
    """Notes which files of the target are read back, and puts the brake on behind one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
        self.read: list[str] = []
        self.last = ""
        self.brake: Callable[[], None] = lambda: None
        self._target, self._really = str(target), verifying.read_from_disk
        monkeypatch.setattr(verifying, "read_from_disk", self._read)
        monkeypatch.setattr(checking, "STEP_S", -1.0)

    def _read(self, fd: int, size_bytes: int, offset: int) -> bytes:
        path = os.readlink(f"/proc/self/fd/{fd}")
        if path.startswith(self._target):
            self.read.append(os.path.relpath(path, self._target))
            if self.read[-1] == self.last:
                self.brake()
        return self._really(fd, size_bytes, offset)


@pytest.mark.parametrize("stop", ["pause", "restart"])
async def test_a_verification_goes_on_where_it_was_and_tells_each_error_once(
    tmp_path: Path, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    for number in range(FILES):
        write(source / f"folder {number % 3}" / f"{number:02}", b"content")
    write(source / "last", b"content")
    journal = tmp_path / "state" / "journal.sqlite3"
    first = Harness(new_engine(journal), journal)
    await first.engine.start_up()
    copied = await first.copy(source, source / "last", to=target)
    await first.done(copied)
    for number in range(0, FILES, 4):
        write(target / "source" / f"folder {number % 3}" / f"{number:02}", b"c0ntent")
    reads = Reads(monkeypatch, target)
    reads.last = f"source/folder 1/{25:02}"
    keeper = first.engine._keeper
    reads.brake = lambda: next(iter(keeper._runs.values())).stop(Stop.QUIT)
    id = await first.engine.verify(copied)
    await until(lambda: reads.last in reads.read and not keeper._tasks)
    if stop == "restart":
        await first.engine.shut_down()
    before = set(reads.read)
    reads.read, reads.last = [], ""
    if stop == "pause":
        first.engine._keeper.kick()
        job = await first.ends(id)
        errors = await first.engine.errors(id)
        await first.engine.shut_down()
    else:
        async with running(journal) as second:
            job = await second.ends(id)
            errors = await second.engine.errors(id)
    assert len(before & set(reads.read)) <= 1  # the one that was being read
    assert len(before | set(reads.read)) == FILES + 2
    assert [error.code for error in errors] == ["VerificationFailed"] * (FILES // 4)
    assert len({error.location for error in errors}) == FILES // 4
    assert (job.state, job.progress.files_done, job.progress.bytes_done) == (
        JobState.FAILED, FILES + 2, 7 * (FILES + 2 - FILES // 4)
    )  # fmt: skip
    assert job.progress.files_verified == FILES + 2 - FILES // 4


async def test_after_a_kill_it_goes_on_behind_the_last_error_and_tells_that_once(
    tmp_path: Path, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcdef":
        write(source / name, b"content")
    journal = tmp_path / "state" / "journal.sqlite3"
    first = Harness(new_engine(journal), journal)
    await first.engine.start_up()
    copied = await first.copy(source, to=target)
    await first.done(copied)
    write(target / "source" / "c", b"c0ntent")
    reads = Reads(monkeypatch, target)
    killed = asyncio.Event()
    add_errors = first.engine._journal.add_errors

    async def added(*args: Any) -> int:
        more = await add_errors(*args)
        killed.set()
        await until(lambda: all(run.brake.on for run in first.engine._keeper._runs.values()))
        return more

    monkeypatch.setattr(first.engine._journal, "add_errors", added)
    id = await first.engine.verify(copied)
    await killed.wait()
    await crash(first)
    reads.read = []
    async with running(journal) as second:
        job = await second.ends(id)
        assert len(await second.engine.errors(id)) == 1
    assert reads.read == ["source/d", "source/e", "source/f"]
    assert (job.progress.files_done, job.progress.files_verified) == (6, 5)


async def test_a_verification_that_has_ended_begins_anew_when_it_is_retried(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        write(source / name, b"content")
    id = await harness.copy(source, to=target)
    await harness.done(id)
    write(target / "source" / "a", b"c0ntent")
    reads = Reads(monkeypatch, target)
    again = await harness.engine.verify(id)
    assert (await harness.ends(again)).state is JobState.FAILED
    await harness.engine.retry([again])
    await harness.ends(again)
    assert reads.read == ["source/a", "source/b"] * 2


async def test_a_source_that_has_gone_is_an_error_row(harness: Harness, source: Path, target: Path) -> None:
    id = await harness.copy(write(source / "file", b"content"), to=target)
    await harness.done(id)
    (source / "file").unlink()
    again = await harness.engine.verify(id)
    assert (await harness.ends(again)).state is JobState.FAILED
    assert await codes(harness, again) == ["NotFound"]


async def test_only_copies_that_have_ended_can_be_verified_again(
    harness: Harness, source: Path, target: Path
) -> None:
    write(source / "file", b"content")
    waiting = await harness.copy(source, to=target, paused=True)
    with pytest.raises(NotPossible, match="wait for its end"):
        await harness.engine.verify(waiting)
    moved = await harness.move(source / "file", to=target)
    await harness.done(moved)
    with pytest.raises(NotPossible, match="only copies"):
        await harness.engine.verify(moved)
