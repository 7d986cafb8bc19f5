"""The durable queue's file."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tui.engine.far.ledger import JournalLedger
from tui.engine.journal import Journal
from tui.engine.journal.schema import MIGRATIONS
from tui.engine.journal.store import PAUSED_NOTE
from tui.engine.rows import Decision, ErrorRow, FolderTime, Phase, QuestionRow, Source
from tui.model.entry import EntryKind, Facts
from tui.model.error import EngineError, JournalDamaged
from tui.model.fidelity import ALL_TRAITS, Trait
from tui.model.job import Conflict, JobKind, JobState, Request
from tui.model.location import Location
from tui.places.base import Identity
from tui.places.local.links import Group, Standing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DATA = Path(__file__).parents[2] / "data"
HOSTILE = Location("/tmp/\udcff\ud800\x1b[31m\n")
REQUEST = Request(kind=JobKind.COPY, sources=(HOSTILE, Location("/b")), target=Location("/t"), priority=4)


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "state" / "journal.sqlite3")
    assert await journal.open() == ""
    yield journal
    await journal.close()


def error(path: bytes, idx: int | None = 0) -> ErrorRow:
    return ErrorRow(idx, path, path, False, HOSTILE, "NotFound", f"cannot read {HOSTILE}", "look", 5.0)


def question(path: bytes, walk: int = 1) -> QuestionRow:
    here, there = Facts(EntryKind.FILE, 4, -5), Facts(EntryKind.LINK, 1 << 50, 10**18)
    return QuestionRow(0, path, path, HOSTILE, Location("/t/x"), here, there, 7.0, walk)


async def test_a_job_is_kept_with_all_that_was_asked(journal: Journal) -> None:
    plain = Request(
        kind=JobKind.COPY,
        sources=(Location("/a\udcff"),),
        target=Location("/t"),
        limit_bytes_s=5,
        verify=True,
        preserve=frozenset({Trait.OWNER, Trait.TIMES}),
    )
    id = await journal.add_job(plain, "tag00001", 3.5)
    assert await journal.request(id) == plain
    (row,) = await journal.jobs(id)
    assert (row.tag, row.state, row.created_at, row.limit_bytes_s) == ("tag00001", JobState.QUEUED, 3.5, 5)


async def test_only_the_owner_may_read_it(journal: Journal) -> None:
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert journal.path.parent.stat().st_mode & 0o777 == 0o700


async def test_new_jobs_go_to_the_end_of_the_queue(journal: Journal) -> None:
    request = Request(kind=JobKind.DELETE, sources=(Location("/b"),))
    ids = [await journal.add_job(request, f"tag{number}", 0.0) for number in range(3)]
    await journal.set_positions([(ids[0], 10)])
    last = await journal.add_job(request, "tag9", 0.0)
    positions = {row.id: row.position for row in await journal.jobs()}
    assert positions[last] == 11


async def test_messages_with_names_that_are_no_text_are_kept(journal: Journal) -> None:
    id = await journal.add_job(Request(kind=JobKind.DELETE, sources=(Location("/b"),)), "tag", 0.0)
    row = ErrorRow(
        0, b"\xff", b"", False, Location("/\udcff"), "NotFound", "cannot read /\udcff\ud800", "", 1.0
    )
    await journal.add_errors(id, [row])
    await journal.update(id, {"note": "waits for \udcff"})
    (found,) = await journal.errors(id)
    assert (found.message, found.location) == (row.message, row.location)
    assert (await journal.jobs(id))[0].note == "waits for \udcff"


async def make_job(journal: Journal) -> int:
    request = Request(kind=JobKind.COPY, sources=(Location("/a"), Location("/b")), target=Location("/t"))
    return await journal.add_job(request, "tag", 0.0)


def plain(row: ErrorRow) -> ErrorRow:
    return ErrorRow(row.idx, row.path, row.target_path, False, Location("/e"), "NotFound", "no", "", 1.0)


async def test_errors_are_forgotten_as_they_are_tried_again(journal: Journal) -> None:
    id = await make_job(journal)
    await journal.add_errors(id, [plain(error(b"a/%d" % number)) for number in range(5)])
    last = await journal.last_error(id)
    rows = await journal.error_rows(id, last, 2)
    assert [row.path for row in rows] == [b"a/0", b"a/1"]
    assert await journal.drop_errors(id, ids=[row.id for row in rows]) == 3
    await journal.add_errors(id, [plain(error(b"new"))])
    assert [row.path for row in await journal.error_rows(id, last)] == [b"a/2", b"a/3", b"a/4"]


async def test_errors_of_sources_that_are_done_outlive_a_new_walk(journal: Journal) -> None:
    id = await make_job(journal)
    await journal.set_phase(id, [0], Phase.DONE)
    await journal.add_errors(id, [plain(error(b"a", 0)), plain(error(b"b", 1)), plain(error(b"", None))])
    assert await journal.forget_errors(id) == 1
    assert await journal.failed_sources(id) == {0}


def ask(path: bytes, walk: int = 1) -> QuestionRow:
    row = question(path, walk)
    return QuestionRow(
        0, path, path, Location("/s"), row.target, row.source_facts, row.target_facts, row.asked_at, walk
    )


async def test_a_conflict_is_asked_once_however_often_it_is_met(journal: Journal) -> None:
    id = await make_job(journal)
    assert await journal.ask(id, [ask(b"a"), ask(b"b")]) == 2
    before = await journal.questions(id)
    assert await journal.ask(id, [ask(b"a", walk=2)]) == 2
    assert [row.id for row in await journal.questions(None)] == [row.id for row in before]
    assert before[0].target_facts == Facts(EntryKind.LINK, 1 << 50, 10**18)
    assert await journal.end_walk(id, 2) == 1


async def test_an_answer_is_due_where_the_walk_has_passed_and_waits_for_it_where_not(
    journal: Journal,
) -> None:
    id = await make_job(journal)
    await journal.ask(id, [ask(b"passed", 2), ask(b"ahead", 1)])
    ahead = await journal.decide(id, Conflict.SKIP, walk=2)
    assert [decision.path for decision in ahead] == [b"ahead"]
    assert [decision.path for decision in await journal.decisions(id, due=True)] == [b"passed"]
    assert len(await journal.decisions(id)) == 2
    assert await journal.undecided_sources(id) == {0}
    await journal.settle(id, await journal.decisions(id, due=True))
    assert await journal.decisions(id, due=True) == []
    assert await journal.undecided_sources(id) == set()


async def test_a_conflict_met_after_its_answer_is_due_at_once(journal: Journal) -> None:
    id = await make_job(journal)
    await journal.ask(id, [ask(b"a", 1)])
    await journal.decide(id, Conflict.SKIP, walk=2)
    assert await journal.decisions(id, due=True) == []
    assert await journal.ask(id, [ask(b"a", 2)]) == 0
    assert [decision.path for decision in await journal.decisions(id, due=True)] == [b"a"]


async def test_another_name_is_kept_until_it_is_taken_by_others(journal: Journal) -> None:
    id = await make_job(journal)
    decision = Decision(0, b"a", b"a", Conflict.RENAME)
    await journal.put_off(id, decision)
    await journal.settle(id, [Decision(0, b"a", b"a", Conflict.RENAME, b"a (1)")])
    await journal.put_off(id, decision)
    assert await journal.kept(id, 0) == [(b"a", b"a (1)")]
    await journal.put_off(id, Decision(0, b"a", b"a (1)", Conflict.RENAME))
    assert await journal.kept(id, 0) == []


async def test_removing_a_job_takes_all_of_it(journal: Journal) -> None:
    id = await make_job(journal)
    await journal.add_errors(id, [plain(error(b"a"))])
    await journal.ask(id, [ask(b"a")])
    await journal.forget([id])
    assert await journal.jobs() == []
    assert await journal.sources(id) == []
    assert await journal.questions(None) == ()


async def test_what_was_removed_goes_with_the_next_removal(journal: Journal) -> None:
    first, second = [
        await journal.add_job(Request(kind=JobKind.DELETE, sources=(Location("/a"),)), tag, 0.0)
        for tag in ("one", "two")
    ]
    await journal.remove([first])
    await journal.remove([])
    assert await journal.sources(first)
    await journal.remove([second])
    assert await journal.sources(first) == []
    assert await journal.restore() == [second]
    assert [row.id for row in await journal.jobs()] == [second]


async def test_sources_come_in_pages(journal: Journal) -> None:
    request = Request(kind=JobKind.DELETE, sources=tuple(Location(f"/{n}") for n in range(10)))
    id = await journal.add_job(request, "tag", 0.0)
    await journal.set_sources(id, [Source(7, Location("/7"), Location("/t"), Phase.DONE, True, 3, 4)])
    page = await journal.sources(id, 6, 3)
    assert [source.idx for source in page] == [6, 7, 8]
    assert page[1] == Source(7, Location("/7"), Location("/t"), Phase.DONE, True, 3, 4)


async def test_an_unknown_column_is_a_mistake(journal: Journal) -> None:
    with pytest.raises(LookupError, match="not columns"):
        await journal.update(1, {"state; DROP TABLE job": 1})


async def test_a_journal_of_a_newer_ferry_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    made = Journal(path)
    await made.open()
    await made.close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    newer = Journal(path)
    with pytest.raises(EngineError, match="newer Ferry"):
        await newer.open()
    await newer.close()
    assert files(tmp_path) == ["journal"]


async def test_a_damaged_journal_is_kept_beside_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    journal = Journal(path)
    assert "damaged" in await journal.open()
    assert await journal.jobs() == []
    await journal.close()
    assert [name.partition("-")[0] for name in files(tmp_path)] == ["journal", "journal.damaged"]


def spoilt(path: Path, word: bytes, other: bytes) -> None:
    """Change what stands in a file that is closed."""
    content = path.read_bytes()
    assert word in content
    path.write_bytes(content.replace(word, other))


async def some_jobs(path: Path) -> None:
    """Write a journal of a copy, the second of its sources of a name of its own, and of a delete."""
    journal = Journal(path)
    await journal.open()
    for number, kind in enumerate((JobKind.COPY, JobKind.DELETE)):
        sources = (Location("/a"), Location(f"/peculiar{number}"))
        request = Request(kind=kind, sources=sources, target=Location("/t") if kind is JobKind.COPY else None)
        await journal.add_job(request, f"tag{number}", 0.0)
    await journal.close()


@pytest.mark.parametrize(
    ("word", "other"),
    [
        (b"undoes INTEGER", b"undoez INTEGER"),
        (b"CREATE TABLE link", b"CREA\xffE TABLE link"),
        (b"removed INTEGER", b"r\xffmoved INTEGER"),
    ],
    ids=["a column", "a word that is no text", "a column that is no text"],
)
async def test_of_a_journal_that_describes_itself_wrongly_the_jobs_are_saved(
    tmp_path: Path, word: bytes, other: bytes
) -> None:
    path = tmp_path / "journal"
    await some_jobs(path)
    spoilt(path, word, other)
    before = path.read_bytes()
    journal = Journal(path)
    note = await journal.open()
    assert note.startswith("the queue's journal was damaged (")
    jobs = await journal.jobs()
    assert [job.kind for job in jobs] == [JobKind.COPY, JobKind.DELETE]
    assert {(job.state, job.note) for job in jobs} == {(JobState.PAUSED, PAUSED_NOTE)}
    request = await journal.request(2)
    assert [source.path for source in request.sources] == ["/a", "/peculiar1"]
    await journal.close()
    kept = tmp_path / files(tmp_path)[1]
    assert kept.name.startswith("journal.damaged-")
    assert kept.read_bytes() == before


async def test_of_a_job_that_lost_a_source_nothing_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    await some_jobs(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DELETE FROM source WHERE job = 2 AND idx = 1")
    spoilt(path, b"CREATE TABLE link", b"CREATE TABLE l\xffnk")
    journal = Journal(path)
    assert "with 1 that cannot be" in await journal.open()
    assert [job.kind for job in await journal.jobs()] == [JobKind.COPY]
    await journal.close()


async def test_what_cannot_be_understood_is_told_as_damage(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    await some_jobs(path)
    spoilt(path, b"file:///peculiar1", b"file:///pec%00iar")
    journal = Journal(path)
    assert await journal.open() == ""
    with pytest.raises(JournalDamaged, match="is damaged: a path cannot hold a NUL byte"):
        await journal.request(2)
    assert len((await journal.request(1)).sources) == 2
    await journal.close()


async def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    await journal.open()
    limit = journal._thread.submit(lambda: journal._db.execute("PRAGMA max_page_count = 20").fetchall())
    await asyncio.wrap_future(limit)
    with pytest.raises(EngineError, match="cannot be used: database or disk is full"):
        await journal.add_job(
            Request(kind=JobKind.DELETE, sources=tuple(Location(f"/{'x' * 200}{n}") for n in range(5000))),
            "tag",
            0.0,
        )
    assert await journal.jobs() == []
    await journal.close()


async def test_where_files_with_several_names_stand_is_kept_for_each_job(journal: Journal) -> None:
    request = Request(kind=JobKind.MOVE, sources=(Location("/b"),), target=Location("/t"))
    one, other = [await journal.add_job(request, tag, 0.0) for tag in ("tag1", "tag2")]
    groups = [
        Group(2**64 - 1, 2**64 - 2, Standing(b"a/\xff")),
        Group(1, 2, Standing(b"b", (2**63, 2**64 - 1))),
        Group(1, 3, Standing(b"c", as_found=True)),
        Group(1, 4, Standing(b"d", (5, 6), as_found=True)),
    ]
    await journal.add_links(one, groups)
    assert sorted(await journal.links(one)) == sorted(groups)
    assert await journal.links(other) == []
    await journal.forget_links(one)
    assert await journal.links(one) == []


async def test_the_first_time_told_of_a_folder_is_kept_for_each_job_until_it_is_forgotten(
    journal: Journal,
) -> None:
    request = Request(kind=JobKind.MOVE, sources=(Location("/b"),), target=Location("/t"))
    one, other = [await journal.add_job(request, tag, 0.0) for tag in ("tag1", "tag2")]
    times = [FolderTime(0, b"b/\xff", b"c/\xff", -1), FolderTime(1, b"b", b"b", 2**63 - 1)]
    await journal.keep_folder_times(one, times, [])
    await journal.keep_folder_times(one, [FolderTime(1, b"b", b"b", 5)], [(0, b"b/\xff")])
    assert await journal.folder_times(one) == times[1:]
    assert await journal.folder_times(other) == []
    await journal.forget_folder_times(one)
    assert await journal.folder_times(one) == []


async def test_names_that_change_hands_are_found_without_comparing_each_with_each(journal: Journal) -> None:
    work: list[int] = []
    counting = journal._thread.submit(
        lambda: journal._db.set_progress_handler(lambda: work.append(1) or 0, 1000)  # type: ignore[func-returns-value]
    )
    await asyncio.wrap_future(counting)

    async def effort(count: int) -> int:
        """Return what it takes to look through so many renames, none of which takes another's name."""
        pairs = [(Location(f"/{number}"), Location(f"/new {number}")) for number in range(count)]
        sources, targets = zip(*pairs, strict=True)
        request = Request(kind=JobKind.RENAME, sources=sources, targets=targets)
        id = await journal.add_job(request, f"tag{count}", 0.0)
        work.clear()
        assert not await journal.has_chains(id)
        return len(work)

    assert await effort(8000) < 16 * await effort(1000)


