"""`--sources-from`: operands from a file or from another program."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import pytest

from tui.cli import listed
from tui.model.job import JobKind

if TYPE_CHECKING:
    from pathlib import Path

    from cli_engine import FakeEngine
    from cli_run import Run

    from tui.model.job import Request


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    (here / "folder").mkdir()
    for name in (b"a", b"one", b"two words", b"line\nbreak", b"no text \xff"):
        (here / os.fsdecode(name)).write_bytes(b"text")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """Return what standard input will be read from."""
    data = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    return data


def last(engine: FakeEngine) -> Request:
    """Return the request that was queued last."""
    return engine.requests[max(engine.requests)]


def names(engine: FakeEngine) -> list[bytes]:
    return [os.fsencode(source.name) for source in last(engine).sources]


def test_lines_of_a_file_come_before_what_was_typed(ferry: Run, engine: FakeEngine, here: Path) -> None:
    (here / "list").write_bytes(b"one\n\ntwo words\nno text \xff\n")
    assert ferry("copy", "--sources-from", "list", "a", "folder").status == 0
    assert names(engine) == [b"one", b"two words", b"no text \xff", b"a"]
    assert last(engine).target is not None
    assert last(engine).target.name == "folder"


def test_names_with_line_breaks_come_between_nul_bytes(
    ferry: Run, engine: FakeEngine, given: io.BytesIO
) -> None:
    given.write(b"line\nbreak\0one\0")
    given.seek(0)
    assert ferry("move", "--sources-from=-", "folder").status == 0
    assert names(engine) == [b"line\nbreak", b"one"]


def test_a_delete_needs_no_other_operand(ferry: Run, engine: FakeEngine, given: io.BytesIO) -> None:
    given.write(b"one\ntwo words\n")
    given.seek(0)
    assert ferry("delete", "--yes", "--sources-from", "-").status == 0
    assert (last(engine).kind, names(engine)) == (JobKind.DELETE, [b"one", b"two words"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("copy", "--sources-from", "empty", "folder"), "--sources-from: nothing is listed in empty"),
        (("copy", "--sources-from", "none", "folder"), "--sources-from: cannot read none"),
        (("copy", "--sources-from", "list"), "ferry copy needs more than was given"),
        (("copy", "--sources-from", "-", "--exclude-from", "-", "folder"), "can be read once only"),
        (("sync", "--sources-from", "list", "folder"), "there is no option --sources-from"),
    ],
)
def test_what_makes_no_sense_is_refused(
    ferry: Run, engine: FakeEngine, here: Path, words: tuple[str, ...], told: str
) -> None:
    (here / "empty").touch()
    (here / "list").write_text("one\n")
    result = ferry(*words)
    assert result.status == 2
    assert told in result.err
    assert not engine.requests


def test_what_has_no_end_is_no_list(ferry: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listed, "MOST_BYTES", 1 << 20)
    for option in ("--sources-from", "--exclude-from"):
        result = ferry("copy", option, "/dev/zero", "one", "folder")
        message = f"ferry: {option}: /dev/zero holds more than 1.0 MiB: that is no list\n"
        assert (result.status, result.err) == (2, message)


def test_one_that_is_not_there_is_told_and_the_others_are_done(
    ferry: Run, engine: FakeEngine, here: Path
) -> None:
    (here / "list").write_text("one\ngone\n")
    result = ferry("copy", "--sources-from", "list", "folder")
    assert (result.status, names(engine)) == (1, [b"one"])
    assert "gone: no such file or folder" in result.err
