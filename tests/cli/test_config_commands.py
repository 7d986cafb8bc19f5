"""`ferry config …` and `ferry doctor`."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest
from cli_run import Run, golden

from tui.model.job import JobState
from tui.model.location import Location
from tui.paths import Paths

if TYPE_CHECKING:
    from pathlib import Path

    from cli_engine import FakeEngine


@pytest.fixture
def config(here: Path, tmp_path: Path) -> Path:
    """The configuration file, not made yet."""
    file = tmp_path / "home" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    return file


def test_path_is_printed(ferry: Run, config: Path) -> None:
    assert ferry("config", "path").out == f"{config}\n"


def test_show_prints_all_settings_with_what_they_are_for(ferry: Run) -> None:
    result = ferry("config", "show")
    assert (result.status, result.err) == (0, "")
    golden("config-show.toml", result.out)


def test_show_marks_what_is_not_the_default(ferry: Run, config: Path) -> None:
    config.write_text('[queue]\nslots = 4\n[keys]\n"pane.copy" = "c"\n')
    lines = ferry("config", "show").out.splitlines()
    assert "slots = 4  # default: 2" in lines
    assert '"pane.copy" = ["c"]' in lines


def test_check_is_content_with_a_right_file(ferry: Run, config: Path) -> None:
    assert ferry("config", "check").out == f"{config} does not exist; all defaults are in effect\n"
    config.write_text('[keys]\n"pane.copy" = "c"\n')
    assert ferry("config", "check").out == f"{config} is in order\n"


def test_check_names_line_key_and_nearest_right_one(ferry: Run, config: Path) -> None:
    config.write_text('[screen]\nthem = "x"\n[keys]\n"pane.cpoy" = "c"\n')
    result = ferry("config", "check")
    assert (result.status, result.out) == (1, "")
    assert result.err == (
        f'ferry: {config}:2: there is no key "screen.them". Did you mean "theme"? It is left out.\n'
        f'ferry: {config}:4: there is no action "pane.cpoy". Did you mean "pane.copy"? It is left out.\n'
    )


def test_a_wrong_configuration_is_mentioned_and_stops_nothing(ferry: Run, config: Path) -> None:
    config.write_text("[queue]\nslots = 0\nnice = 99\n")
    result = ferry("queue")
    assert result.status == 0
    assert f"{config}:2: queue.slots must be a whole number" in result.err
    assert "1 more in the configuration: `ferry config check` lists them" in result.err


def test_doctor_is_content_with_a_fresh_home(ferry: Run, engine: FakeEngine) -> None:
    engine.running = False
    result = ferry("doctor")
    assert (result.status, result.err) == (0, "")
    topics = [line.split()[1].rstrip(":") for line in result.out.splitlines()]
    assert topics == "python terminal socket engine journal configuration leftovers space".split()
    assert all(line.startswith("ok ") for line in result.out.splitlines())
    assert not Paths.from_environment().state.exists()


def test_doctor_finds_what_is_wrong(ferry: Run, engine: FakeEngine, config: Path, here: Path) -> None:
    paths = Paths.from_environment()
    config.write_text("[queue]\nslots = 0\n")
    paths.runtime.mkdir(mode=0o755)
    paths.state.mkdir()
    paths.journal.write_bytes(b"SQLite format 3\0" + b"rubbish" * 1000)
    (paths.state / "journal.sqlite3.damaged-20260101-000000").touch()
    engine.running = False
    result = ferry("doctor")
    assert result.status == 1
    found = {line[:4].strip() + " " + line.split()[1] for line in result.out.splitlines() if line[0] != " "}
    assert {"warn socket:", "warn configuration:", "fail journal:", "warn journal:"} <= found
    assert "sets it aside at its next start" in result.out
    assert paths.journal.read_bytes().startswith(b"SQLite format 3\0rubbish")


def test_doctor_finds_half_files_of_ended_jobs(ferry: Run, engine: FakeEngine, here: Path) -> None:
    Paths.from_environment().state.mkdir(parents=True)
    Paths.from_environment().journal.touch()
    for name in ("ended", "going"):
        (here / name).mkdir()
        (here / name / ".ferry-x-1.part").touch()
    engine.add(JobState.FAILED, target=Location(f"{here}/ended"))
    engine.add(JobState.RUNNING, target=Location(f"{here}/going"))
    result = ferry("doctor", "--json")
    told = [json.loads(line) for line in result.out.splitlines()]
    leftovers = [each for each in told if each["topic"] == "leftovers"]
    assert [each["text"] for each in leftovers] == [f"{here}/ended/.ferry-x-1.part"]
    assert leftovers[0]["level"] == "warn"
    assert result.status == 0


def test_doctor_reads_the_journal_of_an_engine_at_rest_and_leaves_it_alone(
    ferry: Run, engine: FakeEngine
) -> None:
    paths = Paths.from_environment()
    paths.state.mkdir(parents=True)
    with sqlite3.connect(paths.journal) as db:
        db.execute("CREATE TABLE unrelated (x)")
    db.close()
    before = paths.journal.read_bytes()
    engine.running = False
    result = ferry("doctor")
    assert "ok    journal" in result.out
    assert paths.journal.read_bytes() == before
