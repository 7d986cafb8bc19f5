"""The terminal layer in a real pseudo-terminal: what Textual does not do by itself."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAMPLE = Path(__file__).with_name("sample_app.py")
TOP = SAMPLE.parents[2]


@pytest.fixture
def start() -> Iterator[Callable[..., Terminal]]:
    """Return a function that starts the sample app with some words and waits until it shows."""
    running: list[Terminal] = []

    def run(*words: str, ready: str = "report-000|esc", **options: object) -> Terminal:
        environ = {"PYTHONPATH": str(TOP), **options.pop("environ", {})}
        terminal = Terminal([sys.executable, SAMPLE, *words], environ=environ, **options)
        running.append(terminal)
        terminal.wait_for(ready)
        # Shorter than the time between two ticks.
        terminal.settle(0.2)
        return terminal

    yield run
    for terminal in running:
        terminal.close()


def cost(terminal: Terminal, *keys: str) -> int:
    """Return how many bytes some keys cost."""
    terminal.press(*keys)
    return terminal.settle()


# 1. A terminal that stops reading


def test_a_terminal_that_stops_reading_does_not_stop_the_app(start: Callable[..., Terminal]) -> None:
    terminal = start("ticking", width=120, height=40)
    terminal.press("r")
    end = time.monotonic() + 3
    while time.monotonic() < end:
        terminal.press("pagedown")
        time.sleep(0.05)
    terminal.press("l")
    found = terminal.wait_for(r"lag (\d+) ms ticks (\d+)")
    assert int(found[2]) >= 8, "the app must have gone on ticking"
    assert int(found[1]) < 1000, "the event loop must not have waited for the terminal"


def test_after_a_stall_the_screen_shows_the_latest_state_and_no_backlog(
    start: Callable[..., Terminal],
) -> None:
    terminal = start(width=120, height=40)
    for _ in range(300):
        terminal.press("pagedown")
        time.sleep(0.005)
    terminal.press("tab")
    time.sleep(0.5)
    sent = terminal.settle()
    assert sent < 60_000
    shown = terminal.text
    terminal.press("ctrl+l")
    terminal.settle()
    assert terminal.text == shown
    # Row 9,999 is the last: 300 pages are more than there are.
    assert re.search(r"99991|[a-z]+-969", shown)


def test_quitting_a_stalled_terminal_ends(start: Callable[..., Terminal]) -> None:
    terminal = start(width=200, height=60)
    for _ in range(50):
        terminal.press("pagedown")
        time.sleep(0.01)
    terminal.press("q")
    assert terminal.process.wait(60) == 0


# 2. Names


def test_no_name_reaches_the_terminal_raw(start: Callable[..., Terminal]) -> None:
    terminal = start("hostile", width=120, height=30)
    terminal.press("down", "t")
    terminal.wait_for("2Jc1")
    terminal.settle()
    assert terminal.unexpected() == []
    assert "\\ud" not in terminal.output.decode("utf-8", "backslashreplace")


def test_a_note_holds_text_only(start: Callable[..., Terminal]) -> None:
    terminal = start("hostile")
    terminal.press("n")
    terminal.settle()
    (note,) = re.findall(rb"\x1b\]9;([^\x07]*)\x07", terminal.output)
    assert not re.search(rb"[\x00-\x1f\x7f]", note)
    assert "\x9b" not in note.decode()
    assert terminal.unexpected() == []


def test_a_note_goes_through_tmux(start: Callable[..., Terminal]) -> None:
    terminal = start(environ={"TMUX": "/tmp/tmux,1,0"})
    terminal.press("n")
    terminal.settle()
    assert b"\x1bPtmux;\x1b\x1b]9;Sample: copied\x07\x1b\\" in terminal.output


def test_the_linux_console_gets_no_commands_it_would_print(start: Callable[..., Terminal]) -> None:
    terminal = start(environ={"TERM": "linux"})
    terminal.press("n", "c")
    terminal.settle()
    assert not re.search(rb"\x1b\]|\x1b\[[<>]|\$p", terminal.output)


def test_a_name_is_copied_as_its_bytes(start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.press("c")
    terminal.wait_until(lambda: b"\x1b]52;c;bmFtZf8=\x07" in terminal.output)


# 3. Input


def test_invalid_utf8_is_replaced_and_the_app_goes_on(start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.send(b"\xff")
    terminal.wait_for("replaced")
    terminal.send(b"\xc3\x28\x80\xfe\x1b[99999999999;1u")
    terminal.press("l")
    terminal.wait_for("lag ")


def test_a_paste_in_latin_1_arrives(start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.press("/")
    terminal.settle()
    terminal.send(b"\x1b[200~caf\xe9 au lait\x1b[201~")
    terminal.wait_for("caf\ufffd au lait")


def test_an_escape_alone_and_a_cut_sequence_are_told_apart(start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.send(b"\x1b")
    time.sleep(0.02)
    terminal.send(b"[B")
    terminal.settle()
    assert terminal.unexpected() == []
    assert "photo-031" in terminal.text


# 4. The end of the terminal


@pytest.mark.parametrize("ignoring", [False, True], ids=["hangup", "nohup"])
def test_a_terminal_that_hangs_up_ends_the_app(start: Callable[..., Terminal], ignoring: bool) -> None:
    terminal = start(ignoring_hangup=ignoring)
    terminal.hang_up()
    assert terminal.process.wait(60) == 128 + signal.SIGHUP


def test_a_hangup_signal_ends_the_app(start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.signal(signal.SIGHUP)
    assert terminal.wait_exit() == 128 + signal.SIGHUP


def test_a_stalled_terminal_that_hangs_up_ends_the_app(start: Callable[..., Terminal]) -> None:
    terminal = start(width=200, height=60)
    for _ in range(30):
        terminal.press("pagedown")
        time.sleep(0.01)
    terminal.hang_up()
    assert terminal.process.wait(60) == 128 + signal.SIGHUP


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ended_by_a_signal_the_terminal_is_restored(start: Callable[..., Terminal], number: int) -> None:
    terminal = start()
    terminal.signal(number)
    assert terminal.wait_exit() == 128 + number
    for sequence in (
        b"\x1b[?1049l",
        b"\x1b[?25h",
        b"\x1b[<u",
        b"\x1b[?2004l",
        b"\x1b[?1004l",
        b"\x1b[?1006l",
    ):
        assert sequence in terminal.output


def test_quitting_restores_the_modes(tmp_path: Path) -> None:
    script = f"stty -a > before; {sys.executable} {SAMPLE}; stty -a > after; echo flags $?; read line"
    environ = {"PYTHONPATH": str(TOP)}
    with Terminal(["/bin/sh", "-c", script], environ=environ, cwd=tmp_path) as terminal:
        terminal.wait_for("report-000")
        terminal.settle()
        terminal.press("q")
        terminal.wait_for("flags 0")
        assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()


def test_standard_input_stays_blocking_for_others(tmp_path: Path) -> None:
    """The shell's standard input is a file description that all its children share."""
    look = f"{sys.executable} -c 'import os; print(os.get_blocking(3))' > looked"
    script = f"exec 3<&0; (read line < go; {look}) & {sys.executable} {SAMPLE}"
    os.mkfifo(tmp_path / "go")
    with Terminal(["/bin/sh", "-c", script], environ={"PYTHONPATH": str(TOP)}, cwd=tmp_path) as terminal:
        terminal.wait_for("report-000")
        (tmp_path / "go").write_text("go\n")
        looked = tmp_path / "looked"
        terminal.wait_until(lambda: looked.exists() and looked.read_text() != "")
        assert looked.read_text() == "True\n"


