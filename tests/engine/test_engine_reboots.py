"""Another start of the machine: what was written before it, and not flushed, is compared before it is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, at_rest, names, running, write

from tui.engine import opening
from tui.engine.cleanup import DOUBT
from tui.model.job import Conflict, Flush, JobState
from tui.places.local import boot

if TYPE_CHECKING:
    from pathlib import Path

SAID = "the machine was started anew: what looks complete will be compared"


class Machine:
    """Stands for one that can be started anew."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.boot = "first"
        monkeypatch.setattr(opening, "boot_id", lambda: self.boot)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def texts(folder: Path) -> set[str]:
    return {path.read_text() for path in folder.iterdir()}


async def paused(harness: Harness, source: Path, target: Path, **rest: object) -> int:
    """Return a copy of twenty files that was paused before it was flushed."""
    (target / "tree").mkdir()
    for number in range(20):
        write(source / "tree" / str(number))
    id = await harness.copy(source / "tree", to=target, limit_bytes_s=16, **rest)
    await harness.until(id, lambda job: job.progress.files_done > 0)
    await harness.engine.pause([id])
    await at_rest(harness.engine)
    assert names(target / "tree")
    return id


async def resumed(harness: Harness, id: int) -> None:
    await harness.engine.limit(None, [id])
    await harness.engine.resume([id])
    await harness.done(id)


@pytest.mark.parametrize("flush", list(Flush))
async def test_what_a_paused_job_had_written_is_compared_once_after_a_reboot(
    tmp_path: Path, source: Path, target: Path, machine: Machine, flush: Flush
) -> None:
    async with running(tmp_path / "journal") as first:
        id = await paused(first, source, target, conflict=Conflict.OVERWRITE, flush=flush)
    machine.boot = "second"
    write(target / "tree" / names(target / "tree")[0], "\0\0\0\0")
    async with running(tmp_path / "journal") as second:
        assert (await second.engine.job(id)).note == SAID
        await resumed(second, id)
    assert texts(target / "tree") == {"text"}


async def test_a_job_cancelled_in_doubt_says_so(
    tmp_path: Path, source: Path, target: Path, machine: Machine
) -> None:
    async with running(tmp_path / "journal") as first:
        id = await paused(first, source, target)
    machine.boot = "second"
    async with running(tmp_path / "journal") as second:
        await second.engine.cancel([id])
        await at_rest(second.engine)
        assert (await second.engine.job(id)).note == f"cancelled: {DOUBT}"


@pytest.mark.parametrize(("boot", "compared"), [("first", False), ("", True)])
async def test_another_engine_on_the_same_boot_believes_it_and_where_that_cannot_be_told_it_is_compared(
    tmp_path: Path, source: Path, target: Path, machine: Machine, boot: str, compared: bool
) -> None:
    async with running(tmp_path / "journal") as first:
        id = await paused(first, source, target)
    machine.boot = boot
    for _ in range(2):
        async with running(tmp_path / "journal") as again:
            assert bool((await again.engine.job(id)).note) is compared
            assert again.engine._get(id).doubtful is compared


async def test_the_doubt_outlives_engines_on_the_same_boot_until_it_is_settled(
    tmp_path: Path, source: Path, target: Path, machine: Machine
) -> None:
    async with running(tmp_path / "journal") as first:
        id = await paused(first, source, target)
    machine.boot = "second"
    async with running(tmp_path / "journal"):
        pass
    async with running(tmp_path / "journal") as third:
        assert third.engine._get(id).doubtful
        await resumed(third, id)
        assert not third.engine._get(id).doubtful


async def test_jobs_that_were_done_flushed_or_not_begun_are_not_in_doubt(
    tmp_path: Path, source: Path, target: Path, machine: Machine
) -> None:
    async with running(tmp_path / "journal") as first:
        done = await first.copy(write(source / "a"), to=target, flush=Flush.NONE)
        await first.done(done)
        failed = await first.copy(write(source / "b"), source / "missing", to=target)
        assert (await first.ends(failed)).state is JobState.FAILED
        waiting = await first.copy(write(source / "c"), to=target, paused=True)
    machine.boot = "second"
    async with running(tmp_path / "journal") as second:
        assert [second.engine._get(id).doubtful for id in (done, failed, waiting)] == [False] * 3
        assert [job.note for job in await second.engine.jobs()] == ["", "", ""]


async def test_a_job_off_the_list_comes_back_in_doubt(
    tmp_path: Path, source: Path, target: Path, machine: Machine
) -> None:
    async with running(tmp_path / "journal") as first:
        id = await paused(first, source, target)
        await first.engine.cancel([id])
        await at_rest(first.engine)
        await first.engine.remove([id])
    machine.boot = "second"
    async with running(tmp_path / "journal") as second:
        await second.engine.restore()
        assert second.engine._get(id).doubtful


async def test_that_a_job_writes_is_on_the_disk_before_it_does(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the power could take that note, and leave a file that looks complete."""
    noted: list[tuple[bool, list[str]]] = []
    real = harness.engine._journal.update

    async def update(id: int, columns: dict[str, object], *, durable: bool = False) -> None:
        if columns.get("unflushed"):
            noted.append((durable, names(target)))
        await real(id, columns, durable=durable)

    monkeypatch.setattr(harness.engine._journal, "update", update)
    await harness.done(await harness.copy(write(source / "a"), to=target))
    assert noted[0] == (True, [])


def test_a_boot_has_a_name_wherever_the_system_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "boot_id"
    told.write_text("some-boot\n")
    monkeypatch.setattr(boot, "_BOOT_ID", told)
    assert boot.boot_id() == "some-boot"
    monkeypatch.setattr(boot, "_BOOT_ID", tmp_path / "missing")
    assert boot.boot_id() == ""
