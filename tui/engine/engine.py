"""The queue's facade: what clients may ask of it. It owns no socket and no signal handler."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING

from tui.engine.drafts import Drafts
from tui.engine.far.browsing import Browsing
from tui.engine.feed import Feed
from tui.engine.keeper import Keeper
from tui.engine.losses import EXAMPLES
from tui.engine.naming import may_change_names
from tui.engine.planner import check_limit, check_priority, neighbour_order, refuse
from tui.engine.rows import Cleanup
from tui.engine.run import Stop
from tui.engine.second_thoughts import SecondThoughts
from tui.engine.settings import Limits
from tui.engine.verification import further_parts_for, request_for
from tui.model.error import NoSuchJob, UsageError
from tui.model.job import Conflict, EngineStatus, JobKind, JobState
from tui.model.location import LOCAL
from tui.model.parts import PART, first_part, further_parts
from tui.places.local.workers import Workers

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Callable,
        Collection,
        Iterable,
        Mapping,
        Sequence,
    )

    from tui.engine.board import Record
    from tui.engine.clock import Clock
    from tui.engine.journal import Journal
    from tui.model.ask import HostQuestion, KnownHost
    from tui.model.fidelity import Lost
    from tui.model.job import Job, JobError, Question, Request, Update
    from tui.model.location import Location
    from tui.model.misfit import Misfits, Names
    from tui.model.parts import Part
    from tui.places.base import Opener

__all__ = ["Engine", "Limits"]

MOST_SLOTS = 32

CANCEL_PATIENCE_S = 0.15
"""So long `cancel` waits for half files to be gone; what takes longer is tidied up behind it."""

TIDY_PATIENCE_S = 2.0
"""So long `remove` waits for jobs that have ended to be tidied up."""

NO_OPENERS: Mapping[str, Callable[[], Opener]] = MappingProxyType({})
"""No other place than the local disk can be reached."""

ANSWERS = (Conflict.SKIP, Conflict.OVERWRITE, Conflict.NEWER, Conflict.RENAME)


class Engine:
    """The durable queue, as `tui.client.base.Queue` says, with a life from `start_up` to `shut_down`."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        limits: Limits,
        on_end: Callable[[Job], None] | None = None,
        *,
        version: str = "",
        protocol: int = 1,
        in_process: bool = False,
        workers: Workers | None = None,
        openers: Mapping[str, Callable[[], Opener]] = NO_OPENERS,
        hosts: Callable[[], tuple[KnownHost, ...]] = tuple,
        homes: Collection[Location] = (),
    ) -> None:
        """Take what varies; nothing is opened or started yet.

        Args:
            on_end: Called with a job when it is done, failed or cancelled.
            workers: Processes that copy small files, ended with the engine; None: threads do it.
            openers: What connects to places, by scheme.
            hosts: Tells what may be connected to; called in a thread.
            homes: The user's home folders, which no job removes.
        """
        self._journal = journal
        self._clock = clock
        self._keeper = Keeper(journal, clock, limits, on_end, workers or Workers(0), openers, hosts, homes)
        self._board, self._doors, self._asking = self._keeper.board, self._keeper.doors, self._keeper.asking
        self._feed = Feed(self._board, clock, self._status, self._asking.questions)
        self.browsing = Browsing(self._doors, clock, self._uploads_held)
        """What clients see of other places."""
        self.drafts = Drafts(journal, self._keeper, clock, (LOCAL, *self._doors.schemes))
        """Requests that come in parts."""
        self._thoughts = SecondThoughts(journal, self._keeper, clock)
        self._version, self._protocol, self._in_process = version, protocol, in_process
        self._started_at = clock.now()
        self.note = ""
        """What went wrong when the journal was opened, in one sentence, or empty."""

    async def start_up(self) -> None:
        """Open the journal and go on with every job where it was left."""
        self.note = await self._keeper.start_up()

    async def shut_down(self) -> None:
        """Stop at once, keeping every job: running ones are queued again, half files are gone on with next time."""
        await self.browsing.close()
        await self._keeper.shut_down()

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits for its turn: paused jobs and open questions need no engine."""
        return self._keeper.idle

    async def _uploads_held(self) -> set[str]:
        """Return what stores call the half uploads of jobs that may go on."""
        going = [record.row.tag for record in self._board.records() if record.state is not JobState.DONE]
        return {id for tag in going for _, id in await self._journal.uploads(tag)}

    # Jobs

    async def submit(self, request: Request) -> int:
        if len(request.sources) <= PART:
            return await self.drafts.submit_whole(request)
        return await self.drafts.submit_parts(first_part(request), _each(further_parts(request)))

    async def undo(self, id: int) -> int:
        return await self._thoughts.undo(self._get(id))

    async def note_step(self, kind: JobKind, location: Location, before: Location) -> int:
        return await self._thoughts.note_step(kind, location, before)

    async def verify(self, id: int) -> int:
        record = self._get(id)
        request = await request_for(self._journal, record)
        if record.row.source_count <= PART:
            return await self.drafts.submit_whole(request)
        return await self.drafts.submit_parts(request, further_parts_for(self._journal, record))

    async def jobs(self) -> tuple[Job, ...]:
        return self._board.listing()

    async def job(self, id: int, seconds: float = 0.0) -> Job:
        """Return a job; one that is to go on or goes on is waited for so long at most."""
        record = self._get(id)
        await self._feed.rest(record, seconds)
        return record.view()

    async def request(self, id: int) -> Request:
        self._get(id)
        return await self._journal.request(id)

    async def sources(self, id: int, start: int = 0, count: int = PART) -> tuple[Location, ...]:
        self._get(id)
        return tuple(source.location for source in await self._journal.sources(id, start, min(count, PART)))

    async def updates(self) -> AsyncIterator[Update]:
        """Yield all jobs at once, then what changes."""
        async for update in self.subscribe(None):
            yield update

    def subscribe(self, after: int | None) -> AsyncGenerator[Update]:
        """Yield what changed after a sequence number, and then what changes; all jobs first where that is not known."""
        return self._feed.subscribe(after)

    # Starting and stopping

    async def pause(self, ids: Sequence[int] | None = None) -> None:
        live = (JobState.QUEUED, JobState.RUNNING, JobState.WAITING, JobState.PAUSED)
        records = [r for r in self._chosen(ids, "pause", *live) if r.state is not JobState.PAUSED]
        for record in records:
            self._keeper.stop_run(record, Stop.PAUSE)
        await self._keeper.states.decree(records, JobState.PAUSED)

    async def resume(self, ids: Sequence[int] | None = None) -> None:
        live = (JobState.PAUSED, JobState.QUEUED, JobState.RUNNING, JobState.WAITING)
        with self._keeper.kicked():
            await self._keeper.requeue([r for r in self._chosen(ids, "resume", *live) if _is_held(r)])

    async def cancel(self, ids: Sequence[int] | None = None, *, keep: bool = True) -> None:
        live = (JobState.QUEUED, JobState.RUNNING, JobState.PAUSED, JobState.WAITING)
        records = self._chosen(ids, "cancel", *live)
        for record in records:
            self._keeper.stop_run(record, Stop.CANCEL)
        await self._keeper.cancel(records, Cleanup.KEEP if keep else Cleanup.DROP)
        await self._keeper.settled(records, CANCEL_PATIENCE_S)

    async def retry(self, ids: Sequence[int] | None = None) -> None:
        with self._keeper.kicked():
            records = self._chosen(ids, "retry", JobState.FAILED, JobState.CANCELLED)
            await self._keeper.requeue(records, retry=True)

    async def start(self, ids: Sequence[int]) -> None:
        live = (JobState.QUEUED, JobState.PAUSED, JobState.RUNNING, JobState.WAITING)
        with self._keeper.kicked():
            records = self._chosen(ids, "start", *live)
            for record in records:
                record.forced, record.insists = True, record.short
            await self._keeper.requeue([record for record in records if _is_held(record)])

    async def remove(self, ids: Sequence[int] | None = None) -> None:
        records = self._chosen(ids, "remove", JobState.DONE, JobState.FAILED, JobState.CANCELLED)
        await self._keeper.settled(records, TIDY_PATIENCE_S)
        for record in records:
            if ids is not None and self._keeper.is_busy(record):
                raise refuse(f"remove job {record.id}", "it is still being tidied up; try again in a moment")
        going = [r for r in records if r.state.is_final and not self._keeper.is_busy(r)]
        # Off the list first: nobody takes up again what is being removed.
        self._board.take_off([record.id for record in going])
        try:
            await self._journal.remove([record.id for record in going])
        except BaseException:
            for record in going:
                self._board.add(record)
            raise

    async def restore(self) -> tuple[int, ...]:
        ids = await self._journal.restore()
        if not ids:
            raise refuse("bring jobs back", "none was taken off the list since the last were brought back")
        for id in ids:
            await self._keeper.take_up(id)
        return tuple(ids)

    # Order and limits

    async def reorder(self, ids: Sequence[int], where: str) -> None:
        moving = {record.id for record in self._chosen(ids, "move", *_NOT_ENDED)}
        waiting = [record for record in self._board.records() if not record.state.is_final]
        waiting.sort(key=lambda record: (-record.priority, record.position, record.id))
        order = neighbour_order([record.id for record in waiting], moving, where)
        places = sorted(record.position for record in waiting)
        positions = list(zip(order, places, strict=True))
        await self._journal.set_positions(positions)
        for id, position in positions:
            record = self._get(id)
            if record.position != position:
                record.position = position
                self._board.touch(record)
        self._keeper.kick()

    async def set_priority(self, ids: Sequence[int], priority: int) -> None:
        check_priority(priority)
        for record in self._chosen(ids, "change the priority of", *_NOT_ENDED):
            await self._journal.update(record.id, {"priority": priority})
            record.priority = priority
            self._board.touch(record)
        self._keeper.kick()

    async def limit(self, bytes_s: int | None, ids: Sequence[int] | None = None) -> None:
        check_limit(bytes_s)
        if ids is None:
            await self._keeper.settings.set_limit(bytes_s)
            return
        for record in self._chosen(ids, "limit", *_NOT_ENDED):
            await self._journal.update(record.id, {"limit_bytes_s": bytes_s})
            self._keeper.limit_job(record, bytes_s)

    async def set_slots(self, slots: int) -> None:
        if not 1 <= slots <= MOST_SLOTS:
            raise UsageError(f"files at once: 1 to {MOST_SLOTS}, not {slots}")
        await self._keeper.settings.set_slots(slots)

    # Conflicts

    async def set_conflict(self, ids: Sequence[int], rule: Conflict) -> None:
        # A failed job may be about names that were taken: its retry goes by the new rule.
        for record in self._chosen(ids, "change the conflict rule of", *_NOT_ENDED, JobState.FAILED):
            await self._keeper.answering.set_rule(record, rule)

    async def set_names(self, ids: Sequence[int], names: Names) -> None:
        records = self._chosen(ids, "change the names of", *_NOT_ENDED)
        for record in records:
            if record.row.kind not in (JobKind.COPY, JobKind.MOVE):
                raise refuse(f"change the names of job {record.id}", f"it is a {record.row.kind}")
            if not may_change_names(record.row):
                raise refuse(
                    f"change the names of job {record.id}", "it is a move from or a job to another host"
                )
            if self._keeper.answering.has_names(record):
                raise refuse(f"change the names of job {record.id}", "it has begun")
        await self._keeper.answering.set_names(records, names)

    async def misfits(self, id: int) -> Misfits:
        return self._get(id).misfits

    async def answer(self, question: int, rule: Conflict, *, for_all: bool = False) -> None:
        if rule not in ANSWERS:
            raise UsageError(f"a conflict is answered by {', '.join(ANSWERS)}, not {rule}")
        found = await self._journal.questions(None, id=question)
        record = self._board.get(found[0].job) if found else None
        if record is None:
            raise refuse(f"answer question {question}", "it was answered already, or its job has gone")
        if for_all:
            await self._keeper.answering.set_rule(record, rule)
        else:
            await self._keeper.answering.decide(record, rule, question)

    async def host_questions(self) -> tuple[HostQuestion, ...]:
        return self._asking.questions()

    async def answer_host(self, id: int, answer: str | None) -> None:
        self._asking.answer(id, answer)

    async def hosts(self) -> tuple[KnownHost, ...]:
        return await self._asking.hosts()

    async def questions(self, id: int | None = None, count: int = 100) -> tuple[Question, ...]:
        if id is not None:
            self._get(id)
        return await self._journal.questions(id, count)

    async def errors(self, id: int, start: int = 0, count: int = 1000) -> tuple[JobError, ...]:
        self._get(id)
        return await self._journal.errors(id, start, count)

    async def losses(self, id: int) -> tuple[Lost, ...]:
        record = self._get(id)
        unmade = await self._journal.unmade(id, EXAMPLES)
        return record.losses.report() + ((unmade,) if unmade else ())

    async def status(self) -> EngineStatus:
        return self._status()

    def _status(self) -> EngineStatus:
        keeper = self._keeper
        running = (record for record in self._board.records() if record.state is JobState.RUNNING)
        return EngineStatus(
            pid=os.getpid(),
            version=self._version,
            protocol=self._protocol,
            started_at=self._started_at,
            limit_bytes_s=keeper.shared.bucket.bytes_s,
            slots=keeper.shared.slots,
            rate_bytes_s=sum(record.meter.rate for record in running),
            in_process=self._in_process,
            note=self.note,
        )

    def _get(self, id: int) -> Record:
        record = self._board.get(id)
        if record is None:
            raise NoSuchJob(f"there is no job {id}")
        return record

    def _chosen(self, ids: Iterable[int] | None, what: str, *states: JobState) -> list[Record]:
        """Return the jobs meant: all in one of these states, or those named, which must be.

        Raises:
            NoSuchJob, NotPossible: Before anything was done to any of them.
        """
        if ids is None:
            return [record for record in self._board.records() if record.state in states]
        records = [self._get(id) for id in dict.fromkeys(ids)]
        for record in records:
            if record.state not in states:
                raise refuse(f"{what} job {record.id}", f"it is {record.state}")
        return records


async def _each(parts: Iterable[Part]) -> AsyncIterator[Part]:
    for part in parts:
        yield part


def _is_held(record: Record) -> bool:
    """Say whether a job goes on when somebody says so."""
    return record.state is JobState.PAUSED or (record.short and record.state is JobState.WAITING)


_NOT_ENDED = (JobState.QUEUED, JobState.RUNNING, JobState.PAUSED, JobState.WAITING)
