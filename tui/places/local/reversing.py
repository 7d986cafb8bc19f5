"""Taking back: what stands somewhere is looked at first, whether it still is what was left there."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from tui.model.error import NotEmpty, NotFound, PlaceError, SourceReplaced, from_os_error
from tui.places.local import single
from tui.places.local.identity import Likeness, compare, device_of, identify
from tui.places.local.root import Root
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
        with Root.open(folder.path) as opened:
            now = identify(opened.fd, b".")
    except NotFound:
        return f"the folder {folder} is not there any more"
    except (PlaceError, OSError) as error:
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


def rename_back(location: Location, old: Location, identity: str) -> None:
    """Give an entry the name back that it had, if it still is the one that was renamed; never over another entry.

    Raises:
        SourceReplaced: It is not.
        PlaceError: The old name is taken, or its folder has gone.
    """
    _recognise(location, identity, f"cannot give {old} its name back")
    single.rename(location, old)


def remove_made(location: Location, top: Location, identity: str) -> None:
    """Remove a folder that was made, if nothing was put into it, and those made on the way to it, from `top` down.

    Raises:
        SourceReplaced: It is not the one that was made.
        NotEmpty: Something is in it.
        PlaceError: It cannot be removed.
    """
    _recognise(location, identity, f"cannot take the folder {location} away")
    _remove_empty(location)
    while location != top and top.holds(location):
        location = location.parent
        with contextlib.suppress(PlaceError):  # what holds something else by now stays, with all above it
            _remove_empty(location)
            continue
        return


def _recognise(location: Location, identity: str, problem: str) -> None:
    if (reason := why_not_it(location, identity)) is not None:
        raise SourceReplaced(f"{problem}: {reason}", location=location)


def _remove_empty(location: Location) -> None:
    with Root.open(location.parent.path) as parent:
        try:
            os.rmdir(os.fsencode(location.name), dir_fd=parent.fd)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                message = f"cannot take the folder {location} away: something is in it"
                raise NotEmpty(message, "Empty it first, or leave it.", location=location) from error
            raise from_os_error(error, location, "take away") from error
