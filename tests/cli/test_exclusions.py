"""`--exclude` and `--exclude-from`: what reaches the request, and what is done without one."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from tui.model.exclusion import Exclusion

if TYPE_CHECKING:
    from pathlib import Path

    from cli_engine import FakeEngine
    from cli_run import Run

    from tui.model.job import Request


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    for path in ("tree/a.tmp", "tree/file", "tree/build/file", "a.tmp", "build/file", "other"):
        (here / path).parent.mkdir(parents=True, exist_ok=True)
        (here / path).write_bytes(b"text")
    (here / "folder").mkdir(exist_ok=True)


def last(engine: FakeEngine) -> Request:
    """Return the request that was queued last."""
    return engine.requests[max(engine.requests)]


@pytest.mark.parametrize("command", ["copy", "sync"])
def test_patterns_reach_the_request_in_their_order(
    ferry: Run, engine: FakeEngine, here: Path, command: str
) -> None:
    (here / "patterns").write_bytes(b"# what is built\n\nbuild/\n!\xff\n")
    options = ("--exclude", "*.tmp", "--exclude-from=patterns", "--exclude=!keep.tmp")
    assert ferry(command, "tree", "folder", *options).status == 0
    assert last(engine).exclude == Exclusion(("*.tmp", "build/", "!\udcff", "!keep.tmp"))


@pytest.mark.parametrize("words", ["copy tree folder", "sync --delete --yes tree folder"])
def test_patterns_may_come_by_standard_input(
    ferry: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"*.tmp\r\nbuild/\n")))
    ferry(*words.split(), "--exclude-from", "-")
    assert last(engine).exclude == Exclusion(("*.tmp", "build/"))


def test_sources_are_left_out_themselves(ferry: Run, engine: FakeEngine) -> None:
    ferry("copy", "tree", "a.tmp", "build", "other", "folder", "--exclude", "*.tmp", "--exclude", "build/")
    assert [source.name for source in last(engine).sources] == ["tree", "other"]
    result = ferry("copy", "a.tmp", "folder", "--exclude", "*.tmp")
    assert (result.status, result.err) == (
        2,
        "ferry: nothing is left to do: --exclude leaves out every SRC\n",
    )


def test_a_dry_run_does_not_count_it(ferry: Run) -> None:
    assert ferry("copy", "-n", "tree", "folder").out.startswith("would copy 3 files and 2 folders")
    out = ferry("copy", "-n", "tree", "folder", "--exclude", "build", "--exclude", "*.tmp").out
    assert out.startswith("would copy 1 file and 1 folder, 4 B")


def test_a_plan_does_not_list_it(ferry: Run, here: Path) -> None:
    (here / "folder" / "b.tmp").touch()
    result = ferry("sync", "-n", "--delete", "tree", "folder", "--exclude", "*.tmp", "--exclude", "/build/")
    assert result.out == f"+ file\nwould copy 1 file, 4 B to {here}/folder\n"


def test_a_plan_does_not_list_folders_that_stay_for_what_is_in_them(ferry: Run, here: Path) -> None:
    for path in ("old/inner/a.tmp", "old/extra", "older/extra"):
        (here / "folder" / path).parent.mkdir(parents=True, exist_ok=True)
        (here / "folder" / path).touch()
    result = ferry("sync", "-n", "--delete", "tree", "folder", "--exclude", "*.tmp")
    gone = [line for line in result.out.splitlines() if line.startswith("-")]
    assert sorted(gone) == ["- old/extra", "- older/", "- older/extra"]


def test_a_comparison_passes_it_over(ferry: Run, here: Path) -> None:
    (here / "folder" / "file").write_bytes(b"text")
    (here / "folder" / "b.tmp").touch()
    options = ("--exclude", "*.tmp", "--exclude", "build")
    result = ferry("verify", "-T", "tree", "folder", *options)
    assert (result.status, result.out) == (0, "verified 1 file, 4 B: all alike\n")
    assert ferry("verify", "-T", "tree", "folder").status == 1
    assert "is for comparing" in ferry("verify", "--write", "sums", "tree", *options).err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--exclude", "["), "'[' is no pattern of names to leave out. Patterns are those of a .gitignore"),
        (("--exclude", "#x"), "'#x' is no pattern"),
        (("--exclude",), "--exclude needs a value: PATTERN"),
        (("--exclude-from", "none"), "--exclude-from: cannot read none: No such file or directory"),
        (("--exclude-from", "folder"), "--exclude-from: cannot read folder: Is a directory"),
    ],
)
def test_what_cannot_be_understood_is_refused(ferry: Run, words: tuple[str, ...], told: str) -> None:
    result = ferry("copy", "tree", "folder", *words)
    assert result.status == 2
    assert told in result.err


@pytest.mark.parametrize("command", ["move", "delete"])
def test_what_takes_things_away_leaves_nothing_out(ferry: Run, command: str) -> None:
    assert "there is no option --exclude" in ferry(command, "tree", "folder", "--exclude", "x").err


def test_a_job_tells_what_it_leaves_out(ferry: Run) -> None:
    ferry("copy", "tree", "folder", "--exclude", "*.tmp", "--exclude", "build/")
    assert "leaves out  *.tmp  build/\n" in ferry("queue", "show", "1").out
    assert json.loads(ferry("queue", "show", "1", "--json").out)["exclude"] == ["*.tmp", "build/"]
