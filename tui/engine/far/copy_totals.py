"""What a copy between places amounts to, and whether it fits: looked at before it begins, and counted beside it."""

from __future__ import annotations

import asyncio
import contextlib
import math
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from tui.engine.far.ends import Halted, look
from tui.engine.far.many import LOOK_S, each
from tui.engine.far.need import Amount, Need, Standing
from tui.engine.far.room import room_at, used_bytes
from tui.engine.far.standing import Pairing
from tui.engine.far.survey import Branch
from tui.engine.far.totals import Counting
from tui.engine.planner import chunks
from tui.engine.room import shortage
from tui.engine.totals import FULL_COUNT_S, PAGE
from tui.model.entry import EntryKind
from tui.model.error import PlaceError, PlaceUnavailable
from tui.model.job import JobKind
from tui.places.local.room import used_where

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui.engine.far.ends import Ends
    from tui.engine.far.tree import Step
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Place
    from tui.places.local.room import Room

    Look = Callable[[Location], Awaitable[Entry | None]]

R = TypeVar("R")


class Beside:
    """Has something done at the places of a copy while that goes on: it is the copy that opens them, and again.

    Args:
        over: Says that there is no use in waiting for a place any more.
    """

    def __init__(self, ends: Ends, over: Callable[[], bool]) -> None:
        self._ends, self._over = ends, over

    async def do(self, location: Location, work: Callable[[Place], Awaitable[R]]) -> R:
        """Do something, from the start again after each loss of a connection.

        Raises:
            PlaceError: As `work` does.
            Halted: It is over.
        """
        while True:
            place = self._place(location)
            if place is not None and place.alive:
                try:
                    return await work(place)
                except PlaceUnavailable:
                    if place.alive:
                        raise
            if self._over():
                raise Halted
            await asyncio.sleep(LOOK_S)

    def _place(self, location: Location) -> Place | None:
        try:
            return self._ends.at(location)
        except KeyError:
            return None  # the copy has not come to it


class Copy(Protocol):
    """The copy that is counted."""

    run: Run
    ends: Ends
    goal: Location

    async def look_at(self, chunk: Sequence[Source]) -> tuple[list[Step], Location]:
        """Look at some sources of one folder, and at what stands where they go.

        Raises:
            PlaceError: The folder they are in cannot be had.
        """
        ...

    def step_of(self, source: Source) -> Step:
        """Return what is to be done for a source, as far as its name tells."""
        ...


