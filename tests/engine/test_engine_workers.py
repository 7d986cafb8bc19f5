"""Jobs whose folders are copied by worker processes."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from engine_harness import Harness, new_engine, write

from tests.mounts import ramfs
from tests.trees import describe, differences, make_mixed_tree, partials
from tui.client.runtime import Lock
from tui.model.fidelity import Loss
from tui.model.job import Conflict, JobState
from tui.places.local.copy_rules import CopyRules
from tui.places.local.hops import Brake
from tui.places.local.links import HardLinks
from tui.places.local.root import Root
from tui.places.local.worker_copy import WorkerCopy
from tui.places.local.worker_process import Process, WorkerGone
from tui.places.local.workers import Workers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.places.local.copying import FolderCopy
    from tui.places.local.frames import FolderStep
    from tui.places.local.loss_notes import LossNotes

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads do it all there")

TOP = Path(__file__).parents[2]
RULES = CopyRules(tag="t7")
LONG_AGO_NS = 1_500_000_000 * 10**9


def start(workers: Workers) -> list[int]:
    """Start worker processes, wait until they answer, and return their pids."""
    workers.start()
    end = time.monotonic() + 60
    while not all(process.ready for process in workers._processes):
        assert time.monotonic() < end and not any(process.ended for process in workers._processes)
        time.sleep(0.005)
    return [process._process.pid for process in workers._processes]


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_until_gone(*pids: int) -> None:
    end = time.monotonic() + 60
    while any(map(is_alive, pids)):
        assert time.monotonic() < end, "still there"
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def program_of_this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TOP))


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[tuple[Harness, Workers]]:
    """An engine whose two workers stand ready."""
    journal, workers = tmp_path / "state" / "journal.sqlite3", Workers(2)
    harness = Harness(new_engine(journal, workers=workers), journal)
    await harness.engine.start_up()
    try:
        start(workers)
        yield harness, workers
    finally:
        await harness.engine.shut_down()


async def test_a_mixed_tree_arrives_whole(tmp_path: Path, target: Path) -> None:
    make_mixed_tree(tmp_path / "tree", seed=1, large_bytes=20 << 20)
    async with running(tmp_path) as (harness, workers):
        job = await harness.done(await harness.copy(tmp_path / "tree", to=target))
        assert next(workers._keys) > 5, "folders went through the workers"
    assert differences(describe(tmp_path / "tree"), describe(target / "tree")) == []
    assert partials(target) == []
    assert job.progress.files_done == job.progress.files_total
    assert job.progress.bytes_done == job.progress.bytes_total


async def test_workers_verify_what_they_copy(tmp_path: Path, target: Path) -> None:
    make_mixed_tree(tmp_path / "tree", seed=1, files=200)
    async with running(tmp_path) as (harness, workers):
        job = await harness.done(await harness.copy(tmp_path / "tree", to=target, verify=True))
        assert next(workers._keys) > 5, "folders went through the workers"
    found = describe(target / "tree")
    assert differences(describe(tmp_path / "tree"), found) == []
    assert job.progress.files_verified == sum(stat.S_ISREG(mode) for mode, *_ in found.values()) > 200


async def test_a_merge_finds_what_is_the_same_and_asks_for_the_rest(tmp_path: Path, target: Path) -> None:
    make_mixed_tree(tmp_path / "tree", seed=2, files=80)
    async with running(tmp_path) as (harness, _):
        await harness.done(await harness.copy(tmp_path / "tree", to=target))
        changed = next(
            path for path in sorted((target / "tree").rglob("*")) if path.is_file() and not path.is_symlink()
        )
        changed.write_bytes(b"something of its own")
        job = await harness.ends(await harness.copy(tmp_path / "tree", to=target))
        assert (job.state, job.progress.questions) == (JobState.WAITING, 1)
        assert changed.read_bytes() == b"something of its own"
        again = await harness.done(
            await harness.copy(tmp_path / "tree", to=target, conflict=Conflict.OVERWRITE)
        )
        assert again.progress.files_same == again.progress.files_done - 1
    assert differences(describe(tmp_path / "tree"), describe(target / "tree")) == []


async def test_a_folder_has_its_time_again_when_the_answer_to_a_question_is_done(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workers, "rest", lambda self: None)  # nor does it wait for workers to be told to rest
    write(tmp_path / "tree" / "file", "one")
    os.utime(tmp_path / "tree", ns=(LONG_AGO_NS, LONG_AGO_NS))
    async with running(tmp_path) as (harness, _):
        await harness.done(await harness.copy(tmp_path / "tree", to=target))
        (tmp_path / "tree" / "file").write_text("another")
        id = await harness.copy(tmp_path / "tree", to=target)
        await harness.ends(id)
        [question] = await harness.engine.questions(id)
        await harness.engine.answer(question.id, Conflict.OVERWRITE)
        await harness.done(id)
        assert (target / "tree" / "file").read_text() == "another"
        assert (target / "tree").stat().st_mtime_ns == LONG_AGO_NS


async def test_names_of_one_file_stay_one_file_across_workers(tmp_path: Path, target: Path) -> None:
    tree = tmp_path / "tree"
    for number in range(40):
        folder = tree / f"folder {number}"
        folder.mkdir(parents=True)
        (folder / "own").write_text(str(number))
        if number:
            os.link(tree / "folder 0" / "shared", folder / "shared")
        else:
            (folder / "shared").write_text("shared")
    async with running(tmp_path) as (harness, _):
        await harness.done(await harness.copy(tree, to=target))
    assert (target / "tree" / "folder 0" / "shared").stat().st_nlink == 40
    assert differences(describe(tree), describe(target / "tree")) == []


async def test_a_worker_that_is_killed_costs_nothing_but_time(tmp_path: Path, target: Path) -> None:
    tree = tmp_path / "tree"
    for number in range(3000):
        (tree / f"folder {number // 50}").mkdir(parents=True, exist_ok=True)
        (tree / f"folder {number // 50}" / str(number)).write_text(str(number))
    async with running(tmp_path) as (harness, workers):
        id = await harness.copy(tree, to=target)
        await harness.until(id, lambda job: job.progress.files_done > 50)
        for process in workers._processes:
            os.kill(process._process.pid, signal.SIGKILL)
        job = await harness.done(id)
    assert job.progress.files_done == 3000
    assert differences(describe(tree), describe(target / "tree")) == []
    assert partials(target) == []


async def test_what_a_killed_worker_told_of_is_neither_done_nor_counted_twice(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    for number in range(1500):
        (tree / f"{number}").parent.mkdir(exist_ok=True)
        (tree / f"{number}").write_text(str(number))
        if number % 100 == 0:
            (tree / f"folder {number}").mkdir()
            (tree / f"folder {number}" / "inner").write_text("inner")
            (tree / f"large {number}").write_bytes(b"large" * (number + 1))
    monkeypatch.setattr("tui.engine.run.LARGE_BYTES", 100)
    steps = killing_after(monkeypatch, 4)
    async with running(tmp_path) as (harness, _):
        job = await harness.done(await harness.copy(tree, to=target))
    assert len(steps) >= 4
    assert differences(describe(tree), describe(target / "tree")) == []
    size_bytes = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
    assert (job.progress.files_done, job.progress.bytes_done) == (1530, size_bytes)


async def test_what_failed_in_a_killed_worker_is_one_error(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(1500):
        (tree / f"{number}").write_text(str(number))
    for number in range(200):
        (target / "tree" / f"{number}" / "in the way").mkdir(parents=True)
    killing_after(monkeypatch, 4)
    async with running(tmp_path) as (harness, _):
        job = await harness.ends(await harness.copy(tree, to=target, conflict=Conflict.OVERWRITE))
        assert (job.state, job.progress.errors, job.progress.files_done) == (JobState.FAILED, 200, 1300)


@pytest.mark.parametrize("merged", [False, True], ids=["new tree", "merge"])
async def test_what_was_lost_by_a_worker_that_died_before_it_told_is_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, merged: bool
) -> None:
    tree = tmp_path / "tree"
    for number in range(600):
        write(tree / f"folder {number // 200}" / str(number), b"content")
        os.setxattr(tree / f"folder {number // 200}" / str(number), "user.colour", b"red")
    real, asked = Process.ask, list[int]()

    def dies_at_third(process: Process, brake: Brake | None = None, **what: Any) -> Any:
        reply = real(process, brake, **what)
        if what.get("steps"):
            asked.append(1)
            if len(asked) == 3:
                process.kill()
                raise WorkerGone
        return reply

    monkeypatch.setattr(Process, "ask", dies_at_third)
    with ramfs(tmp_path / "far") as far:
        if merged:
            (far / "tree").mkdir()
        async with running(tmp_path) as (harness, _):
            id = (await harness.done(await harness.copy(tree, to=far))).id
            (lost,) = await harness.engine.losses(id)
    assert len(asked) >= 3
    assert (lost.loss, lost.count) == (Loss.XATTR, 600)


def killing_after(patch: pytest.MonkeyPatch, count: int) -> list[int]:
    """Kill the worker a folder is copied in after so many steps that were not the folder's first; return the list."""
    steps: list[int] = []
    real = WorkerCopy.asked

    def asked(copy: WorkerCopy, *, finish: bool, notes: LossNotes | None) -> FolderStep:
        if copy._spec is None:
            steps.append(copy.process._process.pid)
        if len(steps) == count:
            copy.process._process.kill()
            copy.process._process.wait()
        return real(copy, finish=finish, notes=notes)

    patch.setattr(WorkerCopy, "asked", asked)
    return steps


