"""Looking at places whose connection turns out to be lost, as after a laptop's sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui.engine.clock import SystemClock
from tui.engine.far.browsing import Browsing
from tui.engine.far.doors import Doors
from tui.model.error import PlaceUnavailable
from tui.model.location import Location
from tui.places.memory import ALL, MemoryOpener, MemoryPlace
from tui.places.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from tui.model.entry import Entry

BOX = Location("/", "memory", "box")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


async def listed_names(browsing: Browsing) -> tuple[str, ...]:
    return (await browsing.page(await browsing.open(BOX.child("folder")))).names


LOOKS: dict[str, Callable[[Browsing], Awaitable[object]]] = {
    "list": listed_names,
    "stat": lambda browsing: browsing.stat(BOX.below("folder/file")),
    "details": lambda browsing: browsing.details(BOX.child("folder"), ("file",)),
    "read": lambda browsing: browsing.read(BOX.below("folder/file"), 0, 100),
    "space": lambda browsing: browsing.space(BOX),
    "measure": lambda browsing: browsing.measure((BOX.child("folder"),)),
    "resolve": lambda browsing: browsing.resolve(BOX.child("folder")),
}


@pytest.mark.parametrize("look", LOOKS)
async def test_who_looks_does_not_hear_of_a_connection_that_was_lost_while_nobody_did(
    store: MemoryStore, look: str
) -> None:
    store.write("/folder/file", b"content")

    def lose_first(name: str, _: Location) -> None:
        if len(opener.places) == 1 and name == {"details": "stat", "measure": "stat"}.get(look, look):
            raise PlaceUnavailable("the connection is lost")

    opener = MemoryOpener(store, ALL, lose_first)
    doors = Doors({"memory": lambda: opener}, SystemClock())
    browsing = Browsing(doors, SystemClock())
    first = await LOOKS[look](browsing)
    assert len(opener.places) == 2
    assert first == await LOOKS[look](browsing)
    await browsing.close()
    await doors.close()


@pytest.mark.parametrize("told_pages", [0, 1])
async def test_a_listing_whose_connection_is_lost_twice_or_in_the_middle_says_so(
    store: MemoryStore, told_pages: int
) -> None:
    for number in range(300):
        store.write(f"/folder/{number}", b"")
    opener = MemoryOpener(store, ALL, lambda name, _: opener.places[-1].lose() if name == "list" else None)
    doors = Doors({"memory": lambda: opener}, SystemClock())
    browsing = Browsing(doors, SystemClock())
    if told_pages:
        place = await doors.place(BOX)
        assert isinstance(place, MemoryPlace)
        place.list = losing_after_a_page(place)  # type: ignore[method-assign]
    number = await browsing.open(BOX.child("folder"))
    if told_pages:
        assert len((await browsing.page(number)).names) == 100
    with pytest.raises(PlaceUnavailable, match="lost"):
        await browsing.page(number)
    assert len(opener.places) == 2 - told_pages
    await browsing.close()
    await doors.close()


def losing_after_a_page(place: MemoryPlace) -> Callable[[Location], AsyncIterator[Sequence[Entry]]]:
    """Return a `list` whose place is lost behind the first page."""
    pages_of, place.faults = place.list, None

    async def pages(folder: Location) -> AsyncIterator[Sequence[Entry]]:
        async for page in pages_of(folder):
            yield page
            place.lose()
            raise PlaceUnavailable("the connection is lost")

    return pages
