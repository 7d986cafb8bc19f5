"""The ways to a client, which bring an engine with them, and the state of the one that runs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from tui.client.calls import Calls, closed
from tui.client.remote import RETRY_S, RemoteClient
from tui.client.runtime import CannotHost
from tui.client.stop import stop_engine
from tui.model.error import EngineError
from tui.model.job import Disconnected

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tui.client.direct import DirectClient
    from tui.config import Settings
    from tui.model.job import EngineStatus, Update
    from tui.paths import Paths


def open_client(paths: Paths, settings: Settings) -> SpawnedClient:
    """Return a client of the background engine, which is started when it is first needed.

    Where none can run, the engine runs in this process, and the client's `notice` says why.
    """
    return SpawnedClient(paths, settings)


def open_foreground(paths: Paths, settings: Settings) -> DirectClient:
    """Return a client of an engine in this process with a journal of its own, gone afterwards.

    The background engine and its queue are left alone.
    """
    from tui.client.direct import DirectClient
    from tui.client.log import log_to

    log_to(paths)
    return DirectClient(None, settings)


async def engine_status(paths: Paths) -> EngineStatus | None:
    """Return the state of the background engine, or None where none runs. None is started.

    Raises:
        EngineUnreachable: It does not answer.
        ProtocolMismatch: It is of another version.
    """
    async with RemoteClient(paths, start=None) as client:
        if not await client.connect_if_running():
            return None
        return await client.status()


class SpawnedClient(Calls):
    """A client of the background engine or, where none can run, of one in this process: decided at the first call."""

    def __init__(self, paths: Paths, settings: Settings) -> None:
        self._paths, self._settings = paths, settings
        self._chosen: Calls | None = None
        self._choosing = asyncio.Lock()
        self._closed = False

    @property
    def in_process(self) -> bool:
        return self._chosen is not None and not isinstance(self._chosen, RemoteClient)

    async def ask(self, method: str, **arguments: Any) -> Any:
        return await (await self._choose()).ask(method, **arguments)

    async def updates(self) -> AsyncGenerator[Update | Disconnected]:
        """Yield a full update at once, then what changes, and Disconnected where the engine is lost for a while."""
        told = ""
        while True:
            try:
                client = await self._choose()
                break
            except EngineError as error:
                if self._closed:
                    return
                if error.message != told:
                    told = error.message
                    yield Disconnected(told)
            await asyncio.sleep(RETRY_S)
        async with contextlib.aclosing(client.updates()) as updates:
            async for update in updates:
                yield update

    async def stop_engine(self) -> None:
        if self.in_process and self._chosen:
            await self._chosen.stop_engine()
        else:
            await stop_engine(self._paths)

    async def close(self) -> None:
        """Let go of everything. A background engine goes on; one in this process is stopped, its jobs kept."""
        self._closed = True
        self.close_places()
        async with self._choosing:
            if self._chosen:
                await self._chosen.close()

    async def _choose(self) -> Calls:
        async with self._choosing:
            if self._closed:
                raise closed()
            if self._chosen is None:
                self._chosen = await self._open()
            return self._chosen

    async def _open(self) -> Calls:
        remote = RemoteClient(self._paths)
        try:
            await remote.connect()
        except CannotHost as error:
            await remote.close()
            from tui.client.direct import DirectClient
            from tui.client.host import maker
            from tui.client.log import log_to

            log_to(self._paths)
            why = f"Jobs run inside this Ferry and stop when it ends: {error.message}."
            direct = DirectClient(self._paths, self._settings, why, maker(self._paths, self._settings))
            await direct.connect()
            self.notice, self.keeps_queue = direct.notice, direct.keeps_queue
            return direct
        except BaseException:
            await remote.close()
            raise
        return remote
