"""Keeps the jobs going: starts what may run, ends what has ended, and writes every change of state down."""

from __future__ import annotations

import asyncio
import itertools
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tui.engine.answering import Answering
from tui.engine.asking import Asking
from tui.engine.board import Board, Record
from tui.engine.cleanup import tidy_up
from tui.engine.limiter import Bucket
from tui.engine.opening import open_journal
from tui.engine.outcome import carry_out
from tui.engine.reversal import note_end
from tui.engine.rows import Cleanup
from tui.engine.run import Run, Stop
from tui.engine.settings import Limits, Settings
from tui.engine.shared import Shared
from tui.engine.states import States
from tui.engine.turns import Turns
from tui.model.error import FerryError
from tui.model.job import JobState
from tui.places.local.loss_notes import drop_notes
from tui.places.local.threads import DaemonThreads

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence

    from tui.engine.clock import Clock
    from tui.engine.journal import Journal
    from tui.model.ask import KnownHost
    from tui.model.job import Job
    from tui.model.location import Location
    from tui.places.base import Opener
    from tui.places.local.workers import Workers

logger = logging.getLogger(__name__)

TICK_S = 0.5
"""Rates of running jobs are shown anew this often, also when nothing moves."""

WORKERS_STAY_TICKS = 120
"""After a minute without a job worker processes end."""
CHECKPOINT_TICKS = 10
"""How far running jobs are is written down every so many ticks, to be shown after a crash."""

QUIT_PATIENCE_S = 0.7


