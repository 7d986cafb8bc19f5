"""Sessions of one connection: the one a place works with, and further ones for large files over a long way.

A server takes only so much in a session before it has to say that it got it (OpenSSH: 2 MiB), which over a long way is
little a second. Every session has a window of its own; it costs no signing in, and nobody is asked anything.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncssh

from tui.places.sftp.channel import Channel
from tui.places.sftp.errors import Lost, Refused
from tui.places.sftp.session import Session
from tui.places.sftp.trimming import trim, was_read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui.places.sftp.manners import Manners

WINDOW_BYTES = 16 << 20
"""What a server may send before it hears from us: at 30 ms this is 500 MB/s, where asyncssh's 2 MiB are 70."""
PACKET_BYTES = 32 << 10
MOST_FURTHER = 3
"""Four windows fill what there is at 30 ms, measured; OpenSSH allows ten sessions (MaxSessions)."""
UNUSED_S = 15.0
"""So long further sessions stay open for the next large file."""
_OPENING_S = 20.0


async def open_channel(
    connection: asyncssh.SSHClientConnection,
    idle_s: float,
    begin: Callable[[Channel], None] = Channel.begin,
    manners: Manners | None = None,
) -> Channel:
    """Begin an SFTP session on a connection.

    Args:
        begin: Called with the channel when the first words may go out: right behind the request for SFTP, as OpenSSH's
            own client does it. Not called with an asyncssh that was not read: it may not have sent that by then.

    Raises:
        asyncssh.Error, OSError: The server allows none, or is gone.
    """
    loop = asyncio.get_running_loop()

    def made() -> Channel:
        channel = Channel(connection.abort, idle_s, manners)
        if was_read(asyncssh.__version__):
            loop.call_soon(begin, channel)
        return channel

    line, channel = await connection.create_session(
        made,
        subsystem="sftp",
        encoding=None,
        window=WINDOW_BYTES,
        max_pktsize=PACKET_BYTES,
    )
    assert isinstance(channel, Channel)
    trim(connection, line)
    return channel


class Lanes:
    """The further sessions of a place, opened when a writer joins, and closed when none has used them for a while."""

    def __init__(self, first: Session, another: Callable[[], Awaitable[Channel]]) -> None:
        """
        Args:
            first: The session of the place.
            another: Opens a channel for one more.
        """
        self._first, self._another = first, another
        self._users = 0
        self._opening: asyncio.Task[list[Session]] | None = None
        self._rest: asyncio.TimerHandle | None = None

    async def join(self) -> Sequence[Session]:
        """Return the further sessions; none where the server allows none. Every call is followed by `leave`."""
        self._users += 1
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)  # who gives up does not take them from the others

    def leave(self) -> None:
        """Let go of them."""
        self._users -= 1
        if not self._users and self._first.channel.alive:
            self._rest = asyncio.get_running_loop().call_later(UNUSED_S, self._close_unused)

    def close(self) -> None:
        """Close them, whoever uses them."""
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        opening, self._opening = self._opening, None
        if opening is None:
            return
        if not opening.done():
            opening.cancel()
        elif not opening.cancelled():
            for session in opening.result():
                session.channel.close()

    def _close_unused(self) -> None:
        # Where there are none the server has refused: it is not asked again.
        if not self._users and self._opening is not None and self._opening.done() and self._opening.result():
            self.close()

    async def _open(self) -> list[Session]:
        opened = await asyncio.gather(*(self._open_one() for _ in range(MOST_FURTHER)))
        return [session for session in opened if session is not None]

    async def _open_one(self) -> Session | None:
        channel: Channel | None = None
        try:
            async with asyncio.timeout(_OPENING_S):
                channel = await self._another()
                session = Session(channel)
                await session.start_as(self._first)
                return session
        except (TimeoutError, asyncssh.Error, OSError, Refused, Lost):
            if channel is not None:
                channel.close()
            return None
        except BaseException:
            if channel is not None:
                channel.close()
            raise
