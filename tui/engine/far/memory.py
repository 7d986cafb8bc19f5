"""Memory that the small files of a job have between them while they are under way."""

from __future__ import annotations

import asyncio
from collections import deque

MOST_BYTES = 32 << 20

SMALL_BYTES = 1_000_000
"""Files up to this go whole, in as few round trips as can be, and many at once.

In pieces each takes three times as many, which over a long way is longer than its bytes take. Cut off, they begin anew.
"""


class Memory:
    """Bytes held, given out in the order they are asked for. One who wants more than there is waits to be alone."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self.used_bytes = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size_bytes: int) -> None:
        """Wait for room, and hold it until `give_back`."""
        if not self._waiting and self._has(size_bytes):
            self.used_bytes += size_bytes
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((size_bytes, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was given out at that very moment
                self.give_back(size_bytes)
            raise

    def give_back(self, size_bytes: int) -> None:
        self.used_bytes -= size_bytes
        while self._waiting and (self._waiting[0][1].done() or self._has(self._waiting[0][0])):
            size, turn = self._waiting.popleft()
            if not turn.done():  # whoever waited may have been cancelled
                self.used_bytes += size
                turn.set_result(None)

    def _has(self, size_bytes: int) -> bool:
        return not self.used_bytes or self.used_bytes + size_bytes <= self._most_bytes
