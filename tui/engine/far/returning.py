"""The work of undoing a move between places: a move back, of just what was moved, to just where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.far.copying import AT_ONCE
from tui.engine.far.ends import look
from tui.engine.far.goal import open_goal
from tui.engine.far.identity import is_of_tree, why_not_it
from tui.engine.far.many import each
from tui.engine.far.moving import FarMoving
from tui.engine.sources import pages
from tui.engine.traces import ELSEWHERE, Bar
from tui.model.error import AlreadyExists, NotFound, PlaceError, SourceReplaced
from tui.places.local.reversing import why_not_there

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.far.tree import Step
    from tui.engine.rows import Source
    from tui.engine.traces import Trace
    from tui.model.location import Location


class FarReturning(FarMoving):
    """A move made from another job's record: nothing is merged or replaced, and nothing moved that was not there then.

    Before it has begun nothing is touched unless all of it can come back. A trace tells what its source was left as,
    until there is a copy: then what that is known by.
    """

    async def open_goal(self, target: Location) -> Location:
        """Return the folder things came from, if it is there, and on the disk it was on.

        Raises:
            NotFound: It is not.
        """
        folder = target if self.row.into else target.parent
        try:
            goal = await open_goal(self.ends.at(target), target, into=self.row.into, make=False)
        except NotFound as error:
            text = f"nothing can be brought back: the folder {folder} is not there any more"
            raise NotFound(text, location=folder) from error
        for home in await self.run.journal.goals(self.row.id) if target.is_local else ():
            reason = None if home == ELSEWHERE else await self.run.hop(why_not_there, folder, home)
            if reason is not None:
                raise NotFound(f"nothing can be brought back: {reason}", location=folder)
        return goal

    async def _everything(self) -> None:
        """Move all back, if nothing speaks against any of it; what was begun before goes on in any case."""
        run = self.run
        run.record.errors = await run.journal.drop_errors(self.row.id, whole=True)
        if not run.record.walk and self.row.source_count > 1:
            reasons: list[str] = []
            async for page in pages(run):
                reasons += (await self._reasons(page)).values()
            if reasons and not run.stopped:
                more = f" (and {len(reasons) - 1} more like that)" if len(reasons) > 1 else ""
                error = SourceReplaced(f"nothing was brought back: {reasons[0]}{more}")
                await run.fail_job(error, self.row.first_source)
                return
        if not run.stopped:
            await super()._everything()

    async def sources(self, chunk: Sequence[Source]) -> None:
        """Leave out what is not what the other job left there, and what finds its place taken."""
        reasons = await self._reasons(chunk)
        for source in chunk:
            if reason := reasons.get(source.idx):
                spot = self.source_spot(source)
                text = f"cannot bring {spot.target} back: {reason}"
                await self.run.fail(spot, SourceReplaced(text, location=source.location))
        if rest := [source for source in chunk if source.idx not in reasons]:
            await super().sources(rest)

    async def _reasons(self, sources: Sequence[Source]) -> dict[int, str]:
        """Return by number what is wrong with sources of which nothing was moved yet."""
        kept = await self.whereabouts.kept(sources)
        fresh = [s for s in sources if s.phase is None and not _is_begun(kept.get(s.idx))]
        await self.ends.open(*(source.location for source in fresh[:1]))
        found: dict[int, str] = {}

        async def one(source: Source) -> None:
            trace = kept.get(source.idx)
            identity = "" if trace is None else trace.identity
            if (reason := await self._why_not(source, identity)) is not None:
                found[source.idx] = reason

        trees = [s for s in fresh if (trace := kept.get(s.idx)) is not None and is_of_tree(trace.identity)]
        others = [source for source in fresh if source not in trees]
        await self.ends.do(lambda: each(others, one, AT_ONCE))
        for source in trees:  # many folders of each are read at once
            await self.ends.do(lambda source=source: one(source))  # type: ignore[misc]
        return found

    async def _why_not(self, source: Source, identity: str) -> str | None:
        where, back = source.location, self.source_spot(source).target
        try:
            await self.ends.name(where.parent)
            reason = await why_not_it(self.ends.at(where), where, identity)
            if reason is None and not source.fresh and await look(self.ends.at(back), back) is not None:
                reason = f"something stands at {back} now"
        except PlaceError as error:
            if self.ends.is_lost(error):
                raise
            reason = error.message
        return reason

    async def _apart(self, steps: Sequence[Step], parent: Location) -> list[Step]:
        """Refuse places that are taken, unless by what this job put there before a crash."""
        kept = await self.whereabouts.kept(steps)
        free: list[Step] = []
        for step in steps:
            trace = kept.get(step.idx)
            ours = step.was_fresh and trace is not None and trace.is_under_way
            if step.there is None or ours:
                free.append(step)
                continue
            spot = self.source_spot(step.source)
            text = f"cannot bring {spot.target} back: something stands there now"
            await self.run.fail(spot, AlreadyExists(text, location=spot.target))
        return await super()._apart(free, parent)


def _is_begun(trace: Trace | None) -> bool:
    """Say whether something of it may have been moved, so that it is not what it was."""
    return trace is not None and (trace.bar is Bar.PARTLY or bool(trace.home))
