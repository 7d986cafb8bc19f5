"""Single keys from the terminal while a question stands, and signals, as calls in the event loop."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import tty
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator


class Keyboard:
    """Reads keys one by one between `open` and `close`; outside, the terminal is as it was."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_key: Callable[[str], None]) -> None:
        self._loop = loop
        self._on_key = on_key
        self._before: list[Any] | None = None

    def open(self) -> None:
        """Start reading. What was typed before the question stood is not an answer to it, and is dropped."""
        if self._before is not None:
            return
        fd = sys.stdin.fileno()
        try:
            self._before = termios.tcgetattr(fd)
            tty.setcbreak(fd, termios.TCSAFLUSH)
            self._loop.add_reader(fd, self._read)
        except (termios.error, OSError):
            self._before = None

    def close(self) -> None:
        """Stop reading and give the terminal back."""
        if self._before is None:
            return
        fd = sys.stdin.fileno()
        self._loop.remove_reader(fd)
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(fd, termios.TCSADRAIN, self._before)
        self._before = None

    def _read(self) -> None:
        try:
            data = os.read(sys.stdin.fileno(), 64)
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        for key in data.decode("ascii", "ignore"):
            self._on_key(key)


LEAVING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals by which somebody, or the terminal, wants a command to end."""


@contextlib.contextmanager
def held_signals() -> Iterator[None]:
    """Let such signals wait: until `signals` takes them, or to the end of the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, LEAVING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def signals(loop: asyncio.AbstractEventLoop, on_signal: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call `on_signal` for these signals meanwhile, except for those that are ignored (nohup, `&`).

    Once one has come they are ignored afterwards: another must not kill a command that is about to end as it was told.
    """
    taken: list[signal.Signals] = []
    came: list[signal.Signals] = []

    def take(number: signal.Signals) -> None:
        came.append(number)
        on_signal(number)

    try:
        for number in LEAVING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, take, number)
                taken.append(number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, LEAVING)
        yield
    finally:
        with held_signals():
            for number in taken:
                loop.remove_signal_handler(number)
                if came:
                    signal.signal(number, signal.SIG_IGN)
