"""An engine for tests of the command line: a list of jobs in memory that go on as a test has written it down."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cli_places import FakePlaces, Host
from msgspec.structs import replace

from tui.model.entry import EntryKind, Facts
from tui.model.error import CollisionRefused, EngineUnreachable, NoSuchJob, NotPossible
from tui.model.job import (
    Conflict,
    Disconnected,
    EngineStatus,
    Job,
    JobError,
    JobKind,
    JobState,
    Progress,
    Question,
    Request,
    Update,
)
from tui.model.location import Location
from tui.model.misfit import Misfits, Names
from tui.model.parts import PART

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from tui.model.ask import KnownHost
    from tui.model.comparison import Compared
    from tui.model.fidelity import Lost

STATUS = EngineStatus(4242, "0.1.0", 1, 1_800_000_000.0, None, 2, 0.0)
BEGAN = 1_800_000_000.0


class FakeEngine:
    """State shared by all clients of one test.

    Attributes:
        plan: What a submitted job goes through, each time an update is asked for. The last one stays.
        calls: What was asked, as (method, arguments).
    """

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}
        self.requests: dict[int, Request] = {}
        self.errors: dict[int, list[JobError]] = {}
        self.losses: dict[int, tuple[Lost, ...]] = {}
        self.misfits: dict[int, Misfits] = {}
        self.questions: list[Question] = []
        self.calls: list[tuple[object, ...]] = []
        self.running = True
        self.notice = ""
        self.keeps_queue = True
        self.in_process = False
        self.trouble = ""
        self.unreachable = False
        self.plan: list[Callable[[Job], Job]] = [done()]
        self.between: Callable[[], None] = lambda: None
        """Called before each update after the first."""
        self.on_look: Callable[[], None] = lambda: None
        """Called before a job is returned."""
        self.host = Host()
        self.hosts: tuple[KnownHost, ...] = ()
        self.compared: list[Compared] = []
        """What comparing anything with anything on another host comes to."""
        self.silent_for = 0
        """So many times the engine does not answer before its first update."""

    # What `tui.cli.session.Engines` offers

    def client(self) -> FakeClient:
        return FakeClient(self)

    foreground = client

    def quick(self, *, start: bool = True) -> None:
        """There is none: what a fake can show, it shows the long way."""

    async def status(self) -> EngineStatus | None:
        return STATUS if self.running else None

    async def stop(self) -> bool:
        ran, self.running = self.running, False
        return ran

    # What tests prepare

    def add(self, state: JobState = JobState.QUEUED, **changes: object) -> Job:
        id = len(self.jobs) + 1
        job = Job(
            id=id,
            kind=changes.pop("kind", "copy"),
            state=state,
            first_source=Location(f"/from/file {id}"),
            source_count=1,
            target=Location("/to"),
            into=True,
            conflict=Conflict.ASK,
            priority=3,
            limit_bytes_s=None,
            position=id,
            created_at=BEGAN,
            revision=1,
        )
        self.jobs[id] = replace(job, **changes)
        return self.jobs[id]

    def fail(self, job: int, *errors: JobError) -> None:
        self.errors.setdefault(job, []).extend(errors)


class FakeClient(FakePlaces):
    """A client of it."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.notice, self.keeps_queue = engine.notice, engine.keeps_queue
        self.closed = False

    async def close(self) -> None:
        self.engine.calls.append(("close",))
        self.close_places()

    async def hosts(self) -> tuple[KnownHost, ...]:
        return self.engine.hosts

    async def submit(self, request: Request) -> int:
        if self.engine.unreachable:
            raise EngineUnreachable("the engine cannot be reached")
        job = self.engine.add(
            kind=request.kind,
            first_source=request.sources[0],
            source_count=len(request.sources),
            target=request.target,
            into=request.into,
            conflict=request.conflict,
            verify=request.verify,
        )
        self.engine.requests[job.id] = request
        self.engine.calls.append(("submit", request))
        return job.id

    async def updates(self) -> AsyncIterator[Update | Disconnected]:
        for _ in range(self.engine.silent_for):
            yield Disconnected("it is not there")
        seq = 0
        while True:
            for id, job in self.engine.jobs.items():
                if not job.state.is_final and id in self.engine.requests:
                    self.engine.jobs[id] = self.engine.plan[min(seq, len(self.engine.plan) - 1)](job)
            seq += 1
            yield Update(
                seq, tuple(self.engine.jobs.values()), (), STATUS, seq == 1, tuple(self.engine.host.questions)
            )
            await asyncio.sleep(0.01)
            self.engine.between()

    async def jobs(self) -> tuple[Job, ...]:
        if self.engine.unreachable:
            raise EngineUnreachable("the engine cannot be reached")
        return tuple(self.engine.jobs.values())

    async def job(self, id: int, seconds: float = 0.0) -> Job:
        if id not in self.engine.jobs:
            raise NoSuchJob(f"there is no job {id}")
        self.engine.on_look()
        return self.engine.jobs[id]

    async def request(self, id: int) -> Request:
        return self.engine.requests[id]

    async def sources(self, id: int, start: int = 0, count: int = PART) -> tuple[Location, ...]:
        return tuple(self.engine.requests[id].sources[start : start + count])

    async def errors(self, id: int, start: int = 0, count: int = 1000) -> tuple[JobError, ...]:
        return tuple(self.engine.errors.get(id, [])[start : start + count])

    async def losses(self, id: int) -> tuple[Lost, ...]:
        return self.engine.losses.get(id, ())

    async def misfits(self, id: int) -> Misfits:
        return self.engine.misfits.get(id, Misfits())

    async def set_conflict(self, ids: Sequence[int], rule: Conflict) -> None:
        await self._do("set_conflict", ids, rule)

    async def set_names(self, ids: Sequence[int], names: Names) -> None:
        self.engine.misfits.clear()
        await self._do("set_names", ids, names)

    async def questions(self, id: int | None = None, count: int = 100) -> tuple[Question, ...]:
        return tuple(q for q in self.engine.questions if id in (None, q.job))[:count]

    async def answer(self, question: int, rule: Conflict, *, for_all: bool = False) -> None:
        self.engine.calls.append(("answer", question, rule, for_all))
        job = next(q.job for q in self.engine.questions if q.id == question)
        self.engine.questions = [
            q for q in self.engine.questions if q.id != question and not (for_all and q.job == job)
        ]

    async def status(self) -> EngineStatus:
        if self.engine.unreachable:
            raise EngineUnreachable("the engine cannot be reached")
        return replace(STATUS, in_process=self.engine.in_process, note=self.engine.trouble)

    async def cancel(self, ids: Sequence[int] | None = None, *, keep: bool = True) -> None:
        await self._do("cancel", ids)
        for id in self.engine.jobs if ids is None else ids:
            self.engine.jobs[id] = replace(
                self.engine.jobs[id], state=JobState.CANCELLED, started_at=BEGAN, ended_at=BEGAN + 1
            )

    async def _do(self, what: str, ids: Sequence[int] | None, *more: object) -> None:
        self.engine.calls.append((what, ids, *more))
        for id in ids or ():
            job = await self.job(id)
            if job.state is JobState.DONE and what != "remove":
                raise NotPossible(f"job {id} is done")

    async def pause(self, ids: Sequence[int] | None = None) -> None:
        await self._do("pause", ids)

    async def resume(self, ids: Sequence[int] | None = None) -> None:
        await self._do("resume", ids)

    async def retry(self, ids: Sequence[int] | None = None) -> None:
        await self._do("retry", ids)

    async def start(self, ids: Sequence[int]) -> None:
        await self._do("start", ids)

    async def reorder(self, ids: Sequence[int], where: str) -> None:
        await self._do("reorder", ids, where)

    async def remove(self, ids: Sequence[int] | None = None) -> None:
        await self._do("remove", ids)

    async def restore(self) -> tuple[int, ...]:
        self.engine.calls.append(("restore",))
        return tuple(job.id for job in self.engine.jobs.values())

    async def undo(self, id: int) -> int:
        self.engine.calls.append(("undo", id))
        job = await self.job(id)
        if not job.reversible:
            raise NotPossible(f"cannot undo job {id}: /to/file {id} is not there any more")
        undoing = self.engine.add(kind=JobKind.RENAME, undoes=id, target=None)
        self.engine.requests[undoing.id] = Request(kind=JobKind.RENAME, sources=(job.first_source,))
        return undoing.id

    async def limit(self, bytes_s: int | None, ids: Sequence[int] | None = None) -> None:
        self.engine.calls.append(("limit", bytes_s, ids))


