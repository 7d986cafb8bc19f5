"""The places of one run: connected when they are wanted, and again where the connection was lost.

A host that answered the job before is tried without end, more and more slowly; one that never did, a few times. What
ends the connection whenever it is touched is tried alone then, and given up: the rest is not to suffer for it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, overload

from tui.engine.far.doors import AnswerWanted
from tui.engine.far.many import LOOK_S, each
from tui.engine.far.noting import away, host_of, noting
from tui.engine.far.reaching import HOME
from tui.engine.far.streak import ALONE_AFTER, MOST_LOSSES, Streak, given_up
from tui.engine.retry import wait_before_retry
from tui.engine.run import Stop
from tui.model.error import NotAFolder, NotFound, PlaceError, PlaceUnavailable
from tui.model.location import Location
from tui.places.local.end import LocalEnd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence

    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.places.base import Place

logger = logging.getLogger(__name__)

T = TypeVar("T")

LONGEST_WAIT_S = 30.0
TRIES = 3
"""So often a host is tried that never answered this job."""

PATIENCE_S = 0.1
"""So long what was cancelled, or told to stop, may take to come to its end."""

_watched: ContextVar[bool] = ContextVar("watched", default=False)
"""Whoever began this looks whether the run was stopped, and ends it then."""
_alone: ContextVar[asyncio.Lock | None] = ContextVar("alone", default=None)
"""Within what is tried alone: by this its parts can be tried alone in their turn."""
_used: ContextVar[Collection[Place]] = ContextVar("used", default=())
"""The places there were when this try began: others may have connected anew meanwhile."""


class Halted(Exception):
    """The run was stopped, or a host asks for something first, while something waited for a place."""


class OutOfReach(Exception):
    """A place cannot be reached: nothing more of the job can be done for now."""

    def __init__(self, error: PlaceError, location: Location) -> None:
        super().__init__(error.message)
        self.error, self.location = error, location


class Lost(Exception):
    """The connection to a place was lost while something was under way there."""

    def __init__(self, error: PlaceError) -> None:
        super().__init__(error.message)
        self.error = error


class Ends:
    """The connected places of a job, by the locations they hold."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._places: dict[tuple[str, str], Place] = {}
        self._roots: dict[tuple[str, str], Location] = {}
        self._homes: dict[tuple[str, str], Location] = {}
        self._turn = asyncio.Lock()
        """Of many who miss a connection, one makes it."""
        self._alone = asyncio.Lock()
        """Held while something is tried alone."""
        self._streak = Streak(run)
        self._tries = 0
        """So often in a row a connection was lost, or not made, with nothing done in between."""

    def at(self, location: Location) -> Place:
        """Return the place of a location that was opened; it may be another one after each loss."""
        return self._places[location.scheme, location.authority]

    async def open(self, *locations: Location) -> None:
        """Connect to the places of some locations, unless that is done.

        Raises:
            Halted, OutOfReach.
        """
        for location in locations:
            key = (location.scheme, location.authority)
            if key in self._places:
                continue
            async with self._turn:
                if key not in self._places:
                    self._roots[key] = location
                    self._places[key] = await self._connect(key)

    async def place(self, location: Location) -> Place:
        """Return the connected place of a location, as `open` and `at`."""
        await self.open(location)
        return self.at(location)

    async def name(self, *folders: Location) -> None:
        """Say that a person named some folders: on the local disk no link is followed below them."""
        for folder in folders:
            if isinstance(place := self.at(folder), LocalEnd):
                await place.name(folder)

    async def resolve(self, location: Location) -> Location:
        """Return a location without the `/~` that stands for a home folder."""
        if location.is_local or not (location.path == HOME or location.path.startswith(HOME + "/")):
            return location
        return (await self.home(location)).below(location.path[len(HOME) + 1 :])

    async def home(self, location: Location) -> Location:
        """Return the home folder at the place of a location."""
        key = (location.scheme, location.authority)
        if key not in self._homes:
            home = Location(HOME, *key)
            self._homes[key] = await self.do(home, lambda place: place.resolve(home))
        return self._homes[key]

    def is_lost(self, error: PlaceError) -> bool:
        """Say whether an error comes from a lost connection, not from what was tried."""
        return isinstance(error, PlaceUnavailable) and _any_lost(_used.get() or self._places.values())

    async def again(self) -> None:
        """Connect anew to what was lost: at once, and more slowly where that leads to nothing.

        Raises:
            Halted, OutOfReach.
        """
        async with self._turn:
            lost = [key for key, place in self._places.items() if not place.alive]
            if not lost:
                return  # somebody else has done it
            if self._streak.add() == 1:
                self._tries = 0
            if self._tries:
                await self._wait(self._roots[lost[0]])
            self._tries += 1
            for key in lost:
                self._places[key] = await self._connect(key)

    # Doing

    @overload
    async def do(self, work: Callable[[], Awaitable[T]], /) -> T: ...

    @overload
    async def do(self, location: Location, work: Callable[[Place], Awaitable[T]], /) -> T: ...

    async def do(self, *what: Any) -> Any:
        """Do something, at the place of a location or with all that are open, from the start again after each loss.

        Whether a try that ended so was carried out is not known: `work` must be able to tell, or not to care.

        Raises:
            PlaceError: As `work` does; EndsConnection where it ended the connection each time.
            Halted, OutOfReach.
        """
        *locations, work = what
        return await self._do(locations, work)

    async def do_both(
        self, source: Location, target: Location, work: Callable[[Place, Place], Awaitable[T]], /
    ) -> T:
        """Do something at two places, as `do`."""
        return await self._do((source, target), work)

    async def do_each(
        self,
        items: Iterable[T],
        work: Callable[[T], Awaitable[None]],
        refuse: Callable[[T, PlaceError], object],
        at_once: int,
    ) -> None:
        """Do something with each of some things, so many at once, as `do`; `refuse` is told what could not be done.

        Raises:
            Halted, OutOfReach.
        """

        async def one(item: T) -> None:
            try:
                await self.do(lambda: work(item))
            except PlaceError as error:
                refuse(item, error)

        await self.unless_stopped(each(items, one, at_once))

    async def _do(self, locations: Sequence[Location], work: Callable[..., Awaitable[T]]) -> T:
        lost = busy = 0
        streak = Streak(self._run)
        async with AsyncExitStack() as alone:
            while True:
                if lost < ALONE_AFTER:
                    await self._let_others()
                elif lost == ALONE_AFTER:
                    await alone.enter_async_context(self._by_itself())
                try:
                    return await self._try(locations, work)
                except Lost as told:
                    lost += 1
                    if streak.add() >= MOST_LOSSES:
                        raise given_up(told.error) from told.error
                except PlaceUnavailable as error:
                    busy += 1
                    wait_s = wait_before_retry(error, busy)
                    if wait_s is None:
                        raise
                    await self._pause(wait_s)

    async def _try(self, locations: Sequence[Location], work: Callable[..., Awaitable[T]]) -> T:
        await self.open(*locations)
        if _any_lost(self._places.values()):  # others lost it meanwhile
            await self.again()
        places = [self.at(location) for location in locations]
        used = places or list(self._places.values())
        token = _used.set(used)
        try:
            return await self.unless_stopped(work(*places))
        except PlaceUnavailable as error:
            if _any_lost(used):
                raise Lost(error) from error
            raise
        finally:
            _used.reset(token)

    async def _let_others(self) -> None:
        """Wait while something is tried alone."""
        lock = _alone.get() or self._alone
        while lock.locked():
            async with lock:
                pass

    @asynccontextmanager
    async def _by_itself(self) -> AsyncIterator[None]:
        """Have nothing else done meanwhile, but for what belongs to it."""
        async with _alone.get() or self._alone:
            token = _alone.set(asyncio.Lock())
            try:
                yield
            finally:
                _alone.reset(token)

    async def unless_stopped(self, work: Awaitable[T]) -> T:
        """Wait for something, but not beyond the end of the run."""
        if _watched.get():
            return await work
        task = _begin(work)
        try:
            while not task.done():
                if self._run.stopped:
                    raise Halted
                await asyncio.wait({task}, timeout=LOOK_S)
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=PATIENCE_S)

    # Connecting

    async def _connect(self, key: tuple[str, str]) -> Place:
        run, root, tries = self._run, self._roots[key], 0
        while True:
            try:
                place = await self._reach(root)
            except AnswerWanted:
                run.stop(Stop.HOST)
                raise Halted from None
            except PlaceError as error:
                tries += 1
                reached = run.record.under_way or key in run.record.reached
                if not error.transient or (not reached and tries >= TRIES):
                    raise OutOfReach(error, root) from error
                self._tries = max(self._tries, 1)
            else:
                run.record.reached.add(key)
                return place
            await self._wait(root)
            self._tries += 1

    async def _reach(self, location: Location) -> Place:
        """Return the place of a location; while that takes its time the job tells whom it waits for."""
        with noting(self._run) as note:
            if not location.is_local:
                note(f"connecting to {host_of(location)} …")
            return await self.unless_stopped(self._run.shared.doors.place(location, job=self._run.record.id))

    async def _wait(self, location: Location) -> None:
        """Wait before the next try, and tell for how long."""
        run = self._run
        due = run.clock.monotonic() + min(2.0 ** (self._tries - 1), LONGEST_WAIT_S)
        with noting(run) as note, away(run, location):
            while not run.stopped and (left := due - run.clock.monotonic()) > 0:
                note(f"{host_of(location)} does not answer: trying again in {math.ceil(left)} s")
                await run.wait_until(min(due, run.clock.monotonic() + 1))
        if run.stopped:
            raise Halted

    async def _pause(self, seconds: float) -> None:
        """Wait until what was busy may be so no more."""
        await self._run.wait_until(self._run.clock.monotonic() + seconds)
        if self._run.stopped:
            raise Halted


