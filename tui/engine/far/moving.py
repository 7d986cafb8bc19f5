"""A move between places: a rename where one place holds both ends, else a copy, and then the original goes.

An original goes when its copy stands under its name, on the disk. Before the last of a source goes, the journal says
so: a source that is not there any more was moved, then, and is not missing.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.engine.far.copying import AT_ONCE, FarCopying
from tui.engine.far.ends import Halted, look
from tui.engine.far.probing import is_one
from tui.engine.far.transfer import is_other
from tui.engine.far.tree import Step
from tui.engine.far.whereabouts import Whereabouts
from tui.engine.rows import Phase
from tui.engine.run import Sums
from tui.model.entry import EntryKind
from tui.model.error import AlreadyExists, NotFound, PlaceError, SameFile, SourceChanged, Unsupported
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.places.base import Place

_HOME_REMEDY = "Move what is in it instead."


class FarMoving(FarCopying):
    """Moves what a job names."""

    verb = "move"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._put_off: set[int] = set()
        """Sources of which something was still to be settled when all else was done."""
        self.whereabouts = Whereabouts(run, self.ends)
        self._homes: dict[tuple[str, str], Location | None] = {}

    async def execute(self) -> None:
        await self.tools.times.recall()
        await super().execute()
        record = self.run.record
        await self.tools.times.end(whole=not (self.run.stopped or record.errors or record.questions))

    async def sources(self, chunk: Sequence[Source]) -> None:
        for source in chunk:
            if source.phase is Phase.DONE:
                self._count_gone(source)
        if rest := [source for source in chunk if source.phase is not Phase.DONE]:
            await super().sources(rest)

    def _count_gone(self, source: Source) -> None:
        """Count what an earlier go has moved."""
        self.run.record.tally.found_gone(source.files, source.size_bytes)
        self._count_seen(source)
        self.run.touch()

    def _count_renamed(self, source: Source) -> None:
        self.run.count(Sums(files=source.files, bytes=source.size_bytes), metered=False)
        self._count_seen(source)

    def _count_seen(self, source: Source) -> None:
        self.tools.counts.seen_files += source.files
        self.tools.counts.seen_bytes += source.size_bytes

    async def examine(self, step: Step, where: Location) -> None:
        home = await self._home(where)
        if home is not None and where.holds(home):
            what = "is a home folder" if where == home else f"holds the home folder {home}"
            source = step.source.location
            raise PlaceError(f"cannot move {source}: it {what}", _HOME_REMEDY, location=source)
        await super().examine(step, where)

    async def _home(self, where: Location) -> Location | None:
        """Return the home folder at a place, where it tells."""
        key = (where.scheme, where.authority)
        if key not in self._homes:
            if where.is_local:
                self._homes[key] = _own_home()
            else:
                try:
                    self._homes[key] = await self.ends.at(where).resolve(Location("/~", *key))
                except PlaceError as error:
                    if self.ends.is_lost(error):
                        raise
                    self._homes[key] = None
        return self._homes[key]

    async def bring(self, steps: Sequence[Step], parent: Location) -> None:
        await self._found_gone([step.source for step in steps if step.entry is None])
        steps = await self._rename([step for step in steps if step.entry is not None], parent)
        if self.run.stopped:
            return
        steps = await self._apart(steps, parent)
        before = await self.whereabouts.kept(steps)
        await self.whereabouts.begun(steps, before)
        tally = self.run.record.tally
        files, size_bytes = tally.files_done, tally.bytes_done
        whole = await self.walk(steps, parent)
        if self.run.brake.on:
            return
        await self.whereabouts.incomplete([s for s in steps if s.idx not in whole], before, self.goal)
        ready = [self._amounting(step, whole[step.idx].entry) for step in steps if step.idx in whole]
        await self.whereabouts.complete(ready, whole, parent, self.goal)
        if len(ready) == len(steps) == 1:
            amount = max(1, tally.files_done - files), tally.bytes_done - size_bytes
            ready[0].source = replace(ready[0].source, files=amount[0], size_bytes=amount[1])
        await self._take_away(ready, parent)
        undecided = await self.run.journal.undecided_sources(self.row.id)
        undecided |= {entry.idx for entry in self.run.later}
        self._put_off |= {step.idx for step in steps} & undecided

    @staticmethod
    def _amounting(step: Step, entry: Entry) -> Step:
        size_bytes = 0 if entry.kind is EntryKind.FOLDER else entry.size_bytes
        step.entry = entry
        step.source = replace(step.source, files=1, size_bytes=size_bytes)
        return step

    async def _found_gone(self, sources: Sequence[Source]) -> None:
        """Count sources that were moved before a crash."""
        done = [replace(source, phase=Phase.DONE, files=max(1, source.files)) for source in sources]
        for source in done:
            self._count_gone(source)
        if done:
            await self.run.journal.set_sources(self.row.id, done)

    async def has_gone(self, step: Step, place: Place) -> bool:
        """Say whether a source that is not there was moved, before a crash or before it was come back to."""
        source, there = step.source, self.goal.child(step.name)
        if source.phase is Phase.REMOVING:
            return True
        if source.phase is not Phase.RENAMING and (
            # Where there are no folders one goes with the last file in it, before anything could be written down.
            place.capabilities.folders or not await self.whereabouts.kept([step])
        ):
            return False
        return await look(self.ends.at(there), there) is not None

    # Two names of one folder

    async def _apart(self, steps: Sequence[Step], parent: Location) -> list[Step]:
        """Refuse sources that are their own target, which two names of one host, or links, can hide.

        What only met itself would look like a copy, and then go.
        """
        met = [step for step in steps if step.there is not None]
        tops = [step for step in met if _is_folder(step.entry) and _is_folder(step.there)]
        pairs = {parent: self.goal} if len(tops) < len(met) else {}
        pairs |= {parent.child(s.source.location.name): self.goal.child(s.name) for s in tops}
        same: set[Location] = set()
        for here, there in pairs.items():
            try:
                if await self.ends.do(lambda here=here, there=there: self._is_one(here, there)):  # type: ignore[misc]
                    same.add(here)
            except PlaceError as error:
                for step in met:
                    if here in (parent, parent.child(step.source.location.name)):
                        step.error = step.error or error
        for step in met:
            source = step.source.location
            where = parent.child(source.name) if step in tops else parent
            if where in same:
                step.error = SameFile(f"cannot move {source} onto itself", location=source)
            if step.error is not None:
                await self.run.fail(self.source_spot(step.source), step.error)
        return [step for step in steps if step.error is None]

    async def _is_one(self, here: Location, there: Location) -> bool:
        return await is_one(self.ends, here, there, self.row.tag, self.tools.halves)

    # Renaming

    async def _rename(self, steps: Sequence[Step], parent: Location) -> list[Step]:
        """Rename what stays in its place and finds its name free; return what is left to be copied."""
        place = self.ends.at(parent)
        if place is not self.ends.at(self.goal) or not place.capabilities.renames:
            return list(steps)
        going = [step for step in steps if step.there is None]
        if not going:
            return list(steps)
        for step in going:
            assert step.entry is not None
            size_bytes = 0 if step.entry.kind is EntryKind.FOLDER else step.entry.size_bytes
            step.source = replace(step.source, phase=Phase.RENAMING, files=1, size_bytes=size_bytes)
        before = await self.whereabouts.kept(going)
        await self.whereabouts.renaming(going, self.goal)
        await self.run.journal.set_sources(self.row.id, [step.source for step in going], durable=True)
        moved: set[int] = set()

        async def rename(step: Step) -> None:
            if await self._rename_one(step, parent):
                moved.add(step.idx)

        try:
            await self.ends.do_each(going, rename, Step.refuse, AT_ONCE)
        except Halted:
            await self._settle([step for step in going if step.idx in moved])
            raise
        for step in going:
            phase = Phase.DONE if step.idx in moved else None
            step.source = replace(step.source, phase=phase)
            if phase is Phase.DONE:
                self._count_renamed(step.source)
                self.run.record.renamed = True
        await self.run.journal.set_sources(self.row.id, [step.source for step in going])
        await self.whereabouts.undone([step for step in going if step.idx not in moved], before)
        for step in going:
            if step.error is not None:
                await self.run.fail(self.source_spot(step.source), step.error)
        return [step for step in steps if step.idx not in moved and step.error is None]

    async def _rename_one(self, step: Step, parent: Location) -> bool:
        """Say whether it has its new name; where it is to be copied after all, or was refused, the step tells."""
        where, goal = parent.child(step.source.location.name), self.goal.child(step.name)
        place = self.ends.at(parent)
        try:
            await place.rename(where, goal, replace=False)
        except AlreadyExists:
            step.there = await look(place, goal)
            return False
        except NotFound as error:
            if await look(place, goal) is not None and await look(place, where) is None:
                return True  # its answer was lost with a connection
            step.error = error
            return False
        except PlaceError as error:
            if self.ends.is_lost(error):
                raise
            if type(error) not in (PlaceError, Unsupported):
                step.error = error
            return False
        return True

    # Removing the originals

    async def _take_away(self, steps: Sequence[Step], parent: Location) -> None:
        """Remove the tops of sources that are whole at the target."""
        if not steps:
            return
        for step in steps:
            step.source = replace(step.source, phase=Phase.REMOVING)
        await self.run.journal.set_sources(self.row.id, [step.source for step in steps], durable=True)
        removed: set[int] = set()

        async def remove(step: Step) -> None:
            await self._remove(step, parent)
            removed.add(step.idx)

        try:
            await self.ends.do_each(steps, remove, Step.refuse, AT_ONCE)
        except Halted:
            await self._settle([step for step in steps if step.idx in removed])
            raise
        for step in steps:
            phase = Phase.DONE if step.error is None else None
            step.source = replace(step.source, phase=phase)
        await self.run.journal.set_sources(self.row.id, [step.source for step in steps])
        for step in steps:
            if step.entry is not None and step.error is None:
                self.tools.times.forget(step.idx, step.entry.name)
        await self.whereabouts.stayed([step for step in steps if step.error is not None])
        for step in steps:
            if step.error is not None:
                removing = not isinstance(step.error, SourceChanged)
                await self.run.fail(self.source_spot(step.source), step.error, removing=removing)

    async def _settle(self, steps: Sequence[Step]) -> None:
        """Write down what was done when the run was stopped: of what is still under way, nobody knows."""
        done = [replace(step.source, phase=Phase.DONE) for step in steps]
        await self.run.journal.set_sources(self.row.id, done)

    async def _remove(self, step: Step, parent: Location) -> None:
        place, where, entry = self.ends.at(parent), parent.child(step.source.location.name), step.entry
        assert entry is not None
        with contextlib.suppress(NotFound):
            if entry.kind is EntryKind.FOLDER:
                await place.remove_folder(where)
                return
            if is_other(entry, await place.stat(where)):
                source = step.source.location
                remedy = "Retry the job: it is copied again first."
                text = f"cannot remove {source}: it is newer than its copy"
                raise SourceChanged(text, remedy, location=source)
            await place.remove_file(where)

    async def entries(
        self,
        entries: Sequence[tuple[int, bytes, bytes]],
        counted: Set[bytes] = frozenset(),
    ) -> None:
        await super().entries(entries, counted)
        self._put_off |= {idx for idx, path, _ in entries if b"/" in path}

    async def last(self) -> None:
        """Go once more through sources that had to wait for an entry: what is left of them goes, if that is nothing."""
        journal, tally = self.run.journal, self.run.record.tally
        blocked = await journal.failed_sources(self.row.id) | await journal.undecided_sources(self.row.id)
        for idx in sorted(self._put_off - blocked):
            if self.run.stopped:
                return
            (source,) = await journal.sources(self.row.id, idx, 1)
            if source.phase is Phase.DONE:
                continue
            before = replace(tally)
            await self.sources([source])
            # What was counted is met again: what was left there on purpose.
            tally.files_done, tally.bytes_done = before.files_done, before.bytes_done
            tally.files_skipped, tally.files_same = before.files_skipped, before.files_same
        self._put_off.clear()


def _own_home() -> Location:
    return Location.local(os.path.realpath(os.path.expanduser("~")))


def _is_folder(entry: Entry | None) -> bool:
    return entry is not None and entry.kind is EntryKind.FOLDER
