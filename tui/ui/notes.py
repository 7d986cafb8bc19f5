"""Short messages to the person at the screen, and errors turned into such."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal

from tui.model.error import FerryError
from tui.visible import harmless

if TYPE_CHECKING:
    from textual.app import App

_logger = logging.getLogger(__name__)

Severity = Literal["information", "warning", "error"]
_SECONDS: dict[Severity, float] = {"information": 4, "warning": 7, "error": 10}


def tell(app: App[Any], text: str, severity: Severity = "information", title: str = "") -> None:
    """Show one message; names in it are made harmless, and nothing in it is markup."""
    app.notify(
        harmless(text),
        title=harmless(title),
        severity=severity,
        timeout=_SECONDS[severity],
        markup=False,
    )


def report(app: App[Any], error: Exception) -> None:
    """Show an error as one message: what failed and what to do. One that is not ours goes into the log in full."""
    if isinstance(error, FerryError):
        tell(app, " ".join(filter(None, (f"{error.message.rstrip('.')}.", error.remedy))), "error")
        return
    _logger.error("unexpected error", exc_info=error)
    log = getattr(getattr(app, "paths", None), "screen_log", None)
    tell(app, f"Something went wrong; see {log}." if log else f"Something went wrong: {error!r}.", "error")
