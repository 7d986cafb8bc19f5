"""Time as the engine sees it, so that tests can hand it a time of their own."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where the engine takes time from."""

    def now(self) -> float:
        """Return seconds since 1970, UTC: for people and the journal."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back: for durations."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
