"""Files with several names: what one job has already put at the target of them, and joining the others to it."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

from tui.model.error import PlaceError
from tui.places.local.partial import discard
from tui.places.local.root import join, split
from tui.places.local.standing import look, same_inode, same_time, time_step_ns

if TYPE_CHECKING:
    from tui.places.local.landing import Landing
    from tui.places.local.root import Root


class HardLinks:
    """For each file with several names, where it stands complete at the target; for one job, shared by its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[int, int], bytes] = {}
        self._moved: list[tuple[bytes, bytes]] = []

    def find(self, info: os.stat_result) -> bytes | None:
        """Return the path, from the target's root, at which the file stands under another of its names."""
        with self._lock:
            found = self._found.get((info.st_dev, info.st_ino))
            return None if found is None else self._now(found)

    def register(self, info: os.stat_result, path: bytes) -> bytes:
        """Say that the file now stands complete at `path`; return the path that counts: the first one told.

        Where the answer is another path, somebody else was faster, and `path` is to become a link to it.
        """
        with self._lock:
            return self._now(self._found.setdefault((info.st_dev, info.st_ino), path))

    def replace(self, info: os.stat_result, path: bytes) -> None:
        """Say that the file stands at `path`, whatever was told before (and turned out to be gone)."""
        with self._lock:
            self._found[info.st_dev, info.st_ino] = path

    def moved(self, old: bytes, new: bytes) -> None:
        """Say that what stood at and below `old` was renamed to `new`."""
        with self._lock:
            self._moved.append((old, new))

    def _now(self, path: bytes) -> bytes:
        for old, new in self._moved:
            if path == old or path.startswith(old + b"/"):
                path = new + path[len(old) :]
        return path


def link_to(root: Root, path: bytes, info: os.stat_result, folder: int, name: bytes) -> bool:
    """Make `name` in `folder` a further name of what stands at `path`; False where that is not (any more) the file.

    Args:
        info: The source's state, which the entry at `path` must have.
    Raises:
        FileExistsError: `name` is taken.
    """
    parent, base = split(path)
    try:
        at = root.folder(parent)
    except PlaceError:
        return False
    try:
        if not _complete(root, info, os.lstat(base, dir_fd=at)):
            return False
        os.link(base, name, src_dir_fd=at, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        # The filesystem has no hard links, or too many of this file (EMLINK): a copy does as well.
        return False
    finally:
        os.close(at)
    return True


def _complete(root: Root, info: os.stat_result, there: os.stat_result) -> bool:
    return (
        stat.S_IFMT(there.st_mode) == stat.S_IFMT(info.st_mode)
        and there.st_size == info.st_size
        and same_time(info.st_mtime_ns, there.st_mtime_ns, time_step_ns(there.st_dev, root.ways))
    )


class Joiner:
    """Keeps the names of one file together in one target folder."""

    def __init__(self, links: HardLinks, landing: Landing, folder: bytes) -> None:
        self._links, self._landing, self._folder = links, landing, folder

    def join(self, info: os.stat_result, name: bytes, *, replace: bool) -> bool:
        """Make `name` a link to where the file already stands; False where it does not, and has to be copied.

        Raises:
            FileExistsError: The name is taken, and nothing was to be replaced.
        """
        path = self._links.find(info)
        if path is None or path == join(self._folder, name):
            return False
        landing = self._landing
        if not replace:
            return link_to(landing.root, path, info, landing.fd, name)
        return self._put_over(path, info, name)

    def tell(self, info: os.stat_result, name: bytes) -> None:
        """Say that the file stands complete under `name`; where another was told meanwhile, become a link to that."""
        mine = join(self._folder, name)
        first = self._links.register(info, mine)
        if first == mine or self._is_linked(first, name):
            return
        if not self._put_over(first, info, name):
            self._links.replace(info, mine)

    def _is_linked(self, path: bytes, name: bytes) -> bool:
        parent, base = split(path)
        try:
            at = self._landing.root.folder(parent)
        except PlaceError:
            return False
        try:
            there, here = look(at, base), look(self._landing.fd, name)
        finally:
            os.close(at)
        return there is not None and here is not None and same_inode(there, here)

    def _put_over(self, path: bytes, info: os.stat_result, name: bytes) -> bool:
        landing = self._landing
        scratch = landing.scratch(name, info)
        if not link_to(landing.root, path, info, landing.fd, scratch):
            return False
        try:
            landing.settle(scratch, name, replace=True)
        finally:
            # rename(2) between two names of one file does nothing and leaves both.
            discard(landing.fd, scratch)
        return True
