"""Comparing two folders of any two places, entry by entry; nothing is written."""

from __future__ import annotations

import asyncio
import os
import stat
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from tui.engine.far.columns import NONE, Columns, side_by_side
from tui.engine.far.ends import look
from tui.engine.far.likeness import SMALL_AT_ONCE, Likeness
from tui.engine.far.many import Pile, spread
from tui.engine.far.packed import Packed
from tui.engine.far.standing import FILE_BITS, FOLDER_BITS, Pairing, leaves_out
from tui.model.comparison import Change, Compared, Difference
from tui.model.entry import EntryKind
from tui.model.error import NotAFolder, NotFound, PlaceError
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.fidelity import ALL_TRAITS
from tui.places.local.comparing import Side

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator

    from tui.engine.far.reaching import Reaching
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Place

AHEAD, MOST_AHEAD = 8, 10_000
"""Folders listed ahead; and the most entries of such a one, on each side."""

PART_ENTRIES = 1000


@dataclass(eq=False, slots=True)
class _Folder:
    """A folder that stands on one side or both, still to be gone into; `listed` once that was begun.

    Attributes:
        holds: Something in it may be left out.
    """

    path: str
    side: Side
    holds: bool
    listed: asyncio.Future[tuple[Columns, Columns]] | None = None
    is_next: bool = False

    def check(self, count: int) -> None:
        """Hold no more than some of what comes later.

        Raises:
            TooMuch: There is more in the folder.
        """
        if count > MOST_AHEAD and not self.is_next:
            raise TooMuch


class _Below:
    """The folders found in one that wait to be gone into."""

    def __init__(self, path: str) -> None:
        self._path, self._found = path, Packed()

    def add(self, folder: _Folder) -> None:
        self._found.append(folder.side.value, str(int(folder.holds)), folder.path.rpartition("/")[2])

    def __iter__(self) -> Iterator[_Folder]:
        for side, holds, name in self._found:
            yield _Folder(f"{self._path}/{name}" if self._path else name, Side(side), holds == "1")


_Window = deque[tuple[asyncio.Future[Compared], _Folder | None]]
"""Entries that are compared at once, in order, and what is to be gone into afterwards."""


class TooMuch(Exception):
    """A folder that was listed ahead holds so much that it is listed again when its turn comes."""


