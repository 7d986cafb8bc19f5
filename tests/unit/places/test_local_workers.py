"""One folder copied in a worker process, and what goes over the pipe."""

from __future__ import annotations

import inspect
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.trees import describe, differences
from tui.model import error as errors
from tui.model.fidelity import Loss
from tui.model.location import Location
from tui.places.local.copy_rules import CopyRules
from tui.places.local.frames import FolderStep, Request, receive, send
from tui.places.local.hops import BATCH_ENTRIES, Brake
from tui.places.local.links import HardLinks
from tui.places.local.root import Root
from tui.places.local.worker import Worker
from tui.places.local.worker_copy import WorkerCopy, step_together
from tui.places.local.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads do it all there")


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """One worker, ready."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    workers = Workers(1)
    workers.start()
    (process,) = workers._processes
    end = time.monotonic() + 60
    while not process.ready:
        assert not process.ended and time.monotonic() < end
        time.sleep(0.005)
    yield workers
    workers.end()


def copy_of(
    workers: Workers, source: Root, target: Root, brake: Brake | None = None, path: bytes = b""
) -> WorkerCopy:
    rules = CopyRules("tag", own=True)
    copy = workers.copy(source, target, path, path, rules, HardLinks(), brake or Brake(), None, most=1)
    assert isinstance(copy, WorkerCopy)
    return copy


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Root, Root]]:
    for name in ("source", "target"):
        (tmp_path / name).mkdir()
    with Root.open(str(tmp_path / "source")) as source, Root.open(str(tmp_path / "target")) as target:
        yield source, target


@linux
def test_batches_tell_what_was_done_and_what_is_left(
    workers: Workers, folders: tuple[Root, Root], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    (source / "sub").mkdir()
    (source / "plain").write_text("plain")
    (source / "one").write_text("two names")
    os.link(source / "one", source / "two")
    copy = copy_of(workers, *folders)
    batch = copy.step()
    copy.close()
    assert (batch.files, batch.size_bytes, batch.folders, batch.exhausted) == (1, 5, [b"sub"], True)
    assert sorted(batch.linked) == [(b"one", b"one"), (b"two", b"two")]
    assert sorted(os.listdir(tmp_path / "target")) == ["plain", "sub"]


@linux
def test_what_the_target_cannot_hold_is_told(seconds: Path, workers: Workers, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path):
        os.utime(path, ns=(1, 10**18 + 1))
    with Root.open(str(tmp_path)) as source, Root.open(str(seconds)) as target:
        copy = workers.copy(
            source, target, b"", b"", CopyRules("tag"), HardLinks(), Brake(), [(b"file", b"file")], most=1
        )
        batch = copy.step()
        copy.close()
        assert batch.losses == [(Loss.TIMES, b"file")]
        whole = copy_of(workers, source, target)
        whole.step()
        os.utime(tmp_path, ns=(1, 10**18 + 1))
        lost = whole.finish()
        whole.close()
    assert lost == [Loss.TIMES]


@linux
def test_the_folder_is_finished_there_too(
    workers: Workers, folders: tuple[Root, Root], tmp_path: Path
) -> None:
    (tmp_path / "source" / "file").write_text("x")
    os.chmod(tmp_path / "source", 0o751)
    os.utime(tmp_path / "source", ns=(10**18, 10**18))
    copy = copy_of(workers, *folders)
    assert copy.step().exhausted
    copy.finish()
    copy.close()
    assert differences(describe(tmp_path / "source"), describe(tmp_path / "target")) == []


@linux
def test_small_folders_are_done_together_as_far_as_one_batch_goes_and_farther_where_all_is_there(
    folders: tuple[Root, Root], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("worker", "copying"):
        monkeypatch.setattr(f"tui.places.local.{module}.BATCH_S", 1000.0)
    sizes = [3, BATCH_ENTRIES - 3, 5, 5]
    for number, size in enumerate(sizes):
        for side in ("source", "target"):
            (tmp_path / side / str(number)).mkdir()
        for file in range(size):
            (tmp_path / "source" / str(number) / f"{file}").write_text("x")
    there, here = (root.id for root in folders)
    rules = CopyRules("tag", own=True)
    steps = [
        FolderStep(
            number, None if number else rules, (there, here, b"%d" % number, b"%d" % number, None), True
        )
        for number in range(len(sizes))
    ]
    worker = Worker(Brake())
    first = worker.answer(Request(steps=steps))
    assert [(batch.files, batch.exhausted, batch.finished) for batch in first] == [
        (size, True, True) for size in sizes[:2]
    ]
    assert [batch.files for batch in worker.answer(Request(steps=steps[2:]))] == sizes[2:]
    worker.answer(Request(closed=range(len(sizes)), forget=True))
    once_more = [step._replace(key=step.key + len(sizes)) for step in steps]
    assert [batch.same_files for batch in worker.answer(Request(steps=once_more))] == sizes
    worker.answer(Request(closed=range(len(sizes), 2 * len(sizes)), forget=True))


@linux
def test_what_a_worker_did_not_get_to_is_done_when_it_is_asked_again(
    workers: Workers, folders: tuple[Root, Root], tmp_path: Path
) -> None:
    for name in (b"a", b"b"):
        for side in (b"source", b"target"):
            (tmp_path / os.fsdecode(side) / os.fsdecode(name)).mkdir()
        (tmp_path / "source" / os.fsdecode(name) / "file").write_text("x")
    copies = [copy_of(workers, *folders, path=name) for name in (b"a", b"b")]
    (process,) = workers._processes
    process._process.kill()
    assert [batch.files for batch in step_together(copies)] == [1], "the first, in this process"
    assert [batch.files for batch in step_together(copies[1:])] == [1]
    for copy in copies:
        copy.close()


@linux
def test_a_folder_put_under_the_path_of_the_one_that_is_open_is_left_alone(
    workers: Workers, folders: tuple[Root, Root], tmp_path: Path
) -> None:
    (tmp_path / "source" / "file").write_text("x")
    (tmp_path / "target").rename(tmp_path / "real target")
    (tmp_path / "target").mkdir()
    copy = copy_of(workers, *folders)
    batch = copy.step()
    copy.close()
    assert batch.files == 1
    assert os.listdir(tmp_path / "target") == []
    assert os.listdir(tmp_path / "real target") == ["file"]


@linux
def test_a_brake_that_goes_on_meanwhile_reaches_the_worker(
    workers: Workers, folders: tuple[Root, Root], tmp_path: Path
) -> None:
    for number in range(20):
        (tmp_path / "source" / str(number)).write_text("x")
    brake = Brake()
    copy = copy_of(workers, *folders, brake)
    (process,) = workers._processes
    os.kill(process._process.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as thread:
        stopped = thread.submit(copy.step)
        brake.on = True
        while not process._brake[0]:
            time.sleep(0.005)
        os.kill(process._process.pid, signal.SIGCONT)
        batch = stopped.result()
    assert (batch.files, batch.exhausted) == (0, False)
    brake.on = False
    files = 0
    while not batch.exhausted:
        batch = copy.step()
        files += batch.files
    copy.close()
    assert files == 20


@linux
def test_a_worker_of_another_build_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.places.local.worker_process.READY", ("ready", (1, 2)))
    workers = Workers(1)
    workers.start()
    (process,) = workers._processes
    end = time.monotonic() + 60
    while not process.ended:
        assert not process.ready and time.monotonic() < end
        time.sleep(0.005)
    assert process.failed
    workers.start()
    assert workers._processes == [], "threads copy instead"
    workers.end()


@linux
def test_a_worker_that_was_never_asked_is_not_waited_for() -> None:
    workers = Workers(1)
    workers.start()
    (process,) = workers._processes
    workers.end()
    assert process._process.returncode == -signal.SIGKILL


@linux
def test_an_idle_worker_keeps_no_folder_open(
    workers: Workers, folders: tuple[Root, Root], tmp_path: Path
) -> None:
    copy = copy_of(workers, *folders)
    copy.step()
    (process,) = workers._processes
    opened = Path(f"/proc/{process._process.pid}/fd")

    def held() -> list[str]:
        return [link for fd in opened.iterdir() if (link := os.readlink(fd)).startswith(str(tmp_path))]

    assert held()
    copy.close()
    workers.rest()
    assert held() == []


@pytest.mark.parametrize(
    "kind",
    [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.PlaceError)],
)
def test_errors_travel_whole(kind: type[errors.PlaceError]) -> None:
    error = kind("it went wrong", "mend it", location=Location.local("/tmp/name\udcff"))
    reading, writing = os.pipe()
    try:
        send(writing, error)
        arrived = receive(reading)
    finally:
        os.close(reading)
        os.close(writing)
    assert type(arrived) is kind
    assert (arrived.message, arrived.remedy, arrived.location) == (
        error.message,
        error.remedy,
        error.location,
    )


def test_a_pipe_that_ends_in_the_middle_gives_nothing() -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, b"\0\0\0\x09half")
        os.close(writing)
        assert receive(reading) is None
    finally:
        os.close(reading)
