"""`--dry-run` of a copy or move onto folders that stand: what is met in them, in words, JSON and exit status."""

from __future__ import annotations

import errno
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tui.cli.events import DIFFERENCE, REHEARSAL
from tui.model.comparison import Change, Compared, Difference
from tui.model.entry import EntryKind, Facts
from tui.model.error import PermissionDenied
from tui.model.location import Location
from tui.places.local import comparing

if TYPE_CHECKING:
    from pathlib import Path

    from cli_engine import FakeEngine
    from cli_run import Run


@pytest.fixture(autouse=True)
def tree(here: Path) -> Path:
    """A tree, and a copy of it in `to` that has changed: one file is as it was."""
    tree = here / "tree"
    (tree / "sub").mkdir(parents=True)
    for name in ("same", "sub/other", "sub/newer", "sub/lone", "file", "folder"):
        (tree / name).write_bytes(name.encode())
    shutil.copytree(tree, here / "to" / "tree")
    there = here / "to" / "tree"
    (there / "sub" / "other").write_bytes(b"something else")
    os.utime(there / "sub" / "newer", (1, 1))
    (there / "sub" / "lone").unlink()
    (there / "folder").unlink()
    (there / "folder").mkdir()
    (there / "folder" / "extra").touch()
    return tree


@pytest.mark.parametrize(
    ("rule", "status", "said"),
    [
        ("skip", 0, "3 names are taken and would be skipped:"),
        ("rename", 0, "3 names are taken and would be kept, the new one under another name:"),
        (
            "overwrite",
            1,
            "2 names are taken and would be overwritten; 1 name is a folder on one side only and would be an error:",
        ),
        (
            "fail",
            3,
            "2 names are taken and would be refused; 1 name is a folder on one side only and would be an error:",
        ),
    ],
)
def test_what_is_taken_in_a_folder_that_stands_is_told_by_the_rule(
    ferry: Run, here: Path, rule: str, status: int, said: str
) -> None:
    result = ferry("copy", "--dry-run", "--on-conflict", rule, "tree", "to")
    assert (result.status, result.err) == (status, "")
    assert result.out.splitlines() == [
        f"would copy 6 files and 2 folders, 40 B into {here}/to",
        "2 files are complete there already",
        said,
        "  tree/folder (a folder at the target)",
        "  tree/sub/newer",
        "  tree/sub/other",
    ]


def test_only_what_clashes_is_an_error_where_all_else_is_free(ferry: Run, here: Path) -> None:
    shutil.rmtree(here / "to" / "tree" / "sub")
    result = ferry("copy", "--dry-run", "--on-conflict", "newer", "tree", "to")
    assert result.status == 1
    assert result.out.splitlines()[2:] == [
        "1 name is a folder on one side only and would be an error:",
        "  tree/folder (a folder at the target)",
    ]


def test_a_program_is_told_of_each_and_of_all(ferry: Run, here: Path) -> None:
    *told, summary = map(json.loads, ferry("copy", "--dry-run", "--json", "tree", "to").out.splitlines())
    there = f"file://{here}/to/tree"
    assert [(each["event"], each["change"], each["url"]) for each in told] == [
        ("difference", "clash", f"{there}/folder"),
        ("difference", "changed", f"{there}/sub/newer"),
        ("difference", "changed", f"{there}/sub/other"),
    ]
    assert all(set(each) == {"event", *DIFFERENCE.split()} for each in told)
    assert set(summary) == {"event", *REHEARSAL.split()}
    assert (summary["conflicts"], summary["clashes"], summary["files_same"], summary["exit"]) == (3, 1, 2, 3)
    assert summary["conflict_urls"] == [each["url"] for each in told]


def test_what_is_left_out_is_not_met(ferry: Run) -> None:
    result = ferry("copy", "--dry-run", "--exclude", "sub", "--exclude", "folder", "tree", "to")
    assert (result.status, "taken" in result.out) == (0, False)


def test_a_move_and_a_verified_copy_go_by_content_too(ferry: Run, here: Path, tree: Path) -> None:
    there = here / "to" / "tree" / "same"
    before = there.stat()
    there.write_bytes(b"SAME")
    os.utime(there, ns=(before.st_atime_ns, before.st_mtime_ns))
    shutil.rmtree(tree / "sub")
    (tree / "folder").unlink()
    assert ferry("copy", "--dry-run", "tree", "to").status == 0
    assert ferry("copy", "--dry-run", "--verify", "tree", "to").status == 3
    assert ferry("move", "--dry-run", "tree", "to").status == 3


def test_a_sync_that_verifies_plans_to_replace_what_only_looks_the_same(
    ferry: Run, here: Path, tree: Path
) -> None:
    there = here / "to" / "tree" / "same"
    before = there.stat()
    there.write_bytes(b"SAME")
    os.utime(there, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "~ same" not in ferry("sync", "--dry-run", "tree", "to/tree").out
    assert "~ same\n" in ferry("sync", "--dry-run", "--verify", "tree", "to/tree").out


def test_a_sync_ends_as_its_plan_where_a_folder_is_in_the_way(ferry: Run) -> None:
    assert ferry("sync", "--dry-run", "tree", "to/tree").status == 1
    assert ferry("sync", "--dry-run", "--delete", "tree", "to/tree").status == 0


def test_links_are_the_same_by_where_they_point(ferry: Run, here: Path) -> None:
    (here / "link").symlink_to("there")
    (here / "to" / "link").symlink_to("there")
    assert ferry("copy", "--dry-run", "link", "to").status == 0
    (here / "to" / "link").unlink()
    (here / "to" / "link").symlink_to("their")
    assert ferry("copy", "--dry-run", "link", "to").status == 3


def test_a_link_in_the_place_of_a_folder_is_no_folder(ferry: Run, here: Path) -> None:
    (here / "to" / "sub").symlink_to("tree")
    result = ferry("copy", "--dry-run", "--on-conflict", "overwrite", "tree/sub", "to")
    assert result.status == 1
    assert result.out.endswith("would be an error:\n  sub (a folder at the source)\n")


def test_a_folder_that_cannot_be_read_is_an_error(
    ferry: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, names = here / "to" / "tree" / "sub", comparing._names

    def listed(folder: int) -> set[bytes]:
        if os.path.samestat(os.fstat(folder), closed.stat()):
            raise PermissionError(errno.EACCES, "Permission denied")
        return names(folder)

    monkeypatch.setattr(comparing, "_names", listed)
    result = ferry("copy", "--dry-run", "--on-conflict", "skip", "tree", "to")
    assert (result.status, "sub" in result.err) == (1, True)


def test_what_is_met_on_a_host_is_told(ferry: Run, engine: FakeEngine) -> None:
    facts = Facts(EntryKind.FILE, 1, 2)
    differs, gone = (
        Difference("sub/x", Change.CHANGED, facts, facts),
        Difference("y", Change.EXTRA, None, facts),
    )
    engine.compared = [
        Compared([differs, gone], [PermissionDenied("cannot read sub", "Look at it.")], files_same=4)
    ]
    engine.host.files[Location("/home/me/tree", "sftp", "box")] = None
    result = ferry("copy", "--dry-run", "--on-conflict", "skip", "tree", "sftp://box/~")
    assert (result.status, result.err) == (1, "ferry: cannot read sub. Look at it.\n")
    assert result.out.splitlines()[1:] == [
        "4 files are complete there already",
        "1 name is taken and would be skipped:",
        "  tree/sub/x",
    ]
