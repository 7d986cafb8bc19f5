from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from tui.model.entry import EntryKind
from tui.model.error import (
    AlreadyExists,
    IsAFolder,
    LinkInTheWay,
    NotAFolder,
    NotFound,
    PermissionDenied,
    PlaceError,
    Unsupported,
)
from tui.model.location import Location
from tui.places.local import single, syscalls

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path


def at(path: Path) -> Location:
    return Location.local(path)


def test_an_entry_is_described_in_full(source: Path) -> None:
    (source / "file").write_text("12345")
    (source / "file").chmod(0o640)
    os.utime(source / "file", ns=(1, 1_234_567_890_123_456_789))
    entry = single.stat_entry(at(source / "file"))
    assert (entry.name, entry.kind, entry.size_bytes) == ("file", EntryKind.FILE, 5)
    assert (entry.mtime_ns, stat.S_IMODE(entry.mode), entry.links) == (1_234_567_890_123_456_789, 0o640, 1)
    assert entry.uid == os.geteuid()
    if os.geteuid() == 0:
        assert entry.owner == "root"


def test_links_are_told_apart_and_followed_only_on_demand(source: Path) -> None:
    (source / "file").write_text("12345")
    for name, points_to in (("to-file", "file"), ("to-folder", "."), ("broken", "nowhere\udcff")):
        (source / name).symlink_to(points_to)
    (source / "loop").symlink_to("loop")
    kinds = {
        name: single.stat_entry(at(source / name)).kind for name in ("to-file", "to-folder", "broken", "loop")
    }
    assert kinds == {
        "to-file": EntryKind.LINK,
        "to-folder": EntryKind.FOLDER_LINK,
        "broken": EntryKind.BROKEN_LINK,
        "loop": EntryKind.BROKEN_LINK,
    }
    assert single.stat_entry(at(source / "broken")).link_target == "nowhere\udcff"
    followed = single.stat_entry(at(source / "to-file"), follow=True)
    assert (followed.kind, followed.size_bytes, followed.link_target) == (EntryKind.FILE, 5, None)
    with pytest.raises(NotFound):
        single.stat_entry(at(source / "broken"), follow=True)


def test_the_root_folder_is_an_entry_too() -> None:
    assert single.stat_entry(Location("/")).kind is EntryKind.FOLDER


def test_ranges_are_read_to_the_end_of_the_file_only(source: Path) -> None:
    (source / "file").write_bytes(b"0123456789")
    assert single.read_range(at(source / "file"), 3, 4) == b"3456"
    assert single.read_range(at(source / "file"), 8, 100) == b"89"
    assert single.read_range(at(source / "file"), 100, 1) == b""


def test_only_regular_files_are_read(source: Path) -> None:
    os.mkfifo(source / "fifo")
    with pytest.raises(Unsupported, match="not a regular file"):
        single.read_range(at(source / "fifo"), 0, 1)
    with pytest.raises(IsAFolder):
        single.read_range(at(source), 0, 1)
    with pytest.raises(NotFound):
        single.read_range(at(source / "gone"), 0, 1)


def test_folders_are_made_with_their_parents(source: Path) -> None:
    single.make_folder(at(source / "a" / "b" / "c\n"))
    assert (source / "a" / "b" / "c\n").is_dir()
    with pytest.raises(AlreadyExists):
        single.make_folder(at(source / "a"))


def test_a_folder_is_not_made_below_a_file(source: Path) -> None:
    (source / "file").touch()
    with pytest.raises(NotAFolder):
        single.make_folder(at(source / "file" / "below"))


def test_files_are_made_empty_and_never_over_anything(source: Path) -> None:
    single.create_file(at(source / "new"))
    assert (source / "new").stat().st_size == 0
    (source / "link").symlink_to("new2")
    for name in ("new", "link"):
        with pytest.raises(AlreadyExists):
            single.create_file(at(source / name))
    assert not (source / "new2").exists()


