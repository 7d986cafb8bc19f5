"""A copy job: source after source, in groups that share a folder; then what was put off."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from tui.engine.doubt import note_target
from tui.engine.flushing import flush_at_the_end
from tui.engine.halves import drop_halves
from tui.engine.link_recall import LinkRecall, forget_links, recall_links
from tui.engine.look import Step, Task, Way, look_at, open_target
from tui.engine.naming import TopNames
from tui.engine.noting import recall_losses
from tui.engine.planner import chunks
from tui.engine.run import Spot, Sums
from tui.engine.sources import begin, end, pages
from tui.engine.walk import Walk
from tui.model.error import AlreadyExists, CollisionRefused, PlaceError
from tui.places.local.copying import HardLinks, sweep
from tui.places.local.flushing import Disks
from tui.places.local.hops import Brake
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import Root, split
from tui.places.local.seen import SeenNames
from tui.places.local.staging import prepare_stage, publish
from tui.places.local.standing import look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.rows import Decision, Source
    from tui.engine.run import Run
    from tui.model.location import Location

WORTH_SHARING = 32
"""With more names than this in one folder, they are dealt out to several hops."""


def _open(target: Location, *, into: bool) -> tuple[Root, Disks]:
    root = open_target(target, into=into)
    try:
        return root, Disks(root)
    except PlaceError:
        root.close()
        raise


class Copying:
    """Copies what a job names. Everything goes relative to two opened folders: the sources' and the target's."""

    moves = False

    def __init__(self, run: Run) -> None:
        self.run = run
        self.row = run.record.row
        self.links = HardLinks()
        self._recall = LinkRecall(run, self.links, self.source_spot)
        self.tops = TopNames(self.row, run.record.name_rules, run.fitting)
        self.target: Root
        self._seen = SeenNames()
        self.tried_again = 0
        """The last error of those that are being tried once more."""
        self._compared = False
        """This walk compares what looks complete."""

    async def execute(self) -> None:
        """Do all there is to do, or until the run is stopped."""
        target = self.row.target
        assert target is not None
        try:
            self.target, self.run.disks = await self.run.hop(_open, target, into=self.row.into)
        except PlaceError as error:
            self.run.record.errors = await self.run.journal.drop_errors(self.row.id, code=error.code)
            await self.run.fail_job(error, target)
            return
        try:
            await note_target(self.run, self.target.device)
            await recall_losses(self.run, self.target)
            await recall_links(self.run, self.links, self.target)
            await self.tops.settle(self.run)
            await self._all_parts()
        finally:
            self.run.release(self.run.disks, self.target)

    async def _all_parts(self) -> None:
        run = self.run
        if run.record.failed_only:
            await self._failed()
        elif not run.record.walked:
            await self._everything()
        while not run.stopped and (run.later or await self._due()):
            await self._later()
        await self.last()
        if not run.stopped and run.record.walk > 1:
            await run.hop(sweep, self.target, b"", self.row.tag)
        if not run.stopped:
            await forget_links(run)
            await flush_at_the_end(run, compared=self._compared)
            run.shared.pool.submit(run.noting.drop)

    async def last(self) -> None:
        """Do what comes after all else. (Nothing for a copy.)"""

    # The whole job

    async def _everything(self) -> None:
        run, record = self.run, self.run.record
        self._compared = record.doubtful
        await begin(run)
        record.losses.begin()
        run.answers.learn(await run.journal.decisions(self.row.id))
        async for page in pages(run):
            for chunk in chunks(page):
                if not run.stopped:
                    await self.sources(chunk)
        if not run.stopped:
            record.questions = await run.journal.end_walk(self.row.id, record.walk)
            self._recall.is_done = True
            record.losses.end()
        end(run)

    async def sources(self, chunk: Sequence[Source]) -> None:
        """Bring some sources of one folder to the target."""
        try:
            parent = await self.run.hop(Root.open, chunk[0].location.parent.path)
        except PlaceError as error:
            for source in chunk:
                await self.run.fail(self.source_spot(source), error)
            return
        try:
            # What would be one with another source comes after it, and finds it there.
            for _, group in groupby(sorted(chunk, key=self.tops.has_met), key=self.tops.has_met):
                if not self.run.stopped:
                    await self._sources_in(list(group), parent)
        finally:
            self.run.release(parent)

    async def _sources_in(self, chunk: Sequence[Source], parent: Root) -> None:
        names = await self._named(chunk)
        run = self.run
        task = Task(self.moves, names, run.record.conflict, self.row.staging, run.homes)
        named = [source for source in chunk if source.idx in names]
        steps = await self.run.hop(look_at, task, named, parent, self.target)
        for step in steps:
            # What another source of this job may have put there is no copy of this one because it looks like it.
            step.compare = self._seen.meet(step.name) or self.moves
            if step.way not in (Way.GONE, Way.REFUSED) and self.tops.has_met(step.source):
                self._keep_apart(step)
        await self.bring(steps, parent)

    def _keep_apart(self, step: Step) -> None:
        """Refuse what would be merged with another source, or take its name before it."""
        if step.there is None or step.way is Way.MERGE:
            step.way, step.error = Way.REFUSED, self.tops.refusal(step.source)

    async def _named(self, chunk: Sequence[Source]) -> dict[int, bytes]:
        """Return what sources are called at the target; what is left out, or refused for its name, is not in it."""
        run, names = self.run, dict[int, bytes]()
        for source in chunk:
            try:
                name = self.tops.choose(source, run.rule_for(source.idx, os.fsencode(source.location.name)))
            except CollisionRefused as error:
                await self.run.fail(self.source_spot(source), error)
                continue
            if name is not None:
                names[source.idx] = name
            else:
                self.run.count(Sums(skipped_files=1))
        return names

    async def bring(self, steps: Sequence[Step], parent: Root) -> None:
        """Copy what was looked at, each its own way."""
        await self.refuse(steps)
        await self._note_fresh(steps)
        names = [step for step in steps if step.way in (Way.NAME, Way.MERGE)]
        for _, group in groupby(sorted(names, key=lambda step: step.compare), key=lambda step: step.compare):
            if not self.run.stopped:
                await self.copy_names(list(group), parent)
        for step in steps:
            if step.way is Way.STAGE and not self.run.stopped:
                await self.build(step, parent)

    async def refuse(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if step.way is Way.REFUSED and step.error is not None:
                await self.run.fail(self.spot(step), step.error)

    async def _note_fresh(self, steps: Sequence[Step]) -> None:
        """Note which names were free, and which a job chose itself, before anything is made there."""
        changed = []
        for step in steps:
            fresh = step.source.fresh or (step.way in (Way.NAME, Way.MERGE) and step.there is None)
            target = step.source.target
            if target is None and step.target_name not in (self._only_name, step.name):
                target = self.target.location(step.target_name)
            if (fresh, target) != (step.source.fresh, step.source.target):
                step.source = replace(step.source, fresh=fresh, target=target)
                changed.append(step.source)
        if changed:
            await self.run.journal.set_sources(self.row.id, changed)

    async def copy_names(self, steps: Sequence[Step], parent: Root) -> None:
        """Copy files, and folders that meet folders, straight into the target folder."""
        walk = self.walk(parent, {step.name: step.idx for step in steps}, compare=steps[0].compare)
        names = [(step.name, step.target_name) for step in steps]
        hops = self.run.shared.slots if len(names) > WORTH_SHARING else 1
        for first in range(hops):
            walk.add(b"", b"", names[first::hops])
        await walk.run()

    async def build(self, step: Step, parent: Root) -> None:
        """Build a new tree out of sight and give it its name when it stands."""
        run = self.run
        try:
            stage, is_new = await run.hop(prepare_stage, self.target, step.target_name, self.row.tag)
        except PlaceError as error:
            await run.fail(self.spot(step), error)
            return
        run.building(self.target.location(step.target_name))
        try:
            if not is_new and (trouble := await drop_halves(run, parent, step.name, self.target, stage)):
                raise trouble
            walk = self.walk(
                parent, {step.name: step.idx}, stage=(stage, step.target_name), compare=step.compare
            )
            walk.add(step.name, stage)
            await walk.run()
            if run.stopped:
                return  # it is still there, and will be gone on with, or tidied up
            if walk.broken and await run.hop(self._is_removed, stage):
                run.building(None)
                return
            await self.stands(step, stage)
            await run.hop(publish, self.target, stage, step.target_name)
            run.record.unflushed = run.record.renamed = True
        except AlreadyExists as error:
            run.building(None)
            await self._unbuild(stage)
            await self.taken_meanwhile(step, parent, error)
        except PlaceError as error:
            run.building(None)
            await run.fail(self.spot(step), error)
        else:
            run.building(None)
            self.links.moved(stage, step.target_name)
            step.source = replace(step.source, fresh=True)
            await run.journal.set_sources(self.row.id, [step.source])

    async def stands(self, step: Step, stage: bytes) -> None:
        """Note that a tree is whole and about to get its name. (Nothing for a copy.)"""

    async def taken_meanwhile(self, step: Step, parent: Root, error: AlreadyExists) -> None:
        """Go on where a name was taken while the tree was built: what stands there is met like any other folder."""
        step.there = await self.run.hop(look, self.target.fd, step.target_name)
        await self.copy_names([step], parent)

    def _is_removed(self, stage: bytes) -> bool:
        """Remove the stage of a source that could not even be opened; say False where something is in it after all."""
        try:
            os.rmdir(stage, dir_fd=self.target.fd)
        except OSError:
            return False
        return True

    async def _unbuild(self, stage: bytes) -> None:
        removal = TreeRemoval(self.target, stage, Brake(), opening=True)
        try:
            while not (await self.run.hop(removal.step)).exhausted:
                pass
        finally:
            self.run.release(removal)

    def walk(
        self,
        parent: Root,
        owners: dict[bytes, int],
        *,
        stage: tuple[bytes, bytes] | None = None,
        compare: bool = False,
    ) -> Walk:
        return Walk(self.run, parent, self.target, owners, links=self.links, stage=stage, compare=compare)

    # Single entries: those that failed, were put off, or were asked about

    async def _failed(self) -> None:
        """Try what failed once more. Errors go when they were tried; new ones come with higher numbers."""
        run = self.run
        run.answers.learn(await run.journal.decisions(self.row.id))
        self.tried_again = up_to = await run.journal.last_error(self.row.id)
        while not run.stopped and (rows := await run.journal.error_rows(self.row.id, up_to)):
            entries = [
                (row.idx, row.path, row.target_path)
                for row in rows
                if row.idx is not None and not row.removing
            ]
            if run.record.doubtful or any(row.idx is None for row in rows):
                run.record.failed_only = False
                await run.journal.update(self.row.id, {"failed_only": False})
                await self._everything()
                return
            await self._recall.find([row.location for row in rows], self.target)
            await self.entries(entries)
            await self.removals_failed({row.idx for row in rows if row.idx is not None})
            await self._later()  # until then its error is all that is kept of it
            if not run.stopped:
                run.record.errors = await run.journal.drop_errors(self.row.id, ids=[row.id for row in rows])

    async def removals_failed(self, idxs: set[int]) -> None:
        """Remove originals that could not be removed, or copied, at first. (Nothing for a copy.)"""

    async def _due(self) -> bool:
        """Carry out the answers to what was passed by; say whether there were any."""
        run = self.run
        decisions = await run.journal.decisions(self.row.id, due=True, count=256)
        run.answers.learn(decisions)
        await run.carries_out(decisions)
        if not self._recall.is_done:
            await self._recall.find([await self._where(decision) for decision in decisions], self.target)
        await self.carry_out(decisions)
        return bool(decisions)

    async def _where(self, decision: Decision) -> Location:
        (source,) = await self.run.journal.sources(self.row.id, decision.idx, 1)
        return source.location.parent.below(os.fsdecode(decision.path))

    async def carry_out(self, decisions: Sequence[Decision]) -> None:
        await self.entries([(d.idx, d.path, d.target_path) for d in decisions])
        await self.run.journal.settle(self.row.id, decisions)

    async def _later(self) -> None:
        """Try again what failed for a passing reason, when its time has come."""
        run = self.run
        while run.later and not run.stopped:
            run.later.sort(key=lambda entry: -entry.due)
            await run.wait_until(run.later[-1].due)
            now = run.clock.monotonic()
            due = [entry for entry in run.later if entry.due <= now]
            run.later = [entry for entry in run.later if entry.due > now]
            for entry in due:
                run.try_again(entry)
            if run.brake.on:
                return
            await self.entries([(entry.idx, entry.path, entry.target_path) for entry in due])

    async def entries(self, entries: Sequence[tuple[int, bytes, bytes]]) -> None:
        """Copy single entries: (source, path, target path) of each. Whole sources are looked at afresh."""
        whole = sorted({idx for idx, path, _ in entries if b"/" not in path})
        inner = sorted({entry for entry in entries if b"/" in entry[1] and entry[0] not in whole})
        for idx in whole:
            if not self.run.stopped:
                await self.sources(await self.run.journal.sources(self.row.id, idx, 1))
        for idx, group in groupby(inner, key=lambda entry: entry[0]):
            of_source = list(group)
            if not self.run.stopped:
                (source,) = await self.run.journal.sources(self.row.id, idx, 1)
                await self._entries_of(source, of_source)

    async def _entries_of(self, source: Source, entries: list[tuple[int, bytes, bytes]]) -> None:
        try:
            parent = await self.run.hop(Root.open, source.location.parent.path)
        except PlaceError as error:
            for _, path, target_path in entries:
                await self.run.fail(self._inner_spot(source, path, target_path), error)
            return
        try:
            walk = self.walk(parent, {entries[0][1].partition(b"/")[0]: source.idx}, compare=self.moves)
            for folders, group in groupby(
                entries, key=lambda entry: (split(entry[1])[0], split(entry[2])[0])
            ):
                walk.add(
                    *folders, [(split(path)[1], split(target_path)[1]) for _, path, target_path in group]
                )
            await walk.run()
        finally:
            self.run.release(parent)

    # Names

    @property
    def _only_name(self) -> bytes | None:
        """The name the one source gets, where the target names it and not a folder."""
        return None if self.row.into or self.row.target is None else os.fsencode(self.row.target.name)

    def spot(self, step: Step) -> Spot:
        return Spot(
            step.idx,
            step.name,
            step.target_name,
            step.source.location,
            self.target.location(step.target_name),
        )

    def source_spot(self, source: Source) -> Spot:
        name = os.fsencode(source.location.name)
        target_name = os.fsencode(source.target.name) if source.target else self._only_name or name
        return Spot(source.idx, name, target_name, source.location, self.target.location(target_name))

    def _inner_spot(self, source: Source, path: bytes, target_path: bytes) -> Spot:
        location = source.location.parent.below(os.fsdecode(path))
        return Spot(source.idx, path, target_path, location, self.target.location(target_path))
