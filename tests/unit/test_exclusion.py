"""What a job leaves out: patterns as git has them, with git as the judge."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
from typing import TYPE_CHECKING

import pytest

from tui.model.error import UsageError
from tui.model.exclusion import NOTHING, Exclusion

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = [
    "build",
    "build/sub",
    "docs",
    "docs/a",
    "docs/a/b",
    "old.tmp",
    "old.tmp/sub",
    "src",
    "src/build",
    "src/node_modules",
    "src/.cache",
]
NAMES = [
    "a.tmp",
    "keep.tmp",
    "x.o",
    "build",
    "notes",
    "two words",
    "ä.txt",
    "[x]",
    "!odd",
    "#hash",
    "a\nb.tmp",
]
PATTERNS = [
    "*.tmp", "!keep.tmp", "build", "build/", "/build", "/build/", "docs/*.o", "docs/**/x.o", "**/notes", "docs/**",
    "!docs/a", "node_modules/", ".*", "*", "!*/", "!*.txt", "two words", "x.[oc]", "x.[!c]", "\\[x\\]", "\\!odd",
    "\\#hash",
    "?.o", "src/**/build", "/src/*/", "a*", "**", "***", "docs//a", "notes ", "sub",
    "!old.tmp", "!old.tmp/", "!sub",
]  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with every name in every folder."""
    top = tmp_path_factory.mktemp("tree")
    subprocess.run(["git", "init", "-q", top], check=True)
    for folder in ["", *FOLDERS]:
        (top / folder).mkdir(exist_ok=True)
    for folder in ["", *FOLDERS]:
        for name in NAMES:
            if not (top / folder / name).exists():
                (top / folder / name).touch()
    return top


def left_by_git(top: Path) -> set[str]:
    """Return what git does not ignore, without folders that hold nothing of it."""
    command = ["git", "-C", top, "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"]
    out = subprocess.run(command, check=True, capture_output=True).stdout
    return {os.fsdecode(path) for path in out.split(b"\0") if path} - {".gitignore"}


def left_by_exclusion(top: Path, exclude: Exclusion) -> set[str]:
    """Return the files that a walk meets: it does not go into what is left out."""
    left: set[str] = set()
    for folder, folders, files in os.walk(os.fsencode(top)):
        below = os.path.relpath(folder, os.fsencode(top))

        def covered(name: bytes, *, is_folder: bool, below: bytes = below) -> bool:
            return exclude.covers(os.path.normpath(os.path.join(below, name)), folder=is_folder)

        folders[:] = [name for name in folders if name != b".git" and not covered(name, is_folder=True)]
        left |= {
            os.fsdecode(os.path.normpath(os.path.join(below, name)))
            for name in files
            if not covered(name, is_folder=False)
        }
    return left - {".gitignore"}


@pytest.mark.parametrize("seed", range(40))
def test_what_is_left_is_what_git_leaves(tree: Path, seed: int) -> None:
    chance = random.Random(seed)
    patterns = chance.sample(PATTERNS, chance.randint(1, 5))
    (tree / ".gitignore").write_text("".join(f"{pattern}\n" for pattern in patterns))
    assert left_by_exclusion(tree, Exclusion(tuple(patterns))) == left_by_git(tree), patterns


def test_what_is_taken_back_is_a_folder_not_all_below_it() -> None:
    exclude = Exclusion(("*.tmp", "!old.tmp"))
    assert not exclude.covers(b"old.tmp", folder=True)
    assert not exclude.covers(b"old.tmp/file", folder=False)
    assert exclude.covers(b"old.tmp/a.tmp", folder=False)
    assert exclude.covers(b"old.tmp/a.tmp/file", folder=False)


def test_names_that_are_no_text_are_matched_as_they_are() -> None:
    exclude = Exclusion(("*.tmp", "line\nbreak/"))
    assert exclude.covers(b"folder\xff/\xfe.tmp", folder=False)
    assert exclude.covers(b"x/line\nbreak", folder=True)
    assert not exclude.covers(b"x/line\nbreak", folder=False)


def test_a_source_itself_is_left_out_by_patterns_that_name_no_path() -> None:
    exclude = Exclusion(("*.tmp", "build/", "/top", "docs/old"))
    assert exclude.covers_source(b"a.tmp", folder=False)
    assert exclude.covers_source(b"build", folder=True)
    assert not exclude.covers_source(b"build", folder=False)
    assert not exclude.covers_source(b"top", folder=False)
    assert not exclude.covers_source(b"old", folder=False)


def test_nothing_is_left_out_where_nothing_was_said() -> None:
    assert not NOTHING
    assert not NOTHING.covers(b"a", folder=True)
    assert not NOTHING.covers_source(b"a", folder=True)


def test_it_travels_to_other_processes() -> None:
    exclude = Exclusion(("*.tmp",))
    assert exclude.covers(b"a.tmp", folder=False)
    assert pickle.loads(pickle.dumps(exclude)) == exclude


@pytest.mark.parametrize("pattern", ["", "   ", "#comment", "!", "\\", "a\\", "[", "/"])
def test_what_fits_nothing_is_no_pattern(pattern: str) -> None:
    with pytest.raises(UsageError) as raised:
        Exclusion(("*.tmp", pattern)).check()
    assert repr(pattern) in raised.value.message


@pytest.mark.parametrize("pattern", ["*", "**", "!a", "a b", "ä/", "/x/**/y", "\\#a", "[ab]"])
def test_what_git_takes_is_a_pattern(pattern: str) -> None:
    Exclusion((pattern,)).check()
