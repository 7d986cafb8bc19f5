"""Entries of a sync that met something of another kind: what stands in their way makes way last, or they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.engine.run import Spot
    from tui.model.error import PlaceError

MOST = 1000
"""So many are put off at most; the others are told at once, and nothing makes way then."""


class Clashes:
    """Keeps them while all else is copied: each walk finds them anew.

    Attributes:
        collects: They are put off; otherwise, and from then on, each is told at once.
    """

    def __init__(self, *, collects: bool) -> None:
        self.collects = collects
        self._left: dict[bytes, tuple[Spot, PlaceError]] = {}

    def put_off(self, spot: Spot, error: PlaceError) -> bool:
        """Say whether one is put off. What is synced itself is not: it never makes way."""
        if not self.collects or b"/" not in spot.target_path:
            return False
        if len(self._left) >= MOST and spot.path not in self._left:
            return False
        self._left[spot.path] = spot, error
        return True

    def settled(self, spot: Spot) -> None:
        """Note that one has found its place."""
        self._left.pop(spot.path, None)

    def left(self) -> Iterable[tuple[Spot, PlaceError]]:
        """Return those that were put off, and not settled yet."""
        return tuple(self._left.values())

    def __len__(self) -> int:
        return len(self._left)
