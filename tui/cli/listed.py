"""Operands and patterns that stand in files, or come by standard input."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from tui import format
from tui.model.error import UsageError

if TYPE_CHECKING:
    from tui.cli.arguments import Parsed

SOURCES_FROM = "--sources-from"
MOST_BYTES = 256 << 20
"""What holds more is no list: a disk, say, or /dev/zero."""


def listed(option: str, file: str) -> list[str]:
    """Return the words in a file, without empty ones: its lines, or what stands between its NUL bytes if it has any.

    Args:
        option: For messages.
        file: "-": standard input.
    Raises:
        UsageError: It cannot be read, or there is no end to it.
    """
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else open(file, "rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{option}: cannot read {file}: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"{option}: {file} holds more than {format.size(MOST_BYTES)}: that is no list")
    words = data.split(b"\0" if b"\0" in data else b"\n")
    return [os.fsdecode(word) for word in words if word]


def add_listed(parsed: Parsed) -> None:
    """Put the operands that stand in files before those that were typed.

    Raises:
        UsageError: A file cannot be read; there is nothing in any of them; standard input is to be two of them.
    """
    files = [(option, value) for option, value in parsed.repeated if option.endswith("-from")]
    if sum(value == "-" for _, value in files) > 1:
        raise UsageError("standard input can be read once only", "Write one of the lists into a file.")
    words = [word for option, file in files if option == SOURCES_FROM for word in listed(option, file)]
    if parsed.has(SOURCES_FROM) and not words:
        raise UsageError(f"{SOURCES_FROM}: nothing is listed in {parsed.get(SOURCES_FROM)}")
    parsed.operands[:0] = words
