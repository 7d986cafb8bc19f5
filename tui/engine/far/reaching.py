"""Getting at places, whoever does: what one can have done there, and reading a folder. (A run: `ends.Ends`.)"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from tui.model.error import NotListed, PlaceUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

    from tui.engine.far.doors import Doors
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Place

R = TypeVar("R")

HOME = "/~"
"""The path that stands for a home folder; what is below it begins with it, too."""


class Reaching(Protocol):
    """Whoever can have something done at places."""

    async def do(self, location: Location, work: Callable[[Place], Awaitable[R]], /) -> R: ...

    async def do_both(
        self, source: Location, target: Location, work: Callable[[Place, Place], Awaitable[R]], /
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


def _pass_over(_: NotListed) -> None:
    """Say nothing: whoever does the work on the same folder hears of it, too."""


def listing(
    place: Place, folder: Location, untold: Callable[[NotListed], None] = _pass_over
) -> aclosing[AsyncGenerator[Sequence[Entry], None]]:
    """Return the pages of a folder, for `async with`: closed at its end, they are read no further.

    Args:
        untold: Called at the end where some of it cannot be told by names.
    """
    return aclosing(_told(place, folder, untold))


async def _told(
    place: Place, folder: Location, untold: Callable[[NotListed], None]
) -> AsyncGenerator[Sequence[Entry], None]:
    pages: AsyncIterator[Sequence[Entry]] = place.list(folder)
    async with aclosing(cast("AsyncGenerator[Sequence[Entry], Any]", pages)) as told:
        try:
            async for page in told:
                yield page
        except NotListed as error:
            untold(error)
