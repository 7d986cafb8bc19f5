"""Where files with several names stand already, found out again for single entries that are tried later."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tui.engine.sources import pages
from tui.model.error import PlaceError
from tui.places.local import syscalls
from tui.places.local.namesakes import Namesakes
from tui.places.local.root import Root, split
from tui.places.local.staging import stage_name
from tui.places.local.standing import look

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.engine.rows import Source
    from tui.engine.run import Run, Spot
    from tui.model.location import Location
    from tui.places.local.links import Group, HardLinks


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


async def recall_links(run: Run, links: HardLinks, target: Root) -> None:
    """Say where files with several names stand of which an earlier go has told what they lost, or removed names."""
    if run.record.walk:
        links.recall(await run.hop(_standing, run, await run.journal.links(run.record.id), target))


async def forget_links(run: Run) -> None:
    """Forget that again, where a job has nothing left to be tried or answered."""
    record = run.record
    if (run.moves or record.losses) and not (record.errors or record.questions):
        await run.journal.forget_links(record.id)


def _standing(run: Run, groups: list[Group], target: Root) -> list[Group]:
    """Return groups with the path where each is now; without what has gone, unless the source may have gone, too."""
    found = []
    for group in groups:
        path = group.standing.path
        top, slash, below = path.partition(b"/")
        for candidate in (path, stage_name(run.record.row.tag, top) + slash + below):
            if _stands(target, candidate):
                found.append(group._replace(standing=group.standing._replace(path=candidate)))
                break
        else:
            if run.moves:
                found.append(group)
    return found


def _stands(target: Root, path: bytes) -> bool:
    above, name = split(path)
    try:
        folder = target.folder(above)
    except PlaceError:
        return False
    try:
        return look(folder, name) is not None
    except OSError:
        return False
    finally:
        syscalls.let_go(folder)


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
