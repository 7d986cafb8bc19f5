"""A source that is written to while it is copied: copied again once, then told; nothing of it gets a final name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from engine_harness import NEW, Harness, names, write

from tests.trees import partials
from tui.model.job import Conflict, JobState
from tui.places.local import making, slices
from tui.places.local.copying import SliceCopy

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
SIZES = pytest.mark.parametrize("size_bytes", [1000, 40 * MIB], ids=["small", "large"])


class Writer:
    """Writes to a file while it is copied: after its content was read, in so many goes at it.

    Attributes:
        goes: How often its copy was begun.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path, times: int) -> None:
        self.path, self.left, self.goes = path, times, 0
        self._copy_all, self._open, self._step = making.copy_all, SliceCopy.open, SliceCopy.step
        monkeypatch.setattr(making, "copy_all", self._small)
        monkeypatch.setattr(SliceCopy, "open", lambda copy: self._opened(copy))
        monkeypatch.setattr(SliceCopy, "step", lambda copy, size: self._stepped(copy, size))

    def _write(self) -> None:
        if self.left:
            self.left -= 1
            with self.path.open("ab") as file:
                file.write(b"more")

    def _is_it(self, fd: int) -> bool:
        return os.path.samestat(os.fstat(fd), self.path.stat())

    def _small(self, source: int, *rest: object) -> None:
        self._copy_all(source, *rest)  # type: ignore[arg-type]
        if self._is_it(source):
            self.goes += 1
            self._write()

    def _opened(self, copy: SliceCopy) -> int:
        self.goes += self._is_it_large(copy)
        return self._open(copy)

    def _stepped(self, copy: SliceCopy, size_bytes: int) -> int:
        done = self._step(copy, size_bytes)
        if done and self._is_it_large(copy):
            self._write()
        return done

    def _is_it_large(self, copy: SliceCopy) -> bool:
        return copy._source_where.name == self.path.name


def growing(path: Path, size_bytes: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size_bytes))
    os.utime(path, ns=(10**18, 10**18))
    return path


@SIZES
async def test_a_file_that_changes_once_is_copied_again_and_the_copy_is_its_last_state(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, size_bytes: int
) -> None:
    log = growing(source / "tree" / "log", size_bytes)
    writer = Writer(monkeypatch, log, 1)
    job = await harness.done(await harness.copy(source / "tree", to=target))
    assert (target / "tree" / "log").read_bytes() == log.read_bytes()
    assert (writer.goes, job.progress.files_done, job.progress.bytes_done) == (2, 1, size_bytes + 4)


@SIZES
async def test_a_file_that_goes_on_changing_is_one_error_and_the_rest_is_copied(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, size_bytes: int
) -> None:
    log = growing(source / "tree" / "log", size_bytes)
    growing(source / "tree" / "other", 10)
    writer = Writer(monkeypatch, log, 10**9)
    job = await harness.ends(await harness.copy(source / "tree", to=target))
    (error,) = await harness.engine.errors(job.id)
    assert (job.state, error.code, str(error.location)) == (JobState.FAILED, "SourceChanged", str(log))
    assert "no copy of it was kept" in error.remedy
    assert (names(target / "tree"), partials(target)) == (["other"], [])
    assert (writer.goes, job.progress.files_done, job.progress.bytes_done) == (2, 1, 10)


@SIZES
async def test_what_it_was_to_replace_stays(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, size_bytes: int
) -> None:
    log = growing(source / "log", size_bytes)
    (target / "log").write_text("of yesterday")
    Writer(monkeypatch, log, 10**9)
    job = await harness.ends(await harness.copy(log, to=target, conflict=Conflict.OVERWRITE))
    assert job.state is JobState.FAILED
    assert (names(target), (target / "log").read_text()) == (["log"], "of yesterday")


@SIZES
async def test_a_retry_copies_it_when_it_is_at_rest(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, size_bytes: int
) -> None:
    log = growing(source / "tree" / "log", size_bytes)
    writer = Writer(monkeypatch, log, 10**9)
    id = await harness.copy(source / "tree", to=target)
    await harness.ends(id)
    writer.left = 0
    await harness.engine.retry([id])
    await harness.done(id)
    assert (target / "tree" / "log").read_bytes() == log.read_bytes()


