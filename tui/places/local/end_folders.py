"""Opened folders of the local disk, kept for what comes next in them."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from tui.model.error import PlaceUnavailable, from_os_error
from tui.places.local import syscalls
from tui.places.local.content import Ways
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.model.location import Location

MOST_FOLDERS = 64
MOST_BASES = 64
_READABLE = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Folder:
    """An opened folder, and how many are using it."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self.users = 0
        self.kept = True
        self._readable = -1
        self._lock = threading.Lock()

    @property
    def fd(self) -> int:
        """A descriptor by which the folder can also be read, flushed and asked for its access list.

        Raises:
            OSError: It must not be read.
        """
        with self._lock:
            if self._readable < 0:
                self._readable = os.open(b".", _READABLE, dir_fd=self.root.fd)
            return self._readable

    def is_at(self, path: str) -> bool:
        """Say whether it is still what a path leads to."""
        try:
            info = os.stat(path)
        except (OSError, ValueError):
            return False
        return (info.st_dev, info.st_ino) == (self.root.device, self.root.inode)

    def close(self) -> None:
        syscalls.let_go(self._readable)
        self._readable = -1
        self.root.close()


class Folders:
    """Opens folders by location, for many threads at once; those used last stay open.

    Args:
        bases: Folders somebody named. Links in their own paths are followed, once; below them, none is. What lies below
            no base counts as named itself.
    Attributes:
        ways: What has been learnt about the devices.
    """

    def __init__(self, bases: Sequence[Location] = (), *, most: int = MOST_FOLDERS) -> None:
        self._bases: dict[Location, Root | None] = dict.fromkeys(bases)
        self._most = most
        self._lock, self._base_lock = threading.Lock(), threading.Lock()
        self._open: OrderedDict[str, Folder] = OrderedDict()
        self._closed = False
        self.ways = Ways()

    def name(self, base: Location) -> None:
        """Add a base; of many, those named last count.

        What is open below it was opened as something named itself, and is not used again.
        """
        with self._base_lock:
            if base in self._bases:
                self._bases[base] = self._bases.pop(base)
                return
            self._bases[base] = None
            if len(self._bases) > MOST_BASES and (oldest := self._bases.pop(next(iter(self._bases)))):
                oldest.close()
        with self._lock:
            below = base.path.rstrip("/") + "/"
            unused = self._without([path for path in self._open if path.startswith(below)])
        for folder in unused:
            folder.close()

    @contextlib.contextmanager
    def at(self, location: Location, doing: str) -> Iterator[tuple[Folder, bytes]]:
        """Use the folder that holds an entry, with the entry's name; OSErrors become ours."""
        with self.within(location.parent, doing) as folder:
            try:
                yield folder, os.fsencode(location.name) or b"."
            except OSError as error:
                raise from_os_error(error, location, doing) from error

    @contextlib.contextmanager
    def within(self, location: Location, doing: str) -> Iterator[Folder]:
        """Use a folder; OSErrors become ours."""
        folder = self.take(location)
        try:
            yield folder
        except OSError as error:
            raise from_os_error(error, location, doing) from error
        finally:
            self.give_back(folder)

    def take(self, location: Location) -> Folder:
        """Open a folder, or use it as it is open; whoever takes it gives it back.

        Raises:
            PlaceError: It is not there, not a folder, behind a link, or not allowed.
        """
        path = location.path
        with self._lock:
            if self._closed:
                raise PlaceUnavailable(f"cannot open {location}: the place was closed", location=location)
            folder = self._open.get(path)
            if folder is not None:
                folder.users += 1
                self._open.move_to_end(path)
        if folder is not None:
            if folder.is_at(path):
                return folder
            self._forget(path, folder)
            self.give_back(folder)
        return self._keep(path, Folder(self._opened(location)))

    def give_back(self, folder: Folder) -> None:
        """Say that a folder is not used any more."""
        with self._lock:
            folder.users -= 1
            ends = not folder.users and not folder.kept
        if ends:
            folder.close()

    def close(self) -> None:
        """Close what nobody uses; the rest when it is given back."""
        with self._lock:
            self._closed = True
            unused = self._without(list(self._open))
        for folder in unused:
            folder.close()
        with self._base_lock:
            for base, root in self._bases.items():
                self._bases[base] = None
                if root is not None:
                    root.close()

    def _opened(self, location: Location) -> Root:
        with self._base_lock:
            held = [base for base in self._bases if base.holds(location)]
            if held:
                base = max(held, key=lambda base: len(base.path))
                fd = self._base(base).folder(os.fsencode(base.relative(location)))
        root = Root(location.path, fd) if held else Root.open(location.path)
        root.ways = self.ways
        return root

    def _base(self, location: Location) -> Root:
        """Return a base, opened the first time, or when what was opened has been removed since."""
        root = self._bases[location]
        if root is not None and not os.fstat(root.fd).st_nlink:
            root.close()
            self._bases[location] = root = None
        if root is None:
            root = self._bases[location] = Root.open(location.path)
        return root

    def _keep(self, path: str, folder: Folder) -> Folder:
        folder.users = 1
        with self._lock:
            if self._closed:
                folder.kept = False
                return folder
            older = self._without([path])
            self._open[path] = folder
            while len(self._open) > self._most:
                older += self._without([next(iter(self._open))])
        for each in older:
            each.close()
        return folder

    def _forget(self, path: str, folder: Folder) -> None:
        with self._lock:
            if self._open.get(path) is folder:
                del self._open[path]
            folder.kept = False

    def _without(self, paths: list[str]) -> list[Folder]:
        """Keep some no longer; return those to be closed at once, as nobody uses them."""
        gone = [self._open.pop(path) for path in paths if path in self._open]
        for folder in gone:
            folder.kept = False
        return [folder for folder in gone if not folder.users]
