"""Everything that goes to standard output: results. Nothing else of the command line writes there."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from tui.model.error import FerryError
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COLOURS = {"green": "32", "yellow": "33", "red": "31", "dim": "2", "bold": "1"}


class Output:
    """Results, line by line. A reader that has left (`| head`) is not an error: the rest is dropped."""

    def __init__(self, stream: TextIO | None = None, *, no_colour: bool | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.is_terminal = self.stream.isatty()
        if no_colour is None:
            no_colour = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        self.coloured = self.is_terminal and not no_colour
        self.broken = False

    def line(self, text: str = "") -> None:
        """Write a line of text that is already fit for a terminal."""
        if self.broken:
            return
        with self._writing():
            self.stream.write(text + "\n")
            self.stream.flush()

    def name(self, name: str, prefix: str = "", suffix: str = "") -> None:
        """Write the name of a file on a line: visibly on a terminal, else with the very bytes it has."""
        if self.is_terminal:
            self.line(f"{prefix}{visible(name)}{suffix}")
        else:
            self.write(prefix.encode() + os.fsencode(name) + suffix.encode() + b"\n")

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        if self.broken:
            return
        with self._writing():
            self.stream.flush()
            self.stream.buffer.write(data)
            self.stream.buffer.flush()

    def json(self, values: Mapping[str, Any]) -> None:
        """Write one JSON object on a line of its own, in plain ASCII."""
        import json

        self.line(json.dumps(values, ensure_ascii=True, separators=(", ", ": ")))

    def styled(self, text: str, colour: str) -> str:
        """Return text in a colour ("green", "yellow", "red", "dim", "bold"), where colours are wanted."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.coloured else text

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Have something written.

        Raises:
            FerryError: It cannot be: the disk behind standard output is full, say.
        """
        try:
            yield
        except BrokenPipeError:
            self._drop()
        except OSError as error:
            self._drop()
            reason = (error.strerror or str(error)).lower()
            remedy = "Check where it goes, then try again."
            raise FerryError(f"cannot write to standard output: {reason}", remedy) from error

    def _drop(self) -> None:
        """Give what is left in the buffer, and all to come, to /dev/null, so that no later flush fails either."""
        self.broken = True
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.stream.fileno())
            os.close(null)
        except (OSError, ValueError):
            return
