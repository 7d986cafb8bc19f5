"""What a retry finds after a disk failed: every entry told of, originals kept, names of one file together."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from engine_harness import Harness, crash, names, new_engine, running, until, write

from tui.engine import removing
from tui.engine.journal import Journal
from tui.model.error import EngineError, PlaceError, PlaceUnavailable, StorageFault
from tui.model.job import Conflict, JobKind, JobState
from tui.places.local import attributes, half_file, trash
from tui.places.local.copy_rules import LARGE_BYTES
from tui.places.local.copying import FolderCopy
from tui.places.local.entry_copy import EntryCopy
from tui.places.local.hops import Batch
from tui.places.local.partial import partial_name
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tui.places.local.loss_notes import LossNotes

LONG_AGO_NS = 1_500_000_000 * 10**9


def failing_once(do: Callable[..., Any], when: Callable[..., bool]) -> Callable[..., Any]:
    """Return a function that reports a fault of the disk the first time it is called so, and else does its work."""
    failed: list[bool] = []

    def call(*args: Any) -> Any:
        if not failed and when(*args):
            failed.append(True)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return do(*args)

    return call


async def test_where_the_target_folder_fails_every_source_is_told_of_and_retried(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        (source / name).write_text(name)
    monkeypatch.setattr(FolderCopy, "_open", failing_once(FolderCopy._open, lambda copy: True))
    job = await harness.ends(await harness.copy(*(source / name for name in names(source)), to=target))
    assert (job.state, job.progress.errors) == (JobState.FAILED, 3)
    await harness.engine.retry([job.id])
    await harness.done(job.id)
    assert names(target) == ["a", "b", "c"]


async def test_a_move_keeps_a_folder_whose_attributes_could_not_be_set_until_they_are(
    harness: Harness, source: Path, far: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "tree" / "inner").mkdir(parents=True)
    for path in (source / "tree" / "inner" / "file", source / "tree" / "other"):
        path.write_text("text")
    for folder in (source / "tree" / "inner", source / "tree"):
        os.utime(folder, ns=(LONG_AGO_NS, LONG_AGO_NS))
    monkeypatch.setattr(
        attributes,
        "give_folder",
        failing_once(
            attributes.give_folder, lambda fd, *_: os.readlink(f"/proc/self/fd/{fd}").endswith("inner")
        ),
    )
    job = await harness.ends(await harness.move(source / "tree", to=far))
    assert job.state is JobState.FAILED
    assert (source / "tree" / "inner" / "file").read_text() == "text"
    await harness.engine.retry([job.id])
    await harness.done(job.id)
    assert names(source) == []
    assert (far / "tree" / "inner").stat().st_mtime_ns == LONG_AGO_NS
    assert (far / "tree").stat().st_mtime_ns == LONG_AGO_NS


@pytest.mark.parametrize("kind", ["copy", "move"])
async def test_a_name_that_is_retried_is_one_file_with_its_other_names(
    harness: Harness, source: Path, far: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (source / "tree" / "inner").mkdir(parents=True)
    (source / "tree" / "one").write_text("text")
    os.link(source / "tree" / "one", source / "tree" / "inner" / "two")
    wanted = failing_once(EntryCopy.copy, lambda copy, name, *rest: name == b"two")
    monkeypatch.setattr(EntryCopy, "copy", wanted)
    job = await harness.ends(await getattr(harness, kind)(source / "tree", to=far))
    assert job.state is JobState.FAILED
    await harness.engine.retry([job.id])
    await harness.done(job.id)
    assert (far / "tree" / "one").samefile(far / "tree" / "inner" / "two")
    assert names(source) == (["tree"] if kind == "copy" else [])


@pytest.fixture
def linked(source: Path) -> list[Path]:
    """Two folders with a file each, which are one file, and that has a third name in neither of the folders."""
    first, second = source / "here" / "first", source / "there" / "second"
    for folder in (first, second):
        folder.mkdir(parents=True)
    (first / "one").write_text("text")
    os.link(first / "one", second / "two")
    os.link(first / "one", source / "third")
    return [first, second]


@pytest.mark.parametrize("kind", ["copy", "move"])
async def test_a_retried_name_in_another_source_is_one_file_with_those_that_were_moved(
    harness: Harness, source: Path, linked: list[Path], far: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    wanted = failing_once(EntryCopy.copy, lambda copy, name, *rest: name == b"two")
    monkeypatch.setattr(EntryCopy, "copy", wanted)
    (source / "third").unlink()
    job = await harness.ends(await getattr(harness, kind)(*linked, to=far))
    assert job.state is JobState.FAILED
    assert linked[0].exists() == (kind == "copy")
    await harness.engine.retry([job.id])
    await harness.done(job.id)
    assert (far / "first" / "one").samefile(far / "second" / "two")


async def test_after_a_crash_a_name_is_one_file_with_those_that_were_moved_before(
    tmp_path: Path, linked: list[Path], far: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "journal.sqlite3"
    first = Harness(new_engine(journal), journal)
    await first.engine.start_up()
    reached: list[bytes] = []
    with monkeypatch.context() as patch:
        real = FolderCopy.step

        def stop_at_second(copy: FolderCopy, *, finish: bool, notes: LossNotes | None) -> Batch:
            if copy._source_path != b"second":
                return real(copy, finish=finish, notes=notes)
            reached.append(copy._source_path)
            copy._brake.on = True
            return Batch()

        patch.setattr(FolderCopy, "step", stop_at_second)
        id = await first.move(*linked, to=far)
        await first.until(id, lambda _: bool(reached))
        await crash(first)
    assert [folder.exists() for folder in linked] == [False, True]
    async with running(journal) as second:
        await second.done(id)
    assert (far / "first" / "one").samefile(far / "second" / "two")


async def test_a_name_that_was_asked_about_is_one_file_with_its_other_names(
    harness: Harness, linked: list[Path], target: Path
) -> None:
    (target / "second").mkdir()
    (target / "second" / "two").write_text("another")
    job = await harness.ends(await harness.copy(*linked, to=target))
    assert job.state is JobState.WAITING
    (question,) = await harness.engine.questions(job.id)
    await harness.engine.answer(question.id, Conflict.OVERWRITE)
    await harness.done(job.id)
    assert (target / "first" / "one").samefile(target / "second" / "two")


async def test_a_trash_that_fills_up_is_left_without_a_note_of_what_was_not_put_there(
    harness: Harness, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (source / "file").write_text("text")
    monkeypatch.setattr(trash.os, "write", failing_once(os.write, lambda fd, data: b"Trash Info" in data))
    with pytest.raises(Exception, match="the disk reported an error"):
        trash.trash(str(source / "file"))
    assert names(tmp_path / "data" / "Trash" / "info") == []
    assert names(source) == ["file"]


async def test_a_half_file_the_disk_does_not_give_back_is_begun_anew_by_a_retry(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = source / "large"
    large.write_bytes(os.urandom(LARGE_BYTES + 1))
    id = await harness.copy(large, to=target, paused=True)
    record = harness.engine._board.get(id)
    assert record is not None
    half = target / os.fsdecode(partial_name(record.row.tag, b"large", large.stat()))
    half.write_bytes(large.read_bytes()[:100_000])
    inode, read = half.stat().st_ino, half_file.read_exactly

    def read_exactly(fd: int, size_bytes: int, offset: int) -> bytes:
        if os.fstat(fd).st_ino == inode:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(fd, size_bytes, offset)

    monkeypatch.setattr(half_file, "read_exactly", read_exactly)
    await harness.engine.resume([id])
    assert (await harness.ends(id)).state is JobState.FAILED
    assert names(target) == [half.name]
    await harness.engine.retry([id])
    await harness.done(id)
    assert names(target) == ["large"]
    assert (target / "large").read_bytes() == large.read_bytes()


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.DELETE])
async def test_what_waits_for_one_more_try_of_a_retry_is_not_forgotten_over_a_pause(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, kind: JobKind
) -> None:
    (source / "a").write_text("a")
    fails: list[PlaceError] = [StorageFault("cannot open it"), PlaceUnavailable("it is busy")]

    def failing(do: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **rest: Any) -> Any:
            if fails:
                raise fails.pop(0)
            return do(*args, **rest)

        return call

    if kind is JobKind.COPY:
        monkeypatch.setattr(FolderCopy, "_open", failing(FolderCopy._open))
        id = await harness.copy(source / "a", to=target)
    else:
        monkeypatch.setattr(removing, "Root", SimpleNamespace(open=failing(Root.open)))
        id = await harness.submit(kind, source / "a")
    assert (await harness.ends(id)).state is JobState.FAILED
    await harness.engine.retry([id])
    await until(lambda: not fails)
    for _ in range(5):  # whatever the journal was told meanwhile is in it
        await harness.engine.errors(id)
    await harness.engine.pause([id])
    record = harness.engine._board.get(id)
    assert record is not None
    await harness.engine._keeper.settled([record], 5)
    await harness.engine.resume([id])
    await harness.done(id)
    assert (names(source), names(target)) == ((["a"], ["a"]) if kind is JobKind.COPY else ([], []))


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
async def test_what_was_answered_in_a_retry_is_done_though_the_job_is_paused_over_it(
    harness: Harness, source: Path, far: Path, kind: JobKind
) -> None:
    data = os.urandom(LARGE_BYTES + 1)
    (source / "large").write_bytes(data)
    (far / "large").write_bytes(b"another")
    id = await harness.copy(source / "large", to=far, kind=kind, conflict=Conflict.FAIL)
    assert (await harness.ends(id)).state is JobState.FAILED
    await harness.engine.set_conflict([id], Conflict.ASK)
    await harness.engine.retry([id])
    assert (await harness.ends(id)).state is JobState.WAITING
    (question,) = await harness.engine.questions(id)
    await harness.engine.limit(1 << 20, [id])
    await harness.engine.answer(question.id, Conflict.OVERWRITE)
    await harness.until(id, lambda job: job.progress.bytes_done > 0)
    await harness.engine.pause([id])
    record = harness.engine._board.get(id)
    assert record is not None
    await harness.engine._keeper.settled([record], 5)
    await harness.engine.limit(None, [id])
    await harness.engine.resume([id])
    await harness.done(id)
    assert (far / "large").read_bytes() == data
    assert (source / "large").exists() == (kind is JobKind.COPY)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The disk of the journal: while it is full, no error can be written down."""
    disk = SimpleNamespace(full=True)
    add_errors = Journal.add_errors

    async def add_where_there_is_room(self: Journal, *args: Any, **rest: Any) -> int:
        if disk.full:
            raise EngineError("the journal cannot be used: database or disk is full")
        return await add_errors(self, *args, **rest)

    monkeypatch.setattr(Journal, "add_errors", add_where_there_is_room)
    yield disk


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE, JobKind.SYNC])
async def test_a_retry_looks_at_everything_where_an_error_could_not_be_written_down(
    tmp_path: Path, source: Path, target: Path, full_disk: SimpleNamespace, kind: JobKind, restarted: bool
) -> None:
    write(source / "tree" / "file", "text")
    write(target / "tree", "a file where a folder is to be")
    async with running(tmp_path / "journal") as harness:
        id = await harness.copy(
            source / "tree", to=target / "tree", kind=kind, conflict=Conflict.OVERWRITE, into=False
        )
        job = await harness.ends(id)
        assert (job.state, await harness.engine.errors(id)) == (JobState.FAILED, ())
        full_disk.full = False
        (target / "tree").unlink()
        if not restarted:
            await harness.engine.retry([id])
            await harness.done(id)
    if restarted:
        async with running(tmp_path / "journal") as again:
            await again.engine.retry([id])
            await again.done(id)
    assert (target / "tree" / "file").read_text() == "text"
