"""The engine's log: one small file, and the one before it."""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from tui.client.runtime import CannotHost

if TYPE_CHECKING:
    from io import TextIOWrapper
    from pathlib import Path

SIZE_BYTES = 1 << 20


class _PrivateFile(RotatingFileHandler):
    """A file nobody else reads: it names files of the user's."""

    def _open(self) -> TextIOWrapper:
        fd = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return open(fd, "a", encoding="utf-8", errors="backslashreplace")


def open_log(path: Path) -> None:
    """Send all records to a file.

    Raises:
        CannotHost: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = _PrivateFile(path, maxBytes=SIZE_BYTES, backupCount=1)
    except OSError as error:
        raise CannotHost(f"its log {path} cannot be written: {error.strerror}") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
