"""The places of one run: connected when they are wanted, and again where the connection was lost."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING, TypeVar

from tui.engine.far.doors import AnswerWanted
from tui.engine.run import Stop
from tui.model.error import NotAFolder, NotFound, PlaceError, PlaceUnavailable
from tui.places.local.end import LocalEnd

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Place

logger = logging.getLogger(__name__)

T = TypeVar("T")

LONGEST_WAIT_S = 30.0
TRIES = 3
"""So often a host is tried that never answered this job."""

LOOK_S = 0.05
"""So often it is looked whether the run was stopped."""
PATIENCE_S = 0.1
"""So long what was cancelled may take to come to its end."""


class Halted(Exception):
    """The run was stopped while something waited for a place."""


class OutOfReach(Exception):
    """A place cannot be reached: nothing more of the job can be done for now."""

    def __init__(self, error: PlaceError, location: Location) -> None:
        super().__init__(error.message)
        self.error, self.location = error, location


class Lost(Exception):
    """The connection to a place was lost while something was under way there."""


class Ends:
    """The connected places of a job, by the locations they hold."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._places: dict[tuple[str, str], Place] = {}
        self._roots: dict[tuple[str, str], Location] = {}
        self._mark = (-1, -1)
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
            if key not in self._places:
                self._roots[key] = location
                self._places[key] = await self._connect(key, reached=self._run.record.walk > 0)

    async def name(self, *folders: Location) -> None:
        """Say that a person named some folders: on the local disk no link is followed below them."""
        for folder in folders:
            if isinstance(place := self.at(folder), LocalEnd):
                await place.name(folder)

    def is_lost(self, error: PlaceError) -> bool:
        """Say whether an error comes from a lost connection, not from what was tried."""
        return isinstance(error, PlaceUnavailable) and any(not p.alive for p in self._places.values())

    async def again(self) -> None:
        """Connect anew to what was lost: at once, and more slowly where that leads to nothing.

        Raises:
            Halted, OutOfReach.
        """
        tally = self._run.record.tally
        mark = (tally.files_done, tally.bytes_done)
        if mark != self._mark:
            self._mark, self._tries = mark, 0
        lost = [key for key, place in self._places.items() if not place.alive]
        if self._tries and lost:
            await self._wait(self._roots[lost[0]])
        self._tries += 1
        for key in lost:
            self._places[key] = await self._connect(key, reached=True)

    async def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something, from the start again after each loss of a connection.

        Raises:
            PlaceError: As `work` does.
            Halted, OutOfReach.
        """
        while True:
            try:
                return await self.unless_stopped(work())
            except PlaceUnavailable as error:
                if not self.is_lost(error):
                    raise
            await self.again()

    async def unless_stopped(self, work: Awaitable[T]) -> T:
        """Wait for something, but not beyond the end of the run."""
        task = asyncio.ensure_future(work)
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

    async def _connect(self, key: tuple[str, str], *, reached: bool) -> Place:
        run, root, tries = self._run, self._roots[key], 0
        while True:
            try:
                return await self.unless_stopped(run.shared.doors.place(root, job=run.record.id))
            except AnswerWanted:
                run.stop(Stop.HOST)
                raise Halted from None
            except PlaceError as error:
                tries += 1
                if not isinstance(error, PlaceUnavailable) or (not reached and tries >= TRIES):
                    raise OutOfReach(error, root) from error
                self._tries = max(self._tries, 1)
            await self._wait(root)
            self._tries += 1

    async def _wait(self, location: Location) -> None:
        """Wait before the next try, and tell for how long."""
        run = self._run
        due = run.clock.monotonic() + min(2.0 ** (self._tries - 1), LONGEST_WAIT_S)
        host = location.authority.rpartition("@")[2] or location.scheme
        try:
            while not run.stopped and (left := due - run.clock.monotonic()) > 0:
                run.record.note = f"{host} does not answer: trying again in {math.ceil(left)} s"
                run.touch()
                await run.wait_until(min(due, run.clock.monotonic() + 1))
        finally:
            run.record.note = ""
            run.touch()
        if run.stopped:
            raise Halted


async def look(place: Place, location: Location) -> Entry | None:
    """Return what stands at a location, a link itself; None where there is nothing."""
    try:
        return await place.stat(location)
    except (NotFound, NotAFolder):
        return None


async def each(items: Iterable[T], work: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Do something with each of some things, so many at once. What goes wrong with one of them ends all."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    tasks = [asyncio.ensure_future(worker()) for _ in range(at_once)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def in_time(work: Awaitable[None], seconds: float) -> None:
    """Wait for something that tidies up, but not for long: whoever waits was told to stop."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(_seen)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()


def _seen(task: asyncio.Future[None]) -> None:
    """Look at how it ended: nobody else does, for it was only to tidy up."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.warning("while tidying up: %r", error)
