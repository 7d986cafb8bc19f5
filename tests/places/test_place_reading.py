"""Files read range by range."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.places.stand import put, some_bytes
from tui.model.error import NotFound, PlaceError

if TYPE_CHECKING:
    from tests.places.stand import Stand
    from tui.places.base import Place

SIZE = 500_000


async def test_ranges_come_as_asked_for(stand: Stand, place: Place) -> None:
    data = some_bytes(SIZE)
    await stand.write("file", data)
    reader = await place.open_reader(stand.at("file"))
    try:
        assert reader.entry.name == "file"
        assert reader.entry.size_bytes == SIZE
        for offset, size in ((0, 10), (123_456, 200_001), (0, SIZE), (SIZE - 1, 1), (40_000, 1)):
            assert await reader.read(offset, size) == data[offset : offset + size]
            assert b"".join(await reader.pieces(offset, size)) == data[offset : offset + size]
    finally:
        await reader.close()


async def test_a_read_is_short_at_the_end_only(stand: Stand, place: Place) -> None:
    await stand.write("file", b"0123456789")
    reader = await place.open_reader(stand.at("file"))
    try:
        assert await reader.read(7, 100) == b"789"
        assert await reader.read(10, 100) == b""
        assert await reader.read(1000, 100) == b""
    finally:
        await reader.close()


async def test_an_empty_file_has_nothing_to_read(stand: Stand, place: Place) -> None:
    await stand.write("file", b"")
    reader = await place.open_reader(stand.at("file"))
    assert reader.entry.size_bytes == 0
    assert await reader.read(0, 100) == b""
    await reader.close()


async def test_several_reads_may_be_under_way_at_once(stand: Stand, place: Place) -> None:
    data = some_bytes(SIZE)
    await stand.write("file", data)
    reader = await place.open_reader(stand.at("file"))
    try:
        starts = range(0, SIZE, 30_000)
        pieces = await asyncio.gather(*(reader.read(start, 30_000) for start in reversed(starts)))
        assert b"".join(reversed(pieces)) == data
    finally:
        await reader.close()


async def test_a_look_tells_of_a_change(stand: Stand, place: Place) -> None:
    await stand.write("file", b"first")
    reader = await place.open_reader(stand.at("file"))
    try:
        assert (await reader.look()).facts == reader.entry.facts
        await stand.write("file", b"second")
        assert (await reader.look()).facts != reader.entry.facts
    finally:
        await reader.close()


async def test_only_regular_files_are_opened(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    with pytest.raises(PlaceError, match="folder"):
        await place.open_reader(stand.at("folder"))
    with pytest.raises(NotFound, match="missing"):
        await place.open_reader(stand.at("missing"))


@pytest.mark.needs("symlinks")
async def test_a_link_is_not_opened_through(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"secret")
    await stand.symlink("link", "file")
    with pytest.raises(PlaceError, match="link"):
        await place.open_reader(stand.at("link"))


async def test_closing_twice_does_no_harm(stand: Stand, place: Place) -> None:
    await stand.write("file", b"x")
    reader = await place.open_reader(stand.at("file"))
    await reader.close()
    await reader.close()
