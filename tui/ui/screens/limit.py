"""Prompts for the queue's numbers: rate limits, and how many files are copied at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.config import parse_rate, rate_text
from tui.model.error import UsageError
from tui.ui.screens.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

MOST_SLOTS = 32


def limit_prompt(title: str, now_bytes_s: int | None) -> Prompt:
    """Return a prompt whose result `parse_rate` understands."""
    explanation = "A rate such as 20MB/s or 512KiB/s; off for no limit. It holds at once, for what runs too."
    return Prompt(title, rate_text(now_bytes_s), explanation=explanation, check=parse_rate)


def slots_prompt(now: int) -> Prompt:
    """Return a prompt whose result `parse_slots` understands."""
    explanation = (
        f"1 to {MOST_SLOTS}. More help small files on fast disks and a long way; fewer spare a slow disk."
    )
    return Prompt("Files copied at once", str(now), explanation=explanation, check=parse_slots)


def parse_slots(text: str) -> int:
    """Return the number of slots that was typed.

    Raises:
        UsageError: It is none, or out of range.
    """
    cleaned = text.strip()
    if not (cleaned.isascii() and cleaned.isdecimal()) or not 1 <= int(cleaned) <= MOST_SLOTS:
        raise UsageError(f"{text!r} is not a number from 1 to {MOST_SLOTS}")
    return int(cleaned)


def ask_limit(
    app: App[object], title: str, now_bytes_s: int | None, then: Callable[[int | None], None]
) -> None:
    """Ask for a rate limit, and call `then` with it where one was given."""

    def typed(text: str | None) -> None:
        if text is not None:
            then(parse_rate(text))

    app.push_screen(limit_prompt(title, now_bytes_s), typed)


def ask_slots(app: App[object], now: int, then: Callable[[int], None]) -> None:
    """Ask how many files are copied at once, and call `then` with it where it was given."""

    def typed(text: str | None) -> None:
        if text is not None:
            then(parse_slots(text))

    app.push_screen(slots_prompt(now), typed)
