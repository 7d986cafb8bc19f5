"""Names on filesystems with other rules: those that take two names for one, and those that refuse some."""

from __future__ import annotations

import errno
import os
import unicodedata
from typing import TYPE_CHECKING

from tui import format
from tui.model.error import Unsupported, from_os_error
from tui.places.local import syscalls
from tui.places.local.name_rules import WINDOWS, listed
from tui.places.local.standing import look, same_inode

if TYPE_CHECKING:
    from tui.model.error import PlaceError
    from tui.model.location import Location
    from tui.places.local.root import Root

_NAME_REFUSED = frozenset({errno.EINVAL, errno.EILSEQ, errno.ENOENT})


class Spelling:
    """How names are spelled in one folder, where the filesystem may take different names for the same."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.folds: bool | None = None
        """Whether that may be; None: not known yet."""
        self._names: set[bytes] = set()

    @property
    def is_kept(self) -> bool:
        """Whether names are kept as they were given, though others are taken for the same."""
        return syscalls.filesystem_kind(self._fd) != syscalls.FUSE

    def other(self, name: bytes) -> bytes | None:
        """Return how an entry that is found under `name` is really spelled; None where it is spelled so.

        Raises:
            OSError: The folder cannot be read.
        """
        if self.folds is None:
            self.folds = syscalls.may_fold_names(self._fd)
        if not self.folds or name in self._names:
            return None
        self._names = set(listed(self._fd))
        if name in self._names:
            return None
        key = folded(name)
        alike = (other for other in self._names if folded(other) == key)
        return next(alike, None) or self._by_inode(name)

    def _by_inode(self, name: bytes) -> bytes | None:
        standing = look(self._fd, name)
        if standing is None:
            return None
        for other in self._names:
            info = look(self._fd, other)
            if info is not None and same_inode(info, standing):
                return other
        return None


def folded(name: bytes) -> str:
    """Return what names have in common that a filesystem may take for one: case, composition, an end in dots."""
    text = unicodedata.normalize("NFC", os.fsdecode(name))
    return unicodedata.normalize("NFC", text.casefold()).rstrip(". ")


class Clash:
    """Tells whether what is found under a target name belongs to another entry of the source folder.

    Attributes:
        may_be: Whether it is worth asking: not where the filesystem keeps names apart, which the first answer shows.
    """

    def __init__(self, source: int, target: int) -> None:
        self._source = source
        self.may_be = True
        self._spelling = Spelling(target)
        self._alike: dict[str, list[bytes]] | None = None
        """Entries of the source that would have one name at the target, in the order they are listed."""

    def with_other(self, name: bytes, target_name: bytes, *, moves: bool) -> bytes | None:
        """Return the spelling of what stands under a target name, where it is not that of the entry `name`.

        Args:
            moves: The other entry may have gone from the source already. (Drivers outside of the kernel may spell all
                names in lower case, so that there only what still is in the source counts.)
        """
        real = self._other(target_name)
        if real is None:
            return None
        if moves and self._spelling.is_kept:
            return real
        if len(self._like(name)) > 1:
            return real
        there = look(self._source, real)
        return real if there is not None and folded(real) != folded(name) else None

    def spelled_otherwise(self, target_name: bytes) -> bytes | None:
        """Return the spelling of what stands under a target name; None where it is that, or drivers may change it."""
        return self._other(target_name) if self._spelling.is_kept else None

    def _other(self, target_name: bytes) -> bytes | None:
        real = self._spelling.other(target_name)
        self.may_be = self._spelling.folds is not False
        return real

    def may_be_own(self, name: bytes) -> bool:
        """Say whether what stands there may be the entry itself all the same: the spelling was changed on the way."""
        return not self._spelling.is_kept and self._like(name)[:1] == [name]

    def _like(self, name: bytes) -> list[bytes]:
        if self._alike is None:
            names: dict[str, list[bytes]] = {}
            for each in listed(self._source):
                names.setdefault(folded(each), []).append(each)
            self._alike = {key: alike for key, alike in names.items() if len(alike) > 1}
        return self._alike.get(folded(name), [name])


def told(error: OSError, where: Location, doing: str) -> PlaceError:
    """Return Ferry's error for a name that could not be given; where the name itself is to blame, it says so."""
    if error.errno in _NAME_REFUSED and (why := WINDOWS.refuses(os.fsencode(where.name))):
        return Unsupported(f"cannot {doing} {where}: {why}", "Rename it, then retry.", location=where)
    return from_os_error(error, where, doing)


def check_end(fd: int, name: bytes, folder: Root, path: bytes) -> None:
    """Refuse a name whose end the filesystem of an opened folder would cut off without a word.

    Raises:
        Unsupported: It ends with a dot or a space, and this is FAT or exFAT.
    """
    if name.endswith((b".", b" ")) and syscalls.filesystem_kind(fd) in syscalls.CUTS_ENDS:
        where = folder.location(path, name)
        raise Unsupported(
            f"cannot write {where}: {WINDOWS.refuses(name)}", "Rename it, then retry.", location=where
        )


def check_size(fd: int, size_bytes: int, where: Location) -> None:
    """Refuse a file that is larger than the filesystem of an opened, still empty one can hold (4 GiB on FAT).

    Raises:
        Unsupported: It is larger.
    """
    try:
        os.lseek(fd, size_bytes, os.SEEK_SET)
    except OSError as error:
        message = (
            f"cannot write {where}: {format.size(size_bytes)} is more than a file may have on that filesystem"
        )
        raise Unsupported(message, "Choose another target, or leave it out.", location=where) from error
