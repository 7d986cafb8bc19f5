"""What a place in memory has beyond the contract (tests/places): faults, and a store that outlives it."""

from __future__ import annotations

import asyncio

import pytest

from tui.model.ask import Answer, Ask, AskKind
from tui.model.error import AuthenticationFailed, OutOfSpace, PlaceUnavailable, StorageFault
from tui.model.location import Location
from tui.places.base import Attributes, Capabilities, Identity
from tui.places.memory import ALL, HARDLY_ANY, MemoryOpener, MemoryPlace
from tui.places.memory_store import MemoryStore

TAG = "abcdefgh"


def at(path: str) -> Location:
    return Location(path, "memory", "host")


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.folder("/folder")
    return store


async def put(place: MemoryPlace, path: str, data: bytes) -> None:
    await place.put(at(path), data, Attributes(), TAG, replace=False, flush=False)


class Answers:
    def __init__(self, *texts: str) -> None:
        self.texts, self.asked = list(texts), list[Ask]()

    async def ask(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        return Answer(self.texts.pop(0))


async def test_every_step_can_be_made_to_fail(store: MemoryStore) -> None:
    def fail(step: str, location: Location) -> None:
        if step == "write" and location.name == "file":
            raise StorageFault("cannot write: the disk reported an error", location=location)

    place = MemoryPlace(store, faults=fail)
    writer = await place.open_writer(at("/folder/file"), Identity(TAG, 10, 0))
    with pytest.raises(StorageFault):
        await writer.write(0, b"x")
    await writer.discard()
    assert place.alive
    assert store.tree("/folder") == {}


async def test_steps_are_told_before_and_changes_after(store: MemoryStore) -> None:
    steps: list[str] = []
    place = MemoryPlace(store, faults=lambda step, _: steps.append(step))
    await put(place, "/folder/file", b"x")
    await place.get(at("/folder/file"), 1)
    writer = await place.open_writer(at("/folder/other"), Identity(TAG, 1, 0))
    await writer.write(0, b"x")
    await writer.publish(Attributes(), replace=False, flush=False)
    assert steps == ["put", "put done", "get", "open_writer", "write", "publish", "publish done"]


async def test_a_fault_can_lose_the_place(store: MemoryStore) -> None:
    opener = MemoryOpener(store, faults=lambda step, _: opener.places[-1].lose() if step == "write" else None)
    place = await opener.open(at("/"), Answers())
    writer = await place.open_writer(at("/folder/file"), Identity(TAG, 10, 0))
    with pytest.raises(PlaceUnavailable):
        await writer.write(0, b"x")
    assert not place.alive
    again = await opener.open(at("/"), Answers())
    assert again.alive
    assert await again.abandon(at("/folder"), TAG) == 1


async def test_unavailable_is_lost(store: MemoryStore) -> None:
    def fail(step: str, location: Location) -> None:
        if step == "put done":
            raise PlaceUnavailable("cannot write: the connection was lost", location=location)

    place = MemoryPlace(store, faults=fail)
    with pytest.raises(PlaceUnavailable):
        await put(place, "/folder/file", b"done, but nobody heard of it")
    assert not place.alive
    assert store.read("/folder/file") == b"done, but nobody heard of it"


async def test_a_step_can_be_held(store: MemoryStore) -> None:
    held, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        held.set()
        await go_on.wait()

    place = MemoryPlace(store, faults=lambda step, _: hold() if step == "put" else None)
    task = asyncio.create_task(put(place, "/folder/file", b"x"))
    await held.wait()
    assert store.tree("/folder") == {}
    go_on.set()
    await task
    assert store.tree("/folder") == {"file": b"x"}


async def test_what_is_held_when_the_place_is_lost_fails(store: MemoryStore) -> None:
    held, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        held.set()
        await go_on.wait()

    place = MemoryPlace(store, faults=lambda *_: hold())
    task = asyncio.create_task(put(place, "/folder/file", b"x"))
    await held.wait()
    place.lose()
    go_on.set()
    with pytest.raises(PlaceUnavailable):
        await task
    assert store.tree("/folder") == {}


async def test_room_runs_out(store: MemoryStore) -> None:
    store.room_bytes = 10
    place = MemoryPlace(store)
    await put(place, "/folder/file", b"123456")
    assert (await place.space(at("/"))).free_bytes == 4
    with pytest.raises(OutOfSpace):
        await put(place, "/folder/other", b"12345")
    writer = await place.open_writer(at("/folder/big"), Identity(TAG, 10, 0))
    await writer.write(0, b"1234")
    with pytest.raises(OutOfSpace):
        await writer.write(4, b"5")
    await writer.discard()
    assert store.tree("/folder") == {"file": b"123456"}


async def test_home_is_found(store: MemoryStore) -> None:
    place = MemoryPlace(MemoryStore(home="/home/me"))
    assert await place.resolve(at("/~")) == at("/home/me")
    assert await place.resolve(at("/~/a/b")) == at("/home/me/a/b")
    assert await place.resolve(at("/~x")) == at("/~x")


async def test_half_files_of_a_flat_store_are_out_of_sight(store: MemoryStore) -> None:
    place = MemoryPlace(store, HARDLY_ANY)
    writer = await place.open_writer(at("/folder/file"), Identity(TAG, 10, 0))
    await writer.write(0, b"x")
    assert store.tree("/folder") == {}
    place.lose()
    await writer.discard()
    again = MemoryPlace(store, HARDLY_ANY)
    assert (await again.open_writer(at("/folder/file"), Identity(TAG, 10, 0))).start == 0
    assert await again.abandon(at("/folder"), TAG) == 1
    assert store.hidden == {}


async def test_empty_folders_of_a_flat_store_go(store: MemoryStore) -> None:
    place = MemoryPlace(store, HARDLY_ANY)
    await put(place, "/folder/one/two/file", b"x")
    await place.remove_file(at("/folder/one/two/file"))
    assert store.tree("/folder") == {}


async def test_times_are_kept_as_finely_as_is_said(store: MemoryStore) -> None:
    place = MemoryPlace(store, Capabilities(sets_times=True, time_step_ns=10**9))
    await place.put(at("/folder/a"), b"", Attributes(mtime_ns=1_234_567_890), TAG, replace=False, flush=False)
    assert (await place.stat(at("/folder/a"))).mtime_ns == 1_000_000_000


async def test_what_was_flushed_is_known(store: MemoryStore) -> None:
    place = MemoryPlace(store, ALL)
    await place.put(at("/folder/a"), b"", Attributes(), TAG, replace=False, flush=True)
    await place.flush(at("/folder"))
    assert store.flushed == ["/folder/a", "/folder"]


async def test_a_password_is_asked_until_it_is_right(store: MemoryStore) -> None:
    opener, asker = MemoryOpener(store, password="right"), Answers("wrong", "right")
    assert (await opener.open(at("/"), asker)).alive
    assert [(ask.kind, ask.host, ask.retry) for ask in asker.asked] == [
        (AskKind.PASSWORD, "host", False),
        (AskKind.PASSWORD, "host", True),
    ]


async def test_wrong_passwords_are_refused_in_the_end(store: MemoryStore) -> None:
    opener = MemoryOpener(store, password="right")
    with pytest.raises(AuthenticationFailed, match="wrong password"):
        await opener.open(at("/"), Answers("a", "b", "c"))
    assert opener.places == []
