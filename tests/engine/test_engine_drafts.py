"""Requests that come in parts: one job or none, and never more of it in memory than a part."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, crash, names, new_engine, running

from tui.engine.journal.jobs import Jobs
from tui.model.error import HoldsHome, JournalDamaged, NotPossible, Unsupported, UsageError
from tui.model.job import JobKind, JobState, Request
from tui.model.location import Location
from tui.model.parts import PART, first_part

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MANY = 2 * PART + 10


@pytest.fixture
def sources(source: Path) -> list[Path]:
    made = [source / f"file {number}" for number in range(MANY)]
    for path in made:
        path.touch()
    return made


@pytest.fixture
async def harness(tmp_path: Path, source: Path) -> AsyncIterator[Harness]:
    homes = [Location.local(source / "home")]
    async with running(tmp_path / "state" / "journal.sqlite3", homes=homes) as harness:
        yield harness


def located(paths: list[Path]) -> tuple[Location, ...]:
    return tuple(Location.local(path) for path in paths)


def copy_of(paths: list[Path], target: Path) -> Request:
    return Request(kind=JobKind.COPY, sources=located(paths), target=Location.local(target))


async def begun(harness: Harness, sources: list[Path], target: Path) -> int:
    """Begin a draft of a copy with its first part."""
    return await harness.engine.drafts.begin(first_part(copy_of(sources, target)))


async def test_more_sources_than_are_a_part_are_one_job(
    harness: Harness, sources: list[Path], target: Path
) -> None:
    id = await harness.copy(*sources, to=target)
    job = await harness.done(id)
    assert (job.source_count, job.progress.files_done) == (MANY, MANY)
    assert names(target) == sorted(path.name for path in sources)
    assert (await harness.engine.request(id)).sources == located(sources)[:PART]
    found: list[Location] = []
    while page := await harness.engine.sources(id, len(found)):
        found += page
    assert tuple(found) == located(sources)


async def test_a_long_list_of_renames_keeps_each_name_with_its_new_one(
    harness: Harness, sources: list[Path]
) -> None:
    new = tuple(Location.local(path.with_name(f"new {path.name}")) for path in sources)
    await harness.done(await harness.submit(JobKind.RENAME, *sources, targets=new))
    assert names(sources[0].parent) == sorted(one.name for one in new)


async def test_a_copy_of_more_than_a_part_can_be_verified_again(
    harness: Harness, sources: list[Path], target: Path
) -> None:
    id = await harness.copy(*sources, to=target)
    await harness.done(id)
    assert (await harness.done(await harness.engine.verify(id))).progress.files_verified == MANY
    (target / sources[-1].name).write_text("changed")
    assert (await harness.ends(await harness.engine.verify(id))).state is JobState.FAILED


async def test_a_draft_is_on_no_list_and_its_job_is_the_last_one(
    harness: Harness, sources: list[Path], target: Path
) -> None:
    drafts = harness.engine.drafts
    number = await begun(harness, sources, target)
    await drafts.add(number, located(sources[PART:]))
    assert await harness.engine.jobs() == ()
    between = await harness.copy(sources[0], to=target / "new", into=False, paused=True)
    id = await drafts.submit(number)
    assert [job.id for job in sorted(await harness.engine.jobs(), key=lambda job: job.position)] == [
        between,
        id,
    ]
    assert (await harness.done(id)).progress.files_done == MANY


async def test_taking_jobs_off_the_list_and_bringing_them_back_leaves_drafts_alone(
    harness: Harness, sources: list[Path], target: Path
) -> None:
    number = await begun(harness, sources, target)
    done = await harness.copy(sources[0], to=target)
    await harness.done(done)
    await harness.engine.remove([done])
    assert await harness.engine.restore() == (done,)
    assert [job.id for job in await harness.engine.jobs()] == [done]
    await harness.engine.drafts.submit(number)
    assert len(await harness.engine.jobs()) == 2


@pytest.mark.parametrize("ends", ["kill", "stop"])
async def test_a_draft_ends_with_its_engine(
    tmp_path: Path, sources: list[Path], target: Path, ends: str
) -> None:
    journal = tmp_path / "state" / "journal.sqlite3"
    harness = Harness(new_engine(journal), journal)
    await harness.engine.start_up()
    await begun(harness, sources, target)
    await (crash(harness) if ends == "kill" else harness.engine.shut_down())
    async with running(journal) as again:
        assert await again.engine.jobs() == ()
        assert await again.engine._journal.numbers() == []
        await again.done(await again.copy(sources[0], to=target))


async def test_a_draft_that_is_dropped_leaves_nothing(
    harness: Harness, sources: list[Path], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.engine.journal.jobs.FORGOTTEN_AT_ONCE", 300)
    number = await begun(harness, sources, target)
    await harness.engine.drafts.drop(number)
    await harness.engine.drafts.drop(number)
    assert await harness.engine._journal.numbers() == []
    assert await harness.engine._journal.sources(number) == []
    with pytest.raises(NotPossible, match=f"draft {number}: there is none"):
        await harness.engine.drafts.submit(number)


async def test_a_part_is_judged_beside_the_first_and_takes_its_draft_along(
    harness: Harness, sources: list[Path], source: Path, target: Path
) -> None:
    drafts = harness.engine.drafts
    (source / "home").mkdir()
    elsewhere = Location("/srv/x", "sftp", "box")
    for wrong, error, message in (
        ((Location("/"),), UsageError, "root folder"),
        ((elsewhere,), Unsupported, "cannot reach sftp://box"),
        (located([source / "home"]), HoldsHome, "it is your home folder"),
    ):
        first = Request(kind=JobKind.MOVE, sources=located(sources[:1]), target=Location.local(target))
        number = await drafts.begin(first)
        with pytest.raises(error, match=message):
            await drafts.add(number, wrong)
        with pytest.raises(NotPossible, match="there is none"):
            await drafts.submit(number)
    assert await harness.engine._journal.numbers() == []


async def test_what_takes_one_source_takes_no_part_beside_it(
    harness: Harness, sources: list[Path], target: Path
) -> None:
    first = copy_of(sources[:1], target / "new")
    number = await harness.engine.drafts.begin(
        Request(kind=JobKind.COPY, sources=first.sources, target=first.target, into=False)
    )
    with pytest.raises(UsageError, match="several sources cannot become one target"):
        await harness.engine.drafts.add(number, located(sources[1:2]))


async def test_a_long_request_that_is_refused_in_the_middle_leaves_nothing(
    harness: Harness, sources: list[Path], target: Path
) -> None:
    with pytest.raises(UsageError, match="root folder"):
        await harness.engine.submit(
            Request(
                kind=JobKind.COPY,
                sources=(*located(sources), Location("/")),
                target=Location.local(target),
            )
        )
    assert await harness.engine._journal.numbers() == []


async def test_a_disk_that_does_not_answer_is_waited_for_once_a_draft(
    harness: Harness, sources: list[Path], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    async def silent(request: Request, shared: object) -> bool:
        asked.append(len(request.sources))
        return False

    monkeypatch.setattr("tui.engine.drafts.spare", silent)
    await harness.done(await harness.move(*sources, to=target))
    assert asked == [PART]


async def test_what_the_journal_cannot_take_makes_no_job(
    harness: Harness, sources: list[Path], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: Jobs, *_: object) -> None:
        raise JournalDamaged("no room")

    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "list_job", fails)
        with pytest.raises(JournalDamaged):
            await harness.copy(*sources, to=target)
    assert await harness.engine._journal.numbers() == []
    assert os.listdir(target) == []
