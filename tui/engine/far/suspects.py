"""Finding out of many things that are copied at once the one at which the connection ends whenever it is touched.

What was under way at two losses in a row is suspected. Of the suspects one half is tried without the others: where the
connection holds, they are cleared, and half of the rest comes next; where it ends, the rest is cleared, until one is
left that is tried alone.
"""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tui.engine.far.streak import ALONE_AFTER, MOST_LOSSES, given_up
from tui.engine.far.tree import Folder, Item, State

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tui.model.error import EndsConnection, PlaceError
    from tui.model.location import Location

    Key = tuple[int, str]


class _Hits(NamedTuple):
    """So often in a row the connection ended at a thing, and how far that was."""

    times: int
    position: int


class Suspects:
    """What was under way when the connection was lost, time after time, without coming further.

    Entries are known by their paths: after a loss, others stand for those of a folder that is listed anew.

    Args:
        furthest: How far large files came, by target: kept by others.
    """

    def __init__(self, furthest: Mapping[Location, int]) -> None:
        self._furthest = furthest
        self._hits: dict[Key, _Hits] = {}
        self._given_up: dict[Key, EndsConnection] = {}
        self.left: dict[Key, int] = {}
        """What is suspected, and how far it was when the connection ended."""

    def half(self) -> set[Key]:
        """Return what is to be tried next, without all else."""
        return set(islice(self.left, (len(self.left) + 1) // 2))

    def lost(self, under_way: Collection[Folder | Item], error: PlaceError) -> None:
        """Note that the connection was lost; what was alone then for the last of many times is given up."""
        hits: dict[Key, _Hits] = {}
        for thing in under_way:
            position, before = self._position(thing), self._hits.get(key_of(thing))
            times = before.times + 1 if before is not None and position <= before.position else 1
            hits[key_of(thing)] = _Hits(times, position)
        self._hits = hits
        self.left = {key: hit.position for key, hit in hits.items() if hit.times >= ALONE_AFTER}
        if len(hits) == 1:
            ((key, hit),) = hits.items()
            if hit.times >= MOST_LOSSES:
                self._given_up[key] = given_up(error)

    def tried(self, thing: Folder | Item) -> None:
        """Note that the connection outlived a thing, or a page of a folder: that is cleared by a later one only."""
        key = key_of(thing)
        listing = isinstance(thing, Folder) and thing.is_open
        if key in self.left and not (listing and self._position(thing) <= self.left[key]):
            del self.left[key]
        if self.left and isinstance(thing, Folder) and thing.state is State.FINISH:
            below = thing.path + "/"
            self.left = {k: at for k, at in self.left.items() if k[0] != key[0] or not k[1].startswith(below)}

    def passed(self, folder: Folder, name: str) -> None:
        """Note that nothing is to be done about an entry any more: it was done as the connection ended, or told of."""
        if self.left:
            self.left.pop((folder.idx, folder.below(folder.path, name)), None)

    def check(self, thing: Folder | Item) -> None:
        """Refuse what was given up.

        Raises:
            EndsConnection.
        """
        if self._given_up and (error := self._given_up.get(key_of(thing))) is not None:
            raise error

    def _position(self, thing: Folder | Item) -> int:
        if isinstance(thing, Item):
            return self._furthest.get(thing.target, 0)
        return {State.NEW: 0, State.LISTING: 1 + thing.pages, State.FINISH: sys.maxsize}[thing.state]


def key_of(thing: Folder | Item) -> Key:
    return thing.idx, thing.path
