"""Which entries a job touches, and which jobs are light."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from tui.engine.journal import Journal
from tui.engine.reach import MOST_ENTRIES, Reach, is_light, reach_of
from tui.model.job import JobKind, Request
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HERE, TWO, FAR = frozenset({5}), frozenset({5, 6}), frozenset({-7})


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "state" / "journal.sqlite3")
    await journal.open()
    yield journal
    await journal.close()


async def reach(journal: Journal, kind: JobKind, *sources: str, **rest: object) -> Reach | None:
    locations = tuple(
        Location.from_url(source) if "://" in source else Location(source) for source in sources
    )
    request = Request(kind=kind, sources=locations, **rest)  # type: ignore[arg-type]
    id = await journal.add_job(request, f"tag{len(await journal.jobs())}", 0.0)
    (row,) = await journal.jobs(id)
    return reach_of(row, await journal.sources(id))


async def meet(one: Reach | None, other: Reach | None) -> bool:
    assert one is not None
    assert other is not None
    assert one.meets(other) == other.meets(one)
    return one.meets(other)


async def test_jobs_meet_at_an_entry_above_it_and_below_it(journal: Journal) -> None:
    removal = await reach(journal, JobKind.DELETE, "/q/a/b")
    for path, expected in {
        "/q/a/b": True, "/q/a": True, "/": True, "/q/a/b/c/d": True, "/q/a/bb": False, "/q/a/c": False,
    }.items():  # fmt: skip
        assert await meet(removal, await reach(journal, JobKind.TRASH, path)) == expected, path


async def test_a_copy_touches_what_it_reads_and_what_it_makes(journal: Journal) -> None:
    into = await reach(journal, JobKind.COPY, "/q/a", "/q/b", target=Location("/t"))
    named = await reach(journal, JobKind.COPY, "/q/a", target=Location("/t/new"), into=False)
    for path, both in {
        "/q/a": (True, True), "/q/b/x": (True, False), "/q/c": (False, False), "/t": (True, True),
        "/t/a/x": (True, False), "/t/new": (False, True), "/t/other": (False, False),
    }.items():  # fmt: skip
        removal = await reach(journal, JobKind.DELETE, path)
        assert (await meet(into, removal), await meet(named, removal)) == both, path


async def test_renames_touch_old_and_new_names(journal: Journal) -> None:
    renames = await reach(
        journal, JobKind.RENAME, "/q/a", "/q/b", targets=(Location("/q/b"), Location("/q/c"))
    )
    assert await meet(renames, await reach(journal, JobKind.DELETE, "/q/c"))
    assert not await meet(renames, await reach(journal, JobKind.DELETE, "/q/d"))


async def test_an_entry_is_the_same_by_whatever_links_lead_to_it(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "real/sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    by_link = await reach(journal, JobKind.DELETE, f"{tmp_path}/link/sub/x")
    assert await meet(by_link, await reach(journal, JobKind.DELETE, f"{tmp_path}/real/sub/x"))
    into_link = await reach(journal, JobKind.SYNC, "/q", target=Location.local(tmp_path / "link"), into=False)
    assert await meet(into_link, await reach(journal, JobKind.DELETE, f"{tmp_path}/real/sub"))
    link_alone = await reach(journal, JobKind.DELETE, f"{tmp_path}/link")
    assert not await meet(link_alone, await reach(journal, JobKind.DELETE, f"{tmp_path}/real/sub/x"))


async def test_places_do_not_meet_and_within_one_entries_do(journal: Journal) -> None:
    urls = ("/x", "sftp://box/x", "sftp://ann@box/x", "s3://x/")
    reaches = [await reach(journal, JobKind.DELETE, url) for url in urls]
    for one, other in combinations(reaches, 2):
        assert not await meet(one, other)
    for url in ("sftp://box/x/y", "sftp://box/"):
        assert await meet(reaches[1], await reach(journal, JobKind.DELETE, url))


async def test_what_many_sources_touch_is_not_kept(journal: Journal) -> None:
    many = [f"/q/{n}" for n in range(MOST_ENTRIES + 1)]
    assert await reach(journal, JobKind.DELETE, *many) is None
    assert await reach(journal, JobKind.DELETE, *many[1:]) is not None


@pytest.mark.parametrize(
    ("kind", "lanes", "rest", "expected"),
    [
        (JobKind.DELETE, TWO, {}, True),
        (JobKind.TRASH, HERE, {}, True),
        (JobKind.CHMOD, FAR, {}, True),
        (JobKind.COPY, HERE, {"target": Location("/t")}, False),
        (JobKind.MOVE, HERE, {"target": Location("/t")}, True),
        (JobKind.MOVE, HERE, {"target": Location("/t"), "verify": True}, False),
        (JobKind.MOVE, TWO, {"target": Location("/t")}, False),
        (JobKind.MOVE, FAR, {"target": Location("/t", "sftp", "box")}, False),
    ],
)
async def test_light_is_what_brings_no_content_anywhere(
    journal: Journal, kind: JobKind, lanes: frozenset[int], rest: dict[str, object], expected: bool
) -> None:
    id = await journal.add_job(Request(kind=kind, sources=(Location("/q"),), **rest), "tag", 0.0)  # type: ignore[arg-type]
    (row,) = await journal.jobs(id)
    assert is_light(row, lanes) == expected
