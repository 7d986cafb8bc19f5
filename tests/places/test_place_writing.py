"""Big files, written piece by piece: out of sight until they are complete, and gone on with after a break."""

from __future__ import annotations

import asyncio
import stat
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.places.stand import (
    OTHER_TAG,
    TAG,
    TIME_NS,
    begin,
    listed,
    put,
    some_bytes,
    write_all,
)
from tui.model.entry import EntryKind
from tui.model.error import AlreadyExists, NotFound, PlaceError, PlaceUnavailable
from tui.places.base import Attributes
from tui.places.local.partial import is_partial

if TYPE_CHECKING:
    from tests.places.stand import Stand
    from tui.places.base import Place, Writer

PLAIN = Attributes()


async def publish(writer: Writer, *, replace: bool = False) -> None:
    await writer.publish(PLAIN, replace=replace, flush=False)


async def half(stand: Stand, place: Place, *, tag: str = TAG, mtime_ns: int = TIME_NS) -> bytes:
    """Begin "file", leave it half done; return all of its content."""
    data = some_bytes(4 * stand.kept_bytes)
    writer = await begin(place, stand.at("file"), len(data), tag=tag, mtime_ns=mtime_ns)
    await write_all(writer, data[: 2 * stand.kept_bytes])
    await writer.suspend()
    return data


async def finish(stand: Stand, place: Place, data: bytes) -> int:
    """Go on with "file" to its end; return where that began."""
    writer = await begin(place, stand.at("file"), len(data))
    start = writer.start
    await write_all(writer, data)
    await publish(writer)
    return start


async def test_a_file_is_seen_when_it_is_published(stand: Stand, place: Place, other: Place) -> None:
    data = some_bytes(300_000)
    writer = await begin(place, stand.at("file"), len(data))
    assert writer.start == 0
    await write_all(writer, data)
    assert "file" not in await stand.names()
    with pytest.raises(NotFound):
        await other.stat(stand.at("file"))
    await publish(writer)
    assert await stand.read("file") == data
    assert await stand.names() == {"file"}


async def test_a_half_file_is_nothing_but_a_partial_name(stand: Stand, place: Place) -> None:
    await half(stand, place)
    assert all(is_partial(name.encode()) for name in await stand.names())
    assert all(is_partial(name.encode()) for name in await listed(place, stand.folder))


async def test_an_empty_file_can_be_published(stand: Stand, place: Place) -> None:
    await publish(await begin(place, stand.at("file"), 0))
    assert await stand.read("file") == b""
    assert await stand.names() == {"file"}


async def test_pieces_may_be_of_any_size(stand: Stand, place: Place) -> None:
    part = min(place.capabilities.part_bytes, 1 << 20)
    sizes = (1, part, 7, part + 1, part - 1, 2 * part + 3, 1)
    data, offset = some_bytes(sum(sizes)), 0
    writer = await begin(place, stand.at("file"), len(data))
    for size in sizes:
        await writer.write(offset, memoryview(data)[offset : offset + size])
        offset += size
    await publish(writer)
    assert await stand.read("file") == data


async def test_several_pieces_are_written_one_behind_the_other(stand: Stand, place: Place) -> None:
    part = min(place.capabilities.part_bytes, 1 << 20)
    data = some_bytes(3 * part)
    view, cuts = memoryview(data), (0, 1, part - 1, part + 5, 2 * part, 2 * part, 3 * part)
    pieces = [view[start:end] for start, end in pairwise(cuts)]
    writer = await begin(place, stand.at("file"), len(data))
    await writer.write(0, *pieces[:3])
    await writer.write(part + 5, *pieces[3:])
    await publish(writer)
    assert await stand.read("file") == data


@pytest.mark.needs("modes", "sets_times")
async def test_a_published_file_has_its_attributes(stand: Stand, place: Place) -> None:
    writer = await begin(place, stand.at("file"), 1)
    await writer.write(0, b"x")
    await writer.publish(Attributes(0o640, TIME_NS), replace=False, flush=True)
    entry = await place.stat(stand.at("file"))
    assert stat.S_IMODE(entry.mode) == 0o640
    assert entry.mtime_ns == TIME_NS - TIME_NS % place.capabilities.time_step_ns