async def test_a_swap_of_names_is_found(journal: Journal) -> None:
    one, other = Location("/one"), Location("/other")
    request = Request(kind=JobKind.RENAME, sources=(one, other), targets=(other, one))
    assert await journal.has_chains(await journal.add_job(request, "tag", 0.0))


async def test_a_journal_of_the_first_schema_opens(tmp_path: Path) -> None:
    """Whatever migrations come: what the first released schema held is there."""
    path = tmp_path / "journal.sqlite3"
    shutil.copy(DATA / "journal-v1.sqlite3", path)
    journal = Journal(path)
    assert await journal.open() == ""
    (row,) = await journal.jobs()
    assert (row.kind, row.state, row.tag) == (JobKind.COPY, JobState.PAUSED, "old00001")
    assert (row.errors, row.questions, row.files_done, row.stage_for) == (1, 1, 42, None)
    assert (row.verify, row.files_verified, row.bytes_verified) == (False, 0, 0)
    assert (row.preserve, row.losses) == (ALL_TRAITS, None)
    assert (await journal.request(row.id)).preserve == ALL_TRAITS
    assert [source.location.name for source in await journal.sources(row.id)] == ["a b", "\udcff"]
    assert [d.rule for d in await journal.decisions(row.id)] == [Conflict.NEWER]
    await journal.close()


