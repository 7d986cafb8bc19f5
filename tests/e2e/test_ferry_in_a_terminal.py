"""The real command in a real pseudo-terminal."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.terminal import Terminal
from tests.trees import HOSTILE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = Path(__file__).parents[2]
FERRY = (sys.executable, "-m", "tui")


class Harbor:
    """A Ferry of its own: a home, two folders, the screens opened on them, and nothing left behind."""

    def __init__(self, root: Path) -> None:
        # A short name: the path of a socket must be.
        self.home = Path(tempfile.mkdtemp(prefix="ferry"))
        self.left = root / "left"
        self.right = root / "right"
        self.left.mkdir()
        self.right.mkdir()
        self.screens: list[Terminal] = []

    @property
    def environ(self) -> dict[str, str]:
        return {"FERRY_HOME": str(self.home), "PYTHONPATH": str(TOP)}

    def open(self, ready: str = "Queue", **options: object) -> Terminal:
        environ = {**self.environ, **options.pop("environ", {})}
        screen = Terminal([*FERRY, self.left, self.right], environ=environ, **options)
        self.screens.append(screen)
        screen.wait_for(ready)
        screen.settle()
        return screen

    def processes(self) -> dict[int, str]:
        """Return the command lines of processes that belong to this home."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"FERRY_HOME={self.home}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(folder.name)] = words.decode().strip()
            except OSError:
                continue
        return {pid: line for pid, line in found.items() if line}

    def close(self) -> None:
        for screen in self.screens:
            screen.close()
        deadline, asked = time.monotonic() + 20, set[int]()
        while (left := self.processes()) and time.monotonic() < deadline:
            for pid in left.keys() - asked:  # an engine goes by that as it does when a command asks it to
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            asked |= left.keys()
            time.sleep(0.05)
        shutil.rmtree(self.home, ignore_errors=True)
        assert left == {}


@pytest.fixture
def harbor(tmp_path: Path) -> Iterator[Harbor]:
    harbor = Harbor(tmp_path)
    yield harbor
    harbor.close()


def make_hostile(folder: Path) -> None:
    for name in HOSTILE_NAMES:
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(name)


# Names


def test_hostile_names_are_listed_and_nothing_of_them_is_obeyed(harbor: Harbor) -> None:
    make_hostile(harbor.left)
    screen = harbor.open(width=100, height=44)
    screen.wait_for("plain")
    for shown in ("␛]52;c;ZXZpbA==␇clip", "bell␇", "new␊line", "⣿⣾ invalid", "␡del"):
        assert shown in screen.text
    for _ in HOSTILE_NAMES:
        screen.press("space")
    screen.settle()
    assert screen.unexpected() == []


def test_dialogs_about_hostile_names_are_harmless(harbor: Harbor) -> None:
    name = b"\x1b]52;c;ZXZpbA==\x07\x1b[2J\xc2\x9b31m\xe2\x80\xae\xff.txt"
    with open(os.path.join(os.fsencode(harbor.left), name), "wb") as file:
        file.write(b"\x1b]52;c;aGk=\x07 hostile contents \x1b[6n \xc2\x9b5n \xff")
    screen = harbor.open()
    screen.press("down")
    dialogs = {
        "f2": "─ Rename",
        "f3": "hostile contents",
        "f5": "─ Copy",
        "f6": "─ Move",
        "f8": "─ Move to the trash",
    }
    for key, shown in dialogs.items():
        screen.press(key)
        screen.wait_for(shown)
        screen.press("escape")
        screen.wait_until(lambda shown=shown: shown not in screen.text)
    assert screen.unexpected() == []
    assert os.listdir(os.fsencode(harbor.left)) == [name]


def test_a_hostile_folder_is_copied_with_a_clean_screen(harbor: Harbor) -> None:
    folder = harbor.left / os.fsdecode(b"trip\x1b]0;pwned\x07\n\xff")
    folder.mkdir()
    make_hostile(folder)
    screen = harbor.open()
    screen.press("down", "f5")
    screen.settle()
    screen.press("enter")
    target = os.path.join(os.fsencode(harbor.right), folder.name.encode("utf-8", "surrogateescape"))
    screen.wait_until(
        lambda: os.path.isdir(target) and sorted(os.listdir(target)) == sorted(HOSTILE_NAMES), 30
    )
    screen.settle(1.0)
    assert screen.unexpected() == []


# The terminal's life


@pytest.mark.parametrize("ignoring", [False, True], ids=["hangup", "nohup"])
def test_a_hangup_ends_the_screen_alone(harbor: Harbor, ignoring: bool) -> None:
    screen = harbor.open(ignoring_hangup=ignoring)
    screen.hang_up()
    assert screen.process.wait(60) == 128 + signal.SIGHUP


def test_sigterm_restores_the_terminal(harbor: Harbor) -> None:
    screen = harbor.open()
    screen.signal(signal.SIGTERM)
    assert screen.wait_exit() == 128 + signal.SIGTERM
    assert b"\x1b[?1049l" in screen.output
    assert "Traceback" not in screen.text


def test_quitting_leaves_no_process_but_the_engine(harbor: Harbor) -> None:
    screen = harbor.open()
    screen.press("q")
    assert screen.wait_exit() == 0
    assert "Traceback" not in screen.text
    lines = harbor.processes().values()
    assert [line for line in lines if "engine" not in line and "daemon" not in line] == []


