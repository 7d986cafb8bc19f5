"""What is on the disk when: files before their names, names before they are counted, filesystems when asked for."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.places.local_driver import OWN, RULES, copy_tree
from tui.model.error import NotFlushed, from_os_error
from tui.model.job import Conflict, Flush
from tui.model.location import Location
from tui.places.local import syscalls
from tui.places.local.flushing import Disks
from tui.places.local.root import Root

if TYPE_CHECKING:
    from pathlib import Path

    from tui.places.local.copy_rules import CopyRules

MIB = 1 << 20
SYNCED = replace(RULES, flush=Flush.FILE)
OWN_SYNCED = replace(OWN, flush=Flush.FILE)
ways = pytest.mark.parametrize("rules", [SYNCED, OWN_SYNCED], ids=["merge", "stage"])


class Disk:
    """Notes what is flushed, by path, with the names that stand in the target then; fails where a test wants it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
        self.flushed: list[str] = []
        self.names: list[list[str]] = []
        self.failing: dict[str, int] = {}
        self._target = target
        monkeypatch.setattr(syscalls, "sync_file", self._sync)
        monkeypatch.setattr(syscalls, "sync_filesystem", self._sync)

    def _sync(self, fd: int) -> None:
        path = os.readlink(f"/proc/self/fd/{fd}").removesuffix(" (deleted)")
        what = "folder" if os.path.isdir(path) else "file"
        self.flushed.append(what)
        self.names.append(sorted(name for name in os.listdir(self._target) if not name.startswith(".")))
        if number := self.failing.get(what):
            raise OSError(number, os.strerror(number))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, target: Path) -> Disk:
    return Disk(monkeypatch, target)


@pytest.mark.parametrize("rules", [RULES, OWN], ids=["merge", "stage"])
@pytest.mark.parametrize("large_bytes", [4 << 20, 10], ids=["at once", "in slices"])
@pytest.mark.parametrize("flush", [Flush.NONE, Flush.JOB])
def test_the_disk_begins_with_a_file_as_soon_as_it_is_written_where_the_job_will_wait_for_it(
    source: Path,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
    rules: CopyRules,
    large_bytes: int,
    flush: Flush,
) -> None:
    begun: list[int] = []

    def begin(fd: int, start: int = 0, size_bytes: int = 0) -> None:
        begun.append(os.fstat(fd).st_size)

    monkeypatch.setattr(syscalls, "begin_writing", begin)
    monkeypatch.setattr(syscalls, "sync_file", lambda fd: pytest.fail("nothing is to be waited for"))
    (source / "a").write_bytes(b"x" * MIB)
    outcome = copy_tree(source, target, replace(rules, flush=flush, large_bytes=large_bytes))
    assert outcome.files + outcome.large == 1
    assert begun == ([] if flush is Flush.NONE else [MIB])


@pytest.mark.parametrize("rules", [SYNCED, OWN_SYNCED], ids=["merge", "stage"])
@pytest.mark.parametrize("large_bytes", [4 << 20, 10], ids=["at once", "in slices"])
def test_another_name_of_a_file_that_is_flushed_comes_onto_the_disk_with_its_folder(
    source: Path, target: Path, disk: Disk, rules: CopyRules, large_bytes: int
) -> None:
    (source / "a").write_bytes(b"x" * 100)
    os.link(source / "a", source / "b")
    outcome = copy_tree(source, target, replace(rules, large_bytes=large_bytes))
    assert (outcome.files + outcome.large, outcome.failures) == (2, [])
    assert (target / "a").samefile(target / "b")
    assert (disk.flushed[-1], disk.names[-1]) == ("folder", ["a", "b"])


def test_small_files_are_left_to_be_written_together(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syscalls, "begin_writing", lambda *_: pytest.fail("it is too small"))
    (source / "a").write_bytes(b"x" * 4096)
    assert copy_tree(source, target, replace(RULES, flush=Flush.JOB)).files == 1


def test_a_file_is_flushed_before_it_gets_its_name_and_the_name_after(
    source: Path, target: Path, disk: Disk
) -> None:
    (source / "a").write_text("x")
    assert copy_tree(source, target, SYNCED).files == 1
    assert disk.flushed == ["file", "folder", "folder"]
    assert disk.names == [[], ["a"], ["a"]]


def test_a_replacement_is_flushed_before_it_takes_the_place(source: Path, target: Path, disk: Disk) -> None:
    (source / "a").write_text("new")
    (target / "a").write_text("old one")
    disk.failing = {"file": errno.EIO}
    outcome = copy_tree(source, target, replace(SYNCED, conflict=Conflict.OVERWRITE))
    assert outcome.problems == [(b"a", "StorageFault")]
    assert (target / "a").read_text() == "old one"


def test_a_large_file_is_flushed_slice_by_slice_and_before_its_name(
    source: Path, target: Path, disk: Disk
) -> None:
    (source / "big").write_bytes(os.urandom(3 << 20))
    copy_tree(source, target, replace(SYNCED, large_bytes=1 << 20), slice_bytes=1 << 20)
    assert disk.flushed.count("file") >= 4
    named = [names == ["big"] for what, names in zip(disk.flushed, disk.names, strict=True) if what == "file"]
    assert not any(named)
    assert (target / "big").read_bytes() == (source / "big").read_bytes()


