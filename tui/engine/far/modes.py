"""Changing permission bits at any place that keeps them."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from tui.engine.far.descent import Descent
from tui.engine.far.in_place import FarInPlace
from tui.engine.run import Sums
from tui.model.entry import EntryKind
from tui.model.error import PlaceError, Unsupported
from tui.places.base import Attributes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui.engine.far.descent import Level
    from tui.engine.far.ends import Ends
    from tui.engine.rows import JobRow, Source
    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.model.location import Location


class TreeMode(Descent):
    """Adds and takes permission bits, of one entry or of all below it too. Links are left alone.

    A folder first gets the bits it is given, so that one may go into it, and loses the others when all in it is done.
    """

    gone_is_done = False

    def __init__(
        self,
        run: Run,
        reach: Ends,
        fail: Callable[[Location, PlaceError], Awaitable[None]],
        row: JobRow,
    ) -> None:
        super().__init__(run, reach, fail)
        self._row = row

    async def file(self, where: Location, entry: Entry) -> None:
        """Change one entry that is not a folder."""
        if entry.kind.is_link:
            return
        await self._set(where, stat.S_IMODE(entry.mode), self._changed(entry))
        self.run.count(Sums(files=1), metered=False)

    async def before(self, where: Location, entry: Entry) -> bool:
        """Give a folder the bits it is to get; go in only where all below is meant too."""
        mode = stat.S_IMODE(entry.mode)
        if self._row.recursive:
            await self._set(where, mode, mode | self._changed(entry))
        else:
            await self._set(where, mode, self._changed(entry))
        return self._row.recursive

    async def folder(self, level: Level) -> bool:
        """Give a folder its final bits."""
        mode = stat.S_IMODE(level.entry.mode)
        await self._set(level.where, mode | self._changed(level.entry), self._changed(level.entry))
        return True

    async def _set(self, where: Location, mode: int, wanted: int) -> None:
        if wanted != mode:
            change = Attributes(mode=wanted)
            await self.reach.do(where, lambda place: place.set_attributes(where, change))

    def _changed(self, entry: Entry) -> int:
        row = self._row
        more = row.folder_mode_set if entry.kind is EntryKind.FOLDER else 0
        return stat.S_IMODE(entry.mode) & ~row.mode_clear | row.mode_set | more


class Modes(FarInPlace):
    """Changes the permissions of the sources of a job."""

    verb = "change the mode of"

    async def refusal(self) -> PlaceError | None:
        """Refuse where there are no permissions."""
        first = self.row.first_source
        if (await self.reach.place(first)).capabilities.modes:
            return None
        message = f"cannot change the mode of {first}: nothing there has permissions"
        return Unsupported(message, "Leave it as it is.", location=first)

    async def do(self, source: Source, where: Location, entry: Entry) -> None:
        """Change one source, and all below it where that is meant."""

        async def fail(at: Location, error: PlaceError) -> None:
            await self.fail(source, at, error)

        await TreeMode(self.run, self.reach, fail, self.row).go(where, entry)
