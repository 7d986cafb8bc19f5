from __future__ import annotations

import errno
import math
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.trees import describe
from tests.unit.places.local_driver import RULES, TAG
from tui.model.error import (
    AlreadyExists,
    IsAFolder,
    NotFound,
    OutOfSpace,
    PlaceError,
    SourceChanged,
    StorageFault,
)
from tui.model.job import Flush
from tui.places.local import syscalls
from tui.places.local.copying import SliceCopy
from tui.places.local.hops import Brake, Large
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tui.places.local.copy_rules import CopyRules

SIZE = 10_000_000
CHUNK = 4 << 20
DOUBTFUL = replace(RULES, doubtful=True)


@pytest.fixture
def big(source: Path) -> Path:
    path = source / "big"
    path.write_bytes(os.urandom(SIZE))
    os.utime(path, ns=(1, 1_234_567_890_123_456_789))
    return path


@pytest.fixture
def brake() -> Brake:
    return Brake()


@pytest.fixture
def slices(
    source: Path, target: Path, brake: Brake, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., SliceCopy]]:
    for name in ("content.CHUNK_S", "slices.SLICE_S"):  # a slow disk would make more and smaller slices of it
        monkeypatch.setattr(f"tui.places.local.{name}", math.inf)
    with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:

        def make(name: bytes = b"big", *, replace: bool = False, rules: CopyRules = RULES) -> SliceCopy:
            large = Large(name, b"copy", SIZE, replace)
            return SliceCopy(from_root, to_root, b"", b"", large, rules, brake)

        yield make


def begun(copy: SliceCopy) -> SliceCopy:
    copy.open()
    copy.step(CHUNK)
    return copy


def finish(copy: SliceCopy) -> int:
    copied = 0
    while count := copy.step(CHUNK):
        copied += count
    copy.finish()
    return copied


def assert_alike(big: Path, target: Path) -> None:
    assert describe(big)[b""] == describe(target / "copy")[b""]
    assert os.listdir(target) == ["copy"]


def test_slices_make_the_whole_file(big: Path, target: Path, slices: Callable[..., SliceCopy]) -> None:
    big.chmod(0o4751)
    copy = slices()
    assert copy.open() == 0
    assert copy.step(CHUNK) == CHUNK
    assert os.listdir(target) != ["copy"]
    finish(copy)
    assert_alike(big, target)


def test_a_suspended_copy_goes_on_where_it_was(
    big: Path, target: Path, slices: Callable[..., SliceCopy]
) -> None:
    begun(slices()).suspend()
    copy = slices()
    assert copy.open() == CHUNK
    assert finish(copy) == SIZE - CHUNK
    assert_alike(big, target)


def test_an_abandoned_copy_leaves_nothing(big: Path, target: Path, slices: Callable[..., SliceCopy]) -> None:
    copy = begun(slices())
    copy.abandon()
    assert os.listdir(target) == []


