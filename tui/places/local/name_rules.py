"""What the filesystem of a folder takes: names, sizes and kinds; told by its kind, or found out by trying."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tui.places.local import syscalls
from tui.places.local.partial import prefix
from tui.places.local.standing import NAME_MAX_BYTES, look, same_inode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_UNITS = 255
"""UTF-16 units in a name on FAT, exFAT and NTFS."""
FORBIDDEN = frozenset('"*:<>?|\\')
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
)
_LARGEST_BYTES = (1 << 63) - 1
_FAT, _EXFAT, _NTFS3 = 0x4D44, 0x2011BAB0, 0x7366746E
_SMB = frozenset({0xFF534D42, 0xFE534D42, 0x517B})
_WIDE_MOSTLY = frozenset({0x6969, 0x01021997, syscalls.ZFS})
"""NFS, 9P and ZFS tell upper from lower case, nearly always."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LOOKS = 64
"""So many names are tried in another case."""


def is_reserved(text: str) -> bool:
    """Say whether Windows takes a name for a device."""
    return text.partition(".")[0].casefold() in _RESERVED


@dataclass(frozen=True, slots=True)
class NameRules:
    """What a filesystem takes. As they stand, the rules are those of an ordinary one of Linux.

    Attributes:
        folds: It takes names for one that differ in case, or in how characters are composed.
        characters: It takes none of `" * : < > ? | \\`, and no control characters.
        ends: It takes no dot or space at the end of a name, or drops it.
        devices: It keeps names like "nul" and "com1.txt" for devices.
        utf8: It takes no names that are not UTF-8.
        most_units: The UTF-16 units a name may have; None: any number.
        most_name_bytes: The bytes a name may have.
        most_bytes: The size of the largest file; None: no limit that matters.
        links, specials: There can be symbolic links; FIFOs, sockets and devices.
        sure: False where it is only likely.
    """

    folds: bool = False
    characters: bool = False
    ends: bool = False
    devices: bool = False
    utf8: bool = False
    most_units: int | None = None
    most_name_bytes: int = NAME_MAX_BYTES
    most_bytes: int | None = None
    links: bool = True
    specials: bool = True
    sure: bool = True

    @classmethod
    def from_text(cls, text: str) -> NameRules:
        """Return what `as_text` wrote down."""
        return cls(**json.loads(text))

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @property
    def are_narrow(self) -> bool:
        """Whether an ordinary filesystem may hold something this one does not take."""
        return (
            replace(self, sure=True, most_name_bytes=0) != _ANY_LENGTH
            or self.most_name_bytes < NAME_MAX_BYTES
        )

    def refuses(self, name: bytes) -> str:
        """Say what is wrong with a name; empty where it is fine."""
        if len(name) > self.most_name_bytes:
            return f"its name is too long for that filesystem ({self.most_name_bytes} bytes)"
        try:
            text = name.decode()
        except UnicodeDecodeError:
            if self.utf8:
                return "its name is not UTF-8, and that filesystem takes nothing else"
            text = name.decode(errors="surrogateescape")
        if self.characters:
            for character in text:
                if character in FORBIDDEN or character < " ":
                    return f"that filesystem takes no {character!r} in names"
        if self.ends and text.endswith((".", " ")):
            return "that filesystem takes no names that end with a dot or a space"
        if self.devices and is_reserved(text):
            return f"that filesystem keeps the name {text.partition('.')[0]} for a device"
        if self.most_units is not None and _units(text) > self.most_units:
            return f"its name is too long for that filesystem ({self.most_units} UTF-16 units)"
        return ""


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


ORDINARY = NameRules()
_ANY_LENGTH = replace(ORDINARY, most_name_bytes=0)
WINDOWS = NameRules(
    folds=True,
    characters=True,
    ends=True,
    devices=True,
    utf8=True,
    most_units=MOST_UNITS,
    most_name_bytes=MOST_UNITS * 4,
)
"""The strictest rules for names."""
_KNOWN = {
    _FAT: replace(WINDOWS, most_bytes=(4 << 30) - 1, links=False, specials=False),
    _EXFAT: replace(WINDOWS, devices=False, links=False, specials=False),
}


def listed(folder: int) -> list[bytes]:
    """Return the names in an opened folder, through a descriptor of its own: somebody may be reading this one.

    Raises:
        OSError: It cannot be read.
    """
    fd = os.open(b".", _FOLDER, dir_fd=folder)
    try:
        with os.scandir(fd) as entries:
            return [os.fsencode(entry.name) for entry in entries]
    finally:
        syscalls.let_go(fd)


def rules_for(folder: int, tag: str = "") -> NameRules:
    """Return the rules of an opened folder: found out by trying for a job with this tag, else told by looking.

    Raises:
        OSError: The folder cannot be looked at.
    """
    fd = os.open(b".", _FOLDER, dir_fd=folder)  # a folder that is only held, for its path, tells less
    try:
        if not may_be_narrow(fd):
            return ORDINARY
        return tried_rules(fd, tag) if tag else told_rules(fd)
    finally:
        syscalls.let_go(fd)


def may_be_narrow(folder: int) -> bool:
    """Say whether it is worth finding out the rules of an opened folder: ordinary ones cost no more than this."""
    return syscalls.may_fold_names(folder) or os.fstatvfs(folder).f_namemax < NAME_MAX_BYTES


def told_rules(folder: int) -> NameRules:
    """Return the rules of an opened folder, as far as they can be told by looking; nothing is written.

    Raises:
        OSError: The folder cannot be looked at.
    """
    kind = syscalls.filesystem_kind(folder)
    if kind in _KNOWN:
        return _KNOWN[kind]
    length = os.fstatvfs(folder).f_namemax
    folds = _folds(folder) if syscalls.may_fold_names(folder) else False
    if _is_for_windows(folder, kind):
        return replace(WINDOWS, folds=folds is not False, sure=False)
    likely = kind not in _WIDE_MOSTLY and kind != syscalls.FUSE
    return replace(
        ORDINARY, folds=likely if folds is None else folds, most_name_bytes=length, sure=folds is not None
    )


