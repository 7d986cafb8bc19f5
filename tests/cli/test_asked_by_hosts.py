"""What hosts ask, on a real pseudo-terminal: put once, secrets unseen, and the terminal as it was afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
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

    def start(scene: str, *words: str, **more: str) -> Terminal:
        environ = {"FERRY_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), "TZ": "UTC", **more}
        return Terminal([sys.executable, SCRIPT, scene, *words], width=100, environ=environ, cwd=here)

    return start


def echoes(terminal: Terminal) -> bool:
    return bool(termios.tcgetattr(terminal.master)[3] & termios.ECHO)


def status(terminal: Terminal) -> int:
    terminal.wait_until(lambda: terminal.process.poll() is not None)
    terminal.settle(0.05)
    return terminal.process.returncode


def type_line(terminal: Terminal, text: str) -> None:
    terminal.press(*text, "enter")


def test_a_listing_asks_for_the_key_then_for_the_password(start: Start) -> None:
    with start("door", "ls", "sftp://box/data") as terminal:
        terminal.wait_for(r"Is that the right key\? \[yes/no\]")
        assert "box shows the key" in terminal.text
        assert "SHA256:␛[31mabc" in terminal.text
        assert echoes(terminal)
        type_line(terminal, "y")
        terminal.wait_for("Type yes or no:")
        type_line(terminal, "yes")
        terminal.wait_for("Password for me@box:")
        assert not echoes(terminal)
        type_line(terminal, "wrong")
        terminal.wait_for(r"(?s)That was not right; once more\..*Password for me@box:")
        type_line(terminal, "sesame")
        assert status(terminal) == 0
        assert "one␛[31m" in terminal.text
        assert "sesame" not in terminal.text
        assert "wrong" not in terminal.text
        assert echoes(terminal)


def test_a_key_that_is_refused_ends_it(start: Start) -> None:
    with start("door", "ls", "sftp://box/data") as terminal:
        terminal.wait_for(r"\[yes/no\]")
        type_line(terminal, "no")
        assert status(terminal) == 1
        assert "cannot connect to sftp://box" in terminal.text


def test_the_end_of_input_is_no_answer(start: Start, here: Path) -> None:
    with start("job_at_the_door", "queue", "answer-host", "1") as terminal:
        terminal.wait_for("Password for me@box:")
        terminal.press("ctrl+d")
        assert status(terminal) == 0
    assert "('answer_host', 1, None)" in (here / "calls").read_text()


def test_an_answer_to_a_job_is_asked_for_again_where_it_is_wrong(start: Start, here: Path) -> None:
    with start("job_at_the_door", "queue", "answer-host", "1") as terminal:
        terminal.wait_for("Password for me@box:")
        type_line(terminal, "wrong")
        terminal.wait_for("That was not right")
        type_line(terminal, "sesame")
        assert status(terminal) == 0
    answers = [line for line in (here / "calls").read_text().splitlines() if "answer_host" in line]
    assert answers == ["('answer_host', 1, 'wrong')", "('answer_host', 2, 'sesame')"]


def test_a_copy_asks_and_goes_on(start: Start, here: Path) -> None:
    with start("door", "copy", "a", "sftp://box/data") as terminal:
        terminal.wait_for(r"\[yes/no\]")
        type_line(terminal, "yes")
        terminal.wait_for("Password for me@box:")
        type_line(terminal, "sesame")
        assert status(terminal) == 0
        assert "copied 2 files" in terminal.text


def test_whoever_waits_for_a_job_is_asked_what_it_waits_for(start: Start, here: Path) -> None:
    with start("job_at_the_door", "queue", "wait", "1") as terminal:
        terminal.wait_for("Password for me@box:")
        assert not echoes(terminal)
        type_line(terminal, "wrong")
        terminal.wait_for("That was not right")
        type_line(terminal, "sesame")
        assert status(terminal) == 0
        assert echoes(terminal)
        assert "sesame" not in terminal.text
    answers = [line for line in (here / "calls").read_text().splitlines() if "answer_host" in line]
    assert answers == ["('answer_host', 1, 'wrong')", "('answer_host', 2, 'sesame')"]


def test_whoever_stops_waiting_leaves_the_job_as_it_is(start: Start, here: Path) -> None:
    with start("job_at_the_door", "queue", "wait", "1") as terminal:
        terminal.wait_for("Password for me@box:")
        terminal.process.send_signal(signal.SIGINT)
        assert status(terminal) == 130
        assert echoes(terminal)
    calls = (here / "calls").read_text()
    assert "answer_host" not in calls
    assert "cancel" not in calls


Askpass = Callable[[str], dict[str, str]]


@pytest.fixture
def askpass(tmp_path: Path) -> Askpass:
    """Return what makes a program to be asked, by its lines in sh, and says what is in its environment."""

    def make(lines: str) -> dict[str, str]:
        program = tmp_path / "askpass"
        program.write_text(f"#!/bin/sh\n{lines}\n")
        program.chmod(0o700)
        return {"SSH_ASKPASS": str(program), "DISPLAY": ":0"}

    return make


def away(
    here: Path, home: Path, environ: dict[str, str], scene: str, *words: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a scene where there is no terminal."""
    return subprocess.run(
        [sys.executable, SCRIPT, scene, *words],
        env={**os.environ, "FERRY_HOME": str(home), "PYTHONPATH": str(ROOT), **environ},
        cwd=here,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )


KNOWS = 'case "$1" in *Password*) echo sesame;; *SHA256:*) echo yes;; esac'


@pytest.mark.parametrize("words", [("ls", "sftp://box/data"), ("copy", "a", "sftp://box/data")])
def test_without_a_terminal_the_program_of_ssh_askpass_is_asked(
    here: Path, tmp_path: Path, askpass: Askpass, words: tuple[str, ...]
) -> None:
    (here / "a").write_bytes(b"one")
    done = away(here, tmp_path / "home", askpass(KNOWS), "door", *words)
    assert (done.returncode, "sesame" in done.stdout + done.stderr) == (0, False), done


@pytest.mark.parametrize(
    ("lines", "environ"),
    [
        ("exit 1", {}),
        (KNOWS, {"SSH_ASKPASS_REQUIRE": "never"}),
        (KNOWS, {"DISPLAY": ""}),
        (KNOWS, {"SSH_ASKPASS": "/nowhere/askpass"}),
    ],
)
def test_where_that_program_does_not_answer_or_is_not_to_be_asked_nothing_is_taken_for_an_answer(
    here: Path, tmp_path: Path, askpass: Askpass, lines: str, environ: dict[str, str]
) -> None:
    done = away(
        here,
        tmp_path / "home",
        {"WAYLAND_DISPLAY": "", **askpass(lines), **environ},
        "door",
        "ls",
        "sftp://box/data",
    )
    assert done.returncode == 1
    assert "one" not in done.stdout


def test_on_a_terminal_the_program_is_asked_where_it_is_required(start: Start, askpass: Askpass) -> None:
    with start("door", "ls", "sftp://box/data", **askpass(KNOWS), SSH_ASKPASS_REQUIRE="force") as terminal:
        assert status(terminal) == 0
        assert "yes/no" not in terminal.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_terminal_is_given_back_when_it_ends_early(start: Start, number: signal.Signals) -> None:
    with start("job_at_the_door", "queue", "answer-host", "1") as terminal:
        terminal.wait_for("Password for me@box:")
        assert not echoes(terminal)
        terminal.process.send_signal(number)
        assert status(terminal) in (130, -number)
        assert echoes(terminal)
