"""Removing from a folder what its source does not have: the last part of a sync."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui.model.error import HoldsHome, PlaceError, SourceChanged
from tui.model.exclusion import NOTHING, Exclusion
from tui.places.local import syscalls
from tui.places.local.alongside import Alongside
from tui.places.local.descent import volume_of
from tui.places.local.excluding import holds_excluded
from tui.places.local.homes import NO_HOMES, spare_home
from tui.places.local.partial import prefix
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import join
from tui.places.local.standing import is_folder

if TYPE_CHECKING:
    from tui.places.local.alongside import Folder, Passed
    from tui.places.local.homes import Homes
    from tui.places.local.hops import Brake
    from tui.places.local.root import Root


class Pruning(Alongside):
    """Goes through two folders side by side and removes from the target what the source has not, batch by batch.

    No mounted filesystem and no home folder is removed. What unfinished jobs have under partial names stays, but for
    what this job's own earlier goes have left. An entry of which the source cannot say whether it has it stays, as does
    what is left out of the sync, with the folders it is in.
    """

    doing = "remove"

    def __init__(
        self,
        source: Root,
        target: Root,
        brake: Brake,
        tag: str,
        homes: Homes = NO_HOMES,
        exclude: Exclusion = NOTHING,
    ) -> None:
        super().__init__(source, target, brake, exclude)
        self._homes = homes
        self._own = prefix(tag)
        self._removal: TreeRemoval | None = None

    def close(self) -> None:
        if self._removal is not None:
            self._removal.close()
            self._removal = None
        super().close()

    def _one(self, batch: Passed) -> bool:
        if self._removal is None:
            return super()._one(batch)
        self._remove_more(self._removal, batch)
        return True

    def unfinished(self, folder: Folder, name: bytes, batch: Passed) -> None:
        if name.startswith(self._own):
            self._remove(folder, name, os.lstat(name, dir_fd=folder.target), batch)

    def judge(
        self,
        folder: Folder,
        name: bytes,
        there: os.stat_result,
        wanted: os.stat_result | None,
        batch: Passed,
    ) -> None:
        if wanted is None:
            self._remove(folder, name, there, batch)
        elif is_folder(wanted) != is_folder(there):
            path = join(folder.path, name)
            where = self._target.location(path)
            message = f"{where} and its source are no longer of one kind: one is a folder, the other is not"
            self.fail(path, SourceChanged(message, "Retry the job.", location=where), batch)

    def _remove(self, folder: Folder, name: bytes, there: os.stat_result, batch: Passed) -> None:
        path = join(folder.path, name)
        if (
            self._exclude
            and is_folder(there)
            and holds_excluded(self._target, path, path, self._exclude, self._brake)
            and self._may_go_into(folder, path)
        ):
            folder.names.append(name)
            self._extra.add(path)
            return
        self._make_writable(folder)
        if is_folder(there):
            folder.changed = True
            self._removal = TreeRemoval(self._target, path, self._brake, self._homes, opening=True)
            return
        os.unlink(name, dir_fd=folder.target)
        folder.changed = True
        batch.files += 1
        batch.size_bytes += there.st_size

    def _may_go_into(self, above: Folder, path: bytes) -> bool:
        """Say whether a folder is no home and of this filesystem. (`TreeRemoval` refuses others as a whole.)"""
        try:
            fd = self._target.folder(path)
        except PlaceError:
            return False
        try:
            spare_home(os.fstat(fd), self._target.location(path), self._homes, self.doing)
            return volume_of(fd) == volume_of(above.target)
        except HoldsHome:
            return False
        finally:
            syscalls.let_go(fd)

    def _remove_more(self, removal: TreeRemoval, batch: Passed) -> None:
        removed = removal.step()
        batch.files += removed.files
        batch.size_bytes += removed.size_bytes
        batch.failures += removed.failures
        batch.last = removed.last or batch.last
        if removed.failures and self._folder is not None:
            self._folder.failed = True
        if removed.exhausted:
            removal.close()
            self._removal = None
