"""How much a job beyond the local disk has to do, known while it does it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from far_harness import HERE, THERE, Far

from tui.model.job import JobKind, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

FOLDERS, FILES, SIZE = 6, 4, 1000


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.engine.far.totals.DELAY_S", 0)


def plant(far: Far) -> None:
    for store in (far.here, far.there):
        for folder in range(FOLDERS):
            for number in range(FILES):
                store.write(f"/tree/{folder}/inner/{number}", bytes(SIZE))
        store.write("/alone", bytes(SIZE))
    far.here.write("/tree/.ferry-abcdefgh-half", bytes(SIZE))


class Held:
    """Lets so many steps of one name through, and the others only when it is told to."""

    def __init__(self, far: Far, name: str, count: int = 0) -> None:
        self.name, self.left = name, count
        self.held, self.go = asyncio.Event(), asyncio.Event()
        far.faults.at = self

    def __call__(self, number: int, name: str, path: str) -> Awaitable[None] | None:
        if name != self.name or self.go.is_set():
            return None
        self.left -= 1
        if self.left >= 0:
            return None
        self.held.set()
        return self._wait()

    async def _wait(self) -> None:
        await self.go.wait()


async def remove(far: Far) -> int:
    sources = HERE.child("tree"), HERE.child("alone")
    return await far.engine.submit(Request(kind=JobKind.DELETE, sources=sources))


async def test_a_delete_tells_how_much_there_is_before_it_is_gone(far: Far) -> None:
    plant(far)
    held = Held(far, "remove_file")
    id = await remove(far)
    job = await far.until(id, lambda job: job.progress.files_total > 0 and not job.progress.counting)
    count = FOLDERS * FILES + 2
    assert (job.progress.files_total, job.progress.bytes_total) == (count, count * SIZE)
    assert job.progress.files_done == 0
    held.go.set()
    job = await far.done(id)
    assert (job.progress.files_done, job.progress.files_total) == (count, count)


@pytest.mark.parametrize("removed", [1, 3, 10, 20])
async def test_what_is_gone_before_it_could_be_counted_is_part_of_the_total(
    far: Far, monkeypatch: pytest.MonkeyPatch, removed: int
) -> None:
    plant(far)
    held = Held(far, "remove_file", removed)

    async def late(_counting: object) -> None:
        await held.held.wait()

    monkeypatch.setattr("tui.engine.far.totals.Counting._begin", late)
    id = await remove(far)
    job = await far.until(id, lambda job: job.progress.files_total > 0 and not job.progress.counting)
    assert job.progress.files_total == FOLDERS * FILES + 2
    held.go.set()
    assert (await far.done(id)).progress.files_done == FOLDERS * FILES + 2


async def test_a_delete_does_not_wait_for_a_count_that_is_stuck(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(_counting: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("tui.engine.far.totals.Counting._count", stuck)
    plant(far)
    job = await far.done(await remove(far))
    assert job.progress.files_total == FOLDERS * FILES + 2


async def test_a_verify_tells_how_much_there_is_before_it_is_compared(far: Far) -> None:
    plant(far)
    held = Held(far, "get")
    sources = (HERE.child("tree"), HERE.child("alone"))
    targets = (THERE.child("tree"), THERE.child("alone"))
    id = await far.engine.submit(Request(kind=JobKind.VERIFY, sources=sources, targets=targets))
    job = await far.until(id, lambda job: job.progress.files_total > 0 and not job.progress.counting)
    count = FOLDERS * FILES + 1
    assert (job.progress.files_total, job.progress.bytes_total) == (count, count * SIZE)
    held.go.set()
    job = await far.done(id)
    assert job.progress.files_verified == count


async def test_a_copy_tells_how_much_there_is_before_it_is_there(far: Far) -> None:
    plant(far)
    held = Held(far, "get")
    id = await far.submit("/tree", "/alone")
    job = await far.until(id, lambda job: job.progress.files_total > 0 and not job.progress.counting)
    count = FOLDERS * FILES + 1
    assert (job.progress.files_total, job.progress.bytes_total) == (count, count * SIZE)
    held.go.set()
    job = await far.done(id)
    assert job.progress.files_done == count


@pytest.mark.parametrize("moved", [1, 5, 12, 20])
@pytest.mark.parametrize("known", [True, False], ids=["counted before", "not counted before"])
async def test_a_move_that_was_killed_tells_of_all_it_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int, known: bool
) -> None:
    far = Far(tmp_path / "journal")
    plant(far)
    far.here.find("/tree").children.pop(".ferry-abcdefgh-half")
    count = FOLDERS * FILES + 1
    held = Held(far, "remove_file", moved)
    if not known:
        monkeypatch.setattr("tui.engine.far.totals.DELAY_S", 60)
    async with far.engine_on():
        id = await far.submit("/tree", "/alone", kind=JobKind.MOVE)
        await held.held.wait()
        if known:
            await far.until(id, lambda job: job.progress.files_total == count and not job.progress.counting)
        shown = (await far.until(id, lambda job: job.progress.files_done >= moved)).progress
        await far.engine._keeper._look_after(checkpoint=True)
        await far.crash()
    far.faults.at = lambda number, name, path: None
    async with far.engine_on():
        job = await far.until(id, lambda job: job.progress.files_done > 0)
        assert job.progress.files_done >= shown.files_done
        progress = (await far.done(id)).progress
    assert (progress.files_done, progress.files_total) == (count, count)
    assert (progress.bytes_done, progress.bytes_total) == (count * SIZE, count * SIZE)
