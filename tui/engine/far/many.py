"""Many things under way at once, and what is not waited for to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from itertools import islice
from operator import length_hint
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S = 0.05
"""So often it is looked whether what they belong to is over."""


HIRED_AT_ONCE = 32
"""So many tasks begin in one turn of the loop: what the first of them have asked for is to go out before all have."""


class Crew(Generic[T]):
    """Does something with what comes into a queue, with so much of it at once; nobody is there for what does not come.

    Args:
        told: Called when one of the tasks has ended: something went wrong.
    """

    def __init__(
        self,
        queue: asyncio.Queue[T],
        work: Callable[[T], Awaitable[None]],
        at_once: int,
        told: Callable[[], object],
    ) -> None:
        self._queue, self._work, self._at_once, self._told = queue, work, at_once, told
        self.tasks: list[asyncio.Future[None]] = []
        self._idle = 0
        self._hiring: asyncio.Handle | None = None
        self.came()

    def came(self) -> None:
        """Say that something came into the queue."""
        if self._hiring is None and self._is_short():
            self._hiring = asyncio.get_running_loop().call_soon(self._hire)

    def dismiss(self) -> list[asyncio.Future[None]]:
        """Cancel all; return who is to be waited for."""
        if self._hiring is not None:
            self._hiring.cancel()
        for task in self.tasks:
            task.cancel()
        return self.tasks

    def _is_short(self) -> bool:
        return self._queue.qsize() > self._idle and len(self.tasks) < self._at_once

    def _hire(self) -> None:
        self._hiring = None
        for _ in range(HIRED_AT_ONCE):
            if not self._is_short():
                return
            self._idle += 1
            task = asyncio.ensure_future(self._take())
            task.add_done_callback(lambda _: self._told())
            self.tasks.append(task)
        self.came()

    async def _take(self) -> None:
        while True:
            thing = await self._queue.get()
            self._idle -= 1
            await self._work(thing)
            self._idle += 1


async def each(items: Iterable[T], work: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Do something with each of some things, all there by now, so many at once. What goes wrong with one ends all."""
    waiting, wanted = iter(items), length_hint(items, at_once)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    tasks = [asyncio.ensure_future(worker()) for _ in range(min(at_once, wanted))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Pile(Iterator[T]):
    """Things that wait for their turn: the lot that came last comes first, what is in it in order.

    Nothing is taken out of a lot before its turn, so that one of a million need not be all there.
    """

    def __init__(self, lot: Iterable[T] = ()) -> None:
        self._lots = [iter(lot)]

    def add(self, lot: Iterable[T]) -> None:
        """Put some more on top."""
        self._lots.append(iter(lot))

    def __next__(self) -> T:
        while self._lots:
            for thing in self._lots[-1]:
                return thing
            self._lots.pop()
        raise StopIteration


async def spread(
    top: T, work: Callable[[T], Awaitable[Iterable[T]]], at_once: int, is_over: Callable[[], bool]
) -> None:
    """Do something with a folder, with those `work` finds in it, and so on, so many at once; until it is over."""
    waiting, going = Pile((top,)), set[asyncio.Future["Iterable[T]"]]()
    try:
        while not is_over():
            for thing in islice(waiting, at_once - len(going)):
                going.add(asyncio.ensure_future(work(thing)))
            if not going:
                return
            done, going = await asyncio.wait(going, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                waiting.add(task.result())
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
