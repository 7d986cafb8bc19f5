"""Threads that may hang on a dead mount without keeping anybody else, or the end of the process, waiting."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Executor, Future
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_IDLE_S = 5.0
_MOST = 64
"""More threads than this are not started; by then dozens hang, and more would hang too."""

_Call = tuple["Future[Any]", "Callable[[], Any]"]


class DaemonThreads(Executor):
    """Runs calls in daemon threads, started when none is free and ended when idle.

    asyncio's own executor, and ThreadPoolExecutor, wait at exit for every thread; one stuck in the kernel would keep
    the program from ending.
    """

    def __init__(self, name: str, most: int = _MOST) -> None:
        self._name, self._most = name, most
        self._calls: deque[_Call] = deque()
        self._turn = threading.Condition()
        self._threads = self._waiting = 0
        self._closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call `fn` in a thread, at once where fewer than `most` are busy."""
        future: Future[Any] = Future()
        with self._turn:
            if self._closed:
                raise RuntimeError("the threads have been closed")
            self._calls.append((future, partial(fn, *args, **kwargs)))
            if self._waiting >= len(self._calls):
                self._turn.notify()
            elif self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let threads end: idle ones at once, busy ones after what they were given. Nobody waits for them."""
        with self._turn:
            self._closed = True
            if cancel_futures:
                while self._calls:
                    self._calls.pop()[0].cancel()
            self._turn.notify_all()

    def _work(self) -> None:
        while (call := self._next()) is not None:
            future, do = call
            if future.set_running_or_notify_cancel():
                try:
                    result = do()
                except BaseException as error:
                    future.set_exception(error)
                else:
                    future.set_result(result)
                    del result
            # Nothing of a call may live on in an idle thread.
            del call, future, do

    def _next(self) -> _Call | None:
        with self._turn:
            if not self._calls and not self._closed:
                self._waiting += 1
                self._turn.wait_for(lambda: self._calls or self._closed, _IDLE_S)
                self._waiting -= 1
            if self._calls:
                return self._calls.popleft()
            self._threads -= 1
            return None
