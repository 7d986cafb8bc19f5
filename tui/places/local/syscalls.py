"""System calls that Python does not offer, each with what is done where the system lacks it."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import stat
import struct
import sys
from functools import cache
from typing import Any

_OPENAT2 = ctypes.c_long(437)
"""The number of openat2 on every architecture. (Linux 5.6, `man 2 openat2`.)"""
_RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH = 0x04, 0x08
_RENAME_NOREPLACE, _RENAME_EXCHANGE = 1, 2
_RENAME_EXCL, _RENAME_SWAP = 4, 2
"""The same for macOS's renameatx_np."""
_SYNC_RANGE = 1 | 2 | 4
_BEGIN_RANGE = 2
"""SYNC_FILE_RANGE_WAIT_BEFORE, _WRITE and _WAIT_AFTER."""
_FALLOC_FL_KEEP_SIZE = 1
_FICLONE = 0x40049409
_PR_SET_PDEATHSIG = 1
_SIGKILL = 9
_BTRFS_IOC_FS_INFO = 0x8400941F

BTRFS, ZFS, FUSE, EXT4 = 0x9123683E, 0x2FC12FC1, 0x65735546, 0xEF53
SHARING = frozenset(
    {BTRFS, ZFS, 0x58465342, 0xCA451A4E, 0x7461636F, 0x6969, 0xFE534D42, 0xFF534D42, 0x794C7630}
)
"""Where a copy may share blocks: btrfs, ZFS, XFS, bcachefs, OCFS2, NFS, SMB, CIFS, overlay (`man 2 statfs`)."""
_AT_SYMLINK_NOFOLLOW = 0x100
_STATX_BTIME = 0x800
_AT_EMPTY_PATH = _STATX_MNT_ID = 0x1000
_STATX_BYTES, _STATX_BTIME_AT, _STATX_MNT_ID_AT = 256, 80, 144
"""Of struct statx: its size, and where the moment of birth and the mount stand in it. (linux/stat.h)"""

_MAY_FOLD = frozenset(
    {0x2011BAB0, 0x5346544E, 0x7366746E, 0xFF534D42, 0xFE534D42, 0x517B, 0x4244, 0x482B, FUSE, 0x6969}
    | {0x4D44, 0x01021997, 0x3153464A, ZFS}
)
"""Filesystems that take upper and lower case for the same, or may: exFAT, NTFS, SMB, HFS, FUSE, NFS; FAT, 9P, JFS."""
BY_FOLDER = frozenset({EXT4, 0xF2F52010, 0x01021994, 0xCA451A4E})
"""ext4, F2FS, tmpfs and bcachefs do so in folders that are marked."""
_FS_IOC_GETFLAGS = 0x80086601
_FS_CASEFOLD_FL = 0x40000000
MAKES_FILES_UP = frozenset(
    {0x62656572, 0x9FA0, 0x63677270, 0x0027E0EB, 0x64626720, 0x74726163, 0x73636673, 0x62656570}
)
"""sysfs, proc, cgroup (both), debugfs, tracefs, securityfs, configfs (linux/magic.h): sizes there tell nothing."""
CUTS_ENDS = frozenset({0x4D44, 0x2011BAB0})
"""FAT and exFAT drop dots and spaces at the end of a name."""

_LACKING = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM})

_libc = ctypes.CDLL(None, use_errno=True)
O_PATH = getattr(os, "O_PATH", 0)
O_TMPFILE = getattr(os, "O_TMPFILE", 0)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_HOW_BYTES = ctypes.c_size_t(ctypes.sizeof(_OpenHow))


@cache
def _how(flags: int) -> Any:
    """Return what openat2 is told of a way to open. It is only read, and asked for twice for every folder."""
    return ctypes.pointer(_OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH))


def _raise(path: bytes) -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), os.fsdecode(path))


def let_go(*fds: int) -> None:
    """Close descriptors nothing was written through, if any: what close(2) says of them concerns nobody."""
    for fd in fds:
        if fd >= 0:
            try:  # (it is called for every file: a context manager takes longer than the call)
                os.close(fd)
            except OSError:
                pass  # the descriptor is free all the same (close(2)), and no data can be lost by it


