"""Short messages to the person at the screen, and errors turned into such."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any, Literal

from tui.model.error import FerryError
from tui.visible import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import App
    from textual.message_pump import MessagePump

_logger = logging.getLogger(__name__)

Severity = Literal["information", "warning", "error"]
_SECONDS: dict[Severity, float] = {"information": 4, "warning": 7, "error": 10}
MOST_SHOWN = 4
"""More messages at a time hide the files below them, and nobody reads them in their few seconds."""
FRESH_S = 1.0
"""What was said so recently belongs to what happens now."""


SLOW_S = 2.0
"""After so long somebody who waits for the engine is told that it does not answer."""
DOES_NOT_ANSWER = "The engine does not answer yet."


@contextlib.contextmanager
def saying_when_slow(node: MessagePump, say: Callable[[str], object]) -> Iterator[None]:
    """Say, where what is done within takes long, that the engine does not answer yet."""
    timer = node.set_timer(SLOW_S, lambda: say(DOES_NOT_ANSWER))
    try:
        yield
    finally:
        timer.stop()


def tell(app: App[Any], text: str, severity: Severity = "information", title: str = "") -> None:
    """Show one message; names in it are made harmless, and nothing in it is markup. Said again, it shows once."""
    text = harmless(text)
    for standing in [
        note for note in app._notifications if (note.message, note.severity) == (text, severity)
    ]:
        app._unnotify(standing, refresh=False)
    app.notify(
        text,
        title=harmless(title),
        severity=severity,
        timeout=_SECONDS[severity],
        markup=False,
    )


def keep_last(app: App[Any]) -> None:
    """Take the oldest messages off the screen where there are many; errors last of all."""
    standing = sorted(app._notifications, key=lambda note: (note.severity == "error", note.raised_at))
    for note in standing[: max(0, len(standing) - MOST_SHOWN)]:
        app._unnotify(note, refresh=False)


def dismiss(app: App[Any]) -> bool:
    """Take the messages shown off the screen, and say whether there were any."""
    shown = bool(app._notifications)
    if shown:
        app.clear_notifications()
    return shown


def make_room(app: App[Any], *, fresh_too: bool = False) -> None:
    """Take off the screen what was said a while ago, or all of it, to make room for a dialog; errors stay."""
    for note in list(app._notifications):
        if note.severity != "error" and (fresh_too or time.time() - note.raised_at > FRESH_S):
            app._unnotify(note, refresh=False)


def report(app: App[Any], error: Exception) -> None:
    """Show an error as one message: what failed and what to do."""
    tell(app, in_words(app, error), "error")


def in_words(app: App[Any], error: Exception) -> str:
    """Return what failed and what to do. An error that is not ours goes into the log in full."""
    if isinstance(error, FerryError):
        return " ".join(filter(None, (f"{error.message.rstrip('.')}.", error.remedy)))
    _logger.error("unexpected error", exc_info=error)
    log = getattr(getattr(app, "paths", None), "screen_log", None)
    return f"Something went wrong; see {log}." if log else f"Something went wrong: {error!r}."