def _is_for_windows(folder: int, kind: int) -> bool:
    """Say whether a filesystem is likely to keep to the rules of Windows: drivers may be told to, or not to."""
    if kind in _SMB:
        return True
    fs_type, disk, options = _mount(os.fstat(folder).st_dev)
    if fs_type == "fuse":  # of an image in a file; one without a disk has a name of its own, like fuse.sshfs
        return disk.startswith("/")
    return fs_type == "fuseblk" or (kind == _NTFS3 and "windows_names" in options)


def _mount(device: int) -> tuple[str, str, list[str]]:
    """Return type, disk and options of a mounted filesystem, from /proc/self/mountinfo; nothing where unknown."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
            before, _, after = line.partition(" - ")
            if before.split(" ", 3)[2] == wanted:
                kind, disk, options = after.split(" ")
                return kind, disk, options.split(",")
    return "", "", []


def _folds(folder: int) -> bool | None:
    """Look for an entry by its name in another case; None where there is none to look for, here and above."""
    told = _found_in_other_case(folder, listed(folder))
    if told is not None:
        return told
    above = os.open("..", _FOLDER, dir_fd=folder)
    try:
        here = os.fstat(folder)
        if os.fstat(above).st_dev != here.st_dev or same_inode(os.fstat(above), here):
            return None
        return _folds(above)
    except OSError:
        return None
    finally:
        syscalls.let_go(above)


def _found_in_other_case(folder: int, names: Iterable[bytes]) -> bool | None:
    known = set(names)
    others = ((name, other) for name in known if (other := name.swapcase()) not in known)
    for name, other in islice(others, _LOOKS):
        there, here = look(folder, other), look(folder, name)
        if here is not None:
            return there is not None and same_inode(there, here)
    return None


def one_for_all(folder: int) -> int | None:
    """Return the device of an opened folder where all on it keeps to the rules of that folder; else None.

    (Some filesystems fold names in folders that are marked.)
    """
    by_folder = syscalls.filesystem_kind(folder) in syscalls.BY_FOLDER
    return None if by_folder else os.fstat(folder).st_dev


def tried_rules(folder: int, tag: str) -> NameRules:
    """Find out the rules of an opened folder by trying, in a folder of a partial name that goes again.

    Where nothing may be made there, they are told by looking.

    Args:
        tag: The mark of the job that wants to know.
    Raises:
        OSError: The folder cannot be looked at.
    """
    name, before = prefix(tag) + b"Names", os.fstat(folder)
    trial: _Trial | None = None
    try:
        with suppress(FileExistsError):  # from before a crash
            os.mkdir(name, 0o700, dir_fd=folder)
        trial = _Trial(os.open(name, _FOLDER, dir_fd=folder))
        return trial.rules(os.fstatvfs(folder).f_namemax)
    except OSError:
        return told_rules(folder)
    finally:
        if trial is not None:
            trial.close()
        with suppress(OSError):
            os.rmdir(name, dir_fd=folder)
            os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))


_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class _Trial:
    """An empty folder in which names are tried."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._clear()

    def close(self) -> None:
        self._clear()
        syscalls.let_go(self._fd)

    def rules(self, most_name_bytes: int) -> NameRules:
        os.close(os.open(b"Case", _NEW, 0o600, dir_fd=self._fd))
        folds = look(self._fd, b"cASE") is not None
        units = self._takes(("é" * (NAME_MAX_BYTES // 2 + 1)).encode())
        return NameRules(
            folds=folds,
            characters=not self._takes(b"a:b"),
            ends=not self._takes(b"end."),
            devices=not self._takes(b"nul"),
            utf8=not self._takes(b"a\xff"),
            most_units=MOST_UNITS if units else None,
            most_name_bytes=MOST_UNITS * 4 if units else most_name_bytes,
            most_bytes=self._most_bytes(),
            links=self._can(lambda: os.symlink(b"Case", b"link", dir_fd=self._fd)),
            specials=self._can(lambda: os.mkfifo(b"fifo", dir_fd=self._fd)),
        )

    def _takes(self, name: bytes) -> bool:
        """Say whether a file of that name can be made, and is listed under it."""
        try:
            os.close(os.open(name, _NEW, 0o600, dir_fd=self._fd))
        except OSError:
            return False
        # Some drivers spell names their own way; an end that was dropped is another matter.
        return any(len(each) == len(name) for each in listed(self._fd) if each[:1] == name[:1])

    @staticmethod
    def _can(make: Callable[[], None]) -> bool:
        try:
            make()
        except OSError:
            return False
        return True

    def _most_bytes(self) -> int | None:
        """Return the size of the largest file there can be, by how far one can go in an empty one."""
        fd = os.open(b"Case", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self._fd)
        try:
            low, high = 0, _LARGEST_BYTES
            while low < high:
                middle = low + (high - low + 1) // 2
                try:
                    os.lseek(fd, middle, os.SEEK_SET)
                    low = middle
                except OSError:
                    high = middle - 1
        finally:
            syscalls.let_go(fd)
        return low if low < _MATTERS_BYTES else None

    def _clear(self) -> None:
        for name in listed(self._fd):
            with suppress(OSError):
                if not stat.S_ISDIR(os.lstat(name, dir_fd=self._fd).st_mode):
                    os.unlink(name, dir_fd=self._fd)


_MATTERS_BYTES = 4 << 40
"""ext4 ends at 16 TiB, and nobody has to be told."""
