"""Folders, links, names and attributes; copies within a place."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from tests.places.stand import TAG, TIME_NS, listed, put, some_bytes
from tui.model.entry import EntryKind
from tui.model.error import AlreadyExists, IsAFolder, NotAFolder, NotEmpty, NotFound, PlaceError, Unsupported
from tui.places.base import Attributes

if TYPE_CHECKING:
    from tests.places.stand import Stand
    from tui.places.base import Place


async def test_a_folder_is_made(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    assert (await place.stat(stand.at("folder"))).kind is EntryKind.FOLDER
    assert await listed(place, stand.at("folder")) == {}


@pytest.mark.needs("modes", "folders")
@pytest.mark.parametrize("mode", [0o700, 0o755, 0o775])
async def test_a_folder_is_made_with_a_mode(stand: Stand, place: Place, mode: int) -> None:
    await place.make_folder(stand.at("folder"), mode)
    assert stat.S_IMODE((await place.stat(stand.at("folder"))).mode) == mode


@pytest.mark.parametrize("kind", ["file", "folder"])
async def test_a_folder_needs_a_free_name(stand: Stand, place: Place, kind: str) -> None:
    await (put(place, stand.at("name")) if kind == "file" else place.make_folder(stand.at("name")))
    with pytest.raises(AlreadyExists, match="name"):
        await place.make_folder(stand.at("name"))


@pytest.mark.needs("symlinks")
async def test_a_link_takes_a_name_too(stand: Stand, place: Place) -> None:
    await stand.symlink("name", "missing")
    with pytest.raises(AlreadyExists, match="name"):
        await place.make_folder(stand.at("name"))


@pytest.mark.needs("folders")
async def test_a_folder_is_made_in_one_that_is_there(stand: Stand, place: Place) -> None:
    with pytest.raises(NotFound):
        await place.make_folder(stand.at("missing/folder"))
    assert await stand.names() == set()


@pytest.mark.needs("symlinks")
async def test_a_link_is_made_as_it_is_said(stand: Stand, place: Place) -> None:
    for name, points_to in (("one", "../some where/else"), ("two", "/absolute"), ("three", "\udcff")):
        await place.make_symlink(stand.at(name), points_to, TAG, replace=False)
        assert (await place.stat(stand.at(name))).link_target == points_to
    assert await stand.names() == {"one", "two", "three"}


@pytest.mark.needs("symlinks")
@pytest.mark.parametrize("replace", [False, True])
async def test_a_link_has_its_time_where_it_is_said_so_and_what_it_leads_to_keeps_its_own(
    stand: Stand, place: Place, replace: bool
) -> None:
    await put(place, stand.at("file"), b"old")
    before = (await place.stat(stand.at("file"))).mtime_ns
    dated = await place.make_symlink(stand.at("link"), "file", TAG, replace=replace, mtime_ns=10**18)
    assert ((await place.stat(stand.at("link"))).mtime_ns == 10**18) is dated
    assert (await place.stat(stand.at("file"))).mtime_ns == before
    assert await stand.names() == {"file", "link"}


@pytest.mark.needs("symlinks")
async def test_a_link_replaces_only_where_that_is_said(stand: Stand, place: Place) -> None:
    await put(place, stand.at("name"), b"old")
    with pytest.raises(AlreadyExists, match="name"):
        await place.make_symlink(stand.at("name"), "new", TAG, replace=False)
    assert await stand.read("name") == b"old"
    for points_to in ("new", "newer"):
        await place.make_symlink(stand.at("name"), points_to, TAG, replace=True)
        assert (await place.stat(stand.at("name"))).link_target == points_to
    assert await stand.names() == {"name"}


@pytest.mark.needs("symlinks")
@pytest.mark.parametrize("replace", [False, True])
async def test_a_link_never_replaces_a_folder(stand: Stand, place: Place, replace: bool) -> None:
    await place.make_folder(stand.at("name"))
    with pytest.raises(PlaceError, match="name"):
        await place.make_symlink(stand.at("name"), "elsewhere", TAG, replace=replace)
    assert (await place.stat(stand.at("name"))).kind is EntryKind.FOLDER
    assert await stand.names() == {"name"}
    assert await listed(place, stand.at("name")) == {}


async def test_without_links_none_is_made(stand: Stand, place: Place) -> None:
    if place.capabilities.symlinks:
        pytest.skip("there are links here")
    with pytest.raises(Unsupported, match="link"):
        await place.make_symlink(stand.at("link"), "elsewhere", TAG, replace=False)
    assert await stand.names() == set()


async def test_a_file_is_removed(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"))
    await put(place, stand.at("other"))
    await place.remove_file(stand.at("file"))
    assert await stand.names() == {"other"}


async def test_what_is_not_there_cannot_be_removed(stand: Stand, place: Place) -> None:
    with pytest.raises(NotFound, match="missing"):
        await place.remove_file(stand.at("missing"))
    with pytest.raises(NotFound, match="missing"):
        await place.remove_folder(stand.at("missing"))


@pytest.mark.needs("symlinks")
async def test_a_link_is_removed_not_what_it_points_to(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    await stand.write("folder/file", b"x")
    await stand.symlink("link", "folder")
    with pytest.raises(PlaceError):
        await place.remove_folder(stand.at("link"))
    await place.remove_file(stand.at("link"))
    assert await stand.names() == {"folder"}
    assert await stand.read("folder/file") == b"x"


async def test_an_empty_folder_is_removed(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    await place.remove_folder(stand.at("folder"))
    assert await stand.names() == set()


async def test_a_folder_with_something_in_it_is_not_removed(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    await put(place, stand.at("folder/file"), b"x")
    with pytest.raises(NotEmpty, match="folder"):
        await place.remove_folder(stand.at("folder"))
    assert await stand.read("folder/file") == b"x"


@pytest.mark.needs("folders")
async def test_files_and_folders_are_removed_each_by_its_own(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    await put(place, stand.at("file"))
    with pytest.raises(IsAFolder, match="folder"):
        await place.remove_file(stand.at("folder"))
    with pytest.raises(NotAFolder, match="file"):
        await place.remove_folder(stand.at("file"))
    assert await stand.names() == {"folder", "file"}


@pytest.mark.needs("renames")
async def test_a_file_is_renamed(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    await put(place, stand.at("old"), b"x")
    await place.rename(stand.at("old"), stand.at("folder/new"))
    assert await stand.names() == {"folder"}
    assert await stand.read("folder/new") == b"x"


@pytest.mark.needs("renames")
async def test_a_folder_is_renamed_with_all_in_it(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("old"))
    await put(place, stand.at("old/file"), b"x")
    await place.rename(stand.at("old"), stand.at("new"))
    assert await stand.names() == {"new"}
    assert await stand.read("new/file") == b"x"
    with pytest.raises(NotFound):
        await listed(place, stand.at("old"))
    await put(place, stand.at("new/other"), b"y")
    assert await stand.names("new") == {"file", "other"}


@pytest.mark.needs("renames", "symlinks")
async def test_a_link_is_renamed_itself(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"), b"x")
    await stand.symlink("link", "file")
    await place.rename(stand.at("link"), stand.at("other"))
    assert await stand.names() == {"file", "other"}
    assert (await place.stat(stand.at("other"))).link_target == "file"


@pytest.mark.needs("renames")
@pytest.mark.parametrize("kind", ["file", "folder"])
async def test_a_rename_does_not_replace(stand: Stand, place: Place, kind: str) -> None:
    for name, data in (("one", b"1"), ("two", b"2")):
        if kind == "file":
            await put(place, stand.at(name), data)
        else:
            await place.make_folder(stand.at(name))
    with pytest.raises(AlreadyExists, match="two"):
        await place.rename(stand.at("one"), stand.at("two"))
    assert await stand.names() == {"one", "two"}
    if kind == "file":
        assert await stand.read("two") == b"2"


@pytest.mark.needs("renames")
async def test_a_rename_replaces_a_file_where_that_is_said(stand: Stand, place: Place) -> None:
    await put(place, stand.at("one"), b"1")
    await put(place, stand.at("two"), b"2")
    await place.rename(stand.at("one"), stand.at("two"), replace=True)
    assert await stand.names() == {"two"}
    assert await stand.read("two") == b"1"


@pytest.mark.needs("renames")
async def test_a_rename_never_replaces_a_folder_that_holds_something(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("full"))
    await put(place, stand.at("full/file"), b"x")
    await place.make_folder(stand.at("folder"))
    await put(place, stand.at("one"), b"1")
    for name in ("one", "folder"):
        with pytest.raises(PlaceError):
            await place.rename(stand.at(name), stand.at("full"), replace=True)
    assert await stand.names() == {"full", "folder", "one"}
    assert await stand.read("full/file") == b"x"


@pytest.mark.needs("renames")
async def test_what_is_missing_cannot_be_renamed(stand: Stand, place: Place) -> None:
    with pytest.raises(NotFound):
        await place.rename(stand.at("missing"), stand.at("other"))
    await put(place, stand.at("file"))
    with pytest.raises(NotFound):
        await place.rename(stand.at("file"), stand.at("missing/file"))
    assert await stand.names() == {"file"}


@pytest.mark.needs("renames")
async def test_a_folder_does_not_go_into_itself(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    with pytest.raises(PlaceError):
        await place.rename(stand.at("folder"), stand.at("folder/inner"))
    assert await listed(place, stand.at("folder")) == {}


@pytest.mark.needs("modes", "sets_times", "folders")
@pytest.mark.parametrize("kind", ["file", "folder"])
async def test_attributes_are_set(stand: Stand, place: Place, kind: str) -> None:
    there = stand.at("name")
    await (put(place, there) if kind == "file" else place.make_folder(there))
    await place.set_attributes(there, Attributes(0o750, TIME_NS))
    entry = await place.stat(there)
    assert stat.S_IMODE(entry.mode) == 0o750
    assert entry.mtime_ns == TIME_NS - TIME_NS % place.capabilities.time_step_ns


@pytest.mark.needs("modes", "sets_times")
async def test_only_attributes_that_are_given_are_set(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"))
    await place.set_attributes(stand.at("file"), Attributes(mode=0o640))
    await place.set_attributes(stand.at("file"), Attributes(mtime_ns=TIME_NS))
    entry = await place.stat(stand.at("file"))
    assert stat.S_IMODE(entry.mode) == 0o640
    await place.set_attributes(stand.at("file"), Attributes(mode=0o600))
    again = await place.stat(stand.at("file"))
    assert (stat.S_IMODE(again.mode), again.mtime_ns) == (0o600, entry.mtime_ns)


@pytest.mark.needs("modes", "sets_times")
async def test_a_file_nobody_may_read_can_be_given_attributes(stand: Stand, place: Place) -> None:
    await put(place, stand.at("file"))
    await place.set_attributes(stand.at("file"), Attributes(mode=0))
    await place.set_attributes(stand.at("file"), Attributes(0o444, TIME_NS))
    assert stat.S_IMODE((await place.stat(stand.at("file"))).mode) == 0o444


@pytest.mark.needs("modes", "sets_times", "symlinks")
async def test_attributes_are_not_set_through_a_link(stand: Stand, place: Place) -> None:
    await place.put(stand.at("file"), b"", Attributes(0o600, TIME_NS), TAG, replace=False, flush=False)
    await stand.symlink("link", "file")
    before = await place.stat(stand.at("file"))
    for attributes in (Attributes(mode=0o777), Attributes(mtime_ns=TIME_NS + 10**9)):
        with pytest.raises(PlaceError, match="link"):
            await place.set_attributes(stand.at("link"), attributes)
    after = await place.stat(stand.at("file"))
    assert (after.mode, after.mtime_ns) == (before.mode, before.mtime_ns)


@pytest.mark.needs("modes")
async def test_attributes_need_something_to_have_them(stand: Stand, place: Place) -> None:
    with pytest.raises(NotFound, match="missing"):
        await place.set_attributes(stand.at("missing"), Attributes(mode=0o600))


@pytest.mark.needs("copies")
async def test_a_file_is_copied_within_the_place(stand: Stand, place: Place) -> None:
    data = some_bytes(300_000)
    await stand.write("file", data)
    await place.copy(stand.at("file"), stand.at("copy"), Attributes(), TAG, replace=False)
    assert (await stand.read("copy"), await stand.read("file")) == (data, data)
    assert await stand.names() == {"file", "copy"}


@pytest.mark.needs("copies", "modes", "sets_times")
async def test_a_copy_has_its_attributes(stand: Stand, place: Place) -> None:
    await stand.write("file", b"x")
    await place.copy(stand.at("file"), stand.at("copy"), Attributes(0o640, TIME_NS), TAG, replace=False)
    entry = await place.stat(stand.at("copy"))
    assert stat.S_IMODE(entry.mode) == 0o640
    assert entry.mtime_ns == TIME_NS - TIME_NS % place.capabilities.time_step_ns


@pytest.mark.needs("copies")
async def test_a_copy_replaces_only_where_that_is_said(stand: Stand, place: Place) -> None:
    await stand.write("file", b"new")
    await stand.write("copy", b"old")
    with pytest.raises(AlreadyExists, match="copy"):
        await place.copy(stand.at("file"), stand.at("copy"), Attributes(), TAG, replace=False)
    assert await stand.read("copy") == b"old"
    await place.copy(stand.at("file"), stand.at("copy"), Attributes(), TAG, replace=True)
    assert await stand.read("copy") == b"new"
    assert await stand.names() == {"file", "copy"}


@pytest.mark.needs("copies", "folders")
async def test_only_what_is_a_file_is_copied(stand: Stand, place: Place) -> None:
    await place.make_folder(stand.at("folder"))
    for name in ("folder", "missing"):
        with pytest.raises(PlaceError, match=name):
            await place.copy(stand.at(name), stand.at("copy"), Attributes(), TAG, replace=False)
    assert await stand.names() == {"folder"}
