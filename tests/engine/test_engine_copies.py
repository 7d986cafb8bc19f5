"""A copy job from end to end: trees, files, totals, refusals, conflicts by rule."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import time
from typing import TYPE_CHECKING

import pytest
from engine_harness import NEW, OLD, names, until, write

from tests.trees import describe, differences, make_mixed_tree, partials
from tui.model.entry import Totals
from tui.model.error import NoSuchJob, Unsupported, UsageError
from tui.model.job import Conflict, JobKind, JobState, Request
from tui.model.location import Location
from tui.places.local.copy_rules import LARGE_BYTES
from tui.places.local.slices import SliceCopy

if TYPE_CHECKING:
    from pathlib import Path

    from engine_harness import Harness

    from tui.model.fidelity import Loss
    from tui.places.local.loss_notes import LossNotes
    from tui.places.local.scan import Scan


async def errors(harness: Harness, id: int) -> list[tuple[str, str]]:
    return [(error.code, error.location.name) for error in await harness.engine.errors(id)]


async def test_a_new_tree_arrives_whole(harness: Harness, tmp_path: Path, target: Path) -> None:
    make_mixed_tree(tmp_path / "tree", seed=1, large_bytes=20 << 20)
    job = await harness.done(await harness.copy(tmp_path / "tree", to=target))
    assert differences(describe(tmp_path / "tree"), describe(target / "tree")) == []
    assert partials(target) == []
    progress = job.progress
    assert (progress.files_done, progress.bytes_done) == (progress.files_total, progress.bytes_total)
    assert progress.files_done > 300
    assert not progress.counting
    assert [ended.id for ended in harness.ended] == [job.id]


async def test_a_second_copy_finds_everything_the_same(
    harness: Harness, tmp_path: Path, target: Path
) -> None:
    make_mixed_tree(tmp_path / "tree", seed=2, files=60)
    first = await harness.done(await harness.copy(tmp_path / "tree", to=target))
    second = await harness.done(await harness.copy(tmp_path / "tree", to=target, conflict=Conflict.FAIL))
    assert second.progress.files_same == second.progress.files_done == first.progress.files_done
    assert differences(describe(tmp_path / "tree"), describe(target / "tree")) == []


async def test_a_tree_that_is_there_in_part_is_completed(
    harness: Harness, tmp_path: Path, target: Path
) -> None:
    make_mixed_tree(tmp_path / "tree", seed=3, files=80, large_bytes=17 << 20, large_files=3)
    shutil.copytree(tmp_path / "tree" / "empty folder", target / "tree" / "empty folder")
    (target / "tree" / "mine").write_text("stays")
    await harness.done(await harness.copy(tmp_path / "tree", to=target))
    assert (target / "tree" / "mine").read_text() == "stays"
    (target / "tree" / "mine").unlink()
    shutil.copystat(tmp_path / "tree", target / "tree")
    assert differences(describe(tmp_path / "tree"), describe(target / "tree")) == []


async def test_many_single_files_go_into_a_folder(harness: Harness, source: Path, target: Path) -> None:
    files = [write(source / f"file {number}", str(number)) for number in range(700)]
    job = await harness.done(await harness.copy(*files, to=target))
    assert job.source_count == job.progress.files_done == 700
    assert {name: (target / name).read_text() for name in names(target)} == {
        f"file {n}": str(n) for n in range(700)
    }


async def test_a_file_gets_the_name_asked_for(harness: Harness, source: Path, target: Path) -> None:
    await harness.done(await harness.copy(write(source / "a", "text"), to=target / "b", into=False))
    assert (target / "b").read_text() == "text"


async def test_a_folder_gets_the_name_asked_for(harness: Harness, source: Path, target: Path) -> None:
    write(source / "inner" / "a", "text")
    await harness.done(await harness.copy(source, to=target / "other", into=False))
    assert (target / "other" / "inner" / "a").read_text() == "text"


async def test_a_missing_target_folder_is_made(harness: Harness, source: Path, target: Path) -> None:
    await harness.done(await harness.copy(write(source / "a", "text"), to=target / "new" / "newer"))
    assert (target / "new" / "newer" / "a").read_text() == "text"


async def test_a_target_that_is_a_file_refuses_everything_at_once(harness: Harness, source: Path) -> None:
    one, two = write(source / "a", "1"), write(source / "b", "2")
    job = await harness.ends(await harness.copy(one, to=two))
    assert job.state is JobState.FAILED
    assert await errors(harness, job.id) == [("NotAFolder", "b")]
    assert two.read_text() == "2"


async def test_what_cannot_be_copied_is_refused_and_the_rest_goes_on(harness: Harness, source: Path) -> None:
    good = write(source / "good", "text")
    job = await harness.ends(await harness.copy(source / "missing", source, good, to=source / "into"))
    assert job.state is JobState.FAILED
    assert sorted(await errors(harness, job.id)) == [
        ("NotFound", "missing"),
        ("TargetInsideSource", "source"),
    ]
    assert (source / "into" / "good").read_text() == "text"
    assert job.progress.errors == 2


async def test_a_copy_onto_itself_is_refused(harness: Harness, source: Path) -> None:
    file = write(source / "a", "text")
    job = await harness.ends(await harness.copy(file, to=source))
    assert await errors(harness, job.id) == [("SameFile", "a")]


async def test_a_copy_onto_itself_under_keep_both_makes_a_second_one(harness: Harness, source: Path) -> None:
    file, folder = write(source / "a.txt", "text"), write(source / "folder" / "b", "inner").parent
    await harness.done(await harness.copy(file, folder, to=source, conflict=Conflict.RENAME))
    assert (source / "a (1).txt").read_text() == "text"
    assert (source / "folder (1)" / "b").read_text() == "inner"


async def test_two_sources_of_one_name_never_become_one_silently(
    harness: Harness, source: Path, target: Path
) -> None:
    one, two = write(source / "x" / "name", "one"), write(source / "y" / "name", "two")
    job = await harness.ends(await harness.copy(one, two, to=target, conflict=Conflict.FAIL))
    assert await errors(harness, job.id) == [("CollisionRefused", "name")]
    assert (target / "name").read_text() == "one"


@pytest.mark.parametrize(
    ("rule", "result", "extra"),
    [
        (Conflict.SKIP, "there", None),
        (Conflict.OVERWRITE, "here", None),
        (Conflict.NEWER, "here", None),
        (Conflict.RENAME, "there", "here"),
    ],
)
async def test_a_conflict_is_settled_by_the_rule(
    harness: Harness, source: Path, target: Path, rule: Conflict, result: str, extra: str | None
) -> None:
    write(source / "folder" / "a.txt", "here", NEW)
    write(source / "folder" / "b.txt", "free")
    write(target / "source" / "folder" / "a.txt", "there", OLD)
    job = await harness.done(await harness.copy(source, to=target, conflict=rule))
    folder = target / "source" / "folder"
    assert (folder / "a.txt").read_text() == result
    assert (folder / "b.txt").read_text() == "free"
    assert ((folder / "a (1).txt").read_text() if extra else None) == extra
    assert job.progress.files_done == 2
    assert job.progress.files_skipped == (1 if rule is Conflict.SKIP else 0)


@pytest.mark.parametrize("top", [True, False])
@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
async def test_a_folder_left_out_for_a_file_of_its_name_is_counted_as_one(
    harness: Harness, source: Path, target: Path, *, top: bool, kind: JobKind
) -> None:
    write(source / "inner" / "a", "a")
    write(source / "inner" / "b", "b")
    write((target if top else target / "source") / "inner", "file")
    named = source / "inner" if top else source
    job = await harness.done(await harness.copy(named, to=target, kind=kind, conflict=Conflict.SKIP))
    progress = job.progress
    assert (progress.files_skipped, progress.files_done, progress.files_total) == (1, 1, 1)
    assert names(source / "inner") == ["a", "b"]


async def test_newer_leaves_what_is_newer_at_the_target(harness: Harness, source: Path, target: Path) -> None:
    write(source / "a", "here", OLD)
    write(target / "a", "there", NEW)
    job = await harness.done(await harness.copy(source / "a", to=target, conflict=Conflict.NEWER))
    assert (target / "a").read_text() == "there"
    assert job.progress.files_skipped == 1


async def test_a_refused_conflict_is_an_error_and_the_others_go_on(
    harness: Harness, source: Path, target: Path
) -> None:
    write(source / "a", "here")
    write(source / "b", "free")
    write(target / "source" / "a", "there!")
    job = await harness.ends(await harness.copy(source, to=target, conflict=Conflict.FAIL))
    assert job.state is JobState.FAILED
    assert await errors(harness, job.id) == [("CollisionRefused", "a")]
    assert (target / "source" / "a").read_text() == "there!"
    assert (target / "source" / "b").read_text() == "free"


async def test_large_files_replace_and_are_kept_beside_by_the_rule(
    harness: Harness, source: Path, target: Path
) -> None:
    content = os.urandom(17 << 20)
    (source / "big").write_bytes(content)
    write(target / "big", "old")
    await harness.done(await harness.copy(source / "big", to=target, conflict=Conflict.RENAME))
    assert (target / "big").read_text() == "old"
    assert (target / "big (1)").read_bytes() == content
    await harness.done(await harness.copy(source / "big", to=target, conflict=Conflict.OVERWRITE))
    assert (target / "big").read_bytes() == content
    assert partials(target) == []


async def test_a_link_in_a_circle_is_copied_as_it_is(harness: Harness, source: Path, target: Path) -> None:
    write(source / "good", "text")
    (source / "loop").symlink_to("loop")
    job = await harness.done(await harness.copy(source, to=target))
    assert (target / "source" / "loop").is_symlink()
    assert job.progress.files_done == 2


async def test_hard_links_across_sources_stay_linked(harness: Harness, source: Path, target: Path) -> None:
    write(source / "one" / "a", "text")
    (source / "two").mkdir()
    os.link(source / "one" / "a", source / "two" / "b")
    await harness.done(await harness.copy(source / "one", source / "two", to=target))
    assert (target / "one" / "a").samefile(target / "two" / "b")


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (Request(kind=JobKind.COPY, sources=(), target=Location("/x")), UsageError),
        (Request(kind=JobKind.COPY, sources=(Location("/a"),)), UsageError),
        (Request(kind=JobKind.COPY, sources=(Location("/a"),) * 2, target=Location("/x"), into=False), UsageError),
        (Request(kind=JobKind.DELETE, sources=(Location("/"),)), UsageError),
        (Request(kind=JobKind.COPY, sources=(Location("/a", "ftp", "host"),), target=Location("/x")), Unsupported),
        (Request(kind=JobKind.RENAME, sources=(Location("/a"),)), UsageError),
        (Request(kind=JobKind.DELETE, sources=(Location("/a"),), priority=6), UsageError),
        (Request(kind=JobKind.DELETE, sources=(Location("/a"),), limit_bytes_s=0), UsageError),
    ],
)  # fmt: skip
async def test_a_request_that_makes_no_sense_is_refused(
    harness: Harness, request_: Request, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await harness.engine.submit(request_)
    assert await harness.engine.jobs() == ()


async def test_a_request_is_given_back_as_it_was(harness: Harness) -> None:
    wanted = Request(
        kind=JobKind.COPY,
        sources=(Location("/no/such/\udcff\n1"), Location("/no/such/2")),
        target=Location("/no/such/target"),
        conflict=Conflict.NEWER,
        priority=5,
        limit_bytes_s=12345,
        paused=True,
    )
    id = await harness.engine.submit(wanted)
    assert (await harness.engine.job(id)).state is JobState.PAUSED
    assert await harness.engine.request(id) == Request(**{**_fields(wanted), "paused": False})
    with pytest.raises(NoSuchJob):
        await harness.engine.request(id + 1)


def _fields(request: Request) -> dict[str, object]:
    return {name: getattr(request, name) for name in Request.__slots__}


async def test_names_that_are_no_text_travel_unchanged(harness: Harness, source: Path, target: Path) -> None:
    name = b"\xff\x1b[31m\n"
    (source / os.fsdecode(name)).write_text("text")
    os.mkdir(os.fsencode(source) + b"/dir" + name)
    (target / "source").write_text("in the way")
    job = await harness.ends(await harness.copy(source, to=target, conflict=Conflict.FAIL))
    assert job.state is JobState.FAILED  # a folder never takes the place of a file by itself
    (target / "source").unlink()
    await harness.engine.retry([job.id])
    await harness.done(job.id)
    assert sorted(os.listdir(os.fsencode(target / "source"))) == sorted([name, b"dir" + name])


async def test_a_count_that_is_slower_than_the_copy_is_not_waited_for(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(scan: Scan) -> Totals:
        time.sleep(0.1)
        return Totals(files=1)

    monkeypatch.setattr("tui.engine.totals.Scan.step", slow)
    write(source / "a", "text")
    job = await harness.done(await harness.copy(source, to=target))
    progress = job.progress
    assert (progress.files_done, progress.files_total, progress.files_same) == (1, 1, 0)
    assert not progress.counting


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("pause", [False, True])
async def test_a_read_only_folder_is_writable_until_its_large_files_are_there(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, pause: bool
) -> None:
    there, modes, loop = target / "source" / "folder", list[int](), asyncio.get_running_loop()
    opened = SliceCopy.open

    def look_and_open(copy: SliceCopy) -> int:
        modes.append(stat.S_IMODE(there.stat().st_mode))
        if pause and len(modes) == 1:
            asyncio.run_coroutine_threadsafe(harness.engine.pause([id]), loop).result()
        return opened(copy)

    for folder, mode in ((source / "folder", 0o500), (there, 0o555)):
        folder.mkdir(parents=True)
        os.chown(folder, 1234, -1)
        folder.chmod(mode)
    for name in ("big", "bigger"):
        (source / "folder" / name).write_bytes(b"x" * 5000)
    monkeypatch.setattr("tui.engine.run.LARGE_BYTES", 1000)
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    monkeypatch.setattr(SliceCopy, "open", look_and_open)
    id = await harness.copy(source, to=target)
    if pause:
        assert (await harness.ends(id)).state is JobState.PAUSED
        await until(lambda: stat.S_IMODE(there.stat().st_mode) == 0o555)
        await harness.engine.resume([id])
    await harness.done(id)
    assert set(modes) == {0o755}
    assert stat.S_IMODE(there.stat().st_mode) == 0o500
    assert names(there) == ["big", "bigger"]


@pytest.mark.parametrize("asked", [False, True])
async def test_a_large_file_whose_name_is_taken_meanwhile_and_that_is_skipped_leaves_nothing_half(
    harness: Harness, source: Path, target: Path, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "film").write_bytes(b"x" * (LARGE_BYTES + 1))
    finish = SliceCopy.finish

    def finish_late(copy: SliceCopy, notes: LossNotes) -> list[Loss]:
        write(target / "film", "somebody else's")
        return finish(copy, notes)

    monkeypatch.setattr(SliceCopy, "finish", finish_late)
    rule = Conflict.ASK if asked else Conflict.SKIP
    id = await harness.copy(source / "film", to=target, conflict=rule)
    if asked:
        await harness.until(id, lambda job: job.state is JobState.WAITING)
        (question,) = await harness.engine.questions(id)
        assert len(partials(target)) == 1  # until it is known that nobody wants it
        await harness.engine.answer(question.id, Conflict.SKIP)
    assert (await harness.done(id)).progress.files_skipped == 1
    assert (target / "film").read_text() == "somebody else's"
    assert partials(target) == []
