"""Move jobs, on one filesystem and between two."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from engine_harness import NEW, OLD, Harness, at_rest, names, new_engine, running, write

from tests.mounts import image
from tests.trees import describe, differences, make_mixed_tree, partials
from tui.model.job import Conflict, JobState
from tui.places.local import syscalls

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["near", "far"])
def anywhere(request: pytest.FixtureRequest, target: Path) -> Path:
    """The target on the same filesystem, then on another."""
    if request.param == "near":
        return target
    folder: Path = request.getfixturevalue("far")
    return folder


async def test_a_tree_is_moved_whole(harness: Harness, tmp_path: Path, anywhere: Path) -> None:
    make_mixed_tree(tmp_path / "tree", seed=7, files=100, large_bytes=20 << 20)
    before = describe(tmp_path / "tree")
    job = await harness.done(await harness.move(tmp_path / "tree", to=anywhere))
    assert differences(before, describe(anywhere / "tree")) == []
    assert not (tmp_path / "tree").exists()
    assert partials(anywhere) == []
    assert job.progress.files_done == job.progress.files_total > 0


async def test_a_folder_that_cannot_be_read_is_one_error_and_moves_when_it_can_be(
    harness: Harness, source: Path, far: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "inner" / "b", "text")
    write(source / "a", "text")
    closed = os.stat(source / "inner").st_ino
    opened, beneath = os.open, syscalls.open_beneath

    def refuse(fd: int) -> int:
        if os.fstat(fd).st_ino != closed:
            return fd
        os.close(fd)
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", lambda *given, **named: refuse(opened(*given, **named)))
        patch.setattr(syscalls, "open_beneath", lambda *given: refuse(beneath(*given)))
        job = await harness.ends(await harness.move(source, to=far))
    assert job.progress.errors == 1
    assert names(far / "source") == ["a", "inner"]
    assert names(source) == ["inner"]
    await harness.engine.retry([job.id])
    await harness.done(job.id)
    assert (far / "source" / "inner" / "b").read_text() == "text"
    assert source.name not in names(source.parent)


async def test_files_are_moved_into_a_folder(harness: Harness, source: Path, anywhere: Path) -> None:
    files = [write(source / f"file {number}", str(number)) for number in range(300)]
    job = await harness.done(await harness.move(*files, to=anywhere))
    assert job.progress.files_done == job.progress.files_total == 300
    assert names(source) == []
    assert {name: (anywhere / name).read_text() for name in names(anywhere)} == {
        f"file {n}": str(n) for n in range(300)
    }


async def test_a_file_is_moved_to_a_name(harness: Harness, source: Path, anywhere: Path) -> None:
    await harness.done(await harness.move(write(source / "a", "text"), to=anywhere / "b", into=False))
    assert (anywhere / "b").read_text() == "text"
    assert names(source) == []


async def test_a_folder_is_merged_into_the_one_that_is_there(
    harness: Harness, source: Path, anywhere: Path
) -> None:
    write(source / "inner" / "new", "text")
    write(anywhere / "source" / "inner" / "mine", "stays")
    await harness.done(await harness.move(source, to=anywhere))
    assert "source" not in names(source.parent)
    inner = anywhere / "source" / "inner"
    assert {name: (inner / name).read_text() for name in names(inner)} == {"new": "text", "mine": "stays"}


@pytest.mark.parametrize(
    ("rule", "result", "extra", "left"),
    [
        (Conflict.SKIP, "there", None, ["a.txt"]),
        (Conflict.OVERWRITE, "here", None, []),
        (Conflict.NEWER, "here", None, []),
        (Conflict.RENAME, "there", "here", []),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
async def test_a_conflict_is_settled_by_the_rule(
    harness: Harness, source: Path, anywhere: Path, rule: Conflict, result: str, extra: str | None,
    left: list[str], inside: bool,
) -> None:  # fmt: skip
    """Inside a folder that is merged, and for a source itself."""
    write(source / "a.txt", "here", NEW)
    write((anywhere / "source" if inside else anywhere) / "a.txt", "there", OLD)
    id = await harness.move(source if inside else source / "a.txt", to=anywhere, conflict=rule)
    await harness.done(id)
    folder = anywhere / "source" if inside else anywhere
    assert (folder / "a.txt").read_text() == result
    assert ((folder / "a (1).txt").read_text() if extra else None) == extra
    assert (names(source) if "source" in names(source.parent) else []) == left


async def test_a_question_keeps_the_source_until_it_is_answered(
    harness: Harness, source: Path, anywhere: Path
) -> None:
    write(source / "taken", "here")
    write(source / "free", "text")
    write(anywhere / "source" / "taken", "there!")
    id = await harness.move(source, to=anywhere)
    assert (await harness.ends(id)).state is JobState.WAITING
    assert names(source) == ["free", "taken"]
    (question,) = await harness.engine.questions(id)
    await harness.engine.answer(question.id, Conflict.RENAME)
    await harness.done(id)
    assert "source" not in names(source.parent)
    folder = anywhere / "source"
    found = {name: (folder / name).read_text() for name in names(folder)}
    assert found == {"free": "text", "taken": "there!", "taken (1)": "here"}


async def test_a_refused_conflict_keeps_that_source_and_moves_the_others(
    harness: Harness, source: Path, anywhere: Path
) -> None:
    one, two = write(source / "one", "here"), write(source / "two", "text")
    write(anywhere / "one", "there!")
    id = await harness.move(one, two, to=anywhere, conflict=Conflict.FAIL)
    assert (await harness.ends(id)).state is JobState.FAILED
    assert names(source) == ["one"]
    (anywhere / "one").unlink()
    await harness.engine.retry([id])
    await harness.done(id)
    assert names(source) == []
    assert (anywhere / "one").read_text() == "here"


async def test_what_looks_the_same_but_is_not_is_never_lost(
    harness: Harness, source: Path, anywhere: Path
) -> None:
    write(source / "a", "here!")
    write(anywhere / "a", "there")
    id = await harness.move(source / "a", to=anywhere, conflict=Conflict.FAIL)
    assert (await harness.ends(id)).state is JobState.FAILED
    assert (source / "a").read_text() == "here!"
    assert (anywhere / "a").read_text() == "there"


async def test_a_move_onto_itself_and_into_itself_is_refused(harness: Harness, source: Path) -> None:
    file = write(source / "a", "text")
    job = await harness.ends(await harness.move(file, source, to=source))
    assert sorted(error.code for error in await harness.engine.errors(job.id)) == [
        "SameFile",
        "TargetInsideSource",
    ]
    assert file.read_text() == "text"


async def test_a_source_gone_before_the_move_is_an_error(
    harness: Harness, source: Path, anywhere: Path
) -> None:
    job = await harness.ends(await harness.move(source / "missing", to=anywhere))
    assert [error.code for error in await harness.engine.errors(job.id)] == ["NotFound"]


async def test_a_crashed_move_loses_nothing_and_counts_what_is_done(
    tmp_path: Path, source: Path, target: Path
) -> None:
    """The journal says that the source was being renamed, or removed: that it has gone is no error then."""
    write(source / "renamed", "1")
    write(source / "removed", "2")
    journal = tmp_path / "journal"
    first = new_engine(journal)
    await first.start_up()
    harness = Harness(first, journal)
    id = await harness.move(source / "renamed", source / "removed", to=target, paused=True)
    await first._journal.set_phase(id, [0], "renaming")  # type: ignore[arg-type]
    await first._journal.set_phase(id, [1], "removing")  # type: ignore[arg-type]
    await first.shut_down()
    (source / "renamed").rename(target / "renamed")
    (source / "removed").rename(target / "removed")
    async with running(journal) as second:
        await second.engine.resume([id])
        await second.done(id)
    assert names(target) == ["removed", "renamed"]


async def test_what_a_move_could_not_copy_is_told_after_a_crash_while_it_removed_the_rest(
    tmp_path: Path, source: Path, target: Path
) -> None:
    write(source / "tree" / "moved", "1")
    write(source / "tree" / "name" / "inner", "2")
    write(target / "tree" / "moved", "1")
    write(target / "tree" / "name", "a file where a folder should go")
    stamp = (source / "tree" / "moved").stat()
    os.utime(target / "tree" / "moved", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    journal = tmp_path / "journal"
    async with running(journal) as first:
        job = await first.ends(await first.move(source / "tree", to=target, conflict=Conflict.OVERWRITE))
        told = [error.message for error in await first.engine.errors(job.id)]
        assert job.state is JobState.FAILED
        assert len(told) == 1
        await first.engine._journal.set_phase(job.id, [0], "removing")  # type: ignore[arg-type]
        await first.engine._journal.update(job.id, {"state": "queued"})
    async with running(journal) as second:
        job = await second.ends(job.id)
        assert job.state is JobState.FAILED
        assert [error.message for error in await second.engine.errors(job.id)] == told
    assert names(source / "tree") == ["name"]


async def test_files_of_a_time_that_the_target_does_not_know_are_moved_and_found_again(
    harness: Harness, source: Path, tmp_path: Path
) -> None:
    write(source / "tree" / "file", "from 2100", 4_102_444_800 * 10**9 + 5)
    with image(tmp_path / "disk", ["mkfs.ext4", "-q", "-I", "128"], 64 << 20) as disk:
        target = disk / "target"
        target.mkdir()
        await harness.done(await harness.copy(source / "tree", to=target))
        again = await harness.done(await harness.copy(source / "tree", to=target, conflict=Conflict.FAIL))
        assert again.progress.files_same == 1
        await harness.done(await harness.move(source / "tree", to=target / "moved", into=False))
        assert (target / "moved" / "file").read_text() == "from 2100"
    assert names(source) == []


async def test_a_cancelled_move_keeps_every_file_somewhere(harness: Harness, source: Path, far: Path) -> None:
    for number in range(60):
        (source / f"file {number}").write_bytes(os.urandom(100_000))
    before = {name: (source / name).read_bytes() for name in names(source)}
    id = await harness.move(source, to=far, limit_bytes_s=4 << 20)
    await harness.until(id, lambda job: job.progress.bytes_done >= 1 << 20)
    await harness.engine.cancel([id], keep=False)
    await at_rest(harness.engine)
    assert {name: (source / name).read_bytes() for name in names(source)} == before
    assert names(far) == []