class Comparison:
    """Compares a folder with another, as a sync would: the entries of each folder by name, then the folders in it.

    Files are the same where size and time are, as exactly as both places keep it, or their contents if asked for; modes
    where both have them. No link below the two is followed. What unfinished jobs have under partial names on either
    side is passed over.
    """

    def __init__(
        self,
        reach: Reaching,
        source: Location,
        target: Location,
        *,
        by_content: bool = False,
        through: bool = True,
        exclude: Exclusion = NOTHING,
    ) -> None:
        """Say what is compared.

        Args:
            target: It need not exist: then all is new.
            by_content: Compare files by content, not by size and time.
            through: Tell what is in a folder that only one side has, too.
            exclude: What is passed over, on whichever side it stands.
        """
        self._through, self._exclude = through, exclude
        self._reach, self._by_content = reach, by_content
        self._source, self._target = source, target
        self._likeness = Likeness(reach, lambda _size, _where: None, _at_ease)
        self._waiting = Pile[_Folder]()
        self._ahead: list[_Folder] = []
        """The next of those."""
        self._listed: set[asyncio.Future[tuple[Columns, Columns]]] = set()
        """What was begun to be listed, and did not have its turn yet."""
        self._pairing: Pairing
        self._begun = False
        """The two folders themselves could be read."""

    async def parts(self) -> AsyncGenerator[Compared, None]:
        """Yield what was found, part by part; closing it stops everything.

        Raises:
            PlaceError: One of the two folders cannot be read.
        """
        try:
            yield await self._tops()
            while self._look_ahead():
                try:
                    folder, source, target = await self._next()
                except PlaceError as error:
                    if not self._begun:
                        raise
                    yield Compared(failures=[error])
                    continue
                self._begun = True
                async for part in self._folder(folder, source, target):
                    yield part
        finally:
            for listed in self._listed:
                listed.cancel()
            await asyncio.gather(*self._listed, return_exceptions=True)

    def _look_ahead(self) -> bool:
        """Have the next folders at hand; say whether there are any."""
        self._ahead += islice(self._waiting, AHEAD - len(self._ahead))
        return bool(self._ahead)

    async def _next(self) -> tuple[_Folder, Columns, Columns]:
        """Return the folder that comes next, with what it holds on both sides; some more are listed meanwhile."""
        for ahead in self._ahead:
            if ahead.listed is None:
                ahead.listed = asyncio.ensure_future(self._list(ahead))
                self._listed.add(ahead.listed)
        folder = self._ahead.pop(0)
        assert folder.listed is not None
        folder.is_next = True
        try:
            return folder, *(await folder.listed)
        except TooMuch:
            return folder, *(await self._list(folder))
        finally:
            if folder.listed.done():
                self._listed.discard(folder.listed)

    async def _tops(self) -> Compared:
        """Compare the two folders as such."""

        async def tops(here: Place, there: Place) -> tuple[Entry, Entry | None]:
            self._source, self._target = await here.resolve(self._source), await there.resolve(self._target)
            self._pairing = Pairing.of(here.capabilities, there.capabilities, ALL_TRAITS)
            return await here.stat(self._source, follow=True), await _found(there, self._target)

        source, target = await self._reach.do_both(self._source, self._target, tops)
        for where, entry in ((self._source, source), (self._target, target)):
            if entry is not None and entry.kind is not EntryKind.FOLDER:
                raise NotAFolder(f"cannot compare {where}: it is not a folder", location=where)
        side = Side.SOURCE if target is None else Side.BOTH
        self._waiting.add([_Folder("", side, holds=bool(self._exclude))])
        part = Compared()
        if target is not None and not self._is_aligned(source, target):
            part.differences.append(Difference("", Change.ATTRIBUTES, source.facts, target.facts))
        return part

    async def _list(self, folder: _Folder) -> tuple[Columns, Columns]:
        source, target = await asyncio.gather(
            self._names(folder, self._source) if folder.side is not Side.TARGET else _nothing(),
            self._names(folder, self._target) if folder.side is not Side.SOURCE else _nothing(),
        )
        return source, target

    async def _names(self, folder: _Folder, top: Location) -> Columns:
        where = top.below(folder.path)
        return await self._reach.do(where, lambda place: Columns.read(place, where, folder.check))

    async def _folder(
        self, folder: _Folder, source: Columns, target: Columns
    ) -> AsyncGenerator[Compared, None]:
        """Compare the entries of a folder; those that are folders wait to be gone into, in order."""
        below = _Below(folder.path)
        part = Compared(failures=[columns.untold for columns in (source, target) if columns.untold])
        window = _Window()
        try:
            for each, entry, there in side_by_side(source, target):
                name = os.fsdecode(each)
                path = f"{folder.path}/{name}" if folder.path else name
                if leaves_out(self._exclude, path, entry, there):
                    continue
                into: _Folder | None = None
                if (side := _side(entry, there)) is Side.BOTH or (side is not None and self._through):
                    into = _Folder(path, side, folder.holds)
                window.append((asyncio.ensure_future(self._entry(path, entry, there, into)), into))
                if len(window) == SMALL_AT_ONCE:
                    await _settle(window, part, below)
                if len(part.differences) >= PART_ENTRIES:
                    yield part
                    part = Compared()
            while window:
                await _settle(window, part, below)
            self._waiting.add(self._ahead)
            self._waiting.add(below)
            self._ahead = []
            yield part
        finally:
            for task, _ in window:
                task.cancel()
            await asyncio.gather(*(task for task, _ in window), return_exceptions=True)

    async def _entry(
        self, path: str, entry: Entry | None, there: Entry | None, into: _Folder | None
    ) -> Compared:
        part = Compared()
        try:
            change = await self._change(path, entry, there)
            if change is Change.EXTRA and into is not None and await self._stays(into):
                change = None
        except NotFound:
            return part  # it went meanwhile
        except PlaceError as error:
            part.failures.append(error)
            return part
        if change is not None:
            facts = entry.facts if entry else None, there.facts if there else None
            part.differences.append(Difference(path, change, *facts))
        elif entry is not None and entry.kind is not EntryKind.FOLDER:
            part.files_same = 1
        return part

    async def _stays(self, extra: _Folder) -> bool:
        """Say whether a folder that only the target has stays when others go, for what is left out in it."""
        found = False

        async def look_in(path: str) -> Iterable[str]:
            nonlocal found
            try:
                names = await self._names(_Folder(path, Side.TARGET, holds=True, is_next=True), self._target)
            except PlaceError:
                return ()  # that is told when it is gone into
            inside = (entry for _, entry in names.entries())
            found |= any(leaves_out(self._exclude, f"{path}/{entry.name}", entry) for entry in inside)
            entries = (entry for _, entry in names.entries())
            return (f"{path}/{entry.name}" for entry in entries if entry.kind is EntryKind.FOLDER)

        if extra.holds:
            await spread(extra.path, look_in, AHEAD, lambda: found)
            extra.holds = found
        return found

    async def _change(self, path: str, entry: Entry | None, there: Entry | None) -> Change | None:
        if there is None:
            return Change.NEW
        if entry is None:
            return Change.EXTRA
        is_folder = entry.kind is EntryKind.FOLDER
        if is_folder != (there.kind is EntryKind.FOLDER):
            return Change.CLASH
        if not is_folder and not await self._is_same(path, entry, there):
            return Change.CHANGED
        return None if self._is_aligned(entry, there) else Change.ATTRIBUTES

    async def _is_same(self, path: str, entry: Entry, there: Entry) -> bool:
        if entry.kind is EntryKind.FILE and entry.size_bytes != there.size_bytes:
            return False
        source, target = self._source.below(path), self._target.below(path)
        if self._by_content or not entry.kind is there.kind is EntryKind.FILE:
            return not await self._likeness.difference(source, entry, target, there)
        if not self._pairing.source.lists_times:
            entry = await self._reach.do(source, lambda place: place.stat(source))
        if not self._pairing.target.lists_times:
            there = await self._reach.do(target, lambda place: place.stat(target))
        return self._pairing.same(entry, there)

    def _is_aligned(self, entry: Entry, there: Entry) -> bool:
        """Say whether two entries of one kind agree in what both places can keep besides content."""
        if entry.kind.is_link:
            return True
        is_folder = entry.kind is EntryKind.FOLDER
        mode = self._pairing.attributes(entry).mode
        if mode is not None and mode != stat.S_IMODE(there.mode) & (FOLDER_BITS if is_folder else FILE_BITS):
            return False
        timed = self._by_content and self._pairing.keeps_times and self._pairing.exact and not is_folder
        return not timed or self._pairing.same_time(entry, there)


