"""Reading copies back from the disk before they get their names."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.spoiling import BadDisk
from tests.trees import describe, differences, make_mixed_tree
from tests.unit.places.local_driver import OWN, RULES, copy_tree, rules
from tui.model.error import SourceChanged, VerificationFailed
from tui.model.job import Conflict
from tui.places.local import verifying
from tui.places.local.content import Stopped
from tui.places.local.copying import SliceCopy
from tui.places.local.hops import Brake, Large
from tui.places.local.root import Root
from tui.places.local.verifying import Differs, ReadBack, same_on_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VERIFY = replace(RULES, verify=True)
OLD = 10**18
SIZE = 10_000_000


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> BadDisk:
    disk = BadDisk()
    disk.install(monkeypatch)
    return disk


def write(path: Path, content: bytes, mtime_ns: int = OLD) -> Path:
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Callable[[bytes, bytes], tuple[int, int]]]:
    """Two open files with the contents given."""
    opened: list[int] = []

    def make(first: bytes, second: bytes) -> tuple[int, int]:
        for name, content in (("first", first), ("second", second)):
            (tmp_path / name).write_bytes(content)
            opened.append(os.open(tmp_path / name, os.O_RDWR))
        return opened[-2], opened[-1]

    yield make
    for fd in opened:
        os.close(fd)


# Two files


@pytest.mark.parametrize("size", [0, 1, 4096, (8 << 20) + 1, 20_000_001])
def test_files_of_the_same_content_are_the_same(
    pair: Callable[[bytes, bytes], tuple[int, int]], size: int
) -> None:
    content = os.urandom(size)
    assert same_on_disk(*pair(content, content), size, Brake())


@pytest.mark.parametrize("at", [0, 1 << 20, (8 << 20) - 1, 8 << 20, 20_000_000])
def test_one_byte_makes_them_differ(pair: Callable[[bytes, bytes], tuple[int, int]], at: int) -> None:
    content = os.urandom(20_000_001)
    other = bytearray(content)
    other[at] ^= 1
    assert not same_on_disk(*pair(content, bytes(other)), len(content), Brake())


def test_a_target_of_another_length_differs(pair: Callable[[bytes, bytes], tuple[int, int]]) -> None:
    assert not same_on_disk(*pair(b"text", b"text and more"), 4, Brake())
    assert not same_on_disk(*pair(b"text", b"tex"), 4, Brake())


def test_holes_of_both_are_passed_over_and_data_in_a_hole_is_not(
    pair: Callable[[bytes, bytes], tuple[int, int]],
) -> None:
    first, second = pair(b"start", b"start")
    for fd in (first, second):
        os.ftruncate(fd, 1 << 40)  # would take minutes to read
        os.pwrite(fd, b"end", (1 << 40) - 3)
    assert same_on_disk(first, second, 1 << 40, Brake())
    os.pwrite(second, b"x", 1 << 39)
    assert not same_on_disk(first, second, 1 << 40, Brake())


def test_a_stopped_slice_is_begun_anew(pair: Callable[[bytes, bytes], tuple[int, int]]) -> None:
    content = os.urandom(5_000_000)
    back, brake = ReadBack(*pair(content, content), len(content)), Brake()
    brake.on = True
    with pytest.raises(Stopped):
        back.step(8 << 20, brake)
    brake.on = False
    assert back.step(8 << 20, brake) == len(content)
    assert back.step(8 << 20, brake) == 0


def test_what_is_in_memory_is_written_out_and_forgotten_before_it_is_read(
    pair: Callable[[bytes, bytes], tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, int]] = []
    forget, read = verifying.forget, verifying.read_from_disk
    monkeypatch.setattr(
        verifying, "forget", lambda fd, *rest: (calls.append(("forget", fd)), forget(fd, *rest))
    )
    monkeypatch.setattr(
        verifying, "read_from_disk", lambda fd, *rest: (calls.append(("read", fd)), read(fd, *rest))[1]
    )
    first, second = pair(b"text", b"text")
    assert same_on_disk(first, second, 4, Brake())
    assert calls == [("forget", first), ("read", first), ("forget", second), ("read", second)]


# Files in folders


def test_a_tree_is_verified_as_it_is_copied(source: Path, target: Path) -> None:
    make_mixed_tree(source / "tree", seed=3, files=100)
    verified = []
    outcome = copy_tree(
        source, target, VERIFY, on_batch=lambda batch: verified.append((batch.files, batch.verified_files))
    )
    assert outcome.failures == []
    assert differences(describe(source), describe(target)) == []
    files = sum(files for files, _ in verified)
    nameless = sum(1 for path in source.rglob("*") if path.is_symlink() or path.is_fifo() or path.is_socket())
    assert sum(verified for _, verified in verified) == files - nameless > 100


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("fault", [{"writes": 1}, {"reads": 1}])
def test_a_file_that_reads_back_differently_is_copied_again(
    source: Path, target: Path, disk: BadDisk, own: bool, fault: dict[str, int]
) -> None:
    write(source / "file", b"content")
    disk.writes, disk.reads = fault.get("writes", 0), fault.get("reads", 0)
    outcome = copy_tree(source, target, replace(VERIFY, own=own))
    assert (outcome.files, outcome.failures) == (1, [])
    assert differences(describe(source), describe(target)) == []


@pytest.mark.parametrize("own", [False, True])
def test_one_that_differs_twice_is_an_error_and_gets_no_name(
    source: Path, target: Path, disk: BadDisk, own: bool
) -> None:
    write(source / "file", b"content")
    disk.writes = 2
    outcome = copy_tree(source, target, replace(VERIFY, own=own))
    assert outcome.problems == [(b"file", "VerificationFailed")]
    (failure,) = outcome.failures
    assert str(target / "file") in failure.error.message
    assert str(source / "file") in failure.error.message
    assert failure.error.remedy
    assert os.listdir(target) == []


def test_what_was_to_be_replaced_stays_where_the_new_one_differs(
    source: Path, target: Path, disk: BadDisk
) -> None:
    write(source / "file", b"new content")
    write(target / "file", b"old", OLD - 1)
    disk.writes = 2
    outcome = copy_tree(source, target, rules(Conflict.OVERWRITE, verify=True))
    assert outcome.problems == [(b"file", "VerificationFailed")]
    assert (target / "file").read_bytes() == b"old"
    assert os.listdir(target) == ["file"]


def test_one_that_stands_there_looking_complete_is_read_too(source: Path, target: Path) -> None:
    write(source / "file", b"content")
    write(target / "file", b"c0ntent")
    assert copy_tree(source, target).same == 1
    outcome = copy_tree(source, target, VERIFY)
    assert (outcome.same, len(outcome.collisions)) == (0, 1)
    assert (target / "file").read_bytes() == b"c0ntent"


def test_a_leftover_in_a_tree_of_its_own_that_differs_is_copied_again(source: Path, target: Path) -> None:
    write(source / "file", b"content")
    write(target / "file", b"c0ntent")
    outcome = copy_tree(source, target, replace(OWN, verify=True))
    assert (outcome.same, outcome.files) == (0, 1)
    assert (target / "file").read_bytes() == b"content"


def test_the_other_names_of_a_file_stay_together(source: Path, target: Path) -> None:
    write(source / "first", b"content")
    os.link(source / "first", source / "second")
    outcome = copy_tree(source, target, VERIFY)
    assert outcome.files == 2
    assert (target / "first").samefile(target / "second")
    assert copy_tree(source, target, VERIFY).same == 2


# Large files


@pytest.fixture
def slices(source: Path, target: Path) -> Iterator[SliceCopy]:
    write(source / "big", os.urandom(SIZE))
    with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:
        copy = SliceCopy(from_root, to_root, b"", b"", Large(b"big", b"copy", SIZE, False), VERIFY, Brake())
        copy.open()
        yield copy
        copy.suspend()


def through(step: Callable[[int], int]) -> int:
    done = 0
    while count := step(4 << 20):
        done += count
    return done


def test_a_large_file_is_read_back_in_slices(slices: SliceCopy, source: Path, target: Path) -> None:
    through(slices.step)
    assert slices.read_back(4 << 20) == 4 << 20
    assert through(slices.read_back) == SIZE - (4 << 20)
    slices.finish()
    assert (target / "copy").read_bytes() == (source / "big").read_bytes()


def test_a_large_file_that_differs_can_be_copied_again(
    slices: SliceCopy, source: Path, target: Path, disk: BadDisk
) -> None:
    disk.writes = 1
    through(slices.step)
    with pytest.raises(VerificationFailed, match="cannot verify"):
        through(slices.read_back)
    slices.restart()
    through(slices.step)
    assert through(slices.read_back) == SIZE
    slices.finish()
    assert (target / "copy").read_bytes() == (source / "big").read_bytes()


def test_a_large_source_that_was_written_to_is_no_bad_disk(slices: SliceCopy, source: Path) -> None:
    through(slices.step)
    write(source / "big", b"other" * (SIZE // 5), OLD + 1)
    with pytest.raises(SourceChanged):
        through(slices.read_back)


def test_a_disk_that_fails_is_told_by_the_side_that_failed(
    slices: SliceCopy, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through(slices.step)

    def fails(fd: int, size_bytes: int, offset: int) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(verifying, "read_from_disk", fails)
    with pytest.raises(Exception, match=f"cannot read back {source / 'big'}: the disk reported an error"):
        slices.read_back(1)


def test_a_difference_is_found_at_the_slice_it_is_in(pair: Callable[[bytes, bytes], tuple[int, int]]) -> None:
    back = ReadBack(*pair(b"a" * SIZE, b"a" * (SIZE - 1) + b"b"), SIZE)
    assert back.step(4 << 20, Brake()) == 4 << 20
    assert back.step(4 << 20, Brake()) == 4 << 20
    with pytest.raises(Differs):
        back.step(4 << 20, Brake())
