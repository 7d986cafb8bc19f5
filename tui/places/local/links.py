"""Files with several names: what one job has already put at the target of them, and joining the others to it."""

from __future__ import annotations

import errno
import os
import stat
import threading
from typing import TYPE_CHECKING, NamedTuple

from tui.model.error import LinkInTheWay, NotAFolder, NotFound
from tui.model.fidelity import Loss
from tui.places.local import syscalls
from tui.places.local.partial import discard
from tui.places.local.root import join, split
from tui.places.local.standing import look, same_inode, same_time, time_step_ns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.places.local.landing import Landing
    from tui.places.local.root import Root
    from tui.places.local.traits import Traits


_NO_LINK = frozenset(
    {
        errno.ENOENT,
        errno.EPERM,
        errno.EACCES,
        errno.EXDEV,
        errno.EMLINK,
        errno.ENOSYS,
        errno.EOPNOTSUPP,
        errno.EINVAL,
        errno.ENOTDIR,
    }
)
"""The file has gone, or the filesystem has no hard links, or none more of this file: a copy does as well."""


class Standing(NamedTuple):
    """Where a file stands complete: the path from the target's root, and (device, inode) there where that counts.

    Attributes:
        as_found: It is left as it was: nobody has told what of its source it does not have.
    """

    path: bytes
    inode: tuple[int, int] | None = None
    as_found: bool = False


class Group(NamedTuple):
    """A file with several names: what it is known by at the source, and where it stands at the target."""

    device: int
    inode: int
    standing: Standing


