"""Open the terminal this process runs in, and switch its modes."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import termios
from typing import Any, Final

from tui.model.error import UsageError

LAST_RESORT_SIZE: Final = (80, 24)


class Device:
    """A terminal, open for reading and writing in a file description of our own.

    Non-blocking is a property of the description, and that of standard input is shared with the shell and every other
    program in the terminal; so the terminal is opened anew. Where that is not allowed (another user's terminal, after
    `su`), the shared one is used and set back.
    """

    def __init__(self) -> None:
        self._attributes: list[Any] | None = None
        self._shared = False
        self.fd = self._open()

    def _open(self) -> int:
        standard = [stream.fileno() for stream in (sys.__stdin__, sys.__stderr__, sys.__stdout__) if stream]
        terminal = next((fd for fd in standard if os.isatty(fd)), None)
        names = ["/dev/tty"]
        if terminal is not None:
            with contextlib.suppress(OSError):
                names.insert(0, os.ttyname(terminal))
        for name in names:
            with contextlib.suppress(OSError):
                return os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        if terminal is None:
            raise UsageError(
                "Ferry's screen needs a terminal; run it in one, or use a command such as `ferry copy`."
            )
        self._shared = True
        return os.dup(terminal)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in cells."""
        try:
            width, height = os.get_terminal_size(self.fd)
        except OSError:
            return LAST_RESORT_SIZE
        return (width or LAST_RESORT_SIZE[0], height or LAST_RESORT_SIZE[1])

    def make_raw(self) -> None:
        """Pass every key on as it comes: no echo, no lines, no signals, no flow control."""
        if self._shared:
            os.set_blocking(self.fd, False)
        self._attributes = self._get_attributes()
        if self._attributes is None:
            return
        raw = [*self._attributes]
        raw[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
        raw[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        raw[6] = [*raw[6]]
        raw[6][termios.VMIN] = 1
        raw[6][termios.VTIME] = 0
        self._set_attributes(raw)

    def restore(self) -> None:
        """Set the modes back to what they were."""
        if self._attributes is not None:
            self._set_attributes(self._attributes)
            self._attributes = None
        if self._shared:
            with contextlib.suppress(OSError):
                os.set_blocking(self.fd, True)

    def discard_input(self) -> None:
        """Drop what was typed but not read, such as late answers to queries."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self.fd, termios.TCIFLUSH)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.fd)

    def _get_attributes(self) -> list[Any] | None:
        try:
            return termios.tcgetattr(self.fd)
        except termios.error:
            return None

    def _set_attributes(self, attributes: list[Any]) -> None:
        """Set modes; in the background the system stops the process here until it is in the foreground again."""
        while True:
            try:
                termios.tcsetattr(self.fd, termios.TCSANOW, attributes)
            except termios.error as error:
                if error.args[0] == errno.EINTR:
                    continue
            return
