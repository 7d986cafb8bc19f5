"""What hosts ask, put to the person at the terminal: a line typed, unseen where it is a secret."""

from __future__ import annotations

import contextlib
import os
import termios
from typing import TYPE_CHECKING, Any

from tui.cli.askpass import Askpass, program
from tui.model.ask import YES, AskKind
from tui.visible import harmless

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tui.model.ask import HostQuestion

_ECHO_FLAGS = 3
"""Where the local modes stand in what `tcgetattr` returns."""
_WANTED = {
    AskKind.PASSWORD: "a password",
    AskKind.PASSPHRASE: "the passphrase of a key",
    AskKind.CODE: "a code",
    AskKind.HOST_KEY: "its key to be looked at, as it is not known yet",
}


def wanted(question: HostQuestion) -> str:
    """Return what somebody has to say, to be read after "asks for"."""
    return _WANTED[question.ask.kind]


def terminal() -> str | None:
    """Return the path of the terminal a person can be asked on, wherever the streams go; None: there is none.

    A command that was put in the background leaves the terminal alone, and so has none.
    """
    for fd in (0, 2, 1):
        with contextlib.suppress(OSError):
            if os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp():
                return os.ttyname(fd)  # and not /dev/tty, on which macOS does not wait
    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return "/dev/tty" if os.tcgetpgrp(fd) == os.getpgrp() else None
    except OSError:
        return None
    finally:
        os.close(fd)


def can_ask() -> bool:
    """Say whether there is somebody to put questions to, on the terminal or by SSH_ASKPASS."""
    on_a_terminal = terminal() is not None
    return on_a_terminal or program(os.environ, on_a_terminal=False) is not None


def prompt(loop: asyncio.AbstractEventLoop, on_answer: Callable[[str | None], None]) -> Prompt | Askpass:
    """Return what puts questions to whoever is there; see `Prompt`."""
    named = program(os.environ, on_a_terminal=terminal() is not None)
    return Prompt(loop, on_answer) if named is None else Askpass(loop, on_answer, named)


class Prompt:
    """Asks one question at a time between `open` and `close`; outside, the terminal is as it was.

    Args:
        on_answer: Called with the answer, or None for the end of input (Ctrl+D): there is no answer.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_answer: Callable[[str | None], None]) -> None:
        self._loop, self._on_answer = loop, on_answer
        self._fd = -1
        self._before: list[Any] = []
        self._typed = b""
        self._question: HostQuestion | None = None

    def open(self, question: HostQuestion) -> bool:
        """Put a question; return False where that cannot be done. What was typed before it stood is dropped."""
        path = terminal()
        if path is None or self._fd >= 0:
            return False
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
            self._before = termios.tcgetattr(self._fd)
            modes = termios.tcgetattr(self._fd)
            modes[_ECHO_FLAGS] |= termios.ICANON | termios.ISIG | termios.ECHO
            if question.ask.secret:
                modes[_ECHO_FLAGS] = modes[_ECHO_FLAGS] & ~termios.ECHO | termios.ECHONL
            termios.tcsetattr(self._fd, termios.TCSAFLUSH, modes)
        except (termios.error, OSError):
            self._let_go()
            return False
        self._question, self._typed = question, b""
        self._say(prompt_for(question))
        self._loop.add_reader(self._fd, self._read)
        return True

    def close(self, said: str = "") -> None:
        """Take the question back, and say why on its line."""
        if self._fd < 0:
            return
        self._loop.remove_reader(self._fd)
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)
        if self._question is not None:
            self._say(f"{said}\n")
        self._let_go()

    def _let_go(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._question = -1, None

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._fd, text.encode("utf-8", "backslashreplace"))

    def _read(self) -> None:
        question = self._question
        assert question is not None
        try:
            data = os.read(self._fd, 4096)
        except OSError:
            data = b""
        self._typed += data
        if data and b"\n" not in data:
            return
        answer = self._typed.split(b"\n")[0].decode("utf-8", "replace") if data else None
        if answer is not None and question.ask.kind is AskKind.HOST_KEY:
            answer = answer.strip().lower()
            if answer not in (YES, "no"):
                self._typed = b""
                self._say("Type yes or no: ")
                return
        if answer is not None:
            self._question = None  # Its line has ended, by what was typed.
        self.close()
        self._on_answer(answer)


def prompt_for(question: HostQuestion) -> str:
    """Return a question as it is put, fit for a terminal."""
    ask = question.ask
    lines = [harmless(line) for line in ask.text.splitlines()] or [harmless(ask.host)]
    again = ["That was not right; once more."] if ask.retry else []
    if ask.kind is AskKind.HOST_KEY:
        lines.append("Is that the right key? [yes/no]")
    lines[-1] = lines[-1].rstrip(": ") + (": " if ask.kind is not AskKind.HOST_KEY else " ")
    return "\n".join([*again, *lines])