def test_a_terminal_that_stops_reading_does_not_stop_ferry(harbor: Harbor) -> None:
    for number in range(2000):
        (harbor.left / f"file {number:05}").touch()
    screen = harbor.open(width=120, height=40)
    for _ in range(50):
        screen.press("pagedown", "pageup")
        time.sleep(0.02)
    screen.press("end")
    time.sleep(0.2)
    screen.wait_for("file 01999")
    screen.settle(1.0)
    shown = screen.text
    screen.press("ctrl+l")
    screen.settle()
    assert screen.text == shown


def test_invalid_utf8_on_the_keyboard_changes_nothing(harbor: Harbor) -> None:
    (harbor.left / "first").touch()
    screen = harbor.open()
    screen.send(b"\xff\xfe\xc3\x28\x80")
    screen.settle()
    screen.press("escape", "escape")
    screen.press("q")
    assert screen.wait_exit() == 0


# Terminals of all kinds


@pytest.mark.parametrize(
    "environ",
    [
        {"NO_COLOR": "1"},
        {"TERM": "linux"},
        {"TERM": "tmux-256color", "TMUX": "x"},
        {"COLORTERM": "truecolor"},
    ],
    ids=lambda environ: next(iter(environ)),
)
def test_it_works_in_many_terminals(harbor: Harbor, environ: dict[str, str]) -> None:
    (harbor.left / "a file").touch()
    screen = harbor.open(environ=environ)
    screen.wait_for("a file")
    assert screen.unexpected() == []
    screen.press("q")
    assert screen.wait_exit() == 0


@pytest.mark.parametrize("term", ["linux", "xterm-256color"])
def test_what_lies_around_a_dialog_stays_in_view(harbor: Harbor, term: str) -> None:
    (harbor.left / "beside.txt").touch()
    screen = harbor.open(environ={"TERM": term})
    screen.press("f7")
    screen.wait_for("Make a folder")
    screen.settle()
    assert "beside.txt" in screen.text


def test_without_color_no_color_is_sent(harbor: Harbor) -> None:
    screen = harbor.open(environ={"NO_COLOR": "1", "COLORTERM": "truecolor"})
    colors = re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", screen.output)
    assert colors
    assert all(len(set(color)) == 1 for color in colors)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
def test_both_panes_and_the_queue_fit(harbor: Harbor, width: int, height: int) -> None:
    (harbor.left / "here").touch()
    (harbor.right / "there").touch()
    screen = harbor.open(width=width, height=height, ready="here")
    assert "there" in screen.text
    assert len(screen.output) < 20_000


def test_a_terminal_too_small_is_told(harbor: Harbor) -> None:
    screen = harbor.open(width=30, height=8, ready="40×12")
    screen.resize(80, 24)
    screen.wait_for("Queue")


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_dumb_terminal_is_refused(harbor: Harbor, term: str) -> None:
    with Terminal([*FERRY, harbor.left], environ={**harbor.environ, "TERM": term}) as terminal:
        assert terminal.wait_exit() == 2
        assert b"\x1b" not in terminal.output


# The shell it was started from


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ((), "Queue"),
        (("f7",), "Make a folder"),
        (("f",), "Filter"),
        (("f1",), "In the file panes"),
        (("f9",), "type to narrow"),
        (("ctrl+p",), "Search for commands"),
        (("w", "f"), "Filter"),
    ],
    ids=["panes", "dialog", "field", "help", "menu", "palette", "field of the queue"],
)
def test_one_key_goes_back_to_the_shell_and_fg_to_ferry(
    harbor: Harbor, keys: tuple[str, ...], shown: str
) -> None:
    environ = {**harbor.environ, "PS1": "$ "}
    screen = Terminal(["/bin/bash", "--norc", "-i"], environ=environ, cwd=harbor.left)
    harbor.screens.append(screen)
    screen.wait_for(r"^\$")
    screen.type(f"{sys.executable} -m tui .\n")
    screen.wait_for("Queue")
    screen.settle()
    screen.press(*keys)
    screen.wait_for(shown)
    screen.press("ctrl+z")
    screen.wait_for("Stopped")
    screen.type("echo shell is $((1 + 1))\n")
    screen.wait_for("^shell is 2")
    screen.type("fg\n")
    screen.wait_for(shown)
    if keys:
        screen.press("escape")
        screen.wait_until(lambda: shown not in screen.text)
    screen.press("q")
    screen.wait_for(r"^\$")


def test_the_terminals_only_program_does_not_stop_for_a_shell_there_is_not(harbor: Harbor) -> None:
    screen = harbor.open()
    screen.press("ctrl+z")
    screen.settle()
    screen.press("f1")
    screen.wait_for("In the file panes")


# Bytes


def test_keys_and_idleness_are_cheap(harbor: Harbor) -> None:
    for number in range(500):
        (harbor.left / f"file {number * 7919 % 99991:05}").touch()
    screen = harbor.open(width=120, height=40)
    screen.wait_for("file 0")
    screen.press("down")
    screen.settle()
    costs = {}
    for key in ("down", "pagedown"):
        # The least of some: what else the machine does to the disk may change the figure of what is free.
        costs[key] = min(_cost(screen, key) for _ in range(4))
    assert 0 < costs["down"] <= 350
    assert 0 < costs["pagedown"] <= 2_500
    assert 0 in (_cost_of_nothing(screen) for _ in range(4))


def _cost(screen: Terminal, key: str) -> int:
    screen.press(key)
    return screen.settle()


def _cost_of_nothing(screen: Terminal) -> int:
    time.sleep(1.5)
    return screen.settle(0.1)
