"""How much room there is at a place: before something goes there, and when something did not fit any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui import format
from tui.model.error import PlaceError
from tui.places.local.room import Room, room_in
from tui.places.local.root import Root

if TYPE_CHECKING:
    from tui.engine.run import Run
    from tui.model.entry import Space
    from tui.model.error import OutOfSpace
    from tui.model.location import Location
    from tui.places.base import Place

LOOK_S = 2.0


async def room_at(run: Run, place: Place, folder: Location) -> Room | None:
    """Measure the room where a folder is; None where it is unlimited, or not told."""
    if folder.is_local:
        return await run.hop(_room_in, folder.path)
    space = await _space(place, folder)
    if space is None or not space.size_bytes:
        return None
    # Many filesystems have no number of files of their own, and tell of none left.
    return Room(str(folder), space.free_bytes, space.free_files or None)


async def used_bytes(place: Place, folder: Location) -> int | None:
    """Return how much is in use where a folder is, at least; None where that is not told."""
    space = await _space(place, folder)
    return None if space is None or not space.size_bytes else space.size_bytes - space.free_bytes


async def no_room(place: Place, error: OutOfSpace, folder: Location) -> str:
    """Return what ran out, in one sentence."""
    space = await _space(place, folder)
    if space is None:
        return error.message
    if space.free_files == 0 and space.free_bytes:
        return f"no inodes left on {folder}: remove files and resume"
    return f"no space left on {folder} ({format.size(space.free_bytes)} free): free space and resume"


async def _space(place: Place, folder: Location) -> Space | None:
    if not place.capabilities.space:
        return None
    try:
        async with asyncio.timeout(LOOK_S):
            return await place.space(folder)
    except (PlaceError, TimeoutError):
        return None


def _room_in(path: str) -> Room | None:
    try:
        with Root.open(path) as folder:
            return room_in(folder)
    except (PlaceError, OSError):
        return None
