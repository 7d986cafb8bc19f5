"""Which queued jobs may run now. Pure: jobs that share a device take turns, those that share none run side by side."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_AT_ONCE = 8
"""Jobs that run at the same time, whatever the lanes say; those started by hand are not held back."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job as the scheduler sees it.

    Attributes:
        lanes: The devices it reads or writes; None while they are not known yet.
        forced: "Start now": it waits for nothing.
        awaited: Its devices will be known in a moment: nobody behind it starts before.
        away: It waits for a host that does not answer, and takes up no place meanwhile.
    """

    id: int
    priority: int
    position: int
    lanes: frozenset[int] | None
    forced: bool = False
    awaited: bool = False
    away: bool = False

    @property
    def turn(self) -> tuple[int, int, int]:
        return (-self.priority, self.position, self.id)


@dataclass(slots=True)
class Plan:
    """Who starts, and for each that does not, the running or earlier job it waits for (0: none in particular)."""

    start: list[int] = field(default_factory=list)
    blocked: dict[int, int] = field(default_factory=dict)


def plan(queued: list[Candidate], running: list[Candidate]) -> Plan:
    """Return which of the queued jobs may start beside the running ones.

    A job also keeps its turn against those behind it: one that waits for a lane holds its other lanes back from
    later jobs, else a job that needs two disks could wait for ever. It does not where the lane is that of a host
    which does not answer: then nobody knows how long it waits.
    """
    result = Plan()
    holder: dict[int, int] = {lane: job.id for job in running for lane in job.lanes or ()}
    count = sum(not job.away for job in running)
    absent = frozenset(lane for job in running if job.away for lane in job.lanes or ())
    awaited = False
    for job in sorted(queued, key=lambda job: (not job.forced, job.turn)):
        awaited |= job.awaited and not job.forced
        blocker = 0 if awaited else _blocker(job, holder, count)
        if blocker is None:
            result.start.append(job.id)
            count += 1
        else:
            result.blocked[job.id] = blocker
        lanes = job.lanes or frozenset()
        if blocker is not None and lanes & absent:
            lanes &= absent
        for lane in lanes:
            holder.setdefault(lane, job.id)
    return result


def _blocker(job: Candidate, holder: dict[int, int], count: int) -> int | None:
    """Return the job this one waits for, 0 for a free place, or None where it may start."""
    if job.forced:
        return None
    if job.lanes is None:
        return 0
    for lane in sorted(job.lanes):
        if lane in holder:
            return holder[lane]
    return 0 if count >= MOST_AT_ONCE else None
