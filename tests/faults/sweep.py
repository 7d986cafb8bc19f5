"""One fault after another in one kind of job, and what is wrong afterwards."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.engine.engine_harness import Harness, at_rest, running
from tests.faults.descriptors import open_files
from tests.faults.seam import ERRORS, SHORT, TRANSFERS, Fault, Place, Seam, is_no_fault
from tests.faults.stands import LARGE_BYTES, SLICE_BYTES, SMALL_BYTES, Judge, Outcome, Scenario, Stand
from tui.engine.engine import Limits
from tui.model.error import FerryError
from tui.model.job import JobState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from tui.model.job import Job
    from tui.places.local.workers import Workers

PATIENCE_S = 60.0
WATCHING_S = 300.0
_INSIDE = "something went wrong inside Ferry"
RETRIES = 2
"""The first retry may meet what a fault left; the second must have nothing to do any more."""


class Sweep:
    """An engine behind a seam, fresh folders for each of its jobs, and what a job without a fault comes to."""

    def __init__(self, scenario: Scenario, folder: Path, harness: Harness, seam: Seam) -> None:
        self.scenario, self.folder, self.harness, self.seam = scenario, folder, harness, seam
        self.rounds = 0
        self.calls: list[str] = []
        self.places: list[Place] = []
        self.before: Outcome | None = None
        self.wanted: Outcome

    async def begin(self) -> list[str]:
        """Run the job without a fault: so it should always end. Return what is wrong already."""
        stand = self.stand()
        self.before = stand.before
        self.seam.arm(None)
        self.seam.keeps_places = True
        job = await self._run(stand)
        self.seam.keeps_places = False
        self.calls, self.places = self.seam.calls, self.seam.places
        self.wanted = Outcome.of(stand)
        rows = await self._rows(job)
        await self._clear(stand)
        return [] if job.state is JobState.DONE else [f"without a fault: {job} {rows}"]

    def faults(self) -> list[Fault]:
        """Return every fault there can be: each error at each call, once and for good."""
        return [fault for at in range(len(self.calls)) for fault in self.faults_at(at)]

    def faults_at(self, at: int) -> list[Fault]:
        name = self.calls[at]
        return [
            Fault(at, number, lasting)
            for number in ERRORS
            if number != SHORT or name in TRANSFERS
            for lasting in (False, True)
            if not is_no_fault(name, number)
            if not (lasting and number == errno.EINTR)  # a call that is interrupted for ever never ends
        ]

    def stand(self) -> Stand:
        self.rounds += 1
        stand = Stand(self.folder / str(self.rounds), self.scenario, self.before)
        os.environ["XDG_DATA_HOME"] = str(stand.trash.parent)
        self.seam.apart = (stand.source, stand.target) if self.scenario.across else None
        return stand

    async def suffer(self, fault: Fault) -> list[str]:
        """Run a job with a fault, lift it, retry; return what is wrong: one line each, none where all is well."""
        stand = self.stand()
        judge = Judge(stand, self.wanted)
        opened = open_files()
        self.seam.arm(fault)
        try:
            found = await self._suffered(stand, judge)
        except TimeoutError:
            await self.harness.engine.cancel()
            found = ["it does not end"]
        else:
            await at_rest(self.harness.engine)
            if (now := open_files()).keys() != opened.keys():
                found.append(f"open before: {opened}, and after: {now}")
        finally:
            self.seam.lift()
        where = f"{self.seam.struck} ({self.seam.struck_at})"
        await self._clear(stand)
        found += self.seam.descriptors.take_strays()
        return [f"{self.scenario}, {fault} in {where}: {line}" for line in found]

    async def _clear(self, stand: Stand) -> None:
        """Remove the folders, and the jobs from the queue: each update of one would look at all there were."""
        await at_rest(self.harness.engine)
        await self.harness.engine.remove()
        shutil.rmtree(stand.root)

    async def _suffered(self, stand: Stand, judge: Judge) -> list[str]:
        job = await self._run(stand)
        self.seam.lift()
        now = Outcome.of(stand)
        found = judge.harm(now) + await self._untrue(job, judge, now)
        return found + [f"after a retry: {line}" for line in await self._mended(job, judge)]

    async def watched(self, every: int = 1) -> list[str]:
        """Run a job without a fault and look at its folders before every call, or every so many; return all harm."""
        stand = self.stand()
        judge = Judge(stand, self.wanted)
        found: list[str] = []

        def look() -> None:
            if len(self.seam.calls) % every == 0:
                found.extend(f"before call {len(self.seam.calls)}: {line}" for line in judge.harm())

        self.seam.arm(None)
        self.seam.before_each = look
        try:
            job = await self._run(stand, WATCHING_S)
        finally:
            self.seam.before_each = None
        if job.state is not JobState.DONE or not self.seam.calls:
            found.append(f"{job}, {len(self.seam.calls)} calls")
        await self._clear(stand)
        return found

    async def _run(self, stand: Stand, patience_s: float = PATIENCE_S) -> Job:
        sources, rest = stand.request()
        if self.scenario.has_target:
            id = await self.harness.copy(*sources, kind=self.scenario.kind, **rest)
        else:
            id = await self.harness.submit(self.scenario.kind, *sources, **rest)
        if self.scenario.undo:
            id = await self._undone(id, stand)
        return await self.harness.ends(id, patience_s)

    async def _undone(self, id: int, stand: Stand) -> int:
        """Let a job be done without a fault and without a look; begin its reversal, at the second try if need be."""
        seam, engine = self.seam, self.harness.engine
        fault, before_each, seam.fault, seam.before_each = seam.fault, seam.before_each, None, None
        await self.harness.done(id)
        stand.between = Outcome.of(stand)
        seam.arm(fault)
        seam.before_each = before_each
        try:
            return await engine.undo(id)
        except FerryError:  # which said why
            seam.lift()
            return await engine.undo(id)

    async def _untrue(self, job: Job, judge: Judge, now: Outcome) -> list[str]:
        """Return in what the job's state tells something else than the folders do."""
        if job.state is JobState.DONE:
            found = [f"done, but {line}" for line in judge.undone(now)]
            return found + ([f"done, with {job.progress.errors} errors"] if job.progress.errors else [])
        rows = await self._rows(job)
        found = [f"told as a fault of Ferry's own: {row}" for row in rows if _INSIDE in row]
        told = job.note if job.wants_room else rows
        return found if told else [f"{job.state} without a word"]

    async def _mended(self, job: Job, judge: Judge) -> list[str]:
        """Retry or resume until all is well; return what still is not."""
        engine = self.harness.engine
        if job.state is JobState.DONE:
            return []
        for _ in range(RETRIES):
            if job.state is JobState.DONE:
                break
            await (engine.retry if job.state is JobState.FAILED else engine.resume)([job.id])
            job = await self.harness.ends(job.id, PATIENCE_S)
        if job.state is not JobState.DONE:
            return [f"{job.state}: {await self._rows(job)}"]
        now = Outcome.of(judge.stand)
        return judge.harm(now) + judge.undone(now)

    async def _rows(self, job: Job) -> list[str]:
        return [error.message for error in await self.harness.engine.errors(job.id)]


@asynccontextmanager
async def sweep(
    scenario: Scenario, folder: Path, monkeypatch: pytest.MonkeyPatch, workers: Workers | None = None
) -> AsyncIterator[Sweep]:
    """Start an engine whose every way of copying is met in small files, one hop at a time, behind a seam."""
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    for name, size_bytes in (
        ("places.local.content.CHUNK_BYTES", SLICE_BYTES),
        ("places.local.slices.CHUNK_BYTES", SLICE_BYTES),
        ("engine.walk.SLICE_BYTES", SLICE_BYTES),
        ("engine.run.LARGE_BYTES", LARGE_BYTES),
        ("places.local.content.SMALL_BYTES", SMALL_BYTES),
    ):
        monkeypatch.setattr(f"tui.{name}", size_bytes)
    for name in ("engine.retry.FIRST_WAIT_S", "engine.feed.UPDATE_S"):
        monkeypatch.setattr(f"tui.{name}", 0.001)
    seam = Seam(monkeypatch)
    more = {} if workers is None else {"workers": workers}
    async with running(folder / "journal.sqlite3", Limits(slots=1), **more) as harness:
        yield Sweep(scenario, folder, harness, seam)
