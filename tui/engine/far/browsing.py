"""Looking at other places, and single steps there: what a client's panes and commands ask for beside the queue.

Every method takes a `token`, by which `drop` ends it: a host may take its time, or ask a question nobody answers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tui.engine.far import steps
from tui.engine.far.comparing import compare
from tui.engine.far.listing import Reading, kind_of_link
from tui.engine.far.measuring import Measuring
from tui.engine.far.reaching import Directly
from tui.engine.far.sessions import Sessions
from tui.engine.far.telling import Telling
from tui.model.entry import Entry, EntryKind, Listed, Space, Totals
from tui.model.error import IsAFolder, NotFound, PlaceError, Unsupported
from tui.model.exclusion import NOTHING, Exclusion

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine

    from tui.engine.clock import Clock
    from tui.engine.far.doors import Doors
    from tui.model.comparison import Differences
    from tui.model.location import Location
    from tui.model.reach import Reach
    from tui.model.upload import Unfinished
    from tui.places.base import Place, Reader, Uploads

T = TypeVar("T")

MOST_READERS = 8
READER_S = 3.0
"""So long a file stays open for the next piece of it."""

LOOKS_AT_ONCE = 32


async def _nothing() -> Collection[str]:
    return ()


class Browsing:
    """What clients see of places that the engine holds the connections of."""

    def __init__(
        self, doors: Doors, clock: Clock, held: Callable[[], Awaitable[Collection[str]]] = _nothing
    ) -> None:
        """Take what varies.

        Args:
            held: Tells which half uploads jobs still want, by what their stores call them.
        """
        self._doors, self._clock, self._held = doors, clock, held
        self._directly = Directly(doors)
        self._calls: dict[str, asyncio.Task[Any]] = {}
        self._sessions = Sessions(clock)
        self._readers: OrderedDict[Location, tuple[Reader, Place, float]] = OrderedDict()

    async def close(self) -> None:
        """End everything under way."""
        for task in tuple(self._calls.values()):
            task.cancel()
        await self._sessions.close()
        await self._close_readers(since=None)

    async def drop(self, token: str) -> None:
        """End a call, if it is still under way."""
        if (task := self._calls.get(token)) is not None:
            task.cancel()

    async def reach(self, place: Location) -> Reach:
        """Return how far it is with getting answers from a place; this waits for nobody."""
        return self._doors.reach(place)

    # Looking

    async def resolve(self, location: Location, token: str = "") -> Location:
        return await self._call(token, self._directly.do(location, lambda place: place.resolve(location)))

    async def open(self, folder: Location, token: str = "") -> int:
        """Begin to list a folder; return the number by which `page` is asked."""

        async def work(place: Place) -> int:
            return await self._sessions.add(Reading(self._doors, place, await place.resolve(folder)))

        return await self._call(token, self._directly.do(folder, work))

    async def page(self, number: int, token: str = "") -> Listed:
        """Return what has come of a listing since it was last asked; it waits for something to come."""
        listed = await self._call(token, self._sessions.get(number, Reading).next())
        if listed.last:
            await self.shut(number)
        return listed

    async def compare(
        self,
        source: Location,
        target: Location,
        by_content: bool = False,
        exclude: Exclusion = NOTHING,
        token: str = "",
    ) -> int:
        """Begin to compare two folders; return the number by which `differences` is asked."""

        async def work() -> int:
            parts = compare(self._directly, source, target, by_content=by_content, exclude=exclude)
            return await self._sessions.add(Telling(parts))

        return await self._call(token, work())

    async def differences(self, number: int, token: str = "") -> Differences:
        """Return what was found since it was last asked; it waits for something to be found."""
        found = await self._call(token, self._sessions.get(number, Telling).next())
        if found.last:
            await self.shut(number)
        return found

    async def shut(self, number: int) -> None:
        """Give up a listing or a comparison."""
        await self._sessions.end(number)

    async def details(self, folder: Location, names: tuple[str, ...], token: str = "") -> Listed:
        """Return what some entries of a folder are; those that have gone have size -1."""

        async def work(place: Place) -> Listed:
            at_once = asyncio.Semaphore(LOOKS_AT_ONCE)

            async def look(name: str) -> Entry | None:
                async with at_once:
                    return await look_through(place, folder.child(name))

            found = await asyncio.gather(*map(look, names))
            return Listed.of([entry or _gone(name) for name, entry in zip(names, found, strict=True)])

        return await self._call(token, self._directly.do(folder, work))

    async def stat(self, location: Location, follow: bool = False, token: str = "") -> Entry:
        return await self._call(
            token, self._directly.do(location, lambda place: place.stat(location, follow=follow))
        )

    async def read(self, location: Location, offset: int, size_bytes: int, token: str = "") -> bytes:
        """Return a piece of a file; it stays open for a moment, for the next piece."""

        async def work(place: Place) -> bytes:
            await self._close_readers(since=self._clock.monotonic() - READER_S)
            kept = self._readers.pop(location, None)
            if kept is not None and kept[1] is not place:
                await kept[0].close()
                kept = None
            reader = kept[0] if kept is not None else await _opened(place, location)
            try:
                data = await reader.read(offset, size_bytes)
            except BaseException:
                await reader.close()
                raise
            if location in self._readers or offset + len(data) >= reader.entry.size_bytes:
                await reader.close()  # whoever reads one small file after another leaves none open
                return data
            self._readers[location] = reader, place, self._clock.monotonic()
            while len(self._readers) > MOST_READERS:
                _, (oldest, _, _) = self._readers.popitem(last=False)
                await oldest.close()
            return data

        return await self._call(token, self._directly.do(location, work))

    async def space(self, folder: Location, token: str = "") -> Space:
        async def work(place: Place) -> Space:
            if not place.capabilities.space:
                raise Unsupported(f"cannot tell how much room there is at {folder}", location=folder)
            return await place.space(folder)

        return await self._call(token, self._directly.do(folder, work))

    async def measure(
        self,
        locations: tuple[Location, ...],
        time_limit_s: float = 2.0,
        exclude: Exclusion = NOTHING,
        token: str = "",
    ) -> Totals:
        """Count what lies at and below locations, for so long at most."""

        async def work() -> Totals:
            count = Measuring(exclude)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(time_limit_s):
                    for location in locations:
                        await self._directly.do(location, partial(count.add, location=location))
                    return count.totals(complete=True)
            return count.totals(complete=False)

        return await self._call(token, work())

    async def uploads(
        self, place: Location, older_than_s: float, remove: bool = False, token: str = ""
    ) -> tuple[Unfinished, ...]:
        """Return half uploads begun so long ago that no job wants any more; with `remove`, remove them."""

        async def work() -> tuple[Unfinished, ...]:
            store = await self._doors.place(place)
            if not store.capabilities.uploads:
                raise Unsupported(f"{place} holds no uploads out of sight", location=place)
            uploads, held = cast("Uploads", store), await self._held()
            found = [it for it in await uploads.unfinished(older_than_s) if it.upload_id not in held]
            if remove:
                for upload in found:
                    await uploads.give_up(upload)
            return tuple(found)

        return await self._call(token, work())

    # Steps

    async def make_folder(self, location: Location, token: str = "") -> Location:
        """Make a folder, and those above it that are missing; return the topmost of those made."""
        return await self._call(token, steps.make_folder(self._doors, location))

    async def create_file(self, location: Location, token: str = "") -> None:
        await self._call(token, steps.create_file(self._doors, location))

    async def rename(self, location: Location, new: Location, token: str = "") -> None:
        await self._call(token, steps.rename(self._doors, location, new))

    async def set_mode(self, location: Location, mode: int, token: str = "") -> None:
        await self._call(token, steps.set_mode(self._doors, location, mode))

    async def make_symlink(self, location: Location, points_to: str, token: str = "") -> None:
        await self._call(token, steps.make_symlink(self._doors, location, points_to))

    # Calls

    async def _call(self, token: str, work: Coroutine[Any, Any, T]) -> T:
        """Do something that `drop` can end."""
        task = asyncio.ensure_future(work)
        if token:
            self._calls[token] = task
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            raise PlaceError("it was given up") from None
        finally:
            task.cancel()
            self._calls.pop(token, None)

    async def _close_readers(self, *, since: float | None) -> None:
        """Close files nobody has read from for a while; all with `since` None."""
        for location, (reader, _, used_at) in tuple(self._readers.items()):
            if since is None or used_at < since:
                del self._readers[location]
                await reader.close()


async def look_through(place: Place, location: Location) -> Entry | None:
    """Return an entry, of a link with the kind that tells what it leads to; None where it has gone."""
    try:
        entry = await place.stat(location)
    except NotFound:
        return None
    return entry if entry.kind is not EntryKind.LINK else await kind_of_link(place, location, entry)


async def _opened(place: Place, location: Location) -> Reader:
    try:
        return await place.open_reader(location)
    except IsAFolder as error:
        error.remedy = "Open it instead."  # nothing is to be written here, in whose way it would stand
        raise


def _gone(name: str) -> Entry:
    return Entry(name, EntryKind.UNKNOWN, -1, 0, 0, 0, 0, 0)
