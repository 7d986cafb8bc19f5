"""A worker process that is killed, hangs, meets an error or is cut short: the job ends in the truth, and none is left.

What `failing_worker` can do to one; the calls it strikes at are a sample, the same each time.
"""

from __future__ import annotations

import asyncio
import errno
import os
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.seam import calls_of_the_product
from tests.faults.stands import Judge, Scenario
from tests.faults.sweep import Sweep, sweep
from tui.model.job import JobKind, JobState
from tui.places.local import worker_process as module
from tui.places.local.workers import Workers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads do it all there")

PROGRAM = Path(__file__).with_name("failing_worker.py")
COPY = Scenario(JobKind.COPY)
MERGE = Scenario(JobKind.COPY, standing=True, request={"verify": True})
SYNC = Scenario(JobKind.SYNC, clashing=True, request={"into": False, "delete_extra": True})


class Trial:
    """An engine with one worker, which fails once as it is told."""

    def __init__(self, one: Sweep, workers: Workers, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.one, self.workers, self.folder, self._patch = one, workers, folder, patch
        self.marks = 0

    def arm(self, what: str, number: int = 0) -> Path:
        """Start a worker that fails; return the file that says that it has."""
        self.marks += 1
        mark = self.folder / f"mark{self.marks}"
        self._patch.setenv("FERRY_FAULT", f"{what} {number} {mark}")
        self.workers.end()
        self.workers.start()
        wait_until(lambda: all(process.ready for process in self.workers._processes))
        return mark

    async def counted(self) -> int:
        """Return how many calls a worker makes for the job."""
        mark = await asyncio.to_thread(self.arm, "count")
        assert await self.outlived() == []
        return int(mark.read_text())

    async def outlived(self) -> list[str]:
        """Run the job; return what is wrong after it, and after a retry where it failed."""
        stand = self.one.stand()
        return await self.one._suffered(stand, Judge(stand, self.one.wanted))


@pytest.fixture
async def trial(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Trial]:
    monkeypatch.setattr(module, "_PROGRAM", PROGRAM)
    monkeypatch.setattr(module, "PATIENCE_S", 1.0)  # others take turns meanwhile
    monkeypatch.setenv("PYTHONPATH", str(PROGRAM.parents[2]))
    monkeypatch.setenv("FERRY_CALLS", " ".join(calls_of_the_product()))
    monkeypatch.setenv(
        "FERRY_FAULT", "kill -1 never"
    )  # or it would not start, and none would be started again
    workers = Workers(1)
    async with sweep(request.param, tmp_path, monkeypatch, workers) as one:
        assert await one.begin() == []
        yield Trial(one, workers, tmp_path, monkeypatch)
        pids = [process._process.pid for process in workers._processes]
    assert not any(map(is_there, pids))


def is_there(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")


def jobs(*scenarios: Scenario) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("trial", scenarios, ids=str, indirect=True)


@jobs(COPY, MERGE, SYNC)
async def test_whatever_call_it_dies_or_fails_at_the_job_comes_to_its_end(trial: Trial) -> None:
    calls = await trial.counted()
    assert calls > 100
    rng = random.Random(str(trial.one.scenario))
    for what in ("kill", "kill", "kill", str(errno.EIO), str(errno.ENOSPC)):
        mark = await asyncio.to_thread(trial.arm, what, rng.randrange(calls))
        assert await trial.outlived() == []
        assert mark.exists()


# How a worker is talked to has nothing to do with the job: one of each kind is enough.


@jobs(MERGE)
async def test_half_an_answer_is_none(trial: Trial) -> None:
    mark = await asyncio.to_thread(trial.arm, "cut", 1)
    assert await trial.outlived() == []
    assert mark.exists()


@jobs(SYNC)
@pytest.mark.parametrize("what", ["hang", "stall"])
async def test_one_that_hangs_is_killed_when_the_job_is_to_stop_and_the_job_goes_on_without(
    trial: Trial, what: str
) -> None:
    mark = await asyncio.to_thread(trial.arm, what, 2)
    stand, engine = trial.one.stand(), trial.one.harness.engine
    sources, rest = stand.request()
    id = await trial.one.harness.copy(*sources, kind=trial.one.scenario.kind, **rest)
    await asyncio.to_thread(wait_until, lambda: mark.exists() and mark.read_text() != "")
    await engine.pause([id])
    await asyncio.to_thread(wait_until, lambda: not is_running(int(mark.read_text())))
    judge = Judge(stand, trial.one.wanted)
    assert judge.harm() == []
    await engine.resume([id])
    job = await trial.one.harness.ends(id)
    assert (job.state, judge.undone()) == (JobState.DONE, [])


@jobs(COPY)
async def test_a_job_with_one_that_hangs_can_be_cancelled(trial: Trial) -> None:
    mark = await asyncio.to_thread(trial.arm, "hang", 30)
    stand, engine = trial.one.stand(), trial.one.harness.engine
    sources, rest = stand.request()
    id = await trial.one.harness.copy(*sources, kind=trial.one.scenario.kind, **rest)
    await asyncio.to_thread(wait_until, lambda: mark.exists() and mark.read_text() != "")
    await engine.cancel([id])
    job = await trial.one.harness.ends(id)
    assert job.state is JobState.CANCELLED
    assert Judge(stand, trial.one.wanted).harm() == []


def wait_until(wanted: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.005)


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
