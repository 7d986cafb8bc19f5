"""Commands with the real background engine, in a home of their own."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from real_ferry import RealFerry

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ferry:
    """Runs commands on the engine, and gives what they write as text."""

    def __init__(self, real: RealFerry) -> None:
        self.real, self.here = real, real.here

    def __call__(self, *words: str, status: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; check its status unless that is None."""
        done = self.real.run(*words)
        assert status is None or done.returncode == status, done
        return subprocess.CompletedProcess(words, done.returncode, done.stdout.decode(), done.stderr.decode())

    def jobs(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self("queue", "--json").stdout.splitlines()]


@pytest.fixture
def real(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Ferry]:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    environ = {"FERRY_HOME": str(home), "XDG_DATA_HOME": str(home / "data")}
    real = RealFerry(here, environ, monkeypatch, capfdbinary)
    yield Ferry(real)
    real.end()


def tree(folder: Path, files: int = 20) -> None:
    (folder / "sub").mkdir(parents=True)
    for number in range(files):
        (folder / "sub" / f"file {number}").write_bytes(bytes([number]) * number)


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_tree_is_copied_moved_and_deleted(real: Ferry) -> None:
    tree(real.here / "from")
    want = content(real.here / "from")
    assert real("copy", "from", "to/").stdout.startswith("copied 20 files, 190 B in ")
    assert content(real.here / "to" / "from") == want
    assert real("move", "to/from", "moved").stdout.startswith("moved ")
    assert content(real.here / "moved") == want
    assert list((real.here / "to").iterdir()) == []
    assert real("delete", "moved", "to").stdout.startswith("deleted 20 files")
    assert sorted(p.name for p in real.here.iterdir()) == ["from"]
    assert [(job["id"], job["state"]) for job in real.jobs()] == [(1, "done"), (2, "done"), (3, "done")]


def test_what_is_trashed_can_be_found_again(real: Ferry) -> None:
    tree(real.here / "folder", 2)
    assert real("delete", "--trash", "folder").stdout.startswith("moved to the trash ")
    assert not (real.here / "folder").exists()
    assert [p.name for p in real.here.parent.rglob("file 1")] == ["file 1"]


def test_names_of_any_bytes_travel_unchanged(real: Ferry) -> None:
    names = [b"-rf", b"new\nline", b"stray\xff\xfe", b"esc\x1b[2J", "\u202eRTL".encode(), b"x" * 255]
    for name in names:
        (Path(os.fsdecode(real.here)) / os.fsdecode(name)).write_bytes(name)
    real("copy", "--", *map(os.fsdecode, names), "to/")
    assert sorted(os.listdir(os.fsencode(real.here / "to"))) == sorted(names)
    listed = real("queue").stdout
    assert "\x1b" not in listed
    assert "\u202e" not in listed


@pytest.mark.parametrize(
    ("rule", "status", "left"),
    [
        ("fail", 3, {"a": b"old"}),
        ("skip", 0, {"a": b"old"}),
        ("overwrite", 0, {"a": b"new!"}),
        ("newer", 0, {"a": b"new!"}),
        ("rename", 0, {"a": b"old", "a (1)": b"new!"}),
    ],
)
def test_conflict_rules(real: Ferry, rule: str, status: int, left: dict[str, bytes]) -> None:
    (real.here / "a").write_bytes(b"new!")
    (real.here / "to").mkdir()
    (real.here / "to" / "a").write_bytes(b"old")
    os.utime(real.here / "to" / "a", (1_000_000_000, 1_000_000_000))
    done = real("copy", "--on-conflict", rule, "a", "to", status=status)
    assert content(real.here / "to") == left
    assert ("already there" in done.stderr) == (status == 3)


def test_the_default_without_a_terminal_is_to_refuse(real: Ferry) -> None:
    (real.here / "a").write_bytes(b"new!")
    (real.here / "b").write_bytes(b"old")
    real("copy", "a", "b", status=3)
    assert (real.here / "b").read_bytes() == b"old"


def test_a_refused_conflict_is_retried_by_another_rule(real: Ferry) -> None:
    (real.here / "a").write_bytes(b"new!")
    (real.here / "b").write_bytes(b"old")
    real("copy", "a", "b", status=3)
    real("queue", "rule", "1", "overwrite")
    real("queue", "retry", "1")
    real("queue", "wait", "1")
    assert (real.here / "b").read_bytes() == b"new!"


