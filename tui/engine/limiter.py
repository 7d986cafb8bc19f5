"""Rate limits: token buckets that may be turned while something waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.engine.clock import Clock

BURST_S = 0.1
"""A bucket holds what flows in this long: after a pause at most so much goes at once."""

LOOK_S = 0.05
"""A waiter looks up this often, so that a changed limit, a pause or a cancel is followed at once."""

LEAST_DEBT_S = 0.001
"""A shorter debt is not worth a sleep; it is paid with the next."""

HOPS_A_SECOND = 5
"""A limited flow is cut into about so many portions a second, to run evenly."""

SMALLEST_PORTION_BYTES = 4096


class Bucket:
    """One limit in bytes a second; None lets everything through.

    Work is debited after it was done, so the level may go below zero: then callers wait until it is paid back.
    """

    def __init__(self, clock: Clock, bytes_s: int | None = None) -> None:
        self._clock = clock
        self._bytes_s = bytes_s
        self._level = 0.0
        self._at = clock.monotonic()

    @property
    def bytes_s(self) -> int | None:
        return self._bytes_s

    @bytes_s.setter
    def bytes_s(self, bytes_s: int | None) -> None:
        """Change the limit. A debt is kept in seconds, at most one, so a slower past does not stall a faster now."""
        debt_s = self.debt_s
        self._bytes_s = bytes_s
        self._level = -min(debt_s, 1.0) * bytes_s if bytes_s else 0.0

    def debit(self, size_bytes: int) -> None:
        self._fill()
        if self._bytes_s:
            self._level -= size_bytes

    @property
    def debt_s(self) -> float:
        """Seconds until the bucket is level again; 0.0 where nothing is owed."""
        self._fill()
        return -self._level / self._bytes_s if self._bytes_s and self._level < 0 else 0.0

    def _fill(self) -> None:
        now = self._clock.monotonic()
        if self._bytes_s:
            self._level = min(self._level + (now - self._at) * self._bytes_s, self._bytes_s * BURST_S)
        self._at = now


class Limiter:
    """What one job must keep to: its own limit and the engine's."""

    def __init__(self, clock: Clock, *buckets: Bucket) -> None:
        self._clock = clock
        self._buckets = buckets

    @property
    def bytes_s(self) -> int | None:
        """The tighter of the limits."""
        return min((bucket.bytes_s for bucket in self._buckets if bucket.bytes_s), default=None)

    def portion(self, at_most: int) -> int:
        """Return how much to do before the next look at the clock: `at_most` where nothing limits."""
        limit = self.bytes_s
        if limit is None:
            return at_most
        return max(SMALLEST_PORTION_BYTES, min(at_most, limit // HOPS_A_SECOND))

    async def pay(self, size_bytes: int, stopped: Callable[[], bool]) -> None:
        """Debit work that was done and wait until it is paid for, or until `stopped` says so."""
        for bucket in self._buckets:
            bucket.debit(size_bytes)
        while not stopped():
            debt_s = max(bucket.debt_s for bucket in self._buckets)
            if debt_s < LEAST_DEBT_S:
                return
            await self._clock.sleep(min(debt_s, LOOK_S))