async def test_a_taken_name_keeps_the_half_file_for_another_try(stand: Stand, place: Place) -> None:
    data = some_bytes(100_000)
    writer = await begin(place, stand.at("file"), len(data))
    await write_all(writer, data)
    await stand.write("file", b"somebody was quicker")
    with pytest.raises(AlreadyExists, match="file"):
        await publish(writer)
    assert await stand.read("file") == b"somebody was quicker"
    with pytest.raises(AlreadyExists, match="file"):
        await publish(writer)
    await publish(writer, replace=True)
    assert await stand.read("file") == data
    assert await stand.names() == {"file"}


async def test_a_taken_name_may_be_given_up(stand: Stand, place: Place) -> None:
    writer = await begin(place, stand.at("file"), 3)
    await writer.write(0, b"new")
    await stand.write("file", b"old")
    with pytest.raises(AlreadyExists):
        await publish(writer)
    await writer.discard()
    assert await stand.names() == {"file"}
    assert await stand.read("file") == b"old"


@pytest.mark.needs("symlinks")
async def test_a_link_is_replaced_not_written_through(stand: Stand, place: Place) -> None:
    await put(place, stand.at("other"), b"old")
    await stand.symlink("file", "other")
    writer = await begin(place, stand.at("file"), 3)
    await writer.write(0, b"new")
    with pytest.raises(AlreadyExists):
        await publish(writer)
    await publish(writer, replace=True)
    assert (await place.stat(stand.at("file"))).kind is EntryKind.FILE
    assert (await stand.read("file"), await stand.read("other")) == (b"new", b"old")


@pytest.mark.needs("folders")
@pytest.mark.parametrize("replace", [False, True])
async def test_a_folder_is_never_replaced(stand: Stand, place: Place, replace: bool) -> None:
    writer = await begin(place, stand.at("file"), 1)
    await writer.write(0, b"x")
    await place.make_folder(stand.at("file"))
    with pytest.raises(PlaceError, match="file"):
        await publish(writer, replace=replace)
    await writer.discard()
    assert (await place.stat(stand.at("file"))).kind is EntryKind.FOLDER
    assert await stand.names() == {"file"}


async def test_a_discarded_file_leaves_nothing(stand: Stand, place: Place) -> None:
    writer = await begin(place, stand.at("file"), 200_000)
    await write_all(writer, some_bytes(100_000))
    await writer.discard()
    assert await stand.names() == set()
    again = await begin(place, stand.at("file"), 200_000)
    assert again.start == 0
    await again.discard()
    assert await place.abandon(stand.folder, TAG) == 0


@pytest.mark.needs("resumes")
async def test_a_suspended_file_is_gone_on_with(stand: Stand, place: Place, other: Place) -> None:
    data = await half(stand, place)
    start = await finish(stand, other, data)
    assert stand.kept_bytes <= start <= 2 * stand.kept_bytes
    assert await stand.read("file") == data
    assert await stand.names() == {"file"}


async def test_what_cannot_be_gone_on_with_is_not_kept(stand: Stand, place: Place) -> None:
    if place.capabilities.resumes:
        pytest.skip("half files are gone on with here")
    data = await half(stand, place)
    assert await stand.names() == set()
    assert await finish(stand, place, data) == 0
    assert await stand.read("file") == data


@pytest.mark.needs("resumes")
async def test_a_file_may_be_suspended_again_and_again(stand: Stand, place: Place) -> None:
    data = some_bytes(6 * stand.kept_bytes)
    starts = []
    for share in (2, 4, 6):
        writer = await begin(place, stand.at("file"), len(data))
        starts.append(writer.start)
        await write_all(writer, data[: share * stand.kept_bytes])
        await writer.suspend()
    assert starts[0] < starts[1] < starts[2]
    await finish(stand, place, data)
    assert await stand.read("file") == data


@pytest.mark.needs("resumes")
async def test_a_complete_half_file_only_needs_publishing(stand: Stand, place: Place) -> None:
    data = some_bytes(2 * stand.kept_bytes)
    writer = await begin(place, stand.at("file"), len(data))
    await write_all(writer, data)
    await writer.suspend()
    await finish(stand, place, data)
    assert await stand.read("file") == data


@pytest.mark.needs("resumes")
async def test_a_lost_connection_keeps_the_half_file(stand: Stand, place: Place, other: Place) -> None:
    data = some_bytes(4 * stand.kept_bytes)
    writer = await begin(place, stand.at("file"), len(data))
    await write_all(writer, data[: 2 * stand.kept_bytes])
    await stand.lose(place)
    with pytest.raises(PlaceUnavailable):
        await write_all(writer, data)
        await publish(writer)
    await writer.suspend()
    assert "file" not in await stand.names()
    assert await finish(stand, other, data) <= 2 * stand.kept_bytes
    assert await stand.read("file") == data


