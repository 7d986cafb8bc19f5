"""The first word: help, version, folders for the screen, what is refused, and what is not imported."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cli_run import Run, golden
from rich.cells import cell_len

from tests.e2e.terminal import Terminal
from tui import __version__
from tui.__main__ import main
from tui.cli.commands import BY_WORDS, COMMANDS
from tui.cli.diagnostics import Diagnostics
from tui.cli.help import help_for
from tui.client.launch import failed
from tui.client.runtime import address
from tui.model.error import EngineUnreachable
from tui.model.location import Location
from tui.paths import Paths

if TYPE_CHECKING:
    from pathlib import Path

    from cli_engine import FakeEngine

HEAVY = {
    "asyncio",
    "textual",
    "rich",
    "humanize",
    "platformdirs",
    "sqlite3",
    "argparse",
    "tomllib",
    "asyncssh",
    "aiobotocore",
}


def loaded_by(*words: str) -> set[str]:
    """Return the modules a fresh interpreter holds after a command."""
    code = "import sys; from tui.__main__ import main; main(sys.argv[1:]); sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, timeout=30
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("-V",)])
def test_version_and_help_load_nothing_heavy(words: tuple[str, ...]) -> None:
    assert loaded_by(*words) & (HEAVY | {"msgspec"}) == set()


def test_the_help_of_a_command_loads_nothing_heavy() -> None:
    assert loaded_by("copy", "--help") & HEAVY == set()


def test_version(ferry: Run) -> None:
    assert ferry("--version").out == f"ferry {__version__}\n"


def test_the_overview_is_as_agreed(ferry: Run) -> None:
    result = ferry("--help")
    assert (result.status, result.err) == (0, "")
    golden("help.txt", result.out)
    assert max(map(cell_len, result.out.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help(ferry: Run, engine: FakeEngine, command: object) -> None:
    words = next(words for words, each in BY_WORDS.items() if each is command)
    result = ferry(*words, "--help")
    assert (result.status, result.err) == (0, "")
    assert result.out == help_for(BY_WORDS[words]) + "\n"
    assert all(option.name in result.out for option in BY_WORDS[words].options)
    assert max(map(cell_len, result.out.splitlines())) <= 80
    assert not engine.calls


def test_the_help_of_copy_is_as_agreed(ferry: Run) -> None:
    golden("help-copy.txt", ferry("copy", "--help").out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere does not exist. Name folders, or a command."),
        (("cpoy", "a", "b"), "ferry opens two folders at most. Did you mean copy?"),
        (("quue",), "quue does not exist. Did you mean queue?"),
        (("rm", "a"), "rm does not exist. Did you mean delete?"),
        (("help",), "help does not exist. Did you mean --help?"),
        (("--verson",), "there is no option --verson. Did you mean --version?"),
        (("file",), "file is not a folder."),
        ((".", "file"), "file is not a folder."),
        (("--", "copy"), "copy does not exist."),
        ((), "the screen needs a terminal."),
        ((".", ".."), "the screen needs a terminal."),
        (("bad\x1b[2J",), "bad␛[2J does not exist."),
    ],
)
def test_what_is_no_screen_is_refused_in_one_sentence(
    ferry: Run, here: Path, words: tuple[str, ...], said: str
) -> None:
    (here / "file").touch()
    result = ferry(*words)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"TERM": "dumb"}, "TERM is dumb"),
        ({"TERM": ""}, "TERM is not set"),
        ({"TERM": "xterm", "PYTHONIOENCODING": "latin-1"}, "the screen needs UTF-8"),
    ],
)
def test_a_terminal_that_is_not_up_to_it_is_refused(here: Path, environ: dict[str, str], said: str) -> None:
    with Terminal([sys.executable, "-m", "tui"], environ=environ, cwd=here, width=120) as terminal:
        terminal.wait_until(lambda: terminal.process.poll() is not None)
        terminal.settle(0.05)
        assert terminal.process.returncode == 2
        assert said in terminal.text
        assert b"\x1b" not in terminal.output


@pytest.mark.parametrize("word", ["engine", "config"])
def test_a_group_without_its_second_word_names_them(ferry: Run, word: str) -> None:
    result = ferry(word)
    assert result.status == 2
    assert f"ferry {word} needs one more word. It can be " in result.err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_came_closed_are_no_trouble(here: Path, closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m tui config path {closed}', sys.executable],
        capture_output=True,
        env={**os.environ, "FERRY_HOME": str(here)},
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (b"" if ">&-" in closed.split() else f"{here}/config/config.toml\n".encode())


def test_an_engine_that_does_not_start_is_tried_once(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    said = failed(EngineUnreachable("somebody else works on the queue", "Close that one, then try again."))
    program = f"echo >>{here}/starts; echo '{said.decode()}'"
    monkeypatch.setattr("tui.client.launch.command", lambda paths: ["sh", "-c", program])
    assert main(["queue"]) == 4
    told = "ferry: somebody else works on the queue. Close that one, then try again.\n"
    assert capfd.readouterr() == ("", told)
    assert (here / "starts").read_text() == "\n"


def test_an_engine_that_does_not_answer_is_asked_once(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tui.client.quick.GREETING_S", 0.01)
    paths = Paths.from_environment()
    paths.runtime.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as deaf:
        with address(paths.socket) as short:
            deaf.bind(short)
        deaf.listen()
        deaf.setblocking(False)
        assert main(["queue"]) == 4
        deaf.accept()[0].close()
        with pytest.raises(BlockingIOError):
            deaf.accept()
    assert "the engine did not answer within 0 seconds" in capfd.readouterr().err


def test_names_are_written_whatever_the_locale_says(here: Path) -> None:
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "FERRY_HOME": str(here)}
    done = subprocess.run(
        [sys.executable, "-m", "tui", "copy", "--dry-run", "gone-é", "x"],
        capture_output=True,
        env=environ,
        cwd=here,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert b"gone-\\xe9" in done.stderr


def test_only_the_folders_named_are_asked_for(here: Path) -> None:
    """The second one, where it is not named, is left to what the screen remembers."""
    from tui.__main__ import _folders

    (here / "sub").mkdir()
    first, inside = Location.local(here), Location.local(here / "sub")
    assert _folders([]) == (first, None)
    assert _folders([inside.path]) == (inside, None)
    assert _folders([inside.path, first.path]) == (inside, first)


def test_the_screen_opens_on_folders_of_other_hosts(here: Path) -> None:
    from tui.__main__ import _folders

    assert _folders(["sftp://me@box/data", "."]) == (
        Location("/data", "sftp", "me@box"),
        Location.local(here),
    )


def ended(*words: str, stdout: int) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    command = [sys.executable, "-m", "tui", *words]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=30)


@pytest.mark.parametrize(("words", "status"), [(("config", "path"), 0), (("copy", "a"), 2)])
def test_a_command_ends_with_its_status_and_all_it_wrote(
    words: tuple[str, ...], status: int, ferry: Run
) -> None:
    here, process = ferry(*words), ended(*words, stdout=subprocess.PIPE)
    assert (process.returncode, process.stderr) == (status, here.err)
    assert (process.stdout.count("\n"), bool(process.stdout)) == (here.out.count("\n"), status == 0)


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("copy", "--help"), ("config", "show")])
def test_results_that_cannot_be_written_are_told_once_and_are_a_failure(
    here: Path, words: tuple[str, ...]
) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        process = ended(*words, stdout=full)
    finally:
        os.close(full)
    said = "ferry: cannot write to standard output: no space left on device. Check where it goes, then try again.\n"
    assert (process.returncode, process.stderr) == (1, said)


@pytest.mark.parametrize("words", [("copy", "--help"), ("verify", "--write", "-", "file")])
def test_a_reader_that_has_left_is_no_failure(here: Path, words: tuple[str, ...]) -> None:
    (here / "file").touch()
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = ended(*words, stdout=writing)
    finally:
        os.close(writing)
    assert (process.returncode, process.stderr) == (0, "")


def test_an_interrupt_while_a_command_is_loaded_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("tui.cli.run.run", interrupted)
    assert main(["queue"]) == 130


class OnATerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("term", "drawn"), [("dumb", ""), ("", ""), ("xterm", "\rhalf\x1b[K\r\x1b[K")])
def test_nothing_is_drawn_where_it_could_not_be_erased(
    monkeypatch: pytest.MonkeyPatch, term: str, drawn: str
) -> None:
    monkeypatch.setenv("TERM", term)
    terminal = OnATerminal()
    messages = Diagnostics(terminal)
    messages.draw("half")
    messages.say("done")
    assert terminal.getvalue() == f"{drawn}done\n"


def test_without_any_home_folder_it_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FERRY_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    for kind in ("STATE", "CONFIG", "CACHE"):
        monkeypatch.delenv(f"XDG_{kind}_HOME", raising=False)
    assert main(["config", "path"]) == 2
    assert capfd.readouterr() == (
        "",
        "ferry: no home folder is known: HOME is not set, and the system names none for this user. "
        "Set HOME, or FERRY_HOME to a folder for all that Ferry keeps.\n",
    )


def test_a_runtime_folder_is_taken_where_it_is_there_and_this_user_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`su` leaves that of the user before in the environment."""
    environ = {"XDG_RUNTIME_DIR": f"{tmp_path}", "HOME": str(tmp_path)}
    assert Paths.from_environment(environ).runtime == tmp_path / "ferry"
    ours = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: ours + 1)
    paths = Paths.from_environment(environ)
    assert paths.runtime == paths.state / "run"
    paths = Paths.from_environment({**environ, "XDG_RUNTIME_DIR": f"{tmp_path}/gone"})
    assert paths.runtime == paths.state / "run"


def test_a_relative_runtime_folder_counts_as_none(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": "run", "HOME": str(tmp_path)}
    paths = Paths.from_environment(environ)
    assert paths.runtime == paths.state / "run"
