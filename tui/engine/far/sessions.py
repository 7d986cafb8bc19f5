"""What clients read piece by piece, each under a number: listings and comparisons under way."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol, TypeVar

from tui.model.error import NotFound

if TYPE_CHECKING:
    from tui.engine.clock import Clock

MOST = 64
"""So many at once; of more, the one that was asked for longest ago is given up."""

IDLE_S = 60.0
"""What nobody asked for so long is given up: whoever began it has gone."""


class Session(Protocol):
    async def close(self) -> None: ...


S = TypeVar("S", bound=Session)


class Sessions:
    """Holds them until they are read to their end, given up, or forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._open: OrderedDict[int, tuple[Session, float]] = OrderedDict()

    async def add(self, session: Session) -> int:
        """Take one in; return its number."""
        since = self._clock.monotonic() - IDLE_S
        try:
            for number, (_, asked_at) in tuple(self._open.items()):
                if asked_at < since or len(self._open) >= MOST:
                    await self.end(number)
        except BaseException:  # given up meanwhile
            await session.close()
            raise
        number = next(self._numbers)
        self._open[number] = session, self._clock.monotonic()
        return number

    def get(self, number: int, kind: type[S]) -> S:
        """Return one that is about to be read from.

        Raises:
            NotFound: There is none of this number and kind any more.
        """
        session, _ = self._open.get(number, (None, 0.0))
        if not isinstance(session, kind):
            raise NotFound("what was being read was given up meanwhile", "Read the folder again.")
        self._open[number] = session, self._clock.monotonic()
        self._open.move_to_end(number)
        return session

    async def end(self, number: int) -> None:
        """Give one up, if it is still there."""
        if (found := self._open.pop(number, None)) is not None:
            await found[0].close()

    async def close(self) -> None:
        for number in tuple(self._open):
            await self.end(number)
