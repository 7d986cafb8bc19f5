"""Single steps at other places, asked for beside the queue.

A connection that is lost in the middle leaves it open whether a step was done. So each is then taken once more over a
new connection, and what stands there by now is its own where it was seen free, or as something else, before.
"""

from __future__ import annotations

import asyncio
import secrets
import string
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from tui.engine.far.ends import look
from tui.engine.far.identity import identify
from tui.engine.far.reaching import HOME
from tui.engine.far.renaming import holds_home
from tui.model.entry import EntryKind
from tui.model.error import AlreadyExists, NotFound, PlaceUnavailable, Unsupported
from tui.places.base import Attributes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui.engine.far.doors import Doors
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Place

T = TypeVar("T")


async def _surely(doors: Doors, location: Location, step: Callable[[Place, bool], Awaitable[T]]) -> T:
    """Take a step, and once more where the connection was lost meanwhile: `step` is told which of both it is."""
    place = await doors.place(location)
    try:
        return await step(place, False)
    except PlaceUnavailable:
        if place.alive:
            raise
    return await step(await doors.place(location), True)


async def make_folder(doors: Doors, location: Location) -> Location:
    """Make a folder, and those above it that are missing; return the topmost of those made."""
    free: list[Location] = []

    async def make(place: Place, again: bool) -> Location:
        missing = [location]
        while not missing[-1].is_root and not await _stands(place, missing[-1].parent):
            missing.append(missing[-1].parent)
        for folder in missing:
            if folder not in free and (folder != location or await look(place, folder) is None):
                free.append(folder)
        for folder in reversed(missing):
            try:
                await place.make_folder(folder)
            except AlreadyExists:
                if not (again and folder in free and await _stands(place, folder)):
                    raise
        return free[-1] if free else location

    return await _surely(doors, location, make)


async def create_file(doors: Doors, location: Location) -> None:
    """Make an empty file."""
    tag = _tag()

    async def put(place: Place) -> None:
        await place.put(location, b"", Attributes(), tag, replace=False, flush=False)

    def is_it(there: Entry) -> bool:
        return there.kind is EntryKind.FILE and there.size_bytes == 0

    await _make(doors, location, put, is_it)


async def make_symlink(doors: Doors, location: Location, points_to: str) -> None:
    """Make a link."""
    tag = _tag()

    async def make(place: Place) -> None:
        if not place.capabilities.symlinks:
            raise Unsupported(f"cannot make the link {location}: there are none there", location=location)
        await place.make_symlink(location, points_to, tag, replace=False)

    await _make(doors, location, make, lambda there: there.kind.is_link and there.link_target == points_to)


async def _make(
    doors: Doors,
    location: Location,
    make: Callable[[Place], Awaitable[None]],
    is_it: Callable[[Entry], bool],
) -> None:
    """Make something where nothing is; `is_it` knows it again."""
    was_free = False

    async def step(place: Place, again: bool) -> None:
        nonlocal was_free
        there = await look(place, location)
        if again and was_free and there is not None and is_it(there):
            return
        was_free = there is None
        await make(place)

    await _surely(doors, location, step)


async def rename(doors: Doors, location: Location, new: Location) -> None:
    """Give an entry another name that is free."""
    was = ""

    async def give(place: Place, again: bool) -> None:
        nonlocal was
        if not place.capabilities.renames:
            raise Unsupported(
                f"cannot rename {location}: names cannot be changed in one step there",
                "Move it: the queue copies it, then removes the original.",
                location=location,
            )
        there = await look(place, location)
        if again and was and there is None:
            renamed = await look(place, new)
            if renamed is not None and identify(renamed) == was:
                return
        was = identify(there) if there is not None else ""
        home = replace(location, path=HOME)
        where, home = await asyncio.gather(place.resolve(location), place.resolve(home))
        if where.holds(home):
            raise holds_home(where, home)
        await place.rename(location, new)

    await _surely(doors, location, give)


async def set_mode(doors: Doors, location: Location, mode: int) -> None:
    """Set the permissions of an entry."""

    async def dress(place: Place, again: bool) -> None:
        if not place.capabilities.modes:
            raise Unsupported(
                f"cannot change the permissions of {location}: there are none there", location=location
            )
        await place.set_attributes(location, Attributes(mode=mode))

    await _surely(doors, location, dress)


async def _stands(place: Place, folder: Location) -> bool:
    """Say whether a folder is there. Raises AlreadyExists where something else is."""
    try:
        entry = await place.stat(folder, follow=True)
    except NotFound:
        return False
    if entry.kind is not EntryKind.FOLDER:
        raise AlreadyExists(
            f"cannot create the folder {folder}: a file of that name is there", location=folder
        )
    return True


def _tag() -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(8))
