"""Modes and times at servers that may set none: what one does set is found out by the first files, once a connection.

Amazon's service refuses SETSTAT, others take it for an open file only, or not for an open file, and some say yes and
keep a time of their own.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from tui.places.base import Attributes
from tui.places.sftp.answers import NO, attrs_of, taken
from tui.places.sftp.errors import Refused
from tui.places.sftp.protocol import Code, Kind, attributes, second_sent, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.places.sftp.channel import Answer
    from tui.places.sftp.manners import Manners
    from tui.places.sftp.session import Session

_NEARLY_S = 2
"""Filesystems that keep times no better than this do keep them."""


def as_sent(wanted: Attributes) -> bytes | None:
    """Return attributes as they are sent; None where none is wanted."""
    return None if wanted == Attributes() else attributes(mode=wanted.mode, mtime_ns=wanted.mtime_ns)


class Dressing:
    """Gives files their mode and time, as far as the server sets any.

    Attributes:
        manners: Where that is kept.
    """

    def __init__(self, session: Session, manners: Manners, *, keeps_its_word: bool) -> None:
        """
        Args:
            keeps_its_word: What the server says it has set is set; of others it is looked at once.
        """
        self._session, self.manners, self._proven = session, manners, keeps_its_word
        self._tell: Callable[[], None] = lambda: None
        if session.sets_nothing:
            manners.sets_modes = manners.sets_times = False

    def when_learnt(self, tell: Callable[[], None]) -> None:
        """Have it told when the server turns out to set less than was thought."""
        self._tell = tell
        tell()

    def wanted(self, wanted: Attributes) -> Attributes:
        """Return what is left of what a file is to have."""
        mode = wanted.mode if self.manners.sets_modes else None
        return Attributes(mode, wanted.mtime_ns if self.manners.sets_times else None)

    # Of a file we have just made there is no other reason to say no than that it is always said.

    def send(self, handle: bytes, wanted: Attributes) -> Answer | None:
        """Have an open file dressed; None where that is of no use. `settle` takes the answer."""
        sent = self._sent(wanted)
        if sent is None or not self.manners.sets_while_open:
            return None
        return self._session.send(Kind.FSETSTAT, text(handle), sent)

    async def settle(self, answer: Answer | None, path: bytes, wanted: Attributes) -> None:
        """See to it that a file of ours is dressed, as far as can be, now that it is closed.

        Raises:
            Refused: For a reason that has nothing to do with attributes.
        """
        if answer is not None:
            try:
                taken(await answer, Kind.STATUS)
            except Refused as refused:
                if refused.code not in NO:
                    raise
            else:
                return
        await self._by_path(path, wanted, was_tried=answer is not None)

    async def prove(self, path: bytes, wanted: Attributes) -> None:
        """Look, until that was seen once, whether a file has what the server said that it gave it."""
        if self._proven or not await self._differs(path, wanted):
            return
        # It may have been lost when the file was closed, or got its name.
        self.manners.sets_while_open = False
        await self._by_path(path, wanted, was_tried=False)
        for part in await self._differs(path, wanted):
            self._refuses(part)

    def told(self, refused: Refused, wanted: Attributes) -> None:
        """Take note of why attributes of what may not be ours were not set."""
        if refused.code == Code.OP_UNSUPPORTED:
            self._refuses(wanted)

    async def _by_path(self, path: bytes, wanted: Attributes, *, was_tried: bool) -> None:
        """Dress a file by its name; where that is refused, by each part alone, to know which of them it is."""
        left = self.wanted(wanted)
        if left == Attributes():
            return
        if await self._is_set(path, left):
            self.manners.sets_while_open &= not was_tried
            return
        parts = [Attributes(mode=left.mode), Attributes(mtime_ns=left.mtime_ns)]
        for part in parts:
            if part != Attributes() and (part == left or not await self._is_set(path, part)):
                self._refuses(part)

    async def _is_set(self, path: bytes, wanted: Attributes) -> bool:
        sent = self._sent(wanted)
        try:
            if sent is not None:
                await self._session.set(path, sent)
        except Refused as refused:
            if refused.code not in NO:
                raise
            return False
        return True

    async def _differs(self, path: bytes, wanted: Attributes) -> list[Attributes]:
        """Return which parts a file has not; none where all is well, or nothing can be said."""
        left = self.wanted(wanted)
        if left == Attributes():
            return []
        try:
            found = attrs_of(await self._session.send_lstat(path))
        except Refused:
            return []  # somebody else may have taken it away
        if not stat.S_ISREG(found.mode):
            return []
        parts = []
        if left.mode is not None and stat.S_IMODE(found.mode) != left.mode:
            parts.append(Attributes(mode=left.mode))
        if left.mtime_ns is not None and abs(found.mtime_s - second_sent(left.mtime_ns)) > _NEARLY_S:
            parts.append(Attributes(mtime_ns=left.mtime_ns))
        self._proven = not parts
        return parts

    def _sent(self, wanted: Attributes) -> bytes | None:
        return as_sent(self.wanted(wanted))

    def _refuses(self, part: Attributes) -> None:
        self.manners.sets_modes &= part.mode is None
        self.manners.sets_times &= part.mtime_ns is None
        self._tell()
