"""What stands at a target name: whether it is already what was to be put there, and which other name is free."""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tui.model.entry import Facts, kind_of_mode
from tui.places.local import syscalls
from tui.places.local.content import same_content
from tui.places.local.verifying import same_on_disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from tui.places.local.content import Ways
    from tui.places.local.hops import Brake

READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""Opening is harmless whatever was swapped in under the name: no link is followed, no FIFO waited for."""

NAME_MAX_BYTES = 255
_MOST_NAMES = 4096
"""So many names of one folder are kept in memory, at most."""
_SECOND_NS = 1_000_000_000

_COARSE_STEPS_NS = {
    "vfat": 2 * _SECOND_NS,
    "msdos": 2 * _SECOND_NS,
    "exfat": 10_000_000,
    "hfs": _SECOND_NS,
    "hfsplus": _SECOND_NS,
    "ext3": _SECOND_NS,
    "ntfs": 100,
    "ntfs3": 100,
    "fuseblk": 100,
    "fuse": 100,
    "cifs": 100,
    "smb3": 100,
}
"""Filesystems that keep times less finely than in nanoseconds."""

_EARLIEST_NS = frozenset(_SECOND_NS * end_s for end_s in (-(2**31), 0, 315_532_800))
"""Where filesystems begin to count time: ext4 and XFS, NFS 3, FAT. What is older gets that time."""
_LATEST_NS = frozenset(
    _SECOND_NS * end_s
    for end_s in (2**31 - 1, 2**32 - 1, 4_354_819_198, 4_354_819_199, 15_032_385_535, 16_299_260_424)
)
"""Where they end: ext4 with small inodes and XFS without bigtime, NFS 3, FAT, exFAT, ext4, XFS."""


_FAITHFUL = frozenset({"ext2", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "zfs", "tmpfs", "overlay", ""})
"""Filesystems that keep owners and modes as given, or say no. btrfs is not found by its device, hence the last."""


def look(folder: int, name: bytes) -> os.stat_result | None:
    """Return the state of an entry, a link's own; None where there is none."""
    try:
        return os.lstat(name, dir_fd=folder)
    except FileNotFoundError:
        return None


class TargetNames:
    """What stands under which name in an opened target folder.

    Where the folder turns out to lack a name, it is listed, so that the next one that is free costs no look. What is
    said to be free may be taken all the same: by somebody else meanwhile, or where the filesystem takes two names for
    one. Whoever makes an entry finds out, and says so (`distrust`).
    """

    def __init__(self, folder: int, *, is_empty: bool, may_list: bool) -> None:
        self._folder = folder
        self._taken: Set[bytes] | None = frozenset() if is_empty else None
        self._may_list = may_list and not is_empty

    def look(self, name: bytes) -> os.stat_result | None:
        """Return the state of what stands under a name, a link's own; None where it is free, as far as is known."""
        if self._taken is not None and name not in self._taken:
            return None
        standing = look(self._folder, name)
        if standing is None and self._may_list:
            self._may_list = False
            self._taken = listed_up_to(self._folder, _MOST_NAMES)
        return standing

    def distrust(self) -> None:
        """Look for each name from now on."""
        self._taken, self._may_list = None, False


def listed_up_to(folder: int, most: int) -> Set[bytes] | None:
    """Return the names in an opened folder; None where there are more than so many."""
    with os.scandir(folder) as entries:
        names = {os.fsencode(entry.name) for entry in islice(entries, most + 1)}
    return names if len(names) <= most else None


def facts(info: os.stat_result) -> Facts:
    return Facts(kind_of_mode(info.st_mode), info.st_size, info.st_mtime_ns)


def time_step_ns(device: int, ways: Ways) -> int:
    """Return how finely the filesystem of a device keeps times."""
    step = ways.time_steps_ns.get(device)
    if step is None:
        step = ways.time_steps_ns[device] = _COARSE_STEPS_NS.get(_filesystem_type(device), 1)
    return step


def keeps_all(device: int) -> bool:
    """Say whether a filesystem that keeps times exactly can be believed to keep owners and modes, too."""
    return _filesystem_type(device) in _FAITHFUL


