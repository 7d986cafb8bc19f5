"""How files of a store are read: in few requests, all of one state, over answers that break off."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.places.stand import some_bytes
from tui.model.error import PlaceUnavailable, SourceChanged, Unsupported
from tui.model.location import S3, Location

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.places.base import Reader
    from tui.places.s3.place import S3Place

pytest.importorskip("aiobotocore", reason="S3 needs the extra: pip install 'ferry-tui[s3]'")

from tests.servers.polite import Polite, polite_place

FILE = Location("/bucket/file", S3, "polite")
STEP = 1 << 20
DATA = some_bytes(40 * STEP + 5)


@pytest.fixture
def store() -> Polite:
    store = Polite()
    store.objects["file"] = DATA
    return store


@pytest.fixture
async def place(store: Polite, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Place]:
    async with polite_place(store, monkeypatch) as place:
        yield place


@pytest.fixture
async def reader(place: S3Place) -> AsyncIterator[Reader]:
    reader = await place.open_reader(FILE)
    yield reader
    await reader.close()


async def in_order(reader: Reader, step: int = STEP, ahead: int = 1) -> bytes:
    """Read all of a file, some reads at once."""
    starts = list(range(0, reader.entry.size_bytes, step))
    pieces: list[bytes] = []
    while starts:
        pieces += await asyncio.gather(*(reader.read(start, step) for start in starts[:ahead]))
        del starts[:ahead]
    return b"".join(pieces)


@pytest.mark.parametrize("ahead", [1, 7, 41])
async def test_what_is_read_in_order_comes_in_few_answers(reader: Reader, store: Polite, ahead: int) -> None:
    assert await in_order(reader, ahead=ahead) == DATA
    kibibytes = [(last - first + 1) >> 10 for first, last in store.ranges]
    assert kibibytes == [256, 768, 1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10, 8 << 10]


async def test_no_answer_is_longer_than_what_is_read_ahead(store: Polite, place: S3Place) -> None:
    store.objects["file"] = bytes(80 * STEP)
    reader = await place.open_reader(FILE)
    for start in range(0, 80 * STEP, 16 * STEP):
        await reader.read(start, 16 * STEP)
    await reader.close()
    assert (
        max(last - first + 1 for first, last in store.ranges) == place.capabilities.ahead_bytes == 32 * STEP
    )


@pytest.mark.parametrize("size_bytes", [1, 1000, 256 << 10])
async def test_a_small_file_comes_with_what_is_told_of_it(
    place: S3Place, store: Polite, size_bytes: int
) -> None:
    store.objects["file"] = DATA[:size_bytes]
    store.asked.clear()
    reader = await place.open_reader(FILE)
    assert reader.entry.size_bytes == size_bytes
    assert await reader.read(0, STEP) == DATA[:size_bytes]
    assert store.asked == {"GET": 1}
    await reader.close()


async def test_a_file_without_a_byte_is_opened(place: S3Place, store: Polite) -> None:
    store.objects["file"] = b""
    reader = await place.open_reader(FILE)
    assert (reader.entry.size_bytes, await reader.read(0, STEP)) == (0, b"")
    await reader.close()


async def test_a_first_answer_that_broke_off_meanwhile_is_asked_for_anew(
    place: S3Place, store: Polite
) -> None:
    store.cut_bytes = 0
    reader = await place.open_reader(FILE)
    store.cut_bytes = None
    assert await reader.read(0, STEP) == DATA[:STEP]
    await reader.close()


async def test_a_look_here_and_there_asks_for_what_is_looked_at(reader: Reader, store: Polite) -> None:
    store.ranges.clear()
    for offset in (5 * STEP, 0, 20 * STEP):
        assert await reader.read(offset, 1000) == DATA[offset : offset + 1000]
    assert store.ranges == [(offset, offset + 999) for offset in (5 * STEP, 0, 20 * STEP)]


async def test_reads_of_changing_size_in_order_are_exact(reader: Reader) -> None:
    at = 0
    for size in (10, 100_000, 7, 3 * STEP, STEP, 1, 30 * STEP, 10 * STEP):
        got = await reader.read(at, size)
        assert got == DATA[at : at + size]
        at += len(got)
    assert at == len(DATA)


async def test_a_read_that_was_given_up_leaves_the_others_right(reader: Reader) -> None:
    first, given_up, last = (asyncio.ensure_future(reader.read(n * STEP, STEP)) for n in range(3))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await first == DATA[:STEP]
    assert await last == DATA[2 * STEP : 3 * STEP]


async def test_going_elsewhere_in_the_midst_is_right_too(reader: Reader) -> None:
    await in_order_up_to(reader, 6 * STEP)
    assert await reader.read(30 * STEP, 10) == DATA[30 * STEP : 30 * STEP + 10]
    assert await reader.read(6 * STEP, STEP) == DATA[6 * STEP : 7 * STEP]


async def in_order_up_to(reader: Reader, end: int) -> None:
    for start in range(0, end, STEP):
        assert await reader.read(start, STEP) == DATA[start : start + STEP]


async def test_where_an_answer_breaks_off_the_rest_is_asked_for(
    place: S3Place, reader: Reader, store: Polite
) -> None:
    store.cut_bytes = 3 * STEP + 11
    assert await in_order(reader, ahead=7) == DATA
    assert place.alive
    assert len(store.ranges) > 14


async def test_an_answer_that_never_brings_anything_is_an_error(
    place: S3Place, reader: Reader, store: Polite
) -> None:
    store.cut_bytes = 0
    with pytest.raises(PlaceUnavailable, match="broke off"):
        await reader.read(0, STEP)
    assert place.alive


async def test_a_small_file_is_asked_for_once_more(place: S3Place, store: Polite) -> None:
    store.objects["file"], store.cut_bytes = b"small", 2
    store.asked.clear()
    with pytest.raises(PlaceUnavailable, match="broke off"):
        await place.get(FILE, 100)
    assert store.asked == {"GET": 2}
    assert place.alive


@pytest.mark.parametrize("heeds_match", [True, False])
async def test_what_is_replaced_meanwhile_is_not_mixed(
    reader: Reader, store: Polite, heeds_match: bool
) -> None:
    store.heeds_match = heeds_match
    await reader.read(0, STEP)
    store.objects["file"] = DATA[::-1]
    with pytest.raises(SourceChanged, match="replaced meanwhile"):
        await reader.read(STEP, STEP)


async def test_what_is_replaced_while_an_answer_is_broken_off_is_not_mixed(
    reader: Reader, store: Polite
) -> None:
    await in_order_up_to(reader, 3 * STEP)
    store.cut_bytes = STEP + 7
    first = await reader.read(4 * STEP, STEP)
    assert first == DATA[4 * STEP : 5 * STEP]
    assert await reader.read(5 * STEP, STEP) == DATA[5 * STEP : 6 * STEP]
    store.objects["file"] = DATA[::-1]
    with pytest.raises(SourceChanged):
        await reader.read(6 * STEP, 4 * STEP)


async def test_a_store_that_sends_all_instead_of_a_part_is_not_believed(
    reader: Reader, store: Polite
) -> None:
    store.sends_parts = False
    assert await reader.read(0, 1000) == DATA[:1000]
    with pytest.raises(Unsupported, match="does not send the part"):
        await reader.read(STEP, STEP)
