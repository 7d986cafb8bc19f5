"""Requests on their way into the queue."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

from tui.format import entries

if TYPE_CHECKING:
    from tui.client.base import Client
    from tui.model.job import Request


class Submits:
    """Submits requests. One that was begun comes to its end, also where the screen is left meanwhile."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._under_way: dict[asyncio.Task[int], int] = {}

    @property
    def entries(self) -> int:
        """How many sources are on their way."""
        return sum(self._under_way.values())

    async def submit(self, request: Request) -> int:
        """Put a request into the queue and return its job's id; whoever stops waiting for that does not stop it."""
        task = asyncio.create_task(self._client.submit(request))
        self._under_way[task] = len(request.sources)
        task.add_done_callback(self._under_way.pop)
        return await asyncio.shield(task)

    async def end(self) -> list[Exception]:
        """Wait until nothing is on its way any more; return what kept some of it out of the queue."""
        outcomes = await asyncio.gather(*self._under_way, return_exceptions=True)
        return [outcome for outcome in outcomes if isinstance(outcome, Exception)]

    async def settle(self) -> list[Exception]:
        """Do so when the screen has gone.

        It takes seconds where a million entries were marked, and the terminal may go meanwhile.
        """
        if not self._under_way:
            return []
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with contextlib.suppress(OSError):  # nobody looks any more
            sys.stdout.write(f"Putting {entries(self.entries, 'entry', 'entries')} into the queue …\n")
            sys.stdout.flush()
        return await self.end()
