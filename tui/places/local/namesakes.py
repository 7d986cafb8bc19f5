"""Finding again, for what is tried once more, where files with several names stand at the target."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui.model.error import PlaceError
from tui.places.local import syscalls
from tui.places.local.descent import Descent
from tui.places.local.links import Standing
from tui.places.local.root import split
from tui.places.local.standing import Pair, look

if TYPE_CHECKING:
    from tui.places.local.descent import Level
    from tui.places.local.hops import Batch, Brake
    from tui.places.local.links import HardLinks
    from tui.places.local.root import Root


class Namesakes(Descent):
    """Goes through a source and tells `HardLinks` which files with several names stand complete at the target."""

    def __init__(
        self, source: Root, target: Root, name: bytes, target_name: bytes, links: HardLinks, brake: Brake
    ) -> None:
        super().__init__(source, name, brake)
        self._target, self._target_name, self._links = target, target_name, links

    def file(self, fd: int, folder: bytes, name: bytes, batch: Batch) -> None:
        """Look at one entry; only files with several names cost more than a look."""
        info = os.lstat(name, dir_fd=fd)
        if info.st_nlink == 1:
            return
        twin = self._target_name + os.path.join(folder, name)[len(self._name) :]
        above, target_name = split(twin)
        try:
            there = self._target.folder(above)
        except PlaceError:
            return  # nothing stands there yet
        try:
            standing = look(there, target_name)
            pair = Pair(fd, there, self._target.ways, self._brake, strict=True)
            if standing is not None and pair.same(name, info, target_name, standing):
                self._links.register(info, Standing(twin))
        finally:
            syscalls.let_go(there)

    def folder(self, level: Level, batch: Batch) -> bool:
        """Leave a folder as it is."""
        return False

    def fail(self, batch: Batch, path: bytes, error: OSError | PlaceError) -> None:
        """Pass by what cannot be looked at: its names will be copies instead of links."""
