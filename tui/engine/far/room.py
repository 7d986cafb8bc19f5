"""How much room there is at a place that something did not fit into any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui import format
from tui.model.error import PlaceError

if TYPE_CHECKING:
    from tui.model.error import OutOfSpace
    from tui.model.location import Location
    from tui.places.base import Place

LOOK_S = 2.0


async def no_room(place: Place, error: OutOfSpace, folder: Location) -> str:
    """Return what ran out, in one sentence."""
    if not place.capabilities.space:
        return error.message
    where = folder if folder.is_local else f"{folder.scheme}://{folder.authority}"
    try:
        async with asyncio.timeout(LOOK_S):
            space = await place.space(folder)
    except (PlaceError, TimeoutError):
        return error.message
    if space.free_files == 0 and space.free_bytes:
        return f"no inodes left on {where}: remove files and resume"
    return f"no space left on {where} ({format.size(space.free_bytes)} free): free space and resume"
