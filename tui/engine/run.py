"""One go at one job: what its steps share (threads, brake, limits, counts) and how they report what happened."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

import aiofiles.os

from tui.engine.answers import Answers
from tui.engine.limiter import Bucket, Limiter
from tui.engine.noting import Noting
from tui.engine.retry import wait_before_retry
from tui.engine.room import no_room
from tui.engine.rows import Decision, ErrorRow, QuestionRow
from tui.engine.wholly import wholly
from tui.model.error import CollisionRefused, OutOfSpace, PlaceError
from tui.model.job import Conflict, Flush, JobKind
from tui.model.location import Location
from tui.places.local.copy_rules import LARGE_BYTES, CopyRules
from tui.places.local.homes import NO_HOMES, Homes, find_homes
from tui.places.local.hops import Brake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tui.engine.board import Record
    from tui.engine.shared import Shared
    from tui.places.local.fitting import Fitting
    from tui.places.local.flushing import Disks
    from tui.places.local.hops import Collision

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

BATCH_BYTES = 256 << 20
MOST_LATER = 10_000
"""Entries that wait for another try by themselves; beyond that they become errors at once."""


PATIENCE_S = 0.5
"""So long a cancelled step waits for its thread."""


class Closeable(Protocol):
    def close(self) -> None: ...


class Stop(Enum):
    """Why a run was told to stop before its end."""

    PAUSE = "pause"
    CANCEL = "cancel"
    QUIT = "quit"
    """The engine stops, the job goes on with the next one."""
    ROOM = "room"
    """There is no room for it at the target: it waits until somebody has made some."""
    NAMES = "names"
    """Some of it does not fit the target's filesystem: it waits to be told what to do."""
    HOST = "host"
    """A host asks for something before it lets the job in (`doors.AnswerWanted`)."""


@dataclass(slots=True)
class Again:
    """An entry that failed for a passing reason, and when to try it again."""

    idx: int
    path: bytes
    target_path: bytes
    attempt: int
    due: float


@dataclass(slots=True)
class Spot:
    """An entry a step reports about: whose it is, where it stands, from the opened folders and in full."""

    idx: int
    path: bytes
    target_path: bytes
    source: Location
    target: Location


@dataclass(slots=True)
class Sums:
    """Amounts to be added to a job's tally."""

    files: int = 0
    bytes: int = 0
    same_files: int = 0
    same_bytes: int = 0
    half_bytes: int = 0
    """Of these and of `bytes`: of files that are not complete."""
    skipped_files: int = 0
    skipped_bytes: int = 0
    verified_files: int = 0
    verified_bytes: int = 0


