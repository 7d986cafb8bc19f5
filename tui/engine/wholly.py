"""What is done wholly or not at all, also where whoever waits for it is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


async def wholly(work: Coroutine[object, object, T]) -> T:
    """Do something short to its end; a cancel that comes meanwhile is obeyed then."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen: it is the cancel that counts
        raise
