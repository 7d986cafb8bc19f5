"""What a folder holds, in packed columns: some tens of bytes an entry, where objects take twenty times as much."""

from __future__ import annotations

import heapq
import marshal
import os
import zlib
from bisect import bisect_right
from itertools import chain, islice, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

from tui.engine.far.reaching import listing
from tui.model.entry import Entry, EntryKind
from tui.places.local.partial import is_partial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tui.model.error import NotListed
    from tui.model.location import Location
    from tui.places.base import Place

    Row = tuple[bytes, int, int, int, int]
    """Name, kind, size (bytes), modification time (ns) and mode. (Some disks know times beyond 64 bits.)"""

RUN = 1 << 11
"""So many are brought into order together."""
ONE_RUN = 1 << 14
"""So many are put into one such run in the end; of more, several are merged as they are gone through."""
PACK, FEW = 1 << 6, 1 << 4
"""So many are packed together: of each run that many are unpacked at a time. Fewer where there is but one run: one of
them is found in some microseconds then."""

_name = itemgetter(0)


class Columns:
    """The entries of a folder, in the order of the bytes of their names; of each, what listings tell.

    Attributes:
        untold: Some of the folder cannot be told by names, and is not here.
    """

    def __init__(self) -> None:
        self.untold: NotListed | None = None
        self._loose: list[Row] = []
        self._runs: list[_Run] = []
        self._count = 0

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
                found.add(page)
                check(len(found))
        found.end()
        return found

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Columns:
        """Put entries into columns."""
        found = cls()
        found.add(entries)
        found.end()
        return found

    def __len__(self) -> int:
        """Return how many came, whether or not of one name."""
        return self._count

    def _note(self, untold: NotListed) -> None:
        self.untold = untold

    def add(self, entries: Iterable[Entry]) -> None:
        """Take in some more, before the `end`."""
        for entry in entries:
            name = os.fsencode(entry.name)
            if is_partial(name):
                continue
            self._loose.append((name, entry.kind.value, entry.size_bytes, entry.mtime_ns, entry.mode))
            self._count += 1
            if len(self._loose) == RUN:
                self._pack()

    def end(self) -> None:
        """Say that there are no more."""
        self._pack()
        if self._runs and self._count <= ONE_RUN:
            self._runs = [_Run(self._rows(), tight=False)]

    def _pack(self) -> None:
        if self._loose:
            self._runs.append(_Run(sorted(self._loose, key=_name)))
            self._loose = []

    def entries(self, after: bytes = b"") -> Iterator[tuple[bytes, Entry]]:
        """Yield each name and its entry, in order; of two of one name, the last that was listed.

        Args:
            after: A name, be it there or not: only those behind it are yielded. Empty: all.
        """
        return ((_name(row), _entry(row)) for row in self._rows(after))

    def _rows(self, after: bytes = b"") -> Iterator[Row]:
        rows = heapq.merge(*(run.rows(after) for run in self._runs), key=_name)
        for row, then in pairwise(chain(rows, (None,))):
            if row is not None and (then is None or _name(row) != _name(then)):
                yield row

    def get(self, name: bytes) -> Entry | None:
        """Return the entry of a name, if there is one."""
        found = (run.get(name) for run in reversed(self._runs))
        return next((_entry(row) for row in found if row is not None), None)


class _Run:
    """Some entries in order."""

    def __init__(self, rows: Iterable[Row], *, tight: bool = True) -> None:
        left, size, level = iter(rows), PACK if tight else FEW, 1 if tight else 0
        self._firsts: list[bytes] = []
        self._packs: list[bytes] = []
        while part := list(islice(left, size)):
            self._firsts.append(_name(part[0]))
            self._packs.append(_packed(part, level))
        self._at = -1
        self._unpacked: dict[bytes, Row] = {}
        """What was looked for last lies beside what is looked for next."""

    def rows(self, after: bytes) -> Iterator[Row]:
        begin = max(bisect_right(self._firsts, after) - 1, 0)
        for pack in self._packs[begin:]:
            yield from (row for row in _unpacked(pack) if _name(row) > after)

    def get(self, name: bytes) -> Row | None:
        at = bisect_right(self._firsts, name) - 1
        if at < 0:
            return None
        if at != self._at:
            self._at, self._unpacked = at, {_name(row): row for row in _unpacked(self._packs[at])}
        return self._unpacked.get(name)


def _packed(rows: list[Row], level: int) -> bytes:
    return zlib.compress(marshal.dumps(tuple(zip(*rows, strict=True))), level)


def _unpacked(pack: bytes) -> Iterator[Row]:
    return zip(*marshal.loads(zlib.decompress(pack)), strict=True)


def _entry(row: Row) -> Entry:
    name, kind, size_bytes, mtime_ns, mode = row
    return Entry(os.fsdecode(name), EntryKind(kind), size_bytes, mtime_ns, mode, -1, -1, 1)


NONE = Columns()


def side_by_side(
    one: Columns, other: Columns, after: bytes = b""
) -> Iterator[tuple[bytes, Entry | None, Entry | None]]:
    """Yield each name of two folders behind one, in order, with the entry it has in each.

    Args:
        after: A name of one of them; empty: all are yielded.
    """
    left, right = one.entries(after), other.entries(after)
    here, there = next(left, None), next(right, None)
    while here or there:
        name = min(each[0] for each in (here, there) if each)
        entry = here[1] if here and here[0] == name else None
        beside = there[1] if there and there[0] == name else None
        yield name, entry, beside
        here = next(left, None) if entry else here
        there = next(right, None) if beside else there