def _any_lost(places: Iterable[Place]) -> bool:
    return any(not place.alive for place in places)


def _begin(work: Awaitable[T]) -> asyncio.Future[T]:
    """Start something whose end is seen to."""
    token = _watched.set(True)
    try:
        return asyncio.ensure_future(work)
    finally:
        _watched.reset(token)


async def carry(run: Run, work: Awaitable[None], patience_s: float = PATIENCE_S) -> None:
    """Do the work of a run; soon after it is stopped the work is, too. A place out of reach fails the job.

    Args:
        patience_s: So long what is under way may take to come to its end.
    """
    task = _begin(work)
    try:
        while not task.done() and not run.stopped:
            await asyncio.wait({task}, timeout=LOOK_S)
        if not task.done():
            await asyncio.wait({task}, timeout=patience_s)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        if not run.stopped:  # or the job would seem to be done
            raise RuntimeError("what a run was doing was cancelled, though the run was not stopped")
        return
    try:
        task.result()
    except Halted:
        return
    except OutOfReach as told:
        await run.fail_job(told.error, told.location)


async def look(place: Place, location: Location) -> Entry | None:
    """Return what stands at a location, a link itself; None where there is nothing."""
    try:
        return await place.stat(location)
    except (NotFound, NotAFolder):
        return None
