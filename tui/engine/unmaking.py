"""The work of undoing what was made at once: it goes again, if nothing became of it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.engine.rows import Phase
from tui.engine.run import Spot, Sums
from tui.model.error import PlaceError
from tui.places.local.reversing import remove_made

if TYPE_CHECKING:
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.location import Location


class Unmaking:
    """Takes away what was made, and the folders made on the way to it. What has gone before a crash counts as done."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.row = run.record.row

    async def execute(self) -> None:
        """Do it, or what is left of it after a crash."""
        run = self.run
        run.record.walk += 1
        await run.journal.begin_walk(self.row.id, run.record.walk)
        run.record.errors = await run.journal.drop_errors(self.row.id)
        run.record.tally.begin()
        for source in await run.journal.sources(self.row.id):
            if not run.stopped:
                await self._one(source)
        run.record.tally.files_total = self.row.source_count
        run.record.walked = not run.stopped
        run.record.tally.end()

    async def _one(self, source: Source) -> None:
        run, top = self.run, source.target
        assert top is not None
        if source.phase is not Phase.DONE:
            trace = (await run.journal.traces(self.row.id, source.idx, 1))[source.idx]
            again = source.phase is Phase.REMOVING
            await run.journal.set_phase(self.row.id, [source.idx], Phase.REMOVING)
            try:
                await self.remove(source, top, trace.identity, again=again)
            except PlaceError as error:
                if not error.transient:  # or it may have gone all the same
                    await run.journal.set_phase(self.row.id, [source.idx], None)
                await run.write_errors([run.error_row(self._spot(source), error)])
                return
            await run.journal.set_sources(self.row.id, [replace(source, phase=Phase.DONE, files=1)])
        run.count(Sums(files=1), source.location, metered=False)

    async def remove(self, source: Source, top: Location, identity: str, *, again: bool) -> None:
        """Remove one, and the folders made on the way to it, from `top` down.

        Args:
            again: It was begun before; what has gone since has gone by that.
        Raises:
            PlaceError: It is not what was made, or cannot be removed.
        """
        await self.run.hop(remove_made, source.location, top, identity, again=again)

    @staticmethod
    def _spot(source: Source) -> Spot:
        return Spot(
            source.idx, os.fsencode(source.location.name), b"", source.location, source.location.parent
        )
