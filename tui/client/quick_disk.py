"""The local disk without an event loop: what is asked of it is done when the call returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.client.disk import Disk
from tui.places.local import single
from tui.places.local.listing import Names

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.model.entry import Entry, Page
    from tui.model.location import Location


class QuickDisk(Disk):
    """A disk whose names, single entries and new folders are had at once.

    All else is as of a `Disk`: whatever looks at many entries must be able to leave one that does not answer.
    """

    async def list(self, folder: Location) -> AsyncIterator[Page]:
        """Yield the names of a folder, page by page."""
        names = Names(folder)
        try:
            while (page := names.read()) is not None:
                yield page
        finally:
            names.close()

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        """Return one entry in full."""
        return single.stat_entry(location, follow=follow)

    async def make_folder(self, location: Location) -> Location:
        """Create one folder; parents that are missing are made too. Return the topmost of those made."""
        return single.make_folder(location)
