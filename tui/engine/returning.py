"""The work of undoing a move across filesystems: a move back, of just what was moved, to just where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine import whereabouts
from tui.engine.look import Way
from tui.engine.moving import Moving
from tui.model.error import AlreadyExists, NotFound, SourceReplaced
from tui.places.local.reversing import why_not_it, why_not_there

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui.engine.look import Step
    from tui.engine.rows import Source
    from tui.engine.traces import Trace
    from tui.model.location import Location
    from tui.places.local.root import Root


class Returning(Moving):
    """A move made from another job's record: nothing is merged or replaced, and nothing moved that was not there then.

    A trace tells what its source was left as, until there is a copy: then what that is known by.
    """

    async def execute(self) -> None:
        """Move back what is to be, if the folder it came from is that folder still."""
        run, target = self.run, self.row.target
        assert target is not None
        folder = target if self.row.into else target.parent
        goals = await run.journal.goals(self.row.id)
        reasons = await run.hop(_why_not_there, folder, goals)
        if reasons:  # without any, what was told of them before makes a retry begin anew
            run.record.errors = await run.journal.drop_errors(self.row.id, code=NotFound.__name__)
            await run.fail_job(NotFound(f"cannot bring anything back: {reasons[0]}", location=folder), folder)
            return
        await super().execute()

    async def sources(self, chunk: Sequence[Source]) -> None:
        """Leave out what is not what the other job left there."""
        fresh = [source for source in chunk if source.phase is None]
        reasons = await self.run.hop(_reasons, fresh, await self.kept(fresh))
        for source in fresh:
            if reason := reasons.get(source.idx):
                spot = self.source_spot(source)
                text = f"cannot bring {spot.target} back: {reason}"
                await self.run.fail(spot, SourceReplaced(text, location=source.location))
        if rest := [source for source in chunk if source.idx not in reasons]:
            await super().sources(rest)

    async def bring(self, steps: Sequence[Step], parent: Root) -> None:
        """Refuse a place that is taken, unless by what this job put there before a crash."""
        kept = await self.kept(steps)
        taken = await self.run.hop(self._taken, steps, kept)
        for step in taken:
            step.way, step.error = Way.REFUSED, self._in_its_place(step)
        await super().bring(steps, parent)

    def _taken(self, steps: Sequence[Step], kept: Mapping[int, Trace]) -> list[Step]:
        return [
            step
            for step in steps
            if step.there is not None
            and step.way not in (Way.GONE, Way.REFUSED)
            and not step.source.fresh
            and not whereabouts.is_our_copy(step, self.target, kept.get(step.idx))
        ]

    async def taken_meanwhile(self, step: Step, parent: Root, error: AlreadyExists) -> None:
        """Do not merge with what took the place while the tree was built."""
        await self.run.fail(self.spot(step), self._in_its_place(step))

    def _in_its_place(self, step: Step) -> AlreadyExists:
        where = self.target.location(step.target_name)
        return AlreadyExists(f"cannot bring {where} back: something stands there now", location=where)


def _why_not_there(folder: Location, goals: Sequence[str]) -> list[str]:
    return [reason for goal in goals if (reason := why_not_there(folder, goal)) is not None]


def _reasons(sources: Sequence[Source], kept: Mapping[int, Trace]) -> dict[int, str]:
    """Return by number what is wrong with sources that nothing was done to yet."""
    found = {}
    for source in sources:
        trace = kept.get(source.idx)
        if trace is None or (trace.is_under_way and trace.where is not None):
            continue  # its copy stands already, and is compared with it
        if (reason := why_not_it(source.location, trace.identity)) is not None:
            found[source.idx] = reason
    return found
