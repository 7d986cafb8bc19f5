"""Requests and answers of one SFTP session over an SSH channel: many under way at once, each answered or lost.

Written on asyncssh's public session interface, because its own SFTP client takes several times the processor for small
files: a reader, a task and an event a request, and an SSH packet each. Here the requests of one turn of the loop go out
together, and an answer costs a look into a dictionary.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from typing import TYPE_CHECKING

import asyncssh

from tui.places.sftp.manners import MOST_OWED
from tui.places.sftp.protocol import Kind
from tui.places.sftp.silence import Silence

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.places.sftp.manners import Manners

_HEAD = struct.Struct(">IBI")
_FRAME = struct.Struct(">IB")
_LONGEST = 1 << 24
"""Bytes of a packet no server sends: what claims more is not SFTP."""
_QUOTED = 200
"""Bytes that are kept of what is not SFTP."""
_AT_ONCE = 1 << 18
"""Bytes that wait no longer for the end of the loop's turn."""
_HIGH, _LOW = 1 << 20, 256 << 10
"""Bytes beyond the server's window above which writers wait, and below which they go on: whoever asks for a listing
meanwhile waits behind them."""

Data = bytes | memoryview
Answer = asyncio.Future[tuple[int, Data]]
"""(kind, body). What a read brought is a view, so that it need not be copied to be put together with more."""

IDLE_S = 30.0
"""Seconds after which a server that owes an answer, and sends nothing at all, is given up."""
SLOW_IDLE_S = 900.0
"""The same while it brings a file onto its disk or copies one: that is one request, however long it takes."""


