"""Everything that goes to standard error, and what exit codes mean. Nothing else of the command line writes there."""

from __future__ import annotations

import contextlib
import os
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, TextIO

from tui.model.error import CollisionRefused, EngineUnreachable, FerryError, ProtocolMismatch, UsageError
from tui.visible import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN_ERRORS = 20
"""Errors of a job listed before the rest is only counted."""


class Status(IntEnum):
    """Exit statuses: a contract with scripts."""

    DONE = 0
    ERRORS = 1
    USAGE = 2
    CONFLICT = 3
    UNREACHABLE = 4
    INTERRUPTED = 130


def status_of(error: FerryError) -> Status:
    """Return the exit status for an error that ends a command."""
    if isinstance(error, UsageError):
        return Status.USAGE
    if isinstance(error, CollisionRefused):
        return Status.CONFLICT
    if isinstance(error, (EngineUnreachable, ProtocolMismatch)):
        return Status.UNREACHABLE
    return Status.ERRORS


def sentence(error: FerryError) -> str:
    """Return what went wrong and what to do, fit for a terminal."""
    return harmless(f"{error.message.rstrip('.')}. {error.remedy}" if error.remedy else error.message)


class Diagnostics:
    """Messages for people, and the one line at the bottom that is drawn anew."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.is_terminal = self.stream.isatty()
        self._can_erase = self.is_terminal and os.environ.get("TERM", "") not in ("", "dumb")
        self._line = ""

    def error(self, error: FerryError) -> None:
        """Say on one line what went wrong and what to do."""
        self.say(f"ferry: {sentence(error)}")

    def problem(self, message: str, remedy: str = "") -> None:
        self.error(FerryError(message, remedy))

    def rows(self, errors: Sequence[FerryError], total: int, rest: str = "") -> None:
        """List errors, at most `SHOWN_ERRORS`, then how many more there are; `rest` says where to see them."""
        for error in errors[:SHOWN_ERRORS]:
            self.error(error)
        if (more := total - min(len(errors), SHOWN_ERRORS)) > 0:
            self.say(f"… and {more:,} more" + (f": {rest}" if rest else ""))

    def note(self, text: str) -> None:
        self.say(f"ferry: {harmless(text)}")

    def say(self, text: str) -> None:
        """Write one line of text that is already fit for a terminal."""
        self.erase()
        self._write(text + "\n")

    def ask(self, text: str) -> None:
        """Write a question and leave the cursor behind it."""
        self.erase()
        self._write(text)

    def draw(self, line: str) -> None:
        """Show a line at the bottom in place of the last one; only on a terminal that we are in front of."""
        if self._can_erase and line != self._line and self._in_front():
            self._write(f"\r{line}\x1b[K")
            self._line = line

    def erase(self) -> None:
        """Take the drawn line away."""
        if self._line:
            self._write("\r\x1b[K")
            self._line = ""

    def columns(self) -> int:
        """Return the terminal's width in cells."""
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _in_front(self) -> bool:
        """Say whether the terminal is ours to draw on: a command put in the background leaves it alone."""
        try:
            return os.tcgetpgrp(self.stream.fileno()) == os.getpgrp()
        except (OSError, ValueError):
            return True

    def _write(self, text: str) -> None:
        # A terminal that has gone must not end a command whose work goes on.
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()