def open_beneath(folder: int, path: bytes, flags: int) -> int:
    """Open what `path` names below `folder`, following no link and leaving the folder by no `..`.

    Raises:
        OSError: As open(2); ELOOP where a link is in the way, ENOSYS where the system has no openat2.
    """
    if not sys.platform.startswith("linux"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    how = _how(flags)
    while True:
        fd: int = _libc.syscall(_OPENAT2, ctypes.c_int(folder), ctypes.c_char_p(path), how, _HOW_BYTES)
        if fd >= 0:
            return fd
        # EAGAIN: something was renamed or mounted during the walk; the manual says to try again.
        if ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR):
            _raise(path)


def rename_no_replace(old_folder: int, old: bytes, new_folder: int, new: bytes) -> None:
    """Rename an entry, never over another one.

    Raises:
        FileExistsError: `new` is taken.
        OSError: As rename(2).
    """
    if hasattr(_libc, "renameat2"):
        done = _libc.renameat2(old_folder, old, new_folder, new, ctypes.c_uint(_RENAME_NOREPLACE))
    elif hasattr(_libc, "renameatx_np"):
        done = _libc.renameatx_np(old_folder, old, new_folder, new, ctypes.c_uint(_RENAME_EXCL))
    else:
        done = -1
        ctypes.set_errno(errno.ENOSYS)
    if done == 0:
        return
    if ctypes.get_errno() not in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        _raise(new)
    rename_by_placeholder(old_folder, old, new_folder, new)


def rename_by_placeholder(old_folder: int, old: bytes, new_folder: int, new: bytes) -> None:
    """Rename without replacing where the filesystem cannot do it in one call: take the name first, then rename over it.

    A folder takes it by an empty folder, which rename(2) replaces only while it is empty; a file by a second name for
    itself, or, where there are no hard links, by an empty file.
    """
    if stat.S_ISDIR(os.lstat(old, dir_fd=old_folder).st_mode):
        os.mkdir(new, 0o700, dir_fd=new_folder)
        try:
            os.rename(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder)
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(new, dir_fd=new_folder)
            raise
        return
    try:
        os.link(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _LACKING:
            raise
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=new_folder))
        os.rename(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder)
    else:
        os.unlink(old, dir_fd=old_folder)


def exchange(folder: int, one: bytes, other: bytes) -> bool:
    """Let two entries of a folder, whatever they are, have each other's name, at once; say False where that cannot be.

    Raises:
        OSError: As rename(2).
    """
    if hasattr(_libc, "renameat2"):
        done = _libc.renameat2(folder, one, folder, other, ctypes.c_uint(_RENAME_EXCHANGE))
    elif hasattr(_libc, "renameatx_np"):
        done = _libc.renameatx_np(folder, one, folder, other, ctypes.c_uint(_RENAME_SWAP))
    else:
        return False
    if done != 0 and ctypes.get_errno() not in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        _raise(other)
    return bool(done == 0)


def die_with_parent() -> None:
    """Have this process killed when the thread that started it ends. (Linux only; elsewhere nothing happens.)"""
    if hasattr(_libc, "prctl"):
        _libc.prctl(ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(_SIGKILL), 0, 0, 0)


def born_ns(folder: int, name: bytes) -> int:
    """Return when an entry was made, a link itself; 0 where neither system nor filesystem keep that.

    Raises:
        OSError: As lstat(2).
    """
    if sys.platform == "darwin":
        return int(os.lstat(name, dir_fd=folder).st_birthtime * 1_000_000_000)
    if not hasattr(_libc, "statx"):
        return 0
    found = ctypes.create_string_buffer(_STATX_BYTES)
    done = _libc.statx(folder, name, _AT_SYMLINK_NOFOLLOW, ctypes.c_uint(_STATX_BTIME), found)
    if done != 0:
        if ctypes.get_errno() in (errno.ENOSYS, errno.EPERM):
            return 0
        _raise(name)
    (mask,) = struct.unpack_from("=I", found)
    seconds, rest_ns = struct.unpack_from("=qI", found, _STATX_BTIME_AT)
    return int(seconds) * 1_000_000_000 + int(rest_ns) if mask & _STATX_BTIME else 0


