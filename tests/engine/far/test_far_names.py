"""What comes to a folder of this computer that does not take all names: asked before, changed the same way always."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from engine_harness import as_very_many, at_rest
from far_harness import HERE, Far

from tests.mounts import image, tmpfs
from tui.engine import naming
from tui.engine.sources import PAGE
from tui.model.error import NotPossible, PermissionDenied, UsageError
from tui.model.exclusion import Exclusion
from tui.model.job import Conflict, JobKind, JobState, Request
from tui.model.location import Location
from tui.model.misfit import Misfits, Names, Unfit
from tui.places.local.end import LocalOpener
from tui.places.local.name_rules import WINDOWS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator
    from pathlib import Path

    from tui.model.job import Job

WRITTEN = ("a:b", "end.", "sub?/deep/nul", "sub?/Readme", "sub?/README", "good")
LOOKALIKES = {
    "a：b": "a:b",
    "end．": "end.",
    "sub？/deep/nul_": "sub?/deep/nul",
    "sub？/README": "sub?/README",
    "sub？/Readme (1)": "sub?/Readme",
    "good": "good",
}


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every target keeps to the rules of Windows, as far as names go."""
    monkeypatch.setattr(naming, "rules_for", lambda fd, tag: WINDOWS)


@pytest.fixture
def fat(tmp_path: Path) -> Iterator[Path]:
    with image(tmp_path / "fat", ["mkfs.vfat", "-F", "32"], 64 << 20) as folder:
        yield folder


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Far]:
    """A far place and the local disk, and an engine."""
    far = Far(tmp_path / "journal")
    far.openers["file"] = LocalOpener()  # type: ignore[assignment]
    async with far.engine_on():
        yield far


def plant(far: Far, *paths: str) -> None:
    """Have files at the far place that hold their own names."""
    for path in paths or WRITTEN:
        far.here.write(f"/tree/{path}", path.encode(), mtime_ns=1_700_000_000_000_000_000)


async def copy(far: Far, *sources: str, to: Path, **rest: object) -> int:
    rest = {"kind": JobKind.COPY, "names": Names.ASK, **rest}
    places = tuple(HERE.below(source) for source in sources)
    return await far.engine.submit(Request(sources=places, target=Location.local(to), **rest))  # type: ignore[arg-type]


def files(folder: Path) -> dict[str, str]:
    """Return what is in all files below a folder, by path."""
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


async def waits(far: Far, id: int) -> Job:
    job = await far.rests(id)
    assert job.state is JobState.WAITING, job
    await at_rest(far.engine)
    return job


async def test_a_copy_waits_before_it_writes_and_names_what_does_not_fit(
    disk: Far, tmp_path: Path, narrow: None
) -> None:
    plant(disk)
    id = await copy(disk, "tree", to=tmp_path / "target")
    job = await waits(disk, id)
    assert not (tmp_path / "target").exists()
    assert (job.misfits, job.progress.errors) == (5, 0)
    misfits = await disk.engine.misfits(id)
    assert {(m.source.path.removeprefix("/tree/"), m.unfit, m.becomes) for m in misfits.first} == {
        ("a:b", Unfit.NAME, "a：b"),
        ("end.", Unfit.NAME, "end．"),
        ("sub?", Unfit.NAME, "sub？"),
        ("sub?/deep/nul", Unfit.NAME, "nul_"),
        ("sub?/Readme", Unfit.CLASH, "Readme (1)"),
    }


