"""The transfer rate of the last minute as a line of bars."""

from __future__ import annotations

from collections import deque

SECONDS = 60
_BARS = " ▁▂▃▄▅▆▇█"


class RateGraph:
    """One sample a second, drawn over any width that divides the minute well.

    Several seconds share a bar where the graph is narrower than a minute. Such groups are fixed in time, so a bar
    once drawn keeps its height as it moves on, and the graph moves only when a group is over.
    """

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=SECONDS)
        self._taken = 0

    @property
    def is_flat(self) -> bool:
        """Whether nothing was moved in the whole minute."""
        return not any(self._samples)

    def add(self, rate_bytes_s: float) -> None:
        """Take the sample of one second."""
        self._samples.append(max(0.0, rate_bytes_s))
        self._taken += 1

    def draw(self, width: int) -> str:
        """Return `width` cells, the present at the right."""
        if width <= 0:
            return ""
        groups = self._groups(max(1, -(-SECONDS // width)))[-width:]
        top = max(groups, default=0.0)
        if top <= 0:
            return " " * width
        bars = (_BARS[max(1, round(value / top * 8)) if value > 0 else 0] for value in groups)
        return "".join(bars).rjust(width)

    def _groups(self, seconds: int) -> list[float]:
        """Return the mean of each group of seconds, oldest first."""
        first = self._taken - len(self._samples)
        sums: dict[int, list[float]] = {}
        for number, sample in enumerate(self._samples, first):
            sums.setdefault(number // seconds, []).append(sample)
        return [sum(values) / len(values) for values in sums.values()]
