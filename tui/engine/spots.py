"""Where the entries of a walk are: at the source, and at the target under the names that count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.run import Spot
from tui.places.local.root import join, split

if TYPE_CHECKING:
    from tui.engine.folders import Folder
    from tui.model.location import Location
    from tui.places.local.links import Group
    from tui.places.local.root import Root


class Spots:
    """Tells where entries are, and where they will be once a tree that is built has its name.

    Args:
        owners: The number of the source that an entry belongs to, by the first part of its path.
        stage: Where something new is built: the path it has now at the target, and the one it will get.
    """

    def __init__(
        self, source: Root, target: Root, owners: dict[bytes, int], stage: tuple[bytes, bytes] | None
    ) -> None:
        self._source, self._target = source, target
        self._owners, self._stage = owners, stage

    def location(self, folder: Folder, name: bytes) -> Location:
        """Return where an entry is at the source."""
        return self._source.location(folder.path, name)

    def spot(self, folder: Folder, name: bytes) -> Spot:
        """Return where an entry (without a name: the folder itself) is on both sides."""
        path = join(folder.path, name) if name else folder.path
        target_path = join(folder.target_path, folder.new_name(name)) if name else folder.target_path
        final = self._final(target_path)
        source, target = self._source.location(path), self._target.location(*split(final))
        return Spot(self._idx(path), path, final, source, target)

    def final(self, group: Group) -> Group:
        """Return where a file with several names will stand."""
        return group._replace(standing=group.standing._replace(path=self._final(group.standing.path)))

    def _idx(self, path: bytes) -> int:
        """Return the number of the source an entry belongs to; -1 for a folder of sources as such."""
        return self._owners.get(path.partition(b"/")[0], -1)

    def _final(self, path: bytes) -> bytes:
        if self._stage is not None:
            now, then = self._stage
            if path == now or path.startswith(now + b"/"):
                return then + path[len(now) :]
        return path
