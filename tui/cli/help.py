"""What `ferry --help` and `ferry COMMAND --help` say: the table of commands, for people."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from tui.cli.arguments import HELP
from tui.cli.commands import COMMANDS

if TYPE_CHECKING:
    from tui.cli.arguments import Command

_STATUSES = (
    "Exit status: 0 all done · 1 done with errors · 2 usage · 3 conflict refused · 4 engine unreachable · "
    "130 interrupted."
)


def overview() -> str:
    """Return the text of `ferry --help`."""
    rows = [("ferry [LEFT [RIGHT]]", "Open the screen, on these folders.")]
    rows += [(f"ferry {command.name} {command.operands}".rstrip(), command.summary) for command in COMMANDS]
    width = max(len(left) for left, _ in rows)
    lines = ["Ferry moves many files, and goes on when you leave.", ""]
    lines += [f"  {left:{width}}  {right}" for left, right in rows]
    lines += [
        "",
        "`ferry COMMAND --help` lists the options of a command. `ferry --version` prints the version.",
    ]
    lines += ["A folder named like a command is opened as ./copy.", "", _STATUSES]
    return "\n".join(lines)


def help_for(command: Command) -> str:
    """Return the text of `ferry COMMAND --help`."""
    lines = [f"ferry {command.name} {command.operands}".rstrip(), "", command.summary, ""]
    for option in (*command.options, HELP):
        left = f"{option.name} {option.value}".rstrip() + (f", {option.short}" if option.short else "")
        texts = textwrap.wrap(option.help, 72, break_on_hyphens=False)
        lines.append(f"  {left:20} {texts[0]}")
        lines += [" " * 23 + text for text in texts[1:]]
    for note in command.notes:
        lines += ["", *textwrap.wrap(note, 96, break_on_hyphens=False)]
    return "\n".join([*lines, "", _STATUSES])
