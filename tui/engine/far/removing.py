"""Deleting for good at any place: trees from the bottom up, files many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.far.descent import Descent
from tui.engine.far.in_place import FarInPlace
from tui.engine.far.totals import Counting
from tui.engine.run import Sums
from tui.engine.sources import pages
from tui.model.error import NotEmpty, NotFound, PermissionDenied, PlaceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui.engine.far.descent import Level
    from tui.engine.far.ends import Ends
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Place


class TreeRemoval(Descent):
    """Removes one entry and all below it; links themselves, not what they lead to."""

    def __init__(
        self,
        run: Run,
        reach: Ends,
        fail: Callable[[Location, PlaceError], Awaitable[None]],
        removed: Callable[[Location, int], None],
        spares: Callable[[Location, Entry], bool] = lambda _where, _entry: False,
    ) -> None:
        """Say whom to tell.

        Args:
            removed: Called for each entry that was no folder, with its size.
            spares: Says what stays, with the folders it is in.
        """
        super().__init__(run, reach, fail)
        self._removed, self._spares = removed, spares

    def spares(self, where: Location, entry: Entry) -> bool:
        return self._spares(where, entry)

    async def file(self, where: Location, entry: Entry) -> None:
        """Remove one entry. That it has gone when it is tried again is this job's doing."""
        tries = 0

        async def remove(place: Place) -> None:
            nonlocal tries
            tries += 1
            await place.remove_file(where)

        try:
            await self.reach.do(where, remove)
        except NotFound:
            if tries == 1:
                raise
        self._removed(where, entry.size_bytes)

    async def folder(self, level: Level) -> bool:
        """Remove a folder that is empty now; one that is not is looked at again, once."""
        if level.held:
            return True
        try:
            await self.reach.do(level.where, lambda place: place.remove_folder(level.where))
        except NotEmpty:
            if level.repeated:
                raise
            return False
        return True


class Removing(FarInPlace):
    """Deletes the sources of a job."""

    verb = "delete"
    removes = True

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.counting = self._totals = Counting(run, self.reach, unfinished=True, removes=True)

    async def refusal(self) -> PlaceError | None:
        """Refuse to remove a home folder, or what holds one."""
        home = await self.reach.home(self.row.first_source)
        async for page in pages(self.run):
            for source in page:
                where = await self.reach.resolve(source.location)
                if where.is_root or where.holds(home):
                    what = "your home folder is in it" if where != home else "it is your home folder"
                    return PermissionDenied(
                        f"nothing was deleted: {where} stays, {what}",
                        "Name what is in it instead.",
                        location=where,
                    )
        return None

    async def do(self, source: Source, where: Location, entry: Entry) -> None:
        """Delete one source and all below it."""

        async def fail(at: Location, error: PlaceError) -> None:
            await self.fail(source, at, error)

        def removed(at: Location, size_bytes: int) -> None:
            self._totals.removed(at, size_bytes)
            self.run.count(Sums(files=1, bytes=size_bytes))

        await TreeRemoval(self.run, self.reach, fail, removed).go(where, entry)
