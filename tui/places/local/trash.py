"""The trash: of the home, or of the volume something lies on. (freedesktop.org Trash specification 1.0.)

send2trash serves macOS. Elsewhere it refuses dangling links and read-only files, copies over volumes without a word
about what gets lost, and leaves its notes behind when a move fails; so this is done here.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import stat
import sys
from itertools import chain
from urllib.parse import quote

from tui.model.error import NotFound, PlaceError, Unsupported, from_os_error
from tui.model.location import Location
from tui.places.local import syscalls
from tui.places.local.identity import Likeness, compare, device_of, identify, inode_of
from tui.places.local.partial import discard
from tui.places.local.root import Root
from tui.places.local.standing import cut, other_names

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NOTE = b".trashinfo"
_STEM_MAX_BYTES = 255 - len(b" (9999).trashinfo")
"""A name in the trash may get a number, and its note a suffix."""


def trash(path: str) -> str | None:
    """Put an entry into the trash; a link goes itself, not what it points to.

    Returns:
        Where it is now; None where the system's own trash does not tell.
    Raises:
        PlaceError: It cannot be trashed; nothing was removed.
    """
    where = Location.local(path)
    try:
        device = os.lstat(path).st_dev
        if sys.platform == "darwin":
            _trash_on_mac(path)
            return None
        folder, top = _home_trash(), None
        if os.stat(folder).st_dev != device:
            folder, top = _volume_trash(where, device)
        return _put(where, folder, top)
    except OSError as error:
        raise _told(error, where) from error


def is_trashed(path: str) -> bool:
    """Say whether a path is that of an entry in a trash, there or gone, by the names the specification gives."""
    folder, part = os.path.split(os.path.dirname(path))
    above, name = os.path.split(folder)
    named = name == "Trash" or name.startswith(".Trash-") or os.path.basename(above) == ".Trash"
    return part == "files" and named


def forget_note(path: str) -> None:
    """Remove the note on an entry that was taken out of a trash; nothing is done about any other path."""
    if not is_trashed(path) or os.path.lexists(path):
        return
    folder, name = os.path.split(path)
    with (
        contextlib.suppress(OSError, PlaceError),
        Root.open(os.path.join(os.path.dirname(folder), "info")) as notes,
    ):
        os.unlink(os.fsencode(name) + _NOTE, dir_fd=notes.fd)


def find_trashed(path: str, identity: str) -> str | None:
    """Return where in the trash an entry is that was at `path`; None where it is not found.

    (For one that went there just before a crash: nobody wrote its new name down.)
    """
    where = Location.local(path)
    with contextlib.suppress(OSError, PlaceError):
        if found := _find_in(_home_trash(), identity):
            return found
    with contextlib.suppress(OSError, PlaceError):
        return _find_in(_volume_trash(where, device_of(identity))[0], identity)
    return None


def _find_in(folder: str, identity: str) -> str | None:
    with Root.open(os.path.join(folder, "files")) as files:
        readable = files.folder(b"")
        try:
            with os.scandir(readable) as entries:
                names = [os.fsencode(entry.name) for entry in entries if entry.inode() == inode_of(identity)]
        finally:
            os.close(readable)
        for name in names:
            if compare(identity, identify(files.fd, name)) is Likeness.SAME:
                return os.path.join(files.path, os.fsdecode(name))
    return None


def _told(error: OSError, where: Location) -> PlaceError:
    if error.errno == errno.ENOENT and not os.path.lexists(where.path):
        return NotFound(f"cannot trash {where}: no such file or folder", location=where)
    if error.errno in (errno.EXDEV, errno.EINVAL, errno.EBUSY):
        return _no_trash(where)
    return from_os_error(error, where, "trash")


def _no_trash(where: Location) -> Unsupported:
    message = f"cannot trash {where}: there is no trash it could be moved to"
    return Unsupported(message, "Delete it for good instead, or copy it elsewhere first.", location=where)


def _trash_on_mac(path: str) -> None:
    from send2trash import send2trash  # type: ignore[import-untyped]

    send2trash(path)


def _home_trash() -> str:
    data = os.environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(data):  # a relative one counts as none: it would be another one in each folder
        data = os.path.expanduser("~/.local/share")
    folder = os.path.join(data, "Trash")
    os.makedirs(folder, 0o700, exist_ok=True)
    return folder


def _volume_trash(where: Location, device: int) -> tuple[str, str]:
    """Return the trash of the volume an entry is on, and the volume's top folder."""
    top = where.parent
    while not top.is_root and os.stat(top.parent.path).st_dev == device:
        top = top.parent
    if os.stat(top.path).st_dev != device:
        raise _no_trash(where)
    shared = os.path.join(top.path, ".Trash")
    if _is_shared_trash(shared):
        folder = os.path.join(shared, str(os.getuid()))
    else:
        folder = os.path.join(top.path, f".Trash-{os.getuid()}")
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        info = os.lstat(folder)
        if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
            raise _no_trash(where) from None
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise _no_trash(where) from error
        raise
    return folder, top.path


def _is_shared_trash(path: str) -> bool:
    """Say whether an administrator made a trash for all: a real folder with the sticky bit."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX)


def _put(where: Location, folder: str, top: str | None) -> str:
    """Move an entry to `files`, its origin noted in `info`: the note comes first, and takes the name.

    Return its new path.
    """
    for part in ("files", "info"):
        os.makedirs(os.path.join(folder, part), 0o700, exist_ok=True)
    origin = where.path if top is None else os.path.relpath(where.path, top)
    when = dt.datetime.now().astimezone().strftime("%Y-%m-%dT%H:%M:%S")
    note = f"[Trash Info]\nPath={quote(os.fsencode(origin))}\nDeletionDate={when}\n".encode()
    name = os.fsencode(where.name)
    first = cut(name, _STEM_MAX_BYTES)
    with (
        Root.open(where.parent.path) as source,
        Root.open(os.path.join(folder, "files")) as files,
        Root.open(os.path.join(folder, "info")) as notes,
    ):
        for candidate in chain([first], other_names(first, folder=True)):
            if _taken(notes.fd, candidate + _NOTE, note):
                try:
                    syscalls.rename_no_replace(source.fd, name, files.fd, candidate)
                except OSError as error:
                    discard(notes.fd, candidate + _NOTE)
                    if error.errno != errno.EEXIST:
                        raise
                else:
                    return os.path.join(files.path, os.fsdecode(candidate))
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _taken(notes: int, name: bytes, note: bytes) -> bool:
    """Take a name by writing its note; False where somebody has it."""
    try:
        fd = os.open(name, _NEW, 0o600, dir_fd=notes)
    except FileExistsError:
        return False
    try:
        try:
            while note:
                note = note[os.write(fd, note) :]
        finally:
            os.close(fd)
    except OSError:
        discard(notes, name)
        raise
    return True
