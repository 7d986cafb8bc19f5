"""Programs that take over the terminal for a while: the editor, the shell, and what it is asked to run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
from typing import TYPE_CHECKING, Any

from tui.model.error import UsageError
from tui.visible import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from textual.app import App

    from tui.config import Settings

LAST_RESORT = "vi"

_COMMAND = """
shown=$1 line=$2; shift 2
printf '$ %s\\n' "$shown"
trap : INT
sh -c "$line" sh "$@"
status=$?
printf '\\n[ended with status %s; Enter goes back to Ferry] ' "$status"
read -r _
exit "$status"
"""
"""Runs a line, and leaves what it has written on the screen until somebody has read it."""


def editor_command(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the words of the command that edits a file: from the settings, $VISUAL, $EDITOR, else vi.

    Raises:
        UsageError: It cannot be understood, or is not installed.
    """
    text = settings.screen.editor or environ.get("VISUAL") or environ.get("EDITOR") or LAST_RESORT
    remedy = "Set $EDITOR, or editor in [screen] of the configuration file."
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if not words:
        raise UsageError(f"the editor's command cannot be understood: {text}", remedy)
    if shutil.which(words[0]) is None:
        raise UsageError(f"the editor {words[0]} is not installed", remedy)
    return words


def command_words(line: str, names: Sequence[str]) -> list[str]:
    """Return the words of the command that runs a line by `sh`, with names of entries as its "$@".

    A name that begins with a dash comes with its folder, so that no program takes it for an option.
    """
    operands = [f"./{name}" if name.startswith("-") else name for name in names]
    return ["sh", "-c", _COMMAND, "sh", harmless(line), line, *operands]


async def run_outside(
    app: App[Any], words: Sequence[str], folder: str | None = None, environ: Mapping[str, str] | None = None
) -> int:
    """Give the terminal to a program and wait for its end; what the app does meanwhile is painted afterwards.

    The event loop goes on, because an engine may live on it.

    Args:
        environ: Added to this process's environment.
    Returns:
        The program's exit status.
    Raises:
        UsageError: It could not be started.
    """
    with _terminal_given_away(app):
        try:
            process = await asyncio.create_subprocess_exec(
                *words, cwd=folder, env={**os.environ, **(environ or {})}
            )
        except OSError as error:
            raise UsageError(f"{words[0]} cannot be started: {error.strerror or error}") from error
        try:
            return await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise


@contextlib.contextmanager
def _terminal_given_away(app: App[Any]) -> Iterator[None]:
    if app.is_headless:
        yield
        return
    with app.batch_update(), app.suspend(), _keyboard_signals_left_to_others():
        yield


@contextlib.contextmanager
def _keyboard_signals_left_to_others() -> Iterator[None]:
    """Let Ctrl+C and Ctrl+\\ end the program in front and not Ferry, which is in the same group of processes.

    A handler that does nothing, rather than ignoring: that the program would inherit.
    """
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