def loaded_by(ferry: Ferry, *words: str) -> set[str]:
    """Return what a command has imported when it is done; one that copies has time enough."""
    code = (
        "import sys; from tui.__main__ import main; import tui.cli.transfer; tui.cli.transfer.QUICK_S = 20;"
        "main(sys.argv[1:]); sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ferry.here,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return set(done.stderr.split())


SLOW_TO_LOAD = {"asyncio", "humanize", "textual", "sqlite3", "secrets", "pathspec"}


@pytest.mark.parametrize("words", [("copy", "a", "b"), ("copy", "--detach", "a", "b")])
def test_one_file_is_copied_without_loading_an_event_loop(real: Ferry, words: tuple[str, ...]) -> None:
    (real.here / "a").write_bytes(b"x")
    real("engine", "start")
    assert loaded_by(real, *words) & SLOW_TO_LOAD == set()
    real("queue", "wait")
    assert (real.here / "b").read_bytes() == b"x"


def test_starting_the_engine_for_a_copy_takes_no_event_loop_either(real: Ferry) -> None:
    (real.here / "a").write_bytes(b"x")
    assert loaded_by(real, "copy", "a", "b") & SLOW_TO_LOAD == set()
    assert (real.here / "b").read_bytes() == b"x"
    assert "running: process " in real("engine", "status").stdout


@pytest.mark.parametrize(
    "words", [(), ("--json",), ("show", "1"), ("show", "1", "--errors"), ("pause", "--all"), ("limit", "off")]
)
def test_the_queue_is_asked_without_loading_an_event_loop(real: Ferry, words: tuple[str, ...]) -> None:
    (real.here / "a").write_bytes(b"x")
    real("copy", "a", "b")
    assert loaded_by(real, "queue", *words) & SLOW_TO_LOAD == set()


@pytest.mark.parametrize("word", ["start", "status"])
def test_the_engine_is_asked_how_it_is_without_loading_an_event_loop(real: Ferry, word: str) -> None:
    real("engine", "start")
    assert loaded_by(real, "engine", word) & SLOW_TO_LOAD == set()


@pytest.mark.parametrize("words", [("ls",), ("ls", "--all", "."), ("mkdir", "x/y")])
def test_names_here_are_told_without_loading_an_event_loop(real: Ferry, words: tuple[str, ...]) -> None:
    assert loaded_by(real, *words) & SLOW_TO_LOAD == set()


def test_an_engine_that_hangs_up_at_once_is_gone_round(real: Ferry, tmp_path: Path) -> None:
    (real.here / "a").write_bytes(b"x")
    (tmp_path / "home" / "run").mkdir(parents=True, mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "home" / "run" / "engine.sock"))
    assert real("copy", "a", "b").stdout.startswith("copied 1 file")


def test_detach_queues_and_wait_waits(real: Ferry) -> None:
    tree(real.here / "from", 200)
    id = real("copy", "--detach", "from", "to").stdout
    assert re.fullmatch(r"\d+\n", id)
    real("queue", "wait", id.strip())
    assert content(real.here / "to") == content(real.here / "from")


def test_paused_jobs_stay_until_they_are_resumed(real: Ferry) -> None:
    (real.here / "a").write_bytes(b"x")
    id = real("copy", "--paused", "--detach", "a", "b").stdout.strip()
    assert real.jobs()[0]["state"] == "paused"
    assert not (real.here / "b").exists()
    real("queue", "resume", id)
    real("queue", "wait")
    assert (real.here / "b").read_bytes() == b"x"


def test_questions_are_answered_from_another_command(real: Ferry) -> None:
    (real.here / "a").write_bytes(b"new!")
    (real.here / "b").write_bytes(b"old")
    id = real("copy", "--on-conflict", "ask", "--detach", "a", "b").stdout.strip()
    with real.real.process("queue", "wait", id, stderr=subprocess.PIPE) as waiting:
        assert waiting.stderr is not None
        assert b"waits for an answer" in waiting.stderr.readline()
        real("queue", "answer", id, "overwrite")
        assert waiting.wait(20) == 0
    assert (real.here / "b").read_bytes() == b"new!"


def test_questions_are_answered_on_the_terminal(real: Ferry) -> None:
    tree(real.here / "from", 3)
    tree(real.here / "to" / "from", 3)
    for number in range(3):
        (real.here / "to" / "from" / "sub" / f"file {number}").write_bytes(b"old")
    with real.real.terminal("copy", "from", "to") as terminal:
        terminal.wait_for(r"\[s\]kip")
        terminal.press("o")
        terminal.wait_for(r"(?s)\[s\]kip.*overwrite\n.*\[s\]kip")
        terminal.press("S")
        terminal.wait_until(lambda: terminal.process.poll() is not None)
        assert terminal.process.returncode == 0
    left = content(real.here / "to" / "from")
    assert sorted(left.values()).count(b"old") == 2


