"""What was done at once, without a job: it is written down like one, and undone like one, also after a restart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from engine_harness import Harness, crash, names, new_engine, running
from undo_steps import changed, gone, refusal, replaced, undone, write

from tui.engine import second_thoughts
from tui.engine.rows import Phase
from tui.model.error import NoSuchJob, NotFound, Unsupported, UsageError
from tui.model.job import JobKind, JobState, Request
from tui.model.location import Location
from tui.places.local import single

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tui.engine.traces import Reversal


def at(path: Path) -> Location:
    return Location.local(path)


async def renamed(harness: Harness, old: Path, new: Path) -> int:
    """Rename an entry as a pane does; return the id it is noted by."""
    single.rename(at(old), at(new))
    return await harness.engine.note_step(JobKind.RENAME, at(new), at(old))


async def made(harness: Harness, folder: Path) -> int:
    """Make a folder as a pane does; return the id it is noted by."""
    return await harness.engine.note_step(JobKind.MAKE, at(folder), single.make_folder(at(folder)))


async def test_a_step_is_a_job_that_is_done(harness: Harness, source: Path) -> None:
    job = await harness.engine.job(await renamed(harness, write(source / "a"), source / "b"))
    assert (job.kind, job.state, job.reversible) == (JobKind.RENAME, JobState.DONE, True)
    assert (job.first_source, job.target, job.into) == (at(source / "a"), at(source / "b"), False)
    assert job.progress.files_done == job.progress.files_total == 1
    assert job.ended_at is not None
    request = await harness.engine.request(job.id)
    assert (request.sources, request.targets) == ((at(source / "a"),), (at(source / "b"),))


async def test_a_rename_is_undone_and_done_again(harness: Harness, source: Path) -> None:
    undoing = await undone(harness, await renamed(harness, write(source / "a"), source / "b"))
    assert names(source) == ["a"]
    redoing = await undone(harness, undoing)
    assert names(source) == ["b"]
    await undone(harness, redoing)
    assert names(source) == ["a"]


async def test_a_folder_goes_with_those_made_on_the_way(harness: Harness, source: Path) -> None:
    id = await made(harness, source / "one" / "two" / "three")
    job = await harness.engine.job(await undone(harness, id))
    assert names(source) == []
    assert (job.title, job.progress.files_done, job.progress.files_total) == ("undo", 1, 1)
    assert (await harness.engine.job(id)).undone_by == job.id


async def test_a_folder_that_was_taken_away_is_not_made_again(harness: Harness, source: Path) -> None:
    undoing = await undone(harness, await made(harness, source / "one"))
    assert not (await harness.engine.job(undoing)).reversible
    assert await refusal(harness, undoing) == "what was taken away is not made again"


async def test_files_and_links_that_were_made_go_too(harness: Harness, source: Path) -> None:
    ids = []
    for name in ("file", "link"):
        if name == "file":
            single.create_file(at(source / name))
        else:
            single.make_symlink(at(source / name), "nowhere")
        ids.append(await harness.engine.note_step(JobKind.MAKE, at(source / name), at(source / name)))
    for id in ids:
        await undone(harness, id)
    assert names(source) == []


async def test_steps_are_undone_after_a_restart(tmp_path: Path, source: Path) -> None:
    journal = tmp_path / "journal"
    async with running(journal) as first:
        name = await renamed(first, write(source / "a"), source / "b")
        folder = await made(first, source / "folder")
    async with running(journal) as second:
        await undone(second, folder)
        await undone(second, name)
    assert names(source) == ["a"]


@pytest.mark.parametrize("left", ["all", "the folders on the way", "nothing"])
async def test_an_undo_cut_short_is_finished_by_the_next_engine(
    tmp_path: Path, source: Path, left: str
) -> None:
    journal = tmp_path / "journal"
    first = Harness(new_engine(journal), journal)
    await first.engine.start_up()
    id = await made(first, source / "one" / "two")
    first.engine._keeper._closing = True  # nothing starts any more
    undoing = await first.engine.undo(id)
    await first.engine._journal.set_phase(undoing, [0], Phase.REMOVING)
    if left != "all":
        (source / "one" / "two").rmdir()
    if left == "nothing":
        (source / "one").rmdir()
    await crash(first)
    async with running(journal) as second:
        await second.done(undoing)
    assert names(source) == []


async def test_names_are_given_back_at_once_whatever_the_disk_is_busy_with(
    harness: Harness, source: Path, target: Path
) -> None:
    write(source / "big", "x" * (4 << 20))
    busy = await harness.copy(source / "big", to=target, limit_bytes_s=1 << 16)
    await harness.until(busy, lambda job: job.state is JobState.RUNNING)
    name, folder = (
        await renamed(harness, write(source / "a"), source / "b"),
        await made(harness, source / "c"),
    )
    await undone(harness, name)
    await undone(harness, folder)
    assert names(source) == ["a", "big"]
    assert (await harness.engine.job(busy)).state is JobState.RUNNING
    await harness.engine.cancel([busy])


# A world that has changed


@pytest.mark.parametrize(
    ("change", "why"),
    [(gone, "is not there any more"), (changed, "was changed since"), (replaced, "is another one now")],
)
@pytest.mark.parametrize("kind", [JobKind.RENAME, JobKind.MAKE])
async def test_what_is_not_as_it_was_left_is_not_touched(
    harness: Harness, source: Path, kind: JobKind, change: Callable[[Path], None], why: str
) -> None:
    if kind is JobKind.RENAME:
        id = await renamed(harness, write(source / "a"), source / "b")
    else:
        single.create_file(at(source / "b"))
        id = await harness.engine.note_step(JobKind.MAKE, at(source / "b"), at(source / "b"))
    change(source / "b")
    standing = names(source)
    assert await refusal(harness, id) == f"{source / 'b'} {why}"
    assert names(source) == standing


async def test_a_folder_that_something_was_put_into_stays(harness: Harness, source: Path) -> None:
    id = await made(harness, source / "one" / "two")
    write(source / "one" / "two" / "file")
    assert await refusal(harness, id) == f"something is in {source / 'one' / 'two'}"
    (source / "one" / "two" / "file").unlink()
    write(source / "one" / "other")
    await undone(harness, id)
    assert names(source / "one") == ["other"]


async def test_what_is_put_into_it_meanwhile_stays_and_is_told(harness: Harness, source: Path) -> None:
    id = await made(harness, source / "one")
    keeper = harness.engine._keeper
    keeper._closing = True  # nothing starts any more
    undoing = await harness.engine.undo(id)
    write(source / "one" / "file")
    keeper._closing = False
    keeper.kick()
    assert (await harness.ends(undoing)).state is JobState.FAILED
    (error,) = await harness.engine.errors(undoing)
    assert "something is in it" in error.message
    assert names(source / "one") == ["file"]
    assert (await harness.engine.job(id)).reversible
    (source / "one" / "file").unlink()
    await harness.engine.retry([undoing])
    await harness.done(undoing)
    assert names(source) == []


async def test_a_name_that_was_taken_meanwhile_is_left_to_its_owner(harness: Harness, source: Path) -> None:
    id = await renamed(harness, write(source / "a", "mine"), source / "b")
    write(source / "a", "another")
    assert await refusal(harness, id) == f"something stands at {source / 'a'} now"


# What is not noted


async def test_what_is_not_there_or_no_step_is_not_noted(harness: Harness, source: Path) -> None:
    here = at(write(source / "a"))
    with pytest.raises(NotFound):
        await harness.engine.note_step(JobKind.MAKE, at(source / "missing"), at(source / "missing"))
    with pytest.raises(UsageError):
        await harness.engine.note_step(JobKind.COPY, here, here)
    with pytest.raises(UsageError):
        await harness.engine.note_step(JobKind.MAKE, Location("/a", "sftp", "host"), here)
    with pytest.raises(Unsupported):
        await harness.engine.note_step(
            JobKind.MAKE, Location("/a", "sftp", "host"), Location("/a", "sftp", "host")
        )
    with pytest.raises(UsageError):
        await harness.engine.submit(Request(kind=JobKind.MAKE, sources=(here,)))
    assert await harness.engine.jobs() == ()


async def test_only_the_last_steps_stay_in_the_list(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_thoughts, "STEPS_KEPT", 2)
    moved = await harness.move(write(source / "a"), to=target)
    await harness.done(moved)
    ids = [await made(harness, source / name) for name in ("one", "two", "three")]
    assert {job.id for job in await harness.engine.jobs()} == {moved, *ids[1:]}
    assert names(source) == ["one", "three", "two"]


async def test_steps_noted_at_once_are_all_noted(
    harness: Harness, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_thoughts, "STEPS_KEPT", 2)
    ids = [await made(harness, source / name) for name in ("one", "two")]
    ids += await asyncio.gather(*(made(harness, source / name) for name in ("three", "four", "five")))
    assert {job.id for job in await harness.engine.jobs()} == set(sorted(ids)[3:]), "whichever came last"


async def test_a_step_that_is_being_undone_is_not_forgotten(
    harness: Harness, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_thoughts, "STEPS_KEPT", 1)
    id = await made(harness, source / "one")
    real = second_thoughts.prepare

    async def meanwhile(*what: Any) -> Reversal:
        await made(harness, source / "two")
        return await real(*what)

    monkeypatch.setattr(second_thoughts, "prepare", meanwhile)
    await undone(harness, id)
    assert names(source) == ["two"]


async def test_a_step_that_is_being_forgotten_is_not_undone(
    harness: Harness, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_thoughts, "STEPS_KEPT", 1)
    id = await made(harness, source / "one")
    real = harness.engine._journal.forget

    async def meanwhile(ids: Sequence[int]) -> None:
        with pytest.raises(NoSuchJob):
            await harness.engine.undo(id)
        await real(ids)

    monkeypatch.setattr(harness.engine._journal, "forget", meanwhile)
    await made(harness, source / "two")
    assert names(source) == ["one", "two"]