def _filesystem_type(device: int) -> str:
    """Return the type of a mounted filesystem, from /proc/self/mountinfo (`man 5 proc`); empty where unknown."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    for line in lines:
        before, _, after = line.partition(" - ")
        if before.split(" ", 3)[2] == wanted:
            return after.split(" ", 1)[0]
    return ""


def same_time(source_ns: int, target_ns: int, step_ns: int) -> bool:
    """Say whether a target's time is the source's, as finely as the target keeps it.

    A target time of whole seconds counts as one that was cut: ext3, NFS 2 and archives keep no more. So does the
    first or last that a filesystem knows, where the source's lies beyond.
    """
    if source_ns == target_ns:
        return True
    if target_ns % _SECOND_NS == 0 and source_ns // _SECOND_NS == target_ns // _SECOND_NS:
        return True
    if target_ns in (_EARLIEST_NS if source_ns < target_ns else _LATEST_NS):
        return True
    return step_ns > 1 and source_ns // step_ns == target_ns // step_ns


def same_inode(first: os.stat_result, second: os.stat_result) -> bool:
    return (first.st_ino, first.st_dev) == (second.st_ino, second.st_dev)


class Pair:
    """An entry in a source folder and one in a target folder, to be compared.

    Attributes:
        ways: Of the target's root.
        strict: Compare the content of files too.
        from_disk: Compare it as the disks have it, not as it may be held in memory.
        timeless: Do not compare the times of files.
        times: A copy has its source's time; where it has not, only the content tells that it is complete.
    """

    def __init__(
        self,
        source: int,
        target: int,
        ways: Ways,
        brake: Brake,
        *,
        strict: bool,
        from_disk: bool = False,
        timeless: bool = False,
        times: bool = True,
    ) -> None:
        self.source, self.target = source, target
        self.ways, self.brake, self.strict = ways, brake, strict
        self.from_disk, self.timeless, self.times = from_disk, timeless, times

    def same(self, name: bytes, info: os.stat_result, target_name: bytes, standing: os.stat_result) -> bool:
        """Say whether what stands at the target is the source's entry, complete.

        Files compare by size and time (and content where `strict`, or where times do not travel), links by where they
        point, devices by number.

        Raises:
            Stopped: The brake went on while contents were compared.
            OSError: The one or the other cannot be read.
        """
        kind = stat.S_IFMT(info.st_mode)
        if kind != stat.S_IFMT(standing.st_mode):
            return False
        if info.st_ino == standing.st_ino and info.st_dev == standing.st_dev:
            return True
        if kind == stat.S_IFREG:
            return self._same_file(name, info, target_name, standing)
        if kind == stat.S_IFLNK:
            return os.readlink(name, dir_fd=self.source) == os.readlink(target_name, dir_fd=self.target)
        if kind in (stat.S_IFBLK, stat.S_IFCHR):
            return info.st_rdev == standing.st_rdev
        return True

    def _same_file(
        self, name: bytes, info: os.stat_result, target_name: bytes, standing: os.stat_result
    ) -> bool:
        if info.st_size != standing.st_size:
            return False
        if self.timeless or self._same_time(info, standing):
            return not self.strict or self.same_bytes(name, target_name)
        return not self.times and self.same_bytes(name, target_name)

    def _same_time(self, info: os.stat_result, standing: os.stat_result) -> bool:
        if info.st_mtime_ns == standing.st_mtime_ns:
            return True
        return same_time(info.st_mtime_ns, standing.st_mtime_ns, time_step_ns(standing.st_dev, self.ways))

    def same_bytes(self, name: bytes, target_name: bytes) -> bool:
        """Compare the content of two regular files."""
        first = os.open(name, READ_FLAGS, dir_fd=self.source)
        try:
            second = os.open(target_name, READ_FLAGS, dir_fd=self.target)
            try:
                info = os.fstat(first)
                if not all(stat.S_ISREG(mode) for mode in (info.st_mode, os.fstat(second).st_mode)):
                    return False
                if self.from_disk:
                    return same_on_disk(first, second, info.st_size, self.brake)
                forget_cached(second)
                return same_content(first, second, self.brake)
            finally:
                syscalls.let_go(second)
        finally:
            syscalls.let_go(first)


def forget_cached(fd: int) -> None:
    """Let a file be read from the disk, not from memory, as far as it has been written there.

    What the disk did not take may still be in memory as it should have been.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def is_newer(info: os.stat_result, standing: os.stat_result, ways: Ways) -> bool:
    """Say whether the source is newer than what stands at the target, as far as the target can tell."""
    if same_time(info.st_mtime_ns, standing.st_mtime_ns, time_step_ns(standing.st_dev, ways)):
        return False
    return info.st_mtime_ns > standing.st_mtime_ns


def other_names(name: bytes, *, folder: bool) -> Iterator[bytes]:
    """Yield "name (1).ext", "name (2).ext", …: none longer than a name may be, no character cut in two."""
    stem, suffix = name, b""
    if not folder and (dot := name.rfind(b".")) > 0 and len(name) - dot <= 32:
        stem, suffix = name[:dot], name[dot:]
    for number in range(1, 10_000):
        tail = b" (%d)%s" % (number, suffix)
        yield cut(stem, NAME_MAX_BYTES - len(tail)) + tail


def cut(text: bytes, size_bytes: int) -> bytes:
    """Return the start of a name, at most so many bytes, ending with a whole UTF-8 character."""
    if len(text) <= size_bytes:
        return text
    while size_bytes > 0 and text[size_bytes] & 0xC0 == 0x80:
        size_bytes -= 1
    return text[:size_bytes]


def is_folder(info: os.stat_result) -> bool:
    return stat.S_ISDIR(info.st_mode)
