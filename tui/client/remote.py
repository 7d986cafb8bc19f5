"""A client of the background engine, over its socket. It connects, starts and reconnects by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tui.client.calls import Calls, closed
from tui.client.connection import Connection, Lost, NotRunning
from tui.client.launch import launch
from tui.client.runtime import holder
from tui.model.error import EngineError, EngineUnreachable, NoSuchJob
from tui.model.job import Disconnected
from tui.model.parts import first_part, further_parts, is_long
from tui.wire.protocol import METHODS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from tui.model.job import Request, Update
    from tui.paths import Paths

logger = logging.getLogger(__name__)

WAIT_S = 10.0
"""How long a call waits for the engine to be there, and then for its answer."""
LONG_WAIT_S = 120.0
"""How long a call waits for its answer that waits for the disk, which jobs keep busy, or looks at all a job did."""
LONG = ("submit", "draft.begin", "draft.add", "draft.submit", "undo", "verify")
RETRY_S = 1.0
"""Pause before the second attempt to reach an engine again; the first is made at once, later ones come slower."""
LONGEST_RETRY_S = 5.0


class RemoteClient(Calls):
    """The queue of the background engine; local places are read in this process.

    Args:
        start: Starts an engine and returns when it answers; None: never start one.
    """

    def __init__(
        self, paths: Paths, start: Callable[[Paths], None] | None = launch, wait_s: float = WAIT_S
    ) -> None:
        self._paths, self._start, self._wait_s = paths, start, wait_s
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()
        self._followers: set[Connection] = set()
        self._closed = False

    async def connect(self) -> None:
        """Connect now, not at the first call.

        Raises:
            CannotHost: No engine can run in the background here.
            EngineUnreachable, ProtocolMismatch: As of every call.
        """
        await self._connected()

    async def connect_if_running(self) -> bool:
        """Connect if there is an engine; say whether there is. None is started."""
        async with self._connecting:
            if self._connection is None:
                try:
                    self._connection = await Connection.open(self._paths, self._wait_s)
                except Lost:
                    return False
            return True

    async def ask(self, method: str, **arguments: Any) -> Any:
        """Ask the engine; what may be repeated is repeated once where the engine goes away before its answer.

        Raises:
            EngineUnreachable: There is none, or it went away or does not answer.
            ProtocolMismatch: It speaks another version.
            FerryError: What the engine answers.
        """
        if method == "submit":
            return await self._submit(arguments["request"])
        connection = await self._connected()
        try:
            return await self._call(connection, method, arguments)
        except Lost as lost:
            if not METHODS[method].repeatable:
                raise EngineUnreachable(
                    f"{lost.reason} before it answered", "Look at the queue before you ask again."
                ) from lost
        connection = await self._connected()
        try:
            return await self._call(connection, method, arguments)
        except Lost as lost:
            raise EngineUnreachable(f"{lost.reason} before it answered") from lost

    async def _submit(self, request: Request) -> int:
        """Submit once, whatever happens: a token tells the same engine, the queue itself tells the next one."""
        token, asked_at = os.urandom(16).hex(), time.time()
        send = self._send_parts if is_long(request) else self._send
        connection = await self._connected()
        try:
            return await send(connection, request, token)
        except Lost:
            first = connection.greeting.pid
        connection = await self._connected()
        try:
            if connection.greeting.pid != first and (id := await self._find(connection, request, asked_at)):
                return id
            return await send(connection, request, token)
        except Lost as lost:
            raise EngineUnreachable(
                f"{lost.reason} before it answered", "Look at the queue before you ask again."
            ) from lost

    async def _send(self, connection: Connection, request: Request, token: str) -> int:
        whole = replace(request, sources=tuple(request.sources))
        return int(await self._call(connection, "submit", {"request": whole, "token": token}))

    async def _send_parts(self, _: Connection, request: Request, token: str) -> int:
        """Submit on a connection of its own: when that ends before its time, the engine forgets what it was sent."""
        connection = await self._open(self._start)
        try:
            begun = {"request": first_part(request)}
            number = await self._call(connection, "draft.begin", begun)
            for sources, targets in further_parts(request):
                part = {"number": number, "sources": sources, "targets": targets}
                await self._call(connection, "draft.add", part)
            return int(await self._call(connection, "draft.submit", {"number": number, "token": token}))
        finally:
            await connection.close()

    async def _find(self, connection: Connection, request: Request, asked_at: float) -> int | None:
        """Return the job an engine that died made of this request, if it came so far."""
        wanted = replace(first_part(request), paused=False)  # which is a state of the job
        for job in await self._call(connection, "jobs", {}):
            if job.created_at >= asked_at and job.source_count == len(request.sources):
                with contextlib.suppress(NoSuchJob):
                    if await self._call(connection, "request", {"id": job.id}) == wanted:
                        return int(job.id)
        return None

    async def _call(self, connection: Connection, method: str, arguments: dict[str, Any]) -> Any:
        wait_s: float | None = max(self._wait_s, LONG_WAIT_S) if method in LONG else self._wait_s
        if METHODS[method].patient:
            wait_s = None
        try:
            async with asyncio.timeout(wait_s):
                return await connection.call(METHODS[method], arguments)
        except TimeoutError as error:
            raise EngineUnreachable(
                f"the engine (process {connection.greeting.pid}) did not answer within {wait_s:.0f} seconds"
            ) from error

    async def _connected(self) -> Connection:
        async with self._connecting:
            if self._closed:
                raise closed()
            if self._connection is None or not self._connection.alive:
                await self._drop()
                self._connection = await self._open(self._start)
            return self._connection

    async def _open(self, start: Callable[[Paths], None] | None) -> Connection:
        """Connect; where nobody listens start an engine, as often as one ends under our hands, while the time lasts."""
        deadline = time.monotonic() + self._wait_s
        while True:
            try:
                return await Connection.open(self._paths, self._wait_s)
            except Lost as lost:
                if time.monotonic() >= deadline:
                    raise EngineUnreachable(f"the engine cannot be reached: {lost.reason}") from lost
                if start is None and isinstance(lost, NotRunning):
                    raise EngineUnreachable(_why_nobody(self._paths)) from lost
            if start is None:
                await asyncio.sleep(0.02)
            else:
                await asyncio.to_thread(start, self._paths)

    async def updates(self) -> AsyncGenerator[Update | Disconnected]:
        """Yield a full update at once, then what changes; after a break Disconnected, then a full update again.

        An engine that died is started again; one that was stopped on request is only waited for.
        """
        start, told, failures = self._start, False, 0
        while not self._closed:
            try:
                async with self._follow(start) as connection:
                    while True:
                        update = await connection.next_update()
                        start, told, failures = self._start, False, 0
                        yield update
            except Lost as lost:
                reason, start = lost.reason, None if lost.stopped else start
            except EngineError as error:
                reason = error.message
            if not told and not self._closed:
                told = True
                yield Disconnected(reason)
            await asyncio.sleep(min(RETRY_S * failures, LONGEST_RETRY_S))
            failures += 1

    @contextlib.asynccontextmanager
    async def _follow(self, start: Callable[[Paths], None] | None) -> AsyncIterator[Connection]:
        """Subscribe on a connection of its own, so that a slow reader of updates holds up no call."""
        connection = await self._open(start)
        self._followers.add(connection)
        try:
            await self._call(connection, "subscribe", {"after": None})
            yield connection
        finally:
            self._followers.discard(connection)
            await connection.close()

    async def stop_engine(self) -> None:
        """Stop the engine; return when its process has gone."""
        from tui.client.stop import stop_engine

        await stop_engine(self._paths)

    async def close(self) -> None:
        """Let go of the engine, which goes on. Iterators of updates end."""
        self._closed = True
        self.close_places()
        async with self._connecting:
            await self._drop()
        for follower in tuple(self._followers):
            await follower.close()

    async def _drop(self) -> None:
        if self._connection:
            await self._connection.close()
        self._connection = None


def _why_nobody(paths: Paths) -> str:
    held = holder(paths.lock)
    if held is None:
        return "the engine is not running"
    return f"process {held.pid} works on the queue, and takes no calls from others"