def mount_id(fd: int) -> int:
    """Return by which mount an open file was reached; 0 where the system does not tell. (Linux 5.8.)

    A part of a filesystem may be mounted in a second place of the same one, which its device does not tell.
    """
    if not hasattr(_libc, "statx"):
        return 0
    found = ctypes.create_string_buffer(_STATX_BYTES)
    if _libc.statx(fd, b"", _AT_EMPTY_PATH, ctypes.c_uint(_STATX_MNT_ID), found) != 0:
        return 0
    (mask,) = struct.unpack_from("=I", found)
    return int(struct.unpack_from("=Q", found, _STATX_MNT_ID_AT)[0]) if mask & _STATX_MNT_ID else 0


def sync_filesystem(fd: int) -> None:
    """Write everything the filesystem of `fd` still holds in memory to the disk.

    Raises:
        OSError: The disk took something badly; it may not be there.
    """
    if not hasattr(_libc, "syncfs"):
        os.sync()
    elif _libc.syncfs(fd) != 0:
        _raise(b"")


def write_out(fd: int, start: int, size_bytes: int) -> None:
    """Wait until the content of a part of a file has been given to the disk; times and sizes may still be in memory.

    That is enough to read it back, and does not cost a commit of the filesystem's journal for every file, as fdatasync
    does. (`man 2 sync_file_range`.)

    Raises:
        OSError: The disk took it badly.
    """
    call = getattr(_libc, "sync_file_range", None)
    if call is None:
        (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(fd)
        return
    where = (ctypes.c_int(fd), ctypes.c_int64(start), ctypes.c_int64(size_bytes))
    if call(*where, ctypes.c_uint(_SYNC_RANGE)) == 0:
        return
    if ctypes.get_errno() not in _LACKING:
        _raise(b"")
    os.fdatasync(fd)


def begin_writing(fd: int, start: int = 0, size_bytes: int = 0) -> None:
    """Have the disk begin with a part of a file (no size: with all that follows), and do not wait for it.

    It promises nothing, and takes no error away from the flush that will be waited for.
    """
    call = getattr(_libc, "sync_file_range", None)
    if call is not None:
        where = (ctypes.c_int(fd), ctypes.c_int64(start), ctypes.c_int64(size_bytes))
        call(*where, ctypes.c_uint(_BEGIN_RANGE))


def sync_file(fd: int) -> None:
    """Write what is still in memory of one file or folder to the disk.

    Raises:
        OSError: It may not be there.
    """
    os.fsync(fd)


def reserve(fd: int, start: int, size_bytes: int) -> None:
    """Ask for room on the disk without making the file longer; nothing is said where there is none or no such call."""
    call = getattr(_libc, "fallocate64", None) or getattr(_libc, "fallocate", None)
    if call is not None:
        call(
            ctypes.c_int(fd),
            ctypes.c_int(_FALLOC_FL_KEEP_SIZE),
            ctypes.c_int64(start),
            ctypes.c_int64(size_bytes),
        )


def clone(source: int, target: int) -> bool:
    """Make `target` share the content of `source`, at once; say False where the filesystem cannot.

    Raises:
        OSError: ENOSPC, EDQUOT or EIO.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
        return False
    return True


def filesystem_kind(fd: int) -> int:
    """Return the number by which the kernel knows a kind of filesystem (`man 2 statfs`); 0 where it does not tell."""
    if not sys.platform.startswith("linux"):
        return 0
    found = ctypes.create_string_buffer(256)  # struct statfs is 120 bytes at most; its first word is f_type
    if _libc.fstatfs(ctypes.c_int(fd), found) != 0:
        return 0
    return ctypes.c_long.from_buffer(found).value & 0xFFFFFFFF


def btrfs_id(fd: int) -> bytes:
    """Return the identity of the btrfs an opened folder is on, the same for all its subvolumes; empty if not told."""
    told = bytearray(1024)
    try:
        fcntl.ioctl(fd, _BTRFS_IOC_FS_INFO, told)
    except OSError:
        return b""
    return bytes(told[16:32])


def may_fold_names(folder: int) -> bool:
    """Say whether an opened folder may take names for the same that differ in case, or in how they are composed."""
    if not sys.platform.startswith("linux"):
        return True
    kind = filesystem_kind(folder)
    if kind not in BY_FOLDER:
        return kind in _MAY_FOLD
    flags = bytearray(8)
    try:
        fcntl.ioctl(folder, _FS_IOC_GETFLAGS, flags)
    except OSError:
        return False
    return bool(int.from_bytes(flags[:4], sys.byteorder) & _FS_CASEFOLD_FL)
