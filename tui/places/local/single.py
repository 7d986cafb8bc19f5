"""Single steps on the local disk: look at one entry, read a piece of one, make one, rename one.

All raise `PlaceError`s whose text can be shown as it is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from tui.model.entry import Entry, EntryKind, Space, kind_of_mode
from tui.model.error import AlreadyExists, IsAFolder, LinkInTheWay, NotFound, Unsupported, from_os_error
from tui.places.local import syscalls
from tui.places.local.homes import find_homes, spare_home
from tui.places.local.modes import change_mode
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from tui.model.location import Location

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@contextlib.contextmanager
def _at(location: Location, doing: str) -> Iterator[tuple[int, bytes]]:
    """Open the folder that holds an entry; give its descriptor and the entry's name. OSErrors become ours."""
    with Root.open(location.parent.path) as parent:
        try:
            yield parent.fd, os.fsencode(location.name) or b"."
        except OSError as error:
            raise from_os_error(error, location, doing) from error


def stat_entry(location: Location, *, follow: bool = False) -> Entry:
    """Return one entry in full.

    Args:
        follow: Describe what a link points to, not the link.
    """
    with _at(location, "look at") as (folder, name):
        return entry_at(folder, name, location.name, follow=follow)


def entry_at(folder: int, name: bytes, called: str, *, follow: bool = False) -> Entry:
    """Return one entry of an opened folder in full, under the name it is called by."""
    info = os.stat(name, dir_fd=folder, follow_symlinks=follow)
    kind = kind_of_mode(info.st_mode)
    target = None
    if kind is EntryKind.LINK:
        target = os.fsdecode(os.readlink(name, dir_fd=folder))
        kind = kind_of_link(folder, name)
    return Entry(
        name=called,
        kind=kind,
        size_bytes=info.st_size,
        mtime_ns=info.st_mtime_ns,
        mode=info.st_mode,
        uid=info.st_uid,
        gid=info.st_gid,
        links=info.st_nlink,
        owner=_user(info.st_uid),
        group=_group(info.st_gid),
        link_target=target,
    )


def kind_of_link(folder: int, name: bytes | str) -> EntryKind:
    """Say what a link leads to: a folder, something else, or nothing one can get at."""
    try:
        mode = os.stat(name, dir_fd=folder).st_mode
    except OSError:
        return EntryKind.BROKEN_LINK
    return EntryKind.FOLDER_LINK if stat.S_ISDIR(mode) else EntryKind.LINK


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OSError):
        return ""


def _group(gid: int) -> str:
    import grp

    try:
        return grp.getgrgid(gid).gr_name
    except (KeyError, OSError):
        return ""


def read_range(location: Location, offset: int, size_bytes: int) -> bytes:
    """Return bytes of a regular file, fewer than asked for only at its end; links are followed."""
    with _at(location, "read") as (folder, name):
        fd = os.open(name, _READ, dir_fd=folder)
        try:
            mode = os.fstat(fd).st_mode
            if stat.S_ISDIR(mode):
                raise IsAFolder(
                    f"cannot read {location}: it is a folder", "Open it instead.", location=location
                )
            if not stat.S_ISREG(mode):
                remedy = "Only regular files can be read."
                raise Unsupported(
                    f"cannot read {location}: it is not a regular file", remedy, location=location
                )
            return read_all(fd, offset, size_bytes)
        finally:
            os.close(fd)


def read_all(fd: int, offset: int, size_bytes: int) -> bytes:
    """Return bytes of an open file, fewer than asked for only at its end."""
    pieces: list[bytes] = []
    while size_bytes > 0:
        data = os.pread(fd, min(size_bytes, 1 << 20), offset)
        if not data:
            break
        pieces.append(data)
        offset += len(data)
        size_bytes -= len(data)
    return b"".join(pieces)


def make_folder(location: Location) -> Location:
    """Create a folder, and the parents that are missing; return the topmost of those made.

    Raises:
        AlreadyExists: Something of that name is there.
    """
    missing: list[Location] = []
    above = location.parent
    while not os.path.lexists(above.path):
        missing.append(above)
        above = above.parent
    for parent in reversed(missing):
        with contextlib.suppress(AlreadyExists):
            _make_one(parent)
    _make_one(location)
    return missing[-1] if missing else location