def test_without_it_nothing_is_flushed(source: Path, target: Path, disk: Disk) -> None:
    (source / "a").write_text("x")
    copy_tree(source, target, RULES)
    assert disk.flushed == []


def test_what_is_complete_already_is_not_flushed_again(source: Path, target: Path, disk: Disk) -> None:
    (source / "a").write_text("x")
    copy_tree(source, target)
    copy_tree(source, target, SYNCED)
    assert "file" not in disk.flushed


@ways
@pytest.mark.parametrize("size_bytes", [1, 3 << 20], ids=["small", "large"])
def test_a_file_the_disk_does_not_take_is_told_of_the_target_and_has_no_name(
    source: Path, target: Path, disk: Disk, rules: object, size_bytes: int
) -> None:
    (source / "a").write_bytes(b"x" * size_bytes)
    disk.failing = {"file": errno.EIO}
    rules = replace(rules, large_bytes=1 << 20)  # type: ignore[type-var]
    if size_bytes > 1 << 20:
        with pytest.raises(Exception, match=f"cannot write to the disk {target}/a: the disk reported"):
            copy_tree(source, target, rules)
    else:
        outcome = copy_tree(source, target, rules)
        assert outcome.problems == [(b"a", "StorageFault")]
        assert str(target / "a") in str(outcome.failures[0].error)
    assert os.listdir(target) == []


def test_no_room_at_the_write_back_is_no_room(source: Path, target: Path, disk: Disk) -> None:
    (source / "a").write_text("x")
    disk.failing = {"file": errno.ENOSPC}
    outcome = copy_tree(source, target, SYNCED)
    assert outcome.problems == [(b"a", "OutOfSpace")]
    assert outcome.out_of_space


@ways
def test_names_the_disk_does_not_take_are_told(source: Path, target: Path, disk: Disk, rules: object) -> None:
    (source / "a").write_text("x")
    disk.failing = {"folder": errno.EIO}
    outcome = copy_tree(source, target, rules)  # type: ignore[arg-type]
    assert outcome.problems == [(b"", "NotFlushed")]


def test_a_filesystem_that_knows_no_flush_of_folders_is_taken_at_its_word(
    source: Path, target: Path, disk: Disk
) -> None:
    (source / "a").write_text("x")
    disk.failing = {"folder": errno.EINVAL}
    assert copy_tree(source, target, SYNCED).problems == []


def test_a_flush_reaches_the_disk_after_everything_was_closed(target: Path, disk: Disk) -> None:
    with Root.open(str(target)) as root:
        disks = Disks(root)
        flush = disks.flush()
        disks.close()
    flush()
    assert disk.flushed == ["folder"]


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EIO, "reported an error"), (errno.ENOSPC, "no space left")]
)
def test_a_failed_flush_says_where_and_why(target: Path, disk: Disk, number: int, said: str) -> None:
    disk.failing = {"folder": number}
    with Root.open(str(target)) as root:
        disks = Disks(root)
        with pytest.raises(NotFlushed, match=f"{target}: .*{said}"):
            disks.flush()()
        disks.close()


def test_every_filesystem_is_flushed_also_where_the_first_fails(target: Path, disk: Disk) -> None:
    (target / "mounted").mkdir()
    disk.failing = {"folder": errno.EIO}
    with Root.open(str(target)) as root:
        disks = Disks(root)
        disks.add(root.device, b"mounted")
        disks.add(root.device + 1, b"mounted")
        disks.add(root.device + 1, b"mounted")
        disks.add(root.device + 2, b"unmounted meanwhile")
        with pytest.raises(NotFlushed):
            disks.flush()()
        disks.close()
    assert len(disk.flushed) == 2


def test_a_filesystem_that_cannot_be_reached_is_told_and_one_that_has_gone_is_not(
    target: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (target / "mounted").mkdir()
    with Root.open(str(target)) as root:
        disks = Disks(root)
        with monkeypatch.context() as full:
            full.setattr(root, "folder", lambda path: _fail(errno.EMFILE, path))
            disks.add(root.device + 1, b"mounted")
            with pytest.raises(NotFlushed, match="mounted is not flushed"):
                disks.flush()
        disks.flush()()
        disks.close()
    assert len(disk.flushed) == 2


def _fail(number: int, path: bytes) -> int:
    raise from_os_error(OSError(number, ""), Location(f"/{os.fsdecode(path)}"), "open")


def test_a_flush_for_which_there_is_no_descriptor_is_not_done(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(fd: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with Root.open(str(target)) as root:
        disks = Disks(root)
        monkeypatch.setattr(os, "dup", none_left)
        for flush in (disks.flush, disks.flush_names):
            with pytest.raises(NotFlushed):
                flush()
        disks.close()


def test_the_real_calls_work_here(source: Path, target: Path) -> None:
    (source / "a").write_text("x")
    assert copy_tree(source, target, SYNCED).problems == []
    with Root.open(str(target)) as root:
        disks = Disks(root)
        disks.flush()()
        disks.flush_names()()
        disks.close()
