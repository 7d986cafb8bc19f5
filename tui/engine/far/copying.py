"""A copy between places: source after source, in groups that share a folder; then what was put off.

The target is the checkpoint: what stands there complete is not copied again, whatever went wrong before.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from tui.engine.far.copy_totals import CopyCounting
from tui.engine.far.deciding import Tools
from tui.engine.far.ends import Halted, OutOfReach, look
from tui.engine.far.finishing import flush, sweep
from tui.engine.far.fitted import agree
from tui.engine.far.goal import free_name, open_goal, resolved
from tui.engine.far.tree import Folder, Item, Step, Whole
from tui.engine.far.walking import Walk
from tui.engine.planner import chunks
from tui.engine.rows import name_of
from tui.engine.run import Spot
from tui.engine.sources import begin, end, pages
from tui.model.entry import Entry, EntryKind
from tui.model.error import NotAFolder, NotFound, PlaceError, SameFile, TargetInsideSource
from tui.model.job import Conflict, JobKind

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from tui.engine.naming import TopNames
    from tui.engine.rows import Decision, Source
    from tui.engine.run import Run
    from tui.model.location import Location
    from tui.places.base import Place

AT_ONCE = 32
"""So many sources are looked at at the same time."""


class FarCopying:
    """Copies what a job names."""

    verb = "copy"

    def __init__(self, run: Run) -> None:
        self.run, self.row = run, run.record.row
        self.tools = Tools.of(run)
        self.ends = self.tools.ends
        self.goal: Location
        """The folder at the target that things go into."""
        self._counting: CopyCounting | None = None
        self._names: TopNames | None = None

    async def execute(self) -> None:
        """Do all there is to do, or until the run is stopped."""
        try:
            await self._all_parts()
        except Halted:
            return
        except OutOfReach as told:
            await self._fail_job(told.error, told.location)
        finally:
            if not self.run.stopped:
                self.run.record.tally.counting = False

    async def _all_parts(self) -> None:
        run, target = self.run, self.row.target
        assert target is not None
        self._names = await agree(run, self.ends)
        if run.stopped:
            return
        await self.ends.open(target)
        try:
            self.goal = await self.ends.do(lambda: self.open_goal(target))
        except PlaceError as error:
            await self._fail_job(error, target)
            return
        if run.record.failed_only:
            await self._failed()
        elif not run.record.walked:
            await self._all()
        await self._rest()
        if not run.stopped:
            await self.last()
            await self._rest()  # what failed for a passing reason only then
        if not run.stopped:
            await sweep(run, self.ends, self.tools.halves)
            self.tools.transfer.forget_halves()
            await flush(run, self.ends, target, self.goal)

    async def open_goal(self, target: Location) -> Location:
        """Return the folder things go into.

        Raises:
            PlaceError: It cannot be had.
        """
        return await open_goal(self.ends.at(target), target, into=self.row.into)

    async def _rest(self) -> None:
        """Do what was answered, or is to be tried again, until there is nothing of it."""
        while not self.run.stopped and (self.run.later or await self._due()):
            await self._later()

    async def _fail_job(self, error: PlaceError, location: Location) -> None:
        self.run.record.errors = await self.run.journal.drop_errors(self.row.id, code=error.code)
        await self.run.fail_job(error, location)

    async def last(self) -> None:
        """Do what comes after all else. (Nothing for a copy.)"""

    # The whole job

    async def _all(self) -> None:
        """Do the whole job, counted beside it, unless there is no room."""
        self.run.answers.learn(await self.run.journal.decisions(self.row.id))
        self._counting = CopyCounting(self)
        await self._counting.look_first()
        if self.run.stopped:
            await self._counting.go_on()
        else:
            await self._counting.beside(self._everything())

    async def _everything(self) -> None:
        run, record = self.run, self.run.record
        await begin(run, removes=run.moves)
        record.losses.begin()
        async for page in pages(run):
            for chunk in chunks(page):
                if not run.stopped:
                    await self.sources(chunk)
        if not run.stopped:
            record.questions = await run.journal.end_walk(self.row.id, record.walk)
            record.losses.end()
            tally, counts = record.tally, self.tools.counts
            tally.files_total = max(counts.seen_files, tally.files_done)
            tally.bytes_total = max(counts.seen_bytes, tally.bytes_done)
        end(run)

    async def sources(self, chunk: Sequence[Source]) -> None:
        """Bring some sources of one folder to the target."""
        try:
            looked = self._counting.looked_at(chunk) if self._counting is not None else None
            steps, parent = looked or await self.look_at(chunk)
        except PlaceError as error:
            for source in chunk:
                await self.run.fail(self.source_spot(source), error)
            return
        for step in steps:
            if step.error is not None:
                await self.run.fail(self.source_spot(step.source), step.error)
        self.tools.counts.sums.skipped_files += sum(step.left_out for step in steps)
        steps = [step for step in steps if step.error is None and not step.left_out]
        await self._note_fresh(steps)
        await self.bring(steps, parent)

    async def look_at(self, chunk: Sequence[Source]) -> tuple[list[Step], Location]:
        """Look at some sources of one folder, and at what stands where they go.

        Returns:
            What was found of each, in order; and their folder.
        Raises:
            PlaceError: Nothing of it can be looked at.
        """
        first = chunk[0].location
        await self.ends.open(first)
        steps = [self.step_of(source) for source in chunk]
        parent = await self.ends.do(lambda: resolved(self.ends.at(first), first.parent))
        await self.ends.name(parent, self.goal)
        named = [step for step in steps if step.error is None and not step.left_out]
        await self.ends.do_each(named, lambda step: self._look_at(step, parent), Step.refuse, AT_ONCE)
        return steps, parent

    def step_of(self, source: Source) -> Step:
        """Return a source with the name it gets."""
        step = Step(source, self.name_of(source), was_fresh=source.fresh)
        if self._names is not None:
            rule = self.run.rule_for(source.idx, os.fsencode(source.location.name))
            try:
                name = self._names.choose(source, rule)
            except PlaceError as error:
                step.error = error
            else:
                step.left_out, step.name = name is None, os.fsdecode(name or b"")
        return step

    async def _look_at(self, step: Step, parent: Location) -> None:
        """Find out what a source is and what stands where it goes.

        Raises:
            PlaceError: It cannot be told, or is refused.
        """
        place, where = self.ends.at(parent), parent.child(step.source.location.name)
        try:
            step.entry = await place.stat(where)
        except (NotFound, NotAFolder):
            if not await self.has_gone(step, place):
                raise
        else:
            await self.examine(step, where)

    async def has_gone(self, step: Step, place: Place) -> bool:
        """Say whether this job itself took away a source that is not there. (A copy takes away nothing.)"""
        return False

    async def examine(self, step: Step, where: Location) -> None:
        """Refuse what would go into or onto itself.

        Raises:
            PlaceError: It is refused.
        """
        assert step.entry is not None
        source, target = step.source.location, self.goal.child(step.name)
        is_folder = step.entry.kind is EntryKind.FOLDER
        if where == target:
            rule = self.run.rule_for(step.idx, os.fsencode(source.name))
            if self.run.moves or rule is not Conflict.RENAME:
                raise SameFile(f"cannot {self.verb} {source} onto itself", location=source)
            step.name = await free_name(self.ends.at(target), target, is_folder=is_folder)
        elif is_folder and where.holds(self.goal):
            raise TargetInsideSource(
                f"cannot {self.verb} {source} into itself: the target {self.goal} is in it", location=source
            )
        step.there = await look(self.ends.at(self.goal), self.goal.child(step.name))

    async def _note_fresh(self, steps: Sequence[Step]) -> None:
        """Note which names were free, and which the job chose itself, before anything is made there."""
        changed = []
        for step in steps:
            source = step.source
            fresh = source.fresh or (step.entry is not None and step.there is None)
            chosen = step.name != self.name_of(source)
            target = self.goal.child(step.name) if chosen else source.target
            if (fresh, target) != (source.fresh, source.target):
                step.source = replace(source, fresh=fresh, target=target)
                changed.append(step.source)
        if changed:
            await self.run.journal.set_sources(self.row.id, changed)

    async def bring(self, steps: Sequence[Step], parent: Location) -> None:
        """Copy what was looked at."""
        await self.walk(steps, parent)

    async def walk(self, steps: Sequence[Step], parent: Location) -> dict[int, Whole]:
        """Copy some sources of one folder; return by number those that are whole at the target."""
        fresh = {step.idx for step in steps if step.source.fresh}
        walk = Walk(self.tools, parent, self.goal, fresh)
        root = Folder(-1, "", "", parent, self.goal, None)
        for step in steps:
            entry = step.entry
            if entry is None:
                continue
            if entry.kind is not EntryKind.FOLDER:
                self.tools.counts.found(entry)
                walk.add(Item(root, entry, step.name, step.idx, step.there, top=True))
                continue
            walk.add_folder(
                Folder(
                    step.idx,
                    entry.name,
                    step.name,
                    parent.child(entry.name),
                    self.goal.child(step.name),
                    root,
                    entry,
                    step.there,
                    known=True,
                    making=step.was_fresh,
                    top=True,
                )
            )
        await walk.run()
        return walk.whole

    # Single entries: those that failed, were put off, or were asked about

    async def _failed(self) -> None:
        """Try what failed once more. Errors go when they were tried; new ones come with higher numbers."""
        run = self.run
        run.answers.learn(await run.journal.decisions(self.row.id))
        up_to = await run.journal.last_error(self.row.id)
        while not run.stopped and (rows := await run.journal.error_rows(self.row.id, up_to)):
            if run.record.doubtful or any(row.idx is None for row in rows):
                run.record.failed_only = False
                await run.journal.update(self.row.id, {"failed_only": False})
                await self._all()
                return
            entries = [(row.idx, row.path, row.target_path) for row in rows if row.idx is not None]
            await self.entries(entries, counted={row.path for row in rows if row.removing})
            await self._later()  # until then its error is all that is kept of it
            if not run.stopped:
                run.record.errors = await run.journal.drop_errors(self.row.id, ids=[row.id for row in rows])

    async def _due(self) -> bool:
        """Carry out the answers to what was passed by; say whether there were any."""
        run = self.run
        decisions: list[Decision] = await run.journal.decisions(self.row.id, due=True, count=256)
        run.answers.learn(decisions)
        await run.carries_out(decisions)
        await self.entries([(d.idx, d.path, d.target_path) for d in decisions])
        if not run.stopped:
            await run.journal.settle(self.row.id, decisions)
        return bool(decisions)

    async def _later(self) -> None:
        """Try again what failed for a passing reason, when its time has come."""
        run = self.run
        while run.later and not run.stopped:
            run.later.sort(key=lambda entry: -entry.due)
            await run.wait_until(run.later[-1].due)
            if run.brake.on:
                return
            now = run.clock.monotonic()
            due = [entry for entry in run.later if entry.due <= now]
            run.later = [entry for entry in run.later if entry.due > now]
            for entry in due:
                run.try_again(entry)
            await self.entries([(entry.idx, entry.path, entry.target_path) for entry in due])

    async def entries(
        self,
        entries: Sequence[tuple[int, bytes, bytes]],
        counted: Set[bytes] = frozenset(),
    ) -> None:
        """Copy single entries: (source, path, target path) of each. Whole sources are looked at afresh.

        Args:
            counted: Paths of entries that were counted as copied before.
        """
        run = self.run
        whole = sorted({idx for idx, path, _ in entries if b"/" not in path})
        inner = sorted({entry for entry in entries if b"/" in entry[1] and entry[0] not in whole})
        for idx in whole:
            if not run.stopped:
                await self.sources(await run.journal.sources(self.row.id, idx, 1))
        for idx, group in groupby(inner, key=lambda entry: entry[0]):
            if not run.stopped:
                (source,) = await run.journal.sources(self.row.id, idx, 1)
                await self._entries_of(source, [(p, t) for _, p, t in group], counted)

    async def _entries_of(
        self, source: Source, paths: Sequence[tuple[bytes, bytes]], counted: Set[bytes]
    ) -> None:
        """Copy some entries that lie within one source."""
        await self.ends.open(source.location)
        parent = await self.ends.do(lambda: resolved(self.ends.at(source.location), source.location.parent))
        await self.ends.name(parent, self.goal)
        found: dict[tuple[bytes, bytes], Entry | PlaceError] = {}

        async def find(each_of: tuple[bytes, bytes]) -> None:
            found[each_of] = await self.ends.at(parent).stat(parent.below(os.fsdecode(each_of[0])))

        await self.ends.do_each(paths, find, found.__setitem__, AT_ONCE)
        walk = Walk(self.tools, parent, self.goal, {source.idx} if source.fresh else set())
        folders: dict[tuple[str, str], Folder] = {}
        for (path, target_path), entry in found.items():
            if isinstance(entry, PlaceError):
                await self.run.fail(self._inner_spot(source, path, target_path), entry)
                continue
            above, name = os.fsdecode(target_path).rpartition("/")[::2]
            key = (os.fsdecode(path).rpartition("/")[0], above)
            if key not in folders:
                where = parent.below(key[0]), self.goal.below(above)
                folders[key] = Folder(source.idx, *key, *where, None)
            item = Item(folders[key], entry, name, source.idx, known=False, quiet=path in counted)
            walk.add_again(item)
        await walk.run()
        if (source.fresh or self.row.kind is JobKind.SYNC) and not self.run.stopped:
            for folder in folders.values():
                await self.ends.do(lambda folder=folder: walk.dress_again(folder))  # type: ignore[misc]

    # Names

    def name_of(self, source: Source) -> str:
        """Return the name of a source at the target, unless another is chosen."""
        return os.fsdecode(name_of(self.row, source))

    def source_spot(self, source: Source) -> Spot:
        name, target_name = os.fsencode(source.location.name), self.name_of(source)
        target = self.goal.child(target_name)
        return Spot(source.idx, name, os.fsencode(target_name), source.location, target)

    def _inner_spot(self, source: Source, path: bytes, target_path: bytes) -> Spot:
        location = source.location.parent.below(os.fsdecode(path))
        return Spot(source.idx, path, target_path, location, self.goal.below(os.fsdecode(target_path)))
