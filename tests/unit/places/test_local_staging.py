from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from tui.model.error import AlreadyExists, IsAFolder, NotFound, PermissionDenied
from tui.places.local.root import Root
from tui.places.local.staging import move_into_place, prepare_stage, publish, stage_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path


def test_a_stage_is_private_and_found_again(target: Path) -> None:
    with Root.open(str(target)) as root:
        stage, is_new = prepare_stage(root, b"name", "j1")
        (target / os.fsdecode(stage) / "in").touch()
        assert is_new
        assert prepare_stage(root, b"name", "j1") == (stage, False) == (stage_name("j1", b"name"), False)
        assert prepare_stage(root, b"x" * 255, "j1").name != stage
    assert stat.S_IMODE((target / os.fsdecode(stage)).stat().st_mode) == 0o700
    assert (target / os.fsdecode(stage) / "in").exists()


@pytest.mark.parametrize("trap", ["file", "link"])
def test_something_else_in_the_place_of_a_stage_is_refused(target: Path, tmp_path: Path, trap: str) -> None:
    path = target / os.fsdecode(stage_name("j1", b"name"))
    if trap == "file":
        path.touch()
    else:
        path.symlink_to(tmp_path)
    with Root.open(str(target)) as root, pytest.raises(AlreadyExists):
        prepare_stage(root, b"name", "j1")


def test_a_stage_laid_by_somebody_else_in_a_shared_folder_is_refused(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs two users")
    with as_nobody():
        (shared / os.fsdecode(stage_name("j1", b"name"))).mkdir()
    with Root.open(str(shared)) as root, pytest.raises(AlreadyExists):
        prepare_stage(root, b"name", "j1")


def test_a_stage_where_one_may_not_write_is_told(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    with as_nobody():
        (shared / "ro").mkdir()
        (shared / "ro").chmod(0o555)
        with Root.open(str(shared / "ro")) as root, pytest.raises(PermissionDenied):
            prepare_stage(root, b"name", "j1")


def test_publishing_gives_the_name_in_one_step_and_never_over_anything(target: Path) -> None:
    with Root.open(str(target)) as root:
        for taken in ("empty", "file"):
            stage, _ = prepare_stage(root, taken.encode(), "j1")
            (target / taken).mkdir() if taken == "empty" else (target / taken).touch()
            with pytest.raises(AlreadyExists):
                publish(root, stage, taken.encode())
            assert (target / os.fsdecode(stage)).is_dir()
        publish(root, stage, b"final")
    assert (target / "final").is_dir()


def test_moving_into_place_renames_and_replaces_only_files(source: Path, target: Path) -> None:
    for name in ("a", "b", "c"):
        (source / name).write_text(name)
    (source / "folder").mkdir()
    (target / "b").write_text("standing")
    (target / "c").mkdir()
    (target / "folder").mkdir()
    with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:
        assert move_into_place(from_root, b"a", to_root, b"A")
        with pytest.raises(AlreadyExists):
            move_into_place(from_root, b"b", to_root, b"b")
        assert (target / "b").read_text() == "standing"
        assert move_into_place(from_root, b"b", to_root, b"b", replace=True)
        with pytest.raises(IsAFolder):
            move_into_place(from_root, b"c", to_root, b"c", replace=True)
        with pytest.raises(AlreadyExists):
            move_into_place(from_root, b"folder", to_root, b"folder", replace=True)
        with pytest.raises(NotFound):
            move_into_place(from_root, b"gone", to_root, b"x")
    assert (target / "A").read_text() == "a"
    assert (target / "b").read_text() == "b"
    assert sorted(os.listdir(source)) == ["c", "folder"]


def test_moving_to_another_filesystem_is_declined(source: Path) -> None:
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == source.stat().st_dev:
        pytest.skip("there is no other filesystem")
    (source / "a").touch()
    with Root.open(str(source)) as from_root, Root.open("/dev/shm") as to_root:
        assert not move_into_place(from_root, b"a", to_root, f"ferry-{os.getpid()}".encode())
    assert (source / "a").exists()
