"""The log of what runs outside the background engine: the screen, and an engine inside a command."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.paths import Paths


def log_to(paths: Paths) -> None:
    """Have this process log warnings and errors into its file; where that cannot be written, nowhere.

    (Without a place to go to they would be printed.)
    """
    try:
        paths.screen_log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler: logging.Handler = logging.FileHandler(
            paths.screen_log, encoding="utf-8", errors="backslashreplace", delay=True
        )
    except OSError:
        handler = logging.NullHandler()
    logging.basicConfig(
        handlers=[handler], level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
