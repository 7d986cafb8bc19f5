"""One folder being listed for a client: read ahead a little, handed out as it comes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.engine.far.reaching import listing
from tui.model.entry import Entry, EntryKind, Listed
from tui.model.error import PlaceError, PlaceUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tui.engine.far.doors import Doors
    from tui.model.error import NotListed
    from tui.model.location import Location
    from tui.places.base import Place

logger = logging.getLogger(__name__)

MOST_ENTRIES = 4000
"""So many at most are handed out at once."""

AHEAD_PAGES = 64
"""So many pages of the place are read ahead of whoever asks."""

LINKS_AT_ONCE = 32

GATHER_S = 0.1
"""After the first of a page, what comes so soon behind is handed out with it."""


class Reading:
    """A folder being listed. What is not taken is not read for long: the place waits.

    It begins once more over a new connection where the one there was turns out to be lost, as after a laptop's sleep.
    Not in the middle: what was told already may have changed by then.

    Args:
        doors: Keep the place from being closed while a page is read. (Not while nobody takes any.)
        place: Where the folder is, connected.
    """

    def __init__(self, doors: Doors, place: Place, folder: Location) -> None:
        self._doors, self._place, self._folder = doors, place, folder
        self._told = False
        self._pages: asyncio.Queue[Sequence[Entry] | PlaceError | None] = asyncio.Queue(AHEAD_PAGES)
        self._links = asyncio.Semaphore(LINKS_AT_ONCE)
        self._ended: PlaceError | None = None
        self._untold = ""
        self._pump = asyncio.create_task(self._read(), name=f"list {folder}")

    async def close(self) -> None:
        """Stop reading."""
        self._pump.cancel()
        await asyncio.gather(self._pump, return_exceptions=True)

    async def next(self) -> Listed:
        """Return what has come: at least one entry, or the end.

        Raises:
            PlaceError: It cannot be read further. What came before was handed out.
        """
        if self._ended is not None:
            raise self._ended
        found: list[Entry] = []
        page = await self._pages.get()
        try:
            async with asyncio.timeout(GATHER_S):
                while page is not None and not isinstance(page, PlaceError):
                    found += page
                    if len(found) >= MOST_ENTRIES:
                        return Listed.of(found)
                    page = await self._pages.get()
        except TimeoutError:
            return Listed.of(found)
        if isinstance(page, PlaceError):
            if not found:
                raise page
            self._ended = page
            return Listed.of(found)
        return Listed.of(found, last=True, untold=self._untold)

    async def _read(self) -> None:
        end: PlaceError | None = None
        try:
            try:
                await self._read_through()
            except PlaceUnavailable:
                if self._told or self._place.alive:
                    raise
                self._place = await self._doors.place(self._folder)
                await self._read_through()
        except PlaceError as error:
            end = error
        except Exception:  # whoever waits for the next page must hear of it
            logger.exception("%s could not be listed", self._folder)
            end = PlaceError(f"cannot read the folder {self._folder}: see the log", location=self._folder)
        await self._pages.put(end)

    async def _read_through(self) -> None:
        async with listing(self._place, self._folder, self._note) as pages:
            while (page := await self._page(pages)) is not None:
                self._told = True
                await self._pages.put(page)

    def _note(self, untold: NotListed) -> None:
        self._untold = untold.message

    async def _page(self, pages: AsyncGenerator[Sequence[Entry], None]) -> Sequence[Entry] | None:
        with self._doors.kept(self._folder):
            page = await anext(pages, None)
            return None if page is None else await self._see_through(page)

    async def _see_through(self, page: Sequence[Entry]) -> Sequence[Entry]:
        """Find out which links lead to folders."""
        if not any(entry.kind is EntryKind.LINK for entry in page):
            return page
        return await asyncio.gather(*map(self._look, page))

    async def _look(self, entry: Entry) -> Entry:
        if entry.kind is not EntryKind.LINK:
            return entry
        async with self._links:
            return await kind_of_link(self._place, self._folder.child(entry.name), entry)


async def kind_of_link(place: Place, location: Location, link: Entry) -> Entry:
    """Return the entry of a link with the kind that tells what it leads to."""
    try:
        led_to = await place.stat(location, follow=True)
    except PlaceError:
        return replace(link, kind=EntryKind.BROKEN_LINK)
    return replace(link, kind=EntryKind.FOLDER_LINK if led_to.kind is EntryKind.FOLDER else EntryKind.LINK)
