"""Programs run at a job's end: what they learn, and that they hold up nobody."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

from tests.daemon.homes import alive, eventually
from tui.client.hooks import Hooks, environment
from tui.model.job import Conflict, Job, JobKind, JobState, Progress
from tui.model.location import Location

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def job(target: Location | None = None, id: int = 1) -> Job:
    progress = Progress(files_done=3, bytes_done=4096, errors=1)
    return Job(
        id, JobKind.TRASH, JobState.FAILED, Location("/a"), 1, target, True, Conflict.ASK, 3, None, 1, 0.0, 1,
        progress=progress,
    )  # fmt: skip


def test_the_environment_tells_how_the_job_ended() -> None:
    assert environment(job()) == {
        "FERRY_JOB_ID": "1",
        "FERRY_JOB_STATE": "failed",
        "FERRY_JOB_KIND": "trash",
        "FERRY_JOB_TARGET": "",
        "FERRY_JOB_FILES": "3",
        "FERRY_JOB_BYTES": "4096",
        "FERRY_JOB_ERRORS": "1",
    }
    assert environment(job(Location("/b", "sftp", "host")))["FERRY_JOB_TARGET"] == "sftp://host/b"


async def test_a_name_of_any_bytes_reaches_the_program(tmp_path: Path) -> None:
    out = tmp_path / "out"
    hooks = Hooks(("sh", "-c", f'printf %s "$FERRY_JOB_TARGET" > {out}'))
    hooks.job_ended(job(Location("/b\udcff\n")))
    await hooks.close()
    assert out.read_bytes() == b"/b\xff\n"


async def test_a_program_that_does_not_end_is_ended_with_all_it_started(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pids = tmp_path / "pids"
    hooks = Hooks(("sh", "-c", f"sleep 1000 & echo $! $$ > {pids}; wait"), time_limit_s=0.5)
    hooks.job_ended(job())
    assert hooks.busy
    await eventually(lambda: not hooks.busy)
    assert not [pid for pid in pids.read_text().split() if alive(int(pid))]
    assert "was ended after 0.5 s" in caplog.text


async def test_what_a_program_leaves_running_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    flag, done = tmp_path / "flag", tmp_path / "done"
    script = f"(while [ ! -e {flag} ]; do sleep 0.01; done; touch {done}) & echo said; exit 3"
    hooks = Hooks(("sh", "-c", script))
    hooks.job_ended(job())
    await eventually(lambda: not hooks.busy)
    assert "ended with status 3: said" in caplog.text
    flag.touch()
    await eventually(done.exists)


async def test_closing_waits_only_so_long(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    hooks = Hooks(("sh", "-c", f"echo $$ > {pid}; exec sleep 1000"))
    hooks.job_ended(job())
    await eventually(lambda: pid.exists() and pid.read_text())
    started = time.monotonic()
    await hooks.close(patience_s=0.1)
    assert time.monotonic() - started < 30
    assert not alive(int(pid.read_text()))


async def test_a_few_run_at_once_and_all_get_their_turn(tmp_path: Path) -> None:
    hooks = Hooks(("sh", "-c", f"touch {tmp_path}/$FERRY_JOB_ID"))
    for id in range(10):
        hooks.job_ended(job(id=id))
    await hooks.close(patience_s=20)
    assert sorted(map(int, os.listdir(tmp_path))) == list(range(10))
