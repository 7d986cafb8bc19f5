"""How two folders differ still when one was copied onto the other: by paths, of which there may be a million."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui.model.comparison import Change
from tui.places.local.gathered import Gathered
from tui.places.local.names import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tui.model.comparison import Difference


class Remaining:
    """Paths from the two folders on, in the order they were compared; packed where they are many."""

    def __init__(self) -> None:
        self._paths = {change: Gathered() for change in Change}

    def add(self, differences: Iterable[Difference]) -> None:
        for item in differences:
            self._paths[item.change].append(os.fsencode(item.path))

    def of(self, change: Change) -> Iterator[str]:
        """Yield what differs in one way."""
        return map(os.fsdecode, self._paths[change])

    def has(self, change: Change) -> bool:
        return len(self._paths[change]) > 0

    def extra(self) -> Iterator[str]:
        """Yield what only the target has: not what it calls otherwise, where it takes "A" and "a" for one name."""
        new = {_as_one(path) for path in self.of(Change.NEW)}
        return (path for path in self.of(Change.EXTRA) if _as_one(path) not in new)


def _as_one(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    return folder, folded(os.fsencode(name))
