"""Small files without anything special, and those that stand at the target already: few calls, the same care."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.trees import describe
from tests.unit.places.local_driver import OWN, RULES, copy_tree
from tui.model.fidelity import Loss
from tui.model.job import Conflict
from tui.places.local import plain, standing

if TYPE_CHECKING:
    from collections.abc import Set
    from pathlib import Path

    from tui.places.local.hops import CopyRules

OLD_NS = 1_500_000_000_123_456_789
both = pytest.mark.parametrize("rules", [RULES, OWN], ids=["standing folder", "own folder"])
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def make_files(folder: Path, count: int = 5) -> None:
    for number in range(count):
        file = folder / f"file{number}"
        file.write_bytes(b"content %d" % number)
        os.utime(file, ns=(OLD_NS, OLD_NS + number))
    os.utime(folder, ns=(OLD_NS, OLD_NS))


def test_nothing_that_stands_complete_is_opened(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(source)
    assert copy_tree(source, target).files == 5
    opened: list[bytes] = []
    real = os.open

    def note(path: bytes, *args: object, **more: object) -> int:
        opened.append(os.fsencode(path))
        return real(path, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", note)
    assert copy_tree(source, target).same == 5
    assert [name for name in opened if name.startswith(b"file")] == []


def test_what_changed_in_size_or_time_is_copied_again(source: Path, target: Path) -> None:
    make_files(source)
    copy_tree(source, target)
    (source / "file1").write_bytes(b"longer than it was")
    os.utime(source / "file1", ns=(OLD_NS, OLD_NS + 1))
    os.utime(source / "file2", ns=(OLD_NS, OLD_NS + 1000))
    outcome = copy_tree(source, target, replace(RULES, conflict=Conflict.OVERWRITE))
    assert (outcome.files, outcome.same) == (2, 3)
    assert describe(source) == describe(target)


def test_what_is_replaced_is_looked_at_once_on_either_side(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(source)
    make_files(target)
    os.utime(source / "file1", ns=(OLD_NS, OLD_NS + 1000))
    looked_at: list[bytes] = []
    real = os.lstat

    def note(path: bytes, **more: int) -> os.stat_result:
        looked_at.append(os.fsencode(path))
        return real(path, **more)

    monkeypatch.setattr(os, "lstat", note)
    assert copy_tree(source, target, replace(RULES, conflict=Conflict.OVERWRITE)).files == 1
    assert looked_at.count(b"file1") == 2


def test_a_name_that_was_free_when_the_folder_was_listed_is_not_taken_from_somebody_else(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(source)
    (target / "theirs").write_bytes(b"of before")
    os.utime(target, ns=(OLD_NS, OLD_NS))
    real = standing.listed_up_to

    def list_and_lose(folder: int, most: int) -> Set[bytes] | None:
        names = real(folder, most)
        for number in range(5):  # whichever is asked for next
            file = target / f"file{number}"
            if not file.exists():
                file.write_bytes(b"somebody else's")
        return names

    monkeypatch.setattr(standing, "listed_up_to", list_and_lose)
    outcome = copy_tree(source, target)
    assert outcome.files == 0
    assert sorted(collision.name for collision in outcome.collisions) == [
        b"file%d" % number for number in range(5)
    ]
    assert {file.read_bytes() for file in target.glob("file*")} == {b"somebody else's"}


def test_more_names_than_are_kept_in_mind_are_looked_for_one_by_one(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "_MOST_NAMES", 3)
    make_files(target)
    make_files(source, 8)
    outcome = copy_tree(source, target)
    assert (outcome.files, outcome.same) == (3, 5)
    assert describe(source) == describe(target)


@both
def test_a_file_that_does_not_hold_still_is_copied_the_careful_way(
    source: Path, target: Path, rules: CopyRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(source)
    seen: list[set[str]] = []

    def moving(before: os.stat_result, after: os.stat_result) -> bool:
        seen.append({file.name for file in target.iterdir()})
        return False

    monkeypatch.setattr(plain, "unchanged", moving)
    assert copy_tree(source, target, rules).files == 5
    assert len(seen) == 4, "all but the first, which shows what the filesystem keeps"
    assert all(len(names) == number for number, names in enumerate(seen, 1)), "nothing was made of it yet"
    assert describe(source) == describe(target)


@both
def test_a_file_that_cannot_be_written_is_told_and_not_tried_again_in_silence(
    source: Path, target: Path, rules: CopyRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(source)
    real, writes = os.write, iter([False, False, True])

    def write(fd: int, data: bytes) -> int:
        if next(writes, False):
            raise OSError(errno.EROFS, "the disk was taken away, for a moment")
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    outcome = copy_tree(source, target, rules)
    assert (outcome.files, [code for _, code in outcome.problems]) == (4, ["ReadOnly"])
    assert len(os.listdir(target)) == 4


@both
def test_times_that_files_could_not_keep_are_told(
    source: Path, target: Path, rules: CopyRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(source)
    real, kept = os.utime, iter([True])

    def utime(*where: object, **times: object) -> None:
        if not next(kept, False):
            raise OSError(errno.EPERM, "not here")
        real(*where, **times)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "utime", utime)
    lost = [name for loss, name in copy_tree(source, target, rules).losses if loss is Loss.TIMES]
    assert len([name for name in lost if name.startswith(b"file")]) == 4, "all but the first"


def test_files_get_their_names_also_where_nameless_ones_turn_out_to_get_none(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(source)
    real, named = os.link, iter([True])

    def link(*names: object, **how: object) -> None:
        if not next(named, False):
            raise OSError(errno.EXDEV, "not from there")
        real(*names, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", link)
    assert copy_tree(source, target).files == 5
    assert describe(source) == describe(target)


@needs_root
def test_files_get_their_group_also_where_the_target_folder_gives_another(source: Path, target: Path) -> None:
    for name in ("a", "b", "c"):
        (source / name).mkdir()
        make_files(source / name)
        (target / name).mkdir()
    os.chown(target / "b", -1, 4711)
    (target / "b").chmod(0o2755)
    os.chown(target / "c", -1, 4711)
    copy_tree(source, target)
    groups = {file.stat().st_gid for file in target.glob("*/file*")}
    assert groups == {os.stat(source / "a" / "file0").st_gid}
    modes = {stat.S_IMODE(file.stat().st_mode) for side in (source, target) for file in side.glob("*/file*")}
    assert len(modes) == 1
