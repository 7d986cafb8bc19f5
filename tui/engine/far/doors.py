"""The doors to places: one connection a place, shared by jobs and browsing, and what is asked on the way in."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tui.engine.planner import refuse
from tui.model.ask import Answer, HostQuestion
from tui.model.error import AuthenticationFailed, PlaceError, Unsupported
from tui.model.location import LOCAL, Location
from tui.model.reach import Reach
from tui.places.base import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tui.engine.clock import Clock
    from tui.model.ask import Ask
    from tui.places.base import Opener

logger = logging.getLogger(__name__)

IDLE_S = 120.0
"""A place nobody used for so long is closed."""

CLOSING_S = 2.0
"""So long `close` waits for connections to end in an orderly way."""


class AnswerWanted(Exception):
    """A host asks for something before it lets a job in: the job waits, and holds nothing up meanwhile."""


@dataclass(slots=True)
class _Door:
    """One place: connected, being connected, or neither."""

    root: Location
    place: Place | None = None
    was_lost: bool = False
    """The last connection broke, and no other has been made since."""
    opening: asyncio.Task[Place] | None = None
    waiting: int = 0
    """So many callers wait for it to open, whatever it takes."""
    users: set[int] = field(default_factory=set)
    """Jobs that were let in and have not ended their go; below zero: others who are at it."""
    used_at: float = 0.0
    questions: dict[int, asyncio.Future[str | None]] = field(default_factory=dict)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while one of its questions is open."""
    turned_away: set[int] = field(default_factory=set)
    """Jobs that wait elsewhere until its questions are answered."""
    failures: dict[int, PlaceError] = field(default_factory=dict)
    """Why it did not open after all, for the jobs that were turned away."""

    @property
    def wanted(self) -> bool:
        return self.waiting > 0 or bool(self.turned_away)


class _AtTheDoor:
    """Whom an opener asks (`tui.places.base.Asker`)."""

    def __init__(self, doors: Doors, door: _Door) -> None:
        self._doors, self._door = doors, door

    async def ask(self, ask: Ask) -> Answer:
        return await self._doors.ask(self._door, ask)


