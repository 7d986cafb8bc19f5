"""Taking back: what stands somewhere is looked at first, whether it still is what was left there."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.model.error import NotEmpty, NotFound, PlaceError, SourceReplaced, from_os_error
from tui.places.local import syscalls
from tui.places.local.identity import Likeness, compare, device_of, identify
from tui.places.local.root import Root, split
from tui.places.local.standing import is_folder
from tui.places.local.trash import is_trashed

if TYPE_CHECKING:
    from tui.model.location import Location


def identity_of(location: Location) -> str:
    """Return what an entry is known by, whatever its name. (See `tui.places.local.identity`.)

    Raises:
        PlaceError: It cannot be looked at.
    """
    with Root.open(location.parent.path) as folder:
        try:
            return identify(folder.fd, os.fsencode(location.name))
        except OSError as error:
            raise from_os_error(error, location, "look at") from error


def identity_of_folder(folder: Location) -> str:
    """Return what a folder is known by, links on the way to it followed.

    Raises:
        PlaceError: It cannot be looked at.
    """
    with Root.open(folder.path) as opened:
        try:
            return identify(opened.fd, b".")
        except OSError as error:
            raise from_os_error(error, folder, "look at") from error


def why_not_it(where: Location, identity: str) -> str | None:
    """Say why what stands at a place is not what was left there; None where it is."""
    try:
        now = identity_of(where)
    except NotFound:
        return f"{where} is not there any more"
    except PlaceError as error:
        return error.message
    match compare(identity, now):
        case Likeness.OTHER:
            return f"{where} is another {'entry of the trash' if is_trashed(where.path) else 'one'} now"
        case Likeness.CHANGED:
            return f"{where} was changed since"
    return None


def why_not_there(folder: Location, home: str) -> str | None:
    """Say why a folder is not the one something was taken from; None where it is.

    Another one on the same filesystem will do. On another, as where a disk is not mounted, it will not.

    Args:
        home: What the folder was known by.
    """
    try:
        now = identity_of_folder(folder)
    except NotFound:
        return f"the folder {folder} is not there any more"
    except PlaceError as error:
        return str(error)
    if device_of(now) == device_of(home) or compare(home, now) is Likeness.SAME:
        return None
    return f"the folder {folder} is on another disk than it was (is its own mounted?)"


def why_not_writable(folder: Location) -> str | None:
    """Say why nothing can be put into a folder, or taken from it; None where that seems possible, or cannot be told."""
    try:
        found = os.statvfs(folder.path)
    except OSError:
        return None
    if found.f_flag & os.ST_RDONLY:
        return f"the filesystem of {folder} is read-only now"
    if not os.access(folder.path, os.W_OK | os.X_OK):
        return f"nothing may be changed in {folder}"
    return None


def why_not_gone(made: Location, identity: str) -> str | None:
    """Say why what was made cannot be taken away: it is another one, or changed, or holds something; None if it can."""
    if (reason := why_not_it(made, identity)) is not None:
        return reason
    # What is no folder has nothing in it; a folder that cannot be read will say so itself when it is removed.
    with suppress(OSError), os.scandir(made.path) as entries:
        if next(entries, None) is not None:
            return f"something is in {made}"
    return why_not_writable(made.parent)


def remove_made(made: Location, top: Location, identity: str, *, again: bool = False) -> None:
    """Remove what was made, if it is as it was made, and the folders made on the way to it, from `top` down.

    A folder that something was put into stays; so does, without a word, one on the way.

    Args:
        again: It was begun before; what has gone since has gone by that.
    Raises:
        SourceReplaced: It is not what was made, or was changed.
        NotEmpty: Something is in it.
        PlaceError: It cannot be removed.
    """
    try:
        with Root.open(made.parent.path) as parent:
            _remove_one(parent, made, identity)
    except NotFound:
        if not again:
            raise
    try:
        with Root.open(top.parent.path) as above:
            while made != top and top.holds(made):
                made = made.parent
                _remove_on_the_way(above, os.fsencode(top.parent.relative(made)))
    except (OSError, PlaceError):  # what holds something else by now stays, with all above it
        return


def _remove_on_the_way(above: Root, path: bytes) -> None:
    """Remove a folder if it is empty; none that a link leads to."""
    folder, name = split(path)
    fd = above.folder(folder)
    try:
        os.rmdir(name, dir_fd=fd)
    finally:
        syscalls.let_go(fd)


def _remove_one(parent: Root, made: Location, identity: str) -> None:
    name = os.fsencode(made.name)
    try:
        now = identify(parent.fd, name)
        if (likeness := compare(identity, now)) is not Likeness.SAME:
            why = "was changed since" if likeness is Likeness.CHANGED else "is another one now"
            raise SourceReplaced(f"cannot take {made} away: it {why}", location=made)
        if is_folder(os.lstat(name, dir_fd=parent.fd)):
            os.rmdir(name, dir_fd=parent.fd)
        else:
            os.unlink(name, dir_fd=parent.fd)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            message = f"cannot take the folder {made} away: something is in it"
            raise NotEmpty(message, "Empty it first, or leave it.", location=made) from error
        raise from_os_error(error, made, "take away") from error
