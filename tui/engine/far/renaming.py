"""A list of renames at a far place, all at once; what a crash or a lost connection interrupts is understood."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.engine.far.ends import Ends, carry, look
from tui.engine.far.identity import identify
from tui.engine.far.many import each
from tui.engine.renaming import Renaming
from tui.engine.traces import Trace
from tui.model.error import HoldsHome, NotFound, PlaceError, Unsupported

if TYPE_CHECKING:
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.location import Location
    from tui.places.base import Place

PATIENCE_S = 3.0
"""So long a list that is begun may take to come to its end when it is told to stop: half a swap is worse."""


def holds_home(where: Location, home: Location) -> HoldsHome:
    """Return the error of a folder that keeps its name, as it is a home folder or holds one."""
    what = "is a home folder" if where == home else f"holds the home folder {home}"
    return HoldsHome(f"cannot rename {where}: it {what}", location=where)


class FarRenaming(Renaming):
    """Gives entries of one place new names."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.reach = Ends(run)
        self.pipeline = 1

    async def execute(self) -> None:
        """Rename all, or what is left of it after a crash."""
        await carry(self.run, self._execute(), PATIENCE_S)

    async def _execute(self) -> None:
        first = self.row.first_source
        can = (await self.reach.place(first)).capabilities
        if not can.renames:
            message = f"cannot rename {first}: names cannot be changed in one step there"
            error = Unsupported(
                message, "Move it: the queue copies it, then removes the original.", location=first
            )
            self.run.record.errors = await self.run.journal.drop_errors(self.row.id)
            await self.run.fail_job(error, first)
            return
        self.pipeline = can.pipeline
        await super().execute()

    async def portion(self, sources: list[Source]) -> None:
        """Rename some sources, by where they really are."""
        await super().portion([await self._resolved(source) for source in sources])

    async def _resolved(self, source: Source) -> Source:
        where = await self.reach.resolve(source.location)
        return replace(source, location=where, target=await self.reach.resolve(self.target(source)))

    async def homes_among(self, sources: list[Source]) -> dict[int, PlaceError]:
        """Return by number why some keep their names: they are the home folder there, or hold it."""
        try:
            home = await self.reach.home(self.row.first_source)
        except PlaceError:
            return {}
        return {s.idx: holds_home(s.location, home) for s in sources if s.location.holds(home)}

    async def step_aside(self, sources: list[Source]) -> dict[int, PlaceError]:
        failed: dict[int, PlaceError] = {}

        async def one(source: Source) -> None:
            error = await self._give(source.location, self._aside(source))
            if error is not None:
                failed[source.idx] = error

        await each(sources, one, self.pipeline)
        return failed

    async def take_names(self, sources: list[Source]) -> list[PlaceError | None]:
        errors: dict[int, PlaceError | None] = {}

        async def one(source: Source) -> None:
            errors[source.idx] = await self._take(source)

        await each(sources, one, self.pipeline)
        return [errors[source.idx] for source in sources]

    async def taken(self, targets: list[Location]) -> set[Location]:
        found: set[Location] = set()

        async def one(target: Location) -> None:
            if await self._stands(target):
                found.add(target)

        await each(targets, one, self.pipeline)
        return found

    async def note_traces(self, sources: list[Source]) -> None:
        """Write down by what the renames of some can be undone; what cannot be looked at cannot be renamed either."""
        traces: list[Trace] = []

        async def one(source: Source) -> None:
            with suppress(PlaceError):
                entry = await self.reach.do(source.location, lambda place: place.stat(source.location))
                traces.append(Trace(source.idx, self.target(source), identify(entry)))

        await each(sources, one, self.pipeline)
        await self.run.journal.set_traces(self.row.id, traces)

    async def _take(self, source: Source) -> PlaceError | None:
        parked = self.is_parked(source)
        where = self._aside(source) if parked else source.location
        error = await self._give(where, self.target(source))
        if error is None or not parked:
            return error
        self._stranded.discard(source.idx)
        if await self._give(where, source.location) is not None:
            self._stranded.add(source.idx)
            error.remedy = f"It waits as {where}: see to what is in its way, then retry."
        return error

    async def _give(self, where: Location, new: Location) -> PlaceError | None:
        """Give an entry another name that is free; return what was in the way.

        One that is not there, while something stands under the new name, got it before a crash.
        """
        try:
            await self.reach.do(where, lambda place: place.rename(where, new))
        except NotFound as error:
            return None if await self._stands(new) else error
        except PlaceError as error:
            return error
        return None

    async def _stands(self, where: Location) -> bool:
        async def find(place: Place) -> bool:
            return await look(place, where) is not None

        return await self.reach.do(where, find)

    def _aside(self, source: Source) -> Location:
        return source.location.parent.child(os.fsdecode(self._passage(source)))
