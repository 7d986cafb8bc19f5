"""One connection a place: who opens it, who waits for it, and what is asked on the way in."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from engine_harness import until

from tui.engine.clock import SystemClock
from tui.engine.far import doors as doors_module
from tui.engine.far.doors import AnswerWanted, Doors
from tui.model.ask import Ask, AskKind
from tui.model.error import AuthenticationFailed, NotPossible, PlaceError, PlaceUnavailable, Unsupported
from tui.model.location import Location
from tui.model.reach import Reach
from tui.places.memory import MemoryPlace
from tui.places.memory_store import MemoryStore

if TYPE_CHECKING:
    from tui.places.base import Asker

BOX = Location("/", "memory", "box")
PASSWORD = Ask(AskKind.PASSWORD, "me@box", "Password")


class Host:
    """Opens places in memory, as a host that asks, waits and fails as it is told."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.asks: list[Ask] = []
        self.answers: list[str] = []
        self.fails: list[PlaceError] = []
        self.places: list[MemoryPlace] = []
        self.given_up = 0

    async def open(self, location: Location, asker: Asker) -> MemoryPlace:
        try:
            for ask in self.asks:
                self.answers.append((await asker.ask(ask)).text)
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        await asyncio.sleep(0)
        if self.fails:
            raise self.fails.pop(0)
        self.places.append(MemoryPlace(self.store))
        return self.places[-1]


class Listener:
    """Hears what doors tell."""

    def __init__(self) -> None:
        self.settled: list[set[int]] = []
        self.changes = 0

    def change(self) -> None:
        self.changes += 1


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def doors(host: Host, listener: Listener) -> Doors:
    return Doors(
        {"memory": lambda: host},
        SystemClock(),
        listener.change,
        lambda ids: listener.settled.append(set(ids)),
    )


async def asked(doors: Doors) -> int:
    """Wait for a question; return its number."""
    await until(doors.questions)
    return doors.questions()[0].id


async def until_rest(doors: Doors) -> None:
    await until(lambda: not doors._closing and not any(door.opening for door in doors._doors.values()))


async def test_all_who_want_a_place_share_one_connection(doors: Doors, host: Host) -> None:
    first, second = await asyncio.gather(doors.place(BOX), doors.place(BOX.child("below"), job=7))
    assert first is second is await doors.place(BOX)
    assert len(host.places) == 1


async def test_a_place_that_was_lost_is_opened_anew(doors: Doors, host: Host) -> None:
    first = await doors.place(BOX)
    host.places[0].lose()
    second = await doors.place(BOX)
    assert second is not first
    assert second.alive


async def test_a_scheme_nobody_opens_is_refused_with_those_that_are_known(doors: Doors) -> None:
    with pytest.raises(Unsupported, match="gopher is not known") as told:
        await doors.place(Location("/", "gopher", "box"))
    assert "memory" in told.value.remedy


async def test_who_looks_waits_for_the_answer(doors: Doors, host: Host, listener: Listener) -> None:
    host.asks = [PASSWORD]
    waiting = asyncio.create_task(doors.place(BOX))
    id = await asked(doors)
    assert not waiting.done()
    assert doors.questions()[0].ask == PASSWORD
    doors.answer(id, "secret")
    assert (await waiting).alive
    assert host.answers == ["secret"]
    assert not doors.questions()
    assert listener.changes >= 2


async def test_a_job_is_turned_away_and_let_in_when_it_is_answered(
    doors: Doors, host: Host, listener: Listener
) -> None:
    host.asks = [PASSWORD]
    with pytest.raises(AnswerWanted):
        await doors.place(BOX, job=3)
    with pytest.raises(AnswerWanted):
        await doors.place(BOX, job=4)
    assert doors.questions()[0].jobs == (3, 4)
    doors.answer(await asked(doors), "secret")
    await until_rest(doors)
    assert listener.settled == [{3, 4}]
    assert (await doors.place(BOX, job=3)).alive
    assert len(host.places) == 1


async def test_a_job_is_told_why_it_was_not_let_in_after_all(
    doors: Doors, host: Host, listener: Listener
) -> None:
    host.asks, host.fails = [PASSWORD], [AuthenticationFailed("wrong three times")]
    with pytest.raises(AnswerWanted):
        await doors.place(BOX, job=3)
    doors.answer(await asked(doors), "secret")
    await until_rest(doors)
    assert listener.settled == [{3}]
    with pytest.raises(AuthenticationFailed, match="three times"):
        await doors.place(BOX, job=3)
    host.asks = []
    assert (await doors.place(BOX, job=3)).alive


async def test_no_answer_is_an_answer(doors: Doors, host: Host) -> None:
    host.asks = [PASSWORD]
    waiting = asyncio.create_task(doors.place(BOX))
    doors.answer(await asked(doors), None)
    with pytest.raises(AuthenticationFailed, match="nobody answered"):
        await waiting


async def test_one_question_after_another(doors: Doors, host: Host) -> None:
    host.asks = [PASSWORD, Ask(AskKind.CODE, "me@box", "Code")]
    waiting = asyncio.create_task(doors.place(BOX))
    first = await asked(doors)
    doors.answer(first, "secret")
    await until(lambda: doors.questions() and doors.questions()[0].id != first)
    with pytest.raises(NotPossible):
        doors.answer(first, "late")
    doors.answer(doors.questions()[0].id, "123")
    await waiting
    assert host.answers == ["secret", "123"]


