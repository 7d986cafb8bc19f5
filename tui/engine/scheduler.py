"""Which queued jobs may run now. Pure: jobs that share a device take turns, those that share none run side by side.

Light jobs, which bring no content anywhere, wait for no device: only for earlier jobs that touch the same entries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.engine.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_AT_ONCE = 8
"""Jobs that run at the same time, whatever the lanes say; those started by hand are not held back."""
MOST_LIGHT = 4
"""Light jobs that run at the same time, beside the others."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job as the scheduler sees it.

    Attributes:
        lanes: The devices it reads or writes; None while they are not known yet.
        forced: "Start now": it waits for nothing.
        awaited: Its devices will be known in a moment: nobody behind it starts before.
        away: It waits for a host that does not answer, and takes up no place meanwhile.
        light: It brings no content anywhere, and its reach is known.
        reach: The entries it touches; None where that is not known: then all of its devices.
    """

    id: int
    priority: int
    position: int
    lanes: frozenset[int] | None
    forced: bool = False
    awaited: bool = False
    away: bool = False
    light: bool = False
    reach: Reach | None = None

    @property
    def turn(self) -> tuple[int, int, int]:
        return (-self.priority, self.position, self.id)

    def meets(self, other: Candidate) -> bool:
        """Say whether both touch the same entries, or may."""
        if self.reach is None or other.reach is None:
            return bool((self.lanes or frozenset()) & (other.lanes or frozenset()))
        return self.reach.meets(other.reach)


@dataclass(slots=True)
class Plan:
    """Who starts, and for each that does not, the running or earlier job it waits for (0: none in particular).

    That is the last one before it in line: so it stays the same while those before that one come and go.
    """

    start: list[int] = field(default_factory=list)
    blocked: dict[int, int] = field(default_factory=dict)


def plan(queued: list[Candidate], running: list[Candidate]) -> Plan:
    """Return which of the queued jobs may start beside the running ones.

    A job also keeps its turn against those behind it: one that waits for a lane holds its other lanes back from
    later jobs, else a job that needs two disks could wait for ever. It does not where the lane is that of a host
    which does not answer: then nobody knows how long it waits. A light job holds its lanes as well, for room that it
    makes may be meant for those behind it; for one that was passed by it, it does not.
    """
    result = Plan()
    begun = [job for job in running if job.light]
    holder = {lane: job.id for job in running if not job.light for lane in job.lanes or ()}
    absent = {lane: job.id for job in running if job.away for lane in job.lanes or ()}
    here = [job.light for job in running if not job.away]
    count, light = here.count(False), here.count(True)
    ahead, awaited = list(running), False
    for job in sorted([*begun, *queued], key=lambda job: (not job.forced, job.turn)):
        lanes = job.lanes or frozenset()
        if job not in begun:
            awaited |= job.awaited and not job.forced
            blocker = _blocker(job, holder, count) if not job.light else _met(job, absent, ahead, light)
            if awaited or blocker is not None:
                result.blocked[job.id] = 0 if awaited else blocker or 0
                lanes = lanes.intersection(absent) or lanes
            else:
                result.start.append(job.id)
                light, count = light + job.light, count + (not job.light)
            ahead.append(job)
        for lane in lanes:
            holder[lane] = job.id
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


def _met(job: Candidate, absent: dict[int, int], ahead: Sequence[Candidate], count: int) -> int | None:
    """Return the same of a light job."""
    if job.forced:
        return None
    for lane in sorted((job.lanes or frozenset()).intersection(absent)):
        return absent[lane]
    if count >= MOST_LIGHT:
        return 0
    return next((other.id for other in ahead if job.meets(other)), None)
