"""Rows of a few texts each, of which there may be a million."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui.places.local.gathered import Gathered

if TYPE_CHECKING:
    from collections.abc import Iterator


class Packed:
    """Rows in the order they came, packed where they are many. (No text holds a slash.)"""

    def __init__(self) -> None:
        self._rows = Gathered()

    def append(self, *texts: str) -> None:
        self._rows.append(os.fsencode("/".join(texts)))

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[list[str]]:
        return (os.fsdecode(row).split("/") for row in self._rows)
