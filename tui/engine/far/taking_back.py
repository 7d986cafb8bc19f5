"""Taking away what a cancelled copy made: only what can be told to be its own, and nothing others put there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.engine.far.ends import Ends, look
from tui.engine.far.fitted import changed_in, fitting_of
from tui.engine.far.goal import resolved
from tui.engine.far.many import each
from tui.engine.far.reaching import listing
from tui.engine.far.standing import Pairing
from tui.engine.rows import name_of
from tui.engine.run import Run
from tui.model.entry import EntryKind
from tui.model.error import PlaceError
from tui.places.base import Place

if TYPE_CHECKING:
    from tui.model.entry import Entry
    from tui.model.location import Location

PAGE = 256
AT_ONCE = 16


async def take_back(run: Run, ends: Ends, goal: Location) -> bool:
    """Remove what a copy made under names that were free; say whether something of it stays.

    A file goes where it still is a copy of its source, a folder where nothing is left in it.
    """
    row, stays, start = run.record.row, False, 0
    while page := await run.journal.sources(row.id, start, PAGE):
        for source in page:
            there = goal.child(os.fsdecode(name_of(row, source)))
            if not source.fresh:
                stays = True
                continue
            await ends.open(source.location)
            here = await ends.do(lambda at=source.location: resolved(ends.at(at), at))  # type: ignore[misc]
            await ends.do(lambda here=here, there=there: _take_one(run, ends, here, there))  # type: ignore[misc]
            stays |= await ends.do(lambda there=there: look(ends.at(there), there)) is not None  # type: ignore[misc]
        start = page[-1].idx + 1
    return stays


async def _take_one(run: Run, ends: Ends, here: Location, there: Location) -> None:
    source, target = ends.at(here), ends.at(there)
    pairing = Pairing.of(source.capabilities, target.capabilities, run.record.row.preserve)
    entry, standing = await look(source, here), await look(target, there)
    if entry is not None and standing is not None and here != there and pairing.keeps_times:
        await _Taking(run, ends, source, target, pairing).take(here, there, entry, standing)


@dataclass(frozen=True, slots=True)
class _Taking:
    run: Run
    ends: Ends
    source: Place
    target: Place
    pairing: Pairing

    async def take(self, here: Location, there: Location, entry: Entry, standing: Entry) -> None:
        """Remove one entry, if it is what the job made of the source's."""
        try:
            if entry.kind is EntryKind.FOLDER and standing.kind is EntryKind.FOLDER:
                await self._folder(here, there)
                return
            if entry.kind.is_link or not self.pairing.exact:
                entry, standing = await self.source.stat(here), await self.target.stat(there)
            if self.pairing.same(entry, standing):
                await self.target.remove_file(there)
        except PlaceError as error:
            if self.ends.is_lost(error):
                raise

    async def _folder(self, here: Location, there: Location) -> None:
        async with listing(self.target, there) as pages:
            found = {entry.name: entry async for page in pages for entry in page}
        changed = await changed_in(self.run, self.source, here, fitting_of(self.run.record))
        async with listing(self.source, here) as pages:
            async for page in pages:
                named = [(entry, changed.get(entry.name, entry.name)) for entry in page]
                pairs = [(entry, found[name]) for entry, name in named if name in found]
                await each(
                    pairs, lambda p: self.take(here.child(p[0].name), there.child(p[1].name), *p), AT_ONCE
                )
        if self.target.capabilities.folders:
            await self.target.remove_folder(there)
