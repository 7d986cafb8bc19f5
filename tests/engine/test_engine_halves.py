"""Whoever dies in the middle of a small file leaves it half in the tree being built: it is never taken for a copy."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, at_rest, names, write

from tests.trees import describe, differences, partials
from tui.engine import naming
from tui.model.fidelity import ALL_TRAITS, Trait
from tui.model.job import Conflict
from tui.model.misfit import Names
from tui.places.local.name_rules import WINDOWS

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

SLOW = 4 << 20
"""A limit at which the tree takes seconds, in bytes a second."""
WHOLE = os.urandom(200_000)


@pytest.fixture
def tree(source: Path) -> Path:
    """A tree of files, some of which are as old as their copies will be."""
    for number in range(40):
        write(source / "a" / "below" / f"old {number}", WHOLE)
        (source / "a" / "below" / f"young {number}").write_bytes(WHOLE)
    return source / "a"


def stage(target: Path) -> Path:
    """Return the folder in which the tree is being built."""
    (folder,) = (path for path in target.iterdir() if path.name.startswith(".ferry-"))
    return folder / "below"


def leave_half(folder: Path, name: str) -> None:
    """Leave what a process leaves that is killed while it writes a file."""
    (folder / name).unlink(missing_ok=True)
    os.close(os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    (folder / name).write_bytes(WHOLE[:100_000])


async def paused(harness: Harness, tree: Path, target: Path, conflict: Conflict = Conflict.ASK) -> int:
    """Begin a copy, and pause it in the middle of the tree."""
    id = await harness.copy(tree, to=target, limit_bytes_s=SLOW, conflict=conflict)
    await harness.until(id, lambda job: job.progress.files_done >= 4)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    return id


async def test_a_cancelled_job_keeps_what_is_whole_and_nothing_else(
    harness: Harness, tree: Path, target: Path
) -> None:
    id = await paused(harness, tree, target)
    built = stage(target)
    copied = [name for name in names(built) if not name.startswith(".ferry-")]
    leave_half(built, "old 39")
    leave_half(built, "empty")
    (built / "empty").write_bytes(b"")
    os.utime(built, ns=(10**18, 10**18))
    os.chmod(built, 0o500)
    await harness.engine.cancel([id])
    await at_rest(harness.engine)
    assert set(names(target / "a" / "below")) == set(copied) - {"old 39"}
    assert all(
        (target / "a" / "below" / name).read_bytes() == WHOLE for name in names(target / "a" / "below")
    )
    assert os.stat(target / "a" / "below").st_mtime_ns == 10**18
    assert os.stat(target / "a" / "below").st_mode & 0o777 == 0o500
    assert "incomplete" in (await harness.engine.job(id)).note


async def test_its_retry_under_skip_brings_what_was_half(harness: Harness, tree: Path, target: Path) -> None:
    id = await paused(harness, tree, target, conflict=Conflict.SKIP)
    leave_half(stage(target), "old 39")
    await harness.engine.cancel([id])
    await at_rest(harness.engine)
    await harness.engine.retry([id])
    await harness.engine.limit(None, [id])
    await harness.done(id)
    assert differences(describe(tree), describe(target / "a")) == []


async def test_a_cancelled_job_whose_source_has_gone_keeps_what_is_older_than_its_copy(
    harness: Harness, tree: Path, target: Path
) -> None:
    id = await paused(harness, tree, target)
    built = stage(target)
    copied = [name for name in names(built) if name.startswith("old")]
    leave_half(built, "half")
    os.rename(tree, tree.parent / "elsewhere")
    await harness.engine.cancel([id])
    await at_rest(harness.engine)
    assert names(target / "a" / "below") == copied
    assert partials(target) == []


async def test_a_tree_gone_on_with_has_nothing_of_what_its_source_lost_meanwhile(
    harness: Harness, tree: Path, target: Path
) -> None:
    id = await paused(harness, tree, target)
    leave_half(stage(target), "gone")
    await harness.engine.limit(None, [id])
    await harness.engine.resume([id])
    job = await harness.done(id)
    assert job.progress.files_same >= 4
    assert differences(describe(tree), describe(target / "a")) == []


async def test_what_cannot_be_looked_at_keeps_its_partial_name(
    harness: Harness, tree: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await paused(harness, tree, target)
    built = stage(target)
    leave_half(built, "old 39")
    unlink = os.unlink

    def refuse(path: Any, **rest: Any) -> None:
        if path == b"old 39":
            raise OSError(5, "Input/output error")
        unlink(path, **rest)

    monkeypatch.setattr(os, "unlink", refuse)
    await harness.engine.cancel([id])
    await at_rest(harness.engine)
    assert names(target) == [built.parent.name]
    assert built.parent.name in (await harness.engine.job(id)).note


async def test_copies_without_the_times_of_their_sources_are_whole_and_stay(
    harness: Harness, tree: Path, target: Path
) -> None:
    keep = ALL_TRAITS - {Trait.TIMES}
    id = await harness.copy(tree, to=target, limit_bytes_s=SLOW, preserve=keep)
    await harness.until(id, lambda job: job.progress.files_done >= 4)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    copied = names(stage(target))
    await harness.engine.cancel([id])
    await at_rest(harness.engine)
    assert names(target / "a" / "below") == copied
    assert len(copied) >= 4


async def test_whole_copies_under_other_names_are_known_by_those_of_their_sources(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "rules_for", lambda fd, tag: WINDOWS)
    monkeypatch.setattr(naming, "one_for_all", lambda fd: None)
    below = source / "a" / "be:low"
    below.mkdir(parents=True)
    for number in range(40):
        (below / f"young:{number}").write_bytes(WHOLE)
    id = await harness.copy(source / "a", to=target, limit_bytes_s=SLOW, names=Names.UNDERSCORE)
    await harness.until(id, lambda job: job.progress.files_done >= 4)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    (stage_folder,) = names(target)
    built = target / stage_folder / "be_low"
    copied = [name for name in names(built) if name.startswith("young_")]
    leave_half(built, copied[0])
    await harness.engine.cancel([id])
    await at_rest(harness.engine)
    assert names(target / "a" / "be_low") == copied[1:]
    assert len(copied) >= 4
