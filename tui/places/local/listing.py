"""Names of a folder in pages, and details of some of them in columns."""

from __future__ import annotations

import os
import threading
from array import array
from typing import TYPE_CHECKING

from tui.model.entry import Details, EntryKind, Page, kind_of_mode
from tui.model.error import from_os_error
from tui.places.local.root import Root
from tui.places.local.single import kind_of_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.model.location import Location

_FIRST_NAMES = 200
_MOST_NAMES = 20_000
_GROWTH = 8


class Names:
    """Reads a folder page by page: a first page that fills a screen, then ever bigger ones.

    One thread reads at a time; `close` may come from any other, even while a read hangs.
    """

    def __init__(self, folder: Location) -> None:
        self._folder = folder
        self._count = _FIRST_NAMES
        self._lock = threading.Lock()
        self._closed = False
        self._root: Root | None = None
        self._fd = -1
        self._entries: os._ScandirIterator[str] | None = None

    def read(self) -> Page | None:
        """Return the next page; None at the end.

        Raises:
            PlaceError: The folder cannot be read (any further).
        """
        try:
            with self._lock:
                return None if self._closed else self._page()
        except OSError as error:
            raise from_os_error(error, self._folder, "read the folder") from error
        finally:
            if self._closed:
                self.close()

    def close(self) -> None:
        """Stop reading. Where a read is under way, it lets go of the folder when it comes back."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._let_go()
            finally:
                self._lock.release()

    def _page(self) -> Page | None:
        if self._entries is None:
            with Root.open(self._folder.path) as root:
                self._fd = root.folder(b"")
            self._entries = os.scandir(self._fd)
        page = Page()
        add_name, add_kind = page.names.append, page.kinds.append
        left = self._count
        for entry in self._entries:
            add_name(entry.name)
            add_kind(_kind(entry))
            left -= 1
            if not left or self._closed:
                break
        self._count = min(self._count * _GROWTH, _MOST_NAMES)
        return page if page.names else None

    def _let_go(self) -> None:
        if self._entries is not None:
            self._entries.close()
            self._entries = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _kind(entry: os.DirEntry[str]) -> int:
    """Return the kind as the folder tells it: no look at the entry itself, unless it is a rare one."""
    try:
        if entry.is_file(follow_symlinks=False):
            return EntryKind.FILE
        if entry.is_dir(follow_symlinks=False):
            return EntryKind.FOLDER
        if entry.is_symlink():
            return EntryKind.LINK
        return kind_of_mode(entry.stat(follow_symlinks=False).st_mode)
    except OSError:
        return EntryKind.UNKNOWN


class Looks:
    """Looks at entries of a folder one after the other, and can be told to leave one that does not answer.

    Attributes:
        found: A column element for each name, in the order of the names; an entry that has gone, or was left, has
            size -1 and an unknown kind.
        place: Index of the name being looked at; -1 while the folder itself is being opened.
    """

    def __init__(self, folder: Location, names: Sequence[str]) -> None:
        self._folder, self._names = folder, names
        count = len(names)
        self.found = Details(
            bytearray([EntryKind.UNKNOWN]) * count,
            array("q", [-1]) * count,
            array("q", [0]) * count,
            array("I", [0]) * count,
        )
        self.place = -1
        self._turn = 0

    @property
    def done(self) -> bool:
        return self.place >= len(self._names)

    def go_on(self) -> None:
        """Look at what is left, in this thread, until the end or until somebody else takes over.

        Raises:
            PlaceError: The folder itself cannot be opened.
        """
        turn, names, found = self._turn, self._names, self.found
        known: dict[int, EntryKind] = {}
        kinds, sizes, times, modes = found.kinds, found.sizes_bytes, found.mtimes_ns, found.modes
        with Root.open(self._folder.path) as root:
            fd = root.fd
            for place in range(max(self.place, 0), len(names)):
                if turn != self._turn:
                    return
                self.place = place
                try:
                    info = os.lstat(names[place], dir_fd=fd)
                except (OSError, ValueError):
                    continue
                mode = info.st_mode
                if (kind := known.get(mode)) is None:
                    kind = known[mode] = kind_of_mode(mode)
                kinds[place] = kind
                sizes[place], times[place], modes[place] = info.st_size, info.st_mtime_ns, mode
                if kind is EntryKind.LINK:
                    # Where the link leads may hang though the link does not: what is known of it stands already.
                    kinds[place] = kind_of_link(fd, names[place])
            if turn == self._turn:
                self.place = len(names)

    def take_over(self) -> None:
        """Leave the entry being looked at to the thread that hangs on it, which stops when it comes back."""
        self._turn += 1
        self.place += 1

    def stop(self) -> None:
        """Let the thread at work stop after the entry it is looking at."""
        self._turn += 1


def details(folder: Location, names: Sequence[str]) -> Details:
    """Return columns for some entries, in the order of `names`; an entry that has gone has size -1.

    Raises:
        PlaceError: The folder itself cannot be opened.
    """
    looks = Looks(folder, names)
    looks.go_on()
    return looks.found