class HardLinks:
    """For each file with several names, where it stands complete at the target; for one job, shared by its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[int, int], Standing] = {}
        self._missing: dict[tuple[int, int], int] = {}
        """How many names of a file have not been met, where any."""
        self._untold: set[tuple[int, int]] = set()
        """Of these, the ones `take_unfinished` has not given yet."""
        self._unkept: set[tuple[int, int]] = set()
        """Those `take_unkept` has not."""
        self._parted: set[tuple[int, int]] = set()
        """Files of which a move takes names away: one that is left may not tell that it had others."""
        self._moved: list[tuple[bytes, bytes]] = []

    def find(self, info: os.stat_result) -> Standing | None:
        """Return where the file stands under another of its names."""
        with self._lock:
            found = self._found.get((info.st_dev, info.st_ino))
            return None if found is None else self._now(found)

    def register(self, info: os.stat_result, standing: Standing) -> Standing:
        """Say where the file now stands complete; return what counts: the first that was told.

        Where the answer has another path, somebody else was faster, and the one told is to become a link to it.
        """
        key = info.st_dev, info.st_ino
        with self._lock:
            if key not in self._found:
                self._missing[key] = info.st_nlink - 1
                self._untold.add(key)
                self._unkept.add(key)
            first = self._now(self._found.setdefault(key, standing))
        if first.path != standing.path:
            self.met(info)
        return first

    def met(self, info: os.stat_result) -> None:
        """Say that one more name of a file stands at the target."""
        key = info.st_dev, info.st_ino
        with self._lock:
            left = self._missing.pop(key, 0) - 1
            if left > 0:
                self._missing[key] = left

    def take_unkept(self) -> list[Group]:
        """Return the files of which names are still to come, none of which goes from the source: each once."""
        with self._lock:
            unkept, self._unkept = self._unkept, set()
            return [
                Group(*key, self._now(self._found[key])) for key in unkept if self._missing.get(key, 0) > 0
            ]

    def take_unfinished(self) -> list[Group]:
        """Return the files of which names are still to come, as far as is known, and where they stand: each once."""
        with self._lock:
            untold, self._untold = self._untold, set()
            left = [key for key in untold if self._missing.get(key, 0) > 0]
            self._parted.update(left)
            return [Group(*key, self._now(self._found[key])) for key in left]

    @property
    def are_parted(self) -> bool:
        """Whether a file may stand at the target whose last name at the source looks like its only one."""
        with self._lock:
            return any(self._missing.get(key, 0) > 0 for key in self._parted)

    def recall(self, groups: Iterable[Group]) -> None:
        """Learn what an earlier go has found out. A name still to come belongs to each."""
        with self._lock:
            for device, inode, standing in groups:
                self._found[device, inode] = standing
                self._missing[device, inode] = 1
                self._parted.add((device, inode))

    def replace(self, info: os.stat_result, standing: Standing) -> None:
        """Say where the file stands, whatever was told before (and turned out to be gone)."""
        with self._lock:
            self._found[info.st_dev, info.st_ino] = standing

    def moved(self, old: bytes, new: bytes) -> None:
        """Say that what stood at and below `old` was renamed to `new`."""
        with self._lock:
            self._moved.append((old, new))

    def _now(self, standing: Standing) -> Standing:
        path = standing.path
        for old, new in self._moved:
            if path == old or path.startswith(old + b"/"):
                path = new + path[len(old) :]
        return standing if path == standing.path else standing._replace(path=path)


def link_to(
    root: Root, standing: Standing, info: os.stat_result, folder: int, name: bytes, traits: Traits
) -> bool:
    """Make `name` in `folder` a further name of what stands there; False where that is not (any more) the file.

    Args:
        info: The source's state, which the entry must have (but for the time, where its inode is known).
        traits: Learn what the name does not keep, where nobody has told that yet.
    Raises:
        FileExistsError: `name` is taken.
        OSError, PlaceError: The disk fails or is full.
    """
    parent, base = split(standing.path)
    try:
        at = root.folder(parent)
    except (NotFound, NotAFolder, LinkInTheWay):
        return False
    try:
        there = os.lstat(base, dir_fd=at)
        if not _complete(root, info, there, standing.inode):
            return False
        os.link(base, name, src_dir_fd=at, dst_dir_fd=folder, follow_symlinks=False)
        if standing.as_found:
            traits.compare(info, stat.S_IMODE(info.st_mode), there)
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    finally:
        syscalls.let_go(at)
    return True


def _complete(root: Root, info: os.stat_result, there: os.stat_result, inode: tuple[int, int] | None) -> bool:
    if stat.S_IFMT(there.st_mode) != stat.S_IFMT(info.st_mode) or there.st_size != info.st_size:
        return False
    if inode is not None:
        return inode == (there.st_dev, there.st_ino)
    return same_time(info.st_mtime_ns, there.st_mtime_ns, time_step_ns(there.st_dev, root.ways))


class Joiner:
    """Keeps the names of one file together in one target folder."""

    def __init__(self, links: HardLinks, landing: Landing, folder: bytes) -> None:
        self._links, self._landing, self._folder = links, landing, folder
        self._traits = landing.traits

    def knows(self, info: os.stat_result) -> bool:
        """Say whether the file stands at the target under one of its names, as far as this job was told."""
        return self._links.find(info) is not None

    def join(self, info: os.stat_result, name: bytes, *, replace: bool) -> bool:
        """Make `name` a link to where the file already stands; False where it does not, and has to be copied.

        Raises:
            FileExistsError: The name is taken, and nothing was to be replaced.
        """
        if not self._traits.hardlinks:
            return False
        first = self._links.find(info)
        if first is None or first.path == join(self._folder, name):
            return False
        if first.as_found:
            self._note(info, name, first)
        if replace:
            joined = self._put_over(first, info, name)
        else:
            landing = self._landing
            joined = link_to(landing.root, first, info, landing.fd, name, self._traits)
        if joined:
            self._links.met(info)
        else:
            self._traits.lose(Loss.HARDLINKS)
        return joined

    def tell(self, info: os.stat_result, name: bytes, *, as_found: bool = False) -> None:
        """Say that the file stands complete under `name`; where another was told meanwhile, become a link to that.

        Args:
            as_found: See `Standing`.
        """
        if not self._traits.hardlinks:
            return
        mine = self._standing(name)._replace(as_found=as_found)
        first = self._links.register(info, mine)
        if first.path == mine.path or self._is_linked(first.path, name):
            return
        traits, own = self._traits, self._traits.lost.copy()
        traits.lost.clear()  # a link has lost what the other has, and that was told
        if not self._put_over(first, info, name):
            traits.lost |= own | {Loss.HARDLINKS}
            self._note(info, name, mine)
            self._links.replace(info, mine)

    def _note(self, info: os.stat_result, name: bytes, standing: Standing) -> None:
        """Write down what a name has lost, and that of what it gets from where it stands nobody was told."""
        if self._traits.notes is not None:
            _, inode = standing.inode or (0, 0)
            self._traits.notes.add(join(self._folder, name), info, info.st_mode, inode, self._traits.lost)

    def _standing(self, name: bytes) -> Standing:
        path = join(self._folder, name)
        if self._traits.times:
            return Standing(path)
        # Without its source's time it is known again by its inode only.
        there = look(self._landing.fd, name)
        return Standing(path, None if there is None else (there.st_dev, there.st_ino))

    def _is_linked(self, path: bytes, name: bytes) -> bool:
        parent, base = split(path)
        try:
            at = self._landing.root.folder(parent)
        except (NotFound, NotAFolder, LinkInTheWay):
            return False
        try:
            there, here = look(at, base), look(self._landing.fd, name)
        finally:
            syscalls.let_go(at)
        return there is not None and here is not None and same_inode(there, here)

    def _put_over(self, standing: Standing, info: os.stat_result, name: bytes) -> bool:
        landing = self._landing
        scratch = landing.scratch(name, info)
        if not link_to(landing.root, standing, info, landing.fd, scratch, self._traits):
            return False
        try:
            landing.settle(scratch, name, replace=True)
        finally:
            # rename(2) between two names of one file does nothing and leaves both.
            discard(landing.fd, scratch)
        return True
