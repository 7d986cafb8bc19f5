"""An engine in this process, on temporary folders."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tui.engine.clock import SystemClock
from tui.engine.engine import Engine, Limits
from tui.engine.journal import Journal
from tui.model.job import JobKind, JobState, Request
from tui.model.location import Location
from tui.places.local import gathered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import pytest

    from tui.engine.rows import Source
    from tui.model.job import Job


OLD, NEW = 10**18, 10**18 + 10**12
"""Two times of modification, in ns."""


def write(path: Path, content: str | bytes = "text", mtime_ns: int = OLD) -> Path:
    """Write a file, and the folders it takes, as old as is said."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


def names(folder: Path) -> list[str]:
    """Return the names in a folder, in order."""
    return sorted(path.name for path in folder.iterdir())


def stride(steps: int) -> int:
    """Return how far apart the steps of a job are before which it is broken off: `make soak` tries every one."""
    return 1 if os.environ.get("FERRY_SWEEPS") == "whole" else steps


async def until(holds: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Wait until something holds that nothing tells of."""
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(0.001)


async def at_rest(engine: Engine) -> None:
    """Wait until an engine has nothing under way: the last update may come before that."""
    await until(lambda: not engine._keeper._tasks)


def as_very_many(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have some hundred names treated as very many; return what tells how many sources are read at once."""
    wanted: list[int] = []
    read = Journal.sources

    async def counted(journal: Journal, id: int, start: int, count: int) -> list[Source]:
        wanted.append(count)
        return await read(journal, id, start, count)

    monkeypatch.setattr(Journal, "sources", counted)
    monkeypatch.setattr(gathered, "FEW", 100)
    monkeypatch.setattr(gathered, "_PACK", 50)
    return wanted


class Harness:
    """An engine, and how tests talk to it."""

    def __init__(self, engine: Engine, journal: Path) -> None:
        self.engine = engine
        self.journal = journal
        self.ended: list[Job] = []

    async def copy(self, *sources: Path, to: Path, kind: JobKind = JobKind.COPY, **rest: object) -> int:
        """Submit a copy (or a move) and return its id."""
        request = Request(
            kind=kind,
            sources=tuple(Location.local(source) for source in sources),
            target=Location.local(to),
            **rest,  # type: ignore[arg-type]
        )
        return await self.engine.submit(request)

    async def move(self, *sources: Path, to: Path, **rest: object) -> int:
        return await self.copy(*sources, to=to, kind=JobKind.MOVE, **rest)

    async def submit(self, kind: JobKind, *sources: Path, **rest: object) -> int:
        places = tuple(Location.local(source) for source in sources)
        return await self.engine.submit(Request(kind=kind, sources=places, **rest))  # type: ignore[arg-type]

    async def until(self, id: int, wanted: Callable[[Job], bool], timeout_s: float = 60.0) -> Job:
        """Wait until a job is as wanted; return it."""
        async with asyncio.timeout(timeout_s):
            async for _ in self.engine.updates():
                job = await self.engine.job(id)
                if wanted(job):
                    return job
        raise AssertionError("updates ended")

    async def ends(self, id: int, timeout_s: float = 60.0) -> Job:
        """Wait until a job has ended, or waits for answers, or is paused; return it."""
        resting = (JobState.WAITING, JobState.PAUSED)
        return await self.until(id, lambda job: job.state.is_final or job.state in resting, timeout_s)

    async def done(self, id: int) -> Job:
        job = await self.ends(id)
        errors = [error.message for error in await self.engine.errors(id)]
        assert job.state is JobState.DONE, (job, errors)
        return job


def new_engine(journal: Path, limits: Limits | None = None, **rest: object) -> Engine:
    return Engine(Journal(journal), SystemClock(), limits or Limits(), version="test", **rest)  # type: ignore[arg-type]


async def crash(harness: Harness) -> None:
    """End an engine as a kill would: nothing is told to the journal any more."""
    keeper = harness.engine._keeper
    for run in keeper._runs.values():
        run.brake.on = True  # threads of a killed process stop too
    assert keeper._main is not None
    keeper._main.cancel()
    await asyncio.gather(keeper._main, return_exceptions=True)
    await harness.engine._journal.close()
    for pool in (keeper.shared.pool, keeper._turns.lookout):
        pool.shutdown()


@asynccontextmanager
async def running(journal: Path, limits: Limits | None = None, **rest: object) -> AsyncIterator[Harness]:
    """Start an engine on a journal; shut it down at the end."""
    ended: list[Job] = []
    harness = Harness(new_engine(journal, limits, on_end=ended.append, **rest), journal)
    harness.ended = ended
    await harness.engine.start_up()
    try:
        yield harness
    finally:
        await harness.engine.shut_down()
