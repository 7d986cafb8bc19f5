"""Small things done in threads, several in one hop: for most of them the hop costs more than the thing itself."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import aiofiles.os

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

T = TypeVar("T")

FEW, MANY = 16, 64
"""So many are done in one hop where each takes its time, and where they are over at once; more go to further threads.

Of short ones a few more in a hop cost less than more threads, which take the interpreter from each other. What waits
for a slow disk is done side by side.
"""
SHORT_S = 0.001
"""What takes no longer is over at once: ten times what a small file takes in memory, as threads wait for each other."""


class Together:
    """Does what is asked for in one turn of the event loop in as few hops as can be."""

    def __init__(
        self, threads: Callable[[], Executor | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take what tells the threads to be used now (None: asyncio's own), and a clock in seconds."""
        self._threads, self._clock = threads, clock
        self._most = FEW
        self._waiting: list[tuple[asyncio.Future[Any], Callable[[], Any]]] = []

    async def do(self, work: Callable[[], T]) -> T:
        """Do something in a thread, and return what it returns. What is cancelled before its turn is not begun."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((future, work))
        if len(self._waiting) == 1:
            loop.call_soon(self._hop)
        return await future

    def _hop(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), self._most):
            some = waiting[start : start + self._most]
            hop = asyncio.ensure_future(aiofiles.os.wrap(self._timed)(some, executor=self._threads()))
            hop.add_done_callback(partial(_settle, some=some))

    def _timed(
        self, some: list[tuple[asyncio.Future[Any], Callable[[], Any]]]
    ) -> list[tuple[Any, Exception | None]]:
        """Do some things as `_each`, and learn from it how many are to be done in one hop."""
        began = self._clock()
        outcomes = _each(some)
        self._most = MANY if self._clock() - began <= SHORT_S * len(some) else FEW
        return outcomes


def _each(some: list[tuple[asyncio.Future[Any], Callable[[], Any]]]) -> list[tuple[Any, Exception | None]]:
    """Do one after the other; return what became of each."""
    outcomes: list[tuple[Any, Exception | None]] = []
    for future, work in some:
        if future.cancelled():
            outcomes.append((None, None))
            continue
        try:
            outcomes.append((work(), None))
        except Exception as error:
            outcomes.append((None, error))
    return outcomes


def _settle(hop: asyncio.Future[Any], some: list[tuple[asyncio.Future[Any], Any]]) -> None:
    """Hand out what became of each. Where the hop itself went wrong, all of them did."""
    if hop.cancelled():
        for future, _ in some:
            future.cancel()
        return
    failed = hop.exception()
    outcomes = [(None, failed)] * len(some) if failed is not None else hop.result()
    for (future, _), (result, error) in zip(some, outcomes, strict=True):
        if future.done():
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
