"""An engine in this process, and two places in memory for it to work between."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from engine_harness import Harness, crash

from tui.engine.engine import Engine, Limits
from tui.engine.journal import Journal
from tui.model.job import JobKind, JobState, Request
from tui.model.location import Location
from tui.places.memory import ALL, MemoryOpener
from tui.places.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tui.model.job import Job
    from tui.places.base import Capabilities

HERE, THERE = Location("/", "here", "one"), Location("/", "there", "two")
TICKS = 100.0


class HastyClock:
    """A clock that runs so many times faster than that of the machine: waits are over soon."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic() * TICKS

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / TICKS)


class Faults:
    """What goes wrong at a place, by the number of the step (from 0); all steps are kept."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str]] = []
        self.at: Callable[[int, str, str], Awaitable[None] | None] = lambda number, name, path: None

    def __call__(self, name: str, location: Location) -> Awaitable[None] | None:
        number = len(self.steps)
        self.steps.append((name, location.path))
        return self.at(number, name, location.path)


class Far:
    """Two stores, the openers of places on them, and the engine that works between them."""

    def __init__(self, journal: Path, here: Capabilities = ALL, there: Capabilities = ALL) -> None:
        self.here, self.there = MemoryStore(), MemoryStore()
        self.faults = Faults()
        self.openers = {
            "here": MemoryOpener(self.here, here, self.faults),
            "there": MemoryOpener(self.there, there, self.faults),
        }
        self.journal = journal
        self.engine: Engine

    def begin_anew(self) -> None:
        """Empty both stores, and have whoever is connected to the old ones connect anew."""
        self.here, self.there = MemoryStore(), MemoryStore()
        for opener, store in zip(self.openers.values(), (self.here, self.there), strict=True):
            for place in opener.places:
                place.lose()
            opener._store = store
        self.faults.steps.clear()

    @asynccontextmanager
    async def engine_on(self, slots: int = 2) -> AsyncIterator[Engine]:
        """Run an engine; it may be crashed within."""
        openers = {scheme: (lambda opener=opener: opener) for scheme, opener in self.openers.items()}
        self.engine = Engine(Journal(self.journal), HastyClock(), Limits(slots), openers=openers)
        await self.engine.start_up()
        self.crashed = False
        try:
            yield self.engine
        finally:
            if not self.crashed:
                await self.engine.shut_down()

    async def crash(self) -> None:
        """End the engine as a kill would: nothing is told to anybody any more."""
        self.crashed = True
        await crash(Harness(self.engine, self.journal))
        await self.engine._keeper.doors.close()

    async def submit(
        self,
        *sources: str,
        to: str = "/target",
        kind: JobKind = JobKind.COPY,
        within: bool = False,
        **rest: object,
    ) -> int:
        places = tuple(HERE.below(source.strip("/")) for source in sources)
        target = (HERE if within else THERE).below(to.strip("/"))
        rest.setdefault("into", True)
        return await self.engine.submit(Request(kind=kind, sources=places, target=target, **rest))  # type: ignore[arg-type]

    async def rests(self, id: int) -> Job:
        """Wait until a job has ended, or waits for somebody."""
        resting = (JobState.WAITING, JobState.PAUSED)
        return await self.until(id, lambda job: job.state.is_final or job.state in resting)

    async def until(self, id: int, wanted: Callable[[Job], bool]) -> Job:
        async with asyncio.timeout(60):
            async for _ in self.engine.updates():
                job = await self.engine.job(id)
                if wanted(job):
                    return job
        raise AssertionError("updates ended")

    async def pause(self, id: int) -> None:
        """Pause a job, and wait until nothing works on it any more."""
        await self.engine.pause([id])
        record = self.engine._board.get(id)
        assert record is not None
        await self.engine._keeper.settled([record], 5)
        assert not self.engine._keeper.is_busy(record)

    async def done(self, id: int) -> Job:
        job = await self.rests(id)
        assert job.state is JobState.DONE, (job, await self.messages(id))
        return job

    async def messages(self, id: int) -> list[str]:
        return [f"{error.code}: {error.message}" for error in await self.engine.errors(id)]

    def tree(self, path: str = "/target") -> dict[str, bytes | str | None]:
        return self.there.tree(path)
