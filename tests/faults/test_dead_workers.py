"""A worker process that dies over a small file leaves it half: no tree gets its name with that in it.

What happens to the source before somebody else goes on decides whether the half file is met again.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.engine_harness import Harness, new_engine, write
from tests.faults.test_worker_faults import PROGRAM, wait_until
from tests.trees import partials
from tui.engine import naming
from tui.model.fidelity import ALL_TRAITS, Trait
from tui.model.job import Conflict, JobState
from tui.model.misfit import Names
from tui.places.local import worker_process
from tui.places.local.name_rules import WINDOWS
from tui.places.local.worker_copy import WorkerCopy
from tui.places.local.workers import Workers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tui.model.job import Job
    from tui.places.local.hops import Batch
    from tui.places.local.loss_notes import LossNotes

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads do it all there")

WHOLE = b"all of it"


class Dying:
    """An engine whose one worker dies in the middle of a file, and what is done to the source before others go on."""

    def __init__(self, harness: Harness, workers: Workers, mark: Path, patch: pytest.MonkeyPatch) -> None:
        self.harness, self._workers, self._mark, self._patch = harness, workers, mark, patch

    async def copy(self, source: Path, to: Path, meanwhile: Callable[[], object], **rest: Any) -> Job:
        """Copy, with the worker killed before it writes the last file; return how that ended."""
        await asyncio.to_thread(self._begin, source)
        step_here = WorkerCopy.step_here

        def changed_before(copy: WorkerCopy, *, finish: bool, notes: LossNotes | None) -> Batch:
            self._patch.setattr(WorkerCopy, "step_here", step_here)
            meanwhile()
            return step_here(copy, finish=finish, notes=notes)

        self._patch.setattr(WorkerCopy, "step_here", changed_before)
        job = await self.harness.ends(await self.harness.copy(source, to=to, **rest))
        assert self._mark.exists()
        return job

    def _begin(self, source: Path) -> None:
        files = sum(path.is_file() for path in source.rglob("*"))
        self._patch.setenv("FERRY_FAULT", f"kill write/{files - 1} {self._mark}")
        self._workers.start()
        wait_until(lambda: all(process.ready for process in self._workers._processes))


@pytest.fixture
async def dying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dying]:
    monkeypatch.setattr(worker_process, "_PROGRAM", PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(PROGRAM.parents[2]))
    monkeypatch.setenv("FERRY_CALLS", "write")
    workers = Workers(1)
    harness = Harness(new_engine(tmp_path / "journal", workers=workers), tmp_path / "journal")
    await harness.engine.start_up()
    yield Dying(harness, workers, tmp_path / "mark", monkeypatch)
    await harness.engine.shut_down()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write(tmp_path / "source" / "tree" / "file", WHOLE).parent


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


async def test_of_a_file_that_has_gone_nothing_stays(dying: Dying, tree: Path, target: Path) -> None:
    job = await dying.copy(tree, target, (tree / "file").unlink)
    assert (job.state, os.listdir(target / "tree")) == (JobState.DONE, [])


async def test_of_a_file_that_cannot_be_read_any_more_nothing_stays_and_a_retry_brings_it(
    dying: Dying, tree: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: Any, *args: Any, **rest: Any) -> int:
        if path == b"file":
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **rest)

    def lock() -> None:
        monkeypatch.setattr(os, "open", refuse)

    job = await dying.copy(tree, target, lock, conflict=Conflict.SKIP)
    monkeypatch.setattr(os, "open", opened)
    assert (job.state, os.listdir(target / "tree")) == (JobState.FAILED, [])
    await dying.harness.engine.retry([job.id])
    await dying.harness.done(job.id)
    assert (target / "tree" / "file").read_bytes() == WHOLE


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
async def test_what_took_the_place_of_a_file_is_copied_in_its_place(
    dying: Dying, tree: Path, target: Path, kind: str
) -> None:
    def change() -> None:
        (tree / "file").unlink()
        if kind == "folder":
            write(tree / "file" / "inner", WHOLE)
        elif kind == "link":
            (tree / "file").symlink_to("elsewhere")
        else:
            os.mkfifo(tree / "file")

    job = await dying.copy(tree, target, change)
    assert job.state is JobState.DONE
    there = target / "tree" / "file"
    assert {"folder": there.is_dir, "link": there.is_symlink, "pipe": there.is_fifo}[kind]()


async def test_of_a_folder_that_has_gone_or_become_a_file_nothing_half_stays(
    dying: Dying, tree: Path, target: Path
) -> None:
    (tree / "file").rename(tree.parent / "file")
    inner = write(tree / "inner" / "file", WHOLE).parent

    def change() -> None:
        (inner / "file").unlink()
        inner.rmdir()
        inner.write_bytes(WHOLE)

    await dying.copy(tree, target, change)
    assert not (target / "tree" / "inner" / "file").exists()


async def test_of_several_folders_asked_for_at_once_none_keeps_a_half_file(
    dying: Dying, tree: Path, target: Path
) -> None:
    folders = [write(tree / f"folder {number}" / "file", WHOLE).parent for number in range(8)]

    def change() -> None:
        for path in (tree / "file", *(folder / "file" for folder in folders)):
            path.unlink()

    await dying.copy(tree, target, change)
    left = [path for path in (target / "tree").rglob("*") if path.is_file() and path.read_bytes() != WHOLE]
    assert left == []


async def test_names_that_are_changed_for_the_target_hide_no_half_file(
    dying: Dying, tree: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "rules_for", lambda fd, tag: WINDOWS)
    monkeypatch.setattr(naming, "one_for_all", lambda fd: None)
    (tree / "file").rename(tree / "fi:le")
    job = await dying.copy(tree, target, (tree / "fi:le").unlink, names=Names.UNDERSCORE)
    assert (job.state, os.listdir(target / "tree")) == (JobState.DONE, [])


async def test_without_times_nothing_half_ever_has_a_final_name(
    dying: Dying, tree: Path, target: Path
) -> None:
    keep = ALL_TRAITS - {Trait.TIMES}
    job = await dying.copy(tree, target, (tree / "file").unlink, preserve=keep)
    assert (job.state, os.listdir(target / "tree"), partials(target)) == (JobState.DONE, [], [])
