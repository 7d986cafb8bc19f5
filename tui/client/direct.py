"""A client of an engine in this process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.client.calls import Calls, closed
from tui.client.host import EngineFactory, Host, make_engine, method_of
from tui.client.runtime import Lock, holder, require_open_files
from tui.model.error import EngineAlreadyRunning

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tui.config import Settings
    from tui.model.job import Disconnected, Update
    from tui.paths import Paths

logger = logging.getLogger(__name__)

LOCK_WAIT_S = 1.0
"""So long it waits for the lock: an engine on its way out has it for a while, and a look at the holder for a moment."""


class DirectClient(Calls):
    """The queue of an engine that starts with the first call on it and stops with `close`.

    Args:
        paths: Where the journal is; None: a journal of its own, gone afterwards.
    """

    def __init__(
        self, paths: Paths | None, settings: Settings, notice: str = "", make: EngineFactory = make_engine
    ) -> None:
        self.notice = notice
        self.keeps_queue = paths is not None
        self._paths, self._settings, self._make = paths, settings, make
        self._host: Host | None = None
        self._starting = asyncio.Lock()
        self._closed = False
        self._owned = contextlib.ExitStack()

    async def connect(self) -> None:
        """Start the engine now, not at the first call.

        Raises:
            EngineAlreadyRunning: Another process works on this journal.
        """
        await self._started()

    async def ask(self, method: str, **arguments: Any) -> Any:
        """Have the engine do it.

        Raises:
            EngineAlreadyRunning: Another process works on this journal.
        """
        host = await self._started()
        return await method_of(host.engine, method)(**arguments)

    async def updates(self) -> AsyncGenerator[Update | Disconnected]:
        """Yield a full update at once, then what changes."""
        host = await self._started()
        async with contextlib.aclosing(host.engine.subscribe(None)) as updates:
            async for update in updates:
                yield update

    async def stop_engine(self) -> None:
        """Stop the engine, keeping every job; the same as `close`."""
        await self.close()

    async def close(self) -> None:
        """Stop the engine. What it has not done stays in its journal."""
        self._closed = True
        self.close_places()
        async with self._starting:
            host, self._host = self._host, None
            try:
                if host:
                    await host.shut_down()
            finally:
                self._owned.close()

    async def _started(self) -> Host:
        async with self._starting:
            if self._closed:
                raise closed()
            if self._host is None:
                require_open_files()
                lock = None
                if self._paths is None:
                    journal = self._private_journal()
                else:
                    journal, lock = await self._own(self._paths)
                try:
                    host = Host(journal, self._settings, in_process=True, lock=lock, make=self._make)
                    await host.start_up()
                except BaseException:
                    self._owned.close()
                    raise
                self._host = host
            return self._host

    def _private_journal(self) -> Path:
        folder = tempfile.mkdtemp(prefix="ferry-")
        self._owned.callback(shutil.rmtree, folder, ignore_errors=True)
        return Path(folder) / "journal.sqlite3"

    async def _own(self, paths: Paths) -> tuple[Path, Lock | None]:
        """Take the lock of the journal, so that no other engine works on it; return both.

        Where there is no place for a lock there is none for a journal: then the queue lasts as long as this client.
        """
        deadline = time.monotonic() + LOCK_WAIT_S
        try:
            while (lock := Lock.take(paths.lock)) is None and time.monotonic() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        except OSError as error:
            self.keeps_queue = False
            self.notice += f" The queue cannot be kept either ({error.strerror}: {paths.state})."
            return self._private_journal(), None
        if lock is None:
            held = holder(paths.lock)
            who = f"process {held.pid}" if held else "another process"
            raise EngineAlreadyRunning(f"{who} works on the queue already", "Close that one, then try again.")
        self._owned.callback(lock.release)
        lock.sign(None)
        return paths.journal, lock