async def test_when_the_last_who_waited_leaves_nobody_is_asked_any_more(doors: Doors, host: Host) -> None:
    host.asks = [PASSWORD]
    waiting = [asyncio.create_task(doors.place(BOX)) for _ in range(2)]
    await asked(doors)
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    assert doors.questions()
    waiting[1].cancel()
    await asyncio.gather(waiting[1], return_exceptions=True)
    await until_rest(doors)
    assert not doors.questions()
    assert host.given_up == 1


async def test_a_job_that_is_forgotten_wants_no_answer_any_more(
    doors: Doors, host: Host, listener: Listener
) -> None:
    host.asks = [PASSWORD]
    with pytest.raises(AnswerWanted):
        await doors.place(BOX, job=3)
    doors.forget(3)
    await until_rest(doors)
    assert not doors.questions()
    assert listener.settled == []
    assert host.given_up == 1


async def test_who_comes_while_an_opening_is_given_up_is_let_in_by_another(
    doors: Doors, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = host.open

    async def hang_up_slowly(location: Location, asker: Asker) -> MemoryPlace:
        try:
            return await opens(location, asker)
        except asyncio.CancelledError:
            for _ in range(10):
                await asyncio.sleep(0)
            raise

    monkeypatch.setattr(host, "open", hang_up_slowly)
    host.asks = [PASSWORD]
    left = asyncio.create_task(doors.place(BOX))
    await asked(doors)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    host.asks = []
    browsing, job = await asyncio.gather(doors.place(BOX), doors.place(BOX, job=3), return_exceptions=True)
    assert browsing is job is host.places[0]
    assert host.given_up == 1


async def test_an_opening_that_succeeds_after_it_was_given_up_leaves_nothing_open(
    doors: Doors, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = MemoryPlace(host.store)

    async def deaf(location: Location, asker: Asker) -> MemoryPlace:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return late

    monkeypatch.setattr(host, "open", deaf)
    left = asyncio.create_task(doors.place(BOX))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    monkeypatch.undo()
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    place = await doors.place(BOX)
    await until_rest(doors)
    assert not late.alive
    assert place.alive
    assert await doors.place(BOX) is place


async def test_a_place_that_is_shut_as_it_opens_is_opened_once_more(
    doors: Doors, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors_module, "IDLE_S", -1.0)
    waiting = asyncio.create_task(doors.place(BOX))
    await asyncio.sleep(0)
    opening = doors._door(BOX, 0).opening
    assert opening is not None
    opening.add_done_callback(lambda _: doors.close_idle())
    assert (await waiting).alive
    assert len(host.places) == 2


async def test_a_failure_is_told_to_all_and_tried_again_by_the_next(doors: Doors, host: Host) -> None:
    host.fails = [PlaceUnavailable("refused")]
    told = await asyncio.gather(doors.place(BOX), doors.place(BOX), return_exceptions=True)
    assert [str(error) for error in told] == ["refused", "refused"]
    assert (await doors.place(BOX)).alive


async def test_what_nobody_uses_is_closed_and_what_a_job_uses_is_not(
    doors: Doors, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors_module, "IDLE_S", -1.0)
    await doors.place(BOX, job=3)
    doors.close_idle()
    assert host.places[0].alive
    doors.leave(3)
    doors.close_idle()
    await doors.close()
    assert not host.places[0].alive


async def test_the_local_disk_is_each_jobs_own_and_let_go_of_when_it_leaves(host: Host) -> None:
    doors, disk = Doors({"file": lambda: host}, SystemClock()), Location.local("/")
    place, other = await doors.place(disk, job=3), await doors.place(disk, job=4)
    assert await doors.place(disk, job=3) is place
    doors.leave(3)
    await until(lambda: not place.alive)
    assert other.alive
    await doors.close()


async def test_closing_ends_questions_and_connections(doors: Doors, host: Host) -> None:
    host.asks = [PASSWORD]
    waiting = asyncio.create_task(doors.place(BOX))
    await asked(doors)
    await doors.close()
    assert not doors.questions()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_whoever_waits_can_be_told_what_is_tried() -> None:
    host = Host()
    doors = Doors({"memory": lambda: host}, SystemClock())
    found: list[Reach] = [doors.reach(BOX)]
    opened = host.open

    async def open_and_look(location: Location, asker: Asker) -> MemoryPlace:
        found.append(doors.reach(BOX.child("below")))
        return await opened(location, asker)

    host.open = open_and_look  # type: ignore[method-assign]
    await doors.place(BOX)
    found.append(doors.reach(BOX))
    host.places[-1].lose()
    host.fails = [PlaceUnavailable("it does not answer")]
    with pytest.raises(PlaceUnavailable):
        await doors.place(BOX)
    await doors.place(BOX)
    found.append(doors.reach(BOX))
    assert found == [
        Reach.CONNECTED,
        Reach.CONNECTING,
        Reach.CONNECTED,
        Reach.CONNECTING_ANEW,
        Reach.CONNECTING_ANEW,
        Reach.CONNECTED,
    ]
    await doors.close()
