"""What a target cannot hold is left out, and told."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.places.local_driver import OWN, RULES, Outcome, copy_tree
from tui.model.fidelity import ALL_TRAITS, Loss, Trait
from tui.model.job import Conflict
from tui.places.local import attributes
from tui.places.local.alignment import named_attributes
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tui.places.local.copy_rules import CopyRules

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
both = pytest.mark.parametrize("rules", [RULES, OWN], ids=["standing folder", "own folder"])
ways = pytest.mark.parametrize(
    "rules",
    [RULES, OWN, replace(RULES, large_bytes=0)],
    ids=["standing folder", "own folder", "in slices"],
)
ODD_NS = 1_600_000_001_123_456_789


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, number: int = errno.EPERM) -> None:
    """Have a system call fail."""

    def call(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, name, call)


def write(path: Path, content: bytes = b"content", mtime_ns: int = ODD_NS) -> Path:
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


def losses(outcome: Outcome) -> set[tuple[str, bytes]]:
    assert outcome.failures == []
    return {(str(loss), name) for loss, name in outcome.losses}


def names_of(outcome: Outcome, loss: Loss) -> set[bytes]:
    assert outcome.failures == []
    return {name for lost, name in outcome.losses if lost is loss}


@ways
def test_a_target_that_holds_everything_loses_nothing(source: Path, target: Path, rules: object) -> None:
    write(source / "file")
    os.link(source / "file", source / "twin")
    (source / "link").symlink_to("file")
    os.mkfifo(source / "fifo")
    (source / "folder").mkdir(0o700)
    assert losses(copy_tree(source, target, rules)) == set()


@needs_root
@ways
def test_an_owner_that_may_not_be_given_is_told_of_files_links_and_folders(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "file")
    (source / "link").symlink_to("file")
    (source / "folder").mkdir()
    for name in ("file", "link", "folder"):
        os.chown(source / name, 1234, 1234, follow_symlinks=False)
    refuse(monkeypatch, "chown")
    found = names_of(copy_tree(source, target, rules), Loss.OWNER)
    assert found == {b"file", b"link", b"folder/"}


@needs_root
def test_an_owner_that_is_taken_without_a_word_and_not_kept_is_told(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(write(source / "file"), 1234, 1234)
    monkeypatch.setattr(os, "chown", lambda *_, **__: None)
    assert losses(copy_tree(source, target)) == {("owner", b"file")}


@needs_root
@ways
def test_a_program_of_somebody_else_loses_its_set_id_bits_with_its_owner(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(write(source / "program"), 1234, 1234)
    (source / "program").chmod(0o4755)
    refuse(monkeypatch, "chown")
    assert losses(copy_tree(source, target, rules)) == {("owner", b"program"), ("mode", b"program")}
    assert stat.S_IMODE((target / "program").stat().st_mode) == 0o755


@needs_root
def test_an_ordinary_user_is_told_that_owners_stay_behind(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    for folder in (shared / "source", shared / "target"):
        folder.mkdir(0o777)
        folder.chmod(0o777)
    write(shared / "source" / "of root").chmod(0o644)
    with as_nobody():
        outcome = copy_tree(shared / "source", shared / "target")
    assert names_of(outcome, Loss.OWNER) == {b"of root"}


@ways
def test_modes_a_target_does_not_know_are_told(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "file").chmod(0o1777)
    monkeypatch.setattr(os, "chmod", lambda *_, **__: None)
    assert names_of(copy_tree(source, target, rules), Loss.MODE) >= {b"file"}


@ways
def test_attributes_and_access_lists_a_target_does_not_know_are_told(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(source / "file")
    try:
        os.setxattr(file, "user.colour", b"blue")
        os.setxattr(file, attributes.ACCESS_ACL, ACCESS_LIST)
    except OSError:
        pytest.skip("this filesystem has no attributes or access lists")
    os.utime(file, ns=(ODD_NS, ODD_NS))
    refuse(monkeypatch, "setxattr", errno.EOPNOTSUPP)
    assert losses(copy_tree(source, target, rules)) == {("xattr", b"file"), ("acl", b"file")}


@ways
def test_without_access_lists_a_copy_gets_the_rights_of_the_owning_group_and_no_more(
    source: Path, target: Path, rules: CopyRules
) -> None:
    file = write(source / "file")
    try:
        os.setxattr(file, "user.colour", b"blue")
        os.setxattr(file, attributes.ACCESS_ACL, ACCESS_LIST)
    except OSError:
        pytest.skip("this filesystem has no attributes or access lists")
    os.utime(file, ns=(ODD_NS, ODD_NS))
    assert file.stat().st_mode & 0o070, "beside a list, these bits are its mask"
    outcome = copy_tree(source, target, replace(rules, keep=ALL_TRAITS - {Trait.ACL}))
    assert losses(outcome) == set()
    assert os.listxattr(target / "file") == ["user.colour"]
    assert (target / "file").stat().st_mode & 0o777 == 0o600


READ_ONLY_LIST = bytes.fromhex(
    "02000000"
    "01000400ffffffff"  # owner r
    "02000400d2040000"  # user 1234 r
    "04000400ffffffff"  # owning group r
    "10000400ffffffff"  # at most r
    "20000000ffffffff"  # others nothing
)


@pytest.mark.parametrize(
    "rules",
    [RULES, OWN, replace(RULES, mirror=True, conflict=Conflict.OVERWRITE)],
    ids=["new", "own", "same"],
)
def test_a_user_keeps_the_attributes_of_what_he_may_not_write_to(
    shared: Path,
    as_nobody: Callable[[], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
    rules: CopyRules,
) -> None:
    listed = os.listxattr
    # tmpfs names lists first, other filesystems in the order they were set in
    monkeypatch.setattr(os, "listxattr", lambda *args, **rest: sorted(listed(*args, **rest)))
    with as_nobody():
        for side in ("source", "target"):
            (shared / side / "folder").mkdir(parents=True)
            for path in (write(shared / side / "file"), write(shared / side / "folder" / "file")):
                path.chmod(0o444)
        if not rules.mirror:
            shutil.rmtree(shared / "target")
            (shared / "target").mkdir()
        try:
            for path in (shared / "source" / "file", shared / "source" / "folder"):
                path.chmod(0o700)
                os.setxattr(path, "user.colour", b"blue")
                os.setxattr(path, attributes.ACCESS_ACL, READ_ONLY_LIST)
        except OSError:
            pytest.skip("this filesystem has no attributes or access lists")
        (shared / "source" / "folder").chmod(0o500)
        outcome = copy_tree(shared / "source", shared / "target", rules)
        assert (outcome.failures, outcome.losses) == ([], [])
        for name in ("file", "folder"):
            wanted, found = shared / "source" / name, shared / "target" / name
            assert named_attributes(os.fsencode(found)) == named_attributes(os.fsencode(wanted))
            assert found.stat().st_mode == wanted.stat().st_mode


ACCESS_LIST = bytes.fromhex(
    "02000000"
    "01000600ffffffff"  # owner rw
    "02000600d2040000"  # user 1234 rw
    "04000000ffffffff"  # owning group nothing
    "10000600ffffffff"  # at most rw
    "20000000ffffffff"  # others nothing
)


@ways
def test_without_its_access_list_a_file_gives_its_group_no_more_than_before(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(source / "file")
    try:
        os.setxattr(file, attributes.ACCESS_ACL, ACCESS_LIST)
    except OSError:
        pytest.skip("this filesystem has no access lists")
    assert stat.S_IMODE(file.stat().st_mode) == 0o660
    refuse(monkeypatch, "setxattr", errno.EOPNOTSUPP)
    copy_tree(source, target, rules)
    assert stat.S_IMODE((target / "file").stat().st_mode) == 0o600


def test_a_label_of_the_machines_policy_is_no_loss(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "file")
    monkeypatch.setattr(attributes, "xattr_names", lambda _: ["security.selinux"])
    refuse(monkeypatch, "getxattr", errno.EOPNOTSUPP)
    assert losses(copy_tree(source, target)) == set()


@ways
def test_names_that_cannot_be_linked_become_files_and_are_told(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "one")
    os.link(source / "one", source / "two")
    os.link(source / "one", source / "three")
    refuse(monkeypatch, "link")
    outcome = copy_tree(source, target, rules)
    assert len(names_of(outcome, Loss.HARDLINKS)) == 2
    assert {(target / name).read_bytes() for name in ("one", "two", "three")} == {b"content"}


@ways
def test_holes_a_target_fills_are_told(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (source / "holes").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"data")
        file.truncate(2 << 20)
    if (source / "holes").stat().st_blocks * 512 >= 2 << 20:
        pytest.skip("this filesystem has no holes")
    os.utime(source / "holes", ns=(ODD_NS, ODD_NS))
    truncate = os.ftruncate

    def fill(fd: int, size_bytes: int) -> None:
        truncate(fd, size_bytes)
        for start in range(0, size_bytes, 4096):
            if os.pread(fd, 4096, start) == bytes(4096):
                os.pwrite(fd, bytes(4096), start)

    monkeypatch.setattr(os, "ftruncate", fill)
    monkeypatch.setattr("tui.places.local.syscalls.clone", lambda *_: False)
    assert losses(copy_tree(source, target, rules)) == {("sparse", b"holes")}


@ways
def test_times_that_are_rounded_are_told(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "odd")
    write(source / "even", mtime_ns=1_600_000_000 * 10**9)
    (source / "odd link").symlink_to("anywhere")
    (source / "another").symlink_to("anywhere")
    set_times = os.utime

    def rounded(path: str | int, *, ns: tuple[int, int], **rest: object) -> None:
        set_times(path, ns=tuple(each - each % (2 * 10**9) for each in ns), **rest)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "utime", rounded)
    assert names_of(copy_tree(source, target, rules), Loss.TIMES) - {b"/"} == {
        b"odd",
        b"odd link",
        b"another",
    }


@both
def test_what_a_target_cannot_hold_at_all_is_an_error(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "link").symlink_to("anywhere")
    os.mkfifo(source / "fifo")
    refuse(monkeypatch, "symlink")
    refuse(monkeypatch, "mkfifo", errno.EOPNOTSUPP)
    outcome = copy_tree(source, target, rules)
    assert sorted(outcome.problems) == [(b"fifo", "NotHeld"), (b"link", "NotHeld")]
    assert outcome.losses == []
    assert list(target.iterdir()) == []


@both
def test_a_link_that_points_too_far_for_the_target_is_not_told_as_too_long_a_name(
    source: Path, target: Path, rules: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "link").symlink_to("a/" * 600)
    refuse(monkeypatch, "symlink", errno.ENAMETOOLONG)
    outcome = copy_tree(source, target, rules)
    assert outcome.problems == [(b"link", "NotHeld")]
    assert outcome.failures[0].error.message.endswith("that filesystem holds no link to so long a path")


def test_a_second_copy_that_finds_all_complete_tells_no_files_again(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "one")
    os.link(source / "one", source / "two")
    refuse(monkeypatch, "link")
    copy_tree(source, target)
    outcome = copy_tree(source, target)
    assert (outcome.same, losses(outcome)) == (2, set())


@needs_root
def test_what_a_sync_cannot_give_a_file_with_several_names_is_told(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "one")
    copy_tree(source, target)
    os.link(source / "one", source / "two")
    os.chown(source / "one", 1234, 1234)
    refuse(monkeypatch, "chown")
    outcome = copy_tree(source, target, replace(RULES, conflict=Conflict.OVERWRITE, mirror=True))
    assert names_of(outcome, Loss.OWNER) == {b"one"}
    assert (target / "one").samefile(target / "two")


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_filesystem_that_has_shown_to_be_exact_is_believed(source: Path, target: Path, kind: str) -> None:
    if kind == "file":
        write(source / "one")
    else:
        (source / "one").symlink_to("anywhere")
        os.utime(source / "one", ns=(0, 1_600_000_000_123_456_789), follow_symlinks=False)
    with Root.open(str(target)) as root:
        device = root.device
        copy_tree(source, target, to_root=root)
        assert device in root.ways.exact


def test_fat_loses_owners_modes_times_links_and_holes(source: Path, fat: Path) -> None:
    os.chown(write(source / "file"), 1234, 1234)
    (source / "file").chmod(0o600)
    os.link(source / "file", source / "twin")
    (source / "link").symlink_to("file")
    outcome = copy_tree(source, fat)
    assert outcome.problems == [(b"link", "NotHeld")]
    lost = {(loss, name) for loss, name in outcome.losses if name != b"/"}
    files = {(loss, name) for loss in (Loss.OWNER, Loss.MODE, Loss.TIMES) for name in (b"file", b"twin")}
    assert files <= lost
    assert len({name for loss, name in lost if loss is Loss.HARDLINKS}) == 1
    again = copy_tree(source, fat)
    assert (again.same, [each for each in again.losses if each[1] != b"/"]) == (2, [])


def test_whole_seconds_lose_exact_times_and_nothing_else(source: Path, seconds: Path) -> None:
    write(source / "odd")
    write(source / "even", mtime_ns=1_600_000_000 * 10**9)
    os.utime(source, ns=(10**18, 10**18))
    assert losses(copy_tree(source, seconds)) == {("times", b"odd")}
    again = copy_tree(source, seconds)
    assert (again.same, losses(again)) == (2, set())
