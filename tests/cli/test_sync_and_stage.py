"""`--sync` and `--stage`: what reaches the request, and how the wait for the disk is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cli_engine import FakeEngine, done, running
from msgspec.structs import replace

from tui.cli import bar
from tui.model.job import Flush, Staging

if TYPE_CHECKING:
    from enum import StrEnum
    from pathlib import Path

    from cli_run import Run

    from tui.model.job import Job, Request


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    (here / "a").write_bytes(b"one")
    (here / "folder").mkdir()


def last(engine: FakeEngine) -> Request:
    """Return the request that was queued last."""
    return engine.requests[max(engine.requests)]


def test_when_to_flush_and_how_to_stage_reach_the_request(ferry: Run, engine: FakeEngine) -> None:
    assert ferry("copy", "--sync", "file", "--stage=file", "a", "folder").status == 0
    assert (last(engine).flush, last(engine).staging) == (Flush.FILE, Staging.FILE)


def test_without_them_the_configuration_says(ferry: Run, engine: FakeEngine, tmp_path: Path) -> None:
    ferry("copy", "a", "folder")
    assert (last(engine).flush, last(engine).staging) == (Flush.JOB, Staging.TREE)
    file = tmp_path / "home" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[queue]\nsync = "none"\nstage = "file"\n')
    ferry("move", "a", "folder")
    assert (last(engine).flush, last(engine).staging) == (Flush.NONE, Staging.FILE)
    ferry("move", "--sync", "job", "--stage", "tree", "a", "folder")
    assert (last(engine).flush, last(engine).staging) == (Flush.JOB, Staging.TREE)


@pytest.mark.parametrize(("option", "known"), [("--sync", Flush), ("--stage", Staging)])
def test_the_choices_are_those_there_are(ferry: Run, option: str, known: type[StrEnum]) -> None:
    result = ferry("copy", option, "sometimes", "a", "folder")
    assert result.status == 2
    assert f"It can be {', '.join(known)}." in result.err


def test_the_wait_for_the_disk_is_told(ferry: Run, engine: FakeEngine) -> None:
    def flushing(job: Job) -> Job:
        job = running()(job)
        return replace(job, progress=replace(job.progress, flushing=True, bytes_flushed=1))

    engine.plan = [flushing, done()]
    told = [json.loads(line) for line in ferry("copy", "--json", "a", "folder").out.splitlines()]
    progress = [(line["flushing"], line["bytes_flushed"]) for line in told if line["event"] == "progress"]
    assert progress[0] == (True, 1)
    assert bar.line([flushing(engine.add())], 80).endswith("  flushing to disk…")