def compare(
    reach: Reaching,
    source: Location,
    target: Location,
    *,
    by_content: bool = False,
    exclude: Exclusion = NOTHING,
) -> AsyncGenerator[Compared, None]:
    """Yield how a folder differs from another and what is in it, part by part, the paths in order in each folder."""
    return Comparison(reach, source, target, by_content=by_content, exclude=exclude).parts()


def _side(entry: Entry | None, there: Entry | None) -> Side | None:
    """Say on which sides something is a folder, if on any."""
    at_source = entry is not None and entry.kind is EntryKind.FOLDER
    at_target = there is not None and there.kind is EntryKind.FOLDER
    if at_source and at_target:
        return Side.BOTH
    return Side.SOURCE if at_source else Side.TARGET if at_target else None


async def _settle(window: _Window, part: Compared, below: _Below) -> None:
    """Take what was found of the first entry."""
    work, into = window[0]
    part.add(await work)
    window.popleft()
    if into is not None:
        below.add(into)


async def _found(place: Place, where: Location) -> Entry | None:
    """Return what a location leads to, or None where there is nothing: of a link that leads nowhere, the link."""
    try:
        return await place.stat(where, follow=True)
    except NotFound:
        return await look(place, where)


async def _nothing() -> Columns:
    return NONE


async def _at_ease(_size_bytes: int) -> None:
    """Wait for nobody."""
