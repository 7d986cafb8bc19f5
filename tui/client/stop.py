"""Stopping the background engine, whatever version it is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from tui.client.connection import Connection, Lost, NotRunning
from tui.client.runtime import Holder, holder
from tui.model.error import EngineUnreachable

if TYPE_CHECKING:
    from tui.paths import Paths


async def stop_engine(paths: Paths, timeout_s: float = 10.0) -> bool:
    """Stop the engine, keeping its jobs; return when its process has let go of the queue. False: none ran.

    Raises:
        EngineUnreachable: It does not stop, or the queue is worked on inside another front end.
    """
    deadline = time.monotonic() + timeout_s
    before = holder(paths.lock)
    try:
        connection = await Connection.connect(paths)
    except NotRunning:
        if before is None:
            return False
        if not before.socket:
            raise EngineUnreachable(
                f"process {before.pid} works on the queue itself", "Close that one: its jobs are kept."
            ) from None
    else:
        await _ask(connection, timeout_s / 2)
    if await _gone(paths, before, deadline - timeout_s / 4):
        return True
    if before:  # it hangs: ask in a way it cannot miss
        with contextlib.suppress(ProcessLookupError):  # it went just now
            os.kill(before.pid, signal.SIGTERM)
    if await _gone(paths, before, deadline):
        return True
    pid = before.pid if before else 0
    raise EngineUnreachable(
        f"the engine (process {pid}) does not stop", f"`kill -9 {pid}` ends it; jobs are kept."
    )


async def _ask(connection: Connection, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await connection.shut_engine_down()
    except (Lost, TimeoutError):
        pass  # on its way, or hanging: whether it has gone is seen by the lock
    finally:
        await connection.close()


async def _gone(paths: Paths, before: Holder | None, deadline: float) -> bool:
    while time.monotonic() < deadline:
        now = holder(paths.lock)
        if now is None or (before is not None and now.pid != before.pid):
            return True
        await asyncio.sleep(0.01)
    return False
