"""What a place in memory holds: a small filesystem that outlives the connections to it."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.model.entry import Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_LINKS = 40
"""Followed one after the other, as Linux does; then they go in a circle."""

_FORMATS = {EntryKind.FILE: stat.S_IFREG, EntryKind.FOLDER: stat.S_IFDIR, EntryKind.LINK: stat.S_IFLNK}
_MODES = {EntryKind.FILE: 0o644, EntryKind.FOLDER: 0o755, EntryKind.LINK: 0o777}


def os_error(number: int) -> OSError:
    """Return what a system call would have raised."""
    return OSError(number, os.strerror(number))


@dataclass(eq=False, slots=True)
class Node:
    """A file, folder or link.

    Attributes:
        stored_ns: When its content came here, whatever time it was given.
    """

    kind: EntryKind
    mode: int
    mtime_ns: int
    stored_ns: int
    data: bytearray = field(default_factory=bytearray)
    points_to: str = ""
    children: dict[str, Node] = field(default_factory=dict)

    def is_or_holds(self, other: Node) -> bool:
        return self is other or any(child.is_or_holds(other) for child in self.children.values())

    def entry(self, name: str, *, points: bool = True, stored: bool = False) -> Entry:
        """Return what is told of it under a name.

        Args:
            points: Tell where a link points.
            stored: Tell when its content came here instead of the time it was given.
        """
        is_link = self.kind is EntryKind.LINK
        return Entry(
            name=name,
            kind=self.kind,
            size_bytes=len(self.points_to) if is_link else len(self.data),
            mtime_ns=self.stored_ns if stored else self.mtime_ns,
            mode=_FORMATS[self.kind] | self.mode,
            uid=0,
            gid=0,
            links=1,
            link_target=self.points_to if points and is_link else None,
        )


class MemoryStore:
    """Files, folders and links by path. Raises OSErrors, as a disk does.

    Attributes:
        home: What `/~` stands for.
        room_bytes: So much fits in all; None: as much as there is memory.
        hidden: Half files by path, of places that do not show them.
        flushed: Paths that were brought onto the disk, in order.
    """

    def __init__(self, *, home: str = "/home", clock: Callable[[], int] = time.time_ns) -> None:
        self.home, self._clock = home, clock
        self.room_bytes: int | None = None
        self.hidden: dict[str, Node] = {}
        self.flushed: list[str] = []
        self._root = self.new(EntryKind.FOLDER)
        self.folder(home)

    def new(self, kind: EntryKind, mode: int | None = None) -> Node:
        """Return something new that has no name yet."""
        now = self._clock()
        return Node(kind, _MODES[kind] if mode is None else stat.S_IMODE(mode), now, now)

    def touched(self, node: Node) -> None:
        """Give something the time it is now."""
        node.mtime_ns = node.stored_ns = self._clock()

    # By path, as the place does it.

    def find(self, path: str, *, follow: bool = False) -> Node:
        """Return what stands under a path; links in the folders above it are followed, as every server does."""
        for _ in range(_MOST_LINKS):
            above, name = self.spot(path)
            node = above.children.get(name) if name else above
            if node is None:
                raise os_error(errno.ENOENT)
            if not follow or node.kind is not EntryKind.LINK:
                return node
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), node.points_to))
        raise os_error(errno.ELOOP)

    def look(self, path: str) -> Node | None:
        """Return what stands under a path, a link itself; None where there is nothing."""
        above, name = self.spot(path)
        return above.children.get(name) if name else above

    def spot(self, path: str) -> tuple[Node, str]:
        """Return the folder that holds, or would hold, a path, and the name in it (empty for the root itself)."""
        folder, name = posixpath.split(path)
        if folder == path:
            return self._root, ""
        above = self.find(folder, follow=True)
        if above.kind is not EntryKind.FOLDER:
            raise os_error(errno.ENOTDIR)
        return above, name

    def set(self, path: str, node: Node) -> None:
        """Put something under a path, over whatever stands there."""
        above, name = self.spot(path)
        above.children[name] = node
        self.touched(above)

    def take(self, path: str) -> Node:
        """Take what stands under a path out of its folder."""
        above, name = self.spot(path)
        if name not in above.children:
            raise os_error(errno.ENOENT)
        self.touched(above)
        return above.children.pop(name)

    def make_way(self, path: str, *, replace: bool) -> None:
        """Refuse a name that is taken, unless a file or link there may be replaced."""
        standing = self.look(path)
        if standing is None:
            return
        if not replace:
            raise os_error(errno.EEXIST)
        if standing.kind is EntryKind.FOLDER:
            raise os_error(errno.EISDIR)

    def prune(self, path: str) -> None:
        """Let folders above a path go that hold nothing any more, but for those in the root."""
        while (path := posixpath.dirname(path)).count("/") > 1:
            folder = self.look(path)
            if folder is None or folder.kind is not EntryKind.FOLDER or folder.children:
                return
            self.take(path)

    def check_room(self, more_bytes: int) -> None:
        """Refuse what does not fit any more."""
        if self.room_bytes is not None and self.used_bytes + more_bytes > self.room_bytes:
            raise os_error(errno.ENOSPC)

    @property
    def used_bytes(self) -> int:
        nodes = [node for _, node in self._walk("/", self._root)]
        return sum(len(node.data) for node in (*nodes, *self.hidden.values()))

    # Behind the back of every place, as tests do it.

    def folder(self, path: str) -> None:
        """Make a folder and those above it, where they are missing."""
        if path == "/" or self._is_there(path):
            return
        self.folder(posixpath.dirname(path))
        self.set(path, self.new(EntryKind.FOLDER))

    def write(self, path: str, data: bytes, *, mtime_ns: int | None = None, mode: int | None = None) -> None:
        """Write a file, into the one that stands there, if any; folders above are made."""
        self.folder(posixpath.dirname(path))
        node = self.look(path)
        if node is None:
            node = self.new(EntryKind.FILE)
            self.set(path, node)
        node.data[:] = data
        self.touched(node)
        node.mtime_ns = node.mtime_ns if mtime_ns is None else mtime_ns
        node.mode = node.mode if mode is None else mode

    def link(self, path: str, points_to: str) -> None:
        """Make a symbolic link."""
        self.folder(posixpath.dirname(path))
        node = self.new(EntryKind.LINK)
        node.points_to = points_to
        self.set(path, node)

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        return bytes(self.find(path).data)

    def remove(self, path: str) -> None:
        """Remove anything, a folder with all in it."""
        self.take(path)

    def tree(self, path: str = "/") -> dict[str, bytes | str | None]:
        """Return all below a folder by relative path: bytes of files, text of links, None for folders.

        Half files are among them where the place shows them.
        """
        found: dict[str, bytes | str | None] = {}
        for below, node in self._walk(path.rstrip("/"), self.find(path)):
            name = below[len(path.rstrip("/")) + 1 :]
            if node.kind is EntryKind.FILE:
                found[name] = bytes(node.data)
            else:
                found[name] = node.points_to if node.kind is EntryKind.LINK else None
        return found

    def _is_there(self, path: str) -> bool:
        try:
            return self.look(path) is not None
        except FileNotFoundError:
            return False

    def _walk(self, path: str, node: Node) -> Iterator[tuple[str, Node]]:
        for name, child in node.children.items():
            below = f"{path.rstrip('/')}/{name}"
            yield below, child
            yield from self._walk(below, child)
