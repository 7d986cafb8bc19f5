"""A sync in which a folder meets a file, or the reverse: the old one stands until the new one can take its place."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, crash, new_engine, running

from tests.trees import describe, differences, partials
from tui.engine.run import Stop
from tui.engine.supplanting import Supplanter
from tui.model.job import Conflict, Flush, JobKind, JobState, Request
from tui.model.location import Location
from tui.places.local import syscalls
from tui.places.local.removal import TreeRemoval
from tui.places.local.supplanting import Supplanting

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from tui.engine.run import Run

AGO_NS = 10**18


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(AGO_NS, AGO_NS))
    return path


@pytest.fixture
def clashing(source: Path, target: Path) -> None:
    """In the source `a` is a folder and `b` a file, in the target it is the other way round."""
    write(source / "sub" / "a" / "inner", "source")
    write(source / "sub" / "a" / "more", "source")
    write(target / "sub" / "a", "target")
    write(source / "sub" / "b", "source")
    write(target / "sub" / "b" / "deep" / "inner", "target")
    write(target / "sub" / "extra", "target")
    for side in (source, target):
        os.utime(side / "sub", ns=(AGO_NS, AGO_NS))


async def sync(harness: Harness, source: Path, target: Path, **rest: Any) -> int:
    request = Request(
        kind=JobKind.SYNC,
        sources=(Location.local(source),),
        target=Location.local(target),
        into=False,
        conflict=Conflict.OVERWRITE,
        delete_extra=True,
        **rest,
    )
    return await harness.engine.submit(request)


def stands_as_before(target: Path) -> bool:
    return (
        (target / "sub" / "a").is_file()
        and (target / "sub" / "a").read_text() == "target"
        and (target / "sub" / "b" / "deep" / "inner").read_text() == "target"
        and (target / "sub" / "extra").exists()
    )


def refuse_to_read(patch: pytest.MonkeyPatch, *refused: bytes) -> None:
    """Let files of these names not be opened, as long as the patch holds."""
    real = os.open

    def refuse(path: object, *args: object, **rest: object) -> int:
        if path in refused:
            raise PermissionError(errno.EACCES, "no")
        return real(path, *args, **rest)  # type: ignore[arg-type]

    patch.setattr(os, "open", refuse)


@pytest.mark.usefixtures("clashing")
@pytest.mark.parametrize("refused", [b"more", b"b"])
async def test_a_copy_that_fails_takes_nothing_from_the_target(
    refused: bytes, harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "sub" / ("b" if refused == b"more" else "a")).rename(source / "other")
    before = describe(target / "sub" / "a") | describe(target / "sub" / "b")
    with monkeypatch.context() as patch:
        refuse_to_read(patch, refused)
        id = await sync(harness, source, target)
        job = await harness.ends(id)
    assert job.state is JobState.FAILED
    codes = [(error.code, error.location.name) for error in await harness.engine.errors(id)]
    assert codes == [("PermissionDenied", "a" if refused == b"more" else "b"), ("NothingRemoved", "target")]
    assert before == describe(target / "sub" / "a") | describe(target / "sub" / "b")
    assert (stands_as_before(target), partials(target)) == (True, [])
    await harness.engine.retry([id])
    await harness.done(id)
    assert differences(describe(source), describe(target)) == []


@pytest.mark.usefixtures("clashing")
async def test_what_goes_again_is_counted_no_more_and_anew_by_a_retry(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "sub" / "b").unlink()
    write(source / "same", "same"), write(target / "same", "same")
    with monkeypatch.context() as patch:
        refuse_to_read(patch, b"more")
        id = await sync(harness, source, target, verify=True, flush=Flush.FILE)
        found = (await harness.ends(id)).progress
    assert (found.files_done, found.bytes_done, found.files_same) == (1, 4, 1)
    assert (found.files_verified, found.bytes_verified, found.bytes_flushed) == (1, 4, 4)
    await harness.engine.retry([id])
    found = (await harness.done(id)).progress
    assert (found.files_done, found.bytes_done, found.files_same) == (3, 16, 1)
    assert (found.files_verified, found.bytes_verified, found.bytes_flushed) == (3, 16, 16)


@pytest.mark.usefixtures("clashing")
@pytest.mark.parametrize("exchanges", [True, False])
async def test_all_is_counted_once_and_nothing_is_left_behind(
    exchanges: bool, harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanges:
        monkeypatch.setattr(syscalls, "exchange", lambda *_: False)
    job = await harness.done(await sync(harness, source, target))
    assert (job.progress.files_done, job.progress.files_removed) == (3, 3)
    assert differences(describe(source), describe(target)) == []


@pytest.mark.usefixtures("clashing")
async def test_where_names_cannot_be_exchanged_a_failing_rename_gives_the_old_one_its_name_back(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = syscalls.rename_no_replace

    def refuse(old_folder: int, old: bytes, new_folder: int, new: bytes) -> None:
        if old.endswith(b".part"):
            raise OSError(errno.EIO, "no")
        real(old_folder, old, new_folder, new)

    with monkeypatch.context() as patch:
        patch.setattr(syscalls, "exchange", lambda *_: False)
        patch.setattr(syscalls, "rename_no_replace", refuse)
        id = await sync(harness, source, target)
        assert (await harness.ends(id)).state is JobState.FAILED
    assert stands_as_before(target)
    await harness.engine.retry([id])
    await harness.done(id)
    assert differences(describe(source), describe(target)) == []


@pytest.mark.usefixtures("clashing")
@pytest.mark.parametrize("exchanges", [True, False])
async def test_what_somebody_else_has_put_there_meanwhile_stays(
    exchanges: bool, harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanges:
        monkeypatch.setattr(syscalls, "exchange", lambda *_: False)
    real = Supplanting.put_in_place

    def late(self: Supplanting) -> bytes:
        if self.where.name == "a":
            (target / "sub" / "a").unlink()
            (target / "sub" / "a").write_text("somebody else's")
        return real(self)

    monkeypatch.setattr(Supplanting, "put_in_place", late)
    id = await sync(harness, source, target)
    assert (await harness.ends(id)).state is JobState.FAILED
    assert [error.code for error in await harness.engine.errors(id)] == ["SourceReplaced", "NothingRemoved"]
    assert (target / "sub" / "a").read_text() == "somebody else's"
    assert (target / "sub" / "extra").exists()


@pytest.mark.usefixtures("clashing")
async def test_names_of_one_file_stay_together_across_a_change_of_places(
    harness: Harness, source: Path, target: Path
) -> None:
    os.link(source / "sub" / "a" / "inner", source / "sub" / "a" / "second")
    os.link(source / "sub" / "a" / "inner", source / "third")
    await harness.done(await sync(harness, source, target))
    assert differences(describe(source), describe(target)) == []
    assert (target / "third").stat().st_nlink == 3


@pytest.mark.usefixtures("clashing")
async def test_an_old_folder_that_cannot_be_removed_is_told_and_goes_with_a_retry(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = TreeRemoval.file

    def refuse(self: TreeRemoval, fd: int, folder: bytes, name: bytes, batch: object) -> None:
        if name == b"inner":
            raise PermissionError(errno.EACCES, "no")
        real(self, fd, folder, name, batch)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(TreeRemoval, "file", refuse)
        id = await sync(harness, source, target)
        assert (await harness.ends(id)).state is JobState.FAILED
    assert (target / "sub" / "b").read_text() == "source"
    (row, *_) = await harness.engine.errors(id)
    assert row.location.path.endswith(".part/deep/inner")
    assert partials(target) == [row.location.path.removesuffix("/deep/inner")]
    await harness.engine.retry([id])
    await harness.done(id)
    assert differences(describe(source), describe(target)) == []


@pytest.mark.usefixtures("clashing")
@pytest.mark.parametrize("step", ["prepare", "put_in_place"])
async def test_a_crash_at_any_moment_loses_nothing_and_the_next_go_completes_it(
    step: str, tmp_path: Path, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "state" / "journal.sqlite3"
    first = Harness(new_engine(journal), journal)
    await first.engine.start_up()
    with monkeypatch.context() as patch:
        reached = stop_after(patch, step)
        id = await sync(first, source, target)
        await first.until(id, lambda _: bool(reached))
        await crash(first)
    assert holds_either(target)
    async with running(journal) as second:
        if (await second.engine.job(id)).state is JobState.PAUSED:
            await second.engine.resume([id])
        await second.done(id)
    assert differences(describe(source), describe(target)) == []


@pytest.mark.usefixtures("clashing")
@pytest.mark.parametrize("exchanges", [True, False])
@pytest.mark.parametrize("step", ["prepare", "put_in_place"])
async def test_a_cancel_leaves_the_old_or_the_new_and_nothing_unfinished(
    step: str, exchanges: bool, harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanges:
        monkeypatch.setattr(syscalls, "exchange", lambda *_: False)
    reached = stop_after(monkeypatch, step)
    id = await sync(harness, source, target)
    await harness.until(id, lambda _: bool(reached))
    await harness.engine.cancel([id])
    assert (await harness.ends(id)).state is JobState.CANCELLED
    assert (holds_either(target), partials(target)) == (True, [])


@pytest.mark.usefixtures("clashing")
async def test_what_had_been_put_aside_when_the_power_went_gets_its_name_back_from_a_cancel(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "sub" / "b").unlink()
    stop_after(monkeypatch, "prepare")
    id = await sync(harness, source, target)
    await harness.until(id, lambda job: job.state is JobState.PAUSED)
    (stage,) = (path for path in (target / "sub").iterdir() if path.name.endswith(".part"))
    aside = stage.with_name(stage.name + ".old")
    aside.mkdir()
    (target / "sub" / "a").rename(aside / "a")
    await harness.engine.cancel([id])
    await harness.ends(id)
    assert (stands_as_before(target), partials(target)) == (True, [])


def holds_either(target: Path) -> bool:
    """Say whether each of the two names that clash holds the whole old one or the whole new one."""
    a, b = target / "sub" / "a", target / "sub" / "b"
    new_a = a.is_dir() and (a / "inner").read_text() == (a / "more").read_text() == "source"
    old_b = b.is_dir() and (b / "deep" / "inner").read_text() == "target"
    return (new_a or a.read_text() == "target") and (old_b or b.read_text() == "source")


def stop_after(patch: pytest.MonkeyPatch, step: str) -> list[bool]:
    """Pause the job whenever a step has been done."""
    reached: list[bool] = []
    begin = Supplanter.__init__

    def note_run(self: Supplanter, run: Run, *rest: Any) -> None:
        begin(self, run, *rest)
        real = getattr(Supplanting, step)

        def stop(self: object, *args: object, **rest: object) -> object:
            done = real(self, *args, **rest)
            reached.append(True)
            run.stop(Stop.PAUSE)
            return done

        patch.setattr(Supplanting, step, stop)

    patch.setattr(Supplanter, "__init__", note_run)
    return reached
