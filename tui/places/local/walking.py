"""The folders below one, the nearest first, in steps that hold a thread only for a moment."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from tui.model.entry import Below
from tui.model.error import PlaceError
from tui.places.local.listing import Names

if TYPE_CHECKING:
    from tui.model.location import Location

STEP_S = 0.03
"""A hop to a thread costs more than reading a small folder: many are read in one."""


class Walk:
    """Reads folder by folder; links are not followed.

    Args:
        hidden: Tell of entries, and go into folders, whose names begin with a dot.
    """

    def __init__(self, top: Location, *, hidden: bool) -> None:
        self._waiting = deque([top])
        self._hidden = hidden

    def step(self) -> list[Below] | None:
        """Return what some more folders hold; None at the end."""
        if not self._waiting:
            return None
        told: list[Below] = []
        ends_s = time.monotonic() + STEP_S
        while self._waiting and (not told or time.monotonic() < ends_s):
            below = self._read(self._waiting.popleft())
            self._waiting += below.folders()
            told.append(below)
        return told

    def _read(self, folder: Location) -> Below:
        below = Below(folder)
        names = Names(folder)
        try:
            while (page := names.read()) is not None:
                below.add(page, hidden=self._hidden)
        except PlaceError as error:
            below.failure = error
        finally:
            names.close()
        return below