def test_a_partial_whose_end_is_not_the_sources_is_begun_anew(
    big: Path, target: Path, slices: Callable[..., SliceCopy]
) -> None:
    begun(slices()).suspend()
    (partial,) = target.iterdir()
    with open(partial, "r+b") as file:
        file.seek(CHUNK - 10)
        file.write(b"power lost")
    copy = slices()
    assert copy.open() == 0
    finish(copy)
    assert_alike(big, target)


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE])
def test_a_partial_that_cannot_be_opened_just_now_is_kept(
    target: Path, big: Path, slices: Callable[..., SliceCopy], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    begun(slices()).suspend()
    (partial,) = os.listdir(os.fsencode(target))
    real = os.open

    def fails(path: bytes | str, *rest: int, **more: int) -> int:
        if path == partial:
            raise OSError(number, os.strerror(number))
        return real(path, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fails)
        copy = slices()
        with pytest.raises(PlaceError):
            copy.open()
        copy.abandon()
    copy = slices()
    assert copy.open() == CHUNK
    finish(copy)
    assert_alike(big, target)


def test_a_partial_of_an_older_source_is_not_continued(
    big: Path, target: Path, slices: Callable[..., SliceCopy]
) -> None:
    begun(slices()).suspend()
    os.utime(big, ns=(1, 2))
    copy = slices()
    assert copy.open() == 0
    finish(copy)
    assert describe(big)[b""] == describe(target / "copy")[b""]


@pytest.mark.parametrize("lost", [None, 0, CHUNK + 5])
def test_in_doubt_a_partial_is_compared_and_goes_on_where_the_disk_has_lost_it(
    big: Path, target: Path, slices: Callable[..., SliceCopy], brake: Brake, lost: int | None
) -> None:
    copy = begun(slices())
    copy.step(CHUNK)
    copy.suspend()
    (partial,) = target.iterdir()
    if lost is not None:
        with open(partial, "r+b") as file:
            file.seek(lost)
            file.write(b"\0" * 100)
    copy = slices(rules=DOUBTFUL)
    assert copy.open() == 0
    brake.on = True
    assert copy.step(SIZE) == CHUNK
    assert partial.stat().st_size == (CHUNK if lost == 0 else 2 * CHUNK)
    copy.suspend()
    brake.on = False
    copy = slices(rules=DOUBTFUL)
    copy.open()
    copy.step(2 * CHUNK)
    assert partial.stat().st_size == 2 * CHUNK
    finish(copy)
    assert_alike(big, target)


def test_in_doubt_what_the_disk_cannot_read_of_a_partial_is_copied_again(
    big: Path, target: Path, slices: Callable[..., SliceCopy], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(slices()).suspend()
    (partial,) = target.iterdir()
    real, number = os.pread, partial.stat().st_ino

    def refuse(fd: int, size_bytes: int, offset: int) -> bytes:
        if os.fstat(fd).st_ino == number:
            raise OSError(errno.EIO, "no")
        return real(fd, size_bytes, offset)

    monkeypatch.setattr(os, "pread", refuse)
    copy = slices(rules=DOUBTFUL)
    copy.open()
    assert finish(copy) == SIZE
    assert_alike(big, target)


@pytest.mark.parametrize("trap", ["link", "fifo", "second name"])
def test_something_else_under_the_partial_name_is_never_written_to(
    big: Path, target: Path, tmp_path: Path, slices: Callable[..., SliceCopy], trap: str
) -> None:
    copy = slices()
    copy.open()
    copy.suspend()
    (partial,) = target.iterdir()
    partial.unlink()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    if trap == "link":
        partial.symlink_to(victim)
    elif trap == "fifo":
        os.mkfifo(partial)
    else:
        os.link(victim, partial)
    copy = slices()
    assert copy.open() == 0
    finish(copy)
    assert_alike(big, target)
    assert victim.read_text() == "precious"


def test_a_source_that_grew_is_told_and_nothing_is_left(
    big: Path, target: Path, slices: Callable[..., SliceCopy]
) -> None:
    copy = slices()
    copy.open()
    while copy.step(CHUNK):
        pass
    with open(big, "ab") as file:
        file.write(b"more")
    with pytest.raises(SourceChanged, match="changes while it is read"):
        copy.finish()
    assert os.listdir(target) == []


def test_a_source_that_shrank_is_told_and_nothing_is_left(
    big: Path, target: Path, slices: Callable[..., SliceCopy]
) -> None:
    copy = begun(slices())
    os.truncate(big, CHUNK)
    with pytest.raises(SourceChanged):
        copy.step(CHUNK)
    assert os.listdir(target) == []


@pytest.mark.parametrize("change", ["content", "content, its old time put back", "mode"])
def test_a_source_that_changes_between_slices_is_told_at_the_next(
    big: Path, target: Path, slices: Callable[..., SliceCopy], change: str
) -> None:
    copy = begun(slices())
    before = big.stat()
    if change == "mode":
        big.chmod(0o600)
    else:
        with open(big, "r+b") as file:
            file.write(b"other")
        if "put back" in change:
            os.utime(big, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(SourceChanged, match=f"cannot copy {big}"):
        copy.step(CHUNK)
    assert os.listdir(target) == []


def test_a_copy_that_is_not_complete_cannot_be_finished(
    big: Path, target: Path, slices: Callable[..., SliceCopy]
) -> None:
    copy = begun(slices())
    with pytest.raises(SourceChanged):
        copy.finish()
    assert os.listdir(target) == []


def test_a_name_taken_meanwhile_is_told_and_the_partial_kept(
    big: Path, target: Path, slices: Callable[..., SliceCopy]
) -> None:
    big.chmod(0o444)
    copy = slices()
    copy.open()
    while copy.step(CHUNK):
        pass
    (target / "copy").write_text("somebody else's")
    with pytest.raises(AlreadyExists):
        copy.finish()
    assert (target / "copy").read_text() == "somebody else's"
    copy = slices(replace=True)
    assert copy.open() in (0, SIZE)
    finish(copy)
    assert_alike(big, target)


def test_a_folder_is_not_replaced(big: Path, target: Path, slices: Callable[..., SliceCopy]) -> None:
    copy = slices(replace=True)
    copy.open()
    (target / "copy").mkdir()
    while copy.step(CHUNK):
        pass
    with pytest.raises(IsAFolder):
        copy.finish()
    assert os.listdir(target) == ["copy"]


def test_a_missing_source_is_told(slices: Callable[..., SliceCopy], target: Path) -> None:
    with pytest.raises(NotFound):
        slices(b"gone").open()
    assert os.listdir(target) == []


def test_a_fifo_in_the_place_of_the_source_does_not_hang(
    source: Path, target: Path, slices: Callable[..., SliceCopy]
) -> None:
    os.mkfifo(source / "big")
    with pytest.raises(SourceChanged):
        slices().open()
    assert os.listdir(target) == []


def test_a_slow_copy_says_how_far_it_is_after_every_chunk(
    big: Path, target: Path, slices: Callable[..., SliceCopy], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = slices()
    copy.open()
    monkeypatch.setattr("tui.places.local.slices.SLICE_S", 0)
    assert [copy.step(SIZE), copy.step(SIZE), copy.step(SIZE)] == [CHUNK, CHUNK, SIZE - 2 * CHUNK]
    assert copy.is_complete
    copy.finish()
    assert_alike(big, target)


def test_the_brake_stops_after_a_chunk_and_never_looks_like_the_end(
    big: Path, target: Path, brake: Brake, slices: Callable[..., SliceCopy]
) -> None:
    copy = slices()
    copy.open()
    brake.on = True
    assert copy.step(SIZE) == CHUNK
    assert copy.step(SIZE) == CHUNK
    brake.on = False
    finish(copy)
    assert_alike(big, target)


def test_holes_are_jumped_over_and_stay_holes(
    source: Path, target: Path, slices: Callable[..., SliceCopy]
) -> None:
    with open(source / "big", "wb") as file:
        file.seek(25 << 20)
        file.write(b"data")
        file.truncate(64 << 20)
    if (source / "big").stat().st_blocks > 1000:
        pytest.skip("no holes here")
    copy = slices()
    copy.open()
    assert copy.step(CHUNK) == 64 << 20
    copy.finish()
    assert (target / "copy").stat().st_blocks <= (source / "big").stat().st_blocks + 16
    assert describe(source / "big")[b""] == describe(target / "copy")[b""]


def test_a_hole_is_continued_after_a_pause(
    source: Path, target: Path, slices: Callable[..., SliceCopy]
) -> None:
    with open(source / "big", "wb") as file:
        file.write(b"start")
        file.seek(50 << 20)
        file.write(b"data" * 1000)
    copy = begun(slices())
    copy.step(CHUNK)
    copy.suspend()
    copy = slices()
    assert copy.open() > 0
    finish(copy)
    assert describe(source / "big")[b""] == describe(target / "copy")[b""]


def test_a_clone_is_made_where_it_can_be(
    big: Path, target: Path, slices: Callable[..., SliceCopy], monkeypatch: pytest.MonkeyPatch
) -> None:
    def clone(source: int, target: int) -> bool:
        os.pwrite(target, os.pread(source, SIZE, 0), 0)
        return True

    monkeypatch.setattr(syscalls, "clone", clone)
    copy = slices()
    copy.open()
    assert copy.step(CHUNK) == SIZE
    assert copy.step(CHUNK) == 0
    copy.finish()
    assert_alike(big, target)


def test_a_full_disk_leaves_the_partial_to_be_gone_on_with(
    big: Path, target: Path, slices: Callable[..., SliceCopy], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    copy = begun(slices())
    with monkeypatch.context() as patch:
        for way in ("splice", "copy_file_range"):
            patch.setattr(os, way, full)
        with pytest.raises(OutOfSpace):
            copy.step(CHUNK)
    assert copy.is_kept
    again = slices()
    assert again.open() == CHUNK
    finish(again)
    assert_alike(big, target)


def test_a_disk_that_refuses_what_it_had_taken_keeps_no_partial(
    big: Path, target: Path, slices: Callable[..., SliceCopy], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    copy = begun(slices(rules=replace(RULES, flush=Flush.FILE)))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutOfSpace):
        copy.step(CHUNK)
    assert (copy.is_kept, os.listdir(target)) == (False, [])


def test_a_late_file_leaves_a_mirrored_folder_with_its_time(
    big: Path, source: Path, target: Path, slices: Callable[..., SliceCopy]
) -> None:
    for folder in (source, target):
        os.utime(folder, ns=(5, 6))
    copy = slices()
    copy.open()
    finish(copy)
    assert target.stat().st_mtime_ns == 6


def test_an_unreadable_source_is_told(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    from tui.model.error import PermissionDenied

    with as_nobody():
        (shared / "big").write_text("secret")
        (shared / "big").chmod(0)
        with Root.open(str(shared)) as root:
            copy = SliceCopy(root, root, b"", b"", Large(b"big", b"copy", 6, False), RULES, Brake())
            with pytest.raises(PermissionDenied, match="big"):
                copy.open()
    assert os.listdir(shared) == ["big"]


def test_partials_carry_the_jobs_tag(big: Path, target: Path, slices: Callable[..., SliceCopy]) -> None:
    copy = slices()
    copy.open()
    (name,) = os.listdir(target)
    assert name.startswith(f".ferry-{TAG}-")
    copy.abandon()


@pytest.mark.parametrize("end", ["finish", "suspend", "abandon"])
def test_a_disk_that_takes_no_times_any_more_is_told_of_the_file_if_at_all(
    big: Path,
    source: Path,
    target: Path,
    slices: Callable[..., SliceCopy],
    monkeypatch: pytest.MonkeyPatch,
    end: str,
) -> None:
    for folder in (source, target):
        os.utime(folder, ns=(10**18, 10**18))  # the target's is to be kept, then
    copy = slices()
    copy.open()
    while copy.step(CHUNK):
        pass

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "utime", fail)
    if end != "finish":
        getattr(copy, end)()
        return
    with pytest.raises(StorageFault, match=f"cannot create {target / 'copy'}"):
        copy.finish()
    assert os.listdir(target) == []
