"""Whose turn it is: finds out what queued jobs need and touch, and tells those that do not start what they wait for."""

from __future__ import annotations

import asyncio
import logging
from itertools import islice
from typing import TYPE_CHECKING

import aiofiles.os

from tui.engine.lanes import MOST_SOURCES, lanes_of
from tui.engine.reach import Reach, is_light, reach_of
from tui.engine.scheduler import Candidate, plan
from tui.model.job import JobState
from tui.places.local.threads import DaemonThreads

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tui.engine.board import Board, Record
    from tui.engine.clock import Clock
    from tui.engine.journal import Journal
    from tui.engine.rows import JobRow, Source

logger = logging.getLogger(__name__)

HEAD = 50
"""Of a longer queue just so many are looked at whenever something changes; all of it now and then."""
WHOLE_SHARE = 20
"""A look at the whole queue is due when so many times as long has passed as the last one took."""

LANES_PATIENCE_S = 2.0
"""After so long without an answer from a disk, a job says that it waits for it."""


class Turns:
    """Chooses among the queued jobs on a board; it starts none itself.

    Args:
        changed: Called when something was found out that may let a job start.
    """

    def __init__(self, journal: Journal, board: Board, clock: Clock, changed: Callable[[], None]) -> None:
        self._journal, self._board, self._clock, self._changed = journal, board, clock, changed
        self.lookout = DaemonThreads("lookout")
        """Threads that ask disks: one that does not answer holds up nobody else."""
        self._looking: set[int] = set()
        self._silent: set[int] = set()
        """Jobs whose disks do not answer when asked which they are."""
        self._reaches: dict[int, Reach | None] = {}
        """Of queued and running jobs, what they touch; None where that is too much."""
        self._line: list[Record] = []
        """The queued jobs in the order of their turns, as of the last look at all of them."""
        self._whole_due = 0.0
        self.behind = False
        """Something changed since then: a look at all of them is owed."""

    def next(self, busy: Collection[int], group: asyncio.TaskGroup) -> list[Record]:
        """Return the queued jobs that may start now, in the order of their numbers.

        Who is first in line does not depend on those behind. So where thousands wait, not all of them are looked at
        for each that starts or ends: what is new in the queue, or has its disks to itself, may wait a moment for the
        next look at the whole.

        Args:
            busy: Jobs that something works on, by number.
            group: For the tasks that look for the disks of the others.
        """
        queued = [r for r in self._board.records() if r.state is JobState.QUEUED and r.id not in busy]
        began = self._clock.monotonic()
        self.behind = len(queued) > HEAD and began < self._whole_due
        if self.behind:
            return self._choose(self._head(queued), busy, group)
        self._line = sorted(queued, key=lambda record: (-record.priority, record.position, record.id))
        wanted = {*busy, *(record.id for record in queued)}
        self._reaches = {id: reach for id, reach in self._reaches.items() if id in wanted}
        chosen = self._choose(queued, busy, group)
        ended = self._clock.monotonic()
        self._whole_due = ended + WHOLE_SHARE * (ended - began)
        return chosen

    def _head(self, queued: Sequence[Record]) -> list[Record]:
        """Return those whose turn comes first, and those that wait for none."""
        forced = [record for record in queued if record.forced]
        there = {record.id for record in queued}
        head = islice((r for r in self._line if r.id in there and not r.forced), HEAD)
        return [*forced, *head]

    def _choose(
        self, queued: Sequence[Record], busy: Collection[int], group: asyncio.TaskGroup
    ) -> list[Record]:
        """Return which of these may start, look for the disks of those that are new, and explain the others."""
        for record in queued:
            known = record.lanes is not None and record.id in self._reaches
            if not known and record.id not in self._looking:
                self._looking.add(record.id)
                group.create_task(self._find_lanes(record))
        running = [found for id in busy if (found := self._board.get(id)) is not None]
        what = plan([self._candidate(r) for r in queued], [self._candidate(r) for r in running])
        starting = frozenset(what.start)
        for record in queued:
            if record.id not in starting:
                self._explain(record, what.blocked.get(record.id, 0))
        return [record for record in queued if record.id in starting]

    def _candidate(self, record: Record) -> Candidate:
        awaited = record.lanes is None and record.id not in self._silent
        lanes, away, reach = _held(record), record.absent is not None, self._reaches.get(record.id)
        return Candidate(
            record.id, record.priority, record.position, lanes, record.forced, awaited, away,
            light=self._is_light(record), reach=reach,
        )  # fmt: skip

    def _is_light(self, record: Record) -> bool:
        known = record.lanes is not None and self._reaches.get(record.id) is not None
        return known and is_light(record.row, record.lanes or frozenset())

    def _explain(self, record: Record, blocker: int) -> None:
        if record.lanes is None:
            return
        holder = self._board.get(blocker)
        shared = record.lanes & (_held(holder) or frozenset()) if holder is not None else frozenset()
        what = "host" if shared and max(shared) < 0 else "disk"
        if holder is not None and holder.absent is None and self._is_light(record):
            what = "files"
        note = f"waits for job {blocker} on the same {what}" if blocker else "waits for its turn"
        if note != record.note:
            record.note = note
            self._board.touch(record)

    async def _find_lanes(self, record: Record) -> None:
        """Find out what a job needs and touches. A disk that does not answer keeps this job waiting, and no other."""
        try:
            sources = await self._journal.sources(record.id, 0, MOST_SOURCES)
            look = aiofiles.os.wrap(_look)
            looking = asyncio.ensure_future(look(record.row, sources, executor=self.lookout))
            await asyncio.wait({looking}, timeout=LANES_PATIENCE_S)
            if not looking.done():
                record.note = "waits for a disk that does not answer"
                self._board.touch(record)
                self._silent.add(record.id)
                self._changed()
            record.lanes, self._reaches[record.id] = await looking
        except Exception:  # it runs beside whatever else runs, rather than never
            logger.exception("job %d: its disks could not be found out", record.id)
            record.lanes, self._reaches[record.id] = frozenset(), None
        finally:
            self._looking.discard(record.id)
            self._silent.discard(record.id)
        self._changed()


def _look(row: JobRow, sources: Sequence[Source]) -> tuple[frozenset[int], Reach | None]:
    return lanes_of([source.location for source in sources], row.target), reach_of(row, sources)


def _held(record: Record) -> frozenset[int] | None:
    """Return the lanes a job needs; where it waits for a host that does not answer, that of the host alone."""
    return record.lanes if record.absent is None else frozenset({record.absent})
