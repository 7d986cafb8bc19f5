"""Home folders, and the folders that hold them: what is never removed or renamed, by whatever path it is reached."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from tui.model.error import HoldsHome
from tui.model.location import Location
from tui.places.local.standing import is_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Homes = Mapping[tuple[int, int], Location]
"""By (device, inode) of a folder, the home folder that it is or holds."""

NO_HOMES: Homes = MappingProxyType({})


def home_folders() -> tuple[Location, ...]:
    """Return this user's home folders, as the environment and the system name them, also with all links resolved."""
    named: list[str] = []
    with suppress(RuntimeError):
        named.append(str(Path.home()))
    with suppress(KeyError):
        named.append(pwd.getpwuid(os.getuid()).pw_dir)
    absolute = [path for path in named if path.startswith("/")]
    resolved = [os.path.realpath(path) for path in absolute]
    return tuple(Location.local(path) for path in dict.fromkeys((*absolute, *resolved)))


def find_homes(homes: Collection[Location]) -> Homes:
    """Return the home folders, and all folders above them, as they stand now.

    By what they are and not by name: a link or a second mount on the way to them does not hide them.
    """
    found: dict[tuple[int, int], Location] = {}
    for home in homes:
        path = PurePosixPath(home.path)
        for each in (path, *path.parents):
            try:
                info = os.stat(each)
            except OSError:
                continue  # what is not there cannot be removed
            found.setdefault((info.st_dev, info.st_ino), home)
    return found


def spare_home(info: os.stat_result, where: Location, homes: Homes, doing: str) -> None:
    """Refuse to remove or rename an entry that is or holds a home folder. (A link to one is but a link.)

    Args:
        doing: What is about to be done, as in "delete".

    Raises:
        HoldsHome: It is one, or holds one.
    """
    home = homes.get((info.st_dev, info.st_ino)) if is_folder(info) else None
    if home is None:
        return
    why = "it is your home folder" if _is_at(info, home) else f"your home folder {home} is in it"
    raise HoldsHome(f"cannot {doing} {where}: {why}", location=where)


def spare_homes(locations: Iterable[Location], homes: Collection[Location], doing: str) -> None:
    """Refuse to remove entries of which one is or holds a home folder.

    Raises:
        HoldsHome: One does.
    """
    found = find_homes(homes)
    for where in locations:
        try:
            info = os.lstat(where.path)
        except OSError:
            continue  # the job will tell
        spare_home(info, where, found, doing)


def _is_at(info: os.stat_result, home: Location) -> bool:
    try:
        return os.path.samestat(info, os.stat(home.path))
    except OSError:
        return False
