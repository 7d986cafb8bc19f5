"""A comparison as a client takes it: part by part, at its own pace."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from tui.engine.far.comparing import PART_ENTRIES
from tui.model.comparison import Compared, Differences
from tui.model.error import PlaceError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

PARTS_AHEAD = 32


class Telling:
    """A comparison under way for a client. What is not asked for is not looked for: but for a few parts ahead."""

    def __init__(self, parts: AsyncGenerator[Compared, None]) -> None:
        self._parts = parts
        self._found: asyncio.Queue[Compared | PlaceError | None] = asyncio.Queue(PARTS_AHEAD)
        self._end: PlaceError | None = None
        self._pump = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Look no further."""
        self._pump.cancel()
        await asyncio.gather(self._pump, return_exceptions=True)

    async def next(self) -> Differences:
        """Return what was found since the last call, at least one part of it.

        Raises:
            PlaceError: The folders cannot be compared (any further).
        """
        if self._end is not None:
            raise self._end
        part, more = Compared(), await self._found.get()
        while isinstance(more, Compared):
            part.add(more)
            if self._found.empty() or len(part.differences) >= PART_ENTRIES:
                return Differences.of(part, last=False)
            more = self._found.get_nowait()
        if more is None:
            return Differences.of(part, last=True)
        if not part.differences and not part.failures and not part.files_same:
            raise more
        self._end = more
        return Differences.of(part, last=False)

    async def _look(self) -> None:
        end: PlaceError | None = None
        try:
            async with aclosing(self._parts) as parts:
                async for part in parts:
                    await self._found.put(part)
        except PlaceError as error:
            end = error
        await self._found.put(end)
