"""What `ferry --help` and `ferry COMMAND --help` say: the table of commands, for people."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from tui.cli.arguments import HELP
from tui.cli.commands import COMMANDS

if TYPE_CHECKING:
    from tui.cli.arguments import Command

_WIDTH = 79
"""Cells of a line: a terminal has 80, and a wide sign may take one more than is counted."""
_OPTION = 20
"""Cells for an option and its value; a longer one moves its text on."""
_STATUSES = (
    "Exit status: 0 all done · 1 done with errors · 2 usage · 3 conflict refused ·",
    "4 engine unreachable · 130 interrupted.",
)


def overview() -> str:
    """Return the text of `ferry --help`."""
    rows = [("ferry [LEFT [RIGHT]]", "Open the screen, on these folders.")]
    rows += [(f"ferry {command.name} {command.operands}".rstrip(), command.summary) for command in COMMANDS]
    width = max(len(left) for left, _ in rows)
    lines = ["Ferry moves many files, and goes on when you leave.", ""]
    for left, right in rows:
        lines += _row(left, right, width)
    lines += [
        "",
        "`ferry COMMAND --help` lists the options of a command.",
        "`ferry --version` prints the version.",
        "A folder named like a command is opened as ./copy.",
        "",
        *_STATUSES,
    ]
    return "\n".join(lines)


def help_for(command: Command) -> str:
    """Return the text of `ferry COMMAND --help`."""
    lines = [f"ferry {command.name} {command.operands}".rstrip(), "", *_wrapped(command.summary), ""]
    for option in (*command.options, HELP):
        left = f"{option.name} {option.value}".rstrip() + (f", {option.short}" if option.short else "")
        lines += _row(left, option.help, _OPTION)
    for note in command.notes:
        lines += ["", *_wrapped(note)]
    return "\n".join([*lines, "", *_STATUSES])


def _row(left: str, right: str, width: int) -> list[str]:
    """Return the lines of two columns."""
    return textwrap.wrap(
        right,
        _WIDTH,
        initial_indent=f"  {left:{width}} ",
        subsequent_indent=" " * (width + 3),
        break_on_hyphens=False,
    )


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_on_hyphens=False)