class CopyCounting(Counting):
    """Holds a copy or a move that does not fit: before it begins, where one look at each source tells; else as soon as
    what is found of it exceeds the room there was when it began.

    What the copy writes meanwhile leaves its need and the room alike, so both are taken from before it began.
    """

    def __init__(self, copying: Copy) -> None:
        super().__init__(copying.run, Beside(copying.ends, self._over))
        self._copying, self._ends = copying, copying.ends
        self._room: Room | None = None
        self._folders: list[Branch] = []
        self._first: tuple[list[Step], Location] | None = None
        self._held = self._renames = self._all_seen = False
        self._ends_at = math.inf

    # Before it begins

    async def look_first(self) -> None:
        """Measure the room, and look at the first sources themselves; hold the job where it does not fit already.

        Raises:
            Halted, OutOfReach: A place cannot be reached.
        """
        run = self._run
        page = await run.journal.sources(run.record.id, 0, PAGE)
        self._renames = any(self._is_renamed(source.location) for source in page)
        if run.record.row.kind not in (JobKind.COPY, JobKind.MOVE) or run.insists or self._renames:
            return
        left = list(chunks([source for source in page if not self.is_done(source)]))
        at_once: list[Callable[[], Awaitable[None]]] = [self._measure]
        at_once += [partial(self._look_at_first, chunk) for chunk in left[:1]]
        await each(at_once, lambda step: step(), len(at_once))
        if self._room is None:
            return
        for chunk in left:
            await self._look_ahead(chunk)
        self._start = page[-1].idx + 1
        self._all_seen = not self._folders and len(page) < PAGE
        self._judge(complete=self._all_seen)

    def _is_renamed(self, source: Location) -> bool:
        """Say whether a source of a move gets another name only, and needs no room. (It is not known before.)"""
        goal = self._copying.goal
        is_one_place = (source.scheme, source.authority) == (goal.scheme, goal.authority)
        return self._run.moves and is_one_place and self._ends.at(goal).capabilities.renames

    async def _measure(self) -> None:
        goal = self._copying.goal
        self._room = await self._ends.do(lambda: room_at(self._run, self._ends.at(goal), goal))

    async def _look_at_first(self, chunk: Sequence[Source]) -> None:
        with contextlib.suppress(PlaceError):  # the copy meets the same, and tells
            self._first = await self._copying.look_at(chunk)

    async def _look_ahead(self, chunk: Sequence[Source]) -> None:
        try:
            steps, parent = self._first_of(chunk) or await self._copying.look_at(chunk)
            for step in steps:
                if step.entry is not None and step.error is None:
                    where = parent.child(step.entry.name)
                    folder = await self._top(where, step.entry, step.there, step.name, self._look_now)
                    self._folders += [folder] if folder is not None else []
        except PlaceError:
            return  # the copy meets the same, and tells

    async def _look_now(self, where: Location) -> Entry | None:
        return await self._ends.do(lambda: look(self._ends.at(where), where))

    def looked_at(self, chunk: Sequence[Source]) -> tuple[list[Step], Location] | None:
        """Hand out, once, how the first sources were found just before the copy began."""
        first = self._first_of(chunk)
        self._first = None
        return first

    def _first_of(self, chunk: Sequence[Source]) -> tuple[list[Step], Location] | None:
        """Return how some sources were found, if they are the first."""
        first = self._first
        if first is None or [step.idx for step in first[0]] != [source.idx for source in chunk]:
            return None
        return first

    # Beside it

    async def beside(self, work: Awaitable[None]) -> None:
        if self._renames:
            self._tally.counting = True
            await work
            return
        await super().beside(work)

    async def go_on(self) -> None:
        """Of a job that was held before it began: find out a little longer what all of it needs."""
        if self._all_seen:
            self._is_complete()
        else:
            await self.beside(asyncio.sleep(0))

    async def _work_is_done(self, counting: asyncio.Future[None]) -> None:
        if self._held:
            await asyncio.wait({counting})

    async def _begin(self) -> None:
        if not self._held and (self._room is None or await self._is_plenty()):
            await super()._begin()

    async def _is_plenty(self) -> bool:
        """Say whether these folders fit for sure: all that is on their filesystem would."""
        room = self._room
        assert room is not None
        if room.free_bytes is None:
            return True
        if not self._folders:
            return False
        where = self._folders[0].where
        if where.is_local:
            used = await self._run.hop(used_where, [folder.where.path for folder in self._folders])
            return used is not None and used[0] < room.free_bytes
        used_there = await self._reach.do(where, lambda place: used_bytes(place, where))
        return used_there is not None and used_there < room.free_bytes

    async def _count(self) -> None:
        await self.trees(self._folders)
        await super()._count()

    async def found(self, source: Source, where: Location, entry: Entry) -> Branch | None:
        if self._room is None:
            return await super().found(source, where, entry)
        step = self._copying.step_of(source)
        if step.left_out or step.error is not None:
            return None
        there = await self._look(self._copying.goal.child(step.name))
        return await self._top(where, entry, there, step.name, self._look)

    async def _top(
        self, where: Location, entry: Entry, there: Entry | None, name: str, look_at: Look
    ) -> Branch | None:
        """Count a source, with what stands where it goes; return it where it is a folder."""
        target, room_for = self._copying.goal.child(name), Amount(files=1, size_bytes=entry.size_bytes)
        if self._need is None:
            here, goal = self._ends.at(where).capabilities, self._ends.at(target).capabilities
            self._need = Need(self._run, Pairing.of(here, goal, self._run.record.row.preserve))
        if entry.kind is EntryKind.FOLDER:
            self.total.add(Amount(new_files=there is None))
            is_merged = there is not None and there.kind is EntryKind.FOLDER
            return Branch(where, target if is_merged else None, needs=is_merged or there is None)
        half = self._need.half_of(entry, name)
        found = await look_at(target.parent.child(half)) if half else None
        beside = Standing([found] if found is not None else [])
        room_for.new_files, room_for.new_bytes = self._need.of(entry, there, beside, name)
        self.total.add(room_for)
        return None

    def _over(self) -> bool:
        run = self._run
        if run.counting.on or (run.stopped and not self._held):
            return True
        return run.clock.monotonic() >= self._ends_at

    def show(self) -> None:
        super().show()
        self._judge(complete=self._all_seen)

    def _is_complete(self) -> None:
        super()._is_complete()
        self._judge(complete=True)

    def _judge(self, *, complete: bool) -> None:
        """Hold the job where it does not fit; held already, tell better how much it needs."""
        run = self._run
        if self._room is None or run.counting.on or (run.stopped and not self._held):
            return
        if self._need is not None and self._need.may_shrink and not complete:
            return
        total = self.total
        missing = shortage(self._room, total.new_bytes, total.new_files, complete=complete)
        if missing:
            if not self._held:
                self._held, self._ends_at = True, run.clock.monotonic() + FULL_COUNT_S
            run.hold(missing)
