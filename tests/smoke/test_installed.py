"""The installed command, away from the checkout: the one FERRY_SMOKE names, else the one of this environment."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tui
from tests.trees import describe, differences, make_mixed_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = os.environ.get("FERRY_SMOKE") or str(Path(sysconfig.get_path("scripts")) / "ferry")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    ferry(tmp_path / "home", "engine", "stop")


def ferry(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    return subprocess.run(
        [COMMAND, *words],
        env={**environment, "FERRY_HOME": str(home)},
        cwd=home.parent,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
    )


def test_the_command_tells_its_version(home: Path) -> None:
    told = ferry(home, "--version")
    assert (told.returncode, told.stdout.strip(), told.stderr) == (0, f"ferry {tui.__version__}", "")


def test_a_tree_is_copied_by_the_background_engine(home: Path, tmp_path: Path) -> None:
    make_mixed_tree(tmp_path / "source", seed=7, files=50)
    copied = ferry(home, "copy", str(tmp_path / "source"), str(tmp_path / "copy"))
    assert (copied.returncode, copied.stderr) == (0, "")
    assert differences(describe(tmp_path / "source"), describe(tmp_path / "copy")) == []


def test_the_package_carries_its_styles(home: Path) -> None:
    python = Path(COMMAND).parent / "python"
    code = "from tui.resources import styles_dir; print(*sorted(p.name for p in styles_dir().glob('*.tcss')))"
    listed = subprocess.run(
        [python, "-P", "-c", code], capture_output=True, text=True, cwd=home.parent, check=True, timeout=30
    )
    assert "base.tcss" in listed.stdout.split()
