"""The work of undoing: entries get their old names back, if they still are the ones that lost them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.renaming import PAGE, Renaming
from tui.engine.rows import Phase
from tui.engine.run import Sums
from tui.model.error import PlaceError, SourceReplaced
from tui.places.local.reversing import why_not_it
from tui.places.local.trash import forget_note

if TYPE_CHECKING:
    from tui.engine.rows import Source
    from tui.engine.traces import Trace


class Undoing(Renaming):
    """A list of renames made from another job's record. What comes out of the trash leaves no note behind there."""

    async def all_sources(self) -> None:
        """Go through the list in pages, but where names are swapped: then it has to be seen as a whole."""
        run = self.run
        if await run.journal.has_chains(self.row.id):
            await super().all_sources()
            return
        run.record.tally.files_total = self.row.source_count
        start = 0
        while not run.stopped and (page := await run.journal.sources(self.row.id, start, PAGE)):
            run.count(Sums(files=sum(source.phase is Phase.DONE for source in page)))
            await self.portion(page)
            self.close_folders()
            start = page[-1].idx + 1

    async def verified(self, sources: list[Source]) -> list[Source]:
        """Leave out what is not what the other job left there."""
        run = self.run
        if not sources:
            return sources
        first, last = sources[0].idx, sources[-1].idx
        kept = await run.journal.traces(self.row.id, first, last - first + 1)
        reasons = await run.hop(self._reasons, sources, kept)
        for source, reason in zip(sources, reasons, strict=True):
            if reason is not None:
                text = f"cannot bring {self.target(source)} back: {reason}"
                await run.fail(self.spot(source), SourceReplaced(text, location=source.location))
        return [source for source, reason in zip(sources, reasons, strict=True) if reason is None]

    @staticmethod
    def _reasons(sources: list[Source], kept: dict[int, Trace]) -> list[str | None]:
        return [why_not_it(source.location, kept[source.idx].identity) for source in sources]

    def take_name(self, source: Source) -> PlaceError | None:
        error = super().take_name(source)
        if error is None:
            forget_note(source.location.path)
        return error
