"""A move job: a rename where one filesystem holds both ends, else a copy and the removal of the original."""

from __future__ import annotations

import contextlib
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.engine import whereabouts
from tui.engine.look import Step, Way, free_name, way_of_new
from tui.engine.rows import Phase
from tui.engine.run import Sums
from tui.engine.taking_away import TakingAway
from tui.engine.traces import Bar, Trace
from tui.model.error import (
    AlreadyExists,
    IsAFolder,
    NotAFolder,
    PlaceError,
)
from tui.model.job import Conflict
from tui.places.local.hops import Collision
from tui.places.local.identity import identify
from tui.places.local.root import Root, split
from tui.places.local.staging import move_into_place
from tui.places.local.standing import facts, is_newer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui.engine.rows import Decision, Source

Outcome = bool | PlaceError | None
"""Of one rename: done; not possible between these filesystems (False); refused; not tried (None)."""


class Moving(TakingAway):
    """Moves what a job names. The phases in the journal tell after a crash why a source is not there any more."""

    moves = True

    async def sources(self, chunk: Sequence[Source]) -> None:
        for source in chunk:
            if source.phase is Phase.DONE:
                self._count_source(source)
        copied = [source for source in chunk if source.phase is Phase.REMOVING]
        for source in copied:
            self._count_source(source)
        if copied:
            await self._remove(copied)
        rest = [source for source in chunk if source.phase not in (Phase.DONE, Phase.REMOVING)]
        if rest and not self.run.stopped:
            await super().sources(rest)

    def _count_source(self, source: Source) -> None:
        self.run.count(Sums(files=source.files, bytes=source.size_bytes), metered=False)

    async def bring(self, steps: Sequence[Step], parent: Root) -> None:
        await self._found_gone([step for step in steps if step.way is Way.GONE])
        for step in steps:
            if step.way is Way.TAKEN:
                await self._meet(step)
        await self._rename([step for step in steps if step.way is Way.RENAME], parent)
        files = [step for step in steps if step.way is Way.NAME]
        folders = [step for step in steps if step.way in (Way.MERGE, Way.STAGE)]
        await self.refuse(steps)
        done = await self._copied(files, parent) if files else []
        for step in folders:
            if not self.run.stopped:
                done += await self._copied([step], parent)
        if not self.run.stopped:
            await self._remove(done)

    async def _copied(self, steps: list[Step], parent: Root) -> list[Source]:
        """Copy some sources; return them with what they amount to."""
        tally = self.run.record.tally
        files, size_bytes = tally.files_done, tally.bytes_done
        run = self.run
        kept = await self.kept(steps)
        await run.journal.set_traces(
            self.row.id, await run.hop(whereabouts.begun, run, steps, self.target, kept)
        )
        await super().bring(steps, parent)
        if len(steps) == 1:
            amounts = [(tally.files_done - files, tally.bytes_done - size_bytes)]
        else:
            amounts = [(1, step.size_bytes) for step in steps]
        return [
            replace(step.source, files=amount[0], size_bytes=amount[1])
            for step, amount in zip(steps, amounts, strict=True)
        ]

    async def stands(self, step: Step, stage: bytes) -> None:
        """Write down what the tree is known by before it gets its name: so it is not taken for another one's."""
        run = self.run
        trace = (await self.kept([step])).get(step.idx)
        if trace is not None and trace.is_under_way:
            noted = await run.hop(whereabouts.about_to_stand, trace, self.target, stage, step.target_name)
            await run.journal.set_traces(self.row.id, [noted])

    # Renaming

    async def _found_gone(self, steps: Sequence[Step]) -> None:
        """Count sources that were moved before a crash."""
        done = [replace(step.source, phase=Phase.DONE, files=max(1, step.source.files)) for step in steps]
        for source in done:
            self._count_source(source)
        if done:
            await self.run.journal.set_sources(self.row.id, done)

    async def _meet(self, step: Step) -> None:
        """Decide about a name that is taken, where a rename would do: the step's way says what came of it."""
        assert step.info is not None and step.there is not None
        run, spot = self.run, self.spot(step)
        rule = run.rule_for(step.idx, step.name)
        if rule in (Conflict.ASK, Conflict.FAIL):
            step.way = Way.REFUSED
            await run.collide(spot, Collision(step.name, facts(step.info), facts(step.there)))
        elif rule is Conflict.RENAME:
            is_folder = stat.S_ISDIR(step.info.st_mode)
            step.target_name = await run.hop(free_name, self.target, step.target_name, is_folder=is_folder)
            step.there, step.way = None, Way.RENAME
        elif rule is Conflict.SKIP or (
            rule is Conflict.NEWER and not is_newer(step.info, step.there, self.target.ways)
        ):
            step.way = Way.REFUSED
            run.count(Sums(skipped_files=1, skipped_bytes=step.size_bytes))
        else:
            step.error = self._in_the_way(step)
            step.way = Way.REFUSED if step.error else Way.RENAME

    def _in_the_way(self, step: Step) -> PlaceError | None:
        """Say why one cannot take the other's place: a folder is never overwritten, nor does one overwrite."""
        assert step.info is not None and step.there is not None
        where = self.target.location(step.target_name)
        if stat.S_ISDIR(step.there.st_mode):
            return IsAFolder(f"cannot move {step.source.location} over the folder {where}", location=where)
        if stat.S_ISDIR(step.info.st_mode):
            return NotAFolder(
                f"cannot move the folder {step.source.location} over the file {where}", location=where
            )
        return None

    async def _rename(self, steps: list[Step], parent: Root) -> None:
        """Rename what is on the target's filesystem; what turns out not to be is left to be copied."""
        if not steps or self.run.stopped:
            return
        run = self.run
        before = await self.kept([step for step in steps if step.there is not None])
        await run.journal.set_traces(self.row.id, await run.hop(self._traces, steps, parent))
        await run.journal.set_sources(self.row.id, [self._renaming(step) for step in steps], durable=True)
        outcomes = await run.hop(self._rename_in_thread, steps, parent)
        changed: list[Source] = []
        for step, outcome in zip(steps, outcomes, strict=True):
            if outcome is True:
                changed.append(replace(step.source, phase=Phase.DONE, files=1, size_bytes=step.size_bytes))
                run.count(Sums(files=1, bytes=step.size_bytes), step.source.location, metered=False)
                run.record.renamed = True
                continue
            step.source = replace(step.source, phase=None)
            changed.append(step.source)
            if outcome is False:
                folder = step.info is not None and stat.S_ISDIR(step.info.st_mode)
                step.way = way_of_new(self.row.staging) if folder and step.there is None else Way.NAME
        await run.journal.set_sources(self.row.id, changed)
        stays = [step for step, outcome in zip(steps, outcomes, strict=True) if outcome is not True]
        await self._replaced_nothing([step.idx for step in stays if step.there is not None], before)
        for step, outcome in zip(steps, outcomes, strict=True):
            if isinstance(outcome, AlreadyExists):
                await self.sources([step.source])  # taken meanwhile: looked at afresh
            elif isinstance(outcome, PlaceError):
                await run.fail(self.spot(step), outcome)

    def _traces(self, steps: Sequence[Step], parent: Root) -> list[Trace]:
        """Return by what these renames are undone."""
        traces = []
        for step in steps:
            with contextlib.suppress(OSError):
                identity = identify(parent.fd, step.name, step.info)
                bar = Bar.REPLACED if step.there is not None else None
                traces.append(Trace(step.idx, self.target.location(step.target_name), identity, bar))
        return traces

    async def _replaced_nothing(self, idxs: Sequence[int], before: Mapping[int, Trace]) -> None:
        """Take back that these replaced something: it stands as it did, and nothing speaks against undoing the rest."""
        # What tells a place was written before a rename too, by an engine that was killed before it.
        known = {idx: t for idx, t in before.items() if t.bar is not Bar.REPLACED or t.where is None}
        await self.run.journal.drop_traces(self.row.id, [idx for idx in idxs if idx not in known])
        await self.run.journal.set_traces(self.row.id, [known[idx] for idx in idxs if idx in known])

    def _renaming(self, step: Step) -> Source:
        if step.target_name not in (self._only_name, step.name):
            step.source = replace(step.source, target=self.target.location(step.target_name))
        step.source = replace(step.source, phase=Phase.RENAMING)
        return step.source

    def _rename_in_thread(self, steps: Sequence[Step], parent: Root) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for step in steps:
            if self.run.stopped:
                outcomes.append(None)
                continue
            try:
                over = step.there is not None
                outcomes.append(
                    move_into_place(parent, step.name, self.target, step.target_name, replace=over)
                )
            except PlaceError as error:
                outcomes.append(error)
        return outcomes

    # Entries kept under another name

    async def carry_out(self, decisions: Sequence[Decision]) -> None:
        """Choose the other names first, and write them down: by them the originals are found again, to be removed."""
        chosen = [await self._with_name(decision) for decision in decisions]
        await self.run.journal.settle(self.row.id, chosen)
        await self.entries([(d.idx, d.path, d.kept_as or d.target_path) for d in chosen])
        if not self.run.stopped:
            await self._remove_by_number({decision.idx for decision in chosen})

    async def _with_name(self, decision: Decision) -> Decision:
        if decision.rule is not Conflict.RENAME or decision.kept_as is not None:
            return decision
        folder, name = split(decision.target_path)
        try:
            other = await self.run.hop(free_name, self.target, name, folder)
        except PlaceError:
            return decision  # the copy will say what is wrong there
        if b"/" in decision.path:
            return replace(decision, kept_as=folder + b"/" + other if folder else other)
        (source,) = await self.run.journal.sources(self.row.id, decision.idx, 1)
        source = replace(source, target=self.target.location(other))
        await self.run.journal.set_sources(self.row.id, [source])
        return decision
