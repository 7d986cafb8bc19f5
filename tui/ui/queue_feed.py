"""The queue as the screen knows it: updates of the client folded into an ordered list of jobs."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.model.error import FerryError
from tui.model.job import Disconnected, Job, JobKind, JobState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.client.base import Queue
    from tui.model.ask import HostQuestion
    from tui.model.job import EngineStatus, Update

_logger = logging.getLogger(__name__)

RETRY_S = 1.0
"""Pause before the updates are asked for again where they ended."""
QUIET_S = 2.0
"""After so long without a word while a job runs, the engine is asked whether it is there."""
ANSWERS_WITHIN_S = 3.0
"""An engine that has not answered that by then does not answer."""
_GOING_ON = (JobState.RUNNING, JobState.QUEUED)
_MOVES_BYTES = (JobKind.COPY, JobKind.MOVE, JobKind.SYNC)


@dataclass(frozen=True, slots=True)
class Fold:
    """What one update brought beside new numbers."""

    ended: tuple[Job, ...] = ()
    """Jobs that were seen unfinished before and are final now."""
    asked: tuple[Job, ...] = ()
    """Jobs that had no question before and have one now."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is still to be moved by the jobs that go on by themselves: not by those that are paused, or wait for us."""

    size_bytes: int = 0
    complete: bool = True
    """Whether all of it was counted; a job counts when it starts."""
    time_s: float | None = None
    """None where nobody can know."""


class QueueState:
    """All jobs and the engine, as of the last update."""

    def __init__(self) -> None:
        self.status: EngineStatus | None = None
        """None until the engine has answered once."""
        self.lost = ""
        """Why the engine does not answer, while it does not."""
        self.silent = False
        """Whether the engine says nothing although it is there: its process was stopped, or is starved."""
        self.heard_s = float("-inf")
        """When it said something last, by the monotonic clock."""
        self.host_questions: tuple[HostQuestion, ...] = ()
        """What hosts ask now."""
        self._jobs: dict[int, Job] = {}
        self._ordered: tuple[Job, ...] | None = ()

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Every job, what needs somebody first: waiting, failed, running, those to come in their order, then ended.

        Failed and ended ones go by their end, the last first.
        """
        if self._ordered is None:
            self._ordered = tuple(sorted(self._jobs.values(), key=_rank))
        return self._ordered

    def get(self, id: int) -> Job | None:
        return self._jobs.get(id)

    def shown(self, job: Job) -> Job:
        """Return a job as far as it is known: without how fast it goes where the engine does not tell."""
        if self.is_heard:
            return job
        return replace(job, progress=replace(job.progress, rate_bytes_s=0.0, time_left_s=None))

    def count(self, *states: JobState) -> int:
        return sum(job.state in states for job in self._jobs.values())

    @property
    def is_heard(self) -> bool:
        """Whether the engine tells how things are now."""
        return self.status is not None and not self.lost and not self.silent

    @property
    def rate_bytes_s(self) -> float:
        """All running jobs together; 0 where nobody can know."""
        if self.status is None or not self.is_heard or not self.count(JobState.RUNNING):
            return 0.0
        return self.status.rate_bytes_s

    @property
    def left(self) -> Left:
        """All jobs that go on by themselves, together."""
        going_on = [job for job in self._jobs.values() if job.state in _GOING_ON and job.kind in _MOVES_BYTES]
        size_bytes = sum(max(0, job.progress.bytes_total - job.progress.bytes_done) for job in going_on)
        complete = all(_is_counted(job) for job in going_on)
        if not (complete and size_bytes and self.rate_bytes_s):
            return Left(size_bytes, complete)
        told = [job.progress.time_left_s for job in going_on if job.state is JobState.RUNNING]
        if len(told) == len(going_on) and None not in told:  # the same as the jobs' own lines say
            return Left(size_bytes, complete, max(filter(None, told), default=0.0))
        return Left(size_bytes, complete, size_bytes / self.rate_bytes_s)

    def fold(self, update: Update | Disconnected) -> Fold:
        """Take one update in, and say what it brought."""
        self.silent, self.heard_s = False, time.monotonic()
        if isinstance(update, Disconnected):
            self.lost = update.reason or "the engine does not answer"
            return Fold()
        self.lost = ""
        self.status = update.status
        self.host_questions = update.host_questions
        before = self._jobs
        kept = {} if update.full else dict(before)
        kept.update((job.id, job) for job in update.jobs)
        for id in update.removed:
            kept.pop(id, None)
        self._jobs, self._ordered = kept, None
        return Fold(
            tuple(job for job in update.jobs if _has_ended(before.get(job.id), job)),
            tuple(job for job in update.jobs if _asks_anew(before.get(job.id), job)),
        )


def _rank(job: Job) -> tuple[int, float, float]:
    if job.state is JobState.FAILED:
        return 1, -(job.ended_at or 0.0), -job.id
    if job.state.is_final:
        return 4, -(job.ended_at or 0.0), -job.id
    needs_somebody = job.asks or job.state is JobState.WAITING
    group = 0 if needs_somebody else 2 if job.state is JobState.RUNNING else 3
    return group, -job.priority, job.position


def _is_counted(job: Job) -> bool:
    progress = job.progress
    return not progress.counting and bool(progress.files_total or progress.bytes_total)


def _has_ended(before: Job | None, now: Job) -> bool:
    return before is not None and not before.state.is_final and now.state.is_final


def _asks_anew(before: Job | None, now: Job) -> bool:
    return now.asks and (before is None or not before.asks)


async def follow(queue: Queue, state: QueueState) -> AsyncIterator[Fold]:
    """Fold the queue's updates into `state` for ever, and yield what each brought.

    The client reconnects by itself; where its updates end or fail all the same, they are asked for again.
    """
    while True:
        try:
            async for update in queue.updates():
                yield state.fold(update)
            reason = "the updates of the queue ended"
        except FerryError as error:
            reason = error.message
        _logger.warning("queue updates: %s; trying again", reason)
        yield state.fold(Disconnected(reason))
        await asyncio.sleep(RETRY_S)


async def watch(queue: Queue, state: QueueState) -> AsyncIterator[None]:
    """Ask the engine whether it is there where it says nothing while a job runs; yield whenever that has changed.

    A process that was stopped keeps its connections: the last numbers would stand for ever as if they were true.
    """
    while True:
        await asyncio.sleep(QUIET_S)
        heard_s = state.heard_s
        is_quiet = time.monotonic() - heard_s >= QUIET_S and state.count(JobState.RUNNING)
        if state.lost or not (state.silent or is_quiet):
            continue
        silent = not await _answers(queue)
        if state.heard_s == heard_s and silent is not state.silent:
            state.silent = silent
            yield


async def _answers(queue: Queue) -> bool:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            await queue.status()
    except (TimeoutError, FerryError):
        return False
    return True
