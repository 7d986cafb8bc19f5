"""A line between two ends of this machine that is slow, breaks or goes silent when a test says so.

As a program it makes a server look far away, for measuring: `python tests/servers/proxy.py PORT DELAY_MS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_READ_BYTES = 256 << 10


@dataclass
class Way:
    """One direction of one connection."""

    source: asyncio.StreamReader
    target: asyncio.StreamWriter
    chunks: deque[tuple[float, bytes]] = field(default_factory=deque)
    came: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """Passes bytes on to a port of this machine. `port` is where it listens itself.

    Attributes:
        delay_s: How long bytes are under way, each way.
        sent_bytes: What came from clients since `cut_after` was last called, or ever.
        connections: How many there have been.
    """

    def __init__(self, target_port: int, delay_s: float = 0.0) -> None:
        self.target_port, self.delay_s, self.port = target_port, delay_s, 0
        self.sent_bytes = self.connections = 0
        self._cut_at: int | None = None
        self._by_reset = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End it, and all that goes through it."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """End all connections in the midst of whatever they carry; new ones may be made."""
        for writer in list(self._open):
            writer.transport.abort()

    def reset(self) -> None:
        """End all connections by a reset (RST), as a host does that knows nothing of them any more."""
        self._linger(self._open)
        self.cut()

    def cut_after(self, size_bytes: int, *, by_reset: bool = False) -> None:
        """Let so many more bytes from clients pass, then cut, once."""
        self.sent_bytes, self._cut_at, self._by_reset = 0, size_bytes, by_reset

    def freeze(self) -> None:
        """Pass nothing on any more, with all connections staying."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    def _linger(ends: set[asyncio.StreamWriter]) -> None:
        """Have connections end by a reset when they are closed."""
        for end in ends:
            with contextlib.suppress(OSError):
                made = end.get_extra_info("socket")
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until an end of it, or somebody else, closes it."""
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._open |= ends
        up, down = Way(reader, far_writer), Way(far_reader, writer)
        steps = [self._take(up, counted=True), self._give(up), self._take(down), self._give(down)]
        parts = [asyncio.create_task(step) for step in steps]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            if self._by_reset:
                self._linger(ends)
            for end in ends:
                end.transport.abort()
            self._open -= ends

    async def _take(self, way: Way, *, counted: bool = False) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await way.source.read(_READ_BYTES):
                passes = self._counted(data) if counted else data
                if passes:
                    way.chunks.append((loop.time() + self.delay_s, passes))
                    way.came.set()
                if len(passes) < len(data):
                    break
        way.chunks.append((loop.time() + self.delay_s, b""))
        way.came.set()
        await asyncio.Event().wait()  # `_give` ends the connection, when all before has been passed on

    def _counted(self, data: bytes) -> bytes:
        """Count what comes from clients; return less of it where the line is to be cut."""
        self.sent_bytes += len(data)
        if self._cut_at is None or self.sent_bytes <= self._cut_at:
            return data
        passes = data[: len(data) - (self.sent_bytes - self._cut_at)]
        self._cut_at = None
        return passes

    async def _give(self, way: Way) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while True:
                await way.came.wait()
                due, data = way.chunks.popleft()
                if not way.chunks:
                    way.came.clear()
                if (wait_s := due - loop.time()) > 0:
                    await asyncio.sleep(wait_s)
                await self._flowing.wait()
                way.target.write(data)
                await way.target.drain()
                if not data:
                    return


@contextlib.asynccontextmanager
async def running_proxy(target_port: int, delay_s: float = 0.0) -> AsyncIterator[Proxy]:
    """Run one for as long as the block lasts."""
    proxy = Proxy(target_port, delay_s)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()


async def _serve(port: int, delay_s: float) -> None:
    async with running_proxy(port, delay_s) as proxy:
        sys.stdout.write(f"{proxy.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
