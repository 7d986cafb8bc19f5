"""Where files with several names stand already, found out again for single entries that are tried later."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tui.engine.sources import pages
from tui.model.error import PlaceError
from tui.places.local.namesakes import Namesakes
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.engine.rows import Source
    from tui.engine.run import Run, Spot
    from tui.model.location import Location
    from tui.places.local.links import HardLinks


class LinkRecall:
    """Looks all sources through for it, once in a go, and only where it matters.

    Args:
        links: Is told of what is found.
        spot: Returns where a source is and goes to.
    """

    def __init__(self, run: Run, links: HardLinks, spot: Callable[[Source], Spot]) -> None:
        self._run, self._links, self._spot = run, links, spot
        self.is_done = False
        """All is known: by a look, or since everything was gone through in this go."""

    async def find(self, locations: Sequence[Location], target: Root) -> None:
        """Look where one of these may be a further name of a file that was copied."""
        if self.is_done or not await self._run.hop(_may_be_linked, locations):
            return
        self.is_done = True
        async for page in pages(self._run):
            for source in page:
                await self._find_of(source, target)

    async def _find_of(self, source: Source, target: Root) -> None:
        run, spot = self._run, self._spot(source)
        try:
            parent = await run.hop(Root.open, source.location.parent.path)
        except PlaceError:
            return  # that will be told of what is copied from there
        names = Namesakes(parent, target, spot.path, spot.target_path, self._links, run.brake)
        try:
            while not run.stopped and not (await run.hop(names.step)).exhausted:
                pass
        finally:
            run.release(names, parent)


def _may_be_linked(locations: Sequence[Location]) -> bool:
    """Say whether one of these may be a name among several of a file, or have such names in it."""
    for location in locations:
        try:
            info = os.lstat(location.path)
        except OSError:
            continue
        if info.st_nlink > 1 or stat.S_ISDIR(info.st_mode):
            return True
    return False
