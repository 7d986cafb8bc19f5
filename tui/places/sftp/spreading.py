"""A half file open in several sessions at once, where one session's window is too small for the way."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from dataclasses import dataclass
from functools import partial as bound
from typing import TYPE_CHECKING

from tui.places.sftp.answers import attrs_of
from tui.places.sftp.errors import Lost, Refused
from tui.places.sftp.protocol import WRITE, Attrs, Kind, text
from tui.places.sftp.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.places.sftp.channel import Answer, Data
    from tui.places.sftp.lanes import Lanes

FAR_S = 0.005
"""Over a shorter way no window is too small."""
WORTH_BYTES = 16 << 20
"""With less left the opening is not worth it."""
_SAMPLE_BYTES = 1 << 20
_WINDOW_BOUND_BYTES = 512 << 10
"""Taken in the time of one round trip by a server that could take more: a quarter of OpenSSH's window.

A line that carries less is slow, not long: more sessions would only make others wait.
"""


@dataclass(frozen=True, slots=True)
class Way:
    """A file open in one session."""

    session: Session
    handle: bytes


class Spread:
    """The ways to one half file. The first is its maker's; what else is done to the file goes by it alone."""

    def __init__(self, lanes: Lanes, partial: bytes, first: Way) -> None:
        self._lanes, self._partial = lanes, partial
        self.ways = [first]
        self._widening: asyncio.Task[None] | None = None
        self._joined = False
        self._end = 0
        self._since: tuple[float, int] | None = None

    async def free(self, left_bytes: int) -> Way:
        """Return a way that takes more, the one with the least under way; more of them are opened where that helps."""
        while True:
            if len(self.ways) == 1:
                way = self.ways[0]
                self._consider(left_bytes, waits=way.session.channel.is_full)
            else:
                way = min(self.ways, key=lambda way: (way.session.channel.is_full, way.session.owed_bytes))
            if not way.session.channel.is_full:
                return way
            await way.session.channel.room()

    def send_write(self, way: Way, offset: int, pieces: Sequence[Data]) -> Answer:
        """Write some bytes by a way, in one packet."""
        session, size = way.session, sum(map(len, pieces))
        answer = session.send_write(way.handle, offset, *pieces)
        self._end = max(self._end, offset + size)
        session.owed_bytes += size
        answer.add_done_callback(bound(_answered, session, size))
        return answer

    def _consider(self, left_bytes: int, *, waits: bool) -> None:
        first = self.ways[0].session
        if self._widening is not None or first.distance_s < FAR_S or left_bytes < WORTH_BYTES:
            return
        now = asyncio.get_running_loop().time()
        if self._since is None:
            self._since = now, first.taken_bytes
        then, before = self._since
        taken = first.taken_bytes - before
        if (
            waits
            and taken >= _SAMPLE_BYTES
            and taken * first.distance_s >= _WINDOW_BOUND_BYTES * (now - then)
        ):
            self._widening = asyncio.create_task(self._widen())

    async def _widen(self) -> None:
        first = self.ways[0]
        asked = (
            first.session.send_lstat(self._partial),
            first.session.send(Kind.FSTAT, text(first.handle)),
        )
        self._joined = True
        further = await self._lanes.join()
        try:
            named, before = [attrs_of(await answer) for answer in asked]
        except (Refused, Lost):
            return
        if _is_alike(named, before):
            await asyncio.gather(*(self._open(session, before) for session in further))

    async def _open(self, session: Session, before: Attrs) -> None:
        """Open the file in one more session, if it is the same there; else do without."""
        with contextlib.suppress(Refused, Lost):
            handle = await session.open(self._partial, WRITE)
            try:
                asked = session.send(Kind.FSTAT, text(handle)), session.send_lstat(self._partial)
                seen = [attrs_of(await answer) for answer in asked]
                end = max(before.size_bytes, self._end)
                if all(
                    _is_alike(there, before) and before.size_bytes <= there.size_bytes <= end
                    for there in seen
                ):
                    self.ways.append(Way(session, handle))
                    return
            except BaseException:
                session.close(handle)
                raise
            session.close(handle)

    def settle(self) -> bool:
        """Open no more ways; say whether there are several."""
        if self._widening is not None:
            self._widening.cancel()
        return len(self.ways) > 1

    def look_and_close(self) -> list[Answer]:
        """Ask what the file is by the further ways, and close them: they are not used again."""
        further = self.ways[1:]
        del self.ways[1:]
        looks = [way.session.send(Kind.FSTAT, text(way.handle)) for way in further]
        self._let_go(further)
        return looks

    def close(self) -> list[Answer]:
        """Close the further ways; the answers tell when that is done, and all that was under way by them."""
        further = self.ways[1:]
        del self.ways[1:]
        return self._let_go(further)

    def _let_go(self, further: list[Way]) -> list[Answer]:
        closed = [way.session.send(Kind.CLOSE, text(way.handle)) for way in further]
        self.settle()
        if self._joined:
            self._joined = False
            if closed:  # what is under way is still to be answered
                asyncio.gather(*closed).add_done_callback(lambda _: self._lanes.leave())
            else:
                self._lanes.leave()
        return closed


def _answered(session: Session, size_bytes: int, _: Answer) -> None:
    session.owed_bytes -= size_bytes
    session.taken_bytes += size_bytes


def _is_alike(one: Attrs, other: Attrs) -> bool:
    """Say whether two looks show a regular file of the same owners and mode."""
    return stat.S_ISREG(one.mode) and one[1:4] == other[1:4]
