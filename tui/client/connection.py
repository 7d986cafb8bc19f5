"""One connection to the engine: calls by number, answers in any order, notifications in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from typing import TYPE_CHECKING, Any

import msgspec

from tui import __version__
from tui.client.runtime import CannotHost, address, holder, peer_uid
from tui.model.error import EngineUnreachable
from tui.wire import lines
from tui.wire.faults import CallError, error_of
from tui.wire.protocol import (
    BULKY_BYTES,
    LINE_LIMIT_BYTES,
    METHODS,
    NOTIFICATIONS,
    PROTOCOL,
    Goodbye,
    Greeting,
    Method,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tui.model.job import Update
    from tui.paths import Paths

logger = logging.getLogger(__name__)

TAKEN_IN_S = 10.0
"""How long a connection may take that others wait for, too."""


class Lost(Exception):
    """The connection ended. `stopped`: the engine was asked to stop, and should not be started again unasked."""

    def __init__(self, reason: str, *, stopped: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.stopped = reason, stopped


class NotRunning(Lost):
    """Nobody listens."""


class Connection:
    """A line to the engine. Made by `open`; to be closed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._writing = asyncio.Lock()
        self._waiting: dict[int, tuple[Method, asyncio.Future[Any]]] = {}
        self._last_id = 0
        self._lost: Lost | None = None
        self._stopping: Lost | None = None
        # One place: where nobody takes updates, the engine is not read from, and it merges what is to come.
        self._updates: asyncio.Queue[Update | None] = asyncio.Queue(1)
        self._listener = asyncio.create_task(self._listen(), name="engine connection")
        self.greeting: Greeting

    @classmethod
    async def open(cls, paths: Paths, timeout_s: float) -> Connection:
        """Connect and shake hands.

        Raises:
            NotRunning: Nobody listens.
            Lost: The engine went away meanwhile.
            EngineUnreachable: It does not answer, or it is not ours to talk to.
            ProtocolMismatch: It speaks another version.
        """
        connection = await cls.connect(paths)
        try:
            async with asyncio.timeout(timeout_s):
                arguments = {"protocol": PROTOCOL, "version": __version__}
                connection.greeting = await connection.call(METHODS["hello"], arguments)
        except TimeoutError as error:
            await connection.close()
            raise EngineUnreachable(f"the engine did not answer within {timeout_s:.0f} seconds") from error
        except BaseException:
            await connection.close()
            raise
        return connection

    @classmethod
    async def connect(cls, paths: Paths) -> Connection:
        """Connect without shaking hands: then all that may be asked is to shut down.

        Raises:
            NotRunning: Nobody listens.
            EngineUnreachable: It is not ours to talk to.
        """
        return cls(*await _connect(paths))

    async def shut_engine_down(self) -> None:
        """Ask the engine to stop."""
        await self.call(METHODS["shutdown"], {})

    @property
    def alive(self) -> bool:
        return self._lost is None and self._stopping is None

    async def call(self, method: Method, arguments: dict[str, Any]) -> Any:
        """Ask and wait for the answer.

        Raises:
            Lost: The connection ended before it came.
            FerryError: What the engine answers.
        """
        self._last_id = id = self._last_id + 1
        line = lines.call(method, id, arguments)
        if self._lost:
            raise self._lost
        future = asyncio.get_running_loop().create_future()
        self._waiting[id] = method, future
        try:
            async with self._writing:
                self._writer.write(line)
                with contextlib.suppress(ConnectionError):  # told by the listener, with its reason
                    await self._writer.drain()
            return await future
        finally:
            self._waiting.pop(id, None)
            future.cancel()  # whoever gave up while it was still being written asks for no answer, nor for an error

    async def next_update(self) -> Update:
        """Return the next update after a `subscribe`.

        Raises:
            Lost: The connection ended.
        """
        update = await self._updates.get()
        if update is None:
            assert self._lost is not None
            raise self._lost
        return update

    async def close(self) -> None:
        """End the connection. What is still asked gets Lost."""
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
        self._lose(Lost("the connection was closed"))
        while not self._updates.empty():
            self._updates.get_nowait()
        self._updates.put_nowait(None)
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _listen(self) -> None:
        reason = "the engine closed the connection"
        try:
            while line := await self._reader.readuntil(b"\n"):
                await self._take(line)
        except (asyncio.IncompleteReadError, OSError):
            pass  # it has gone, which is what `reason` says
        except (asyncio.LimitOverrunError, CallError, msgspec.DecodeError) as error:
            logger.error("unintelligible engine: %s", error)
            reason = "the engine cannot be understood"
        self._lose(self._stopping or Lost(reason))
        self._writer.close()
        await self._updates.put(None)

    def _lose(self, lost: Lost) -> None:
        self._lost = self._lost or lost
        for _, future in self._waiting.values():
            if not future.done():
                future.set_exception(self._lost)

    async def _take(self, line: bytes) -> None:
        envelope = lines.read(line)
        if envelope.method is not None:
            await self._take_notification(envelope)
        elif isinstance(envelope.id, int) and envelope.id in self._waiting:
            method, future = self._waiting[envelope.id]
            if envelope.error is not None:
                _settle(future, error_of(envelope.error))
            else:
                bulky = len(line) > BULKY_BYTES
                _settle(future, await _off_loop(method.result.decode, envelope.result, bulky=bulky))
        elif envelope.error is not None and envelope.id is None:
            logger.error("the engine complains: %s", envelope.error.message)

    async def _take_notification(self, envelope: lines.Envelope) -> None:
        method = lines.method_of(envelope, NOTIFICATIONS)
        bulky = len(bytes(envelope.params)) > BULKY_BYTES
        (value,) = (await _off_loop(method.decode, envelope.params, bulky=bulky)).values()
        if isinstance(value, Goodbye):
            self._stopping = Lost(value.reason, stopped=True)
        else:
            await self._updates.put(value)


def _settle(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


async def _off_loop(work: Any, *arguments: Any, bulky: bool) -> Any:
    return await asyncio.to_thread(work, *arguments) if bulky else work(*arguments)


async def _connect(paths: Paths) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the socket, or to the one the lock's holder wrote down (its runtime folder may be another)."""
    try:
        return await _connect_to(paths.socket)
    except NotRunning:
        held = holder(paths.lock)
        if held is None or held.socket in ("", str(paths.socket)):
            raise
        return await _connect_to(held.socket)


async def _be_taken_in(sock: socket.socket, path: str) -> None:
    """Connect, as soon as there is room among those that wait to be taken in.

    (The event loop would take a socket for connected that was turned away for now.)
    """
    deadline = time.monotonic() + TAKEN_IN_S
    while True:
        try:
            sock.connect(path)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise EngineUnreachable("the engine takes nobody in: too many wait already") from error
        await asyncio.sleep(0.02)


async def _connect_to(path: str | Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        with address(path) as short:
            await _be_taken_in(sock, short)
        if peer_uid(sock) != os.geteuid():
            remedy = "Set HOME to your own home folder, or FERRY_HOME to a folder of yours."
            raise EngineUnreachable(f"the engine at {path} belongs to another user", remedy)
        return await asyncio.open_unix_connection(sock=sock, limit=LINE_LIMIT_BYTES)
    except CannotHost:
        sock.close()
        raise
    except OSError as error:
        sock.close()
        if isinstance(error, PermissionError):
            raise CannotHost(f"the socket {path} cannot be reached: {error.strerror}") from error
        raise NotRunning("the engine is not running") from error
    except BaseException:
        sock.close()
        raise
