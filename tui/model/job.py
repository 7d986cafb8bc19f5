"""What is asked of the queue, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from tui.model.ask import HostQuestion
from tui.model.entry import Facts
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.fidelity import ALL_TRAITS, Trait
from tui.model.location import Location
from tui.model.misfit import Names
from tui.model.siblings import common_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    Locations = Sequence[Location]
else:
    Locations = tuple[Location, ...]
    """On the wire they are a list; who asks for a job may have them in another sequence (see `Siblings`)."""

LOWEST_PRIORITY, NORMAL_PRIORITY, HIGHEST_PRIORITY = 1, 3, 5


class JobKind(StrEnum):
    COPY = "copy"
    MOVE = "move"
    DELETE = "delete"
    TRASH = "trash"
    RENAME = "rename"
    """Several entries get new names at once: `targets[i]` is the new location of `sources[i]`. Cycles are allowed."""
    CHMOD = "chmod"
    VERIFY = "verify"
    """Nothing is written: `sources[i]` is compared with `targets[i]`, both read from their disks. Under
    Conflict.RENAME files may stand at the target as "name (1).ext" and so on, too."""
    MAKE = "make"
    """A folder, file or link was made, at once and without a job: see `Queue.note_step`. (Undoing it is a job.)"""
    SYNC = "sync"
    """The folder `target` becomes like the one source, a folder too; nothing goes the other way."""


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    WAITING = "waiting"
    """All that can go on without an answer has been done, and open questions hold the rest. Or, without a question,
    there is no room at the target: the note says how much is wanted, and resuming looks again. Or its target does not
    take some names, and `Queue.set_names` says what to do. Or a host asks for something first: `Queue.answer_host`."""
    DONE = "done"
    FAILED = "failed"
    """It ran to its end, and something was not done: see its errors."""
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.PAUSED, JobState.CANCELLED}),
    JobState.RUNNING: frozenset(
        {
            JobState.QUEUED,
            JobState.PAUSED,
            JobState.WAITING,
            JobState.DONE,
            JobState.FAILED,
            JobState.CANCELLED,
        }
    ),
    JobState.PAUSED: frozenset({JobState.QUEUED, JobState.CANCELLED}),
    JobState.WAITING: frozenset({JobState.QUEUED, JobState.PAUSED, JobState.CANCELLED}),
    JobState.DONE: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}
"""From each state, where a job may go. QUEUED from RUNNING: an engine that stops puts its jobs back; QUEUED from FAILED
or CANCELLED: retry."""


class Conflict(StrEnum):
    """What to do where a name is taken by a different file. (A folder meeting a folder is merged, never a conflict.)"""

    ASK = "ask"
    SKIP = "skip"
    OVERWRITE = "overwrite"
    NEWER = "newer"
    """Overwrite where the source is newer, else skip."""
    RENAME = "rename"
    """Keep both: the new one becomes "name (1).ext"."""
    FAIL = "fail"
    """Leave it, and make it an error of the job (CollisionRefused)."""


class Flush(StrEnum):
    """When what a job copies is brought onto the disk, where a power cut cannot take it back.

    A move removes originals it copied only after that, whatever is said here.
    """

    NONE = "none"
    """Whenever the system gets to it."""
    JOB = "job"
    """All together, before the job is done."""
    FILE = "file"
    """Each file before it gets its name at the target, and that name before the file is counted."""


class Staging(StrEnum):
    """How a tree that is new at its target is made."""

    TREE = "tree"
    """In a folder of another name, which gets the final one when the tree is whole."""
    FILE = "file"
    """In place: each file appears when it is done."""


class Request(Struct, frozen=True, kw_only=True):
    """What a person asked for: all the queue needs to do it, or to do it again.

    COPY and MOVE: with `into`, each source goes into the folder `target` under its own name; without, the one source
    becomes `target` itself (as `cp -T`). RENAME: `targets`, one a source. CHMOD: `mode_set` and `mode_clear` are bits
    added and taken, below folders too with `recursive`; `X`-like execute bits for folders are in `folder_mode_set`.
    SYNC: without `into`; with `delete_extra` what only the target has is removed, once all else is copied without an
    error; with `by_content` files are compared by what is in them, not by size and time.
    """

    kind: JobKind
    sources: Locations
    target: Location | None = None
    into: bool = True
    targets: tuple[Location, ...] = ()
    conflict: Conflict = Conflict.ASK
    priority: int = NORMAL_PRIORITY
    limit_bytes_s: int | None = None
    paused: bool = False
    mode_set: int = 0
    mode_clear: int = 0
    folder_mode_set: int = 0
    recursive: bool = False
    verify: bool = False
    """COPY, MOVE and SYNC: read every file back from the disk, and compare, before it counts as copied."""
    delete_extra: bool = False
    by_content: bool = False
    preserve: frozenset[Trait] = ALL_TRAITS
    """COPY and MOVE: what travels besides content, kind, name and permission bits. (A rename keeps all.)"""
    flush: Flush = Flush.JOB
    staging: Staging = Staging.TREE
    names: Names = Names.KEEP
    """COPY and MOVE: what to do with names that the target's filesystem does not take."""
    exclude: Exclusion = NOTHING
    """COPY, SYNC and VERIFY: what is neither copied, compared nor removed, below the sources."""
    expects: Facts | None = None
    """COPY from or to somewhere else, of one file that is to replace one: what that was when it was asked for. Where
    something else stands there by the time it would be replaced, it is asked."""

    @property
    def far(self) -> bool:
        """Whether one of its places is not the local disk."""
        folder = common_folder(self.sources)
        sources = self.sources if folder is None else (folder,)
        places = (*sources, *self.targets, *((self.target,) if self.target else ()))
        return not all(place.is_local for place in places)


