"""Very many names in order, and what belongs to each, on packed pages: some bytes a name (which holds no `/`)."""

from __future__ import annotations

import heapq
import os
import zlib
from array import array
from bisect import bisect_right
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING

from tui.places.local.gathered import unless
from tui.places.local.seen import SeenNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tui.places.local.hops import Brake

RUN = 8192
"""So many are sorted at once; what is sorted is merged."""
PAGE = 64
"""So many are packed together: to find one, a page is unpacked."""
_HASH_BYTES = 8


def as_bytes(key: str | bytes) -> bytes:
    """Return what names have in common so that it can be packed."""
    return os.fsencode(key)


def in_order(items: Iterable[bytes], brake: Brake | None = None) -> Iterator[bytes]:
    """Yield names, or what begins with one, in the order of their bytes; each that came several times once.

    Raises:
        Stopped: The brake went on.
    """
    coming, runs = unless(brake, items), list[list[bytes]]()
    while some := sorted(islice(coming, RUN)):
        runs.append([zlib.compress(b"/".join(some[at : at + PAGE]), 1) for at in range(0, len(some), PAGE)])
    before: bytes | None = None
    for item in unless(brake, heapq.merge(*map(_unpacked, runs))):
        if item != before:
            yield item
        before = item


def _unpacked(pages: list[bytes]) -> Iterator[bytes]:
    for page in pages:
        yield from zlib.decompress(page).split(b"/")


class Pages:
    """Finds what belongs to a name.

    Args:
        pairs: Names and what belongs to them (no `/`, no zero byte), in the order of the names; none comes twice.
    """

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._names = SeenNames()
        self._firsts: list[bytes] = []
        self._pages: list[bytes] = []
        coming = iter(pairs)
        while some := list(islice(coming, PAGE)):
            for name, _ in some:
                self._names.meet(name)
            page = b"".join(b"/%s\0%s" % pair for pair in some)
            self._firsts.append(some[0][0])
            self._pages.append(zlib.compress(page + b"/", 1))

    def __bool__(self) -> bool:
        return bool(self._pages)

    def get(self, name: bytes) -> bytes | None:
        """Return what belongs to a name; None: it is none of these."""
        if not self._names.knows(name) or (at := bisect_right(self._firsts, name)) == 0:
            return None
        page, wanted = zlib.decompress(self._pages[at - 1]), b"/%s\0" % name
        found = page.find(wanted)
        if found < 0:
            return None
        start = found + len(wanted)
        return page[start : page.index(b"/", start)]


class Taken:
    """Remembers what is taken by a hash of it: what is free may, once in a great while, be told to be taken.

    (The hash is the same in every process: names that were chosen by it are chosen again.)

    Args:
        most: It is never told of more than so many.
    """

    def __init__(self, most: int) -> None:
        self._slots = most * 3 // 2 + 1
        self._hashes = array("Q", [0]) * self._slots
        """By slot; 0: nothing. What finds its slot full goes to the next that is free."""

    def take(self, key: bytes) -> bool:
        """Take something; say whether it was free."""
        number, slot, free = self._sought(key)
        if free:
            self._hashes[slot] = number
        return free

    def has(self, key: bytes) -> bool:
        """Say whether something is taken."""
        return not self._sought(key)[2]

    def _sought(self, key: bytes) -> tuple[int, int, bool]:
        number = int.from_bytes(blake2b(key, digest_size=_HASH_BYTES).digest()) or 1
        hashes, slots = self._hashes, self._slots
        slot = number % slots
        while (there := hashes[slot]) != number and there:
            slot = (slot + 1) % slots
        return number, slot, not there
