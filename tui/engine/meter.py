"""How fast it goes, smoothed, and how long it will take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.engine.clock import Clock

SMOOTHING_S = 5.0
"""Time constant: what happened this long ago counts 1/e of what happens now."""

SHORTEST_S = 0.05
"""Amounts that arrive closer together are taken as one, so that one quick slice does not look like a gale."""


class Meter:
    """Estimates a rate from amounts as they arrive: an exponential average, unbiased from the start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next amounts start a new estimate."""
        self._at = self._clock.monotonic()
        self._rate = 0.0
        self._weight = 0.0
        self._pending = 0.0

    def add(self, amount: float) -> None:
        self._pending += amount
        if self._clock.monotonic() - self._at >= SHORTEST_S:
            self._fold()

    @property
    def rate(self) -> float:
        """Amount a second, 0.0 before anything was measured."""
        if self._clock.monotonic() - self._at >= SHORTEST_S:
            self._fold()
        return self._rate / self._weight if self._weight > 1e-6 else 0.0

    def _fold(self) -> None:
        """Take what arrived since the last time as one interval of even flow."""
        now = self._clock.monotonic()
        passed = now - self._at
        keep = math.exp(-passed / SMOOTHING_S)
        self._rate = self._rate * keep + self._pending / passed * (1 - keep)
        self._weight = self._weight * keep + (1 - keep)
        self._pending, self._at = 0.0, now


def time_left(left: float, rate: float) -> float | None:
    """Return the seconds `left` takes at `rate`; None where nothing can be said."""
    if left <= 0:
        return 0.0
    return left / rate if rate > 1.0 else None
