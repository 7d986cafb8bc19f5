"""Which devices and hosts a job reads and writes: its lanes."""

from __future__ import annotations

import os
import posixpath
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.model.location import Location

MOST_SOURCES = 2000
"""Of jobs with more sources, these are looked at; the rest are taken to be where they are."""


def lanes_of(sources: Iterable[Location], target: Location | None) -> frozenset[int]:
    """Return a number for each device and host of sources and target.

    A device is that of the nearest folder above, where something is not there; hosts have numbers below zero.
    """
    found = {device_of(source.path) if source.is_local else host_of(source) for source in sources}
    if target is not None:
        found.add(device_of(target.path, follow=True) if target.is_local else host_of(target))
    return frozenset(found)


def host_of(location: Location) -> int:
    """Return a number below zero that the locations of one place share. (Two places of one number take turns.)"""
    return -1 - zlib.crc32(f"{location.scheme}://{location.authority}".encode())


def device_of(path: str, *, follow: bool = False) -> int:
    """Return the device number of a path, or of the nearest folder above, where it is not there; 0 if none answers."""
    while True:
        try:
            return os.stat(path, follow_symlinks=follow).st_dev
        except OSError:
            if path == "/":
                return 0
            path, follow = posixpath.dirname(path), True
