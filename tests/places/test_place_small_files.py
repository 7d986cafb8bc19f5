"""Small files, read and written whole."""

from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING

import pytest

from tests.places.stand import TAG, TIME_NS, put, some_bytes
from tui.model.entry import EntryKind
from tui.model.error import AlreadyExists, NotFound, PlaceError, Unsupported
from tui.places.base import Attributes

if TYPE_CHECKING:
    from tests.places.stand import Stand
    from tui.places.base import Place


@pytest.mark.parametrize("size_bytes", [0, 1, 4096, 300_000])
async def test_a_file_comes_back_as_it_was_put(stand: Stand, place: Place, size_bytes: int) -> None:
    data = some_bytes(size_bytes)
    await put(place, stand.at("file"), data)
    assert await stand.read("file") == data
    entry, got = await place.get(stand.at("file"), 300_000)
    assert got == data
    assert (entry.name, entry.kind, entry.size_bytes) == ("file", EntryKind.FILE, size_bytes)
    assert await stand.names() == {"file"}


@pytest.mark.needs("sets_times")
async def test_a_file_gets_its_time(stand: Stand, place: Place) -> None:
    await place.put(stand.at("file"), b"x", Attributes(None, TIME_NS), TAG, replace=False, flush=False)
    wanted = TIME_NS - TIME_NS % place.capabilities.time_step_ns
    assert (await place.stat(stand.at("file"))).mtime_ns == wanted
    assert (await place.get(stand.at("file"), 1))[0].mtime_ns == wanted


@pytest.mark.needs("modes")
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755, 0o444, 0o200])
async def test_a_file_gets_its_mode(stand: Stand, place: Place, mode: int) -> None:
    await place.put(stand.at("file"), b"x", Attributes(mode), TAG, replace=False, flush=False)
    assert stat.S_IMODE((await place.stat(stand.at("file"))).mode) == mode


async def test_a_taken_name_is_left_alone(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"old")
    with pytest.raises(AlreadyExists, match="file"):
        await put(place, stand.at("file"), b"new")
    assert await stand.read("file") == b"old"
    assert await stand.names() == {"file"}


async def test_a_file_is_replaced_where_that_is_said(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"old and longer")
    await put(place, stand.at("file"), b"new", replace=True)
    assert await stand.read("file") == b"new"
    assert await stand.names() == {"file"}


async def test_replacing_needs_nothing_to_replace(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"new", replace=True)
    assert await stand.read("file") == b"new"


@pytest.mark.needs("folders")
@pytest.mark.parametrize("replace", [False, True])
async def test_a_folder_is_never_replaced_by_a_file(stand: Stand, place: Place, replace: bool) -> None:
    await place.make_folder(stand.at("name"))
    with pytest.raises(PlaceError, match="name"):
        await put(place, stand.at("name"), b"x", replace=replace)
    assert (await place.stat(stand.at("name"))).kind is EntryKind.FOLDER
    assert await stand.names() == {"name"}


@pytest.mark.needs("symlinks")
async def test_a_link_is_replaced_not_written_through(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"old")
    await stand.symlink("link", "file")
    with pytest.raises(AlreadyExists):
        await put(place, stand.at("link"), b"new")
    assert (await place.stat(stand.at("link"))).kind.is_link
    await put(place, stand.at("link"), b"new", replace=True)
    assert (await place.stat(stand.at("link"))).kind is EntryKind.FILE
    assert (await stand.read("link"), await stand.read("file")) == (b"new", b"old")


@pytest.mark.needs("folders")
async def test_a_file_needs_a_folder_to_be_in(stand: Stand, place: Place) -> None:
    with pytest.raises(NotFound):
        await put(place, stand.at("missing/file"), b"x")
    assert await stand.names() == set()


async def test_where_folders_need_not_be_made_they_are_there(stand: Stand, place: Place) -> None:
    if place.capabilities.folders:
        pytest.skip("folders are things of their own here")
    await put(place, stand.at("one/two/file"), b"x")
    assert (await place.stat(stand.at("one"))).kind is EntryKind.FOLDER
    assert await stand.read("one/two/file") == b"x"


async def test_a_file_that_has_become_too_big_is_refused(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"12345")
    assert (await place.get(stand.at("file"), 5))[1] == b"12345"
    with pytest.raises(Unsupported, match="file"):
        await place.get(stand.at("file"), 4)


async def test_only_regular_files_are_read(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    with pytest.raises(PlaceError, match="folder"):
        await place.get(stand.at("folder"), 100)
    with pytest.raises(NotFound, match="missing"):
        await place.get(stand.at("missing"), 100)


@pytest.mark.needs("symlinks")
async def test_a_link_is_not_read_through(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"secret")
    await stand.symlink("link", "file")
    with pytest.raises(PlaceError, match="link"):
        await place.get(stand.at("link"), 100)


async def test_many_files_may_be_under_way_at_once(stand: Stand, place: Place) -> None:
    contents = {f"file {number}": some_bytes(1000 + number, number) for number in range(60)}
    await asyncio.gather(*(put(place, stand.at(name), data) for name, data in contents.items()))
    assert await stand.names() == set(contents)
    got = await asyncio.gather(*(place.get(stand.at(name), 2000) for name in contents))
    assert {entry.name: data for entry, data in got} == contents


async def test_of_many_that_want_one_name_one_gets_it(stand: Stand, place: Place) -> None:
    tries = [put(place, stand.at("file"), f"{number}".encode()) for number in range(8)]
    told = await asyncio.gather(*tries, return_exceptions=True)
    got = [number for number, error in enumerate(told) if error is None]
    assert all(isinstance(error, AlreadyExists) for error in told if error is not None)
    assert [await stand.read("file")] == [f"{number}".encode() for number in got]
    assert await stand.names() == {"file"}


async def test_a_file_that_is_to_be_flushed_is_there(stand: Stand, place: Place) -> None:
    await place.put(stand.at("file"), b"x", Attributes(0o644, TIME_NS), TAG, replace=False, flush=True)
    assert await stand.read("file") == b"x"
    await place.flush(stand.folder)
