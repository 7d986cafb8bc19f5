"""From the first words to the command they name: parsing, help, settings, and the last resort for errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.arguments import HELP, Command, Parsed, nearest, parse
from tui.cli.commands import BY_WORDS, GROUPS
from tui.cli.diagnostics import Diagnostics, Status, status_of
from tui.cli.listed import add_listed
from tui.cli.output import Output
from tui.cli.session import Session, SpawnedEngines
from tui.cli.urls import is_far
from tui.config.reading import load
from tui.model.error import FerryError, UsageError
from tui.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tui.cli.session import Engines


def run(words: Sequence[str], actions: Callable[[], Collection[str]] | None = None) -> int:
    """Do the command that the words name and return its exit status.

    Args:
        actions: Returns the ids that may stand in the section [keys] of the configuration.
    """
    messages, out = Diagnostics(), Output()
    try:
        command, rest = find(words)
        parsed = parse(command, rest)
        if parsed.has(HELP.name):
            from tui.cli.help import help_for

            out.line(help_for(command))
            return Status.DONE
        add_listed(parsed)
        return int(dispatch(_session(parsed, messages, out, actions), parsed))
    except FerryError as error:
        messages.error(error)
        return status_of(error)
    except KeyboardInterrupt:
        messages.erase()
        return Status.INTERRUPTED
    except OSError as error:
        messages.problem(f"cannot go on: {error.strerror or error}")
        return Status.ERRORS


def find(words: Sequence[str]) -> tuple[Command, Sequence[str]]:
    """Return the command that the first words name, and the words after them.

    Raises:
        UsageError: There is no such command.
    """
    first, rest = words[0], words[1:]
    if first not in GROUPS:
        return BY_WORDS[(first,)], rest
    second = rest[0] if rest else ""
    if command := BY_WORDS.get((first, second)):
        return command, rest[1:]
    if (command := BY_WORDS.get((first,))) and (not second or second.startswith("-")):
        return command, rest
    known = [words[1] for words in BY_WORDS if words[0] == first and len(words) > 1]
    if second in ("-h", "--help"):
        return _group(first, known), rest
    if not second:
        raise UsageError(f"ferry {first} needs one more word", f"It can be {', '.join(known)}.")
    raise UsageError(f"there is no command ferry {first} {second}", nearest(second, known))


def _group(first: str, known: Sequence[str]) -> Command:
    """Return what `ferry engine --help` is about."""
    return Command((first,), "|".join(known), f"See `ferry {first} {known[0]} --help` and so on.")


def _session(
    parsed: Parsed, messages: Diagnostics, out: Output, actions: Callable[[], Collection[str]] | None
) -> Session:
    """Build what the command works with; what is wrong in the configuration is said once, and does not stop it."""
    paths = Paths.from_environment()
    about_settings = parsed.command.words[0] in ("config", "doctor")
    known = actions() if actions is not None and about_settings else None
    settings, errors = load(paths, known)
    if errors and parsed.command.words[-1] not in ("check", "doctor"):
        messages.error(errors[0])
        if len(errors) > 1:
            messages.note(f"{len(errors) - 1} more in the configuration: `ferry config check` lists them")
    engines: Engines = SpawnedEngines(paths, settings)
    return Session(paths, settings, out, messages, engines, known)


def dispatch(session: Session, parsed: Parsed) -> int:
    """Run a command; each is imported only when it is asked for."""
    match parsed.command.words[0]:
        case "copy" | "move" | "delete" | "sync" if any(map(is_far, parsed.operands)):
            return _far_job(session, parsed)
        case "copy" | "move" | "delete":
            from tui.cli import transfer

            return transfer.run(session, parsed)
        case "sync":
            from tui.cli import sync

            return sync.run(session, parsed)
        case "verify":
            from tui.cli import verify

            return verify.run(session, parsed)
        case "queue":
            from tui.cli import queue

            return queue.run(session, parsed)
        case "ls" | "cat" | "du" | "mkdir" | "hosts":
            from tui.cli import looks

            return looks.run(session, parsed)
        case "engine":
            from tui.cli import engine

            return engine.run(session, parsed)
        case "config":
            from tui.cli import configuration

            return configuration.run(session, parsed)
        case "completion":
            from tui.cli import completion

            return completion.run(session, parsed)
        case _:
            from tui.cli import doctor

            return doctor.run(session, parsed)


def _far_job(session: Session, parsed: Parsed) -> int:
    """Run a command that queues a job of which some operand is on another host."""
    if parsed.command.name == "sync":
        from tui.cli import far_sync

        return far_sync.run(session, parsed)
    from tui.cli import far_transfer

    return far_transfer.run(session, parsed)
