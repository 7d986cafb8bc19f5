"""One tree checked against another by what is on their disks."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trees import HOSTILE_NAMES, make_mixed_tree
from tests.unit.places.local_driver import dug
from tui.model.error import NotFound
from tui.model.location import Location
from tui.places.local import checking, checkpoint, verifying
from tui.places.local.checking import Checked, TreeCheck
from tui.places.local.checkpoint import START, Checkpoint, Part
from tui.places.local.hops import Brake

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path


def check(source: Path, target: Path) -> Checked:
    """Check one tree against another to the end; return the sum of all steps."""
    total, steps = Checked(), TreeCheck(Location.local(source), Location.local(target), Brake())
    try:
        while not steps.exhausted:
            part = steps.step()
            total.files += part.files
            total.size_bytes += part.size_bytes
            total.findings += part.findings
            total.failures += part.failures
    finally:
        steps.close()
    return total


def found(source: Path, target: Path) -> list[tuple[str, str, str]]:
    """Return (verdict, path from the target, why) of all findings, in order of paths."""
    checked = check(source, target)
    assert checked.failures == []
    return sorted(
        (str(each.verdict), os.path.relpath(each.target.path, target), each.why) for each in checked.findings
    )


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    """Two trees that hold the same."""
    make_mixed_tree(tmp_path / "one", seed=4, files=60)
    shutil.copytree(tmp_path / "one", tmp_path / "two", symlinks=True, ignore=_no_content)
    for name in ("fifo", "socket"):
        for path in (tmp_path / "one").rglob(name):
            path.unlink()
    return tmp_path / "one", tmp_path / "two"


def _no_content(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("fifo", "socket")]


def test_trees_that_hold_the_same_are_alike_whatever_their_times_and_modes(trees: tuple[Path, Path]) -> None:
    one, two = trees
    for path in two.rglob("file*"):
        path.chmod(0o600)
        os.utime(path, ns=(1, 1))
    assert found(one, two) == []
    files = sum(len(files) for _, _, files in os.walk(one))
    assert check(one, two).files >= files - 6 > 60 + len(HOSTILE_NAMES) - 10


def test_every_kind_of_difference_is_found(source: Path, target: Path) -> None:
    for folder in (source, target):
        for name in ("content", "size", "kind", "same"):
            (folder / name).write_bytes(b"text")
        (folder / "link").symlink_to("same")
        (folder / "inner").mkdir()
    (target / "content").write_bytes(b"tezt")
    (target / "size").write_bytes(b"texts")
    (target / "kind").unlink()
    (target / "kind").mkdir()
    (target / "link").unlink()
    (target / "link").symlink_to("size")
    (target / "inner" / "extra").mkdir()
    (target / "inner" / "extra" / "below it").touch()
    (source / "inner" / "missing").mkdir()
    (source / "inner" / "missing" / "below it").touch()
    assert found(source, target) == [
        ("differs", "content", "content"),
        ("differs", "kind", "kind"),
        ("differs", "link", "link"),
        ("differs", "size", "size"),
        ("extra", "inner/extra", ""),
        ("missing", "inner/missing", ""),
    ]


def test_single_files_are_checked_under_different_names(source: Path, target: Path) -> None:
    (source / "a").write_bytes(b"text")
    (target / "b").write_bytes(b"text")
    assert found(source / "a", target / "b") == []
    (target / "b").write_bytes(b"tezt")
    assert found(source / "a", target / "b") == [("differs", ".", "content")]
    assert found(source / "a", target / "c") == [("missing", ".", "")]


def test_folders_are_checked_under_different_names(source: Path, target: Path) -> None:
    (source / "inner").mkdir()
    (source / "inner" / "file").write_bytes(b"text")
    (target / "inner").mkdir()
    assert found(source, target) == [("missing", "inner/file", "")]


def test_what_is_there_under_another_spelling_is_not_extra(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("README", "b"):
        (source / name).touch()
    # As where names are one that differ in case: found as it is asked for, listed as it is spelled.
    monkeypatch.setattr("tui.places.local.syscalls.may_fold_names", lambda _: True)
    (target / "README").touch()
    (target / "readme").hardlink_to(target / "README")
    (target / "b").touch()
    (target / "B").touch()
    assert found(source, target) == [("extra", "B", "")]


def test_what_a_job_has_not_finished_is_not_extra(source: Path, target: Path) -> None:
    (target / ".ferry-abcd1234-0011223344556677").touch()
    (target / ".ferry-not-one").touch()
    assert found(source, target) == [("extra", ".ferry-not-one", "")]


def test_what_cannot_be_read_is_told_and_the_rest_is_checked(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    for name in ("one", "two"):
        (shared / name).mkdir()
        for file in ("closed", "open"):
            (shared / name / file).write_bytes(b"text")
    (shared / "two" / "closed").chmod(0)
    (shared / "two" / "open").write_bytes(b"tezt")
    with as_nobody():
        checked = check(shared / "one", shared / "two")
    assert [error.message for error in checked.failures] == [
        f"cannot read {shared / 'two' / 'closed'}: permission denied"
    ]
    assert [each.target.name for each in checked.findings] == ["open"]


def test_the_side_whose_disk_fails_is_named(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (source, target):
        (folder / "file").write_bytes(b"text")
    read = verifying.read_from_disk

    def fails(fd: int, size_bytes: int, offset: int) -> bytes:
        if os.readlink(f"/proc/self/fd/{fd}").startswith(str(target)):
            raise OSError(5, "Input/output error")
        return read(fd, size_bytes, offset)

    monkeypatch.setattr(verifying, "read_from_disk", fails)
    (error,) = check(source, target).failures
    assert (error.code, error.location) == ("StorageFault", Location.local(target / "file"))


def test_no_link_is_followed(source: Path, target: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (source / "folder").mkdir()
    (target / "folder").symlink_to(tmp_path / "elsewhere")
    assert found(source, target) == [("differs", "folder", "kind")]


def test_a_parent_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        check(tmp_path / "no" / "such", tmp_path)


def test_a_source_that_has_gone_is_an_error(source: Path, target: Path) -> None:
    (target / "file").touch()
    (error,) = check(source / "file", target / "file").failures
    assert (error.code, error.location) == ("NotFound", Location.local(source / "file"))


# Stopped, and gone on with


def check_in_pieces(source: Path, target: Path, steps: int) -> Checked:
    """Check, always so many steps at a time, each time from the text of the last checkpoint; return the sum of all."""
    total, text, done = Checked(), START.text, False
    while not done:
        one = TreeCheck(
            Location.local(source), Location.local(target), Brake(), begin=Checkpoint.from_text(text)
        )
        for _ in range(steps):
            part = one.step()
            total.files += part.files
            total.size_bytes += part.size_bytes
            total.findings += part.findings
            total.failures += part.failures
            if done := one.exhausted:
                break
        text = one.checkpoint.text
        one.close()
    return total


@pytest.mark.parametrize("window", [1, 4, 1 << 16])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_stopped_anywhere_it_goes_on_and_finds_the_same(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, window: int, steps: int
) -> None:
    one, two = trees
    for number, path in enumerate(sorted(path for path in two.rglob("*") if path.is_file())):
        if number % 5 == 0:
            path.unlink()
        elif number % 7 == 0:
            path.write_bytes(b"other")
    for folder in [two, *(path for path in two.rglob("*") if path.is_dir() and not path.is_symlink())]:
        (folder / "extra").touch()
    whole = check(one, two)
    monkeypatch.setattr(checking, "STEP_S", -1.0)
    for module in (checking, checkpoint):
        monkeypatch.setattr(module, "WINDOW", window)
    pieces = check_in_pieces(one, two, steps)
    assert (pieces.files, pieces.size_bytes) == (whole.files, whole.size_bytes)
    assert pieces.findings == whole.findings
    assert pieces.failures == whole.failures == []


def stopped_in_the_middle(source: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    """Check until the brake goes on somewhere in the file; return how far it came."""
    brake, read = Brake(), verifying.read_from_disk

    def stops(fd: int, size_bytes: int, offset: int) -> bytes:
        brake.on = brake.on or offset > 20 << 20
        return read(fd, size_bytes, offset)

    with monkeypatch.context() as patch:
        patch.setattr(verifying, "read_from_disk", stops)
        one = TreeCheck(Location.local(source), Location.local(target), brake)
        while not brake.on:
            one.step()
        assert not one.exhausted
        one.close()
    return Checkpoint.from_text(one.checkpoint.text)


@pytest.mark.parametrize("written_to", [None, "source", "target"])
def test_a_file_is_gone_on_with_where_it_was_unless_it_was_written_to(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, written_to: str | None
) -> None:
    for folder in (source, target):
        (folder / "big").write_bytes(bytes(range(256)) * (40 << 12))
    begin = stopped_in_the_middle(source, target, monkeypatch)
    if written_to is not None:
        with open((source if written_to == "source" else target) / "big", "r+b") as file:
            file.write(b"x")
    offsets, read = [], verifying.read_from_disk

    def notes(fd: int, size_bytes: int, offset: int) -> bytes:
        offsets.append(offset)
        return read(fd, size_bytes, offset)

    monkeypatch.setattr(verifying, "read_from_disk", notes)
    one = TreeCheck(Location.local(source), Location.local(target), Brake(), begin=begin)
    findings = []
    while not one.exhausted:
        findings += one.step().findings
    assert min(offsets) == (16 << 20 if written_to is None else 0)
    assert [finding.why for finding in findings] == ([] if written_to is None else ["content"])


@given(
    st.builds(
        Checkpoint,
        st.binary(),
        st.binary(),
        st.booleans(),
        st.none()
        | st.builds(Part, st.integers(0), st.tuples(*[st.tuples(st.integers(), st.integers())] * 2)),
    )
)
def test_a_checkpoint_survives_as_text(one: Checkpoint) -> None:
    assert Checkpoint.from_text(one.text) == one
    assert one.text.isascii()


def test_a_tree_may_be_as_deep_as_it_likes(tmp_path: Path) -> None:
    with dug(tmp_path, "d", 1500):
        checked = check(tmp_path / "d", tmp_path / "d")
    assert (checked.files, checked.findings, checked.failures) == (1, [], [])
