"""The composition root: looks at the first word, imports one front end, and hands it what it needs."""

from __future__ import annotations

import gc
import os
import sys

from tui import __version__

# Nothing is imported here that is not in memory already: `main` sees to Ctrl+C, and nobody does before.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tui.model.location import Location

COMMANDS = (
    *("copy", "move", "delete", "sync", "verify", "ls", "cat", "du", "mkdir", "hosts"),
    *("queue", "engine", "config", "doctor", "completion"),
)
"""First words that are never folders; ./copy is."""

OTHER_NAMES = {"cp": "copy", "mv": "move", "rm": "delete", "rsync": "sync", "help": "--help"}
"""What some first words would be here, by what other programs call it."""

LOST, USAGE, INTERRUPTED = 1, 2, 130

GARBAGE = 100_000
"""So many new objects are looked through for garbage: the imports of a command make no fewer, and hold none."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Ferry and return its exit status. (The console script, and `python -m tui`.)"""
    try:
        return _main(arguments)
    except KeyboardInterrupt:  # while something is imported: commands see to it themselves
        return INTERRUPTED


def _main(arguments: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    match words:
        case ["engine", "run"]:
            return _engine()
        case ["--version" | "-V", *_]:
            return _say(f"ferry {__version__}")
        case ["--help" | "-h", *_]:
            from tui.cli.help import overview

            return _say(overview())
        case [first, *_] if first in COMMANDS:
            gc.set_threshold(GARBAGE)
            from tui.cli.run import run

            status = run(words, _actions)
            return _leave(status) if arguments is None else status
    return _screen(words)


def _leave(status: int) -> int:
    """End the process at once where only memory is left to be tidied up; else return its exit status."""
    try:
        sys.stdout.flush()
    except OSError:  # what could not be written was told when it was tried, and is not tried again at the end
        status = status or LOST
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    threading = sys.modules.get("threading")
    others = threading is not None and threading.active_count() > 1
    if others or "asyncio" in sys.modules or sys.gettrace() or sys.getprofile():
        return status
    try:
        sys.stderr.flush()
    finally:
        os._exit(status)


def _open_streams() -> None:
    """Open what of the standard streams came closed (`>&-`): else the next file opened would take its place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            fd = os.open(os.devnull, os.O_RDWR)
            if fd != number:
                os.dup2(fd, number)
                os.close(fd)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))


def _say(text: str) -> int:
    from tui.cli.output import Output
    from tui.model.error import FerryError

    try:
        Output().line(text)
    except FerryError as error:
        from tui.cli.diagnostics import Diagnostics

        Diagnostics().error(error)
        return LOST
    return 0


def _engine() -> int:
    """Be the background engine, until it is idle or stopped. (For service managers; clients start their own.)"""
    from tui.cli.diagnostics import Diagnostics
    from tui.config.reading import load
    from tui.daemon.lifecycle import run
    from tui.model.error import UsageError
    from tui.paths import Paths

    try:
        paths = Paths.from_environment()
    except UsageError as error:
        Diagnostics().error(error)
        return USAGE
    settings, _ = load(paths)
    return run(paths, settings)


def _actions() -> Collection[str]:
    from tui.ui.bindings import BY_ID

    return BY_ID


def _screen(words: list[str]) -> int:
    """Open the screen on the folders named, or say in one sentence why that cannot be."""
    from tui.cli.diagnostics import Diagnostics
    from tui.model.error import UsageError
    from tui.paths import Paths

    try:
        left, right = _folders(words)
        _require_terminal()
        paths = Paths.from_environment()
    except UsageError as error:
        Diagnostics().error(error)
        return USAGE
    from tui.ui.collector import hold_while_starting
    from tui.ui.terminal.environment import prepare_environment

    hold_while_starting()
    prepare_environment(os.environ)
    from tui.client.spawn import open_client
    from tui.config.reading import load
    from tui.ui.app import run_screen

    settings, errors = load(paths, _actions())
    client = open_client(paths, settings)
    notices = [f"{error.message}. {error.remedy}" for error in errors]
    return run_screen(client, settings, left, right, paths, notices)


def _folders(words: list[str]) -> tuple[Location, Location | None]:
    """Return both folders: the first is the current one, the second None, where it is not named.

    Whether those on other hosts are there, their panes tell.

    Raises:
        UsageError: More was said than two folders, or something else.
    """
    from tui.cli.arguments import nearest
    from tui.cli.operands import locate
    from tui.cli.urls import is_far
    from tui.model.error import UsageError

    if words[:1] == ["--"]:
        words = words[1:]
    elif words and words[0].startswith("-"):
        advice = nearest(words[0], ("--help", "--version"), everything=False)
        raise UsageError(f"there is no option {words[0]}", advice or "`ferry --help` lists what there is.")
    advice = ""
    if words:
        name = OTHER_NAMES.get(words[0])
        advice = f"Did you mean {name}?" if name else nearest(words[0], COMMANDS, everything=False)
    if len(words) > 2:
        raise UsageError("ferry opens two folders at most", advice or "`ferry --help` lists the commands.")
    for word in words:
        if not is_far(word) and not os.path.isdir(word):
            what = "is not a folder" if os.path.lexists(word) else "does not exist"
            raise UsageError(f"{word or 'an empty name'} {what}", advice or "Name folders, or a command.")
    folders = [locate(word) for word in words] or [locate(".")]
    return folders[0], folders[1] if len(folders) > 1 else None


def _require_terminal() -> None:
    """Refuse what the screen cannot be drawn on.

    Raises:
        UsageError: There is no terminal, or it is not up to it.
    """
    from tui.model.error import UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the screen needs a terminal", "`ferry --help` lists the commands that do without.")
    term = os.environ.get("TERM", "")
    if term in ("", "dumb"):
        said = "TERM is dumb" if term else "TERM is not set"
        raise UsageError(f"the screen cannot be drawn here: {said}", "Set TERM to what your terminal is.")
    encoding = sys.stdout.encoding.lower().replace("_", "-")
    if encoding not in ("utf-8", "utf8"):
        raise UsageError(
            f"the screen needs UTF-8, and the locale says {encoding}", "Try LC_ALL=C.UTF-8 ferry"
        )


if __name__ == "__main__":
    sys.exit(main())