# Steps of a plan


def done(files: int = 2, size_bytes: int = 3 << 20, state: JobState = JobState.DONE) -> Callable[[Job], Job]:
    def step(job: Job) -> Job:
        progress = Progress(files, files, size_bytes, size_bytes)
        return replace(job, state=state, started_at=BEGAN, ended_at=BEGAN + 2, progress=progress)

    return step


def failed(errors: int, files: int = 2) -> Callable[[Job], Job]:
    def step(job: Job) -> Job:
        progress = Progress(files, files + errors, 2048, 4096, errors=errors)
        return replace(job, state=JobState.FAILED, started_at=BEGAN, ended_at=BEGAN + 2, progress=progress)

    return step


def paused(errors: int = 0) -> Callable[[Job], Job]:
    def step(job: Job) -> Job:
        progress = Progress(2, 4, 2 << 20, 4 << 20, errors=errors)
        return replace(job, state=JobState.PAUSED, started_at=BEGAN, progress=progress)

    return step


def short_of_room(note: str) -> Callable[[Job], Job]:
    def step(job: Job) -> Job:
        return replace(paused()(job), state=JobState.WAITING, note=note)

    return step


def at_the_door(engine: FakeEngine) -> Callable[[Job], Job]:
    """A job that waits for what a host asks, and is done when it is let in."""

    def step(job: Job) -> Job:
        engine.host.ask((job.id,))
        if engine.host.refused or not engine.host.questions:
            return (failed(1) if engine.host.refused else done())(replace(job, wants_host=False))
        note = "waits until somebody answers what me@box asks"
        return replace(job, state=JobState.WAITING, wants_host=True, note=note)

    return step


def running(
    files: int = 1, questions: int = 0, errors: int = 0, current: str = "/from/now.txt"
) -> Callable[[Job], Job]:
    def step(job: Job) -> Job:
        progress = Progress(
            files,
            4,
            files << 20,
            4 << 20,
            questions=questions,
            errors=errors,
            current=Location(current),
            rate_bytes_s=2e6,
            time_left_s=7.0,
        )
        return replace(job, state=JobState.RUNNING, started_at=BEGAN, progress=progress)

    return step


def error_row(job: int, number: int, cls: type = CollisionRefused, name: str = "") -> JobError:
    location = Location(f"/to/{name or f'file {number}'}")
    return JobError(
        number, job, location, cls.__name__, f"cannot write {location}: taken", "Look at it.", BEGAN
    )


def question(job: int, number: int, name: str = "") -> Question:
    name = name or f"file {number}"
    return Question(
        number,
        job,
        Location(f"/from/{name}"),
        Location(f"/to/{name}"),
        Facts(EntryKind.FILE, 2048, 1_700_000_000_000_000_000),
        Facts(EntryKind.FILE, 1024, 1_600_000_000_000_000_000),
        BEGAN,
    )
