"""One line of what `ferry doctor` reports."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Struct, frozen=True):
    """One line of the report."""

    level: Level
    topic: str
    text: str
    remedy: str = ""
