"""Going through trees of a place beside other work, to count what is in them: in pages, some folders at once."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from tui.engine.far.folders import is_name
from tui.engine.far.many import spread
from tui.engine.far.need import MOST_STANDING, Amount, Standing
from tui.engine.far.packed import Packed
from tui.engine.far.reaching import listing
from tui.engine.far.standing import leaves_out
from tui.model.entry import EntryKind
from tui.model.error import NotFound, PlaceError
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.location import Location
from tui.places.local.partial import is_partial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from tui.engine.far.need import Need
    from tui.model.entry import Entry
    from tui.places.base import Place

R = TypeVar("R")

FAR_AT_ONCE, NEAR_AT_ONCE = 8, 2
"""Folders listed at once, beyond the local disk and on it."""


class Does(Protocol):
    """Whoever can have something done at a place."""

    async def do(self, location: Location, work: Callable[[Place], Awaitable[R]], /) -> R: ...


@dataclass(slots=True)
class Branch:
    """A folder to be gone through.

    Attributes:
        there: The folder it is merged with at the target; None: there is nothing yet.
        needs: What is in it counts as needed, where it is not there.
        path: From the top.
    """

    where: Location
    there: Location | None = None
    needs: bool = True
    path: str = ""


class Below:
    """The folders found in one."""

    def __init__(self, above: Branch) -> None:
        self._above = above
        self.begin()

    def begin(self) -> None:
        """Forget what was found: the folder is listed from its start."""
        self._found = Packed()

    def add(self, name: str, there: Entry | None, *, needs: bool) -> None:
        """Take in one more.

        Args:
            there: What stands under its name at the target.
        """
        merged = ""
        if there is not None and self._above.there is not None:
            if there.kind is EntryKind.FOLDER:
                merged = there.name
            else:
                needs = False  # nothing will be copied into it
        self._found.append(str(int(needs)), name, merged)

    def __iter__(self) -> Iterator[Branch]:
        where, there, path = self._above.where, self._above.there, self._above.path
        for needs, name, merged in self._found:
            yield Branch(
                where.child(name),
                there.child(merged) if there is not None and merged else None,
                needs == "1",
                f"{path}/{name}" if path else name,
            )


class Survey:
    """Counts what is in folders, no link followed. What cannot be read counts as nothing: the work itself will tell.

    Memory holds the names of the folders still to be gone into, and what stands in those at the target that are listed
    just now.

    Args:
        total: Grows as things are found.
        need: What entries need at the target; None where that does not matter.
        over: Says that no more is to be counted.
        seen: Called with each folder about to be read.
        told: Called after each page.
        unfinished: Count what jobs have not finished, too.
        exclude: What is not counted, below the top.
    """

    def __init__(
        self,
        reach: Does,
        total: Amount,
        need: Need | None,
        over: Callable[[], bool],
        seen: Callable[[Location], None],
        told: Callable[[], None],
        *,
        unfinished: bool,
        exclude: Exclusion = NOTHING,
    ) -> None:
        self._reach, self._total, self._need = reach, total, need
        self._over, self._seen, self._told, self._unfinished = over, seen, told, unfinished
        self._exclude = exclude

    async def go(self, top: Branch) -> None:
        """Count all that is in a folder and below it, or until it is over."""
        at_once = NEAR_AT_ONCE if top.where.is_local else FAR_AT_ONCE
        await spread(top, self._folder, at_once, self._over)

    async def _folder(self, branch: Branch) -> Iterator[Branch]:
        """Count what is in a folder; return the folders in it."""
        below, part = Below(branch), Amount()
        with contextlib.suppress(PlaceError):
            standing = await self._standing(branch)
            await self._reach.do(branch.where, lambda place: self._read(place, branch, standing, part, below))
        return iter(below)

    async def _standing(self, branch: Branch) -> Standing | None:
        """Return what is in the folder at the target; None where nothing counts as needed there."""
        there = branch.there
        if self._need is None or not branch.needs:
            return None
        if there is None:
            return Standing()

        async def read(place: Place) -> Standing | None:
            found: list[Entry] = []
            async with listing(place, there) as pages:
                async for page in pages:
                    found += page
                    if len(found) > MOST_STANDING or self._over():
                        return None
            return Standing(found)

        try:
            return await self._reach.do(there, read)
        except NotFound:
            return Standing()
        except PlaceError:
            return None

    async def _read(
        self, place: Place, branch: Branch, standing: Standing | None, part: Amount, below: Below
    ) -> None:
        self._total.take_back(part)
        below.begin()
        self._seen(branch.where)
        async with listing(place, branch.where) as pages:
            async for page in pages:
                if self._over():
                    return
                more = self._page(branch, page, standing, below)
                part.add(more)
                self._total.add(more)
                self._told()

    def _page(self, branch: Branch, page: Sequence[Entry], standing: Standing | None, below: Below) -> Amount:
        found, merged = Amount(), branch.there is not None
        for entry in page:
            if not is_name(entry.name) or self._passes_by(branch, entry):
                continue
            needs = standing is not None
            if self._need is not None:
                needs &= self._need.is_known(entry.name, merged=merged)
            there = standing.find(entry.name) if standing is not None else None
            if entry.kind is EntryKind.FOLDER:
                found.new_files += needs and there is None
                below.add(entry.name, there, needs=needs)
                continue
            found.files += 1
            found.size_bytes += entry.size_bytes
            if self._need is not None and standing is not None and needs:
                files, size_bytes = self._need.of(entry, there, standing)
                found.new_files += files
                found.new_bytes += size_bytes
        return found

    def _passes_by(self, branch: Branch, entry: Entry) -> bool:
        if not self._unfinished and is_partial(os.fsencode(entry.name)):
            return True
        path = f"{branch.path}/{entry.name}" if branch.path else entry.name
        return leaves_out(self._exclude, path, entry)
