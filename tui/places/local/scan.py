"""Counting what lies at and below a path, in small steps."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from tui.model.entry import Totals
from tui.model.error import PlaceError
from tui.model.exclusion import NOTHING, Exclusion
from tui.places.local.partial import is_partial
from tui.places.local.root import Root, join

if TYPE_CHECKING:
    from tui.places.local.hops import Brake
    from tui.places.local.need import Need

STEP_S = 0.02
_LOOK_EVERY = 64
"""Entries between two looks at clock and brake."""


class Scan:
    """Counts one entry and, where it is a folder, everything below; no link is followed.

    Memory holds the names of the folders still to be gone into, level by level, and one open folder.

    Attributes:
        exhausted: All has been counted.
    """

    def __init__(
        self,
        path: str,
        brake: Brake,
        need: Need | None = None,
        *,
        unfinished: bool = True,
        exclude: Exclusion = NOTHING,
    ) -> None:
        """Say what is to be counted.

        Args:
            need: Is told of every folder entered and what is in it, to find out what a copy would take.
            unfinished: Count what jobs have not finished, too: it takes room, and is deleted, but never copied.
            exclude: What is not counted, below the path.
        """
        self._path, self._brake, self._need, self._unfinished = path, brake, need, unfinished
        self._exclude = exclude
        self.exhausted = False
        self._files = self._folders = self._size_bytes = self._unreadable = 0
        self._root: Root | None = None
        self._waiting: list[tuple[bytes, list[bytes]]] = []
        self._folder = b""
        self._names: list[bytes] = []
        self._entries: os._ScandirIterator[str] | None = None
        self._fd = -1
        self._begun = False

    def step(self) -> Totals:
        """Count for about 20 ms, or until the brake is on; return the totals so far."""
        ends = time.monotonic() + STEP_S
        if not self._begun:
            self._begun = True
            self._begin()
        while not (self.exhausted or self._brake.on or time.monotonic() > ends):
            if self._entries is not None:
                self._count_some(ends)
            elif not self._next_folder():
                self.close()
        return self._totals()

    def close(self) -> None:
        """Stop counting; the totals stay."""
        self._leave()
        if self._root:
            self._root.close()
            self._root = None
        self.exhausted = True

    def _totals(self) -> Totals:
        done = self.exhausted and not self._waiting
        return Totals(self._files, self._folders, self._size_bytes, self._unreadable, complete=done)

    def _begin(self) -> None:
        parent, _, name = self._path.rstrip("/").rpartition("/")
        try:
            self._root = Root.open(parent or "/")
            info = os.lstat(name or ".", dir_fd=self._root.fd)
        except (PlaceError, OSError):
            self._unreadable += 1
            self.close()
            return
        if stat.S_ISDIR(info.st_mode):
            self._waiting.append((b"", [os.fsencode(name)]))
        else:
            self._files, self._size_bytes = 1, info.st_size
            self.close()

    def _next_folder(self) -> bool:
        """Open the next folder that waits; False where none is left."""
        while self._waiting and not self._waiting[-1][1]:
            self._waiting.pop()
        if not self._waiting or self._root is None:
            return False
        above, names = self._waiting[-1]
        self._folder = join(above, names.pop())
        self._folders += 1
        try:
            self._fd = self._root.folder(self._folder)
            self._entries = os.scandir(self._fd)
            if self._need is not None:
                self._need.enter(self._fd, self._folder)
        except (PlaceError, OSError):
            self._unreadable += 1
            self._leave()
        return True

    def _count_some(self, ends: float) -> None:
        assert self._entries is not None
        seen = 0
        try:
            for entry in self._entries:
                if self._passes_by(entry):
                    pass
                elif entry.is_dir(follow_symlinks=False):
                    self._names.append(os.fsencode(entry.name))
                else:
                    self._count(entry)
                seen += 1
                if seen % _LOOK_EVERY == 0 and (self._brake.on or time.monotonic() > ends):
                    return
        except OSError:
            self._unreadable += 1
        self._leave()

    def _passes_by(self, entry: os.DirEntry[str]) -> bool:
        if not (self._unfinished or self._exclude):
            return is_partial(os.fsencode(entry.name))
        name = os.fsencode(entry.name)
        if not self._unfinished and is_partial(name):
            return True
        below = join(self._folder, name).partition(b"/")[2]
        return self._exclude.covers(below, folder=entry.is_dir(follow_symlinks=False))

    def _count(self, entry: os.DirEntry[str]) -> None:
        try:
            info = entry.stat(follow_symlinks=False)
            self._size_bytes += info.st_size
            if self._need is not None:
                self._need.entry(os.fsencode(entry.name), info)
        except FileNotFoundError:
            return
        except OSError:
            self._unreadable += 1
        self._files += 1

    def _leave(self) -> None:
        """Close the open folder; what lies in it waits on top."""
        if self._need is not None:
            self._need.leave()
        if self._entries is not None:
            self._entries.close()
        self._entries = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._names:
            self._waiting.append((self._folder, self._names))
            self._names = []
