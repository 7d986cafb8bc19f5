"""What a job beyond the local disk amounts to, counted beside the work; and whether it fits where it goes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tui.engine.far.doors import AnswerWanted
from tui.engine.far.ends import Halted, OutOfReach, look
from tui.engine.far.goal import resolved
from tui.engine.far.many import each
from tui.engine.far.need import Amount
from tui.engine.far.survey import Branch, Survey
from tui.engine.rows import Phase
from tui.engine.totals import PAGE
from tui.model.entry import EntryKind
from tui.model.error import PlaceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from tui.engine.far.need import Need
    from tui.engine.far.survey import Does
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Place

logger = logging.getLogger(__name__)

DELAY_S = 2.0
"""So long nothing is counted, unless it may not fit: most jobs are done by then."""

AT_ONCE = 32

MOST_MARKS = 100_000
"""Where things go while they are counted, so many folders and files are counted ahead at most."""


class Counting:
    """Counts all sources of a job into its tally; `counting` is on until all is known.

    It asks the places itself for what the work will ask them for later. Whatever goes wrong with it is left to the
    work, which meets the same.

    Args:
        unfinished: What other jobs have not finished is a part of this one.
        removes: What the work has done is not there to be counted any more: it tells (`removed`).
    """

    def __init__(self, run: Run, reach: Does, *, unfinished: bool = False, removes: bool = False) -> None:
        self._run, self._reach = run, reach
        self._tally = run.record.tally
        self._unfinished = unfinished
        self._marks: set[int] | None = set() if removes else None
        self.total = Amount()
        self._need: Need | None = None
        self._start = 0
        """The number of the source to begin with."""

    async def beside(self, work: Awaitable[None]) -> None:
        """Count while some work goes on; end with it."""
        self._tally.counting = True
        counting = asyncio.ensure_future(self._go_on())
        try:
            await work
            await self._work_is_done(counting)
        finally:
            counting.cancel()
            (end,) = await asyncio.gather(counting, return_exceptions=True)
            if isinstance(end, Exception):
                logger.error("job %d: could not be counted", self._run.record.id, exc_info=end)
            if not self._run.stopped:  # else the total is not all there is
                self._tally.counting = False

    async def _work_is_done(self, counting: asyncio.Future[None]) -> None:
        """Wait for the count, where it still matters."""

    def removed(self, where: Location, size_bytes: int) -> None:
        """Note that the work has removed a file: one that was not counted yet is counted now."""
        if self._marks is not None and self._marks.isdisjoint((_mark(where), _mark(where.parent))):
            self.total.add(Amount(1, size_bytes))

    async def _go_on(self) -> None:
        try:
            await self._begin()
            await self._count()
        except (PlaceError, Halted, OutOfReach, AnswerWanted) as error:
            logger.info("job %d: counting ended early: %r", self._run.record.id, error)
            return
        if not self._over():
            self._is_complete()

    async def _begin(self) -> None:
        await asyncio.sleep(DELAY_S)

    async def _count(self) -> None:
        """Count all sources, page by page."""
        journal, id = self._run.journal, self._run.record.id
        page = await journal.sources(id, self._start, PAGE)
        while page and not self._over():
            await self._count_page(page)
            page = await journal.sources(id, page[-1].idx + 1, PAGE)

    async def _count_page(self, page: Sequence[Source]) -> None:
        folders: dict[int, Branch] = {}

        async def find(source: Source) -> None:
            where = await self._reach.do(source.location, lambda place: resolved(place, source.location))
            entry = await self._look(where)
            if entry is not None and (folder := await self.found(source, where, entry)) is not None:
                folders[source.idx] = folder

        await each([source for source in page if not self.is_done(source)], find, AT_ONCE)
        await self.trees([folders[idx] for idx in sorted(folders)])

    async def found(self, source: Source, where: Location, entry: Entry) -> Branch | None:
        """Count a source that is no folder; return one that is."""
        if entry.kind is EntryKind.FOLDER:
            return Branch(where)
        self._seen(where)
        self.total.add(Amount(1, entry.size_bytes))
        return None

    def is_done(self, source: Source) -> bool:
        """Say whether a source was done before; if so, count what it amounted to, unless the work tells."""
        if source.phase is not Phase.DONE:
            return False
        if self._marks is None:
            self.done_before(source)
        return True

    def done_before(self, source: Source) -> None:
        """Count a source that an earlier go has done."""
        self.total.add(Amount(source.files, source.size_bytes))

    async def trees(self, folders: Sequence[Branch]) -> None:
        """Count what is in some folders, and show it."""
        survey = Survey(
            self._reach,
            self.total,
            self._need,
            self._over,
            self._seen,
            self.show,
            unfinished=self._unfinished,
            exclude=self._run.record.row.exclude,
        )
        for folder in folders:
            self.show()
            await survey.go(folder)
        self.show()

    async def _look(self, where: Location) -> Entry | None:
        async def stand(place: Place) -> Entry | None:
            return await look(place, where)

        return await self._reach.do(where, stand)

    def _seen(self, where: Location) -> None:
        if self._marks is not None:
            self._marks.add(_mark(where))

    def _over(self) -> bool:
        """Say whether to count no more."""
        return self._run.stopped or (self._marks is not None and len(self._marks) > MOST_MARKS)

    def show(self) -> None:
        """Let the totals grow; what an earlier count found stays until this one has passed it."""
        tally, total = self._tally, self.total
        if total.files > tally.files_total or total.size_bytes > tally.bytes_total:
            tally.files_total = max(tally.files_total, total.files)
            tally.bytes_total = max(tally.bytes_total, total.size_bytes)
            self._run.touch()

    def _is_complete(self) -> None:
        """Say that all is known."""
        tally = self._tally
        tally.files_total, tally.bytes_total = self.total.files, self.total.size_bytes
        tally.counting = False
        self._run.touch()


def _mark(where: Location) -> int:
    return hash(where.path)