class Keeper:
    """Every job's record, the runs of those that run, and the tasks behind them."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        limits: Limits,
        on_end: Callable[[Job], None] | None,
        workers: Workers,
        openers: Mapping[str, Callable[[], Opener]],
        hosts: Callable[[], tuple[KnownHost, ...]],
        homes: Collection[Location],
    ) -> None:
        self._journal, self._clock, self._on_end = journal, clock, on_end
        self.board = Board(int(clock.now() * 1000) * 1000)
        pool = DaemonThreads("disk")
        bucket = Bucket(clock, limits.bytes_s)
        self.asking = Asking(self.board, clock, openers, hosts, self._let_in)
        self.doors = self.asking.doors
        self.shared = Shared(
            journal, self.board, clock, pool, bucket, limits.slots, workers, self.doors, self.kick, homes
        )
        self.settings = Settings(self.shared, limits)
        self.states = States(journal, self.board, clock, self.asking)
        self._turns = Turns(journal, self.board, clock, self.kick)
        self._runs: dict[int, Run] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self.answering = Answering(journal, self.board, self._runs, self._go_on)
        self._kick = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._main: asyncio.Task[None] | None = None
        self._closing = False

    # Life

    async def start_up(self) -> str:
        records, note = await open_journal(self._journal, self._clock)
        await self.settings.restore()
        for record in records:
            self.board.add(record)
        under_way = (JobState.RUNNING, JobState.WAITING)
        await self.states.take_up([record for record in records if record.state in under_way])
        ready = asyncio.Event()
        self._main = asyncio.create_task(self._live(ready))
        await ready.wait()
        for record in self.board.records():
            if record.cleanup is not None:
                self._spawn(record, self._tidy)
        going = {record.row.tag for record in records if not record.state.is_final}
        self.shared.pool.submit(drop_notes, self._journal.notes, keep=going)
        self.kick()
        return note

    async def shut_down(self) -> None:
        if self._closing:
            return
        self._closing = True
        for run in self._runs.values():
            run.stop(Stop.QUIT)
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=QUIT_PATIENCE_S)
        if self._main is not None:
            self._main.cancel()
            await asyncio.gather(self._main, return_exceptions=True)
        await self.doors.close()
        for pool in (self.shared.pool, self._turns.lookout):
            pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self.shared.workers.end)
        await self.states.pay_debts()
        await self._journal.close()

    async def _live(self, ready: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = self.shared.group = group
            group.create_task(self._schedule())
            group.create_task(self._tick())
            ready.set()

    @property
    def idle(self) -> bool:
        busy = (JobState.QUEUED, JobState.RUNNING)
        return not self._tasks and not any(record.state in busy for record in self.board.records())

    # Scheduling

    async def take_up(self, id: int, *, forced: bool = False) -> int:
        """Put a job that was just written into the journal on the list, and return its id.

        Args:
            forced: It starts at once, whatever the lanes say.
        """
        (row,) = await self._journal.jobs(id)
        record = Record(row, self._clock)
        record.forced = forced
        self.board.add(record)
        self.kick()
        return id

    def kick(self) -> None:
        """Have the queue looked at: something changed that may let a job start."""
        self._kick.set()

    @contextmanager
    def kicked(self) -> Iterator[None]:
        """Have the queue looked at once, when all is done that may let jobs start: a long one takes its time."""
        try:
            yield
        finally:
            self.kick()

    def is_busy(self, record: Record) -> bool:
        """Say whether something still works on a job, whatever its state says."""
        return record.id in self._tasks

    async def _schedule(self) -> None:
        while True:
            await self._kick.wait()
            self._kick.clear()
            try:
                if not self._closing:
                    await self._start_what_may()
            except Exception:  # whatever went wrong with one job, the others need somebody to start them
                logger.exception("the queue could not be looked at")

    async def _start_what_may(self) -> None:
        assert self._group is not None
        for record in self._turns.next(self._tasks.keys(), self._group):
            if record.state is JobState.QUEUED:  # or somebody paused it while another was started
                await self._start(record)

    async def _start(self, record: Record) -> None:
        """Start a job, unless somebody pauses or cancels it while that is written down."""
        await self.states.set(record, JobState.RUNNING)
        if record.state is JobState.RUNNING:
            self._spawn(record, self._run)

    def _spawn(self, record: Record, work: Callable[[Record], Awaitable[None]]) -> None:
        assert self._group is not None
        self._tasks[record.id] = self._group.create_task(self._guarded(record, work))

    async def _guarded(self, record: Record, work: Callable[[Record], Awaitable[None]]) -> None:
        """Let nothing that goes wrong with one job end the others."""
        try:
            await work(record)
        except Exception as error:
            logger.exception("job %d: could not be brought to its end", record.id)
            self._break_off(record, error)
        finally:
            self._runs.pop(record.id, None)
            self._tasks.pop(record.id, None)
            self.board.announce()
            self.kick()

    def _break_off(self, record: Record, error: Exception) -> None:
        """Let no job seem to run that nothing works on any more. In the journal it runs: it goes on after a restart."""
        if record.state is not JobState.RUNNING:
            return
        record.state, record.ended_at = JobState.FAILED, self._clock.now()
        record.errors += 1
        record.note = error.message if isinstance(error, FerryError) else f"its end failed: {error!r}"
        self.board.touch(record)
        self._announce_end(record)

    async def _run(self, record: Record) -> None:
        run = self._runs[record.id] = Run(record, self.shared)
        run.insists = record.insists
        record.forced = record.insists = record.short = record.flush_failed = False
        record.meter.reset()
        logger.info("job %d: %s started", record.id, record.row.kind)
        try:
            state = await carry_out(run)
        finally:
            self.doors.leave(record.id)
        if state is not None:
            await self._end(record, state)
        elif record.state is JobState.RUNNING:
            if run.stop_reason is Stop.HOST:
                await self._await_host(record)
            else:
                await self.states.set(record, _AFTER_STOP.get(run.stop_reason, JobState.QUEUED))
        elif run.stop_reason is Stop.HOST:  # paused or cancelled as it was turned away
            self.asking.forget(record)
        await self._checkpoint(record)
        if record.cleanup is not None:
            await self._tidy(record)

    async def _end(self, record: Record, state: JobState) -> None:
        if record.state is not JobState.RUNNING:
            return  # paused or cancelled in the same moment: that holds
        if await self._journal.decisions(record.id, due=True, count=1):
            state = JobState.QUEUED  # answered in the same moment: it goes on at once
        if state is JobState.DONE:
            record.tally.files_total, record.tally.bytes_total = (
                record.tally.files_done,
                record.tally.bytes_done,
            )
        if state.is_final:
            await note_end(self._journal, self.board, record)
        await self.states.set(record, state)
        if state.is_final:
            self._announce_end(record)

    def _announce_end(self, record: Record) -> None:
        if self._on_end is not None:
            try:
                self._on_end(record.view())
            except Exception:
                logger.exception("job %d: what was to be done at its end failed", record.id)

    async def _tick(self) -> None:
        idle_ticks = 0
        for ticks in itertools.count(1):
            await self._clock.sleep(TICK_S)
            idle_ticks = 0 if self._tasks else idle_ticks + 1
            try:
                if idle_ticks == WORKERS_STAY_TICKS:
                    self.shared.pool.submit(self.shared.workers.end)
                await self._look_after(checkpoint=ticks % CHECKPOINT_TICKS == 0)
            except Exception:  # all jobs would end with this
                logger.exception("what runs could not be looked after")

    async def _look_after(self, *, checkpoint: bool) -> None:
        self.doors.close_idle()
        if self._turns.behind:
            self.kick()
        await self.states.pay_debts()
        for record in self.board.records():
            if record.state is JobState.RUNNING:
                self.board.touch(record)
                if checkpoint:
                    await self._checkpoint(record)

    async def _checkpoint(self, record: Record) -> None:
        try:
            await self._journal.update(record.id, record.columns())
        except FerryError as error:
            logger.warning("job %d: %s", record.id, error)

    # Hosts that ask

    async def _await_host(self, record: Record) -> None:
        """Put a job aside until somebody has answered what a host asks."""
        self.asking.turned_away(record)
        await self.states.set(record, JobState.WAITING)
        self.asking.waits(record)

    def _let_in(self, record: Record) -> None:
        if self._group is not None and not self._closing:
            self._group.create_task(self._go_on(record))

    async def _go_on(self, record: Record) -> None:
        """Have a job that waits take its turn again."""
        if record.state is JobState.WAITING:
            await self.states.decree([record], JobState.QUEUED)
            self.kick()

    # Changes of state

    def stop_run(self, record: Record, reason: Stop) -> None:
        """Make a job stop at the next entry or chunk, if it runs."""
        if run := self._runs.get(record.id):
            run.stop(reason)

    async def requeue(self, records: Sequence[Record], *, retry: bool = False) -> None:
        """Put paused or ended jobs back into the queue, which is to be looked at then: see `kicked`.

        Those that somebody else brings elsewhere meanwhile stay there.

        Args:
            retry: Of those that failed, just that is to be tried again.
        """
        # All before the first wait: somebody else may come meanwhile.
        were = [record.state for record in records]
        found = [(r, was, await self._errors_left(r)) for r, was in zip(records, were, strict=True)]
        failed_only = {
            r.id: retry and s is JobState.FAILED and await self._has_all_errors(r) for r, s, _ in found
        }
        going = [(record, errors) for record, was, errors in found if record.state is was]
        for record, errors in going:
            record.errors, record.lanes = errors, None
            if retry:
                record.failed_only, record.walked = failed_only[record.id], False
        await self.states.decree([record for record, _ in going], JobState.QUEUED)

    async def _errors_left(self, record: Record) -> int:
        """Forget of a paused job that it had no room; return how many errors it has."""
        if record.state is not JobState.PAUSED:
            return record.errors
        return await self._journal.drop_errors(record.id, code="OutOfSpace")

    async def _has_all_errors(self, record: Record) -> bool:
        """Say whether the journal knows all that failed: an error may have met a full disk on its way there."""
        return record.errors > 0 and bool(await self._journal.errors(record.id, record.errors - 1, 1))

    async def cancel(self, records: Sequence[Record], how: Cleanup) -> None:
        """End jobs for good; what they left half done is tidied up behind them."""
        for record in records:
            record.cleanup, record.questions = how, 0
        await self.states.decree(records, JobState.CANCELLED)
        for record in records:
            try:
                await self._journal.forget_questions(record.id)
            except FerryError as error:
                logger.warning("job %d: %s", record.id, error)
                self.states.owe(record)
            if record.id not in self._tasks:
                self._spawn(record, self._tidy)

    async def _tidy(self, record: Record) -> None:
        how = record.cleanup
        if how is None:
            return
        run = self._runs[record.id] = Run(record, self.shared)
        record.note = await tidy_up(run, how)
        self.shared.pool.submit(run.noting.drop)
        if how is Cleanup.DROP:
            record.losses.clear()
        record.cleanup = record.stage_for = None
        try:
            columns = {"cleanup": None, "note": record.note, **record.columns()}
            await self._journal.update(record.id, columns)
            await note_end(self._journal, self.board, record)
        except FerryError as error:
            logger.warning("job %d: %s", record.id, error)
            self.states.owe(record)
        self.board.touch(record)
        self._announce_end(record)

    async def settled(self, records: Sequence[Record], patience_s: float) -> None:
        """Wait a little until nothing works on these jobs any more."""
        tasks = [self._tasks[record.id] for record in records if record.id in self._tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=patience_s)

    def limit_job(self, record: Record, bytes_s: int | None) -> None:
        record.limit_bytes_s = bytes_s
        if run := self._runs.get(record.id):
            run.bucket.bytes_s = bytes_s
        self.board.touch(record)


_AFTER_STOP: dict[Stop | None, JobState] = {
    Stop.PAUSE: JobState.PAUSED,
    Stop.ROOM: JobState.WAITING,
    Stop.NAMES: JobState.WAITING,
}