class Doors:
    """Opens places when they are wanted, and keeps them open while they are used.

    Args:
        openers: What makes places, by scheme; made itself when the first place of its scheme is wanted.
        changed: Called when a question was asked or has gone.
        settled: Called with the jobs that were turned away, once they may try again.
    """

    def __init__(
        self,
        openers: Mapping[str, Callable[[], Opener]],
        clock: Clock,
        changed: Callable[[], None] = lambda: None,
        settled: Callable[[frozenset[int]], None] = lambda _: None,
    ) -> None:
        self._makers, self._clock = openers, clock
        self._changed, self._settled = changed, settled
        self._openers: dict[str, Opener] = {}
        self._doors: dict[tuple[str, str, int], _Door] = {}
        self._open: dict[int, tuple[_Door, HostQuestion]] = {}
        self._ids = itertools.count(1)
        self._closing: set[asyncio.Task[Any]] = set()

    @property
    def schemes(self) -> tuple[str, ...]:
        """The kinds of places that can be reached."""
        return tuple(self._makers)

    # Places

    async def place(self, location: Location, *, job: int = 0) -> Place:
        """Return the connected place that holds a location: a new one where the last is of no use any more.

        Args:
            job: Whom it is for; a job does not wait for somebody's answer. 0: somebody who does.
        Raises:
            AnswerWanted: The host asks for something, and it is a job that wants in.
            PlaceError: It cannot be opened.
        """
        door = self._door(location, job)
        if (failure := door.failures.pop(job, None)) is not None:
            raise failure
        if door.place is not None and not door.place.alive:
            door.was_lost = True
            self._shut(door)
        while door.place is None:  # what was opened may be shut again before all who waited come by
            if door.opening is None:
                door.opening = asyncio.create_task(self._open_up(door), name=f"open {door.root}")
                door.opening.add_done_callback(_seen)
            await (self._wait_as_job(door, door.opening, job) if job else self._wait(door, door.opening))
        door.used_at = self._clock.monotonic()
        if job:
            door.users.add(job)
        return door.place

    def reach(self, location: Location) -> Reach:
        """Return how far it is with the place of a location."""
        door = self._doors.get((location.scheme, location.authority, 0))
        if door is None or door.opening is None:
            return Reach.CONNECTED
        return Reach.CONNECTING_ANEW if door.was_lost else Reach.CONNECTING

    def leave(self, job: int) -> None:
        """Say that a job's go has ended: it uses no place any more.

        What is open of the local disk is closed at once: an open folder keeps its disk from being taken out.
        """
        for door in self._doors.values():
            door.users.discard(job)
        own = self._doors.pop((LOCAL, "", job), None)
        if own is not None and own.place is not None:
            self._shut(own)

    @contextlib.contextmanager
    def kept(self, *locations: Location) -> Iterator[None]:
        """Let the places of some locations not be closed meanwhile, for whoever uses them longer than for a moment."""
        user, doors = -next(self._ids), [self._door(location, 0) for location in locations]
        for door in doors:
            door.users.add(user)
        try:
            yield
        finally:
            for door in doors:
                door.users.discard(user)
                door.used_at = self._clock.monotonic()

    def forget(self, job: int) -> None:
        """Say that a job wants in no more: it was paused or cancelled while it waited for an answer."""
        for door in self._doors.values():
            door.turned_away.discard(job)
            door.failures.pop(job, None)
            self._give_up_unless_wanted(door)
        self._tell_jobs()

    def close_idle(self) -> None:
        """Close what nobody has used for a while."""
        since = self._clock.monotonic() - IDLE_S
        for door in self._doors.values():
            if door.place is not None and not door.users and door.used_at < since:
                logger.info("%s is not used any more", door.root)
                self._shut(door)

    async def close(self) -> None:
        """Close all, asking nobody any more."""
        for door in self._doors.values():
            if door.opening is not None:
                door.opening.cancel()
            if door.place is not None:
                self._shut(door)
        openings = [door.opening for door in self._doors.values() if door.opening is not None]
        if left := {*openings, *self._closing}:
            await asyncio.wait(left, timeout=CLOSING_S)

    def _door(self, location: Location, job: int) -> _Door:
        # The local disk is each job's own: it follows links only where that job named them.
        key = (location.scheme, location.authority, job if location.is_local else 0)
        if key not in self._doors:
            if location.scheme not in self._makers:
                known = ", ".join(sorted(self._makers))
                raise Unsupported(
                    f"cannot reach {location}: {location.scheme} is not known here",
                    f"Places are of: {known}.",
                    location=location,
                )
            self._doors[key] = _Door(Location("/", location.scheme, location.authority))
        return self._doors[key]

    async def _open_up(self, door: _Door) -> Place:
        """Connect, and let those in who were turned away meanwhile, or tell them why it could not be done."""
        try:
            scheme = door.root.scheme
            if scheme not in self._openers:
                self._openers[scheme] = self._makers[scheme]()
            place = await self._openers[scheme].open(door.root, _AtTheDoor(self, door))
            if door.opening is not asyncio.current_task():
                await place.close()  # it was given up, but too late
                raise asyncio.CancelledError
            door.place, door.used_at, door.was_lost = place, self._clock.monotonic(), False
            return place
        except PlaceError as error:
            if door.opening is asyncio.current_task():
                door.failures.update(dict.fromkeys(door.turned_away, error))
            raise
        finally:
            if door.opening is asyncio.current_task():
                door.opening = None
                let_go = frozenset(door.turned_away)
                door.turned_away.clear()
                if let_go:
                    self._settled(let_go)

    async def _wait(self, door: _Door, opening: asyncio.Task[Place]) -> None:
        """Wait for a door to open; when the last who does so leaves, it is not opened any more."""
        door.waiting += 1
        try:
            await asyncio.shield(opening)
        finally:
            door.waiting -= 1
            self._give_up_unless_wanted(door)

    async def _wait_as_job(self, door: _Door, opening: asyncio.Task[Place], job: int) -> None:
        asked = asyncio.create_task(door.asked.wait())
        door.waiting += 1
        try:
            await asyncio.wait({opening, asked}, return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                opening.result()
                return
            door.turned_away.add(job)
            self._tell_jobs()
            raise AnswerWanted
        finally:
            asked.cancel()
            door.waiting -= 1
            self._give_up_unless_wanted(door)

    def _give_up_unless_wanted(self, door: _Door) -> None:
        if door.opening is not None and not door.wanted:
            # Whoever comes while it is being given up must not go down with it.
            opening, door.opening = door.opening, None
            opening.cancel()
            self._closing.add(opening)
            opening.add_done_callback(self._closing.discard)

    def _shut(self, door: _Door) -> None:
        place, door.place = door.place, None
        assert place is not None
        closing = asyncio.create_task(place.close(), name=f"close {door.root}")
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    # Questions

    def questions(self) -> tuple[HostQuestion, ...]:
        """Return what is asked now, oldest first."""
        return tuple(question for _, question in self._open.values())

    async def ask(self, door: _Door, ask: Ask) -> Answer:
        """Have somebody asked, and wait for the answer."""
        id = next(self._ids)
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        door.questions[id] = answer
        self._open[id] = door, HostQuestion(id, ask, door.root)
        door.asked.set()
        self._changed()
        try:
            text = await answer
        finally:
            del door.questions[id], self._open[id]
            if not door.questions:
                door.asked.clear()
            self._changed()
        if text is None:
            raise AuthenticationFailed(
                f"cannot reach {ask.host}: nobody answered what it asks",
                "Retry, and answer it then.",
                location=door.root,
            )
        return Answer(text)

    def answer(self, id: int, text: str | None) -> None:
        """Answer a question. None: there is no answer.

        Raises:
            NotPossible: It was answered already, or is not asked any more.
        """
        found = self._open.get(id)
        if found is None or found[0].questions[id].done():
            raise refuse(f"answer question {id} of a host", "it was answered already, or is asked no more")
        found[0].questions[id].set_result(text)

    def _tell_jobs(self) -> None:
        """Have each question tell which jobs wait for its answer."""
        for id, (door, question) in self._open.items():
            jobs = tuple(sorted(door.turned_away))
            self._open[id] = door, replace(question, jobs=jobs)
        self._changed()


def _seen(task: asyncio.Task[Place]) -> None:
    """Look at how it ended: where all who waited have left, nobody else does."""
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, PlaceError):
        logger.error("a place could not be opened", exc_info=error)
