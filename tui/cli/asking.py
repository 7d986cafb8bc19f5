"""Asking yes or no, before anything has begun."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.cli.diagnostics import Diagnostics


def yes(messages: Diagnostics, question: str) -> bool:
    """Put a question and return whether the line typed says yes."""
    messages.ask(question)
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    except UnicodeDecodeError:
        return False