@pytest.mark.parametrize("differs", ["tag", "time", "size"])
async def test_a_half_of_something_else_is_not_gone_on_with(stand: Stand, place: Place, differs: str) -> None:
    data = await half(
        stand,
        place,
        tag=OTHER_TAG if differs == "tag" else TAG,
        mtime_ns=TIME_NS + (10**9 if differs == "time" else 0),
    )
    data += b"more" if differs == "size" else b""
    assert await finish(stand, place, data) == 0
    assert await stand.read("file") == data


@pytest.mark.needs("resumes")
async def test_halves_of_two_names_are_two(stand: Stand, place: Place) -> None:
    await half(stand, place)
    writer = await begin(place, stand.at("other"), 4 * stand.kept_bytes)
    assert writer.start == 0
    await writer.discard()


@pytest.mark.needs("resumes")
async def test_the_end_of_a_half_file_can_be_checked(stand: Stand, place: Place) -> None:
    data = await half(stand, place)
    writer = await begin(place, stand.at("file"), len(data))
    for size in (1, 1000, 10 * len(data)):
        end = await writer.check(size)
        assert end is None or end == data[max(writer.start - size, 0) : writer.start]
    await write_all(writer, data)
    await publish(writer)
    assert await stand.read("file") == data


async def test_there_is_nothing_to_check_at_the_start(stand: Stand, place: Place) -> None:
    writer = await begin(place, stand.at("file"), 10)
    assert not await writer.check(1000)
    await writer.discard()


@pytest.mark.needs("resumes")
async def test_a_half_file_that_is_wrong_is_begun_anew(stand: Stand, place: Place) -> None:
    size = len(await half(stand, place))
    other = some_bytes(size, seed=2)
    writer = await begin(place, stand.at("file"), size)
    assert writer.start > 0
    await writer.rewind()
    assert writer.start == 0
    await write_all(writer, other)
    await publish(writer)
    assert await stand.read("file") == other


async def test_a_rewound_file_may_be_shorter(stand: Stand, place: Place) -> None:
    await half(stand, place)
    writer = await begin(place, stand.at("file"), 4 * stand.kept_bytes)
    await writer.rewind()
    await writer.write(0, b"short")
    await publish(writer)
    assert await stand.read("file") == b"short"


@pytest.mark.needs("folders")
async def test_a_file_needs_a_folder_to_be_in(stand: Stand, place: Place) -> None:
    with pytest.raises(NotFound):
        await begin(place, stand.at("missing/file"), 1)


async def test_several_files_may_be_written_at_once(stand: Stand, place: Place) -> None:
    contents = {f"file {number}": some_bytes(150_000, number) for number in range(6)}

    async def write(name: str, data: bytes) -> None:
        writer = await begin(place, stand.at(name), len(data))
        await write_all(writer, data, piece_bytes=10_000)
        await publish(writer)

    await asyncio.gather(*(write(name, data) for name, data in contents.items()))
    assert {name: await stand.read(name) for name in await stand.names()} == contents


@pytest.mark.needs("resumes")
async def test_what_a_job_left_is_removed(stand: Stand, place: Place, other: Place) -> None:
    await place.make_folder(stand.at("below"))
    data = await half(stand, place)
    below = await begin(place, stand.at("below/file"), len(data))
    await write_all(below, data[: 2 * stand.kept_bytes])
    await below.suspend()
    assert await other.abandon(stand.folder, OTHER_TAG) == 0
    assert await other.abandon(stand.folder, TAG) == 1
    assert await other.abandon(stand.folder, TAG) == 0
    assert await stand.names() == {"below"}
    writer = await begin(place, stand.at("below/file"), len(data))
    assert writer.start >= stand.kept_bytes
    await writer.discard()


@pytest.mark.needs("resumes")
async def test_what_another_job_left_stays(stand: Stand, place: Place) -> None:
    data = await half(stand, place)
    other = await begin(place, stand.at("file"), len(data), tag=OTHER_TAG)
    await write_all(other, data[: 2 * stand.kept_bytes])
    await other.suspend()
    assert await place.abandon(stand.folder, OTHER_TAG) == 1
    assert await finish(stand, place, data) >= stand.kept_bytes


async def test_finished_files_are_never_abandoned(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"x")
    await put(place, stand.at(TAG), b"y")
    assert await place.abandon(stand.folder, TAG) == 0
    assert await stand.names() == {"file", TAG}
