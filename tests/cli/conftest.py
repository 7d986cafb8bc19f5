"""Runs commands in this process, against an engine in memory, in a folder of their own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from cli_engine import FakeEngine
from cli_run import Result, Run

import tui.cli.run
from tui.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, empty; FERRY_HOME is beside it; a UTC clock."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("FERRY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "UTC")
        time.tzset()
        yield folder
    time.tzset()


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the tests are run: nobody is asked what hosts ask, but in a pseudo-terminal of a test's own."""
    monkeypatch.setattr("tui.cli.prompt.terminal", lambda: None)
    monkeypatch.delenv("SSH_ASKPASS", raising=False)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(tui.cli.run, "SpawnedEngines", lambda paths, settings: fake)
    return fake


@pytest.fixture
def ferry(here: Path, engine: FakeEngine, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command with words as they would be typed; return its status and what it wrote."""

    def run(*words: str) -> Result:
        status = main(words)
        out, err = capfd.readouterr()
        return Result(status, out, err)

    return run
