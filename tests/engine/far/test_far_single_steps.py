"""Single steps at another place, with the connection lost before and after everything they do there."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from tui.engine.clock import SystemClock
from tui.engine.far.browsing import Browsing
from tui.engine.far.doors import Doors
from tui.model.error import AlreadyExists, NotFound, PlaceUnavailable
from tui.model.location import Location
from tui.places.memory import ALL, MemoryOpener
from tui.places.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Step = Callable[[Browsing], Awaitable[object]]

BOX = Location("/", "memory", "box")
NEW = BOX.below("folder/new")


class Box:
    """A place that loses its connection at one step, and whoever browses there."""

    def __init__(self, lost_at: int = -1) -> None:
        self.store, self.steps = MemoryStore(), 0
        self.lost_at = lost_at
        self.store.folder("/folder/sub")
        self.store.write("/folder/file", b"content")
        self.doors = Doors({"memory": lambda: MemoryOpener(self.store, ALL, self)}, SystemClock())
        self.browsing = Browsing(self.doors, SystemClock())

    def __call__(self, name: str, location: Location) -> None:
        if name == "open":
            return
        self.steps += 1
        if self.steps == self.lost_at + 1:
            raise PlaceUnavailable(f"lost at {name}", location=location)

    async def close(self) -> None:
        await self.browsing.close()
        await self.doors.close()


STEPS: dict[str, Step] = {
    "new folder": lambda browsing: browsing.make_folder(NEW),
    "new folders": lambda browsing: browsing.make_folder(NEW.below("deeper/deepest")),
    "new file": lambda browsing: browsing.create_file(NEW),
    "new link": lambda browsing: browsing.make_symlink(NEW, "file"),
    "rename of a file": lambda browsing: browsing.rename(BOX.below("folder/file"), NEW),
    "rename of a folder": lambda browsing: browsing.rename(BOX.below("folder/sub"), NEW),
    "permissions": lambda browsing: browsing.set_mode(BOX.below("folder/file"), 0o640),
}


async def outcome(step: Step, lost_at: int = -1) -> tuple[object, dict[str, bytes | str | None], int, int]:
    """Return what a step returned and left, and how many steps the place took."""
    box = Box(lost_at)
    try:
        returned = await step(box.browsing)
    finally:
        await box.close()
    return returned, box.store.tree(), stat.S_IMODE(box.store.find("/folder").mode), box.steps


@pytest.mark.parametrize("name", STEPS)
async def test_a_step_is_done_wherever_the_connection_is_lost(name: str) -> None:
    *right, count = await outcome(STEPS[name])
    for lost_at in range(count):
        *found, _ = await outcome(STEPS[name], lost_at)
        assert found == right, lost_at


TAKEN: dict[str, Step] = {
    "new folder": lambda browsing: browsing.make_folder(BOX.below("folder/sub")),
    "new file": lambda browsing: browsing.create_file(BOX.below("folder/file")),
    "rename": lambda browsing: browsing.rename(BOX.below("folder/file"), BOX.below("folder/sub")),
}


@pytest.mark.parametrize("name", TAKEN)
async def test_a_name_that_was_taken_before_is_told_wherever_the_connection_is_lost(name: str) -> None:
    box = Box()
    with pytest.raises(AlreadyExists):
        await TAKEN[name](box.browsing)
    await box.close()
    for lost_at in range(box.steps):
        with pytest.raises(AlreadyExists):
            await outcome(TAKEN[name], lost_at)


async def test_what_is_not_there_is_told_though_something_has_the_new_name() -> None:
    for lost_at in range(4):
        with pytest.raises(NotFound):
            await outcome(lambda browsing: browsing.rename(BOX.child("none"), BOX.child("folder")), lost_at)