class Progress(Struct, frozen=True):
    """How far a job is. Files are all entries that are not folders; a total is not all yet while `counting`."""

    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    counting: bool = False
    files_same: int = 0
    """Of those done, found complete at the target and not copied again."""
    files_skipped: int = 0
    """Of those done, left out by the conflict rule. A folder is one: what is in it is not looked at."""
    files_verified: int = 0
    """Of those done, read back from the disk and found the same."""
    bytes_verified: int = 0
    verifying: bool = False
    """A large file, all of it written, is being read back just now."""
    files_removed: int = 0
    """Removed by a sync from the target, which alone had them. They are not among those done."""
    errors: int = 0
    questions: int = 0
    losses: int = 0
    """How often something could not be kept, of all kinds: see `Queue.losses`."""
    current: Location | None = None
    rate_bytes_s: float = 0.0
    time_left_s: float | None = None
    bytes_flushed: int = 0
    """Of those done, known to be on the disk, not only written."""
    flushing: bool = False
    """All is written; the disk is taking it."""


class Stage(Struct, frozen=True):
    """A tree that is new at its target, built in a folder of another name until it is whole."""

    folder: Location
    """Where it is built: a partial name, in the folder of its final one."""
    final: Location
    bytes_done: int = 0
    """What is in it already; 0 also where that is not known, as after a restart."""


class Job(Struct, frozen=True):
    """A job as clients see it: small, whatever its request holds (see `Client.request` for that)."""

    id: int
    kind: JobKind
    state: JobState
    first_source: Location
    source_count: int
    target: Location | None
    into: bool
    conflict: Conflict
    priority: int
    limit_bytes_s: int | None
    position: int
    """Place in the queue: lower first among equal priorities. Lists go by (final last, -priority, position)."""
    created_at: float
    """Seconds since 1970, UTC; so are the other times."""
    revision: int
    started_at: float | None = None
    ended_at: float | None = None
    progress: Progress = field(default_factory=Progress)
    note: str = ""
    """One sentence on why it stands as it does ("waits for job 3 on the same disk"), or empty."""
    stage: Stage | None = None
    """The tree it is building, also while it is paused; None where there is none."""
    verify: bool = False
    """Everything it copies is read back from the disk."""
    undoes: int = 0
    """The id of the job this one reverses; 0 for all others."""
    redo: bool = False
    """What it reverses is itself the undoing of something."""
    undone_by: int = 0
    """The id of the job that reversed this one, or is about to; 0 where there is none."""
    names: Names = Names.KEEP
    misfits: int = 0
    """So much of it does not fit the target's filesystem, and nobody has said yet what to do: see `Queue.misfits`."""
    reversible: bool = False
    """It has ended and left a record by which it can be undone. (The disk may have changed since.)"""
    wants_host: bool = False
    """It waits until somebody has answered what a host asks: see `Queue.host_questions`. Then it goes on by itself."""

    @property
    def title(self) -> str:
        """The word for what it does."""
        return ("redo" if self.redo else "undo") if self.undoes else str(self.kind)

    @property
    def wants_room(self) -> bool:
        """It waits for no answer, but until somebody has made room at its target."""
        return self.state is JobState.WAITING and not (
            self.progress.questions or self.misfits or self.wants_host
        )

    @property
    def asks(self) -> bool:
        """Whether somebody has to say something: about a conflict, about names, or to a host."""
        return self.progress.questions > 0 or self.wants_names or self.wants_host

    @property
    def wants_names(self) -> bool:
        """It has written nothing yet, and waits to be told what to do with names that do not fit."""
        return self.state is JobState.WAITING and self.misfits > 0 and not self.wants_host


class JobError(Struct, frozen=True):
    """One thing a job could not do."""

    id: int
    job: int
    location: Location
    code: str
    message: str
    remedy: str
    at: float


class Question(Struct, frozen=True):
    """A conflict that waits for an answer: the target's name is taken by a different file."""

    id: int
    job: int
    source: Location
    target: Location
    source_facts: Facts
    target_facts: Facts
    asked_at: float


class EngineStatus(Struct, frozen=True):
    """The engine itself."""

    pid: int
    version: str
    protocol: int
    started_at: float
    limit_bytes_s: int | None
    slots: int
    """Files at once (of the small ones: batches at once)."""
    rate_bytes_s: float
    in_process: bool = False
    note: str = ""
    """What was wrong with the queue when the engine took it up, in one sentence, or empty."""


class Update(Struct, frozen=True):
    """What changed in the queue up to `seq`. A first update carries every job and has `full` set: forget the rest.

    Every job in it is whole, so updates may be merged or lost: the next one after a reconnection makes it good.
    """

    seq: int
    jobs: tuple[Job, ...]
    removed: tuple[int, ...]
    status: EngineStatus
    full: bool = False
    host_questions: tuple[HostQuestion, ...] = ()
    """All that are open now, whether they changed or not."""


class Disconnected(Struct, frozen=True):
    """The engine is not answering; the client goes on trying."""

    reason: str