@SIZES
async def test_a_move_leaves_it_where_it_is_until_a_retry(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, size_bytes: int
) -> None:
    monkeypatch.setattr("tui.engine.moving.move_into_place", lambda *_, **__: False)
    log = growing(source / "tree" / "log", size_bytes)
    growing(source / "tree" / "other", 10)
    writer = Writer(monkeypatch, log, 10**9)
    id = await harness.move(source / "tree", to=target)
    assert (await harness.ends(id)).state is JobState.FAILED
    assert (names(source / "tree"), names(target / "tree")) == (["log"], ["other"])
    writer.left, content = 0, log.read_bytes()
    await harness.engine.retry([id])
    await harness.done(id)
    assert (names(source), (target / "tree" / "log").read_bytes()) == ([], content)


@pytest.mark.parametrize("inside", [True, False], ids=["in a tree", "by itself"])
async def test_a_file_written_to_behind_its_copy_is_not_removed_and_copied_again_at_a_retry(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    log = growing(source / "tree" / "log" if inside else source / "log", 1000)
    monkeypatch.setattr("tui.engine.moving.move_into_place", lambda *_, **__: False)
    with monkeypatch.context() as patched:
        patched.setattr("tui.places.local.syscalls.sync_filesystem", lambda _: log.write_text("the latest"))
        id = await harness.move(source / "tree" if inside else log, to=target, conflict=Conflict.OVERWRITE)
        assert (await harness.ends(id)).state is JobState.FAILED
        (error,) = await harness.engine.errors(id)
        assert (error.code, "is newer than its copy" in error.message) == ("SourceChanged", True)
        assert log.read_text() == "the latest"
    await harness.engine.retry([id])
    await harness.done(id)
    assert (names(source), (target / log.relative_to(source)).read_text()) == ([], "the latest")


@pytest.mark.parametrize("rule", [Conflict.FAIL, Conflict.ASK, Conflict.OVERWRITE])
@pytest.mark.parametrize("gone", [True, False], ids=["taken away", "changed"])
async def test_an_original_that_stays_since_its_copy_is_not_as_it_was_is_told(
    harness: Harness, source: Path, far: Path, monkeypatch: pytest.MonkeyPatch, rule: Conflict, gone: bool
) -> None:
    write(source / "tree" / "one", "one")
    write(source / "tree" / "two", "two")
    copy = far / "tree" / "one"

    def meddle(_: int) -> None:
        copy.unlink()
        if not gone:
            copy.write_text("somebody else's")

    with monkeypatch.context() as patched:
        patched.setattr("tui.places.local.syscalls.sync_filesystem", meddle)
        id = await harness.move(source / "tree", to=far, conflict=rule)
        assert (await harness.ends(id)).state is JobState.FAILED
    (error,) = await harness.engine.errors(id)
    assert error.message.endswith("no copy of it at the target" if gone else "its copy was changed since")
    assert (names(source / "tree"), (source / "tree" / "one").read_text()) == (["one"], "one")
    if gone or rule is Conflict.OVERWRITE:
        await harness.engine.retry([id])
        await harness.done(id)
        assert (names(source), copy.read_text()) == ([], "one")


@pytest.mark.parametrize("rule", [Conflict.SKIP, Conflict.NEWER])
async def test_an_original_that_was_left_out_by_the_rule_stays_without_a_word(
    harness: Harness, source: Path, far: Path, rule: Conflict
) -> None:
    write(source / "tree" / "one", "one")
    write(source / "tree" / "two", "two")
    write(far / "tree" / "one", "newer", NEW)
    await harness.done(await harness.move(source / "tree", to=far, conflict=rule))
    assert (names(source / "tree"), (far / "tree" / "one").read_text()) == (["one"], "newer")


async def test_looking_costs_one_call_a_small_file(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    real = making.unchanged
    monkeypatch.setattr(making, "unchanged", lambda *two: looks.append(1) or real(*two))
    monkeypatch.setattr(slices, "unchanged", lambda *two: looks.append(1) or real(*two))
    for number in range(5):
        growing(source / "tree" / str(number), 1000)
    await harness.done(await harness.copy(source / "tree", to=target))
    assert len(looks) == 5
