"""The jobs as they stand now, in memory, and what of it changed since a given revision."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from tui.engine.losses import Losses
from tui.engine.meter import Meter, time_left
from tui.engine.tally import Tally
from tui.model.job import Job, JobState, Progress, Stage
from tui.model.misfit import Misfits
from tui.places.local.name_rules import NameRules
from tui.places.local.staging import stage_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.engine.clock import Clock
    from tui.engine.rows import JobRow
    from tui.model.location import Location

TOMBSTONES = 1000
"""So many removed jobs are remembered; a client that missed more gets everything afresh."""

FLUSHING = "flushing to disk…"


class Record:
    """One job in memory: what it was asked, how it stands, and whoever works on it."""

    # What the journal does not keep: an engine started anew begins with these.

    unflushed = False
    """Something was written since the disk was last seen to have taken all."""
    renamed = False
    """The same of names only."""
    flushing = False
    flushes = 0
    """So many flushes are under way of what it wrote to."""
    flush_failed = False
    """A doubt came up since it was started last: what it does now does not settle it."""
    current: Location | None = None
    _bytes_before: int | None = None
    """What the job had done when it began to build the tree it builds."""
    verifying = 0
    """So many large files are being read back."""
    lanes: frozenset[int] | None = None
    absent: int | None = None
    """The lane of the host that does not answer: while the job waits for it, it holds no other."""
    forced = False
    short = False
    """It stopped for want of room."""
    insists = False
    """Its next go does not ask whether it fits."""
    wants_host = False
    """It waits for the answer to what a host asks."""
    halves: dict[Location, int] | None = None
    """Of a job between places: the target folders that may hold half files; None: nobody knows any more."""
    fault = ""
    """Why it fails, where no error of it could be written down that says so."""
    walked = False
    """Everything was looked at since this engine started: only answers are missing."""
    revision = 0

    def __init__(self, row: JobRow, clock: Clock) -> None:
        self.row = row
        """As it was read from the journal; what may change is kept in the attributes below."""
        self.state = row.state
        self.conflict = row.conflict
        self.priority = row.priority
        self.position = row.position
        self.limit_bytes_s = row.limit_bytes_s
        self.started_at = row.started_at
        self.ended_at = row.ended_at
        self.note = row.note
        self.walk = row.walk
        self.failed_only = row.failed_only
        self.cleanup = row.cleanup
        self.errors = row.errors
        self.questions = row.questions
        self.undone_by = row.undone_by
        self.reversible = row.reversible
        self.doubtful = row.doubtful
        self.checkpoint = row.checkpoint
        self.unflushed_on = {int(device) for device in row.unflushed.split()}
        """The filesystems it wrote to, since it last knew that the disk had everything."""
        self.names = row.names
        self.name_rules = NameRules.from_text(row.name_rules) if row.name_rules else None
        """What the target's filesystem takes; None: not known yet, or all."""
        self.misfits = Misfits()
        """What does not fit there, while nobody has said what to do."""
        self.stage_for = row.stage_for
        """The final location of the tree being built. After a crash it may have been published: nobody sees that."""
        self.tally = Tally.of(row)
        self.losses = Losses(row.losses)
        self.meter = Meter(clock)
        self.under_way = row.started_at is not None and not row.state.is_final
        """It had begun before this engine did: whether its hosts answered then, nobody knows; they may have."""
        self.reached: set[tuple[str, str]] = set()
        """The places that answered it since, by scheme and authority."""

    @property
    def id(self) -> int:
        return self.row.id

    def __repr__(self) -> str:
        return f"<{self.row.kind} job {self.id}, {self.state}, {self.tally.files_shown} files done>"

    def begin_stage(self, final: Location) -> None:
        """Note which tree is being built from now on."""
        self.stage_for, self._bytes_before = final, self.tally.bytes_done

    def columns(self) -> dict[str, object]:
        """Return what the journal keeps of how far it is."""
        stage_for = self.stage_for.url if self.stage_for else None
        return self.tally.columns() | {
            "stage_for": stage_for,
            "losses": self.losses.column(),
            "unflushed": " ".join(map(str, sorted(self.unflushed_on))),
            "checkpoint": self.checkpoint,
        }

    def view(self) -> Job:
        """Return the job as clients see it."""
        row = self.row
        return Job(
            id=row.id,
            kind=row.kind,
            state=self.state,
            first_source=row.first_source,
            source_count=row.source_count,
            target=row.target,
            into=row.into,
            conflict=self.conflict,
            priority=self.priority,
            limit_bytes_s=self.limit_bytes_s,
            position=self.position,
            created_at=row.created_at,
            revision=self.revision,
            started_at=self.started_at,
            ended_at=self.ended_at,
            progress=self._progress(),
            note=FLUSHING if self.flushing else self.note,
            stage=self._stage(),
            verify=row.verify,
            names=self.names,
            misfits=self.misfits.total,
            undoes=row.undoes,
            redo=row.redo,
            undone_by=self.undone_by,
            reversible=self.reversible and self.state.is_final and not self.undone_by,
            wants_host=self.wants_host,
        )

    def _stage(self) -> Stage | None:
        final, before = self.stage_for, self._bytes_before
        if final is None:
            return None
        done = 0 if before is None else max(0, self.tally.bytes_done - before)
        return Stage(stage_of(final, self.row.tag), final, done)

    def _progress(self) -> Progress:
        tally = self.tally
        running = self.state is JobState.RUNNING
        rate = self.meter.rate if running else 0.0
        files_total, bytes_total = tally.total_shown
        files_verified, bytes_verified = tally.verified_shown
        return Progress(
            files_done=tally.files_shown,
            files_total=files_total,
            bytes_done=tally.bytes_shown,
            bytes_total=bytes_total,
            counting=tally.counting and not self.state.is_final,
            files_same=tally.files_same,
            files_skipped=tally.files_skipped,
            files_verified=files_verified,
            bytes_verified=bytes_verified,
            verifying=running and self.verifying > 0,
            files_removed=tally.files_removed,
            errors=self.errors,
            questions=self.questions,
            losses=self.losses.total,
            current=self.current if running else None,
            rate_bytes_s=rate,
            bytes_flushed=min(tally.bytes_flushed, tally.bytes_shown),
            flushing=self.flushing,
            time_left_s=time_left(bytes_total - tally.bytes_shown, rate)
            if running and bytes_total and not tally.counting and not self.flushing
            else None,
        )


