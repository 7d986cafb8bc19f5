"""What belongs to a place as a whole: its connection, its room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.places.stand import TAG, begin, listed, put
from tui.model.error import PlaceUnavailable, Unsupported
from tui.places.base import Attributes

if TYPE_CHECKING:
    from tests.places.stand import Stand
    from tui.places.base import Place


async def test_a_place_is_alive_until_it_is_lost(stand: Stand, place: Place, other: Place) -> None:
    await put(place, stand.at("file"), b"x")
    assert place.alive
    await stand.lose(place)
    with pytest.raises(PlaceUnavailable):
        await place.stat(stand.at("file"))
    assert (place.alive, other.alive) == (False, True)
    assert (await other.get(stand.at("file"), 1))[1] == b"x"


async def test_whatever_is_done_with_a_lost_place_says_so(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"x")
    reader = await place.open_reader(stand.at("file"))
    writer = await begin(place, stand.at("other"), 10)
    await stand.lose(place)
    with pytest.raises(PlaceUnavailable):
        await reader.read(0, 1)
    with pytest.raises(PlaceUnavailable):
        await listed(place, stand.folder)
    with pytest.raises(PlaceUnavailable):
        await place.get(stand.at("file"), 1)
    with pytest.raises(PlaceUnavailable):
        await place.put(stand.at("new"), b"x", Attributes(), TAG, replace=False, flush=False)
    with pytest.raises(PlaceUnavailable):
        await place.remove_file(stand.at("file"))
    await reader.close()
    await writer.discard()
    await place.close()
    assert await stand.read("file") == b"x"


async def test_closing_twice_does_no_harm(stand: Stand, place: Place, other: Place) -> None:
    await other.stat(stand.folder)
    await other.close()
    await other.close()
    assert await listed(place, stand.folder) == {}


async def test_a_place_may_be_closed_with_files_open(stand: Stand, place: Place, other: Place) -> None:
    await put(place, stand.at("file"), b"x")
    reader = await other.open_reader(stand.at("file"))
    writer = await begin(other, stand.at("new"), 10)
    await other.close()
    await reader.close()
    await writer.suspend()
    assert (await place.get(stand.at("file"), 1))[1] == b"x"


@pytest.mark.needs("space")
async def test_it_tells_how_much_room_there_is(stand: Stand, place: Place) -> None:
    space = await place.space(stand.folder)
    assert 0 <= space.free_bytes <= space.size_bytes
    assert space.size_bytes > 0


async def test_where_room_is_not_known_it_says_so(stand: Stand, place: Place) -> None:
    if place.capabilities.space:
        pytest.skip("room is known here")
    with pytest.raises(Unsupported):
        await place.space(stand.folder)


async def test_flushing_a_folder_is_always_allowed(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"x")
    await place.flush(stand.folder)
    assert await stand.read("file") == b"x"
