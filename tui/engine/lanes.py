"""Which devices a job reads and writes: its lanes."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.model.location import Location

MOST_SOURCES = 2000
"""Of jobs with more sources, these are looked at; the rest are taken to be where they are."""


def lanes_of(sources: Iterable[Location], target: Location | None) -> frozenset[int]:
    """Return the device numbers of sources and target: of the nearest folder above, where one is not there."""
    found = {device_of(source.path) for source in sources}
    if target is not None:
        found.add(device_of(target.path, follow=True))
    return frozenset(found)


def device_of(path: str, *, follow: bool = False) -> int:
    """Return the device number of a path, or of the nearest folder above, where it is not there; 0 if none answers."""
    while True:
        try:
            return os.stat(path, follow_symlinks=follow).st_dev
        except OSError:
            if path == "/":
                return 0
            path, follow = posixpath.dirname(path), True
