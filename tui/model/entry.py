"""What a folder holds: entries, and listings in compact columns."""

from __future__ import annotations

import stat
from array import array
from enum import IntEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from tui.model.error import PlaceError
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Sequence


class EntryKind(IntEnum):
    """What an entry is; small integers, so that a million of them fit into a bytearray."""

    FILE = 0
    FOLDER = 1
    LINK = 2
    """A symbolic link to something that is not a folder, or whose target was not looked at yet."""
    FOLDER_LINK = 3
    BROKEN_LINK = 4
    FIFO = 5
    SOCKET = 6
    BLOCK_DEVICE = 7
    CHARACTER_DEVICE = 8
    UNKNOWN = 9

    @property
    def is_link(self) -> bool:
        return EntryKind.LINK <= self <= EntryKind.BROKEN_LINK

    @property
    def opens_as_folder(self) -> bool:
        return self in (EntryKind.FOLDER, EntryKind.FOLDER_LINK)


_BY_FORMAT = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.FOLDER,
    stat.S_IFLNK: EntryKind.LINK,
    stat.S_IFIFO: EntryKind.FIFO,
    stat.S_IFSOCK: EntryKind.SOCKET,
    stat.S_IFBLK: EntryKind.BLOCK_DEVICE,
    stat.S_IFCHR: EntryKind.CHARACTER_DEVICE,
}


def kind_of_mode(mode: int) -> EntryKind:
    """Return the kind an `st_mode` tells."""
    return _BY_FORMAT.get(stat.S_IFMT(mode), EntryKind.UNKNOWN)


class Facts(Struct, frozen=True):
    """What is compared of one entry: two files with equal facts count as the same file, complete."""

    kind: EntryKind
    size_bytes: int
    mtime_ns: int


class Entry(Struct, frozen=True):
    """One entry in full, for details and dialogues."""

    name: str
    kind: EntryKind
    size_bytes: int
    mtime_ns: int
    mode: int
    uid: int
    gid: int
    links: int
    owner: str = ""
    group: str = ""
    link_target: str | None = None
    """Where a symbolic link points, as it is written in the link."""
    described: bool = False
    """A store keeps more with it than content and time, which no other place is given. (A listing does not tell.)"""

    @property
    def facts(self) -> Facts:
        return Facts(self.kind, self.size_bytes, self.mtime_ns)


class Page(Struct):
    """Some names of a folder, in the order the disk gives them: `kinds[i]` is the EntryKind of `names[i]`.

    `untold`: what says, at the end, that some of the folder cannot be told by names.
    """

    names: list[str] = field(default_factory=list)
    kinds: bytearray = field(default_factory=bytearray)
    untold: str = ""


class Below(Struct):
    """One folder met on a walk: its entries in the disk's order, and why it could not be read (any further).

    `untold`: what says that some of it cannot be told by names.
    """

    folder: Location
    names: list[str] = field(default_factory=list)
    kinds: bytearray = field(default_factory=bytearray)
    failure: PlaceError | None = None
    untold: str = ""

    def add(self, page: Page, *, hidden: bool) -> None:
        """Take more of its entries in; without `hidden` none whose name begins with a dot."""
        self.untold = self.untold or page.untold
        for name, kind in zip(page.names, page.kinds, strict=True):
            if hidden or not name.startswith("."):
                self.names.append(name)
                self.kinds.append(kind)

    def folders(self) -> list[Location]:
        """Return the folders in it, by name; links are none."""
        pairs = zip(self.names, self.kinds, strict=True)
        return [
            self.folder.child(name) for name in sorted(n for n, kind in pairs if kind == EntryKind.FOLDER)
        ]


class Details(Struct):
    """Columns for the names asked for, in the same order. An entry that has gone has size -1.

    Shapes: all columns have one element a name. `kinds` tells links apart (FOLDER_LINK, BROKEN_LINK).
    """

    kinds: bytearray = field(default_factory=bytearray)
    sizes_bytes: array[int] = field(default_factory=lambda: array("q"))
    mtimes_ns: array[int] = field(default_factory=lambda: array("q"))
    modes: array[int] = field(default_factory=lambda: array("I"))


class Listed(Struct, frozen=True):
    """Entries as they travel from the engine to a client, in columns: one element an entry in each.

    `last`: nothing comes behind them. `untold`: what says, at the end, that some of the folder cannot be told by names.
    """

    names: tuple[str, ...] = ()
    kinds: tuple[int, ...] = ()
    sizes_bytes: tuple[int, ...] = ()
    mtimes_ns: tuple[int, ...] = ()
    modes: tuple[int, ...] = ()
    last: bool = False
    untold: str = ""

    @classmethod
    def of(cls, entries: Sequence[Entry], *, last: bool = False, untold: str = "") -> Listed:
        """Return entries in columns."""
        return cls(
            tuple(entry.name for entry in entries),
            tuple(int(entry.kind) for entry in entries),
            tuple(entry.size_bytes for entry in entries),
            tuple(entry.mtime_ns for entry in entries),
            tuple(entry.mode for entry in entries),
            last,
            untold,
        )


class Totals(Struct, frozen=True):
    """What a set of entries amounts to, folders counted through.

    `complete` is False where counting was cut short. Of a store, `untold` keys, such as `untold_key`, cannot be told by
    names, and do not count.
    """

    files: int = 0
    folders: int = 0
    size_bytes: int = 0
    unreadable: int = 0
    complete: bool = True
    untold: int = 0
    untold_key: str = ""

    def plus(self, other: Totals) -> Totals:
        """Return what both amount to."""
        return Totals(
            self.files + other.files,
            self.folders + other.folders,
            self.size_bytes + other.size_bytes,
            self.unreadable + other.unreadable,
            self.complete and other.complete,
            self.untold + other.untold,
            self.untold_key or other.untold_key,
        )


class Space(Struct, frozen=True):
    """Room on the filesystem of a folder."""

    free_bytes: int
    size_bytes: int
    free_files: int
