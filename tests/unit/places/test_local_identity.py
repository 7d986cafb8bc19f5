from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tui.places.local.identity import Likeness, compare, identify
from tui.places.local.root import Root

if TYPE_CHECKING:
    from pathlib import Path


def identity(path: Path) -> str:
    with Root.open(str(path.parent)) as folder:
        return identify(folder.fd, os.fsencode(path.name))


@pytest.mark.parametrize("kind", ["file", "folder", "link", "fifo"])
def test_an_entry_is_known_again_under_another_name_and_in_another_folder(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "entry"
    make = {"file": path.touch, "folder": path.mkdir, "fifo": lambda: os.mkfifo(path)}
    make.get(kind, lambda: path.symlink_to("nowhere"))()
    before = identity(path)
    (tmp_path / "other").mkdir()
    path.rename(tmp_path / "other" / "new name")
    assert compare(before, identity(tmp_path / "other" / "new name")) is Likeness.SAME


def test_a_folder_made_anew_is_another_one_even_with_the_same_number(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    before = identity(path)
    path.rmdir()
    path.mkdir()
    assert compare(before, identity(path)) is Likeness.OTHER


def test_a_folder_stays_the_same_whatever_is_put_into_it(tmp_path: Path) -> None:
    before = identity(tmp_path)
    (tmp_path / "new").touch()
    assert compare(before, identity(tmp_path)) is Likeness.SAME


def test_a_file_that_was_written_to_has_changed_and_one_put_in_its_place_is_another(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("text")
    before = identity(path)
    path.write_text("longer text")
    assert compare(before, identity(path)) is Likeness.CHANGED
    (tmp_path / "other").write_text("text")
    (tmp_path / "other").replace(path)
    assert compare(before, identity(path)) is Likeness.OTHER


def test_a_device_that_got_another_number_is_no_other_entry() -> None:
    assert compare("100000 5 77 10 123", "100000 6 77 10 123") is Likeness.SAME
    assert compare("40000 5 77 0 123", "40000 6 77 0 123") is Likeness.SAME


def test_without_a_time_of_birth_a_folder_is_known_by_its_device(tmp_path: Path) -> None:
    assert compare("40000 5 77 0 0", "40000 5 77 0 0") is Likeness.SAME
    assert compare("40000 5 77 0 0", "40000 6 77 0 0") is Likeness.OTHER
