"""The code an engine runs, and what an update makes of it on the disk: an engine may outlive one."""

from __future__ import annotations

import os
from pathlib import Path

import tui

REPLACED = "Ferry was updated, this engine is the old one; `ferry engine stop` makes way for a new one, and keeps jobs"


class Build:
    """The files this process was started from. What it has not loaded yet, it would load from those that stand now."""

    def __init__(self, file: Path | None = None) -> None:
        """Args: file: One that every update writes anew; None: the one with the version in it."""
        self._file = file or Path(tui.__file__)
        self._at_start = self._look()

    @property
    def is_replaced(self) -> bool:
        """Whether other files stand there by now, or none."""
        return self._look() != self._at_start

    def _look(self) -> tuple[int, int] | None:
        try:
            info = os.stat(self._file)
        except OSError:
            return None
        return info.st_ino, info.st_mtime_ns
