"""What clients see of other places, and the single steps they take there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from engine_harness import until

from tui.engine.clock import SystemClock
from tui.engine.far import doors as doors_module
from tui.engine.far import listing as listing_module
from tui.engine.far import sessions
from tui.engine.far.browsing import Browsing
from tui.engine.far.doors import Doors
from tui.model.comparison import Change
from tui.model.entry import EntryKind, Listed
from tui.model.error import AlreadyExists, IsAFolder, NotFound, PlaceError, Unsupported
from tui.model.exclusion import Exclusion
from tui.model.location import Location
from tui.places.memory import ALL, HARDLY_ANY, MemoryOpener
from tui.places.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

BOX = Location("/", "memory", "box")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def browsing(store: MemoryStore) -> AsyncIterator[Browsing]:
    doors = Doors({"memory": lambda: MemoryOpener(store, ALL)}, SystemClock())
    browsing = Browsing(doors, SystemClock())
    yield browsing
    await browsing.close()
    await doors.close()


async def listed(browsing: Browsing, folder: Location) -> list[Listed]:
    number = await browsing.open(folder)
    pages = [await browsing.page(number)]
    while not pages[-1].last:
        pages.append(await browsing.page(number))
    return pages


async def test_a_folder_comes_in_pages_and_every_entry_once(browsing: Browsing, store: MemoryStore) -> None:
    for number in range(9000):
        store.write(f"/many/{number}", b"x" * (number % 7))
    pages = await listed(browsing, BOX.child("many"))
    names = [name for page in pages for name in page.names]
    assert sorted(names, key=int) == [str(number) for number in range(9000)]
    assert len(pages) > 1
    sizes = {n: s for page in pages for n, s in zip(page.names, page.sizes_bytes, strict=True)}
    assert all(sizes[str(number)] == number % 7 for number in range(9000))


async def test_a_listing_is_read_once(browsing: Browsing, store: MemoryStore) -> None:
    store.folder("/empty")
    number = await browsing.open(BOX.child("empty"))
    assert (await browsing.page(number)).last
    with pytest.raises(NotFound, match="given up"):
        await browsing.page(number)


async def test_of_too_many_listings_the_oldest_is_given_up(
    browsing: Browsing, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST", 2)
    numbers = [await browsing.open(BOX) for _ in range(3)]
    with pytest.raises(NotFound):
        await browsing.page(numbers[0])
    assert (await browsing.page(numbers[2])).last


async def test_a_listing_nobody_takes_is_given_up(
    browsing: Browsing, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = await browsing.open(BOX)
    monkeypatch.setattr(sessions, "IDLE_S", -1.0)
    await browsing.open(BOX)
    with pytest.raises(NotFound):
        await browsing.page(left)


async def test_links_are_told_apart_by_what_they_lead_to(browsing: Browsing, store: MemoryStore) -> None:
    store.write("/file", b"")
    store.folder("/folder")
    for name, points_to in (("to file", "file"), ("to folder", "folder"), ("to nothing", "gone")):
        store.link(f"/{name}", points_to)
    (page,) = await listed(browsing, BOX)
    kinds = {name: EntryKind(kind) for name, kind in zip(page.names, page.kinds, strict=True)}
    assert kinds["to file"] is EntryKind.LINK
    assert kinds["to folder"] is EntryKind.FOLDER_LINK
    assert kinds["to nothing"] is EntryKind.BROKEN_LINK
    details = await browsing.details(BOX, ("to folder", "gone"))
    assert details.kinds[0] == EntryKind.FOLDER_LINK
    assert details.sizes_bytes[1] == -1


async def test_a_folder_that_is_not_there_is_an_error_of_its_listing(browsing: Browsing) -> None:
    number = await browsing.open(BOX.child("gone"))
    with pytest.raises(NotFound, match="gone"):
        await browsing.page(number)


async def test_the_home_folder_is_found(browsing: Browsing, store: MemoryStore) -> None:
    assert (await browsing.resolve(BOX.child("~"))).path == store.home


async def test_a_file_is_read_in_pieces(browsing: Browsing, store: MemoryStore) -> None:
    store.write("/file", bytes(range(256)))
    file = BOX.child("file")
    assert await browsing.read(file, 10, 3) == bytes([10, 11, 12])
    assert await browsing.read(file, 250, 100) == bytes(range(250, 256))
    assert await browsing.read(file, 300, 5) == b""


async def test_a_folder_that_is_to_be_read_is_to_be_opened(browsing: Browsing, store: MemoryStore) -> None:
    store.write("/folder/file", b"")
    with pytest.raises(IsAFolder) as refused:
        await browsing.read(BOX.child("folder"), 0, 1)
    assert refused.value.remedy == "Open it instead."


async def test_a_file_stays_open_until_its_end_was_read(browsing: Browsing, store: MemoryStore) -> None:
    store.write("/file", bytes(100))
    await browsing.read(BOX.child("file"), 0, 50)
    assert list(browsing._readers) == [BOX.child("file")]
    await browsing.read(BOX.child("file"), 50, 50)
    assert not browsing._readers


async def test_several_folders_are_counted_at_once(store: MemoryStore) -> None:
    for number in range(20):
        store.write(f"/a/{number}/file", b"123")
    several, under_way = asyncio.Event(), 0

    def fault(name: str, location: Location) -> Awaitable[object] | None:
        nonlocal under_way
        if name != "list" or location == BOX.child("a"):
            return None
        under_way += 1
        if under_way == 8:
            several.set()
        return several.wait()

    doors = Doors({"memory": lambda: MemoryOpener(store, ALL, fault)}, SystemClock())
    browsing = Browsing(doors, SystemClock())
    totals = await browsing.measure((BOX.child("a"),), 20.0)
    assert (totals.files, totals.folders, totals.size_bytes, totals.complete) == (20, 21, 60, True)
    await browsing.close()
    await doors.close()


async def test_what_is_below_is_counted(browsing: Browsing, store: MemoryStore) -> None:
    store.write("/a/b/one", b"12345")
    store.write("/a/two", b"12")
    store.link("/a/link", "two")
    totals = await browsing.measure((BOX.child("a"),))
    assert (totals.files, totals.folders, totals.size_bytes, totals.complete) == (3, 2, 7, True)


async def test_what_is_left_out_is_not_counted(browsing: Browsing, store: MemoryStore) -> None:
    for path in ("/a/b/one", "/a/b/two.tmp", "/a/c/b/three", "/a/d/four"):
        store.write(path, b"12345")
    totals = await browsing.measure((BOX.child("a"),), 20.0, Exclusion(("*.tmp", "/b/one", "d/")))
    assert (totals.files, totals.folders, totals.size_bytes) == (1, 4, 5)


async def test_counting_ends_when_the_time_is_up(browsing: Browsing, store: MemoryStore) -> None:
    store.write("/a/one", b"12345")
    assert not (await browsing.measure((BOX,), time_limit_s=0.0)).complete


async def test_missing_parents_are_made_and_the_topmost_told(browsing: Browsing, store: MemoryStore) -> None:
    made = await browsing.make_folder(Location("/a/b/c", "memory", "box"))
    assert made == BOX.child("a")
    assert (await browsing.stat(Location("/a/b/c", "memory", "box"))).kind is EntryKind.FOLDER
    store.write("/file", b"")
    with pytest.raises(AlreadyExists):
        await browsing.make_folder(Location("/file/below", "memory", "box"))


async def test_a_file_is_made_and_never_over_another(browsing: Browsing, store: MemoryStore) -> None:
    file = BOX.child("file")
    await browsing.create_file(file)
    store.write("/file", b"filled")
    with pytest.raises(AlreadyExists):
        await browsing.create_file(file)
    assert store.read("/file") == b"filled"


async def test_an_entry_is_renamed_and_never_over_another(browsing: Browsing, store: MemoryStore) -> None:
    store.write("/a", b"a")
    store.write("/b", b"b")
    with pytest.raises(AlreadyExists):
        await browsing.rename(BOX.child("a"), BOX.child("b"))
    await browsing.rename(BOX.child("a"), BOX.child("c"))
    assert store.read("/c") == b"a"
    assert store.read("/b") == b"b"


async def test_what_a_place_cannot_do_is_said_in_a_sentence(store: MemoryStore) -> None:
    store.write("/a", b"a")
    doors = Doors({"memory": lambda: MemoryOpener(store, HARDLY_ANY)}, SystemClock())
    browsing = Browsing(doors, SystemClock())
    steps = (
        browsing.rename(BOX.child("a"), BOX.child("b")),
        browsing.set_mode(BOX.child("a"), 0o600),
        browsing.make_symlink(BOX.child("l"), "a"),
        browsing.space(BOX),
    )
    for step in steps:
        with pytest.raises(Unsupported, match="cannot"):
            await step
    await browsing.close()
    await doors.close()


async def test_a_call_that_is_given_up_ends(browsing: Browsing, store: MemoryStore) -> None:
    store.write("/file", b"data")
    waiting = asyncio.Event()

    async def never(name: str) -> None:
        waiting.set()
        await asyncio.Event().wait()

    place = await browsing._doors.place(BOX)
    place.faults = lambda name, _: never(name) if name == "stat" else None  # type: ignore[attr-defined]
    call = asyncio.create_task(browsing.stat(BOX.child("file"), token="t"))
    await waiting.wait()
    await browsing.drop("t")
    with pytest.raises(PlaceError, match="given up"):
        await call
    await browsing.drop("unknown")


async def test_two_folders_are_compared_piece_by_piece(browsing: Browsing, store: MemoryStore) -> None:
    for number in range(3000):
        store.write(f"/one/{number}", b"x")
    store.write("/two/5", b"xyz")
    store.write("/two/more", b"")
    number = await browsing.compare(BOX.child("one"), BOX.child("two"))
    parts = [await browsing.differences(number)]
    while not parts[-1].last:
        parts.append(await browsing.differences(number))
    found = {d.path: d.change for part in parts for d in part.differences}
    assert len(parts) > 1
    assert (found["5"], found["more"], found["7"]) == (Change.CHANGED, Change.EXTRA, Change.NEW)
    with pytest.raises(NotFound):
        await browsing.differences(number)


async def test_a_comparison_is_no_listing(browsing: Browsing) -> None:
    number = await browsing.compare(BOX, BOX)
    with pytest.raises(NotFound):
        await browsing.page(number)


async def test_a_file_is_read_on_after_its_connection_was_lost(store: MemoryStore) -> None:
    store.write("/file", bytes(range(100)))
    opener = MemoryOpener(store, ALL)
    doors = Doors({"memory": lambda: opener}, SystemClock())
    browsing = Browsing(doors, SystemClock())
    file = BOX.child("file")
    assert await browsing.read(file, 0, 5) == bytes(range(5))
    opener.places[0].lose()
    assert await browsing.read(file, 5, 5) == bytes(range(5, 10))
    await browsing.close()
    await doors.close()


async def test_a_place_that_is_looked_at_is_not_closed_for_being_idle(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors_module, "IDLE_S", -1.0)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        reached.set()
        await go_on.wait()

    opener = MemoryOpener(store, ALL, lambda name, _: wait() if name == "list" else None)
    doors = Doors({"memory": lambda: opener}, SystemClock())
    browsing = Browsing(doors, SystemClock())
    store.write("/folder/file", b"")
    listing = await browsing.open(BOX.child("folder"))
    await reached.wait()
    doors.close_idle()
    reached.clear()
    comparison = await browsing.compare(BOX.child("folder"), BOX.child("folder"))
    await reached.wait()
    doors.close_idle()
    go_on.set()
    assert (await browsing.page(listing)).names == ("file",)
    while not (await browsing.differences(comparison)).last:
        pass
    assert len(opener.places) == 1
    await browsing.close()
    doors.close_idle()
    await doors.close()
    assert not opener.places[0].alive


async def test_a_listing_nobody_takes_does_not_keep_its_place_open(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors_module, "IDLE_S", -1.0)
    monkeypatch.setattr(listing_module, "AHEAD_PAGES", 1)
    for number in range(500):
        store.write(f"/folder/{number}", b"")
    opener = MemoryOpener(store, ALL)
    doors = Doors({"memory": lambda: opener}, SystemClock())
    browsing = Browsing(doors, SystemClock())
    number = await browsing.open(BOX.child("folder"))
    pages = browsing._sessions.get(number, listing_module.Reading)._pages
    await until(pages.full)
    await asyncio.sleep(0)
    doors.close_idle()
    await until(lambda: not opener.places[0].alive)
    await browsing.close()
    await doors.close()


async def test_a_listing_that_fails_as_nobody_foresaw_says_so(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(name: str, location: Location) -> None:
        if name == "list":
            raise ValueError("not foreseen")

    doors = Doors({"memory": lambda: MemoryOpener(store, ALL, fail)}, SystemClock())
    browsing = Browsing(doors, SystemClock())
    number = await browsing.open(BOX)
    with pytest.raises(PlaceError, match="see the log"):
        await browsing.page(number)
    assert "not foreseen" in caplog.text
    await browsing.close()
    await doors.close()
