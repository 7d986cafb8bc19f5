"""What the engine noted of a job, as the screen shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

from tui.model.job import JobKind, JobState, Request
from tui.model.location import Location
from tui.ui.job_log import Note, read_log
from tui.ui.screens.job_log import JobLog

if TYPE_CHECKING:
    from pathlib import Path

OLD = """\
2026-12-01 10:00:00,100 INFO    tui.daemon.lifecycle: engine 1.0 starts, process 7
2026-12-01 10:00:01,100 INFO    tui.engine.keeper: job 1: copy started
2026-12-01 10:00:02,100 INFO    tui.engine.keeper: job 12: move started
"""
NEW = """\
2026-12-01 10:00:03,100 INFO    tui.daemon.lifecycle: engine stops: SIGTERM
2026-12-01 10:00:04,100 INFO    tui.daemon.lifecycle: engine 1.0 starts, process 8
2026-12-01 10:00:05,100 ERROR   tui.engine.keeper: job 1: could not be brought to its end
Traceback (most recent call last):
  File "job 1: x.py", line 1
2026-12-01 10:00:06,100 INFO    tui.engine.keeper: job 1: done
2026-12-01 10:00:07,100 INFO    tui.daemon.lifecycle: engine stops: idle
"""


def write(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    log.with_name(log.name + ".1").write_text(OLD)
    log.write_text(NEW)


def test_the_log_of_a_job_goes_from_its_first_line_to_its_last(tmp_path: Path) -> None:
    write(tmp_path / "engine.log")
    assert read_log(tmp_path / "engine.log", 1) == [
        Note("2026-12-01 10:00:01", False, "copy started"),
        Note("2026-12-01 10:00:03", False, "engine stops: SIGTERM"),
        Note("2026-12-01 10:00:04", False, "engine 1.0 starts, process 8"),
        Note("2026-12-01 10:00:05", True, "could not be brought to its end"),
        Note("2026-12-01 10:00:06", False, "done"),
    ]
    assert [note.text for note in read_log(tmp_path / "engine.log", 12)] == ["move started"]
    assert read_log(tmp_path / "engine.log", 2) == read_log(tmp_path / "none", 1) == []


def add_job(client) -> None:
    sources = (Location("/home/ann/notes.txt"),)
    client.add_job(Request(kind=JobKind.COPY, sources=sources, target=Location("/mnt")), state=JobState.DONE)


async def shown(s) -> str:
    await s.press("w")
    await s.until(lambda: s.main.queue_pane.jobs, "the job shown")
    await s.press("f3")
    table = (await s.dialog(JobLog)).query_one("#table", Static)
    await s.until(lambda: str(table.visual) or table.content, "the log read")
    return "\n".join(strip.text for strip in table.render_lines(table.region.reset_offset))


async def test_a_key_shows_the_log_of_a_job(shell, paths) -> None:
    write(paths.engine_log)
    async with shell(prepare=add_job, size=(100, 30)) as s:
        lines = (await shown(s)).split("\n")
        assert [line.split("  ", 1)[1].strip() for line in lines][-2:] == [
            "could not be brought to its end", "done",
        ]  # fmt: skip
        await s.press("f3")
        await s.back()


async def test_it_is_told_where_nothing_of_a_job_is_left(shell, paths) -> None:
    async with shell(prepare=add_job) as s:
        assert "has nothing of this job" in await shown(s)


async def test_a_log_that_cannot_be_read_is_told(shell, paths) -> None:
    paths.engine_log.mkdir(parents=True)
    async with shell(prepare=add_job) as s:
        assert "cannot be read: Is a directory" in await shown(s)
