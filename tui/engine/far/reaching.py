"""How a run gets at places: connections that are lost are made anew, and what is stopped does not go on for long."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from tui.engine.far.doors import AnswerWanted
from tui.engine.far.ends import Halted, OutOfReach
from tui.engine.retry import wait_before_retry
from tui.engine.run import Stop
from tui.model.error import NotListed, PlaceError, PlaceUnavailable
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

    from tui.engine.far.doors import Doors
    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.places.base import Place

T = TypeVar("T")
R = TypeVar("R")

HOME = "/~"
"""The path that stands for a home folder; what is below it begins with it, too."""

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
TRIES = 14
"""So often a place is tried to be reached in a row (for five minutes, about) before the job fails."""

MOST_LOSSES = 8
"""What loses the connection so often, again and again, is not tried any more."""

LOOK_S = 0.05
"""So often it is looked whether a run was stopped."""
GRACE_S = 0.1
"""So long work that is told to stop may go on by itself."""


class Reaching(Protocol):
    """Whoever can have something done at places."""

    async def do(self, location: Location, work: Callable[[Place], Awaitable[R]]) -> R: ...

    async def do_both(
        self, source: Location, target: Location, work: Callable[[Place, Place], Awaitable[R]]
    ) -> R: ...


class Directly:
    """Has something done for somebody who waits: a connection that was lost is made anew once."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def do(self, location: Location, work: Callable[[Place], Awaitable[R]]) -> R:
        """Do something at the place of a location."""
        return await self._again((location,), work)

    async def do_both(
        self, source: Location, target: Location, work: Callable[[Place, Place], Awaitable[R]]
    ) -> R:
        """Do something at two places."""
        return await self._again((source, target), work)

    async def _again(self, locations: Sequence[Location], work: Callable[..., Awaitable[R]]) -> R:
        with self._doors.kept(*locations):
            places = [await self._doors.place(location) for location in locations]
            try:
                return await work(*places)
            except PlaceUnavailable:
                if all(place.alive for place in places):
                    raise
            return await work(*[await self._doors.place(location) for location in locations])


class Reach:
    """The places of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._turn = asyncio.Lock()
        """Of many who lost a connection, one makes it anew."""
        self._homes: dict[tuple[str, str], Location] = {}
        self._noted = ""

    async def place(self, location: Location) -> Place:
        """Return the connected place of a location, however often that has to be tried.

        Raises:
            Halted, OutOfReach, AnswerWanted.
        """
        async with self._turn:
            run, tries = self._run, 0
            while True:
                try:
                    place = await run.shared.doors.place(location, job=run.record.id)
                except PlaceError as error:
                    tries += 1
                    if not error.transient or tries == TRIES:
                        raise OutOfReach(error, location) from error
                    host = location.authority.rpartition("@")[2] or location.scheme
                    self._note(f"{host} does not answer: trying again")
                else:
                    self._note("")
                    return place
                await self._wait(FIRST_WAIT_S * 2 ** (tries - 1))

    async def do(self, location: Location, work: Callable[[Place], Awaitable[R]]) -> R:
        """Do something at the place of a location, once more after each loss of the connection.

        Whether a try that ended so was carried out is not known: `work` must be able to tell, or not to care.

        Raises:
            PlaceError: It was refused; PlaceUnavailable where it could not be done however often it was tried.
            Halted, OutOfReach, AnswerWanted.
        """
        return await self._again((location,), work)

    async def do_both(
        self, source: Location, target: Location, work: Callable[[Place, Place], Awaitable[R]]
    ) -> R:
        """Do something at two places, as `do`."""
        return await self._again((source, target), work)

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

    async def _again(self, locations: Sequence[Location], work: Callable[..., Awaitable[R]]) -> R:
        lost = busy = 0
        while True:
            places = [await self.place(location) for location in locations]
            try:
                return await work(*places)
            except PlaceUnavailable as error:
                if all(place.alive for place in places):
                    busy += 1
                    wait_s = wait_before_retry(error, busy)
                    if wait_s is None:
                        raise
                else:
                    lost += 1
                    if lost == MOST_LOSSES:
                        raise
                    wait_s = 0.0 if lost == 1 else FIRST_WAIT_S * 2 ** (lost - 2)
            await self._wait(wait_s)

    async def _wait(self, seconds: float) -> None:
        run = self._run
        await run.wait_until(run.clock.monotonic() + min(seconds, LONGEST_WAIT_S))
        if run.stopped:
            self._note("")
            raise Halted

    def _note(self, text: str) -> None:
        if self._noted != text:
            self._run.record.note = self._noted = text
            self._run.touch()


async def carry(run: Run, work: Awaitable[None], grace_s: float = GRACE_S) -> None:
    """Do the work of a run; soon after it is stopped the work is, too. A place out of reach fails the job.

    Args:
        grace_s: So long what is under way may take to come to its end.
    """
    task = asyncio.ensure_future(work)
    try:
        while not task.done() and not run.stopped:
            await asyncio.wait({task}, timeout=LOOK_S)
        if not task.done():
            await asyncio.wait({task}, timeout=grace_s)
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
    except AnswerWanted:
        run.stop(Stop.HOST)
    except OutOfReach as told:
        await run.fail_job(told.error, told.location)


def listing(place: Place, folder: Location) -> aclosing[AsyncGenerator[Sequence[Entry], None]]:
    """Return the pages of a folder, for `async with`: closed at its end, they are read no further.

    That some of it cannot be told by names only concerns who copies it.
    """
    return aclosing(_told(place, folder))


async def _told(place: Place, folder: Location) -> AsyncGenerator[Sequence[Entry], None]:
    pages: AsyncIterator[Sequence[Entry]] = place.list(folder)
    async with aclosing(cast("AsyncGenerator[Sequence[Entry], Any]", pages)) as told:
        with suppress(NotListed):
            async for page in told:
                yield page
