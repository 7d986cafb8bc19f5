"""A client's line to the engine, while it breaks."""

from __future__ import annotations

import asyncio
import gc

from tui.client.connection import Connection
from tui.wire.protocol import METHODS


class Stuck(asyncio.StreamWriter):
    """A writer to an engine that takes nothing."""

    def __init__(self) -> None:
        """Have no transport."""

    def write(self, data: bytes) -> None:  # type: ignore[override]
        """Keep nothing."""

    async def drain(self) -> None:
        await asyncio.Event().wait()

    def close(self) -> None:
        """Have nothing to close."""

    def __del__(self) -> None:  # type: ignore[override]
        """Have nothing to warn of."""


async def test_who_gives_up_a_call_as_the_engine_goes_leaves_no_complaint() -> None:
    found: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(str(context)))
    reader = asyncio.StreamReader()
    connection = Connection(reader, Stuck())
    call = asyncio.create_task(connection.call(METHODS["shutdown"], {}))
    await asyncio.sleep(0)
    reader.feed_eof()
    await asyncio.wait({connection._listener})
    assert not connection.alive
    call.cancel()
    await asyncio.wait({call})
    assert call.cancelled()
    del call
    gc.collect()  # a future tells what nobody took of it when it goes
    await asyncio.sleep(0)
    assert found == []
