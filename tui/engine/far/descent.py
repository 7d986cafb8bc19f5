"""Going through a tree of any place, children before their folder, with several things under way at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from tui.engine.far.many import Pile, each
from tui.engine.far.met import Met
from tui.engine.far.packed import Packed
from tui.engine.far.reaching import listing
from tui.model.entry import Entry, EntryKind
from tui.model.error import LinkInTheWay, NotEmpty, NotFound, NotListed, PlaceError
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from tui.engine.far.ends import Ends
    from tui.engine.run import Run
    from tui.places.base import Place


FOLDERS_AT_ONCE = 8


@dataclass(slots=True)
class Level:
    """A folder being gone through.

    Attributes:
        above: The folder it is in; None for the top.
        below: So many folders in it are still to be done.
        done: Names in it that were met, whatever became of them: they are not met again when it is listed anew.
        folders: Those in it, each as its mode and its name.
        held: Something in it stays as it was.
        repeated: It was gone through a second time.
        untold: Some of it cannot be told by names, as was found when it was last gone through.
    """

    where: Location
    entry: Entry
    above: Level | None
    below: int = 0
    done: Met = field(default_factory=Met)
    folders: Packed = field(default_factory=Packed)
    held: bool = False
    repeated: bool = False
    untold: NotListed | None = None

    def note(self, untold: NotListed) -> None:
        self.untold = untold

    def into(self) -> Iterator[Level]:
        """Yield the folders in it, each as it is gone into."""
        for mode, name in self.folders:
            entry = Entry(name, EntryKind.FOLDER, 0, 0, int(mode), -1, -1, 1)
            yield Level(self.where.child(name), entry, self)


class Descent:
    """Walks one entry and all below it. Subclasses say what is done to files and folders.

    No link is followed: before each page of a folder is gone through, it is looked whether the folder, and those above
    it up to the top, still are folders. Memory holds names, packed: of the folders that are listed just now, and of
    those still to be gone into.
    """

    gone_is_done = True
    """Whether an entry that is not there (any more) is as good as done."""

    def __init__(
        self, run: Run, reach: Ends, fail: Callable[[Location, PlaceError], Awaitable[None]]
    ) -> None:
        """Say whom to tell of what could not be done."""
        self.run, self.reach = run, reach
        self._tell = fail
        self._stack = Pile[Level]()

    async def go(self, top: Location, entry: Entry) -> None:
        """Do the entry and all below it, or until the run is stopped."""
        if entry.kind is not EntryKind.FOLDER:
            await self._file(top, entry, None)
            return
        self._stack.add([Level(top, entry, None)])
        going: set[asyncio.Future[None]] = set()
        try:
            while not self.run.stopped:
                for level in islice(self._stack, FOLDERS_AT_ONCE - len(going)):
                    going.add(asyncio.ensure_future(self._through(level)))
                if not going:
                    return
                going = await _some(going)
        finally:
            for task in going:
                task.cancel()
            await asyncio.gather(*going, return_exceptions=True)

    def spares(self, where: Location, entry: Entry) -> bool:
        """Say whether nothing is to be done to an entry and what is below it."""
        return False

    async def file(self, where: Location, entry: Entry) -> None:
        """Do one entry that is not a folder."""
        raise NotImplementedError

    async def before(self, where: Location, entry: Entry) -> bool:
        """Prepare a folder; say whether to go through it."""
        return True

    async def folder(self, level: Level) -> bool:
        """Do a folder whose entries have all been done; say False to have it gone through once more."""
        raise NotImplementedError

    async def _through(self, level: Level) -> None:
        """Go through one folder; where it was the last thing missing in those above it, they are done, too."""
        where = self.run.record.current = level.where
        try:
            if not await self.before(where, level.entry):
                await self._is_done(level.above)
                return
            await self.reach.do(where, lambda place: self._read(level, place))
        except PlaceError as error:
            await self._fail(where, error, level)
        level.done, level.below = Met(), len(level.folders)
        self._stack.add(level.into())
        if not level.below:
            await self._finish(level)

    async def _finish(self, level: Level) -> None:
        if self.run.stopped:
            return
        try:
            if not await self.folder(level):
                level.repeated = True
                self._stack.add([level])
                return
        except NotEmpty as error:
            await self._fail(level.where, level.untold or error, level)
        except PlaceError as error:
            await self._fail(level.where, error, level)
        if level.held and level.above is not None:
            level.above.held = True
        await self._is_done(level.above)

    async def _is_done(self, level: Level | None) -> None:
        """Note that one more folder in this one is done."""
        if level is not None:
            level.below -= 1
            if not level.below:
                await self._finish(level)

    async def _read(self, level: Level, place: Place) -> None:
        """Do the files of a folder, page by page; those that are folders are noted."""
        level.folders = Packed()
        await self._check(level, place)
        level.untold = None
        async with listing(place, level.where, level.note) as pages:
            async for page in pages:
                if self.run.stopped:
                    return
                if spared := [entry for entry in page if self.spares(level.where.child(entry.name), entry)]:
                    level.held = True
                    page = [entry for entry in page if entry not in spared]
                for entry in page:
                    if entry.kind is EntryKind.FOLDER:
                        level.folders.append(str(entry.mode), entry.name)
                await self._files(level, page, place)

    async def _files(self, level: Level, page: Sequence[Entry], place: Place) -> None:
        files = [e for e in page if e.kind is not EntryKind.FOLDER and e.name not in level.done]
        if not files:
            return
        await self._check(level, place)

        async def one(entry: Entry) -> None:
            if not self.run.stopped:
                await self._file(level.where.child(entry.name), entry, level)
                level.done.add(entry.name)

        await each(files, one, min(len(files), place.capabilities.pipeline))

    async def _file(self, where: Location, entry: Entry, level: Level | None) -> None:
        try:
            await self.file(where, entry)
        except PlaceError as error:
            await self._fail(where, error, level)

    async def _fail(self, where: Location, error: PlaceError, level: Level | None) -> None:
        """Tell of what could not be done, unless it has gone by itself."""
        if isinstance(error, NotFound) and self.gone_is_done:
            return
        if level is not None:
            level.held = True
        await self._tell(where, error)

    async def _check(self, level: Level, place: Place) -> None:
        """Look whether all on the way down still are folders: what is under a link is somewhere else.

        Raises:
            LinkInTheWay: One of them is not.
        """
        above: Level | None = level if place.capabilities.symlinks else None
        way: list[Location] = []
        while above is not None:
            way.append(above.where)
            above = above.above

        async def one(where: Location) -> None:
            if (await place.stat(where)).kind is not EntryKind.FOLDER:
                raise LinkInTheWay(f"cannot go into {where}: it is no folder any more", location=where)

        await each(way, one, len(way))


async def _some(going: set[asyncio.Future[None]]) -> set[asyncio.Future[None]]:
    """Wait until one of them has ended; return the others."""
    done, left = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return left
