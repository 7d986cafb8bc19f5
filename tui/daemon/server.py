"""The engine's socket: reads calls, has the engine do them, writes answers. No logic of the queue is here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from tui import __version__
from tui.client.host import method_of
from tui.client.runtime import peer_uid
from tui.model.error import FerryError, NotPossible, ProtocolMismatch
from tui.wire import lines
from tui.wire.faults import NOT_A_CALL, WRONG_PARAMETERS, CallError, fault_of
from tui.wire.protocol import (
    BULKY_BYTES,
    GOODBYE,
    LINE_LIMIT_BYTES,
    METHODS,
    PROTOCOL,
    UPDATE,
    Goodbye,
    Greeting,
    Method,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

    from tui.client.host import HostedEngine

logger = logging.getLogger(__name__)

CALLS_AT_ONCE = 32
"""Of one connection; further ones are not read until one is answered."""
TOKENS = 1024
"""So many submits that made a job are remembered, to know one that comes again."""
_PARTING_S = 0.5
"""So long a client may take to read the goodbye."""


class Server:
    """Serves one engine to any number of clients of the same user.

    Args:
        stop: Called when a client asks the engine to stop.
    """

    def __init__(self, engine: HostedEngine, stop: Callable[[], None]) -> None:
        self.engine, self.stop = engine, stop
        self._connections: dict[_Connection, asyncio.Task[Any]] = {}
        self._submits: OrderedDict[str, asyncio.Task[int]] = OrderedDict()
        self._listener: asyncio.Server | None = None
        self.closing = False
        """The engine is to end with it."""

    @property
    def clients(self) -> int:
        return len(self._connections)

    async def listen(self, listener: socket.socket) -> None:
        """Take connections from now on, from this socket alone."""
        if self._listener:
            self._listener.close()
        # Not start_unix_server: from 3.13 on it removes the socket's file by itself, which is its owner's to do.
        self._listener = await asyncio.start_server(self._accept, sock=listener, limit=LINE_LIMIT_BYTES)

    def stop_listening(self) -> None:
        """Take no connection any more, those not greeted yet included: their clients look for the next engine."""
        self.closing = True
        if self._listener:
            self._listener.close()

    async def close(self, reason: str) -> None:
        """Say goodbye to all clients and close."""
        self.stop_listening()
        async with asyncio.TaskGroup() as group:
            for connection in tuple(self._connections):
                group.create_task(connection.part(reason))
        tasks = tuple(self._connections.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._submits.values(), return_exceptions=True)

    async def submit_once(self, token: str, submit: Callable[[], Coroutine[Any, Any, int]]) -> int:
        """Submit once a token, however often it is asked; it goes on where the asking client vanishes."""
        task = self._submits.get(token) if token else None
        if task is None:
            task = asyncio.create_task(submit())
            name = token or f"untold {id(task)}"
            self._submits[name] = task
            task.add_done_callback(lambda done: self._submitted(name, done, told=bool(token)))
            while len(self._submits) > TOKENS:
                self._submits.popitem(last=False)
        return await asyncio.shield(task)

    def _submitted(self, name: str, task: asyncio.Task[int], *, told: bool) -> None:
        """Forget what made no job, and with it all that its error holds; and what cannot come again."""
        if task.cancelled() or task.exception() is not None or not told:
            self._submits.pop(name, None)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            if not self.closing:
                raise
            # Python 3.11 would tell the log of a handler that was cancelled as of one that failed.

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.closing:
            writer.close()
            return
        sock = writer.get_extra_info("socket")
        if peer_uid(sock) != os.geteuid():
            logger.warning("a client of user %d was refused", peer_uid(sock))
            writer.close()
            return
        connection = _Connection(self, reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._connections[connection] = task
        try:
            await connection.run()
        except* OSError as errors:
            logger.debug("a client has gone: %s", errors.exceptions)
        except* Exception:
            logger.exception("a connection failed")
        finally:
            del self._connections[connection]
            writer.close()


class _Connection:
    """One client."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._writing = asyncio.Lock()
        self._slots = asyncio.Semaphore(CALLS_AT_ONCE)
        self._greeted = False
        self._following: asyncio.Task[None] | None = None
        self._patient: set[asyncio.Task[None]] = set()
        """Calls that wait for other hosts, for as long as somebody wants their answer."""
        self._drafts: set[int] = set()
        self._calls: asyncio.TaskGroup

    async def run(self) -> None:
        """Serve until the client goes. Calls under way are done to their end, but for those that wait for a host."""
        try:
            async with asyncio.TaskGroup() as self._calls:
                try:
                    while (line := await self._line()) is not None:
                        await self._slots.acquire()
                        self._calls.create_task(self._serve(line)).add_done_callback(
                            lambda _: self._slots.release()
                        )
                finally:
                    if self._following:
                        self._following.cancel()
                    for call in self._patient:
                        call.cancel()
        finally:
            await self._drop_drafts()

    async def part(self, reason: str) -> None:
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_PARTING_S):
                await self._notify(GOODBYE, goodbye=Goodbye(reason))

    async def _line(self) -> bytes | None:
        """Return the next line, None at the end. One that is too long is read over and refused."""
        while True:
            try:
                return await self._reader.readuntil(b"\n")
            except (asyncio.IncompleteReadError, OSError):
                return None
            except asyncio.LimitOverrunError as error:
                if not await self._read_over(error.consumed):
                    return None
                limit = LINE_LIMIT_BYTES >> 20
                fault = fault_of(
                    CallError(NOT_A_CALL, f"the message is longer than {limit} MiB; nothing was done")
                )
                await self._send(lines.refusal(None, fault))

    async def _read_over(self, count: int) -> bool:
        while True:
            try:
                await self._reader.readexactly(count)
                await self._reader.readuntil(b"\n")
                return True
            except asyncio.LimitOverrunError as error:
                count = error.consumed
            except (asyncio.IncompleteReadError, OSError):
                return False

    async def _serve(self, line: bytes) -> None:
        """Answer one line. Nothing a client sends, and nothing that fails, goes further than its answer."""
        if not line.strip():
            return
        id: lines.Id = None
        silent = False
        try:
            envelope = lines.read(line)
            silent = envelope.id is msgspec.UNSET
            id = None if envelope.id is msgspec.UNSET else envelope.id
            method = lines.method_of(envelope, METHODS)
            if method.patient:
                self._wait_patiently()
            bulky = len(line) > BULKY_BYTES
            arguments = await _off_loop(bulky, _decode, method, envelope.params)
            result = await self._do(method, arguments)
            reply = lines.answer(id, method, result)
        except CallError as error:
            silent = False
            reply = lines.refusal(error.id if error.id is not None else id, fault_of(error))
        except FerryError as error:
            reply = lines.refusal(id, fault_of(error))
        except Exception as error:
            logger.exception("a call failed")
            reply = lines.refusal(id, fault_of(error))
        if not silent:
            with contextlib.suppress(OSError):
                await self._send(reply)

    def _wait_patiently(self) -> None:
        """Have the call that is being served end with its client."""
        task = asyncio.current_task()
        assert task is not None
        self._patient.add(task)
        task.add_done_callback(self._patient.discard)

    async def _do(self, method: Method, arguments: dict[str, Any]) -> Any:
        match method.name:
            case "hello":
                return self._greet(**arguments)
            case "shutdown":
                logger.info("a client asks the engine to stop")
                asyncio.get_running_loop().call_soon(self._server.stop)
                return None
            case _ if not self._greeted:
                raise CallError(NOT_A_CALL, "say hello first")
            case "subscribe":
                self._subscribe(**arguments)
                return None
            case "submit":
                submit = partial(self._server.engine.submit, arguments["request"])
                return await self._server.submit_once(arguments["token"], submit)
            case "draft.begin" | "draft.add" | "draft.submit":
                return await self._draft(method.name, **arguments)
            case name:
                return await method_of(self._server.engine, name)(**arguments)

    async def _draft(self, name: str, **arguments: Any) -> Any:
        """Do something with a draft, which is to be one of this connection's own."""
        drafts = self._server.engine.drafts
        if name == "draft.begin":
            self._drafts.add(number := await drafts.begin(**arguments))
            return number
        if (number := arguments["number"]) not in self._drafts:
            raise NotPossible(f"draft {number} is not known on this connection", "Submit the whole again.")
        if name == "draft.add":
            return await drafts.add(**arguments)
        return await self._server.submit_once(arguments["token"], partial(drafts.submit, number))

    async def _drop_drafts(self) -> None:
        """Forget what was begun here and not submitted. (An engine that ends leaves that to the next one.)"""
        for number in self._drafts:
            if not self._server.closing:
                await self._server.engine.drafts.drop(number)

    def _greet(self, protocol: int, version: str) -> Greeting:
        if protocol != PROTOCOL:
            raise ProtocolMismatch(
                f"the engine (version {__version__}, protocol {PROTOCOL}) and this Ferry"
                f" (version {version}, protocol {protocol}) do not understand each other"
            )
        self._greeted = True
        return Greeting(PROTOCOL, __version__, os.getpid())

    def _subscribe(self, after: int | None) -> None:
        if self._following:
            self._following.cancel()
        self._following = self._calls.create_task(self._follow(after))

    async def _follow(self, after: int | None) -> None:
        """Send updates as fast as they are read at the other end; the engine merges what happens meanwhile."""
        async with contextlib.aclosing(self._server.engine.subscribe(after)) as updates:
            async for update in updates:
                try:
                    await self._notify(UPDATE, update=update)
                except OSError:
                    return

    async def _notify(self, method: Method, **arguments: Any) -> None:
        await self._send(lines.call(method, None, arguments))

    async def _send(self, line: bytes) -> None:
        async with self._writing:
            self._writer.write(line)
            await self._writer.drain()


def _decode(method: Method, params: msgspec.Raw) -> dict[str, Any]:
    try:
        return method.decode(params)
    except msgspec.DecodeError as error:
        raise CallError(WRONG_PARAMETERS, f"{method.name}: {error}") from error


async def _off_loop(bulky: bool, work: Any, *arguments: Any) -> Any:
    return await asyncio.to_thread(work, *arguments) if bulky else work(*arguments)
