"""The log of what runs outside the background engine: the screen, and an engine inside a command."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import TextIOWrapper

    from tui.paths import Paths


class _File(logging.FileHandler):
    """A file that is made, with its folder, when there is something to be written; nothing where it cannot be."""

    def _open(self) -> TextIOWrapper:
        try:
            os.makedirs(os.path.dirname(self.baseFilename), mode=0o700, exist_ok=True)
            return super()._open()
        except OSError:
            return open(os.devnull, "w", encoding="utf-8")


def log_to(paths: Paths) -> None:
    """Have this process log warnings and errors into its file: without a place to go to they would be printed."""
    handler = _File(paths.screen_log, encoding="utf-8", errors="backslashreplace", delay=True)
    logging.basicConfig(
        handlers=[handler], level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