class Watch:
    """What one who watches is woken by.

    Attributes:
        changed: Set at every change.
        turned: Set when a job is in another state.
    """

    def __init__(self) -> None:
        self.changed, self.turned = asyncio.Event(), asyncio.Event()

    def clear(self) -> None:
        self.changed.clear()
        self.turned.clear()


class Board:
    """All jobs, with one revision that grows with every change."""

    def __init__(self, first_revision: int) -> None:
        self.revision = self._first = first_revision
        self._records: dict[int, Record] = {}
        self._removed: deque[tuple[int, int]] = deque(maxlen=TOMBSTONES)
        self._watchers: set[Watch] = set()

    def records(self) -> list[Record]:
        return list(self._records.values())

    def get(self, id: int) -> Record | None:
        return self._records.get(id)

    def add(self, record: Record) -> None:
        self._records[record.id] = record
        self.touch(record)

    def touch(self, record: Record) -> None:
        """Note that a job changed."""
        self.revision += 1
        record.revision = self.revision
        self.announce()

    def turn(self, record: Record) -> None:
        """Note that a job is in another state."""
        self.touch(record)
        for watch in self._watchers:
            watch.turned.set()

    def take_off(self, ids: Iterable[int]) -> None:
        """Take jobs off the list, but for those somebody else took off meanwhile."""
        for id in ids:
            if self._records.pop(id, None) is not None:
                self.revision += 1
                self._removed.append((self.revision, id))
        self.announce()

    def announce(self) -> None:
        """Wake whoever watches."""
        for watch in self._watchers:
            watch.changed.set()

    def bump(self) -> None:
        """Note a change that concerns no job: of limits, of slots."""
        self.revision += 1
        self.announce()

    def watch(self) -> Watch:
        """Return what is set when something changes, until `unwatch`."""
        watch = Watch()
        self._watchers.add(watch)
        return watch

    def unwatch(self, watch: Watch) -> None:
        self._watchers.discard(watch)

    def knows(self, revision: int) -> bool:
        """Say whether `changes` can tell all that happened after a revision."""
        oldest = self._removed[0][0] if len(self._removed) == TOMBSTONES else self._first
        return max(oldest, self._first) <= revision <= self.revision

    def changes(self, after: int) -> tuple[tuple[Job, ...], tuple[int, ...]]:
        """Return the jobs changed, and the ids of those removed, after a revision."""
        jobs = tuple(record.view() for record in self._records.values() if record.revision > after)
        removed = (id for revision, id in self._removed if revision > after and id not in self._records)
        return jobs, tuple(removed)

    def listing(self) -> tuple[Job, ...]:
        """Return all jobs in the order they are listed."""
        return tuple(sorted((record.view() for record in self._records.values()), key=place))


def place(job: Job) -> tuple[bool, int, int, int]:
    """Return by what jobs are ordered: ended ones last, then by priority, then by place in the queue."""
    return (job.state.is_final, -job.priority, job.position, job.id)
