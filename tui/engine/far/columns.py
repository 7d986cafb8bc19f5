"""What a folder holds, in compact columns: some hundred bytes an entry, where objects take four times as much."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from tui.engine.far.reaching import listing
from tui.model.entry import Entry, EntryKind
from tui.places.local.partial import is_partial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tui.model.error import NotListed
    from tui.model.location import Location
    from tui.places.base import Place

_SECOND_NS = 1_000_000_000


class Columns:
    """The entries of a folder, in the order of the bytes of their names; of each, what listings tell.

    Attributes:
        names: Sorted; in each column, the entry of `names[i]` is at `i`.
        untold: Some of the folder cannot be told by names, and is not here.
    """

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self.untold: NotListed | None = None
        self._kinds = bytearray()
        self._sizes_bytes, self._modes = array("Q"), array("I")
        # Some disks know times that do not fit into 64 bits of nanoseconds.
        self._seconds, self._nanoseconds = array("q"), array("I")

    @classmethod
    async def read(
        cls, place: Place, folder: Location, check: Callable[[int], None] = lambda _: None
    ) -> Columns:
        """List a folder, without what jobs have not finished.

        Args:
            check: Called after each page with how much there is; what it raises ends the listing.
        Raises:
            PlaceError: It cannot be read.
        """
        found = cls()
        async with listing(place, folder, found._note) as pages:
            async for page in pages:
                found._add(page)
                check(len(found))
        found._sort()
        return found

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Columns:
        """Put entries into columns."""
        found = cls()
        found._add(entries)
        found._sort()
        return found

    def _note(self, untold: NotListed) -> None:
        self.untold = untold

    def _add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            name = os.fsencode(entry.name)
            if is_partial(name):
                continue
            self.names.append(name)
            self._kinds.append(entry.kind)
            self._sizes_bytes.append(entry.size_bytes)
            self._modes.append(entry.mode)
            seconds, nanoseconds = divmod(entry.mtime_ns, _SECOND_NS)
            self._seconds.append(seconds)
            self._nanoseconds.append(nanoseconds)

    def _sort(self) -> None:
        """Bring all columns into the order of the names; of two of one name the last one stays."""
        names = self.names
        order = sorted(range(len(names)), key=names.__getitem__)
        last = [at for at, then in pairwise([*order, -1]) if then < 0 or names[at] != names[then]]
        self.names = [names[at] for at in last]
        self._kinds = bytearray(self._kinds[at] for at in last)
        self._sizes_bytes = array("Q", (self._sizes_bytes[at] for at in last))
        self._modes = array("I", (self._modes[at] for at in last))
        self._seconds = array("q", (self._seconds[at] for at in last))
        self._nanoseconds = array("I", (self._nanoseconds[at] for at in last))

    def kinds(self) -> Iterator[tuple[bytes, EntryKind]]:
        """Yield each name and what it is of."""
        return zip(self.names, map(EntryKind, self._kinds), strict=True)

    def __len__(self) -> int:
        return len(self.names)

    def get(self, name: bytes) -> Entry | None:
        """Return the entry of a name, if there is one."""
        at = bisect_left(self.names, name)
        return self.at(at) if at < len(self.names) and self.names[at] == name else None

    def at(self, number: int) -> Entry:
        """Return the entry at a place in the order."""
        mtime_ns = self._seconds[number] * _SECOND_NS + self._nanoseconds[number]
        kind, size_bytes, mode = self._kinds[number], self._sizes_bytes[number], self._modes[number]
        name = os.fsdecode(self.names[number])
        return Entry(name, EntryKind(kind), size_bytes, mtime_ns, mode, -1, -1, 1)


NONE = Columns()


def side_by_side(
    one: Columns, other: Columns, after: bytes = b""
) -> Iterator[tuple[bytes, Entry | None, Entry | None]]:
    """Yield each name of two folders behind one, in order, with the entry it has in each.

    Args:
        after: A name of one of them; empty: all are yielded.
    """
    left, right = _begin(one.names, after), _begin(other.names, after)
    while left < len(one) or right < len(other):
        here = one.names[left] if left < len(one) else None
        there = other.names[right] if right < len(other) else None
        name = min(each for each in (here, there) if each is not None)
        yield (
            name,
            one.at(left) if here == name else None,
            other.at(right) if there == name else None,
        )
        left += here == name
        right += there == name


def _begin(names: Sequence[bytes], after: bytes) -> int:
    return bisect_right(names, after) if after else 0
