"""Many things under way at once, and what is not waited for to its end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S = 0.05
"""So often it is looked whether what they belong to is over."""


async def each(items: Iterable[T], work: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Do something with each of some things, so many at once. What goes wrong with one of them ends all."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    tasks = [asyncio.ensure_future(worker()) for _ in range(at_once)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def spread(
    top: T, work: Callable[[T], Awaitable[Sequence[T]]], at_once: int, is_over: Callable[[], bool]
) -> None:
    """Do something with a folder, with those `work` finds in it, and so on, so many at once; until it is over."""
    waiting, going = [top], set[asyncio.Future["Sequence[T]"]]()
    try:
        while (waiting or going) and not is_over():
            while waiting and len(going) < at_once:
                going.add(asyncio.ensure_future(work(waiting.pop())))
            done, going = await asyncio.wait(going, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                waiting += task.result()
    finally:
        for left in going:
            left.cancel()
        await asyncio.gather(*going, return_exceptions=True)


async def in_time(work: Awaitable[None], seconds: float) -> None:
    """Wait for something that tidies up, but not for long: whoever waits was told to stop."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(_seen)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()


def _seen(task: asyncio.Future[None]) -> None:
    """Look at how it ended: nobody else does, for it was only to tidy up."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.warning("while tidying up: %r", error)
