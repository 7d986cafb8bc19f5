"""A connection lost, and an engine killed, before one step after the other: nothing is lost, nothing half stays."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from engine_harness import at_rest, stride
from far_harness import Far

from tui.model.error import PlaceUnavailable
from tui.model.job import JobKind
from tui.places.memory import ALL, HARDLY_ANY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from tui.places.base import Capabilities

NOON = 1_700_000_000_123_456_789
LARGE = bytes(range(256)) * 4000
TREE = {
    "/tree/a": b"a",
    "/tree/inner/b": b"bb",
    "/tree/large": LARGE,
    "/alone": b"alone",
}


def make(far: Far) -> dict[str, object]:
    """Make a small tree and return what is to be at the target."""
    for path, data in TREE.items():
        far.here.write(path, data, mtime_ns=NOON)
    if far.openers["here"]._capabilities.symlinks and far.openers["there"]._capabilities.symlinks:
        far.here.link("/tree/link", "a")
    for path in ("/tree", "/tree/inner"):
        node = far.here.find(path)
        node.mode, node.mtime_ns = 0o711, NOON
    return look(far.here, far, "/tree") | {"alone": b"alone"}


def look(store: object, far: Far, path: str, at: str = "tree") -> dict[str, object]:
    return {f"{at}/{name}": what for name, what in store.tree(path).items()} | {at: None}  # type: ignore[attr-defined]


def check(far: Far, expected: dict[str, object], kind: JobKind, told: str) -> None:
    there = far.tree()
    assert there == expected, told
    assert not far.there.hidden, told
    if far.openers["there"]._capabilities.sets_times:
        for path in ("/target/tree", "/target/tree/inner", "/target/tree/a", "/target/tree/large"):
            assert far.there.find(path).mtime_ns == NOON, (told, path)
        assert far.there.find("/target/tree/inner").mode == 0o711, told
    left = far.here.tree()
    if kind is JobKind.MOVE:
        assert not [path for path in left if path.split("/")[0] in ("tree", "alone")], told
    else:
        assert left["tree/large"] == LARGE, told


def folders_have_a_time(far: Far, told: str) -> None:
    """Check that the time a folder had is still told by one side at least."""
    for path in ("tree", "tree/inner"):
        sides = ((far.here, path), (far.there, f"target/{path}"))
        times = [store.find(f"/{where}").mtime_ns for store, where in sides if where in store.tree()]
        assert NOON in times, (told, path)


def nothing_is_gone(far: Far, told: str) -> None:
    """Check that every content is whole on one side at least."""
    sides = [set(store.tree().values()) for store in (far.here, far.there)]
    for path, data in TREE.items():
        assert any(data in side for side in sides), (told, path)


CASES = [
    pytest.param(JobKind.COPY, ALL, ALL, id="copy"),
    pytest.param(JobKind.MOVE, ALL, ALL, id="move"),
    pytest.param(JobKind.COPY, ALL, HARDLY_ANY, id="copy to a flat store"),
    pytest.param(JobKind.MOVE, HARDLY_ANY, ALL, id="move from a flat store"),
]


@pytest.fixture
def journals() -> Iterator[Path]:
    """A folder for journals that are soon written."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="ferry-test-", dir=memory) as folder:
        yield Path(folder)


@pytest.mark.parametrize(("kind", "here", "there"), CASES)
async def test_a_job_is_done_wherever_a_connection_is_lost(
    journals: Path, kind: JobKind, here: Capabilities, there: Capabilities
) -> None:
    far = Far(journals / "journal", here, there)
    step = 0
    async with far.engine_on():
        while not step or step < len(far.faults.steps):
            far.begin_anew()
            expected = make(far)

            def lose(number: int, name: str, path: str, step: int = step) -> None:
                if number == step:
                    raise PlaceUnavailable(f"lost before {name} {path}")

            far.faults.at = lose
            job = await far.done(await far.submit("/tree", "/alone", kind=kind))
            told = f"step {step}: {far.faults.steps[min(step, len(far.faults.steps) - 1)]}"
            if here is ALL:
                check(far, expected, kind, told)
            assert job.progress.errors == 0, told
            files = 5 if here is there else 4
            assert (job.progress.files_done, job.progress.files_total) == (files, files), told
            assert job.progress.bytes_done == job.progress.bytes_total, told
            step += stride(2)


async def killed_at(far: Far, step: int, kind: JobKind) -> tuple[int, bool]:
    """Kill an engine before a step of a job; return the job, and whether it came so far."""
    killed = asyncio.Event()

    def kill(number: int, name: str, path: str) -> Awaitable[None] | None:
        if number == step:
            killed.set()
            return asyncio.Event().wait()  # type: ignore[return-value]
        if number > step:
            raise PlaceUnavailable("the engine is no more")
        return None

    far.faults.at = kill
    async with far.engine_on():
        id = await far.submit("/tree", "/alone", kind=kind)
        ends = asyncio.create_task(far.rests(id))
        dies = asyncio.create_task(killed.wait())
        await asyncio.wait({ends, dies}, return_when=asyncio.FIRST_COMPLETED)
        for task in (ends, dies):
            task.cancel()
        await asyncio.gather(ends, dies, return_exceptions=True)
        await far.crash()
    far.faults.at = lambda number, name, path: None
    return id, killed.is_set()


@pytest.mark.parametrize(("kind", "here", "there"), CASES)
async def test_nothing_is_lost_wherever_an_engine_is_killed(
    journals: Path, kind: JobKind, here: Capabilities, there: Capabilities
) -> None:
    step, killed = 0, True
    while killed:
        far = Far(journals / str(step), here, there)
        expected = make(far)
        id, killed = await killed_at(far, step, kind)
        told = f"step {step}: {far.faults.steps[-1]}"
        nothing_is_gone(far, told)
        async with far.engine_on():
            await far.done(id)
        if here is ALL:
            check(far, expected, kind, told)
        step += stride(2 if here is there else 3)


@pytest.mark.parametrize("keep", [True, False], ids=["keep", "drop"])
@pytest.mark.parametrize(("kind", "here", "there"), CASES)
async def test_what_is_cancelled_after_a_kill_leaves_nothing_half_under_a_final_name(
    journals: Path, kind: JobKind, here: Capabilities, there: Capabilities, keep: bool
) -> None:
    step, killed = 0, True
    while killed:
        far = Far(journals / str(step), here, there)
        expected = make(far)
        id, killed = await killed_at(far, step, kind)
        told = f"step {step}: {far.faults.steps[-1]}"
        async with far.engine_on() as engine:
            if not (await engine.job(id)).state.is_final:
                await engine.cancel([id], keep=keep)
                await at_rest(engine)
        found = far.tree() if far.there.look("/target") is not None else {}
        assert {path: expected.get(path) for path in found} == found, told
        assert not far.there.hidden, told
        nothing_is_gone(far, told)
        if here is there is ALL:
            folders_have_a_time(far, told)
        step += stride(5)
