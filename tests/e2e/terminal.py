"""A terminal for tests: runs a program in a pseudo-terminal, reads its screen with an emulator, types keys.

Nothing is read unless a method waits for something, so a test stalls the terminal by waiting for nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Final

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

PATIENCE_S: Final = 60.0
"""How long is waited for what must come: long, for a machine may have other things to do, and nobody waits in vain."""

KEYS: Final = {
    **{
        "up": "\x1b[A",
        "down": "\x1b[B",
        "right": "\x1b[C",
        "left": "\x1b[D",
        "home": "\x1b[H",
        "end": "\x1b[F",
    },
    **{
        "pageup": "\x1b[5~",
        "pagedown": "\x1b[6~",
        "insert": "\x1b[2~",
        "delete": "\x1b[3~",
        "shift+tab": "\x1b[Z",
    },
    **{"enter": "\r", "tab": "\t", "escape": "\x1b", "space": " ", "backspace": "\x7f"},
    **{"f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS", "f5": "\x1b[15~", "f6": "\x1b[17~"},
    **{"f7": "\x1b[18~", "f8": "\x1b[19~", "f9": "\x1b[20~", "f10": "\x1b[21~", "f12": "\x1b[24~"},
    **{f"ctrl+{chr(96 + code)}": chr(code) for code in range(1, 27)},
}

# What the emulator would print: private parameters it does not know, queries.
_FOREIGN = re.compile(rb"\x1b\[[<>=][0-9;]*[A-Za-z]|\x1b\[\?[0-9;]*\$p|\x1b\[[0-9;]*t")
_ALTERNATE = re.compile(rb"\x1b\[\?1049([hl])")
_INCOMPLETE = re.compile(rb"\x1b(\[[0-9;?<>=$ ]*|\][^\x07\x1b]*|)\Z")
_ANSWERS: Final = (
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[0?c"), b"\x1b[?62;22c"),
)
# All that Ferry sends on purpose: moves, erasing, looks, modes, titles, notes, keys, and one query.
_EXPECTED = re.compile(
    r"\x1b\[(?:[0-9;]*[HCKXJm]|\?[0-9;]+[hl]|2[23];2t|>[0-9]+u|<u|\?2026\$p)|\x1b\][29];[^\x00-\x1f\x7f-\x9f]*\x07|[^\x00-\x1f\x7f-\x9f]+",
    re.DOTALL,
)


class Terminal:
    """One program on one pseudo-terminal; a context manager that ends it."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        width: int = 80,
        height: int = 24,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        answering: bool = True,
        ignoring_hangup: bool = False,
    ) -> None:
        """Start a program.

        Args:
            environ: Added to this process's environment, without what it holds about its own terminal.
            answering: Answer the queries a terminal answers.
            ignoring_hangup: Start it as `nohup` does.
        """
        self.answering = answering
        self.output = bytearray()
        """All that the program has sent and that was read."""
        self.read_at = time.perf_counter()
        """When output was last read, before the emulator had it."""
        self._unparsed = b""
        self._screens = [pyte.Screen(width, height), pyte.Screen(width, height)]
        self._streams = [pyte.ByteStream(screen) for screen in self._screens]
        self._alternate = 0
        self.master, slave = os.openpty()
        _set_size(slave, width, height)

        def prepare() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGHUP, signal.SIG_IGN if ignoring_hangup else signal.SIG_DFL)

        self.process = subprocess.Popen(
            [os.fspath(part) for part in argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env=_environment(environ or {}),
            start_new_session=True,
            preexec_fn=prepare,
        )
        os.close(slave)
        os.set_blocking(self.master, False)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the program and whatever it left in its session's process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.hang_up()

    # Typing

    def send(self, data: bytes) -> None:
        """Send raw bytes to the program."""
        while data:
            try:
                data = data[os.write(self.master, data) :]
            except BlockingIOError:
                select.select([], [self.master], [], 1)

    def type(self, text: str) -> None:
        self.send(text.encode("utf-8", "surrogateescape"))

    def press(self, *keys: str) -> None:
        """Press keys by name ("down", "f5", "ctrl+x") or as single characters."""
        for key in keys:
            self.type(KEYS.get(key, key))

    # Looking

    @property
    def screen(self) -> pyte.Screen:
        """The screen that is shown: the main or the alternate one."""
        return self._screens[self._alternate]

    @property
    def text(self) -> str:
        """The screen as lines of text, as far as it was read."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def read(self, timeout_s: float = 0.05) -> bytes:
        """Wait for output until a time is up, and return what came; b"" when nothing did or the program has ended."""
        if self.master < 0 or not select.select([self.master], [], [], timeout_s)[0]:
            return b""
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            return b""
        self.read_at = time.perf_counter()
        self.output += data
        self._show(data)
        return data

    def _show(self, data: bytes) -> None:
        data = self._unparsed + data
        cut = match.start() if (match := _INCOMPLETE.search(data)) else len(data)
        data, self._unparsed = data[:cut], data[cut:]
        if self.answering:
            for query, answer in _ANSWERS:
                if query.search(data):
                    self.send(answer)
        for part in _ALTERNATE.split(_FOREIGN.sub(b"", data)):
            if part in (b"h", b"l"):
                self._alternate = int(part == b"h")
                if self._alternate:
                    self.screen.reset()
            else:
                self._streams[self._alternate].feed(part)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        """Read until a condition holds."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited {timeout_s} s in vain; the screen shows:\n{self.text}")
            self.read()

    def wait_for(self, pattern: str, timeout_s: float = PATIENCE_S) -> re.Match[str]:
        """Read until a regular expression matches the screen."""
        self.wait_until(lambda: re.search(pattern, self.text, re.MULTILINE) is not None, timeout_s)
        match = re.search(pattern, self.text, re.MULTILINE)
        assert match is not None
        return match

    def settle(self, quiet_s: float = 0.3, timeout_s: float = 10.0) -> int:
        """Read until nothing has come for a while; return how many bytes came.

        The while is the program's own: the time that it waits for a processor does not count, nor does its work.
        """
        before = len(self.output)
        deadline = time.monotonic() + timeout_s
        since, busy_s = time.monotonic(), self._busy_s()
        while (now := time.monotonic()) < deadline:
            left_s = since + quiet_s + self._busy_s() - busy_s - now
            if left_s <= 0:
                break
            if self.read(min(left_s, deadline - now)):
                since, busy_s = time.monotonic(), self._busy_s()
        return len(self.output) - before

    def _busy_s(self) -> float:
        """Return how long the program has run on a processor and waited for one, where the system tells."""
        try:
            with open(f"/proc/{self.process.pid}/schedstat") as file:
                ran_ns, waited_ns, _ = map(int, file.read().split())
        except (OSError, ValueError):
            return 0.0
        return (ran_ns + waited_ns) / 1e9

    def unexpected(self) -> list[str]:
        """Return what is in the output that Ferry's screen never sends on purpose."""
        left = _EXPECTED.sub("\n", self.output.decode("utf-8", "backslashreplace"))
        return [part for part in left.split("\n") if part]

    # The terminal's own life

    def resize(self, width: int, height: int) -> None:
        for screen in self._screens:
            screen.resize(height, width)
        _set_size(self.master, width, height)

    def hang_up(self) -> None:
        """Close the terminal, as a window that is closed or a connection that breaks."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait_exit(self, timeout_s: float = PATIENCE_S) -> int:
        """Read until the program ends; return its exit status."""
        deadline = time.monotonic() + timeout_s
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"Still running after {timeout_s} s; the screen shows:\n{self.text}")
            if not self.read(0.02):
                time.sleep(0.005)
        while self.read(0):
            pass
        return self.process.returncode

    def cpu_s(self) -> float:
        """Return the processor time the program has used."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _set_size(fd: int, width: int, height: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    own = (
        "TEXTUAL_",
        "SSH_",
        "TMUX",
        "NO_COLOR",
        "COLUMNS",
        "LINES",
        "COLORTERM",
        "TERM_PROGRAM",
        "ESCDELAY",
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **added}
