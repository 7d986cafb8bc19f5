from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.mounts import bound, image
from tests.trees import describe
from tests.unit.places.local_driver import RULES, Outcome, copy_tree, dug, rules, run
from tui.model.job import Conflict
from tui.places.local import syscalls
from tui.places.local.descent import STEP_ENTRIES
from tui.places.local.fitting import Trail
from tui.places.local.hops import Brake
from tui.places.local.moved_removal import MovedRemoval
from tui.places.local.parallel_removal import subtrees
from tui.places.local.pruning import Pruning
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tui.places.local.copy_rules import CopyRules

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def remove(parent: Path, name: str, *, opening: bool = False) -> Outcome:
    with Root.open(str(parent)) as root:
        return run(TreeRemoval(root, os.fsencode(name), Brake(), opening=opening))


def remove_moved(
    source: Path, target: Path, name: str, target_name: str = "", rules: CopyRules = RULES
) -> Outcome:
    with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:
        names = os.fsencode(name), os.fsencode(target_name or name)
        return run(MovedRemoval(from_root, to_root, *names, Brake(), rules))


def grow(folder: Path) -> None:
    """A small tree with something of everything."""
    (folder / "a" / "b" / "c").mkdir(parents=True)
    for name in ("a/1", "a/b/2", "a/b/c/3", "a/bad\udcff\n"):
        (folder / name).write_text(name.encode(errors="replace").decode())
    (folder / "a" / "link").symlink_to("b")
    os.mkfifo(folder / "a" / "b" / "fifo")


def test_a_tree_is_removed_with_all_below(source: Path) -> None:
    grow(source)
    (source / "kept").write_text("kept")
    outcome = remove(source, "a")
    assert (outcome.files, outcome.failures) == (6, [])
    assert os.listdir(source) == ["kept"]


def test_links_are_removed_not_followed(source: Path, target: Path) -> None:
    (target / "precious").write_text("precious")
    (source / "a").mkdir()
    (source / "a" / "link").symlink_to(target)
    (source / "top").symlink_to(target)
    assert remove(source, "a").files == 1
    assert remove(source, "top").files == 1
    assert (target / "precious").exists()
    assert os.listdir(source) == []


def test_what_has_gone_already_is_no_failure(source: Path) -> None:
    assert remove(source, "gone") == Outcome()


def test_a_wide_folder_is_removed_in_bounded_batches(source: Path) -> None:
    (source / "a").mkdir()
    for number in range(3 * STEP_ENTRIES):
        (source / "a" / str(number)).touch()
    with Root.open(str(source)) as root:
        removal = TreeRemoval(root, b"a", Brake())
        batch = removal.step()
        assert 0 < batch.files <= STEP_ENTRIES
        assert not batch.exhausted
        assert batch.last.startswith(b"a/")
        removal.close()
    assert remove(source, "a").files == 3 * STEP_ENTRIES - batch.files


def test_the_brake_stops_it(source: Path) -> None:
    grow(source)
    brake = Brake()
    brake.on = True
    with Root.open(str(source)) as root:
        batch = TreeRemoval(root, b"a", brake).step()
    assert (batch.files, batch.exhausted) == (0, False)


def test_depth_costs_no_descriptors(source: Path) -> None:
    with dug(source, "d", 1100):
        open_files = len(os.listdir("/proc/self/fd"))
        most = 0
        with Root.open(str(source)) as root:
            removal = TreeRemoval(root, b"d", Brake())
            while not removal.step().exhausted:
                most = max(most, len(os.listdir("/proc/self/fd")) - open_files)
        assert most <= 4
    assert os.listdir(source) == []


