"""Memory that all uploads to one endpoint have between them."""

from __future__ import annotations

import asyncio

BUDGET_BYTES = 32 << 20


class Budget:
    """Bytes held by parts that are being filled or sent.

    Whoever wants more waits, but only for parts on their way, which end by themselves: never for one that somebody is
    filling, who may in turn wait for something else. So at most there are `size_bytes`, or one part an open file.

    Attributes:
        used_bytes, most_bytes: Held now, and at most so far.
    """

    def __init__(self, size_bytes: int = BUDGET_BYTES) -> None:
        self._size_bytes = size_bytes
        self._sent_bytes = 0
        self._freed = asyncio.Event()
        self.used_bytes = self.most_bytes = 0

    async def take(self, size_bytes: int) -> None:
        """Wait for room, and hold it."""
        while self._sent_bytes and self.used_bytes + size_bytes > self._size_bytes:
            self._freed.clear()
            await self._freed.wait()
        self.used_bytes += size_bytes
        self.most_bytes = max(self.most_bytes, self.used_bytes)

    def sent(self, size_bytes: int) -> None:
        """Say that a part is full and on its way: its bytes will be given back whatever happens."""
        self._sent_bytes += size_bytes

    def give_back(self, size_bytes: int, *, sent: bool) -> None:
        self.used_bytes -= size_bytes
        if sent:
            self._sent_bytes -= size_bytes
        self._freed.set()
