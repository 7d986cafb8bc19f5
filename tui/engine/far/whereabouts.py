"""What a far move writes down to be undone by: where each source went, and by what it is known again there.

A rename is written down before it is done. Of what has to be copied, a trace first says that it is under way: COPIED of
a file, whose original stays until the end; PARTLY of a folder, out of which things go one by one. When all of a source
is there, and before its original goes, the trace says where, and what it looks like.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.engine.far.ends import look
from tui.engine.far.identity import identify, identify_copy
from tui.engine.far.many import each
from tui.engine.traces import ELSEWHERE, Bar, Trace
from tui.model.entry import EntryKind
from tui.model.error import PlaceError
from tui.model.job import Conflict
from tui.places.local.reversing import identity_of_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tui.engine.far.ends import Ends
    from tui.engine.far.tree import Step, Whole
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.location import Location

AT_ONCE = 32


class Whereabouts:
    """The traces of one job."""

    def __init__(self, run: Run, ends: Ends) -> None:
        self._run, self._ends = run, ends
        self._journal, self._job = run.journal, run.record.id

    async def kept(self, sources: Iterable[Step] | Iterable[Source]) -> dict[int, Trace]:
        """Return the traces of some sources, by number."""
        idxs = [each.idx for each in sources]
        if not idxs:
            return {}
        return await self._journal.traces(self._job, min(idxs), max(idxs) - min(idxs) + 1)

    async def renaming(self, steps: Sequence[Step], goal: Location) -> None:
        """Write down renames that are about to be done."""
        traces = [Trace(s.idx, goal.child(s.name), identify(s.entry)) for s in steps if s.entry is not None]
        await self._journal.set_traces(self._job, traces)

    async def undone(self, steps: Sequence[Step], before: Mapping[int, Trace]) -> None:
        """Take back what was written down of sources to which nothing was done after all."""
        idxs = [step.idx for step in steps]
        await self._journal.drop_traces(self._job, [idx for idx in idxs if idx not in before])
        await self._journal.set_traces(self._job, [before[idx] for idx in idxs if idx in before])

    # What is copied

    async def begun(self, steps: Sequence[Step], before: Mapping[int, Trace]) -> None:
        """Write down that some sources are about to be copied."""
        traces = [self._begun(step, before.get(step.idx)) for step in steps]
        await self._journal.set_traces(self._job, traces)
        if any(trace.bar is Bar.PARTLY for trace in traces):  # what is left of it is not known again
            await self._journal.set_sources(self._job, [step.source for step in steps], durable=True)

    def _begun(self, step: Step, before: Trace | None) -> Trace:
        bar = self._bar(step, before)
        return Trace(step.idx, None, "", bar) if before is None else replace(before, bar=bar)

    def _bar(self, step: Step, before: Trace | None) -> Bar:
        """Return what will speak against undoing the copy, where anything will."""
        under_way = Bar.PARTLY if _is_folder(step) else Bar.COPIED
        if step.there is None:
            return under_way
        if before is not None and before.bar in (Bar.MERGED, Bar.REPLACED):
            return before.bar
        rule = self._run.rule_for(step.idx, os.fsencode(step.source.location.name))
        there_is_folder = step.there.kind is EntryKind.FOLDER
        if step.was_fresh:
            # This job made it. Only a file may have been replaced nevertheless, if somebody else's came in between.
            replaced = rule in (Conflict.OVERWRITE, Conflict.NEWER) and not there_is_folder
            return Bar.REPLACED if replaced else under_way
        if _is_folder(step) and there_is_folder:
            return Bar.MERGED
        return under_way if rule is Conflict.RENAME else Bar.REPLACED

    async def complete(
        self, steps: Sequence[Step], whole: Mapping[int, Whole], parent: Location, goal: Location
    ) -> None:
        """Write down where sources of one folder are that are whole at the target, before they are removed."""
        kept = await self.kept(steps)
        traces = [
            replace(kept[step.idx], where=goal.child(whole[step.idx].name))
            for step in steps
            if step.idx in kept and kept[step.idx].is_under_way
        ]
        met = {s.idx for s in steps if s.there and not s.was_fresh and whole[s.idx].name == s.name}
        found = [replace(trace, where=None, bar=Bar.REPLACED) for trace in traces if trace.idx in met]
        traces = [trace for trace in traces if trace.idx not in met]
        if traces:
            home = await self._home(parent)
            known = await self._identities(traces, {step.idx for step in steps if _is_folder(step)})
            for trace in traces:
                identity = known.get(trace.idx)
                bar = Bar.UNSEEN if identity is None else None
                found.append(replace(trace, identity=identity or "", bar=bar, home=home))
        await self._journal.set_traces(self._job, found)

    async def _identities(self, traces: Sequence[Trace], trees: set[int]) -> dict[int, str]:
        """Return by number what copies are known by; one that cannot be looked at is left out."""
        found: dict[int, str] = {}

        async def one(trace: Trace) -> None:
            assert trace.where is not None
            try:
                found[trace.idx] = await identify_copy(self._ends.at(trace.where), trace.where)
            except PlaceError as error:
                if self._ends.is_lost(error):
                    raise

        files = [trace for trace in traces if trace.idx not in trees]
        if files:
            await self._ends.do(lambda: each(files, one, AT_ONCE))
        for trace in traces:  # many folders of each are read at once
            if trace.idx in trees:
                await self._ends.do(lambda trace=trace: one(trace))  # type: ignore[misc]
        return found

    async def _home(self, folder: Location) -> str:
        """Return what the folder is known by that sources leave, where that can be told."""
        if not folder.is_local:
            return ELSEWHERE
        try:
            return await self._run.hop(identity_of_folder, folder)
        except PlaceError:
            return ELSEWHERE

    async def incomplete(self, steps: Sequence[Step], before: Mapping[int, Trace], goal: Location) -> None:
        """Write down what became of sources that are not whole at the target: of a file, nothing."""
        untouched = [step for step in steps if not _is_folder(step)]

        async def one(step: Step) -> None:
            try:
                if step.there is None and await look(self._ends.at(goal), goal.child(step.name)) is None:
                    untouched.append(step)
            except PlaceError as error:
                if self._ends.is_lost(error):
                    raise

        if folders := [step for step in steps if _is_folder(step)]:
            await self._ends.do(lambda: each(folders, one, AT_ONCE))
        await self.undone(untouched, before)

    async def stayed(self, steps: Sequence[Step]) -> None:
        """Write down that originals are still there whose copies are complete."""
        kept = await self.kept(steps)
        bars = {step.idx: Bar.PARTLY if _is_folder(step) else Bar.COPIED for step in steps}
        traces = [replace(kept[idx], bar=bar) for idx, bar in bars.items() if idx in kept]
        await self._journal.set_traces(self._job, [trace for trace in traces if trace.home])


def _is_folder(step: Step) -> bool:
    return step.entry is not None and step.entry.kind is EntryKind.FOLDER