def _make_one(location: Location) -> None:
    with _at(location, "create the folder") as (folder, name):
        os.mkdir(name, dir_fd=folder)


def create_file(location: Location) -> None:
    """Create an empty file, never over anything."""
    with _at(location, "create") as (folder, name):
        os.close(os.open(name, _NEW_FILE, 0o666, dir_fd=folder))


def rename(location: Location, new: Location, homes: Callable[[], Collection[Location]] = tuple) -> None:
    """Give an entry a new name on the same filesystem, never over another entry.

    A name that differs in case only is no other entry where the filesystem does not tell case.

    Args:
        homes: Tells the home folders, which keep their names, as does what holds them. (Asked for folders alone.)

    Raises:
        AlreadyExists: The new name is taken.
        HoldsHome: It is a home folder, or holds one.
        Unsupported: The two are on different filesystems.
    """
    with _at(location, "rename") as (folder, name), _at(new, "rename to") as (new_folder, new_name):
        info = os.lstat(name, dir_fd=folder)
        if stat.S_ISDIR(info.st_mode):
            spare_home(info, location, find_homes(homes()), "rename")
        try:
            rename_at(folder, name, new_folder, new_name)
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise other_filesystem(location, new) from error
            raise


def rename_at(folder: int, name: bytes, new_folder: int, new_name: bytes) -> None:
    """Rename an entry from one opened folder to another, never over another entry."""
    try:
        syscalls.rename_no_replace(folder, name, new_folder, new_name)
    except FileExistsError:
        here, there = os.lstat(name, dir_fd=folder), os.lstat(new_name, dir_fd=new_folder)
        is_one = (here.st_dev, here.st_ino, here.st_nlink) == (there.st_dev, there.st_ino, 1)
        if not is_one or name.lower() != new_name.lower() or name == new_name:
            raise
        os.rename(name, new_name, src_dir_fd=folder, dst_dir_fd=new_folder)


def other_filesystem(location: Location, new: Location) -> Unsupported:
    """Return the error of a rename that cannot be one."""
    message = f"cannot rename {location} to {new}: that is another filesystem"
    return Unsupported(message, "Move it there instead.", location=new)


def set_mode(location: Location, mode: int) -> None:
    """Set an entry's permission bits.

    Raises:
        LinkInTheWay: It is a link; links have no permissions of their own.
    """
    with _at(location, "change the permissions of") as (folder, name):
        info = change_mode(folder, name, lambda _: mode)
    if stat.S_ISLNK(info.st_mode):
        message = f"cannot change the permissions of {location}: it is a link"
        raise LinkInTheWay(message, "Change those of what it points to.", location=location)


def make_symlink(location: Location, points_to: str) -> None:
    """Create a symbolic link, whether or not there is something where it points."""
    if not points_to:
        raise NotFound(
            f"cannot create the link {location}: it points nowhere", "Say where to.", location=location
        )
    with _at(location, "create the link") as (folder, name):
        os.symlink(os.fsencode(points_to), name, dir_fd=folder)


def make_hardlink(location: Location, existing: Location) -> None:
    """Give an existing file a further name; a symbolic link gets one itself, it is not followed."""
    with _at(existing, "link") as (folder, name), _at(location, "create the link") as (new_folder, new_name):
        if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            message = f"cannot link {existing}: it is a folder"
            raise IsAFolder(message, "Make a symbolic link instead.", location=existing)
        os.link(name, new_name, src_dir_fd=folder, dst_dir_fd=new_folder, follow_symlinks=False)


def space(folder: Location) -> Space:
    """Return the room on the filesystem of a folder, as this user may use it."""
    with Root.open(folder.path) as root:
        try:
            return space_at(root.fd)
        except OSError as error:
            raise from_os_error(error, folder, "measure the room of") from error


def space_at(folder: int) -> Space:
    """Return the room on the filesystem of an opened folder, as this user may use it."""
    found = os.fstatvfs(folder)
    unit = found.f_frsize or found.f_bsize
    return Space(found.f_bavail * unit, found.f_blocks * unit, found.f_favail)