async def test_of_very_many_sources_not_all_are_read_at_once(
    disk: Far, tmp_path: Path, narrow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = [*(f"{number:04}" for number in range(PAGE)), "a:b", "a?b"]
    plant(disk, *every)
    wanted = as_very_many(monkeypatch)
    target = tmp_path / "target"
    id = await copy(disk, *(f"tree/{name}" for name in every), to=target)
    assert (await waits(disk, id)).misfits == 2
    await disk.engine.set_names([id], Names.UNDERSCORE)
    await disk.done(id)
    there = files(target)
    assert (len(there), there["a_b"], there["a_b (1)"]) == (len(every), "a:b", "a?b")
    assert len(every) not in wanted


async def test_the_answer_lets_it_go_on_and_a_second_copy_finds_nothing_to_do(
    disk: Far, tmp_path: Path, narrow: None
) -> None:
    plant(disk)
    target = tmp_path / "target"
    id = await copy(disk, "tree", to=target)
    await waits(disk, id)
    await disk.engine.set_names([id], Names.LOOKALIKE)
    job = await disk.done(id)
    assert files(target / "tree") == LOOKALIKES
    assert await disk.engine.misfits(id) == Misfits()
    job = await disk.done(await copy(disk, "tree", to=target, names=Names.LOOKALIKE))
    assert (job.progress.files_same, job.progress.files_done) == (6, 6)
    assert files(target / "tree") == LOOKALIKES


async def test_what_does_not_fit_can_be_left_out(disk: Far, tmp_path: Path, narrow: None) -> None:
    plant(disk, *WRITTEN, "inner/README", "inner/Readme")
    job = await disk.done(await copy(disk, "tree", to=tmp_path, names=Names.SKIP))
    assert files(tmp_path / "tree") == {"good": "good", "inner/README": "inner/README"}
    assert job.progress.files_skipped == 4


async def test_underscores_collide_and_stay_apart(disk: Far, tmp_path: Path, narrow: None) -> None:
    plant(disk, "a:b", "a?b", "a_b")
    await disk.done(await copy(disk, "tree", to=tmp_path, names=Names.UNDERSCORE))
    assert files(tmp_path / "tree") == {"a_b": "a_b", "a_b (1)": "a:b", "a_b (2)": "a?b"}


async def test_sources_themselves_get_names_that_stay_apart(disk: Far, tmp_path: Path, narrow: None) -> None:
    plant(disk, "a:b", "c?/x:y", "Read", "READ")
    sources = [f"tree/{name}" for name in ("a:b", "c?", "Read", "READ")]
    target = tmp_path / "target"
    id = await copy(disk, *sources, to=target)
    assert (await waits(disk, id)).misfits == 4
    await disk.engine.set_names([id], Names.LOOKALIKE)
    await disk.done(id)
    expected = {"a：b": "a:b", "c？/x：y": "c?/x:y", "READ": "READ", "Read (1)": "Read"}
    assert files(target) == expected
    job = await disk.done(await copy(disk, *sources, to=target, names=Names.LOOKALIKE))
    assert (job.progress.files_same, files(target)) == (4, expected)


async def test_a_copy_whose_names_all_fit_does_not_wait(disk: Far, tmp_path: Path, narrow: None) -> None:
    plant(disk, "good", "inner/good too")
    await disk.done(await copy(disk, "tree", to=tmp_path))
    assert files(tmp_path / "tree") == {"good": "good", "inner/good too": "inner/good too"}


async def test_what_is_not_copied_is_not_asked_about_and_takes_no_name_from_anything(
    disk: Far, tmp_path: Path, narrow: None
) -> None:
    plant(disk, "README", "Readme", "sub/README/a:b", "sub/Readme", "c:d")
    exclude = Exclusion(("README", "/c:d"))
    for names in (Names.ASK, Names.LOOKALIKE):
        await disk.done(await copy(disk, "tree", to=tmp_path / names, names=names, exclude=exclude))
        assert files(tmp_path / names / "tree") == {"Readme": "Readme", "sub/Readme": "sub/Readme"}


async def test_an_ordinary_target_is_not_looked_ahead_for(disk: Far, tmp_path: Path) -> None:
    plant(disk, "a", "inner/b")
    await disk.done(await copy(disk, "tree", to=tmp_path))
    assert [path for name, path in disk.faults.steps if name == "list"].count("/tree/inner") == 1


async def test_names_that_are_kept_are_tried_and_refused_one_by_one(disk: Far, fat: Path) -> None:
    plant(disk, "a:b", "good")
    id = await copy(disk, "tree", to=fat, names=Names.KEEP)
    assert (await disk.rests(id)).state is JobState.FAILED
    assert files(fat / "tree") == {"good": "good"}
    assert len(await disk.messages(id)) == 1


async def test_an_answer_given_while_names_are_looked_at_is_kept_to(
    disk: Far, tmp_path: Path, narrow: None
) -> None:
    plant(disk)
    given: list[int] = []

    async def give() -> None:
        await disk.engine.set_names([1], Names.UNDERSCORE)

    def at(number: int, name: str, path: str) -> Awaitable[None] | None:
        if name != "list" or given:
            return None
        given.append(number)
        return give()

    disk.faults.at = at
    await disk.done(await copy(disk, "tree", to=tmp_path))
    assert set(files(tmp_path / "tree")) >= {"a_b", "good"}


@pytest.mark.parametrize("name", ["list", "get"])
async def test_a_lost_connection_changes_no_name(disk: Far, tmp_path: Path, narrow: None, name: str) -> None:
    plant(disk)
    lost: list[str] = []

    def at(number: int, step: str, path: str) -> None:
        if step == name and path.startswith("/tree/sub") and len(lost) < 2:
            lost.append(path)
            disk.openers["here"].places[-1].lose()

    disk.faults.at = at
    await disk.done(await copy(disk, "tree", to=tmp_path, names=Names.LOOKALIKE))
    assert lost
    assert files(tmp_path / "tree") == LOOKALIKES


async def test_what_failed_is_retried_under_the_name_it_was_given(
    disk: Far, tmp_path: Path, narrow: None
) -> None:
    plant(disk)

    def refuse(number: int, name: str, path: str) -> None:
        if name == "get" and path == "/tree/sub?/Readme":
            raise PermissionDenied("not now")

    disk.faults.at = refuse
    id = await copy(disk, "tree", to=tmp_path, names=Names.LOOKALIKE)
    assert (await disk.rests(id)).state is JobState.FAILED
    disk.faults.at = lambda number, name, path: None
    await disk.engine.retry([id])
    await disk.until(id, lambda job: job.state is JobState.DONE)
    assert files(tmp_path / "tree") == LOOKALIKES


async def test_a_cancelled_copy_that_is_dropped_goes_under_its_new_names(
    disk: Far, tmp_path: Path, narrow: None
) -> None:
    plant(disk)
    disk.here.write("/tree/sub?/large", bytes(4 << 20))
    id = await copy(disk, "tree", to=tmp_path / "target", names=Names.LOOKALIKE, limit_bytes_s=1 << 20)
    await disk.until(id, lambda job: job.progress.files_done >= 5 and job.progress.bytes_done > 1 << 18)
    await disk.engine.cancel([id], keep=False)
    await at_rest(disk.engine)
    assert files(tmp_path / "target") == {}


async def test_a_fat_disk_is_asked_about_and_takes_all_under_other_names(disk: Far, fat: Path) -> None:
    plant(disk)
    disk.here.link("/tree/link", "good")
    id = await copy(disk, "tree", to=fat)
    assert (await waits(disk, id)).misfits == 6
    assert os.listdir(fat) == []
    await disk.engine.set_names([id], Names.LOOKALIKE)
    assert (await disk.rests(id)).state is JobState.FAILED
    (message,) = await disk.messages(id)
    assert message.startswith("NotHeld")
    assert files(fat / "tree") == LOOKALIKES
    again = await copy(disk, "tree", to=fat, names=Names.LOOKALIKE, conflict=Conflict.OVERWRITE)
    job = await disk.rests(again)
    assert (job.progress.files_same, files(fat / "tree")) == (6, LOOKALIKES)


@pytest.mark.parametrize("names", [Names.LOOKALIKE, Names.SKIP])
async def test_what_stands_complete_under_another_name_needs_no_room(
    disk: Far, tmp_path: Path, narrow: None, names: Names
) -> None:
    for name in ("a:b", "sub?/Readme", "sub?/README"):
        disk.here.write(f"/tree/{name}", bytes(1 << 20))
    with tmpfs(tmp_path / "tiny", "size=4m") as tiny:
        for _ in range(2):
            await disk.done(await copy(disk, "tree", to=tiny, names=names))
            (tiny / "more").write_bytes(bytes(1 << 19))


async def test_moves_and_other_places_change_no_names(disk: Far, tmp_path: Path, narrow: None) -> None:
    plant(disk, "a:b")
    with pytest.raises(UsageError, match="by copies only"):
        await copy(disk, "tree", to=tmp_path, kind=JobKind.MOVE, names=Names.LOOKALIKE)
    id = await copy(disk, "tree", to=tmp_path, kind=JobKind.MOVE, paused=True)
    with pytest.raises(NotPossible):
        await disk.engine.set_names([id], Names.LOOKALIKE)