async def test_they_end_with_their_engine(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, workers):
        pids = [process._process.pid for process in workers._processes]
        assert len(pids) == 2 and all(map(is_alive, pids))
    assert not any(map(is_alive, pids))


def test_they_are_killed_with_an_engine_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import time; from tui.places.local.workers import Workers\n"
        "workers = Workers(2); workers.start()\n"
        "print(*(process._process.pid for process in workers._processes), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        pids = [int(word) for word in engine.stdout.readline().split()]
        engine.kill()
    wait_until_gone(*pids)


def test_nobody_takes_up_the_queue_while_a_worker_lives(tmp_path: Path) -> None:
    lock = Lock.take(tmp_path / "lock")
    assert lock is not None
    workers = Workers(1, held=[lock.fd])
    start(workers)
    try:
        lock.release()
        assert Lock.take(tmp_path / "lock") is None
    finally:
        workers.end()
    free = Lock.take(tmp_path / "lock")
    assert free is not None
    free.release()


async def test_a_worker_that_a_disk_holds_holds_up_no_other_job(
    tmp_path: Path, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.places.local.worker_process.PATIENCE_S", 0.2)
    workers = Workers(1)
    (pid,) = start(workers)
    (source / "a").mkdir()
    (source / "a" / "file").write_text("text")
    with Root.open(str(source)) as there, Root.open(str(target)) as here:
        held_by, free = Brake(), Brake()

        def copy(brake: Brake) -> FolderCopy | WorkerCopy:
            return workers.copy(there, here, b"a", b"", RULES, HardLinks(), brake, None, most=1)

        held, other = copy(held_by), copy(free)
        os.kill(pid, signal.SIGSTOP)
        first = asyncio.create_task(asyncio.to_thread(held.step))
        second = asyncio.create_task(asyncio.to_thread(other.step))
        free.on = True
        assert not (await asyncio.wait_for(second, 10)).exhausted
        await asyncio.wait_for(asyncio.to_thread(workers.rest), 10)
        held_by.on = True
        await asyncio.wait_for(first, 10)
        assert not workers.ready, "it is not asked again"
        for each in (held, other):
            each.close()
    workers.end()
    wait_until_gone(pid)


async def test_processes_that_do_not_start_leave_the_work_to_threads(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_mixed_tree(tmp_path / "tree", seed=3, files=60)
    journal, workers = tmp_path / "state" / "journal.sqlite3", Workers(2)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    harness = Harness(new_engine(journal, workers=workers), journal)
    await harness.engine.start_up()
    try:
        workers.start()
        await asyncio.to_thread(wait_until_gone, *(process._process.pid for process in workers._processes))
        workers.start()
        assert workers._processes == []
        assert "threads copy instead" in caplog.text
        await harness.done(await harness.copy(tmp_path / "tree", to=target))
    finally:
        await harness.engine.shut_down()
    assert differences(describe(tmp_path / "tree"), describe(target / "tree")) == []


@pytest.mark.parametrize("kind", ["copy", "move"])
async def test_names_of_one_file_in_two_sources_are_one_file_again(
    tmp_path: Path, source: Path, far: Path, kind: str
) -> None:
    first, second = source / "here" / "first", source / "there" / "second"
    for folder in (first, second):
        folder.mkdir(parents=True)
    (first / "one").write_text("text")
    os.link(first / "one", second / "two")
    journal, workers = tmp_path / "state" / "journal.sqlite3", Workers(1)
    start(workers)
    harness = Harness(new_engine(journal, workers=workers), journal)
    await harness.engine.start_up()
    try:
        await harness.done(await getattr(harness, kind)(first, second, to=far))
    finally:
        await harness.engine.shut_down()
    assert (far / "first" / "one").samefile(far / "second" / "two")
