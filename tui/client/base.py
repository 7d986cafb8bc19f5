"""The `Client` protocol: everything a front end may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tui.model.exclusion import NOTHING, Exclusion
from tui.model.parts import PART

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tui.model.ask import HostQuestion, KnownHost
    from tui.model.comparison import Compared
    from tui.model.entry import Below, Details, Entry, Page, Space, Totals
    from tui.model.fidelity import Lost
    from tui.model.job import (
        Conflict,
        Disconnected,
        EngineStatus,
        Job,
        JobError,
        JobKind,
        Question,
        Request,
        Update,
    )
    from tui.model.location import Location
    from tui.model.misfit import Misfits, Names
    from tui.model.reach import Reach
    from tui.model.upload import Unfinished


class Places(Protocol):
    """Folders and single entries. Nothing here blocks the event loop, and nothing here needs the engine for the local
    disk. Every method raises a `PlaceError` whose text can be shown as it is.

    Folders on other hosts are read by the engine. Where a host asks for something first (`Queue.host_questions`), what
    was asked of it waits until somebody has answered.
    """

    async def reach(self, place: Location) -> Reach:
        """Return how far the engine is with getting an answer from a place; this waits for nobody."""
        ...

    async def resolve(self, location: Location) -> Location:
        """Return the location itself for one that stands for something else: `/~` on a host is the home folder."""
        ...

    def list(self, folder: Location) -> AsyncIterator[Page]:
        """Yield the names of a folder as they are read: the first page at once and small, later ones bigger.

        Closing the iterator stops the reading. `.` and `..` are left out; order is the disk's.
        """
        ...

    def walk(self, top: Location, *, hidden: bool) -> AsyncIterator[Sequence[Below]]:
        """Yield what lies below a folder, some folders at a time, the nearest first; links are not followed.

        A folder that cannot be read says why, also the first one, and the walk goes on.

        Args:
            hidden: Tell of entries, and go into folders, whose names begin with a dot.
        """
        ...

    async def details(self, folder: Location, names: Sequence[str]) -> Details:
        """Return columns for some entries of a folder, in the order of `names`; no error for those that have gone."""
        ...

    async def stat(self, location: Location, *, follow: bool = False) -> Entry: ...

    async def read(self, location: Location, offset: int, size_bytes: int) -> bytes:
        """Return up to `size_bytes` from `offset`, fewer only at the end of the file. Regular files only."""
        ...

    async def space(self, folder: Location) -> Space: ...

    async def measure(
        self, locations: Sequence[Location], *, time_limit_s: float = 2.0, exclude: Exclusion = NOTHING
    ) -> Totals:
        """Count what lies at and below the locations; `complete` is False where the time was up first.

        Args:
            exclude: What is not counted, below each.
        """
        ...

    async def uploads(
        self, place: Location, older_than_s: float, *, remove: bool = False
    ) -> tuple[Unfinished, ...]:
        """Return the half uploads of a store begun so long ago that no job wants any more.

        Args:
            remove: Remove them, too.
        """
        ...

    def compare(
        self,
        source: Location,
        target: Location,
        *,
        by_content: bool = False,
        exclude: Exclusion = NOTHING,
    ) -> AsyncIterator[Compared]:
        """Yield how a folder differs from another and what is in it, part by part, the paths in order in each folder.

        The target may be missing: then all is new. Closing the iterator stops it, in the middle of a file too. What
        `exclude` covers, on either side, is passed over.
        """
        ...

    async def make_folder(self, location: Location) -> Location:
        """Create one folder; parents that are missing are made too. Return the topmost of those made."""
        ...

    async def create_file(self, location: Location) -> None:
        """Create one empty file; never over an existing entry."""
        ...

    async def rename(self, location: Location, new: Location) -> None:
        """Give an entry a new name on the same filesystem; never over an existing entry."""
        ...

    async def set_mode(self, location: Location, mode: int) -> None:
        """Set the permission bits of one entry; links are refused, not followed."""
        ...

    async def make_symlink(self, location: Location, points_to: str) -> None: ...

    async def make_hardlink(self, location: Location, existing: Location) -> None: ...

    def watch(self, folder: Location) -> AsyncIterator[None]:
        """Yield whenever something in the folder itself (not below) has changed; at most a few times a second.

        Ends, without an error, where the folder cannot be watched (on another host, for one) or has gone.
        """
        ...


class Queue(Protocol):
    """The durable queue. Job ids are small integers. Where `ids` is None, all jobs to which it applies are meant.

    Raises: NoSuchJob, NotPossible (with the reason), UsageError, EngineUnreachable, ProtocolMismatch.
    """

    async def submit(self, request: Request) -> int:
        """Put a request into the queue and return its job's id. It is in the journal when this returns.

        However many its sources are: a long one travels in parts, and there is no job before all of them have come.
        """
        ...

    async def jobs(self) -> tuple[Job, ...]: ...

    async def job(self, id: int, seconds: float = 0.0) -> Job:
        """Return a job; one that is to go on or goes on is waited for so long at most."""
        ...

    async def request(self, id: int) -> Request:
        """Return what a job was asked to do, with the first of its sources (`tui.model.parts`)."""
        ...

    async def sources(self, id: int, start: int = 0, count: int = PART) -> tuple[Location, ...]:
        """Return a job's sources in order from the `start`-th, `count` at most and no more than are a part."""
        ...

    def updates(self) -> AsyncIterator[Update | Disconnected]:
        """Yield a full update at once, then what changes, at most 10 a second; it never ends by itself."""
        ...

    async def pause(self, ids: Sequence[int] | None = None) -> None: ...

    async def resume(self, ids: Sequence[int] | None = None) -> None:
        """Let paused jobs go on, and those that wait for room at their target: they look again whether they fit."""
        ...

    async def cancel(self, ids: Sequence[int] | None = None, *, keep: bool = True) -> None:
        """Stop jobs for good, within 200 ms.

        Half files are removed. Finished files stay, unless `keep` is False: then what these jobs created at new names
        (whole new trees and files, never replacements or merges) goes too.
        """
        ...

    async def retry(self, ids: Sequence[int] | None = None) -> None:
        """Queue failed jobs again for just what failed, and cancelled ones for what they had left."""
        ...

    async def start(self, ids: Sequence[int]) -> None:
        """Start now, whatever the lanes say; one that waits for room, without looking whether it fits."""
        ...

    async def reorder(self, ids: Sequence[int], where: str) -> None:
        """Move jobs in the queue: `where` is "top", "bottom", "up" or "down"."""
        ...

    async def set_priority(self, ids: Sequence[int], priority: int) -> None:
        """1 (lowest) to 5 (highest)."""
        ...

    async def remove(self, ids: Sequence[int] | None = None) -> None:
        """Take ended jobs off the list (None: all ended ones). A job that has not ended is refused."""
        ...

    async def restore(self) -> tuple[int, ...]:
        """Bring back the jobs that were taken off the list last; return their ids. NotPossible: there are none."""
        ...

    async def verify(self, id: int) -> int:
        """Queue a job that compares what a copy job copied with its sources, from the disks; return its id.

        Raises NotPossible for other jobs, and before its end.
        """
        ...

    async def note_step(self, kind: JobKind, location: Location, before: Location) -> int:
        """Write something just done without a job into the list as a job that is done, to be undone like any other.

        Args:
            kind: RENAME or MAKE.
            location: What was renamed, under its new name, or made.
            before: Where it was; of what was made, the topmost of the folders made on the way to it.
        Raises:
            PlaceError: It is not there any more.
        """
        ...

    async def undo(self, id: int) -> int:
        """Queue the reversal of an ended move, rename, trash or make job; return the id of the job that does it.

        An undo can be undone in turn. What went to another filesystem or place is moved back. NotPossible tells why
        the job cannot be undone: it may have merged or replaced something, or what it left was moved, changed or
        replaced since, or its old place is taken or gone. At a far place such changes are told by the job instead,
        which fails with nothing done.
        """
        ...

    async def limit(self, bytes_s: int | None, ids: Sequence[int] | None = None) -> None:
        """Set the rate limit of the engine (`ids` None) or of jobs; None lifts it. Running jobs follow at once."""
        ...

    async def set_slots(self, slots: int) -> None:
        """Set how many files (or batches of small files) are copied at once, 1 to 32."""
        ...

    async def set_conflict(self, ids: Sequence[int], rule: Conflict) -> None:
        """Change the conflict rule of jobs that have not ended; open questions are answered by it."""
        ...

    async def set_names(self, ids: Sequence[int], names: Names) -> None:
        """Say what jobs do with names that the target's filesystem does not take; those that wait for it go on.

        Raises NotPossible for a job that has begun to write: what it wrote has its names.
        """
        ...

    async def misfits(self, id: int) -> Misfits:
        """Return what of a job does not fit the target's filesystem, while it waits to be told what to do."""
        ...

    async def errors(self, id: int, start: int = 0, count: int = 1000) -> tuple[JobError, ...]:
        """Return a job's errors, oldest first, from the `start`-th."""
        ...

    async def losses(self, id: int) -> tuple[Lost, ...]:
        """Return a job's loss report: what its target could not hold, a line a kind; empty where all was kept."""
        ...

    async def questions(self, id: int | None = None, count: int = 100) -> tuple[Question, ...]:
        """Return open questions, oldest first, of one job or of all."""
        ...

    async def answer(self, question: int, rule: Conflict, *, for_all: bool = False) -> None:
        """Answer a conflict with SKIP, OVERWRITE, NEWER or RENAME; `for_all`: for all of its job, open and to come."""
        ...

    async def host_questions(self) -> tuple[HostQuestion, ...]:
        """Return what hosts ask for before they let anybody in, oldest first. They are in every update too."""
        ...

    async def answer_host(self, id: int, answer: str | None) -> None:
        """Answer what a host asks. None: there is no answer, and what waits for it fails with AuthenticationFailed.

        A wrong answer is asked for again, as another question. NotPossible: it was answered already.
        """
        ...

    async def hosts(self) -> tuple[KnownHost, ...]:
        """Return what may be connected to: the names of the ssh configuration, then endpoints of S3."""
        ...

    async def status(self) -> EngineStatus: ...


class Browsing(Protocol):
    """What an engine tells of other places: see `tui.engine.far.browsing`. A token lets `drop` end a call."""

    async def drop(self, token: str) -> None: ...

    async def close(self) -> None: ...


class Drafts(Protocol):
    """Requests that come in parts: see `tui.engine.drafts`."""

    async def begin(self, request: Request) -> int: ...

    async def add(
        self, number: int, sources: Sequence[Location], targets: Sequence[Location] = ()
    ) -> None: ...

    async def submit(self, number: int) -> int: ...

    async def drop(self, number: int) -> None: ...


class Client(Places, Queue, Protocol):
    """Both, and a life: making one is instant; places work at once; queue calls wait for the engine (10 s at most)."""

    async def close(self) -> None:
        """Let go of everything. A background engine goes on; one in this process is stopped, its jobs kept."""
        ...

    async def stop_engine(self) -> None:
        """Stop the engine, wherever it runs. Every job is kept; running ones go on at its next start."""
        ...
