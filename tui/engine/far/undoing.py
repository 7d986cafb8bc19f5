"""The work of undoing renames at a far place: entries get their old names back, if nothing has changed since.

Whether it has is found out by the job itself, for a host may have to be reached first: before it has begun nothing is
touched unless all of it can come back.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tui.engine.far.identity import why_not_it
from tui.engine.far.many import each
from tui.engine.far.renaming import FarRenaming
from tui.engine.planner import plan_renames
from tui.model.entry import EntryKind
from tui.model.error import NotFound, PlaceError, SourceReplaced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.engine.rows import Source
    from tui.model.location import Location
    from tui.places.base import Place


class FarUndoing(FarRenaming):
    """A list of renames made from another job's record."""

    async def verified(self, sources: list[Source]) -> list[Source]:
        """Leave out what is not what the other job left there; leave out all, where nothing was done yet."""
        reasons = await self._reasons(sources) if sources else {}
        if reasons and len(sources) == self.row.source_count:
            await self._refuse(sources, reasons)
            return []
        for source in sources:
            if reason := reasons.get(source.idx):
                text = f"cannot bring {self.target(source)} back: {reason}"
                await self.fail(self.spot(source), SourceReplaced(text, location=source.location))
        return [source for source in sources if source.idx not in reasons]

    async def take_names(self, sources: list[Source]) -> list[PlaceError | None]:
        """Give back names, those of folders before those of what was in them."""
        found: dict[int, PlaceError | None] = {}
        by_depth = sorted(sources, key=self._depth)
        for _, level in groupby(by_depth, key=self._depth):
            some = list(level)
            errors = await super().take_names(some)
            found |= {source.idx: error for source, error in zip(some, errors, strict=True)}
        return [found[source.idx] for source in sources]

    def _depth(self, source: Source) -> int:
        return self.target(source).path.count("/")

    async def _refuse(self, sources: list[Source], reasons: Mapping[int, str]) -> None:
        first = next(source for source in sources if source.idx in reasons)
        more = f" (and {len(reasons) - 1} more like that)" if len(reasons) > 1 else ""
        text = f"nothing was brought back: {reasons[first.idx]}{more}"
        await self.run.fail_job(SourceReplaced(text, location=first.location), first.location)

    async def _reasons(self, sources: list[Source]) -> dict[int, str]:
        """Return by number why some cannot come back: they are others now, or their old places are taken or gone."""
        first, last = sources[0].idx, sources[-1].idx
        kept = await self.run.journal.traces(self.row.id, first, last - first + 1)
        found: dict[int, str] = {}

        async def one(source: Source) -> None:
            where, identity = source.location, kept[source.idx].identity
            reason = await self.reach.do(where, lambda place: why_not_it(place, where, identity))
            if reason is not None:
                found[source.idx] = reason

        await each(sources, one, self.pipeline)
        targets = [self.target(source) for source in sources]
        plan = plan_renames([source.location for source in sources], targets, await self.taken(targets))
        for number, obstacle in plan.refused.items():
            found.setdefault(sources[number].idx, f"something stands at {obstacle} now")
        gone = await self._gone(targets)
        for source, target in zip(sources, targets, strict=True):
            if target.parent in gone:
                found.setdefault(source.idx, f"the folder {target.parent} is not there any more")
        return found

    async def _gone(self, targets: list[Location]) -> set[Location]:
        """Return the folders that are not there, and do not come back with the rest."""
        back, gone = set(targets), set()
        folders = {target.parent for target in targets}

        async def one(folder: Location) -> None:
            if not await self.reach.do(folder, lambda place: _is_folder(place, folder)):
                gone.add(folder)

        await each([folder for folder in folders if not _lies_in(folder, back)], one, self.pipeline)
        return gone


async def _is_folder(place: Place, where: Location) -> bool:
    try:
        return (await place.stat(where, follow=True)).kind is EntryKind.FOLDER
    except NotFound:
        return False


def _lies_in(folder: Location, others: set[Location]) -> bool:
    """Say whether a folder is one of some others, or below one."""
    while folder not in others:
        if folder.is_root:
            return False
        folder = folder.parent
    return True
