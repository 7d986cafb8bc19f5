"""`ferry completion`: what may come next, and that the shells get it as they want it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cli_engine import FakeEngine
from msgspec.structs import replace

from tui.cli.commands import COMMANDS, GROUPS
from tui.cli.completion import candidates
from tui.cli.options import SHELLS
from tui.model.job import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cli_run import Run

    from tui.model.job import Job


def jobs() -> Sequence[Job]:
    """Return one that runs, one that is done, one that has failed."""
    engine = FakeEngine()
    return (
        engine.add(JobState.RUNNING),
        engine.add(JobState.DONE, reversible=True),
        replace(engine.add(JobState.FAILED), id=13),
    )


def completed(*words: str) -> list[str]:
    return [word for word, _ in candidates(words, jobs)]


def test_the_first_word_is_a_command() -> None:
    assert completed("") == list(dict.fromkeys(command.words[0] for command in COMMANDS))
    assert completed("co") == ["copy", "config", "completion"]
    assert completed("--v") == ["--version"]


@pytest.mark.parametrize("group", GROUPS)
def test_the_second_word_of_a_group_is_one_of_its_own(group: str) -> None:
    seconds = [command.words[1] for command in COMMANDS if command.words[0] == group and command.words[1:]]
    assert completed(group, "") == seconds


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("copy", "--on"), ["--on-conflict"]),
        (("copy", "a", "--sy"), ["--sync"]),
        (("move", "--exc"), []),
        (("queue", "--j"), ["--json"]),
        (("queue", "undo", "--"), ["--detach", "--json", "--help"]),
        (("copy", "--on-conflict", "s"), ["skip"]),
        (("copy", "--on-conflict=ne"), ["--on-conflict=newer"]),
        (("copy", "--on-conflict", "=", "ne"), ["newer"]),
        (("copy", "--stage", "="), ["tree", "file"]),
        (("copy", "--exclude-from", ""), []),
        (("copy", "--limit", ""), []),
        (("copy", ""), []),
        (("copy", "--", "--"), []),
        (("nonsense", ""), []),
        (("completion", ""), list(SHELLS)),
        (("completion", "bash", ""), []),
    ],
)
def test_options_and_their_values_are_those_of_the_command(words: Sequence[str], found: list[str]) -> None:
    assert completed(*words) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("pause", ""), ["1"]),
        (("pause", "1", ""), ["1"]),
        (("show", ""), ["1", "2", "13"]),
        (("show", "1", ""), []),
        (("show", "--json", "1"), ["1", "13"]),
        (("retry", ""), ["13"]),
        (("remove", ""), ["2", "13"]),
        (("undo", ""), ["2"]),
        (("limit", ""), ["off"]),
        (("limit", "20MB/s", ""), ["1"]),
        (("rule", "1", "n"), ["newer"]),
        (("answer", "1", ""), ["skip", "overwrite", "newer", "rename"]),
        (("names", "1", "l"), ["lookalike"]),
        (("restore", ""), []),
    ],
)
def test_jobs_are_those_that_the_word_is_for(words: Sequence[str], found: list[str]) -> None:
    assert completed("queue", *words) == found


def test_candidates_are_told_with_what_they_do(ferry: Run) -> None:
    result = ferry("completion", "fish", "--", "copy", "--pau")
    assert (result.status, result.err) == (0, "")
    assert result.out == "--paused\tQueue it paused; `ferry queue resume` lets it go.\n"


def test_where_no_engine_runs_there_are_no_jobs_and_none_is_started(ferry: Run, engine: FakeEngine) -> None:
    assert ferry("completion", "bash", "--", "queue", "pause", "").out == ""
    assert not engine.calls


def test_a_word_that_needs_another_is_told_with_all_there_are() -> None:
    assert list(candidates(["conf"], jobs)) == [("config", "path, show, check")]
    assert list(candidates(["queu"], jobs)) == [("queue", "List the jobs.")]


def test_a_shell_that_is_not_known_is_refused(ferry: Run) -> None:
    result = ferry("completion", "tcsh")
    assert (result.status, result.err) == (
        2,
        "ferry: there is no completion for 'tcsh'. It can be bash, zsh, fish.\n",
    )


@pytest.fixture
def on_path(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `ferry` found by shells."""
    folder = here / "bin"
    folder.mkdir()
    (folder / "ferry").write_text(f'#!/bin/sh\nexec {sys.executable} -m tui "$@"\n')
    (folder / "ferry").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))


@pytest.mark.usefixtures("on_path")
def test_bash_completes() -> None:
    script = """
        eval "$(ferry completion bash)"
        for COMP_CWORD in 1 2 4; do
            COMP_WORDS=(ferry copy --on-conflict = o)
            [ $COMP_CWORD = 4 ] || COMP_WORDS[COMP_CWORD]=${COMP_WORDS[COMP_CWORD]:0:4}
            _ferry
            echo "${COMPREPLY[@]}"
        done
        complete -p ferry
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == [
        "copy",
        "--on-conflict",
        "overwrite",
        "complete -o bashdefault -o default -F _ferry ferry",
    ]


@pytest.mark.usefixtures("on_path")
@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes() -> None:
    script = "ferry completion fish | source; complete --do-complete 'ferry queue pau'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "pause\tPause jobs; they stay paused until they are resumed.\n"


@pytest.mark.usefixtures("on_path")
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_the_script() -> None:
    script = 'autoload -Uz compinit; compinit -D; eval "$(ferry completion zsh)"; print $_comps[ferry]'
    done = subprocess.run(["zsh", "-fc", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "_ferry\n"
