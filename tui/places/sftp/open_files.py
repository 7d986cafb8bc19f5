"""Room for the small files that are open at a host at once."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from tui.places.sftp.errors import Refused
from tui.places.sftp.protocol import Code

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class OpenFiles:
    """Opens so many files at most, and fewer where the server turns out to allow no more.

    Version 3 has no code for that: an opening that failed is tried again with fewer open, in the end alone.
    """

    def __init__(self, most: int) -> None:
        self._allowed = self._most = max(1, most)
        self._used = self._open = self._peak = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def open(self, opening: Callable[[], Awaitable[bytes]]) -> bytes:
        """Open a file when there is room, and return its handle; `closed` is to follow.

        Raises:
            Refused: As `opening` does.
        """
        while True:
            await self._enter()
            most = self._most
            try:
                handle = await opening()
            except BaseException as error:
                self._leave()
                if not (isinstance(error, Refused) and self._may_be_too_many(error, most)):
                    raise
            else:
                self._open += 1
                self._peak = max(self._peak, self._open)
                return handle

    def closed(self) -> None:
        """Say that a file is as good as closed: the server is told before it is asked to open another."""
        self._open -= 1
        self._leave()

    def _may_be_too_many(self, refused: Refused, most: int) -> bool:
        if refused.code != Code.FAILURE:
            return False
        if most == 1:  # it was for another reason
            self._most = self._allowed
            self._wake()
            return False
        if most == self._most:
            self._most = max(1, min(most // 2, self._peak))
        return True

    async def _enter(self) -> None:
        while self._used >= self._most:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():
                    self._wake()  # it was given room at that very moment
                raise
        self._used += 1

    def _leave(self) -> None:
        self._used -= 1
        self._wake()

    def _wake(self) -> None:
        room = self._most - self._used
        while room > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1
