from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.trees import describe
from tests.unit.places.local_driver import (
    OWN,
    RULES,
    TAG,
    Outcome,
    copy_tree,
    differences_by_rsync,
    dug,
    removed_afterwards,
)
from tui.model.error import PlaceUnavailable
from tui.model.job import Conflict
from tui.model.misfit import Names
from tui.places.local import fitting, syscalls
from tui.places.local.content import Moved, Ways, copy_all
from tui.places.local.copying import FolderCopy, HardLinks, sweep
from tui.places.local.fitting import Fitting
from tui.places.local.hops import BATCH_ENTRIES, Brake
from tui.places.local.name_rules import WINDOWS
from tui.places.local.root import Root
from tui.places.local.traits import Traits

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tui.model.exclusion import Exclusion
    from tui.places.local.copy_rules import CopyRules

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
both = pytest.mark.parametrize("rules", [RULES, OWN], ids=["standing folder", "own folder"])

HOSTILE = [
    b"new\nline",
    b"esc\x1b[31mred",
    b"bad\xff\xfeutf8",
    b"-rf",
    b"--",
    b" ",
    b"...",
    b"*?[a]",
    b"\xe2\x80\xaeltr",
    b"tab\tbell\x07",
    b"x" * 255,
    "né".encode(),
    "🛳".encode() * 63,
    b"back\\slash",
    b".ferry-x-0123456789abcdef",
]


def assert_alike(source: Path, target: Path) -> None:
    assert describe(source) == describe(target)
    assert differences_by_rsync(source, target) == ""


@both
def test_hostile_names_travel_unchanged(source: Path, target: Path, rules: object) -> None:
    for name in HOSTILE:
        with open(os.fsencode(source) + b"/" + name, "wb") as file:
            file.write(name)
        os.mkdir(os.fsencode(source) + b"/d" + name[:254])
    outcome = copy_tree(source, target, rules)
    assert outcome.failures == []
    assert outcome.files == len(HOSTILE)
    assert_alike(source, target)


def _make_kinds(folder: Path) -> None:
    (folder / "empty").touch()
    (folder / "file").write_bytes(os.urandom(100_000))
    (folder / "folder" / "below").mkdir(parents=True)
    (folder / "folder" / "below" / "deep").write_text("deep")
    (folder / "link").symlink_to("file")
    (folder / "dangling").symlink_to("no\nwhere")
    (folder / "folder-link").symlink_to("folder")
    os.mkfifo(folder / "fifo", 0o640)
    with socket.socket(socket.AF_UNIX) as listener:
        folder_fd = os.open(folder, os.O_PATH)
        try:
            listener.bind(f"/proc/self/fd/{folder_fd}/socket")
        finally:
            os.close(folder_fd)
    for number, name in enumerate(sorted(os.listdir(folder))):
        os.utime(folder / name, ns=(number, 1_234_567_890_123_456_789 + number), follow_symlinks=False)


@both
def test_every_kind_of_entry_is_copied(source: Path, target: Path, rules: object) -> None:
    _make_kinds(source)
    outcome = copy_tree(source, target, rules)
    assert outcome.failures == []
    assert outcome.files == 8
    assert_alike(source, target)


@both
def test_a_second_walk_finds_all_complete_and_changes_nothing(
    source: Path, target: Path, rules: object
) -> None:
    _make_kinds(source)
    copy_tree(source, target, rules)
    before = {path: os.lstat(path).st_ino for path in target.rglob("*")}
    outcome = copy_tree(source, target, rules)
    assert (outcome.files, outcome.same, outcome.failures, outcome.collisions) == (0, 8, [], [])
    assert {path: os.lstat(path).st_ino for path in target.rglob("*")} == before
    assert_alike(source, target)


@needs_root
@both
def test_devices_are_made_anew(source: Path, target: Path, rules: object) -> None:
    os.mknod(source / "null", stat.S_IFCHR | 0o640, os.makedev(1, 3))
    os.mknod(source / "disk", stat.S_IFBLK | 0o600, os.makedev(7, 250))
    assert copy_tree(source, target, rules).failures == []
    assert_alike(source, target)


