"""`ferry config …`: where the settings are, which are in effect, what is wrong with them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from tui.cli.diagnostics import Status
from tui.config import KEYS, SECTIONS, Kind, default_of, load, toml_name
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
    import textwrap

    from tui.config import quoted, word_list

    for number, (section, cls) in enumerate(SECTIONS.items()):
        if number:
            yield ""
        yield f"# {cls.__doc__}"
        yield f"[{section}]"
        values = getattr(settings, section)
        for item in fields(cls):
            kind: Kind = item.metadata["kind"]
            value, default = getattr(values, item.name), default_of(item)
            for line in textwrap.wrap(item.metadata["doc"], 100):
                yield f"# {line}"
            changed = "" if value == default else f"  # default: {kind.show(default)}"
            yield f"{toml_name(item)} = {kind.show(value)}{changed}"
    yield ""
    yield "# Keys by action id; the keys given replace the default ones."
    yield f"[{KEYS}]"
    for action, keys in settings.keys.items():
        yield f"{quoted(action)} = {word_list(keys)}"
