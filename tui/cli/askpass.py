"""What hosts ask, put to a program of the user's, as ssh puts it: SSH_ASKPASS. (ssh(1), ENVIRONMENT.)"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from tui.visible import harmless

if TYPE_CHECKING:
    import asyncio
    import subprocess
    from collections.abc import Callable, Mapping

    from tui.model.ask import HostQuestion

MOST_ANSWER_BYTES = 1 << 16
ENDING_S = 1.0
"""So long the program may take to end after it has written its answer."""


def program(environ: Mapping[str, str], *, on_a_terminal: bool) -> str | None:
    """Return the program that is to be asked instead of the terminal, as SSH_ASKPASS and SSH_ASKPASS_REQUIRE say."""
    named, required = environ.get("SSH_ASKPASS"), environ.get("SSH_ASKPASS_REQUIRE", "").lower()
    if not named or required == "never":
        return None
    has_display = bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    if required == "force" or (has_display and (required == "prefer" or not on_a_terminal)):
        return named
    return None


class Askpass:
    """Asks one question at a time between `open` and `close`, as `tui.cli.prompt.Prompt` does.

    Args:
        on_answer: Called with the first line the program writes; None where it fails: there is no answer.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_answer: Callable[[str | None], None], program: str
    ) -> None:
        self._loop, self._on_answer, self._program = loop, on_answer, program
        self._process: subprocess.Popen[bytes] | None = None
        self._said = b""

    def open(self, question: HostQuestion) -> bool:
        """Start the program; return False where that cannot be done."""
        if self._process is not None:
            return False
        import subprocess  # (6 ms: too much for each command that could ask)

        text = "\n".join(harmless(line) for line in question.ask.text.splitlines())
        with contextlib.suppress(OSError, ValueError):
            self._process = subprocess.Popen(
                [self._program, text or harmless(question.ask.host)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
            )
        if self._process is None:
            return False
        self._said = b""
        assert self._process.stdout is not None
        self._loop.add_reader(self._process.stdout.fileno(), self._read)
        return True

    def close(self, said: str = "") -> None:
        """Take the question back."""
        if self._process is not None:
            self._process.kill()
            self._end()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        data = os.read(self._process.stdout.fileno(), MOST_ANSWER_BYTES)
        self._said += data
        if data and len(self._said) < MOST_ANSWER_BYTES:
            return
        line = self._said.split(b"\n")[0].rstrip(b"\r").decode("utf-8", "replace")
        self._on_answer(line if self._end() == 0 else None)

    def _end(self) -> int:
        """Let go of the program, and return its status."""
        from subprocess import TimeoutExpired

        process, self._process = self._process, None
        assert process is not None
        assert process.stdout is not None
        self._loop.remove_reader(process.stdout.fileno())
        process.stdout.close()
        try:
            return process.wait(ENDING_S)
        except TimeoutExpired:
            process.kill()
            return process.wait()