class Channel(asyncssh.SSHClientSession[bytes]):
    """One SFTP session. An answer is (kind, body); where the connection is lost it is (Kind.LOST, why)."""

    def __init__(
        self, abort: Callable[[], None], idle_s: float = IDLE_S, manners: Manners | None = None
    ) -> None:
        """
        Args:
            abort: Ends the connection at once.
            idle_s: Seconds of silence that are borne while an answer is owed.
            manners: Of the server; they say how many requests it bears at once. None: as many as there are.
        """
        self.alive = True
        self.is_ended = False
        """Whether it is lost because the server ended the session."""
        self.speaks_sftp = True
        """False where something came that is not SFTP: trying again does not help."""
        self.said = b""
        """The beginning of that, as far as it has come."""
        self.silence: Silence | None = None
        """With which it was lost, where an answer was owed."""
        self._abort, self._idle_s = abort, idle_s
        self._loop = asyncio.get_running_loop()
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._begun = False
        self._greeting: Answer = self._loop.create_future()
        self._waiting: dict[int, Answer | None] = {}
        self._manners = manners
        self._most_owed = MOST_OWED if manners is None else manners.most_owed
        self._held: deque[tuple[Kind, tuple[Data, ...], Answer | None, bool]] = deque()
        """What is not sent before something else is answered."""
        self._answers = 0
        self._slow: set[int] = set()
        self._number = 0
        self._outgoing: list[Data] = []
        self._outgoing_bytes = 0
        self._arrived: list[Data] = []
        self._lacking = 0
        self._room = asyncio.Event()
        self._room.set()
        self._watch: asyncio.TimerHandle | None = None
        self._life_at = self._heard_at = self._loop.time()
        """When something last went in or out; when it came in, or was first waited for."""
        self._handed_over = self._passed_on = 0

    def begin(self) -> None:
        """Begin the session, once."""
        if not self._begun:
            self._begun = True
            self._await_life()
            self._write([_FRAME.pack(5, Kind.INIT) + (3).to_bytes(4, "big")], 9)

    async def greet(self) -> tuple[int, Data]:
        """Begin the session, unless that is done; return the server's VERSION packet."""
        self.begin()
        return await self._greeting

    def send(self, kind: Kind, *parts: Data, slow: bool = False) -> Answer:
        """Send a request. The future always gets a result, so it may be left alone."""
        future: Answer = self._loop.create_future()
        if not self.alive:
            future.set_result((Kind.LOST, b""))
            return future
        self._post(kind, parts, future, slow=slow)
        return future

    def tell(self, kind: Kind, *parts: Data) -> None:
        """Send a request whose answer nobody wants. (The server takes them in order.)"""
        if self.alive:
            self._post(kind, parts, None)

    async def room(self) -> None:
        """Wait until not too much is waiting to be sent."""
        while not self._room.is_set():  # others that waited may have filled it again
            await self._room.wait()

    @property
    def is_full(self) -> bool:
        return not self._room.is_set()

    def lose(self, why: str) -> None:
        """Take the connection for lost: every answer that is owed comes now, as LOST."""
        if not self.alive:
            return
        self.alive = False
        if self._waiting or not self._greeting.done():
            self.silence = Silence(self._loop.time() - self._heard_at, self._loop.time())
        lost = (Kind.LOST, why.encode(errors="replace"))
        if self._manners is not None:
            self._manners.lost(len(self._waiting), self._answers)
        waiting, self._waiting = self._waiting, {}
        held = [future for _, _, future, _ in self._held]
        self._held.clear()
        for future in (self._greeting, *waiting.values(), *held):
            if future is not None and not future.done():
                future.set_result(lost)
        self._outgoing.clear()
        self._arrived, self._lacking = [], 0
        self._room.set()
        if self._watch is not None:
            self._watch.cancel()

    def _end(self) -> None:
        """Take the session for ended by the server, unless it is lost already."""
        self.is_ended |= self.alive
        self.lose("the server ended the session")

    def close(self) -> None:
        self._manners = None
        self.lose("it was closed")
        if self._channel is not None:
            self._channel.close()

    # What asyncssh calls.

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan
        chan.set_write_buffer_limits(_HIGH, _LOW)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self.lose(str(exc))
        else:
            self._end()

    def eof_received(self) -> bool:
        self._end()
        return False

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def data_received(self, data: Data, datatype: int | None) -> None:
        if datatype is not None or not self.alive:  # what the server says on its standard error is not SFTP
            return
        self._life_at = self._heard_at = self._loop.time()
        if (
            len(data) < self._lacking
        ):  # put together only when all is there: the most that comes is large answers
            self._arrived.append(data)
            self._lacking -= len(data)
            return
        if self._arrived:
            data = b"".join((*self._arrived, data))
            self._arrived = []
        self._take(memoryview(data))

    def _take(self, arrived: memoryview) -> None:
        """Give out the answers that are whole, and keep the rest."""
        at, end, size = 0, len(arrived), 1
        while end - at >= 5:
            size, kind = _FRAME.unpack_from(arrived, at)
            if not 5 <= size <= _LONGEST:
                self.speaks_sftp, self.said = False, bytes(arrived[at : at + _QUOTED])
                self.give_up("it does not speak SFTP")
                return
            if end - at < 4 + size:
                break
            number = int.from_bytes(arrived[at + 5 : at + 9], "big")
            body = arrived[at + 9 : at + 4 + size]
            self._answered(kind, number, body if kind == Kind.DATA else bytes(body))
            at += 4 + size
        if at < end and self.alive:
            self._arrived = [arrived[at:]]
            self._lacking = 4 + size - (end - at) if end - at >= 5 else 1
        else:
            self._lacking = 0

    def _answered(self, kind: int, number: int, body: Data) -> None:
        if kind == Kind.VERSION:
            if not self._greeting.done():
                self._greeting.set_result((kind, body))
            return
        future = self._waiting.pop(number, None)
        self._slow.discard(number)
        self._answers += 1
        if self._held:
            kind_held, parts, held, slow = self._held.popleft()
            self._send_now(kind_held, parts, held, slow=slow)
        if future is None:
            return
        if not future.done():
            future.set_result((kind, body))
        elif kind == Kind.HANDLE:  # who had opened it has gone
            self.tell(Kind.CLOSE, body)

    def _post(
        self, kind: Kind, parts: tuple[Data, ...], future: Answer | None, *, slow: bool = False
    ) -> None:
        if len(self._waiting) < self._most_owed:
            self._send_now(kind, parts, future, slow=slow)
        else:
            self._held.append((kind, parts, future, slow))

    def _send_now(self, kind: Kind, parts: tuple[Data, ...], future: Answer | None, *, slow: bool) -> None:
        if not self._waiting:
            self._await_life()
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        self._waiting[number] = future
        if slow:
            self._slow.add(number)
        size = sum(map(len, parts))
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(_HEAD.pack(5 + size, kind, number))
        self._outgoing += parts
        self._outgoing_bytes += 9 + size
        if self._outgoing_bytes >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if not self._outgoing:
            return
        outgoing, size = self._outgoing, self._outgoing_bytes
        self._outgoing, self._outgoing_bytes = [], 0
        if self.alive:
            self._write(outgoing, size)

    def _write(self, parts: list[Data], size: int) -> None:
        assert self._channel is not None, "asyncssh made the connection before it gave the session out"
        self._handed_over += size
        try:
            self._channel.writelines(parts)
        except BrokenPipeError:  # so asyncssh says that the server closes it, before it tells
            self._end()
        except OSError as error:
            self.lose(str(error))

    # The watchdog.

    def _await_life(self) -> None:
        self._life_at = self._heard_at = self._loop.time()
        if self._watch is None:
            self._watch = self._loop.call_later(self._idle_s / 4, self._look)

    def _look(self) -> None:
        """Give the connection up where it owes an answer and has been silent for too long.

        Bytes that still go out into the channel's window are life, too: a long write over a slow line is answered late.
        """
        self._watch = None
        if not self.alive or not (self._waiting or not self._greeting.done()):
            return
        unsent = 0 if self._channel is None else self._channel.get_write_buffer_size()
        if (passed_on := self._handed_over - unsent) != self._passed_on:
            self._passed_on, self._life_at = passed_on, self._loop.time()
        borne = max(self._idle_s, SLOW_IDLE_S) if self._slow else self._idle_s
        if self._loop.time() - self._life_at >= borne:
            self.give_up(f"it has not answered for {borne:.0f} seconds")
        else:
            self._watch = self._loop.call_later(self._idle_s / 4, self._look)

    def give_up(self, why: str) -> None:
        """Take the connection for lost, and end it, with all its sessions."""
        self.lose(why)
        self._abort()