def test_a_device_that_may_not_be_made_is_one_failure(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to make the device that is not allowed")
    (shared / "target").mkdir()
    (shared / "target").chmod(0o777)
    (shared / "source").mkdir()
    os.mknod(shared / "source" / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (shared / "source" / "file").write_text("x")
    with as_nobody():
        outcome = copy_tree(shared / "source", shared / "target")
    assert outcome.problems == [(b"null", "NotHeld")]
    assert (shared / "target" / "file").read_text() == "x"


@both
@pytest.mark.parametrize("mode", [0o777, 0o000, 0o4755, 0o2711, 0o1644, 0o6777, 0o444])
def test_modes_are_kept_whatever_the_umask(source: Path, target: Path, rules: object, mode: int) -> None:
    (source / "file").write_text("x")
    (source / "file").chmod(mode)
    (source / "folder").mkdir()
    (source / "folder" / "in").write_text("y")
    (source / "folder").chmod(mode if os.geteuid() == 0 else mode | 0o500)
    if os.geteuid() != 0:
        (source / "file").chmod(mode | 0o400)
    old = os.umask(0o077)
    try:
        outcome = copy_tree(source, target, rules)
    finally:
        os.umask(old)
    assert outcome.failures == []
    assert_alike(source, target)


@needs_root
@both
def test_owners_are_kept(source: Path, target: Path, rules: object) -> None:
    (source / "file").write_text("x")
    (source / "folder").mkdir()
    (source / "link").symlink_to("file")
    os.mkfifo(source / "fifo")
    for number, name in enumerate(os.listdir(source)):
        os.chown(source / name, 1000 + number, 2000 + number, follow_symlinks=False)
    (source / "file").chmod(0o6755)
    assert copy_tree(source, target, rules).failures == []
    assert_alike(source, target)


@needs_root
def test_a_file_of_another_user_loses_its_set_id_bits_where_the_owner_cannot_be_kept(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    for name in ("source", "target"):
        (shared / name).mkdir()
        (shared / name).chmod(0o777)
    (shared / "source" / "tool").write_text("x")
    (shared / "source" / "tool").chmod(0o6755)
    with as_nobody():
        assert copy_tree(shared / "source", shared / "target").failures == []
    assert stat.S_IMODE((shared / "target" / "tool").stat().st_mode) == 0o755


@both
def test_nobody_else_can_read_a_private_file_while_it_is_copied(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "secret").write_bytes(b"s" * 200_000)
    (source / "secret").chmod(0o600)
    modes = []
    real = os.copy_file_range

    def watched(*args: object) -> int:
        modes.append(stat.S_IMODE(os.fstat(args[1]).st_mode))  # type: ignore[arg-type]
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "copy_file_range", watched)
    copy_tree(source, target, rules)
    assert modes == [0o600]


def _supports_xattrs(folder: Path) -> bool:
    try:
        os.setxattr(folder, "user.ferry-test", b"1")
        os.removexattr(folder, "user.ferry-test")
    except OSError:
        return False
    return True


@both
def test_extended_attributes_are_kept_on_files_folders_and_read_only_files(
    source: Path, target: Path, rules: object
) -> None:
    if not (_supports_xattrs(source) and _supports_xattrs(target)):
        pytest.skip("no extended attributes here")
    (source / "file").write_text("x")
    (source / "folder").mkdir()
    for name in ("file", "folder"):
        os.setxattr(source / name, "user.colour", b"blue\0\xff")
        os.setxattr(source / name, "user.empty", b"")
    (source / "file").chmod(0o444)
    assert copy_tree(source, target, rules).failures == []
    assert_alike(source, target)


def test_a_target_that_cannot_hold_an_attribute_is_no_error(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not _supports_xattrs(source):
        pytest.skip("no extended attributes here")
    (source / "file").write_text("x")
    os.setxattr(source / "file", "user.colour", b"blue")

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    assert copy_tree(source, target).failures == []
    assert (target / "file").read_text() == "x"


@pytest.mark.parametrize("default_at", ["source", "target"])
@both
def test_access_lists_are_the_sources_not_those_of_the_target_folder(
    source: Path, target: Path, rules: object, default_at: str
) -> None:
    (source / "file").write_text("x")
    (source / "folder").mkdir()
    os.mkfifo(source / "fifo", 0o620)
    os.mkfifo(source / "folder" / "fifo")
    (source / "link").symlink_to("file")
    holder = source if default_at == "source" else target
    try:
        subprocess.run(["setfacl", "-d", "-m", "u:1234:rwx", holder], check=True, capture_output=True)
        subprocess.run(["setfacl", "-m", "u:4321:r", source / "file"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no access lists here")
    assert copy_tree(source, target, rules).failures == []
    assert_alike(source, target)


@both
def test_holes_stay_holes(source: Path, target: Path, rules: object) -> None:
    with open(source / "sparse", "wb") as file:
        file.truncate(8 << 20)
        file.seek(1 << 20)
        file.write(b"a" * 4096)
        file.seek(5 << 20)
        file.write(b"b" * 4096)
    with open(source / "hollow", "wb") as file:
        file.truncate(3 << 20)
    if (source / "sparse").stat().st_blocks * 512 >= 8 << 20:
        pytest.skip("no holes here")
    assert copy_tree(source, target, rules).failures == []
    assert_alike(source, target)
    for name in ("sparse", "hollow"):
        assert (target / name).stat().st_blocks <= (source / name).stat().st_blocks + 16


def test_files_the_kernel_makes_up_are_read_to_their_end(target: Path) -> None:
    outcome = copy_tree("/proc/self", target, names=[(b"status", b"status"), (b"maps", b"maps")])
    assert outcome.failures == []
    assert (target / "status").read_bytes().startswith(b"Name:")
    assert (target / "maps").stat().st_size > 4096


@pytest.mark.skipif(not Path("/sys/kernel/mm/transparent_hugepage/enabled").exists(), reason="needs /sys")
@pytest.mark.parametrize("verify", [False, True])
def test_files_the_kernel_says_fill_a_page_are_copied_as_they_read(target: Path, verify: bool) -> None:
    folder = Path("/sys/kernel/mm/transparent_hugepage")
    assert (folder / "enabled").stat().st_size > len((folder / "enabled").read_bytes())
    outcome = copy_tree(folder, target, replace(RULES, verify=verify), names=[(b"enabled", b"enabled")])
    assert outcome.failures == []
    assert (target / "enabled").read_bytes() == (folder / "enabled").read_bytes()


@pytest.mark.parametrize("lacking", [1, 2])
def test_slower_ways_of_copying_do_as_well(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, lacking: int
) -> None:
    (source / "a").write_bytes(os.urandom(3_000_000))
    (source / "b").write_bytes(os.urandom(300_001))
    calls = []

    def refuse(*args: object) -> int:
        calls.append(args)
        raise OSError(errno.EXDEV, "other device")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    if lacking == 2:
        monkeypatch.setattr(os, "sendfile", refuse)
    assert copy_tree(source, target).failures == []
    assert_alike(source, target)
    assert len(calls) == lacking  # the verdict is remembered for the pair of devices


def test_without_nameless_files_partial_names_are_used(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a").write_text("a")
    (source / "b").write_text("b")
    real, tried = os.open, []

    def no_tmpfile(path: object, flags: int, *args: object, **kwargs: object) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            tried.append(path)
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return real(path, flags, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", no_tmpfile)
    assert copy_tree(source, target).failures == []
    assert len(tried) == 1
    assert_alike(source, target)


def test_where_nameless_files_cannot_be_named_partial_names_are_used(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a").write_text("a")

    def no_link(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOENT, "no /proc")

    monkeypatch.setattr(os, "link", no_link)
    assert copy_tree(source, target).failures == []
    assert_alike(source, target)


def test_a_batch_is_bounded_and_the_next_goes_on(source: Path, target: Path) -> None:
    for number in range(BATCH_ENTRIES + 10):
        (source / str(number)).write_text("x")
    seen: list[int] = []
    outcome = copy_tree(source, target, on_batch=lambda batch: seen.append(batch.files))
    assert outcome.files == sum(seen) == BATCH_ENTRIES + 10
    assert len(seen) >= 2
    assert max(seen) <= BATCH_ENTRIES


def test_a_batch_takes_more_of_what_is_only_looked_at(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.places.local.copying.BATCH_S", 1000.0)
    for number in range(5 * BATCH_ENTRIES):
        (source / str(number)).write_text("x")
    copy_tree(source, target)
    seen: list[int] = []
    copy_tree(source, target, on_batch=lambda batch: seen.append(batch.same_files))
    assert seen == [5 * BATCH_ENTRIES]


def test_a_batch_ends_when_it_has_copied_its_share_of_bytes(source: Path, target: Path) -> None:
    for number in range(6):
        (source / str(number)).write_bytes(b"x" * 1000)
    seen: list[int] = []
    copy_tree(
        source, target, replace(RULES, batch_bytes=1500), on_batch=lambda batch: seen.append(batch.files)
    )
    assert max(seen) == 2


SMALL = replace(RULES, large_bytes=4999)


def test_large_files_are_left_to_slices(source: Path, target: Path) -> None:
    (source / "large").write_bytes(b"x" * 5000)
    outcome = copy_tree(source, target, SMALL)
    assert (outcome.files, outcome.large) == (0, 1)


@pytest.fixture
def share(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Have files share content as far as can be told; return what stood beside each new one meanwhile."""
    seen: list[list[str]] = []

    def clone(source: int, target: int) -> bool:
        seen.append(os.listdir(Path(os.readlink(f"/proc/self/fd/{target}")).parent))
        os.pwrite(target, os.pread(source, 1 << 20, 0), 0)
        return True

    monkeypatch.setattr(syscalls, "clone", clone)
    return seen


@pytest.mark.parametrize("rules", [SMALL, replace(SMALL, own=True)], ids=["standing folder", "own folder"])
def test_large_files_that_can_share_their_content_are_copied_at_once(
    source: Path, target: Path, rules: CopyRules, share: list[list[str]]
) -> None:
    (source / "large").write_bytes(os.urandom(5000))
    outcome = copy_tree(source, target, rules)
    assert (outcome.files, outcome.size_bytes, outcome.large) == (1, 5000, 0)
    assert_alike(source, target)


@pytest.mark.parametrize("stands", [False, True])
def test_what_shares_its_content_has_its_name_only_when_it_is_complete(
    source: Path, target: Path, share: list[list[str]], stands: bool
) -> None:
    (source / "large").write_bytes(os.urandom(5000))
    if stands:
        (target / "large").write_bytes(b"before")
    outcome = copy_tree(source, target, replace(SMALL, conflict=Conflict.OVERWRITE))
    assert (outcome.files, len(share)) == (1, 1)
    assert ("large" in share[0]) == stands
    assert_alike(source, target)


def test_a_large_file_that_is_written_to_while_it_is_shared_is_left_to_slices(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = source / "large"
    large.write_bytes(b"x" * 5000)
    written = []

    def clone(source: int, target: int) -> bool:
        if not written:
            os.pwrite(target, os.pread(source, 5000, 0), 0)
            written.append(large.write_bytes(b"y" * 6000))
            return True
        return False

    monkeypatch.setattr(syscalls, "clone", clone)
    outcome = copy_tree(source, target, SMALL)
    assert (outcome.files, outcome.large) == (0, 1)
    assert_alike(source, target)


def test_a_large_file_that_is_to_be_read_back_is_left_to_slices(
    source: Path, target: Path, share: list[list[str]]
) -> None:
    (source / "large").write_bytes(b"x" * 5000)
    outcome = copy_tree(source, target, replace(SMALL, verify=True))
    assert (outcome.files, outcome.large) == (0, 1)


def test_the_names_of_a_large_file_that_shares_its_content_stay_together(
    source: Path, target: Path, share: list[list[str]]
) -> None:
    (source / "one").write_bytes(b"x" * 5000)
    (source / "two").hardlink_to(source / "one")
    outcome = copy_tree(source, target, SMALL)
    assert (outcome.files, outcome.large, len(share)) == (2, 0, 1)
    assert (target / "one").samefile(target / "two")
    assert_alike(source, target)


def test_the_brake_stops_before_the_next_entry(source: Path, target: Path) -> None:
    for number in range(5):
        (source / str(number)).write_text("x")
    brake = Brake()
    brake.on = True
    with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:
        copy = FolderCopy(from_root, to_root, b"", b"", RULES, HardLinks(), brake)
        batch = copy.step()
        assert (batch.files, batch.exhausted) == (0, False)
        brake.on = False
        assert copy.step().files == 5
        copy.close()


@both
def test_the_brake_leaves_no_half_file_and_the_next_step_copies_it_again(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "file").write_bytes(os.urandom(9 << 20))
    brake = Brake()
    real = Ways.some

    def braking(*args: Any) -> int:
        brake.on = True
        return real(*args)

    monkeypatch.setattr(Ways, "some", braking)
    with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:
        copy = FolderCopy(from_root, to_root, b"", b"", rules, HardLinks(), brake)
        batch = copy.step()
        assert (batch.files, batch.failures, batch.exhausted) == (0, [], False)
        assert os.listdir(target) == []
        monkeypatch.undo()
        brake.on = False
        files = 0
        while not batch.exhausted:  # a slow disk makes it two batches
            batch = copy.step()
            files += batch.files
        assert files == 1
        copy.finish()
        copy.close()
    assert_alike(source, target)


class Changing:
    """Writes to the source after each copy of it, so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path, times: int) -> None:
        self.path, self.left = path, times
        self.real = os.pread
        monkeypatch.setattr(os, "pread", self)

    def __call__(self, fd: int, size_bytes: int, offset: int) -> bytes:
        data = self.real(fd, size_bytes, offset)
        if self.left:
            self.left -= 1
            with open(self.path, "ab") as file:
                file.write(b"more")
        return data


@both
def test_a_source_that_changes_once_is_copied_again(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "log").write_text("start ")
    Changing(monkeypatch, source / "log", 1)
    assert copy_tree(source, target, rules).failures == []
    assert_alike(source, target)


@both
def test_a_source_that_goes_on_changing_is_a_failure_and_has_no_name_at_the_target(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "log").write_text("start ")
    (source / "other").mkdir()
    Changing(monkeypatch, source / "log", 2)
    outcome = copy_tree(source, target, rules)
    assert outcome.problems == [(b"log", "SourceChanged")]
    assert os.listdir(target) == ["other"]


def test_a_file_that_was_empty_and_grows_without_end_is_not_run_after(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = source / "log"
    log.touch()
    info = log.stat()
    log.write_text("it has begun")
    Changing(monkeypatch, log, 10**9)
    with open(log, "rb") as read, open(target / "log", "w+b") as written, pytest.raises(Moved):
        copy_all(read.fileno(), written.fileno(), info, Ways(), (0, 0), Brake(), Traits())


def test_an_entry_that_vanishes_is_one_failure(source: Path, target: Path) -> None:
    (source / "here").write_text("x")
    outcome = copy_tree(source, target, names=[(b"gone", b"gone"), (b"here", b"here")])
    assert outcome.problems == [(b"gone", "NotFound")]
    assert str(source / "gone") in str(outcome.failures[0].error)
    assert outcome.files == 1


def test_unreadable_files_and_folders_are_rows_and_the_rest_is_copied(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    with as_nobody():
        source, target = shared / "source", shared / "target"
        for path in (source, target, source / "closed", source / "open"):
            path.mkdir()
        for name in ("secret", "plain", "closed/in", "open/in"):
            (source / name).write_text(name)
        (source / "secret").chmod(0)
        (source / "closed").chmod(0)
        outcome = copy_tree(source, target)
        (source / "closed").chmod(0o700)
    assert sorted(outcome.problems) == [(b"", "PermissionDenied"), (b"secret", "PermissionDenied")]
    assert {failure.error.location and failure.error.location.name for failure in outcome.failures} == {
        "secret",
        "closed",
    }
    assert (target / "open" / "in").read_text() == "open/in"
    assert (target / "plain").exists()


def test_read_only_folders_are_copied_and_added_to_later(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    with as_nobody():
        source, target = shared / "source", shared / "target"
        for path in (source, target, source / "ro"):
            path.mkdir()
        (source / "ro" / "one").write_text("1")
        (source / "ro" / "two").write_text("2")
        (source / "ro").chmod(0o555)
        assert copy_tree(source, target).failures == []
        before = describe(target)
        (target / "ro").chmod(0o755)
        (target / "ro" / "two").unlink()
        info = (source / "ro").stat()
        os.utime(target / "ro", ns=(info.st_atime_ns, info.st_mtime_ns))
        (target / "ro").chmod(0o555)
        # One name copied after the folder was finished: it has to become writable, and then to be as it was.
        with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:
            copy = FolderCopy(
                from_root, to_root, b"ro", b"ro", RULES, HardLinks(), Brake(), [(b"two", b"two")]
            )
            assert copy.step().files == 1
            copy.close()
        assert describe(target) == before
        for path in (source / "ro", target / "ro"):
            path.chmod(0o755)


def test_names_are_chosen_anew_where_that_was_stopped(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "sub").mkdir()
    (target / "sub").mkdir()
    (source / "sub" / "a:b").write_text("content")
    rules, brake = replace(RULES, fitting=Fitting(WINDOWS, Names.UNDERSCORE)), Brake()
    look, goes = fitting.names_left, list[int]()

    def stop(exclude: Exclusion, fd: int, path: bytes) -> list[bytes]:
        goes.append(fd)
        brake.on = len(goes) == 1
        return look(exclude, fd, path)

    monkeypatch.setattr(fitting, "names_left", stop)
    monkeypatch.setattr("tui.places.local.copying.BATCH_S", 1000.0)  # a step ends where it is stopped
    with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:
        copy = FolderCopy(from_root, to_root, b"sub", b"sub", rules, HardLinks(), brake)
        batch = copy.step()
        assert (batch.exhausted, batch.files) == (False, 0)
        brake.on = False
        batch = copy.step()
        assert (batch.exhausted, batch.files) == (True, 1)
        copy.close()
    assert (target / "sub" / "a_b").read_text() == "content"


def test_names_that_are_final_are_not_looked_for_again(source: Path, target: Path) -> None:
    for folder in (source, target):
        (folder / "sub").mkdir()
    for name in ("Same", "same"):
        (source / "sub" / name).write_text(name)
    rules = replace(RULES, fitting=Fitting(WINDOWS, Names.UNDERSCORE))
    with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:
        copy = FolderCopy(
            from_root,
            to_root,
            b"sub",
            b"sub",
            rules,
            HardLinks(),
            Brake(),
            [(b"same", b"same")],
            are_final=True,
        )
        assert copy.step().files == 1
        copy.close()
    assert os.listdir(target / "sub") == ["same"]


def _small_filesystem(path: Path, size: str) -> bool:
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True)
    return done.returncode == 0


@needs_root
@both
def test_a_full_disk_ends_the_batch_at_once_without_a_half_file(
    source: Path, target: Path, rules: object
) -> None:
    if not _small_filesystem(target, "1m"):
        pytest.skip("cannot mount here")
    try:
        for number in range(20):
            (source / f"{number:02}").write_bytes(os.urandom(300_000))
        outcome = copy_tree(source, target, rules)
        assert outcome.out_of_space
        assert [code for _, code in outcome.problems] == ["OutOfSpace"]
        assert str(target) in str(outcome.failures[0].error)
        assert outcome.files == 3
        assert sorted(os.stat(path).st_size for path in target.iterdir()) == [300_000] * 3
    finally:
        subprocess.run(["umount", target], check=True)


@needs_root
def test_the_full_disk_is_told_for_large_files_too(source: Path, target: Path) -> None:
    from tui.model.error import OutOfSpace

    if not _small_filesystem(target, "1m"):
        pytest.skip("cannot mount here")
    try:
        (source / "large").write_bytes(os.urandom(3_000_000))
        with pytest.raises(OutOfSpace):
            copy_tree(source, target, replace(RULES, large_bytes=1))
        (half,) = target.iterdir()
        assert half.name.startswith(".ferry-")
        assert 0 < (size_bytes := half.stat().st_size) <= 1 << 20
        assert half.read_bytes() == (source / "large").read_bytes()[:size_bytes]
    finally:
        subprocess.run(["umount", target], check=True)


@pytest.mark.parametrize(("depth", "name"), [(60, "n" * 200), (1100, "d")], ids=["long path", "many levels"])
def test_very_deep_trees_are_copied(source: Path, target: Path, depth: int, name: str) -> None:
    with dug(source, name, depth), removed_afterwards(target, name):
        outcome = copy_tree(source, target)
        assert (outcome.files, outcome.failures) == (1, [])
        with Root.open(str(target)) as root:
            fd = root.folder(b"/".join([name.encode()] * depth))
            assert os.listdir(fd) == ["bottom"]
            os.close(fd)


def test_a_folder_that_cannot_be_opened_is_a_failure_with_no_name(source: Path, target: Path) -> None:
    with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:
        copy = FolderCopy(from_root, to_root, b"gone", b"", RULES, HardLinks(), Brake())
        batch = copy.step()
        assert batch.exhausted
        assert [(failure.name, failure.error.code) for failure in batch.failures] == [(b"", "NotFound")]


def test_a_source_is_copied_as_it_is_partial_names_included(source: Path, target: Path) -> None:
    (source / f".ferry-{TAG}-0123456789abcdef").write_text("somebody's")
    assert copy_tree(source, target).files == 1
    assert_alike(source, target)


def test_sweep_removes_the_jobs_own_leftovers_and_nothing_else(target: Path) -> None:
    for name in (f".ferry-{TAG}-aa", f".ferry-{TAG}-bb", ".ferry-other-aa", "file"):
        (target / name).write_text("x")
    (target / f".ferry-{TAG}-stage.part").mkdir()
    before = target.stat().st_mtime_ns
    with Root.open(str(target)) as root:
        assert sweep(root, b"", TAG) == 2
        assert sweep(root, b"", TAG) == 0
    assert sorted(os.listdir(target)) == [".ferry-other-aa", f".ferry-{TAG}-stage.part", "file"]
    assert target.stat().st_mtime_ns == before


def test_a_leftover_under_the_same_partial_name_is_replaced(source: Path, target: Path) -> None:
    (source / "file").write_text("new content")
    (target / "file").write_text("old")
    from tui.places.local.partial import partial_name

    scratch = os.fsdecode(partial_name(TAG, b"file", (source / "file").stat()))
    (target / scratch).symlink_to("/etc/passwd")
    outcome = copy_tree(source, target, replace(RULES, conflict=Conflict.OVERWRITE))
    assert outcome.failures == []
    assert_alike(source, target)


def test_half_files_in_the_jobs_own_folder_are_made_again(source: Path, target: Path) -> None:
    (source / "half").write_bytes(b"whole content")
    (source / "untimed").write_bytes(b"whole content")
    (source / "link").symlink_to("somewhere")
    (source / "folder").mkdir()
    os.utime(source / "link", ns=(1, 10**18), follow_symlinks=False)
    (target / "half").write_bytes(b"whole")
    (target / "untimed").write_bytes(b"other content")
    (target / "link").symlink_to("somewhere")
    (target / "folder").write_text("the source was a file before")
    outcome = copy_tree(source, target, OWN)
    assert (outcome.failures, outcome.collisions, outcome.same) == ([], [], 0)
    assert_alike(source, target)


def test_an_empty_outcome_for_an_empty_folder(source: Path, target: Path) -> None:
    os.utime(source, ns=(1, 2))
    assert copy_tree(source, target) == Outcome()
    assert_alike(source, target)


def test_a_disk_that_fails_when_a_folder_is_finished_is_told_of_the_folder(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Root.open(str(source)) as here, Root.open(str(target)) as there:
        copy = FolderCopy(here, there, b"", b"", RULES, None, Brake())

        def fail(fd: int) -> os.stat_result:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

        monkeypatch.setattr(os, "fstat", fail)
        with pytest.raises(PlaceUnavailable, match=f"cannot set the attributes of {target}"):
            copy.finish()
        monkeypatch.undo()
        copy.close()


def test_a_folder_closed_half_way_is_let_go_of_whoever_holds_on_to_what_was_listed(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2 * BATCH_ENTRIES):
        (source / str(number)).touch()
    held, listed = [], FolderCopy._listed
    monkeypatch.setattr(FolderCopy, "_listed", lambda copy: held.append(listed(copy)) or held[0])
    with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:
        opened = len(os.listdir("/proc/self/fd"))
        copy = FolderCopy(from_root, to_root, b"", b"", RULES, HardLinks(), Brake())
        assert not copy.step().exhausted
        copy.close()
        assert len(os.listdir("/proc/self/fd")) == opened