def test_ctrl_c_cancels_and_leaves_no_half_file(real: Ferry) -> None:
    (real.here / "big").write_bytes(bytes(64 << 20))
    with real.real.terminal("copy", "--limit", "1MB/s", "big", "copied") as terminal:
        terminal.wait_for(r"0/1 files")
        terminal.press("ctrl+c")
        terminal.wait_for(r"\[c\]ancel")
        terminal.press("c")
        terminal.wait_until(lambda: terminal.process.poll() is not None)
        assert terminal.process.returncode == 130
    assert [p.name for p in real.here.iterdir()] == ["big"]
    assert real.jobs()[0]["state"] == "cancelled"


def test_a_job_outlives_its_command(real: Ferry) -> None:
    (real.here / "big").write_bytes(bytes(24 << 20))
    with real.real.terminal("copy", "--limit", "20MB/s", "big", "copied") as terminal:
        terminal.wait_for(r"0/1 files")
        terminal.hang_up()
        terminal.process.wait(60)
    real("queue", "limit", "off", "1", status=None)
    real("queue", "wait", "1")
    assert (real.here / "copied").stat().st_size == 24 << 20


def test_foreground_needs_no_engine_and_leaves_no_job(real: Ferry) -> None:
    tree(real.here / "from")
    real("copy", "--foreground", "from", "to")
    assert content(real.here / "to") == content(real.here / "from")
    assert real("engine", "status", status=4).stdout == "not running\n"
    assert real.jobs() == []


@pytest.mark.parametrize("can_be_written", [True, False])
def test_what_an_engine_inside_a_command_logs_is_not_printed(tmp_path: Path, can_be_written: bool) -> None:
    program = (
        "import logging; from tui.client.spawn import open_foreground; from tui.config import Settings;"
        "from tui.paths import Paths; open_foreground(Paths.from_environment(), Settings());"
        "logging.getLogger('tui.engine').error('no worker')"
    )
    home = tmp_path / "home"
    if not can_be_written:
        home.write_text("a file in its place")
    ran = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "FERRY_HOME": str(home)}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert (ran.stdout, ran.stderr) == ("", "")
    if can_be_written:
        assert "ERROR tui.engine: no worker" in (home / "state" / "ferry.log").read_text()


def test_errors_are_rows_with_a_remedy(real: Ferry) -> None:
    tree(real.here / "from", 2)
    os.mkfifo(real.here / "from" / "pipe")
    (real.here / "to").write_bytes(b"a file in the way")
    done = real("copy", "--on-conflict", "overwrite", "from", "to", status=1)
    assert done.stderr.startswith("ferry: ")
    id = str(real.jobs()[0]["id"])
    assert real("queue", "show", id, "--errors").stdout.splitlines() == [
        line.removeprefix("ferry: ") for line in done.stderr.splitlines()
    ]


def test_json_tells_the_whole_story(real: Ferry) -> None:
    (real.here / "a").write_bytes(b"x" * 1000)
    told = [json.loads(line) for line in real("copy", "--json", "a", "b").stdout.splitlines()]
    assert (told[0]["event"], told[-1]["event"]) == ("submitted", "summary")
    assert (told[-1]["files_done"], told[-1]["bytes_done"], told[-1]["exit"]) == (1, 1000, 0)


def test_the_engine_is_started_stopped_and_told_about(real: Ferry) -> None:
    assert real("engine", "status", status=4).stdout == "not running\n"
    assert "running: process " in real("engine", "start").stdout
    status = json.loads(real("engine", "status", "--json").stdout)
    assert status["running"]
    assert real("engine", "stop").stdout == "stopped\n"
    assert real("engine", "stop").stdout == "not running\n"
    assert real("engine", "status", status=4).stdout == "not running\n"


def test_an_engine_that_cannot_start_is_status_4_for_detach(real: Ferry, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "run").write_bytes(b"not a folder")
    (real.here / "a").write_bytes(b"x")
    assert real("copy", "--detach", "a", "b", status=4).stdout == ""
    done = real("copy", "a", "b")
    assert (real.here / "b").read_bytes() == b"x"
    assert "Jobs run inside this Ferry" in done.stderr


def test_doctor_is_content_after_work(real: Ferry) -> None:
    (real.here / "a").write_bytes(b"x")
    real("copy", "a", "b")
    running = real("doctor").stdout
    assert "warn" not in running
    assert "fail" not in running
    real("engine", "stop")
    assert "1 job" in real("doctor").stdout
