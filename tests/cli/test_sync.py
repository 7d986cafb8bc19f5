"""`ferry sync`: the plan of a dry run, what is refused, what is asked, and the request it becomes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from cli_run import golden

from tests.trees import describe
from tui.cli.events import DIFFERENCE, SYNC_REHEARSAL
from tui.model.job import Conflict, JobKind, Request
from tui.model.location import Location

if TYPE_CHECKING:
    from pathlib import Path

    from cli_engine import FakeEngine
    from cli_run import Run

AT = 10**18
COUNT = 3
"""So many entries of `b` are extra or in the way."""


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    for path, text in (
        ("a/same", "same"),
        ("a/changed", "after"),
        ("a/folder/new\x1b[31m", "new"),
        ("a/clash/inner", "folder"),
        ("a/mode", "mode"),
        ("b/same", "same"),
        ("b/changed", "prior to it"),
        ("b/clash", "file"),
        ("b/mode", "mode"),
        ("b/gone/extra", "extra"),
        ("b/.ferry-abcd1234-0123456789abcdef", "of another job"),
    ):
        file = here / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.utime(file, ns=(AT, AT))
    (here / "b" / "mode").chmod(0o600)


def test_a_dry_run_lists_and_counts_and_touches_nothing(ferry: Run, engine: FakeEngine, here: Path) -> None:
    before = describe(here)
    result = ferry("sync", "--dry-run", "a", "b")
    assert (result.status, result.err) == (1, "")  # a folder is in the way
    golden("sync-plan.txt", result.out.replace(str(here), ""))
    assert describe(here) == before
    assert not engine.requests


def test_a_dry_run_with_delete_says_what_would_go(ferry: Run, here: Path) -> None:
    result = ferry("sync", "-n", "--delete", "a", "b")
    assert (result.status, result.err) == (0, "")
    golden("sync-plan-delete.txt", result.out.replace(str(here), ""))


@pytest.mark.parametrize("above", [False, True], ids=["the home", "what holds it"])
def test_a_dry_run_lists_no_home_among_what_would_go(
    ferry: Run, here: Path, monkeypatch: pytest.MonkeyPatch, *, above: bool
) -> None:
    home = here / "b" / "people" / "me"
    (home / "dear").mkdir(parents=True)
    (home / "dear" / "letter").write_text("dear")
    (home.parent / "other").mkdir()
    if not above:
        (here / "a" / "people").mkdir()
    monkeypatch.setenv("HOME", str(home))
    result = ferry("sync", "-n", "--delete", "a", "b")
    stays = f"cannot remove {here}/b/people" + (
        ": your home folder" if above else "/me: it is your home folder"
    )
    assert result.status == 1
    assert stays in result.err
    gone = {line.removeprefix("- ") for line in result.out.splitlines() if line.startswith("- ")}
    assert gone == {"gone/", "gone/extra"} | (set() if above else {"people/other/"})
    assert "- people/" in "".join(ferry("sync", "-n", "a", "b").out)


def test_a_dry_run_of_a_missing_target_finds_all_new(ferry: Run) -> None:
    result = ferry("sync", "-n", "a", "c")
    assert result.status == 0
    assert all(
        line.startswith(("+ ", "would copy 5 files and 2 folders")) for line in result.out.splitlines()
    )


def test_a_dry_run_of_two_equal_folders_has_nothing_to_do(ferry: Run, here: Path) -> None:
    for folder in ("c", "d"):
        (here / folder).mkdir()
    assert ferry("sync", "-n", "c", "d").out == "nothing to do: 0 files the same\n"


def test_a_checksum_finds_what_looks_the_same(ferry: Run, here: Path) -> None:
    (here / "b" / "same").write_text("sama")
    os.utime(here / "b" / "same", ns=(AT, AT))
    assert "~ same\n" not in ferry("sync", "-n", "a", "b").out
    assert "~ same\n" in ferry("sync", "-n", "--checksum", "a", "b").out


def test_a_plan_in_json_has_the_keys_that_are_documented(ferry: Run, here: Path) -> None:
    *differences, summary = map(
        json.loads, ferry("sync", "-n", "--json", "--delete", "a", "b").out.splitlines()
    )
    assert all(set(each) == {"event", *DIFFERENCE.split()} for each in differences)
    assert set(summary) == {"event", *SYNC_REHEARSAL.split()}
    assert (summary["new"], summary["extra"], summary["clash"], summary["delete"]) == (3, 2, 1, True)
    extra = next(each for each in differences if each["path"] == f"{here}/b/gone/extra")
    assert (extra["change"], extra["source"], extra["size_bytes"]) == ("extra", None, 5)


def test_a_sync_is_one_job_with_all_that_was_asked(ferry: Run, engine: FakeEngine, here: Path) -> None:
    words = (
        "sync",
        "--delete",
        "-c",
        "--verify",
        "--limit",
        "1KiB/s",
        "--priority",
        "5",
        "--paused",
        "--detach",
        "a/",
        "b",
    )
    assert ferry(*words).out == "1\n"
    assert engine.requests[1] == Request(
        kind=JobKind.SYNC,
        sources=(Location(f"{here}/a"),),
        target=Location(f"{here}/b"),
        into=False,
        conflict=Conflict.OVERWRITE,
        priority=5,
        limit_bytes_s=1024,
        paused=True,
        delete_extra=True,
        by_content=True,
        verify=True,
    )


def test_links_that_are_named_are_followed(ferry: Run, engine: FakeEngine, here: Path) -> None:
    (here / "to a").symlink_to("a")
    (here / "to b").symlink_to("b")
    ferry("sync", "to a", "to b")
    request = engine.requests[1]
    assert (request.sources, request.target) == ((Location(f"{here}/a"),), Location(f"{here}/b"))


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("a",), 2, "needs more than was given"),
        (("a", "b", "c"), 2, "cannot do anything with 'c'"),
        (("gone", "b"), 1, "gone: no such file or folder"),
        (("a/same", "b"), 1, "a/same: it is not a folder"),
        (("a", "b/clash"), 1, "b/clash: it is not a folder"),
        (("a", "gone/c"), 1, "there is no folder"),
        (("a", "a/../a"), 1, "with itself"),
        (("a", "a/folder"), 1, "a/folder is in"),
        (("a", "a/folder/new"), 1, "a/folder/new is in"),
        (("a/folder", "a"), 1, "a/folder is in"),
        (("--detach", "--wait", "a", "b"), 2, "exclude each other"),
    ],
)
def test_what_is_refused_is_refused_before_anything_is_queued(
    ferry: Run, engine: FakeEngine, words: tuple[str, ...], status: int, said: str
) -> None:
    result = ferry("sync", "--delete", *words)
    assert (result.status, result.out) == (status, "")
    assert said in result.err
    assert not engine.requests


def test_without_a_terminal_nobody_is_asked(ferry: Run, engine: FakeEngine) -> None:
    assert ferry("sync", "--delete", "a", "b").status == 0
    assert engine.requests[1].delete_extra


# --max-delete


def test_a_sync_that_would_remove_more_than_it_may_does_nothing_at_all(
    ferry: Run, engine: FakeEngine, here: Path
) -> None:
    for most, goes in ((0, False), (COUNT - 1, False), (COUNT, True)):
        result = ferry("sync", "--delete", "--yes", "--max-delete", str(most), "a", "b")
        assert (result.status, bool(engine.requests)) == ((0, True) if goes else (1, False))
    assert ferry("sync", "--delete", "--max-delete", "0", "a", "b").err == (
        f"ferry: nothing is done: {COUNT} entries would be removed from {here}/b, more than --max-delete 0. "
        "See that the source is whole, or allow more.\n"
    )


def test_a_plan_says_that_it_would_remove_more_than_it_may(ferry: Run) -> None:
    words = "sync --dry-run --delete --max-delete 1 a b".split()
    result = ferry(*words)
    assert (result.status, "more than --max-delete 1" in result.err) == (1, True)
    *_, error, summary = map(json.loads, ferry(*words, "--json").out.splitlines())
    assert (error["event"], summary["exit"], summary["errors"]) == ("error", 1, 1)
    assert ferry("sync", "-n", "--delete", "--max-delete", str(COUNT), "a", "b").status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--max-delete", "3"), "--max-delete says how much --delete may remove"),
        (("--delete", "--max-delete", "-1"), "takes a number of files and folders, not '-1'"),
        (("--delete", "--max-delete", "few"), "takes a number of files and folders, not 'few'"),
    ],
)
def test_how_much_may_be_removed_is_a_number_and_needs_delete(
    ferry: Run, engine: FakeEngine, words: tuple[str, ...], said: str
) -> None:
    result = ferry("sync", *words, "a", "b")
    assert (result.status, said in result.err) == (2, True)
    assert not engine.requests
