from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import pytest

from tests.trees import describe
from tui.model.error import NotFound, PermissionDenied, Unsupported
from tui.places.local.trash import trash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="the trash of freedesktop.org")


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "Trash"


def notes(bin_: Path) -> dict[str, bytes]:
    """Return for each name in the trash where it came from."""
    found = {}
    for path in (bin_ / "info").iterdir():
        match = re.fullmatch(
            r"\[Trash Info\]\nPath=(\S+)\nDeletionDate=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\n", path.read_text()
        )
        assert match
        found[path.name.removesuffix(".trashinfo")] = unquote_to_bytes(match[1])
    return found


def test_no_other_name_is_made_up_where_its_own_is_free(
    source: Path, bin_: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def others(_name: bytes, *, folder: bool) -> Iterator[bytes]:
        raise AssertionError("asked for another name")
        yield b""

    monkeypatch.setattr("tui.places.local.trash.other_names", others)
    (source / "file").touch()
    trash(str(source / "file"))
    assert set(notes(bin_)) == {"file"}


def test_a_tree_goes_to_the_trash_whole_with_a_note_of_where_it_was(source: Path, bin_: Path) -> None:
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "b" / "file").write_text("x")
    before = describe(source / "a")
    trash(str(source / "a"))
    assert os.listdir(source) == []
    assert describe(bin_ / "files" / "a") == before
    assert notes(bin_) == {"a": os.fsencode(source / "a")}


@pytest.mark.parametrize("name", [b"bad\xff\n", b"x" * 255, b"-rf", b"%41 ="])
def test_hostile_names_can_be_trashed_and_found_again(source: Path, bin_: Path, name: bytes) -> None:
    path = os.fsencode(source) + b"/" + name
    with open(path, "wb") as file:
        file.write(name)
    trash(os.fsdecode(path))
    ((kept, origin),) = notes(bin_).items()
    assert origin == path
    assert (bin_ / "files" / kept).read_bytes() == name


def test_links_go_themselves_dangling_or_not(source: Path, bin_: Path) -> None:
    (source / "kept").write_text("kept")
    (source / "link").symlink_to("kept")
    (source / "dangling").symlink_to("nowhere")
    trash(str(source / "link"))
    trash(str(source / "dangling"))
    assert os.listdir(source) == ["kept"]
    assert os.readlink(bin_ / "files" / "dangling") == "nowhere"


def test_equal_names_are_all_kept(source: Path, bin_: Path) -> None:
    for number in range(3):
        (source / "a.txt").write_text(str(number))
        trash(str(source / "a.txt"))
    assert sorted(path.read_text() for path in (bin_ / "files").iterdir()) == ["0", "1", "2"]
    assert set(notes(bin_)) == set(os.listdir(bin_ / "files"))


def test_what_is_not_there_is_told(source: Path, bin_: Path) -> None:
    with pytest.raises(NotFound, match="cannot trash"):
        trash(str(source / "gone"))


def test_the_trash_cannot_be_trashed_and_no_note_is_left(tmp_path: Path, bin_: Path) -> None:
    with pytest.raises(Unsupported, match="no trash"):
        trash(str(tmp_path))
    assert notes(bin_) == {}


def test_a_read_only_file_can_be_trashed_but_not_one_in_a_read_only_folder(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(shared / "data"))
    with as_nobody():
        (shared / "file").touch(mode=0o400)
        (shared / "closed").mkdir()
        (shared / "closed" / "in").touch()
        (shared / "closed").chmod(0o500)
        trash(str(shared / "file"))
        with pytest.raises(PermissionDenied):
            trash(str(shared / "closed" / "in"))
    assert set(notes(shared / "data" / "Trash")) == {"file"}


def test_a_relative_folder_for_data_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    trash(str(tmp_path / "file"))
    assert set(notes(tmp_path / "person" / ".local" / "share" / "Trash")) == {"file"}
    assert not (tmp_path / "data").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("shared_trash", [True, False])
def test_another_volume_has_its_own_trash(target: Path, bin_: Path, shared_trash: bool) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", target], capture_output=True).returncode:
        pytest.skip("cannot mount here")
    try:
        (target / "folder").mkdir()
        (target / "folder" / "file").write_text("x")
        volume = target / ".Trash-0"
        if shared_trash:
            (target / ".Trash").mkdir()
            (target / ".Trash").chmod(0o1777)
            volume = target / ".Trash" / "0"
        trash(str(target / "folder" / "file"))
        assert notes(volume) == {"file": b"folder/file"}
        assert (volume / "files" / "file").read_text() == "x"
        with pytest.raises(Unsupported):
            trash(str(target))
    finally:
        subprocess.run(["umount", target], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_volume_without_room_for_a_trash_says_so(target: Path, bin_: Path, tmp_path: Path) -> None:
    """Somebody laid a link where the volume's trash would be: nothing may be moved through it."""
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", target], capture_output=True).returncode:
        pytest.skip("cannot mount here")
    try:
        (target / "file").write_text("x")
        (target / ".Trash-0").symlink_to(tmp_path)
        with pytest.raises(Unsupported, match="no trash"):
            trash(str(target / "file"))
        assert (target / "file").exists()
    finally:
        subprocess.run(["umount", target], check=True)
