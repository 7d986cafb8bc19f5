"""What a key of the configuration may hold: each kind reads a TOML value and writes it back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tui.model.error import UsageError
from tui.model.job import Conflict

if TYPE_CHECKING:
    from enum import StrEnum

MOST_BYTES_S = 1 << 63
"""The journal's numbers end there."""
_WEB_ADDRESS = r"https?://[^\s/@?#]+(?:/[^\s@?#]*)?"
_RATE = r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([kmgt]?)(i?)b?(?:/s|ps)?"


def parse_rate(text: str) -> int | None:
    """Return a rate in bytes a second, None for "off".

    "20MB/s" and "20M" are decimal, "20MiB/s" binary; a bare number means bytes.

    Raises:
        UsageError: It is not a rate, or less than one byte a second, or more than can be counted; or a small number
            without a unit, which means thousands to other programs (rsync, curl) and would stop a job here.
    """
    cleaned = text.strip()
    if cleaned.lower() in ("off", "none", "unlimited"):
        return None
    match = re.fullmatch(_RATE, cleaned, re.IGNORECASE)
    if match is None or (match[3] and not match[2]):
        raise UsageError(f"{text!r} is not a rate", 'Write it as "20MB/s", "512KiB/s" or "off".')
    power = " kmgt".index(match[2].lower() or " ")
    bytes_s = float(match[1]) * (1024 if match[3] else 1000) ** power
    if bytes_s < 1:
        raise UsageError(f"{text!r} would never move a byte", 'Write "off" for no limit, or pause the queue.')
    if bytes_s < 1000 and cleaned[-1].isdigit():
        raise UsageError(
            f"{text!r} has no unit", f'Write "{cleaned}MB/s", or "{cleaned}B/s" if single bytes are meant.'
        )
    if bytes_s >= MOST_BYTES_S:
        raise UsageError("no disk is as fast as that rate", 'Write "off" for no limit.')
    return int(bytes_s)


def rate_text(bytes_s: int | None) -> str:
    """Return what `parse_rate` reads back as the same number."""
    if bytes_s is None:
        return "off"
    for unit, factor in (
        ("GB", 10**9),
        ("GiB", 1 << 30),
        ("MB", 10**6),
        ("MiB", 1 << 20),
        ("kB", 1000),
        ("KiB", 1024),
    ):
        if bytes_s % factor == 0:
            return f"{bytes_s // factor}{unit}/s"
    return f"{bytes_s}B/s"


class Kind(Struct, frozen=True):
    """What a key may hold: `read` turns a TOML value into the setting, or raises ValueError."""

    wants: str
    read: Callable[[Any], Any]
    choices: tuple[str, ...] = ()
    show: Callable[[Any], str] = str
    """Writes the setting as TOML."""


def quoted(text: str) -> str:
    """Return a TOML basic string. Control characters and lone surrogates never stand in it raw."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escapes.get(c) or (c if c.isprintable() else f"\\u{ord(c):04X}") for c in text) + '"'


def word_list(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(map(quoted, words)) + "]"


def boolean() -> Kind:
    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError
        return value

    return Kind("true or false", read, show=lambda value: "true" if value else "false")


def text() -> Kind:
    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError
        return value

    return Kind("text in quotes", read, show=quoted)


def web_address() -> Kind:
    def read(value: object) -> str:
        if not isinstance(value, str) or (value and not re.fullmatch(_WEB_ADDRESS, value)):
            raise ValueError
        return value

    return Kind('an address such as "https://host:9000", without user and password', read, show=quoted)


def choice(*choices: str) -> Kind:
    def read(value: object) -> str:
        if value not in choices:
            raise ValueError
        return str(value)

    return Kind("one of " + ", ".join(map(quoted, choices)), read, choices, quoted)


def member(of: type[StrEnum]) -> Kind:
    plain = choice(*of)
    return Kind(plain.wants, lambda value: of(plain.read(value)), plain.choices, quoted)


def conflict() -> Kind:
    return member(Conflict)


def integer(low: int, high: int) -> Kind:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError
        return value

    return Kind(f"a whole number from {low} to {high}", read)


def seconds() -> Kind:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 31_536_000:
            raise ValueError
        return float(value)

    return Kind("a number of seconds from 0 to 31536000", read, show=lambda value: f"{value:g}")


def rate() -> Kind:
    def read(value: object) -> int | None:
        if not isinstance(value, str):
            raise ValueError
        try:
            return parse_rate(value)
        except UsageError as error:
            raise ValueError from error

    return Kind(
        'a rate such as "20MB/s" or "512KiB/s", or "off"', read, show=lambda value: quoted(rate_text(value))
    )


def words(*choices: str) -> Kind:
    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise ValueError
        if choices and not set(value) <= set(choices):
            raise ValueError
        return tuple(value)

    wants = "a list of " + (", ".join(map(quoted, choices)) if choices else "texts in quotes")
    return Kind(wants, read, choices, word_list)
