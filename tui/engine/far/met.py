"""Names that were met in a folder, in little memory however many they are."""

from __future__ import annotations

from array import array
from bisect import bisect_left

FEW = 1024
"""So many are kept as they are."""

_DRAWERS = 1 << 10
"""What one holds of a million is moved within a microsecond to make place for one more."""


class Met:
    """A set of names: a million of them in ten megabytes.

    Many are told apart by 64 bits that nobody can foresee (`hash`): among a million, two are taken for one in one
    folder of ten million.
    """

    __slots__ = ("_drawers", "_few")

    def __init__(self) -> None:
        self._few: set[str] = set()
        self._drawers: dict[int, array[int]] = {}

    def add(self, name: str) -> None:
        """Note that a name was met."""
        if not self._drawers:
            self._few.add(name)
            if len(self._few) <= FEW:
                return
        few, self._few = self._few or {name}, set()
        for each in few:
            drawer, at, there = self._find(each)
            if not there:
                drawer.insert(at, hash(each))

    def discard(self, name: str) -> None:
        """Forget a name, if it was met."""
        self._few.discard(name)
        if self._drawers:
            drawer, at, there = self._find(name)
            if there:
                del drawer[at]

    def __contains__(self, name: str) -> bool:
        return name in self._few or (bool(self._drawers) and self._find(name)[2])

    def _find(self, name: str) -> tuple[array[int], int, bool]:
        """Return where a name is kept, or is to be put, and whether it is there."""
        number = hash(name)
        drawer = self._drawers.get(number % _DRAWERS)
        if drawer is None:
            drawer = self._drawers[number % _DRAWERS] = array("q")
        at = bisect_left(drawer, number)
        return drawer, at, at < len(drawer) and drawer[at] == number