# 5. Bytes


def test_the_first_screen_and_keys_are_cheap(start: Callable[..., Terminal]) -> None:
    terminal = start(width=120, height=40)
    assert len(terminal.output) < 20_000
    cost(terminal, "down")
    assert cost(terminal, "down") <= 250
    cost(terminal, "pagedown")
    assert cost(terminal, "pagedown") <= 2_500


def test_an_idle_screen_sends_nothing(start: Callable[..., Terminal]) -> None:
    terminal = start(width=120, height=40)
    time.sleep(1.5)
    assert terminal.settle(0.1) == 0


def test_a_changing_line_costs_little(start: Callable[..., Terminal]) -> None:
    terminal = start("ticking", ready="copied")
    before = len(terminal.output)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        terminal.read()
    assert 0 < len(terminal.output) - before <= 300


def test_the_mouse_reports_clicks_and_no_motion(start: Callable[..., Terminal]) -> None:
    terminal = start()
    assert b"1003h" not in terminal.output
    terminal.send(b"\x1b[<0;10;5M\x1b[<0;10;5m")
    terminal.wait_for("clicked 9,4")


def test_over_ssh_drags_are_not_reported_either(start: Callable[..., Terminal]) -> None:
    terminal = start(environ={"SSH_CONNECTION": "::1 1 ::1 22"})
    assert b"1000h" in terminal.output
    assert not re.search(rb"100[23]h", terminal.output)


