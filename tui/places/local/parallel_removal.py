"""Removing a tree in parts, several threads at once."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tui.model.error import PlaceError
from tui.places.local.descent import volume_of
from tui.places.local.homes import NO_HOMES
from tui.places.local.hops import Batch
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import join

if TYPE_CHECKING:
    from tui.places.local.descent import Volume
    from tui.places.local.homes import Homes
    from tui.places.local.hops import Brake
    from tui.places.local.root import Root

_ENOUGH, _MOST, _DEEPEST = 16, 4096, 4
"""Folders worth sharing out, the most that are looked for, and how deep."""

STEP_S = 0.05


class SubtreesRemoval:
    """Removes trees one after another, taken from a list that several threads share.

    What could not be removed is not told: it is met again by whoever removes the tree that holds them all.
    """

    def __init__(self, root: Root, paths: list[bytes], brake: Brake, homes: Homes = NO_HOMES) -> None:
        self._root, self._paths, self._brake, self._homes = root, paths, brake, homes
        self._removal: TreeRemoval | None = None

    def step(self) -> Batch:
        """Remove for about 50 ms, or until the list is empty or the brake is on."""
        total = Batch()
        ends = time.monotonic() + STEP_S
        while not self._brake.on and time.monotonic() < ends:
            if self._removal is None:
                try:
                    path = self._paths.pop()
                except IndexError:
                    total.exhausted = True
                    break
                self._removal = TreeRemoval(self._root, path, self._brake, self._homes)
            batch = self._removal.step()
            total.add(batch)
            if batch.exhausted:
                self.close()
        return total

    def close(self) -> None:
        """Close what is open."""
        if self._removal is not None:
            self._removal.close()
            self._removal = None


def subtrees(root: Root, name: bytes, brake: Brake, homes: Homes = NO_HOMES) -> list[bytes]:
    """Return folders in a tree, none within another, to be removed by several threads; none where there are few.

    They are on the filesystem of `root`, reached by the same mount: what is mounted in the tree, and any home folder,
    is left to `TreeRemoval`, which refuses it.
    """
    volume = volume_of(root.fd)
    level = [name]
    for _ in range(_DEEPEST):
        below: list[bytes] = []
        for path in level:
            if brake.on:
                return []
            below += _subfolders(root, path, volume, homes)[: _MOST - len(below)]
        if len(below) < len(level):
            break
        level = below
        if len(level) >= _ENOUGH:
            break
    return level if len(level) > 1 else []


def _subfolders(root: Root, path: bytes, volume: Volume, homes: Homes) -> list[bytes]:
    """Return the paths of the folders in a folder; none where it cannot be read, which is told later, or is to stay."""
    try:
        fd = root.folder(path)
    except PlaceError:
        return []
    try:
        info = os.fstat(fd)
        if volume_of(fd) != volume or (info.st_dev, info.st_ino) in homes:
            return []
        with os.scandir(fd) as entries:
            return [
                join(path, os.fsencode(entry.name))
                for entry in entries
                if entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
    finally:
        os.close(fd)
