"""What is known of folders without asking again: those just made here, or just listed."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tui.places.s3.spots import Spot

KNOWN_S = 600.0
"""So long it is taken for true: whoever else made a folder meanwhile does not lose it, as a file is another key."""

_MOST_FOLDERS, _MOST_NAMES = 256, 10_000


@dataclass(slots=True)
class Known:
    """One folder: which of the names in it are folders."""

    since: float
    folders: set[str] = field(default_factory=set)
    complete: bool = False
    """All of them are there: not so while the folder is still being read."""
    too_many: bool = False

    def add(self, names: Iterable[str]) -> None:
        self.folders.update(names)
        if len(self.folders) > _MOST_NAMES:
            self.too_many = True
            self.folders.clear()


class KnownFolders:
    """Which names are no folders, so that a file may have them: of the folders that were read or made last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], Known] = OrderedDict()

    def learn(self, spot: Spot) -> Known:
        """Say that a key is a folder; return what may be filled with the folders in it, and then be `complete`."""
        key = spot.bucket, spot.key
        self._known[key] = known = Known(self._clock())
        self._known.move_to_end(key)
        if len(self._known) > _MOST_FOLDERS:
            self._known.popitem(last=False)
        return known

    def forget(self, spot: Spot) -> None:
        """Say that there is no such folder."""
        self._known.pop((spot.bucket, spot.key), None)

    def is_folder(self, spot: Spot) -> bool:
        """Say whether it is known that a key is a folder, or may become one. (False: it is not known.)"""
        return self._of(spot.bucket, spot.key) is not None

    def is_no_folder(self, spot: Spot) -> bool:
        """Say whether it is known that nothing lies below a key. (False: it is not known.)"""
        above, _, name = spot.key.rpartition("/")
        known = self._of(spot.bucket, above)
        return known is not None and known.complete and not known.too_many and name not in known.folders

    def _of(self, bucket: str, key: str) -> Known | None:
        known = self._known.get((bucket, key))
        return None if known is None or self._clock() - known.since > KNOWN_S else known

    def made(self, spot: Spot) -> None:
        """Say that there is something under a key: all above it are folders, and it itself is none."""
        self.forget(spot)
        above, _, _ = spot.key.rpartition("/")
        while above:
            higher, _, name = above.rpartition("/")
            if (known := self._known.get((spot.bucket, higher))) is not None:
                known.add((name,))
            above = higher