# The whole screen again


def test_a_redraw_shows_the_same(start: Callable[..., Terminal]) -> None:
    terminal = start(width=120, height=40)
    terminal.press("pagedown", "down", "down", "up", "pagedown", "pageup")
    terminal.settle()
    shown = terminal.text
    terminal.screen.reset()
    terminal.press("ctrl+l")
    terminal.wait_until(lambda: terminal.text == shown)


def test_a_resize_is_followed(start: Callable[..., Terminal]) -> None:
    terminal = start(width=80, height=24)
    terminal.resize(132, 50)
    terminal.wait_until(lambda: "report-" in terminal.screen.display[49])
    terminal.resize(60, 12)
    terminal.settle()
    shown = terminal.text
    terminal.press("ctrl+l")
    terminal.settle()
    assert terminal.text == shown


def test_without_answers_the_app_runs(start: Callable[..., Terminal]) -> None:
    terminal = start(answering=False)
    terminal.press("down")
    terminal.settle()
    assert b"\x1b[?2026h" not in terminal.output


def test_with_answers_frames_are_bracketed(start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.press("down")
    terminal.settle()
    assert terminal.output.count(b"\x1b[?2026h") == terminal.output.count(b"\x1b[?2026l") > 0


# Leaving the terminal to others


def test_an_editor_gets_the_terminal_and_gives_it_back(start: Callable[..., Terminal]) -> None:
    terminal = start()
    before = terminal.text
    terminal.press("e")
    terminal.wait_for("editing")
    # An interrupt meant for the editor.
    terminal.signal(signal.SIGINT)
    terminal.type("done\n")
    terminal.wait_for("edited")
    terminal.settle()
    assert terminal.text == before.replace("ready", "edited")
    terminal.press("down", "l")
    terminal.wait_for("lag")


def test_ctrl_z_stops_and_comes_back(tmp_path: Path) -> None:
    environ = {"PYTHONPATH": str(TOP), "PS1": "$ "}
    with Terminal(["/bin/bash", "--norc", "-i"], environ=environ, cwd=tmp_path) as terminal:
        terminal.wait_for(r"^\$")
        terminal.type(f"{sys.executable} {SAMPLE}\n")
        terminal.wait_for("report-000")
        terminal.settle()
        terminal.press("ctrl+z")
        terminal.wait_for("Stopped")
        terminal.type("echo shell is here\n")
        terminal.wait_for("^shell is here")
        terminal.type("fg\n")
        terminal.wait_for("report-000")
        terminal.settle()
        terminal.press("l")
        terminal.wait_for("lag ")
        terminal.press("q")
        terminal.wait_for(r"^\$")


def test_the_terminal_comes_back_after_a_stop_without_warning(start: Callable[..., Terminal]) -> None:
    terminal = start()
    shown = terminal.text
    terminal.signal(signal.SIGSTOP)
    terminal.screen.reset()
    terminal.signal(signal.SIGCONT)
    terminal.wait_until(lambda: terminal.text == shown)


def test_standard_error_elsewhere_does_not_take_the_screen_away(tmp_path: Path) -> None:
    script = f"{sys.executable} {SAMPLE} 2>errors >out"
    with Terminal(["/bin/sh", "-c", script], environ={"PYTHONPATH": str(TOP)}, cwd=tmp_path) as terminal:
        terminal.wait_for("report-000")
        terminal.press("q")
        assert terminal.wait_exit() == 0
    assert (tmp_path / "errors").read_text() == ""
    assert (tmp_path / "out").read_text() == ""


def test_without_a_terminal_one_clear_sentence_is_said(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SAMPLE],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        start_new_session=True,
        env={"PYTHONPATH": str(TOP)},
    )
    assert "needs a terminal" in done.stderr
    assert done.returncode != 0
