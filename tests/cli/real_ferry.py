"""Commands on the real background engine of a home of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.daemon.homes import Home
from tests.e2e.terminal import Terminal
from tui.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

Done = subprocess.CompletedProcess[bytes]


class RealFerry:
    """Runs commands in one folder; the engine is a process, and so is each command with a terminal or a pipe.

    The other commands run in this process: half of what they would take is the start of an interpreter, of which
    these tests say nothing.
    """

    def __init__(
        self,
        here: Path,
        environ: Mapping[str, str],
        monkeypatch: pytest.MonkeyPatch,
        captured: pytest.CaptureFixture[bytes],
    ) -> None:
        """Args: environ: What is added to the environment of the tests: FERRY_HOME at least."""
        self.here = here
        self._home = Home(Path(environ["FERRY_HOME"]))
        self._captured = captured
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(here)

    def __call__(self, *words: str, status: int = 0) -> Done:
        """Run a command to its end; check its status."""
        done = self.run(*words)
        assert done.returncode == status, done
        return done

    def run(self, *words: str) -> Done:
        """Run a command to its end, whatever its status."""
        self._captured.readouterr()
        return Done(words, main(words), *self._captured.readouterr())

    def process(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command as a process."""
        return subprocess.Popen([sys.executable, "-m", "tui", *words], cwd=self.here, **options)

    def terminal(self, *words: str, width: int = 80) -> Terminal:
        """Start a command in a terminal."""
        return Terminal([sys.executable, "-m", "tui", *words], cwd=self.here, width=width)

    def end(self) -> None:
        """See that the engine goes."""
        self._home.end()
