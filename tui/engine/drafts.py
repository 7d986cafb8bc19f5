"""Requests whose sources come in parts: nothing of one is seen, or begun, before all of it has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.engine.planner import check, refuse
from tui.engine.rows import new_tag
from tui.engine.sparing import spare
from tui.model.job import Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Collection, Sequence

    from tui.engine.clock import Clock
    from tui.engine.journal import Journal
    from tui.engine.keeper import Keeper
    from tui.model.location import Location
    from tui.model.parts import Part


@dataclass
class _Draft:
    head: Request
    """What was asked, with the first of its sources: the others are judged beside that."""
    count: int
    """Sources that have come."""
    answers: bool
    """The disk of its sources does; one that does not is waited for once."""


class Drafts:
    """Takes requests, at once or part by part, so that the engine never holds more sources than one part has.

    A draft is in the journal as a job that is on no list. One that nobody submits is gone with the next start at the
    latest. What is refused raises UsageError, Unsupported or PlaceError.
    """

    def __init__(self, journal: Journal, keeper: Keeper, clock: Clock, schemes: Collection[str]) -> None:
        self._journal, self._keeper, self._clock, self._schemes = journal, keeper, clock, schemes
        self._drafts: dict[int, _Draft] = {}

    async def submit_whole(self, request: Request) -> int:
        """Put a request of one part into the queue and return its job's id."""
        check(request, self._schemes)
        await spare(request, self._keeper.shared)
        return await self._keeper.take_up(await self._journal.add_job(request, new_tag(), self._clock.now()))

    async def submit_parts(self, first: Request, parts: AsyncIterable[Part]) -> int:
        """Put a request into the queue whose further parts are made meanwhile; return its job's id."""
        number = await self.begin(first)
        try:
            async for sources, targets in parts:
                await self.add(number, sources, targets)
            return await self.submit(number)
        finally:
            await self.drop(number)

    async def begin(self, request: Request) -> int:
        """Begin a draft with the first part of a request; return its number."""
        check(request, self._schemes)
        answers = await spare(request, self._keeper.shared)
        number = await self._journal.add_job(request, new_tag(), self._clock.now(), draft=True)
        head = replace(request, sources=request.sources[:1], targets=request.targets[:1])
        self._drafts[number] = _Draft(head, len(request.sources), answers)
        return number

    async def add(self, number: int, sources: Sequence[Location], targets: Sequence[Location] = ()) -> None:
        """Add a part. One that is refused takes its draft with it.

        Raises:
            NotPossible: There is no such draft.
        """
        draft = self._get(number)
        head, start = draft.head, draft.count
        draft.count += len(sources)
        try:
            part = replace(head, sources=(*head.sources, *sources), targets=(*head.targets, *targets))
            check(part, self._schemes)
            draft.answers = draft.answers and await spare(part, self._keeper.shared)
            await self._journal.add_sources(number, start, sources, targets)
        except BaseException:
            await self.drop(number)
            raise

    async def submit(self, number: int) -> int:
        """Put what was drafted into the queue and return its job's id. It is on the disk when this returns.

        Raises:
            NotPossible: There is no such draft.
        """
        draft = self._get(number)
        del self._drafts[number]
        try:
            await self._journal.list_job(number, draft.count, self._clock.now())
        except BaseException:
            await self._journal.forget_draft(number)
            raise
        return await self._keeper.take_up(number)

    async def drop(self, number: int) -> None:
        """Forget a draft, if there is one of this number that was not submitted."""
        if self._drafts.pop(number, None) is not None:
            await self._journal.forget_draft(number)

    def _get(self, number: int) -> _Draft:
        draft = self._drafts.get(number)
        if draft is None:
            raise refuse(f"go on with draft {number}", "there is none; submit the whole again")
        return draft
