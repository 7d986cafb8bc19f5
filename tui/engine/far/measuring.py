"""Counting what lies at and below locations of any place, several folders at once."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from tui.engine.far.many import spread
from tui.engine.far.reaching import listing
from tui.engine.far.standing import leaves_out
from tui.model.entry import Entry, EntryKind, Totals
from tui.model.error import PlaceError
from tui.places.local.gathered import Gathered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.model.error import NotListed
    from tui.model.exclusion import Exclusion
    from tui.model.location import Location
    from tui.places.base import Place

FOLDERS_AT_ONCE = 16
"""Each takes some round trips."""


class Measuring:
    """Counts entries, each folder's once.

    Args:
        exclude: What is not counted, below each location.
    """

    def __init__(self, exclude: Exclusion) -> None:
        self._exclude = exclude
        self._files = self._folders = self._size_bytes = self._unreadable = self._untold = 0
        self._untold_key = ""

    def totals(self, *, complete: bool) -> Totals:
        """Return what was counted so far."""
        return Totals(
            self._files,
            self._folders,
            self._size_bytes,
            self._unreadable,
            complete,
            self._untold,
            self._untold_key,
        )

    async def add(self, place: Place, location: Location) -> None:
        """Count what lies at and below a location.

        Raises:
            PlaceError: The location itself cannot be looked at.
        """
        if self._one(await place.stat(location)):
            await spread(location, partial(self._folder, place, location), FOLDERS_AT_ONCE, lambda: False)

    async def _folder(self, place: Place, top: Location, folder: Location) -> Iterator[Location]:
        """Count what is in a folder; return the folders in it."""
        below = Gathered()
        try:
            async with listing(place, folder, self._note) as pages:
                async for page in pages:
                    for entry in page:
                        where = folder.child(entry.name)
                        if not leaves_out(self._exclude, top.relative(where), entry) and self._one(entry):
                            below.append(os.fsencode(entry.name))
        except PlaceError:
            self._unreadable += 1
        return (folder.child(os.fsdecode(name)) for name in below)

    def _note(self, untold: NotListed) -> None:
        self._untold += untold.keys
        self._untold_key = self._untold_key or untold.example

    def _one(self, entry: Entry) -> bool:
        """Count one entry; say whether there is more below it."""
        if entry.kind is EntryKind.FOLDER:
            self._folders += 1
            return True
        self._files += 1
        self._size_bytes += entry.size_bytes if entry.kind is EntryKind.FILE else 0
        return False