async def test_an_older_journal_is_brought_up_to_date_as_a_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.sqlite3"
    shutil.copy(DATA / "journal-v1.sqlite3", path)
    with monkeypatch.context() as patch:
        patch.setattr("tui.engine.journal.store.MIGRATIONS", (*MIGRATIONS, "DROP TABLE there_is_none"))
        failing = Journal(path)
        with pytest.raises(EngineError, match="there_is_none"):
            await failing.open()
        await failing.close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    journal = Journal(path)
    assert await journal.open() == ""
    assert len(await journal.jobs()) == 1
    await journal.close()


# Uploads


async def test_an_upload_is_found_again_after_a_crash_by_where_it_goes_and_what_it_is_of(
    tmp_path: Path,
) -> None:
    url, identity = "s3://bucket/key", Identity("tag12345", 7, 10**18)
    journal = Journal(tmp_path / "journal")
    await journal.open()
    await JournalLedger(journal).keep(url, identity, "first")
    await JournalLedger(journal).keep(url, identity, "second")
    await journal.close()
    again = Journal(tmp_path / "journal")
    await again.open()
    ledger = JournalLedger(again)
    assert await ledger.find(url, identity) == "second"
    assert await ledger.find(url, replace(identity, size_bytes=8)) is None
    assert await ledger.find("s3://bucket/other", identity) is None
    assert list(await ledger.kept("tag12345")) == [(url, "second")]
    assert not await ledger.kept("another1")
    await ledger.forget(url, "second")
    assert await ledger.find(url, identity) is None
    await again.close()
