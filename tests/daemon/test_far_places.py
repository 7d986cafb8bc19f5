"""A client's view of other places, as its engine tells of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tui.client.direct import DirectClient
from tui.config import Settings
from tui.engine.clock import SystemClock
from tui.engine.engine import Engine, Limits
from tui.engine.journal import Journal
from tui.model.ask import YES, AskKind, KnownHost
from tui.model.entry import EntryKind
from tui.model.error import AuthenticationFailed, NotFound, NotPossible, Unsupported
from tui.model.location import Location
from tui.places.memory import ALL, MemoryOpener
from tui.places.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from tui.client.calls import Calls
    from tui.model.job import Job, Update

BOX = Location("/", "memory", "box")


class World:
    """A store behind a host, and how often it was opened."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.password = ""
        self.openers: list[MemoryOpener] = []

    def opener(self) -> MemoryOpener:
        self.openers.append(MemoryOpener(self.store, ALL, password=self.password))
        return self.openers[-1]

    def make(
        self,
        journal: Path,
        settings: Settings,
        on_end: Callable[[Job], None],
        *,
        in_process: bool,
        held: Sequence[int],
    ) -> Engine:
        return Engine(
            Journal(journal),
            SystemClock(),
            Limits(),
            on_end,
            openers={"memory": self.opener},
            hosts=lambda: (KnownHost(BOX, "box", "in memory"),),
        )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def client(world: World) -> AsyncIterator[Calls]:
    async with DirectClient(None, Settings(), make=world.make) as client:
        yield client


async def names(client: Calls, folder: Location) -> dict[str, EntryKind]:
    found = {}
    async for page in client.list(folder):
        found |= {name: EntryKind(kind) for name, kind in zip(page.names, page.kinds, strict=True)}
    return found


async def asked(client: Calls) -> int:
    async with asyncio.timeout(10):
        while not (questions := await client.host_questions()):  # noqa: ASYNC110
            await asyncio.sleep(0)
    return questions[0].id


async def test_details_come_with_the_listing_and_nobody_is_asked_again(client: Calls, world: World) -> None:
    world.store.write("/folder/file", b"12345")
    folder = BOX.child("folder")
    assert await names(client, folder) == {"file": EntryKind.FILE}
    world.openers[0].places[0].faults = lambda name, _: pytest.fail(f"{name} was asked for")
    details = await client.details(folder, ["file"])
    assert list(details.sizes_bytes) == [5]


async def test_details_of_what_was_not_listed_are_asked_for(client: Calls, world: World) -> None:
    world.store.write("/file", b"12345")
    details = await client.details(BOX, ["gone", "file"])
    assert list(details.sizes_bytes) == [-1, 5]


async def test_what_a_step_changed_is_looked_at_anew(client: Calls, world: World) -> None:
    world.store.write("/file", b"")
    await names(client, BOX)
    await client.set_mode(BOX.child("file"), 0o600)
    assert (await client.details(BOX, ["file"])).modes[0] & 0o777 == 0o600


async def test_a_file_travels_whole_in_pieces(client: Calls, world: World) -> None:
    data = bytes(range(256)) * 3
    world.store.write("/file", data)
    pieces = [await client.read(BOX.child("file"), at, 100) for at in range(0, 800, 100)]
    assert b"".join(pieces) == data


async def test_errors_of_a_host_come_as_what_they_are(client: Calls) -> None:
    with pytest.raises(NotFound, match="gone"):
        await client.stat(BOX.child("gone"))
    with pytest.raises(NotFound, match="gone"):
        await names(client, BOX.child("gone"))


async def test_looking_waits_until_somebody_answers_the_host(client: Calls, world: World) -> None:
    world.password = "secret"
    world.store.write("/file", b"")
    looking = asyncio.create_task(names(client, BOX))
    id = await asked(client)
    (question,) = await client.host_questions()
    assert (question.ask.kind, question.place) == (AskKind.PASSWORD, BOX)
    await client.answer_host(id, "secret")
    assert (await looking)["file"] is EntryKind.FILE
    with pytest.raises(NotPossible):
        await client.answer_host(id, YES)


async def test_looking_ends_where_there_is_no_answer(client: Calls, world: World) -> None:
    world.password = "secret"
    looking = asyncio.create_task(client.stat(BOX))
    await client.answer_host(await asked(client), None)
    with pytest.raises(AuthenticationFailed):
        await looking


async def test_a_look_that_is_given_up_takes_its_question_along(client: Calls, world: World) -> None:
    world.password = "secret"
    looking = asyncio.create_task(names(client, BOX))
    await asked(client)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    async with asyncio.timeout(10):
        while await client.host_questions():  # noqa: ASYNC110 (it is told by asking)
            await asyncio.sleep(0)


async def test_open_questions_are_in_every_update(client: Calls, world: World) -> None:
    world.password = "secret"
    looking = asyncio.create_task(client.stat(BOX))
    id = await asked(client)
    updates = client.updates()
    first: Update = await anext(updates)  # type: ignore[assignment]
    assert [question.id for question in first.host_questions] == [id]
    await client.answer_host(id, "secret")
    await looking
    async with asyncio.timeout(10):
        while (await anext(updates)).host_questions:  # type: ignore[union-attr]
            pass
    await updates.aclose()  # type: ignore[attr-defined]


async def test_places_of_their_own_cannot_share_a_file(client: Calls, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="hard link"):
        await client.make_hardlink(BOX.child("new"), Location.local(tmp_path))
    with pytest.raises(Unsupported, match="different places"):
        await client.rename(BOX.child("new"), Location.local(tmp_path))


async def test_the_home_folder_of_a_host_is_found_and_local_paths_stay(client: Calls, world: World) -> None:
    assert (await client.resolve(BOX.child("~"))).path == world.store.home
    assert await client.resolve(Location("/~")) == Location("/~")


async def test_hosts_are_those_the_engine_knows(client: Calls) -> None:
    assert await client.hosts() == (KnownHost(BOX, "box", "in memory"),)


async def test_nobody_tells_what_changes_on_a_host(client: Calls) -> None:
    assert [None async for _ in client.watch(BOX)] == []
