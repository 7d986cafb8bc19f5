"""Listing folders, and looking at one entry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.places.stand import TAG, TIME_NS, listed, put
from tui.model.entry import EntryKind
from tui.model.error import NotAFolder, NotFound
from tui.places.base import Attributes

if TYPE_CHECKING:
    from tests.places.stand import Stand
    from tui.places.base import Place

STRANGE = (
    "two words",
    " begins with a space",
    "ends with a space ",
    ".hidden",
    "...",
    "-rf",
    "a\nb\tc",
    'it\'s "quoted" `so` $HOME',
    "back\\slash",
    "*?[x]{y}",
    "100%25#?&+=;:@~",
    "größe",
    "gro\u0308ße",
    "日本語.txt",
    "x" * 250,
)
NO_TEXT = tuple(os.fsdecode(name) for name in (b"\xff\xfe", b"caf\xe9", b"\x01\x1b[31m", b"\xed\xa0\x80"))


async def test_an_empty_folder_holds_nothing(stand: Stand, place: Place) -> None:
    assert await listed(place, stand.folder) == {}


async def test_a_folder_is_listed_with_sizes_and_kinds(stand: Stand, place: Place) -> None:
    await put(place, stand.at("small"), b"12345")
    await put(place, stand.at("empty"))
    await place.make_folder(stand.at("folder"))
    await put(place, stand.at("folder/below"), b"not seen from above")
    entries = await listed(place, stand.folder)
    assert {name: entry.kind for name, entry in entries.items()} == {
        "small": EntryKind.FILE,
        "empty": EntryKind.FILE,
        "folder": EntryKind.FOLDER,
    }
    assert (entries["small"].size_bytes, entries["empty"].size_bytes) == (5, 0)
    assert set(await listed(place, stand.at("folder"))) == {"below"}


@pytest.mark.needs("sets_times", "lists_times")
async def test_a_listing_tells_what_stat_tells(stand: Stand, place: Place) -> None:
    await place.put(stand.at("file"), b"123", Attributes(0o640, TIME_NS), TAG, replace=False, flush=False)
    entry, one = (await listed(place, stand.folder))["file"], await place.stat(stand.at("file"))
    assert (entry.name, entry.facts, entry.mode) == (one.name, one.facts, one.mode)


async def test_many_entries_come_in_pages_each_once(stand: Stand, place: Place) -> None:
    names = {f"file {number:04}" for number in range(350)}
    for name in names:
        await stand.write(name, b"")
    pages = [[entry.name for entry in page] async for page in place.list(stand.folder)]
    assert sorted(name for page in pages for name in page) == sorted(names)
    assert all(pages)


async def test_a_listing_may_be_left_early(stand: Stand, place: Place) -> None:
    for number in range(250):
        await stand.write(f"{number}", b"")
    pages = place.list(stand.folder)
    assert await anext(pages)
    await pages.aclose()  # type: ignore[attr-defined]
    assert len(await listed(place, stand.folder)) == 250


async def test_two_listings_at_once_do_not_mix(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("one"))
    await put(place, stand.at("one/inner"))
    first, second = place.list(stand.folder), place.list(stand.at("one"))
    names = [[entry.name for entry in await anext(pages)] for pages in (first, second)]
    assert names == [["one"], ["inner"]]
    for pages in (first, second):
        assert [page async for page in pages] == []


@pytest.mark.parametrize("name", STRANGE, ids=range(len(STRANGE)))
async def test_any_name_travels_unchanged(stand: Stand, place: Place, name: str) -> None:
    await _comes_back(stand, place, name)


@pytest.mark.parametrize("name", NO_TEXT, ids=range(len(NO_TEXT)))
async def test_names_that_are_no_text_travel_unchanged(stand: Stand, place: Place, name: str) -> None:
    await _comes_back(stand, place, name)


async def _comes_back(stand: Stand, place: Place, name: str) -> None:
    await put(place, stand.at(name), b"content")
    assert await stand.names() == {name}
    assert list(await listed(place, stand.folder)) == [name]
    assert (await place.stat(stand.at(name))).name == name
    assert (await place.get(stand.at(name), 100))[1] == b"content"
    await place.remove_file(stand.at(name))
    assert await stand.names() == set()


@pytest.mark.needs("folders")
async def test_a_missing_folder_is_not_found(stand: Stand, place: Place) -> None:
    with pytest.raises(NotFound, match="missing"):
        await listed(place, stand.at("missing"))


@pytest.mark.needs("folders")
async def test_a_file_is_no_folder_to_list(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"))
    with pytest.raises(NotAFolder, match="file"):
        await listed(place, stand.at("file"))


@pytest.mark.needs("symlinks")
async def test_links_are_listed_as_links(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    for name, points_to in (("to folder", "folder"), ("to nothing", "missing")):
        await stand.symlink(name, points_to)
    entries = await listed(place, stand.folder)
    assert entries["to folder"].kind.is_link
    assert entries["to nothing"].kind.is_link


@pytest.mark.needs("symlinks")
async def test_a_link_to_a_folder_is_listed_by_its_name(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    await put(place, stand.at("folder/below"))
    await stand.symlink("link", "folder")
    assert set(await listed(place, stand.at("link"))) == {"below"}


async def test_stat_tells_kind_and_size(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"1234")
    await place.make_folder(stand.at("folder"))
    file, folder = await place.stat(stand.at("file")), await place.stat(stand.at("folder"))
    assert (file.name, file.kind, file.size_bytes) == ("file", EntryKind.FILE, 4)
    assert (folder.name, folder.kind) == ("folder", EntryKind.FOLDER)
    assert (await place.stat(stand.folder)).kind is EntryKind.FOLDER


async def test_what_is_missing_is_not_found(stand: Stand, place: Place) -> None:
    for follow in (False, True):
        with pytest.raises(NotFound, match="missing") as caught:
            await place.stat(stand.at("missing"), follow=follow)
        assert caught.value.location == stand.at("missing")


@pytest.mark.needs("symlinks")
async def test_stat_tells_where_a_link_points_or_what_is_there(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"1234")
    await stand.symlink("link", "file")
    link, file = await place.stat(stand.at("link")), await place.stat(stand.at("link"), follow=True)
    assert link.kind.is_link
    assert link.link_target == "file"
    assert (file.kind, file.size_bytes, file.link_target) == (EntryKind.FILE, 4, None)


@pytest.mark.needs("symlinks")
async def test_a_link_that_points_nowhere_cannot_be_followed(stand: Stand, place: Place) -> None:
    await stand.symlink("link", "missing")
    assert (await place.stat(stand.at("link"))).link_target == "missing"
    with pytest.raises(NotFound):
        await place.stat(stand.at("link"), follow=True)


async def test_an_absolute_location_stands_for_itself(stand: Stand, place: Place) -> None:
    assert await place.resolve(stand.at("file")) == stand.at("file")
