"""What a command of a test came to, and texts agreed once and for all."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "cli"


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


Run = Callable[..., Result]


def golden(name: str, text: str) -> None:
    """Compare with a file of tests/data/cli; FERRY_GOLDEN=write makes it so."""
    file = DATA / name
    if os.environ.get("FERRY_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()