class Run:
    """One go at a job, from its start until it has ended, been stopped, or can only wait for answers."""

    def __init__(self, record: Record, shared: Shared) -> None:
        self.record = record
        self.shared = shared
        self.journal, self.clock = shared.journal, shared.clock
        self.brake = Brake()
        self.counting = Brake()
        """Stops the counting of totals, which nobody waits for when the work is done."""
        self.stop_reason: Stop | None = None
        self.insists = False
        """It is not asked whether it fits: somebody wants it to try."""
        self.abandoned = False
        self.looks_again = False
        """The next go is to look at everything, though this one does what failed: see `carries_out`."""
        self.disks: Disks | None = None
        """What the job writes to; None for a job that copies nothing."""
        self.homes: Homes = NO_HOMES
        """What is never removed or renamed, where the job does either."""
        self.clashed = False
        """A sync passed by a folder that met something else: see `CopyRules.pass_clashes`."""
        self.fitting: Fitting | None = None
        """How names are changed for the target's filesystem; None: not at all."""
        self.has_names = False
        """It was agreed upon what becomes of names: for this run, no answer changes it any more."""
        self.noting = Noting(shared.journal.notes, record.row.tag)
        self.bucket = Bucket(shared.clock, record.limit_bytes_s)
        self.limiter = Limiter(shared.clock, shared.bucket, self.bucket)
        self.later: list[Again] = []
        self.advanced = 0
        """Steps forward that no other count tells: folders, and more of half a file than there ever was."""
        self._attempts: dict[tuple[int, bytes], int] = {}
        self._put_off: set[tuple[int, bytes]] = set()
        """What waits in `later`."""
        self.answers = Answers()

    # Stopping

    def stop(self, reason: Stop) -> None:
        """Make everything stop at the next entry or chunk. A cancel goes before a pause, never the other way."""
        if self.stop_reason is not Stop.CANCEL:
            self.stop_reason = reason
        self.brake.on = self.counting.on = True

    def hold(self, why: str) -> None:
        """Stop for want of room. Counting may go on: it tells how much is wanted."""
        if self.stop_reason in (None, Stop.ROOM):
            self.stop_reason = Stop.ROOM
            self.brake.on = True
            self.record.note, self.record.short = why, True
            self.touch()

    @property
    def stopped(self) -> bool:
        return self.brake.on

    # Doing

    async def hop(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do something that touches the disk in a thread.

        When cancelled, it waits a little for the thread, which must not find its descriptors closed under its hands;
        where the disk does not answer, the run is `abandoned`, and what it has open stays open.
        """
        hop = asyncio.ensure_future(aiofiles.os.wrap(work)(*args, executor=self.shared.pool, **kwargs))
        try:
            result: R = await asyncio.shield(hop)
            return result
        except asyncio.CancelledError:
            self.brake.on = True
            await asyncio.wait({hop}, timeout=PATIENCE_S)
            if not hop.done():
                self.abandoned = True
            elif not hop.cancelled() and (error := hop.exception()):
                logger.warning("job %d: while stopping: %r", self.record.id, error)
            raise

    def release(self, *opened: Closeable | None) -> None:
        """Close what a step had open, unless a thread may still be at it."""
        if not self.abandoned:
            for thing in opened:
                if thing is not None:
                    thing.close()

    async def pay(self, size_bytes: int) -> None:
        """Keep to the limits, now that so much was copied."""
        await self.limiter.pay(size_bytes, lambda: self.brake.on)

    async def wait_until(self, due: float) -> None:
        """Wait for a moment of the monotonic clock, or until the run is stopped."""
        while not self.stopped and (left := due - self.clock.monotonic()) > 0:
            await self.clock.sleep(min(left, 0.05))

    async def find_homes(self) -> None:
        """Look where the home folders are, for a job that takes something of the local disk away from its place."""
        row = self.record.row
        kinds = (JobKind.MOVE, JobKind.RENAME, JobKind.DELETE, JobKind.TRASH)
        if row.kind in kinds or row.delete_extra:
            self.homes = await self.hop(find_homes, self.shared.homes)

    @property
    def moves(self) -> bool:
        return self.record.row.kind is JobKind.MOVE

    @property
    def verifies(self) -> bool:
        return self.record.row.verify

    def rules(self, *, own: bool = False, compare: bool = False) -> CopyRules:
        """Return how folders are to be copied now, under the present limits and rule, but for answers to single names.

        What a move keeps under another name is settled here, not below: the original must be found again by it.
        """
        conflict, flush = self.record.conflict, self.record.row.flush
        return CopyRules(
            tag=self.record.row.tag,
            conflict=Conflict.ASK if self.moves and conflict is Conflict.RENAME else conflict,
            own=own,
            compare=compare or self.record.row.by_content or self.record.doubtful,
            doubtful=self.record.doubtful,
            mirror=self.record.row.kind is JobKind.SYNC,
            pass_clashes=self.record.row.delete_extra,
            flush=Flush.JOB if self.moves and flush is Flush.NONE else flush,
            large_bytes=self.limiter.portion(LARGE_BYTES),
            batch_bytes=self.limiter.portion(BATCH_BYTES),
            verify=self.verifies,
            exclude=self.record.row.exclude,
            keep=self.record.row.preserve,
            fitting=self.fitting,
            # What is tried once more may have been there: a tree that could not be given its name.
            first=self.record.walk == 1 and not self.record.failed_only and not self._attempts,
            retried=self.record.failed_only,
        )

    def answers_in(self, owners: Mapping[bytes, int], folder: bytes) -> Mapping[bytes, Conflict]:
        """Return the answers for entries of a folder, by name, but for those that a move settles before it copies.

        Args:
            owners: The source an entry belongs to, by the first part of its path.
        """
        found = self.answers.in_folder(owners, folder)
        if not (found and self.moves):
            return found
        return {name: rule for name, rule in found.items() if rule is not Conflict.RENAME}

    def rule_for(self, idx: int, path: bytes) -> Conflict:
        """Return the conflict rule that holds for one entry."""
        return self.answers.rule_for(idx, path) or self.record.conflict

    async def carries_out(self, decisions: Sequence[Decision]) -> None:
        """Say that answers are about to be carried out: where a retry is broken off then, no error tells of them."""
        if decisions and self.record.failed_only and not self.looks_again:
            self.looks_again = True
            await self.journal.update(self.record.id, {"failed_only": False})

    # Reporting

    def count(self, sums: Sums, current: Location | None = None, *, metered: bool = True) -> None:
        """Add what was done. Only what was really copied counts for the rate; what was just renamed does not."""
        tally = self.record.tally
        tally.files_done += sums.files + sums.same_files + sums.skipped_files
        tally.bytes_done += sums.bytes + sums.same_bytes + sums.skipped_bytes
        tally.bytes_half += sums.half_bytes
        tally.files_same += sums.same_files
        tally.files_skipped += sums.skipped_files
        tally.files_verified += sums.verified_files
        tally.bytes_verified += sums.verified_bytes
        if metered and (sums.files or sums.bytes):
            self.record.unflushed = True
        if metered and self.record.row.flush is Flush.FILE:
            tally.bytes_flushed += sums.bytes + sums.same_bytes
        if sums.bytes and metered:
            self.record.meter.add(sums.bytes)
        if current is not None:
            self.record.current = current
        self.touch()

    def wrote(self, device: int, folder: bytes) -> None:
        """Note that something was made in a folder below the target. (Called in a thread.)"""
        self.record.unflushed = True
        if self.disks is not None:
            self.disks.add(device, folder)
            self.record.unflushed_on.add(device)

    def met(self, device: int, folder: bytes) -> None:
        """Note that a folder below the target was complete: what an earlier go wrote there is flushed with the rest.

        Where that go was killed, it may have written to a filesystem the journal does not name.
        """
        again = self.record.walk > 1 or self.record.failed_only
        if self.disks is not None and (again or device in self.record.unflushed_on):
            self.disks.add(device, folder)
            self.record.unflushed_on.add(device)

    def building(self, final: Location | None) -> None:
        """Tell which tree is being built, or that none is any more."""
        if final is None:
            self.record.stage_for = None
        else:
            self.record.begin_stage(final)
        self.touch()

    def touch(self) -> None:
        self.shared.board.touch(self.record)

    async def fail(self, spot: Spot, error: PlaceError, *, removing: bool = False) -> None:
        """Write down that something could not be done, unless it is tried again by itself first."""
        if isinstance(error, OutOfSpace):
            await self.out_of_space(error, spot.target)
            return
        entry = spot.idx, spot.path
        if entry in self._put_off:
            return  # it is tried again anyway: what failed of it besides is found then, or is not there any more
        attempt = self._attempts.get(entry, 1)
        wait_s = None if removing else wait_before_retry(error, attempt)
        if wait_s is not None and len(self.later) < MOST_LATER and not self.stopped:
            due = self.clock.monotonic() + wait_s
            self.later.append(Again(spot.idx, spot.path, spot.target_path, attempt + 1, due))
            self._put_off.add(entry)
            return
        await self.write_errors([self.error_row(spot, error, removing=removing)])

    def error_row(self, spot: Spot, error: PlaceError, *, removing: bool = False) -> ErrorRow:
        return ErrorRow(
            spot.idx, spot.path, spot.target_path, removing, spot.source,
            error.code, error.message, error.remedy, self.clock.now(),
        )  # fmt: skip

    def try_again(self, entry: Again) -> None:
        """Say that an entry is about to be tried once more."""
        self._attempts[(entry.idx, entry.path)] = entry.attempt
        self._put_off.discard((entry.idx, entry.path))

    async def write_errors(
        self, rows: Sequence[ErrorRow], columns: Mapping[str, object] | None = None
    ) -> None:
        """Write errors down, and columns of the job with them.

        What is written is counted: else a job would be done of which something was not.
        """
        await wholly(self._write_errors(rows, columns))

    async def _write_errors(self, rows: Sequence[ErrorRow], columns: Mapping[str, object] | None) -> None:
        more = await self.journal.add_errors(self.record.id, rows, columns)
        self.record.errors += more
        for row in rows:
            logger.info("job %d: %s", self.record.id, ascii(row.message))
        self.touch()

    async def fail_job(self, error: PlaceError, location: Location) -> None:
        """Write down that the job as a whole could not be done."""
        if isinstance(error, OutOfSpace) and not self.stopped:
            await self.out_of_space(error, location)
            return
        row = ErrorRow(
            None, b"", b"", False, location, error.code, error.message, error.remedy, self.clock.now()
        )
        await self.write_errors([row])

    async def out_of_space(self, error: OutOfSpace, target: Location) -> None:
        """Hold the job: whatever comes next would fail the same way. What was done so far stays good."""
        if not self.stopped:
            self.hold(error.message)
            if target.is_local:
                self.hold(await self.hop(no_room, error, target))

    async def collide(self, spot: Spot, collision: Collision) -> None:
        """Turn a name that is taken into a question, or into an error where the rule is to refuse.

        Under RENAME (which comes here for moves only) it is put off until the other name is written down.
        """
        rule = self.rule_for(spot.idx, spot.path)
        if rule is Conflict.RENAME:
            await self.journal.put_off(self.record.id, Decision(spot.idx, spot.path, spot.target_path, rule))
            return
        if rule is Conflict.FAIL:
            error = CollisionRefused(f"{spot.target} is already there and differs", location=spot.target)
            await self.fail(spot, error)
            return
        row = QuestionRow(
            spot.idx, spot.path, spot.target_path, spot.source, spot.target,
            collision.source, collision.target, self.clock.now(), self.record.walk,
        )  # fmt: skip
        await wholly(self._ask(row))

    async def _ask(self, row: QuestionRow) -> None:
        self.record.questions = await self.journal.ask(self.record.id, [row])
        self.touch()
