"""A list of renames, all at once: swaps and circles work, and nothing outside of the list is touched."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.engine.planner import plan_renames
from tui.engine.rows import Phase
from tui.engine.run import Spot, Sums
from tui.engine.traces import Trace
from tui.model.error import AlreadyExists, HoldsHome, NotFound, PlaceError, Unsupported
from tui.places.local.homes import spare_home
from tui.places.local.identity import identify
from tui.places.local.partial import prefix
from tui.places.local.root import Root
from tui.places.local.staging import move_into_place

if TYPE_CHECKING:
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.location import Location

PAGE = 4096
PORTION = 256
"""Renames done in one hop."""


class Renaming:
    """Gives entries new names in two rounds.

    First those whose old name another one wants step aside, each under a name of passage; then all take their new
    names. The journal knows who stepped aside before anyone takes a new name, so a crash at any moment can be made
    good: one who stepped aside is only ever looked for under its name of passage.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.row = run.record.row
        self._roots: dict[str, Root] = {}
        self._stranded: set[int] = set()
        """Sources that are left under their names of passage."""

    async def execute(self) -> None:
        """Rename all, or what is left of it after a crash."""
        run = self.run
        run.record.walk += 1
        await run.journal.begin_walk(self.row.id, run.record.walk)
        run.record.errors = await run.journal.drop_errors(self.row.id)
        run.record.tally.begin()
        try:
            await self.all_sources()
        finally:
            self.close_folders()
        if not run.stopped:
            run.record.walked = True
            run.record.tally.end()

    async def all_sources(self) -> None:
        """Rename the whole list as one."""
        run = self.run
        sources: list[Source] = []
        while page := await run.journal.sources(self.row.id, len(sources), PAGE):
            sources += page
        run.record.tally.files_total = len(sources)
        run.count(Sums(files=sum(source.phase is Phase.DONE for source in sources)))
        await self.portion(sources)

    async def portion(self, sources: list[Source]) -> None:
        """Rename some sources that have nothing to do with others: first those a crash left half done."""
        left = [source for source in sources if source.phase is not Phase.DONE]
        await self._rename([source for source in left if source.phase is not None])
        fresh = await self._sparing_homes([source for source in left if source.phase is None])
        fresh = await self.verified(fresh)
        await self._rename(await self._prepared(fresh))

    async def _sparing_homes(self, sources: list[Source]) -> list[Source]:
        homes = await self.homes_among(sources) if sources else {}
        for source in sources:
            if (error := homes.get(source.idx)) is not None:
                await self.fail(self.spot(source), error)
        return [source for source in sources if source.idx not in homes]

    async def verified(self, sources: list[Source]) -> list[Source]:
        """Return those that may be renamed at all; the others become errors. (Here: all.)"""
        return sources

    async def _rename(self, sources: list[Source]) -> None:
        """Do both rounds. Once begun nothing stops them: half a swap is worse than a late pause."""
        run = self.run
        parking = [source for source in sources if source.phase is Phase.PARKING]
        failed = await self.step_aside(parking)
        parked = [replace(source, phase=Phase.PARKED) for source in parking if source.idx not in failed]
        refused = [replace(source, phase=None) for source in parking if source.idx in failed]
        await run.journal.set_sources(self.row.id, parked + refused, durable=True)
        for source in refused:
            await self.fail(self.spot(source), failed[source.idx])
        going = [*parked, *(source for source in sources if source.phase is not Phase.PARKING)]
        for start in range(0, len(going), PORTION):
            portion = going[start : start + PORTION]
            errors = await self.take_names(portion)
            after = [
                replace(source, phase=self._phase_after(source, error))
                for source, error in zip(portion, errors, strict=True)
            ]
            await run.journal.set_sources(self.row.id, after)
            run.count(Sums(files=errors.count(None)), portion[-1].location)
            for source, error in zip(portion, errors, strict=True):
                if error is not None:
                    await self.fail(self.spot(source), error)

    async def fail(self, spot: Spot, error: PlaceError) -> None:
        """Write down at once what could not be done: alone, one of a list is not tried again by itself."""
        await self.run.write_errors([self.run.error_row(spot, error)])

    def _phase_after(self, source: Source, error: PlaceError | None) -> Phase | None:
        """Say how far one is that tried to take its new name.

        One that could not, and whose old name is another's by now, is only to be looked for under its name of passage.
        """
        if error is None:
            return Phase.DONE
        return Phase.PARKED if source.idx in self._stranded else None

    async def _prepared(self, sources: list[Source]) -> list[Source]:
        """Refuse what is in anyone's way; note for the rest who steps aside."""
        run = self.run
        if run.stopped:
            return []
        targets = [self.target(source) for source in sources]
        taken = await self.taken(targets)
        plan = plan_renames([source.location for source in sources], targets, taken)
        for number, obstacle in plan.refused.items():
            source = sources[number]
            error = AlreadyExists(
                f"cannot rename {source.location} to {targets[number].name}: {obstacle} is in the way",
                location=obstacle,
            )
            await self.fail(self.spot(source), error)
        aside = set(plan.park)
        going = [
            replace(source, phase=Phase.PARKING if number in aside else Phase.RENAMING)
            for number, source in enumerate(sources)
            if number not in plan.refused
        ]
        await self.note_traces(going)
        await run.journal.set_sources(self.row.id, going, durable=True)
        return going

    # What touches the disk

    async def homes_among(self, sources: list[Source]) -> dict[int, PlaceError]:
        """Return by number why some keep their names: they are home folders, or hold one."""
        return await self.run.hop(self._homes_among, sources)

    def _homes_among(self, sources: list[Source]) -> dict[int, PlaceError]:
        found: dict[int, PlaceError] = {}
        for source in sources:
            try:
                info = os.lstat(source.location.path)
                spare_home(info, source.location, self.run.homes, "rename")
            except HoldsHome as error:
                found[source.idx] = error
            except OSError:
                continue  # its rename will tell
        return found

    async def step_aside(self, sources: list[Source]) -> dict[int, PlaceError]:
        """Move those whose names are wanted out of the way; return what failed, by number."""
        return await self.run.hop(self._step_aside, sources)

    async def take_names(self, sources: list[Source]) -> list[PlaceError | None]:
        """Give some their new names; return what was in the way of each."""
        return await self.run.hop(self._take_names, sources)

    async def taken(self, targets: list[Location]) -> set[Location]:
        """Return those names under which something stands."""
        return await self.run.hop(_taken, targets)

    async def note_traces(self, sources: list[Source]) -> None:
        """Write down by what the renames of some can be undone."""
        await self.run.journal.set_traces(self.row.id, await self.run.hop(self._traces, sources))

    def _traces(self, sources: list[Source]) -> list[Trace]:
        """Return by what each is undone; what cannot be looked at cannot be renamed either."""
        traces = []
        for source in sources:
            with contextlib.suppress(OSError, PlaceError):
                identity = identify(self._folder(source.location).fd, os.fsencode(source.location.name))
                traces.append(Trace(source.idx, self.target(source), identity))
        return traces

    def _step_aside(self, sources: list[Source]) -> dict[int, PlaceError]:
        failed: dict[int, PlaceError] = {}
        for source in sources:
            try:
                folder = self._folder(source.location)
                move_into_place(folder, os.fsencode(source.location.name), folder, self._passage(source))
            except NotFound as error:
                if not self._is_there(source.location, self._passage(source)):
                    failed[source.idx] = error
            except PlaceError as error:
                failed[source.idx] = error
        return failed

    def _take_names(self, sources: list[Source]) -> list[PlaceError | None]:
        return [self.take_name(source) for source in sources]

    def take_name(self, source: Source) -> PlaceError | None:
        """Give one its new name; return what was in the way."""
        target = self.target(source)
        parked = self.is_parked(source)
        name = self._passage(source) if parked else os.fsencode(source.location.name)
        try:
            moved = move_into_place(
                self._folder(source.location), name, self._folder(target), os.fsencode(target.name)
            )
        except NotFound as error:
            return None if self._is_there(target, os.fsencode(target.name)) else error
        except PlaceError as error:
            return self._step_back(source, error, parked=parked)
        if moved:
            return None
        apart = Unsupported(
            f"cannot rename {source.location} to {target}: it is on another filesystem", location=target
        )
        return self._step_back(source, apart, parked=parked)

    def _step_back(self, source: Source, error: PlaceError, *, parked: bool) -> PlaceError:
        """Give one that could not take its new name its old one back, where that is free; return what to tell."""
        self._stranded.discard(source.idx)
        if not parked:
            return error
        folder = self._folder(source.location)
        try:
            move_into_place(folder, self._passage(source), folder, os.fsencode(source.location.name))
        except PlaceError:
            self._stranded.add(source.idx)
            where = folder.location(self._passage(source))
            error.remedy = f"It waits as {where}: see to what is in its way, then retry."
        return error

    @staticmethod
    def is_parked(source: Source) -> bool:
        return source.phase is Phase.PARKED

    def _passage(self, source: Source) -> bytes:
        return prefix(self.row.tag) + b"rename-%d" % source.idx

    def close_folders(self) -> None:
        self.run.release(*self._roots.values())
        self._roots.clear()

    def _folder(self, location: Location) -> Root:
        path = location.parent.path
        if path not in self._roots:
            self._roots[path] = Root.open(path)
        return self._roots[path]

    def _is_there(self, beside: Location, name: bytes) -> bool:
        try:
            os.lstat(name, dir_fd=self._folder(beside).fd)
        except (OSError, PlaceError):
            return False  # or it cannot be told: then it is an error, and looked at again by a retry
        return True

    @staticmethod
    def target(source: Source) -> Location:
        assert source.target is not None
        return source.target

    def spot(self, source: Source) -> Spot:
        return Spot(source.idx, os.fsencode(source.location.name), b"", source.location, self.target(source))


def _taken(targets: list[Location]) -> set[Location]:
    return {target for target in targets if os.path.lexists(target.path)}
