"""What filesystems take is told by looking, or found out by trying; neither leaves anything behind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.mounts import in_user_space
from tui.places.local import name_rules
from tui.places.local.name_rules import ORDINARY, WINDOWS, NameRules, rules_for, tried_rules

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MIB = 1 << 20
NTFS = ["mkfs.ntfs", "-qF"]
TAG = "abcdefgh"


def rules(folder: Path, tag: str = "") -> NameRules:
    fd = os.open(folder, os.O_PATH)
    try:
        return rules_for(fd, tag)
    finally:
        os.close(fd)


def test_an_ordinary_folder_costs_no_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_rules, "tried_rules", None)
    assert rules(tmp_path, TAG) == ORDINARY
    assert not ORDINARY.are_narrow


def test_a_trial_tells_the_truth_and_leaves_nothing(tmp_path: Path) -> None:
    os.utime(tmp_path, ns=(1_000, 2_000))
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        found = tried_rules(fd, TAG)
    finally:
        os.close(fd)
    assert not found.are_narrow
    assert found.sure
    assert list(tmp_path.iterdir()) == []
    assert tmp_path.stat().st_mtime_ns == 2_000


def test_a_trial_goes_on_where_one_was_killed(tmp_path: Path) -> None:
    left = tmp_path / f".ferry-{TAG}-Names"
    left.mkdir()
    (left / "Case").touch()
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert not tried_rules(fd, TAG).are_narrow
    finally:
        os.close(fd)
    assert list(tmp_path.iterdir()) == []


def test_a_driver_that_folds_names_is_found_out(tmp_path: Path) -> None:
    with in_user_space(tmp_path / "folding", NTFS, 64 * MIB, ["lowntfs-3g", "-o", "ignore_case"]) as folder:
        found = rules(folder, TAG)
        assert (found.folds, found.characters, found.sure) == (True, False, True)
        assert list(folder.iterdir()) == []


def test_a_driver_that_keeps_to_the_rules_of_windows_is_found_out(tmp_path: Path) -> None:
    with in_user_space(tmp_path / "windows", NTFS, 64 * MIB, ["lowntfs-3g", "-o", "windows_names"]) as folder:
        found = rules(folder, TAG)
        assert (found.folds, found.characters, found.ends, found.devices) == (False, True, True, True)
        told = rules(folder)
        assert (told.characters, told.sure) == (True, False)  # looking alone cannot tell


def test_the_rules_of_fat_are_known_without_a_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_rules.syscalls, "filesystem_kind", lambda fd: 0x4D44)
    found = rules(tmp_path)
    assert found.refuses(b"a:b") == "that filesystem takes no ':' in names"
    assert (found.most_bytes, found.links, found.sure) == ((4 << 30) - 1, False, True)


def test_names_are_refused_with_the_reason() -> None:
    assert "not UTF-8" in WINDOWS.refuses(b"\xff")
    assert "device" in WINDOWS.refuses(b"NUL.txt")
    assert "255 UTF-16 units" in WINDOWS.refuses("𝄞".encode() * 128)
    assert WINDOWS.refuses(b"console") == ""


def test_a_name_that_is_not_utf8_is_held_to_the_other_rules_too() -> None:
    rules = NameRules(characters=True, most_units=4)
    assert rules.refuses(b"\xff") == ""
    assert "takes no ':'" in rules.refuses(b"a:\xff")
    assert "too long" in rules.refuses(b"abcd\xff")