def test_what_cannot_be_removed_is_told_once_and_the_rest_goes(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    with as_nobody():
        for name in ("a", "a/open", "a/closed", "a/closed/inner"):
            (shared / name).mkdir()
        for name in ("a/1", "a/open/2", "a/closed/3"):
            (shared / name).write_text("x")
        (shared / "a" / "closed").chmod(0o555)
        outcome = remove(shared, "a")
    assert sorted(outcome.problems) == [
        (b"a/closed/3", "PermissionDenied"),
        (b"a/closed/inner", "PermissionDenied"),
    ]
    assert outcome.files == 2
    assert sorted(describe(shared / "a")) == [b"", b"closed", b"closed/3", b"closed/inner"]


def test_folders_of_ones_own_are_opened_up_where_that_is_wanted(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    with as_nobody():
        for name in ("a", "a/closed", "a/closed/hidden"):
            (shared / name).mkdir()
            (shared / name / "file").write_text("x")
        (shared / "a" / "closed" / "hidden").chmod(0)
        (shared / "a" / "closed").chmod(0o555)
        outcome = remove(shared, "a", opening=True)
    assert (outcome.files, outcome.failures) == (3, [])
    assert os.listdir(shared) == []


def test_what_only_the_target_has_goes_from_read_only_folders_too(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    with as_nobody():
        for name in ("source", "source/both", "target", "target/both", "target/extra", "target/extra/deep"):
            (shared / name).mkdir()
            (shared / name / "file").write_text("x")
        (shared / "target" / "both" / "more").write_text("x")
        for name in ("both", "extra/deep", "extra"):
            (shared / "target" / name).chmod(0o555)
        with Root.open(str(shared / "source")) as source, Root.open(str(shared / "target")) as target:
            pruning = Pruning(source, target, Brake(), "tag")
            passed = pruning.step()
            pruning.close()
    assert (passed.files, passed.failures, passed.exhausted) == (3, [], True)
    assert sorted(describe(shared / "target")) == [b"", b"both", b"both/file", b"file"]
    assert stat.S_IMODE((shared / "target" / "both").stat().st_mode) == 0o555


@needs_root
def test_a_mounted_filesystem_is_not_emptied(source: Path) -> None:
    inner = source / "a" / "mounted"
    inner.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", inner], capture_output=True).returncode:
        pytest.skip("cannot mount here")
    try:
        (inner / "precious").write_text("precious")
        outcome = remove(source, "a")
        top = remove(source / "a", "mounted")
        assert outcome.problems == [(b"a/mounted", "Unsupported")]
        assert top.problems == [(b"mounted", "Unsupported")]
        assert "mounted there" in str(outcome.failures[0].error)
        assert (inner / "precious").exists()
    finally:
        subprocess.run(["umount", inner], check=True)


def test_a_folder_of_the_same_filesystem_that_is_mounted_in_a_tree_is_not_emptied(
    source: Path, target: Path
) -> None:
    for number in range(20):
        (target / str(number)).mkdir()
        (target / str(number) / "precious").touch()
    (source / "tree").mkdir()
    before = describe(target)
    with bound(source / "tree" / "mounted", target):
        outcome = remove(source, "tree")
        top = remove(source / "tree", "mounted")
        assert shared_out(source, "tree") == shared_out(source / "tree", "mounted") == []
    assert describe(target) == before
    assert outcome.problems == [(b"tree/mounted", "Unsupported")]
    assert top.problems == [(b"mounted", "Unsupported")]
    assert "another folder of the same filesystem is mounted there" in str(outcome.failures[0].error)


def test_a_subvolume_is_not_emptied_and_told_as_such(tmp_path: Path) -> None:
    with image(tmp_path / "btrfs", ["mkfs.btrfs", "-q"], 128 << 20) as disk:
        (disk / "tree").mkdir()
        command = ["btrfs", "subvolume", "create", disk / "tree" / "own"]
        if shutil.which("btrfs") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("no subvolume can be made here")
        (disk / "tree" / "own" / "precious").touch()
        outcome = remove(disk, "tree")
        assert outcome.problems == [(b"tree/own", "Unsupported")]
        assert "it is a subvolume" in str(outcome.failures[0].error)
        assert (disk / "tree" / "own" / "precious").exists()


def shared_out(parent: Path, name: str) -> list[str]:
    with Root.open(str(parent)) as root:
        return sorted(map(os.fsdecode, subtrees(root, os.fsencode(name), Brake())))


def test_a_tree_is_shared_out_by_its_folders(source: Path) -> None:
    for number in range(20):
        (source / "tree" / str(number) / "deeper").mkdir(parents=True)
    (source / "tree" / "file").touch()
    assert shared_out(source, "tree") == sorted(f"tree/{number}" for number in range(20))


def test_a_tree_that_is_narrow_above_is_shared_out_below(source: Path) -> None:
    for number in range(20):
        (source / "tree" / "only" / str(number % 2) / str(number)).mkdir(parents=True)
    assert len(shared_out(source, "tree")) == 20
    (source / "thin" / "a" / "b").mkdir(parents=True)
    assert shared_out(source, "thin") == []
    (source / "file").touch()
    assert shared_out(source, "file") == shared_out(source, "missing") == []


def test_links_to_folders_are_not_shared_out(source: Path, target: Path) -> None:
    (source / "tree").mkdir()
    for number in range(20):
        (target / str(number)).mkdir()
    (source / "tree" / "link").symlink_to(target)
    (source / "link").symlink_to(target)
    assert shared_out(source, "tree") == shared_out(source, "link") == []


@needs_root
def test_nothing_mounted_is_shared_out(source: Path) -> None:
    inner = source / "tree" / "mounted"
    inner.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", inner], capture_output=True).returncode:
        pytest.skip("cannot mount here")
    try:
        for number in range(20):
            (inner / str(number)).mkdir()
        assert shared_out(source, "tree") == shared_out(source / "tree", "mounted") == []
    finally:
        subprocess.run(["umount", inner], check=True)


def test_a_folder_filled_while_it_is_removed_is_gone_through_again(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a").mkdir()
    (source / "a" / "1").touch()
    late = [source / "a" / "2"]
    real = os.rmdir

    def rmdir(name: bytes, *, dir_fd: int) -> None:
        if late:
            late.pop().touch()
        real(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", rmdir)
    assert (remove(source, "a").files, os.listdir(source)) == (2, [])


def test_a_folder_that_fills_again_and_again_is_told(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source / "a").mkdir()
    real = os.rmdir

    def rmdir(name: bytes, *, dir_fd: int) -> None:
        (source / "a" / "late").touch()
        real(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", rmdir)
    assert remove(source, "a").problems == [(b"a", "NotEmpty")]


def test_a_moved_tree_goes_from_the_source(source: Path, target: Path) -> None:
    grow(source)
    copy_tree(source, target)
    outcome = remove_moved(source, target, "a")
    assert (outcome.files, outcome.failures) == (6, [])
    assert os.listdir(source) == []


def test_what_is_missing_or_different_at_the_target_stays_and_is_told(source: Path, target: Path) -> None:
    grow(source)
    copy_tree(source, target)
    (target / "a" / "b" / "2").unlink()
    (target / "a" / "link").unlink()
    (target / "a" / "link").symlink_to("elsewhere")
    (source / "a" / "b" / "c" / "new").write_text("came later")
    (source / "a" / "later").mkdir()
    (source / "a" / "later" / "in").write_text("in")
    outcome = remove_moved(source, target, "a")
    assert sorted(outcome.problems) == [
        (b"a/b/2", "NotFound"),
        (b"a/b/c/new", "NotFound"),
        (b"a/later", "NotFound"),
        (b"a/link", "CollisionRefused"),
    ]
    left = {path for path, facts in describe(source).items() if facts[-2] is not None}
    assert left == {b"a/b/2", b"a/link", b"a/b/c/new", b"a/later/in"}


def test_a_source_written_to_after_its_copy_stays_and_is_told(source: Path, target: Path) -> None:
    (source / "a").write_text("a")
    copy_tree(source, target)
    (source / "a").write_text("more")
    os.utime(source / "a", ns=(2**61, 2**61))
    assert remove_moved(source, target, "a").problems == [(b"a", "SourceChanged")]
    assert (source / "a").read_text() == "more"


def test_equal_looking_files_are_compared_before_the_source_goes(source: Path, target: Path) -> None:
    for folder, text in ((source, "aaaa"), (target, "bbbb")):
        (folder / "a").write_text(text)
        os.utime(folder / "a", ns=(5, 5))
    strict = rules(Conflict.ASK, compare=True)
    assert remove_moved(source, target, "a", rules=strict).files == 0
    assert (source / "a").exists()
    (target / "a").write_text("aaaa")
    os.utime(target / "a", ns=(5, 5))
    assert remove_moved(source, target, "a", rules=strict).files == 1


def test_kept_both_are_found_under_their_numbers(source: Path, target: Path) -> None:
    grow(source)
    (source / "a" / "sub").mkdir()
    (source / "a" / "sub" / "in").write_text("in")
    (target / "a").mkdir()
    (target / "a" / "1").write_text("standing")
    (target / "a" / "sub").write_text("a file where a folder comes")
    keep = rules(Conflict.RENAME)
    assert copy_tree(source, target, keep).failures == []
    outcome = remove_moved(source, target, "a", rules=keep)
    assert outcome.failures == []
    assert os.listdir(source) == []
    assert (target / "a" / "1 (1)").read_text() == "a/1"
    assert (target / "a" / "sub (1)" / "in").read_text() == "in"


def test_a_file_that_is_its_own_copy_stays(source: Path) -> None:
    (source / "a").write_text("only one")
    outcome = remove_moved(source, source, "a")
    assert outcome.problems == [(b"a", "SameFile")]
    assert (source / "a").exists()


def test_a_folder_that_is_its_own_copy_stays(source: Path) -> None:
    grow(source)
    before = describe(source)
    assert remove_moved(source, source, "a").problems == [(b"a", "SameFile")]
    assert describe(source) == before


def test_a_second_name_of_the_target_may_go(source: Path, target: Path) -> None:
    (source / "a").write_text("a")
    os.link(source / "a", target / "a")
    assert remove_moved(source, target, "a").files == 1
    assert (target / "a").read_text() == "a"


def test_a_link_in_the_place_of_the_target_folder_keeps_the_source(
    source: Path, target: Path, tmp_path: Path
) -> None:
    grow(source)
    copy_tree(source, target)
    (target / "a").rename(tmp_path / "moved")
    (target / "a").symlink_to(tmp_path / "moved")
    before = describe(source)
    assert remove_moved(source, target, "a").files == 0
    assert describe(source) == before


def test_a_missing_source_is_simply_done(source: Path, target: Path) -> None:
    assert remove_moved(source, target, "gone") == Outcome()
    assert remove_moved(source, target, "a/b/gone") == Outcome()


@pytest.mark.parametrize("failing", ["enter", "may_fold_names"])
def test_a_folder_that_cannot_be_compared_with_its_twin_stays_and_neither_is_left_open(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    for side in (source, target):
        (side / "a").mkdir()

    def refuse(*_: object) -> bool:
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(Trail if failing == "enter" else syscalls, failing, refuse)
    before = set(os.listdir("/proc/self/fd"))
    (failure,) = remove_moved(source, target, "a").failures
    assert set(os.listdir("/proc/self/fd")) == before
    assert (failure.name, os.listdir(source)) == (b"a", ["a"])
