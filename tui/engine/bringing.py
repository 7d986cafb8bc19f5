"""Bringing sources to a local target: each is looked at, and copied into what stands, or built out of sight."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from tui.engine.halves import drop_halves
from tui.engine.look import Step, Task, Way, look_at
from tui.engine.naming import TopNames
from tui.engine.run import Spot, Sums
from tui.engine.walk import Walk
from tui.model.error import AlreadyExists, CollisionRefused, PlaceError
from tui.places.local.copying import HardLinks
from tui.places.local.hops import Brake
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import Root
from tui.places.local.seen import SeenNames
from tui.places.local.staging import prepare_stage, publish
from tui.places.local.standing import look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.rows import Source
    from tui.engine.run import Run

WORTH_SHARING = 32
"""With more names than this in one folder, they are dealt out to several hops."""


class Bringing:
    """Brings sources to the target. Everything goes relative to two opened folders: the sources' and the target's.

    Attributes:
        target: Opened by whoever says what is to be brought.
    """

    moves = False

    def __init__(self, run: Run) -> None:
        self.run = run
        self.row = run.record.row
        self.links = HardLinks()
        self.tops = TopNames(self.row, run.record.name_rules, run.fitting)
        self.target: Root
        self._seen = SeenNames()

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

    def inner_spot(self, source: Source, path: bytes, target_path: bytes) -> Spot:
        location = source.location.parent.below(os.fsdecode(path))
        return Spot(source.idx, path, target_path, location, self.target.location(target_path))