def test_a_name_longer_than_the_filesystem_holds_is_told(source: Path) -> None:
    with pytest.raises(PlaceError, match="too long"):
        single.create_file(at(source / ("x" * 300)))


@pytest.mark.parametrize("can", [True, False], ids=["by one call", "by placeholder"])
def test_renaming_never_replaces(source: Path, can: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not can:
        monkeypatch.setattr(syscalls, "rename_no_replace", syscalls.rename_by_placeholder)
    for name in ("file", "other"):
        (source / name).write_text(name)
    (source / "folder").mkdir()
    (source / "folder" / "in").touch()
    (source / "empty").mkdir()
    single.rename(at(source / "file"), at(source / "renamed\x1b"))
    assert (source / "renamed\x1b").read_text() == "file"
    single.rename(at(source / "folder"), at(source / "moved"))
    assert (source / "moved" / "in").exists()
    for old, new in (("other", "renamed\x1b"), ("moved", "empty"), ("other", "empty"), ("moved", "other")):
        with pytest.raises(AlreadyExists):
            single.rename(at(source / old), at(source / new))
    assert sorted(os.listdir(source)) == ["empty", "moved", "other", "renamed\x1b"]


def test_a_placeholder_file_is_used_where_there_are_no_hard_links(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    (source / "a").write_text("a")
    (source / "b").write_text("b")
    fd = os.open(source, os.O_RDONLY)
    try:
        syscalls.rename_by_placeholder(fd, b"a", fd, b"c")
        with pytest.raises(FileExistsError):
            syscalls.rename_by_placeholder(fd, b"c", fd, b"b")
    finally:
        os.close(fd)
    assert {path.name: path.read_text() for path in source.iterdir()} == {"b": "b", "c": "a"}


def test_renaming_to_another_filesystem_says_so(source: Path) -> None:
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == source.stat().st_dev:
        pytest.skip("there is no other filesystem")
    (source / "file").touch()
    with pytest.raises(Unsupported, match="another filesystem"):
        single.rename(at(source / "file"), Location(f"/dev/shm/ferry-{os.getpid()}"))


def test_permissions_are_set_and_links_refused(source: Path) -> None:
    (source / "file").touch()
    (source / "link").symlink_to("file")
    single.set_mode(at(source / "file"), 0o604)
    assert stat.S_IMODE((source / "file").stat().st_mode) == 0o604
    with pytest.raises(LinkInTheWay):
        single.set_mode(at(source / "link"), 0o777)
    assert stat.S_IMODE((source / "file").stat().st_mode) == 0o604


def test_what_belongs_to_others_is_refused(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs two users")
    (shared / "root's").touch()
    with as_nobody(), pytest.raises(PermissionDenied):
        single.set_mode(at(shared / "root's"), 0o777)


def test_links_are_made_as_asked(source: Path) -> None:
    (source / "file").write_text("x")
    single.make_symlink(at(source / "sym"), "no/where\udcff")
    assert os.readlink(source / "sym") == "no/where\udcff"
    single.make_hardlink(at(source / "hard"), at(source / "file"))
    assert (source / "hard").samefile(source / "file")
    with pytest.raises(AlreadyExists):
        single.make_symlink(at(source / "hard"), "x")
    with pytest.raises(AlreadyExists):
        single.make_hardlink(at(source / "sym"), at(source / "file"))
    with pytest.raises(IsAFolder):
        single.make_hardlink(at(source / "dir"), at(source))
    with pytest.raises(PlaceError):
        single.make_symlink(at(source / "empty"), "")


def test_room_is_told_as_this_user_has_it(source: Path) -> None:
    found, expected = single.space(at(source)), os.statvfs(source)
    assert found.size_bytes == expected.f_blocks * expected.f_frsize
    assert 0 < found.free_bytes <= found.size_bytes
    with pytest.raises(NotFound):
        single.space(at(source / "gone"))
