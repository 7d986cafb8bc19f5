"""The folder at a place that a job's sources go into."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui.engine.far.ends import look
from tui.model.entry import EntryKind
from tui.model.error import AlreadyExists, NotAFolder, NotFound, PlaceError
from tui.places.local.standing import other_names

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.base import Place


async def resolved(place: Place, location: Location) -> Location:
    """Return a location without the `/~` that stands for a home folder."""
    stands_for = location.path == "/~" or location.path.startswith("/~/")
    return await place.resolve(location) if stands_for and not location.is_local else location


async def open_goal(place: Place, target: Location, *, into: bool, make: bool = True) -> Location:
    """Return the folder things go into, made with those above it where it is missing.

    Raises:
        PlaceError: It cannot be had; without `into` or `make`, also where the folder is missing.
    """
    folder = await resolved(place, target if into else target.parent)
    if not place.capabilities.folders:
        return folder
    try:
        entry = await place.stat(folder, follow=True)
    except NotFound:
        if not (into and make):
            raise
        await _make(place, folder)
        return folder
    if entry.kind is not EntryKind.FOLDER:
        raise NotAFolder(f"cannot write into {folder}: it is not a folder", location=folder)
    return folder


async def free_name(place: Place, taken: Location, *, is_folder: bool) -> str:
    """Return the first numbered name that is free beside one that is taken.

    Raises:
        PlaceError: There is none.
    """
    for name in other_names(os.fsencode(taken.name), folder=is_folder):
        if await look(place, taken.parent.child(os.fsdecode(name))) is None:
            return os.fsdecode(name)
    raise PlaceError(f"no free name is left for {taken}", location=taken)


async def _make(place: Place, folder: Location) -> None:
    """Make a folder and those above it."""
    missing = [folder]
    while not missing[-1].is_root:
        above = missing[-1].parent
        try:
            await place.stat(above, follow=True)
        except NotFound:
            missing.append(above)
        else:
            break
    for each in reversed(missing):
        try:
            await place.make_folder(each)
        except AlreadyExists:
            continue
