"""Progress, questions and Ctrl+C in a real pseudo-terminal; signals without one."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal

SCRIPT = Path(__file__).with_name("scripted.py")
ROOT = Path(__file__).parents[2]

Start = Callable[..., Terminal]


@pytest.fixture
def start(here: Path, tmp_path: Path) -> Start:
    """Start a command in a scene, on a terminal of its own, in a folder with the file "a"."""
    (here / "a").write_bytes(b"one")

    def start(scene: str, *words: str, width: int = 80) -> Terminal:
        environ = {"FERRY_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), "TZ": "UTC"}
        return Terminal([sys.executable, SCRIPT, scene, *words], width=width, environ=environ, cwd=here)

    return start


def calls(here: Path) -> list[str]:
    return (here / "calls").read_text().splitlines()


def status(terminal: Terminal) -> int:
    """Return the exit status, once the command has ended."""
    terminal.wait_until(lambda: terminal.process.poll() is not None)
    terminal.settle(0.05)
    return terminal.process.returncode


def test_progress_is_one_harmless_line_that_fits_and_goes(start: Start, here: Path) -> None:
    with start("endless", "copy", "a", "c", width=100) as terminal:
        terminal.wait_for(r"\[#####\.+\]  25 %  1/4 files  1\.0 MiB/4\.0 MiB  1\.9 MiB/s  0:07 left  wide 漢")
        assert len([line for line in terminal.text.splitlines() if line]) == 1
        terminal.press("ctrl+c")
        terminal.wait_for(r"\[c\]ancel")
        assert "25 %" not in terminal.text
        terminal.press("c")
        assert status(terminal) == 130
        assert re.sub(rb"\x1b\[K", b"", bytes(terminal.output)).count(b"\x1b") == 0


@pytest.mark.parametrize("width", [20, 40, 60, 79])
def test_progress_never_wraps(start: Start, width: int) -> None:
    with start("endless", "copy", "a", "c", width=width) as terminal:
        terminal.wait_for(r"1/4 files")
        terminal.settle(0.4)
        assert len([line for line in terminal.text.splitlines() if line]) == 1


def test_each_conflict_is_asked_with_sizes_and_dates(start: Start, here: Path) -> None:
    with start("asking", "copy", "a", "c") as terminal:
        terminal.wait_for(r"\[s\]kip")
        assert "/to/file 1 is taken by a different file:" in terminal.text
        assert re.search(r"source +2\.0 KiB +2023-11-14 22:13:20 \(newer\)", terminal.text)
        assert re.search(r"target +1\.0 KiB +2020-09-13 12:26:40", terminal.text)
        terminal.press("x", "s")
        terminal.wait_for(r"(?s)file 2 is taken.*\[s\]kip")
        terminal.press("k")
        terminal.wait_for(r"(?s)file 3 is taken.*\[s\]kip")
        terminal.press("n")
        assert status(terminal) == 0
        assert "copied 2 files" in terminal.text
    assert calls(here)[:3] == [
        "('answer', 1, <Conflict.SKIP: 'skip'>, False)",
        "('answer', 2, <Conflict.RENAME: 'rename'>, False)",
        "('answer', 3, <Conflict.NEWER: 'newer'>, False)",
    ]


def test_a_capital_letter_answers_for_all(start: Start, here: Path) -> None:
    with start("asking", "copy", "a", "c") as terminal:
        terminal.wait_for(r"\[s\]kip")
        terminal.press("O")
        assert status(terminal) == 0
    assert calls(here)[0] == "('answer', 1, <Conflict.OVERWRITE: 'overwrite'>, True)"


def test_a_question_answered_elsewhere_goes_away(start: Start, here: Path) -> None:
    with start("elsewhere", "copy", "a", "c") as terminal:
        terminal.wait_for(r"\[s\]kip")
        (here / "answered").touch()
        assert status(terminal) == 0
        assert "answered elsewhere" in terminal.text or "ended" in terminal.text
    assert calls(here) == ["('close',)"]


def test_names_that_do_not_fit_are_asked_about(start: Start, here: Path) -> None:
    with start("unfit", "copy", "a", "c", width=100) as terminal:
        terminal.wait_for(r"\[l\]ook-alike")
        assert "the target's filesystem does not take 12 names:" in terminal.text
        assert "/from/9:: it takes no ':' in names (l: 9：)" in terminal.text
        assert "… and 2 more" in terminal.text
        terminal.press("x", "u")
        assert status(terminal) == 0
        assert "copied 2 files" in terminal.text
    assert calls(here)[0] == "('set_names', [1], <Names.UNDERSCORE: 'underscore'>)"


def interrupt(terminal: Terminal, offered: str, answer: str) -> None:
    """Press Ctrl+C while a job runs, see that a choice is offered (a pattern), and answer by a key."""
    terminal.wait_for("1/4 files")
    terminal.press("ctrl+c")
    terminal.wait_for(offered)
    terminal.press(answer)


def test_ctrl_c_can_leave_the_job_going_on(start: Start, here: Path) -> None:
    with start("endless", "copy", "a", "c") as terminal:
        interrupt(terminal, r"\[d\]etach", "d")
        assert status(terminal) == 130
        assert "job 1 goes on; `ferry queue wait 1` waits for it" in terminal.text
    assert calls(here) == ["('close',)"]


def test_ctrl_c_can_cancel(start: Start, here: Path) -> None:
    with start("endless", "copy", "a", "c") as terminal:
        interrupt(terminal, r"\[c\]ancel", "c")
        assert status(terminal) == 130
        assert "job 1 was cancelled; 3 files, 3.0 MiB, not done" in terminal.text
        assert "copied 1 file in 1.0 s" in terminal.text
    assert calls(here) == ["('cancel', [1])", "('close',)"]


def test_ctrl_c_twice_cancels(start: Start, here: Path) -> None:
    with start("endless", "copy", "a", "c") as terminal:
        interrupt(terminal, r"\[g\]o on", "ctrl+c")
        assert status(terminal) == 130
    assert calls(here) == ["('cancel', [1])", "('close',)"]


def test_ctrl_c_can_be_taken_back(start: Start, here: Path) -> None:
    with start("slow", "copy", "a", "c") as terminal:
        interrupt(terminal, r"\[g\]o on", "g")
        terminal.wait_for("1/4 files")
        (here / "finish").touch()
        assert status(terminal) == 0


def test_ctrl_c_in_a_question_asks_and_comes_back_to_it(start: Start, here: Path) -> None:
    with start("asking", "copy", "a", "c") as terminal:
        terminal.wait_for(r"\[s\]kip")
        terminal.press("ctrl+c")
        terminal.wait_for(r"\[d\]etach")
        terminal.press("g")
        terminal.wait_for(r"(?s)go on.*\[s\]kip")
        terminal.press("S")
        assert status(terminal) == 0


def test_ctrl_c_in_queue_wait_only_stops_waiting(start: Start, here: Path) -> None:
    with start("standing", "queue", "wait") as terminal:
        terminal.wait_for("1/4 files")
        terminal.press("ctrl+c")
        assert status(terminal) == 130
    assert calls(here) == ["('close',)"]


def test_ctrl_c_asks_in_json_too(start: Start, here: Path) -> None:
    with start("slow", "copy", "--json", "a", "c") as terminal:
        terminal.wait_for('"progress"')
        terminal.press("ctrl+c")
        terminal.wait_for(r"\[d\]etach")
        terminal.press("d")
        assert status(terminal) == 130


def test_a_terminal_that_goes_away_leaves_the_job_going_on(start: Start, here: Path) -> None:
    with start("endless", "copy", "a", "c") as terminal:
        terminal.wait_for("1/4 files")
        terminal.hang_up()
        terminal.process.wait(60)
    assert calls(here) == ["('close',)"]


def test_the_terminal_is_as_before_after_a_question(start: Start, here: Path) -> None:
    import termios

    with start("asking", "copy", "a", "c") as terminal:
        before = termios.tcgetattr(terminal.master)
        terminal.wait_for(r"\[s\]kip")
        assert not termios.tcgetattr(terminal.master)[3] & termios.ICANON
        terminal.press("S")
        status(terminal)
        assert termios.tcgetattr(terminal.master) == before


def test_a_sync_that_removes_says_what_and_asks_first(start: Start, here: Path) -> None:
    (here / "from").mkdir()
    (here / "to").mkdir()
    for number in range(12):
        (here / "to" / f"extra {number:02}").touch()
    with start("slow", "sync", "--delete", "from", "to") as terminal:
        terminal.wait_for(r"- extra 09\s*\n… and 2 more\s*\nRemove 12 files, 0 B from ")
        terminal.press("enter")
        assert status(terminal) == 130
    assert calls(here) == []
    (here / "finish").touch()
    with start("slow", "sync", "--delete", "--yes", "from", "to") as terminal:
        assert status(terminal) == 0


def test_deleting_says_what_and_asks_first(start: Start, here: Path) -> None:
    with start("slow", "delete", "a") as terminal:
        terminal.wait_for(r"Delete 1 file, 3 B for good\? \[y/N\]")
        terminal.press("enter")
        assert status(terminal) == 130
    assert calls(here) == []
    (here / "finish").touch()
    with start("slow", "delete", "a") as terminal:
        terminal.wait_for(r"\[y/N\]")
        terminal.press("y", "enter")
        assert status(terminal) == 0


@contextlib.contextmanager
def piped(here: Path, scene: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start `copy --json` in a scene, on pipes; at the end it has ended."""
    (here / "a").touch()
    process = subprocess.Popen(
        [sys.executable, SCRIPT, scene, "copy", "--json", "a", "c"],
        cwd=here,
        env={"FERRY_HOME": str(here.parent / "home"), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_terminal_a_signal_cancels(here: Path, number: signal.Signals) -> None:
    with piped(here, "endless") as process:
        assert process.stdout is not None
        assert any(b'"progress"' in line for line in process.stdout)
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b'"state": "cancelled", "exit": 130' in out.splitlines()[-1]
    assert calls(here) == ["('cancel', [1])", "('close',)"]


def test_more_signals_do_not_kill_what_is_about_to_end(here: Path) -> None:
    with piped(here, "endless") as process:
        assert process.stdout is not None
        assert any(b'"progress"' in line for line in process.stdout)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b'"state": "cancelled", "exit": 130' in out.splitlines()[-1]
    assert b"Traceback" not in err


def test_a_reader_that_leaves_is_no_error(here: Path) -> None:
    with piped(here, "slow") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        (here / "finish").touch()
        err = process.stderr.read()
        assert process.wait(60) == 0
    assert err == b""
