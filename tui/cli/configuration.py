"""`ferry config …`: where the settings are, which are in effect, what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.cli.diagnostics import Status
from tui.config import S3Settings
from tui.config.kinds import quoted, word_list
from tui.config.reading import load
from tui.config.settings import KEYS, S3, SECTIONS, items
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.cli.arguments import Parsed
    from tui.cli.session import Session
    from tui.config import Settings


def run(session: Session, parsed: Parsed) -> int:
    """Do one config command and return the exit status."""
    match parsed.command.words[-1]:
        case "path":
            session.out.line(visible(str(session.paths.config_file)))
            return Status.DONE
        case "show":
            for line in shown(session.settings):
                session.out.line(line)
            return Status.DONE
        case _:
            return _check(session)


def _check(session: Session) -> int:
    _, errors = load(session.paths, session.actions)
    for error in errors:
        session.messages.error(error)
    if not errors:
        file = session.paths.config_file
        what = "is in order" if file.exists() else "does not exist; all defaults are in effect"
        session.out.line(f"{visible(str(file))} {what}")
    return Status.ERRORS if errors else Status.DONE


def shown(settings: Settings) -> Iterator[str]:
    """Yield the lines of a configuration file that gives these settings, with what each key is for."""
    for section, cls in SECTIONS.items():
        yield f"# {cls.__doc__}"
        yield f"[{section}]"
        yield from _values(getattr(settings, section), told=True)
        yield ""
    for number, (name, endpoint) in enumerate(settings.s3.items()):
        if not number:
            yield f"# {S3Settings.__doc__}"
        yield f"[{S3}.{name if '.' not in name else quoted(name)}]"
        yield from _values(endpoint, told=not number)
        yield ""
    yield "# Keys by action id; the keys given replace the default ones."
    yield f"[{KEYS}]"
    for action, keys in settings.keys.items():
        yield f"{quoted(action)} = {word_list(keys)}"


def _values(section: Any, *, told: bool) -> Iterator[str]:
    """Yield the keys of a section with their values, and what they are for where that is not told above."""
    import textwrap

    for item in items(type(section)):
        value = getattr(section, item.field)
        for line in textwrap.wrap(item.doc, 100) if told else ():
            yield f"# {line}"
        changed = "" if value == item.default else f"  # default: {item.kind.show(item.default)}"
        yield f"{item.name} = {item.kind.show(value)}{changed}"
