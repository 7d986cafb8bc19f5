"""Targets that take two names for one, or refuse some: nothing is merged, replaced or lost without a word."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, names

from tests.mounts import image, in_user_space, tmpfs
from tests.trees import partials
from tui.model.job import Conflict, JobState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20
NTFS = ["mkfs.ntfs", "-qF"]


@pytest.fixture
def folding(tmp_path: Path) -> Iterator[Path]:
    """A filesystem that does not tell upper from lower case."""
    with in_user_space(tmp_path / "folding", NTFS, 64 * MIB, ["lowntfs-3g", "-o", "ignore_case"]) as folder:
        yield folder


@pytest.fixture
def windows(tmp_path: Path) -> Iterator[Path]:
    """A filesystem that takes names as Windows does."""
    with in_user_space(tmp_path / "windows", NTFS, 64 * MIB, ["lowntfs-3g", "-o", "windows_names"]) as folder:
        yield folder


def write(folder: Path, **files: str) -> None:
    """Make files, of one time each filesystem can keep."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
        os.utime(folder / name, (1_700_000_000, 1_700_000_000))


def texts(folder: Path) -> list[str]:
    return sorted(path.read_text() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("text", ["different", "same"])
@pytest.mark.parametrize("rule", [Conflict.OVERWRITE, Conflict.NEWER, Conflict.SKIP, Conflict.FAIL])
async def test_of_two_files_with_one_name_there_one_is_copied_and_the_other_is_an_error(
    harness: Harness, source: Path, folding: Path, rule: Conflict, text: str
) -> None:
    write(source, Readme="same", README=text, other="more")
    for _ in range(2):
        job = await harness.ends(await harness.copy(source, to=folding, conflict=rule))
        assert job.state is JobState.FAILED
        (error,) = await harness.engine.errors(job.id)
        assert error.code == "CollisionRefused"
        assert "it would be the same there as" in error.message
        assert len(names(folding / "source")) == 2
    assert partials(folding) == []


async def test_the_rule_rename_keeps_both(harness: Harness, source: Path, folding: Path) -> None:
    write(source, Readme="first", README="second")
    write(source / "Docs", a="third")
    write(source / "DOCS", a="fourth")
    for _ in range(2):
        await harness.done(await harness.copy(source, to=folding, conflict=Conflict.RENAME))
        assert texts(folding / "source") == ["first", "fourth", "second", "third"]


async def test_the_rule_rename_keeps_both_of_two_sources(
    harness: Harness, source: Path, folding: Path
) -> None:
    write(source, Readme="first", README="second")
    both = (source / "Readme", source / "README")
    await harness.done(await harness.copy(*both, to=folding, conflict=Conflict.RENAME))
    assert texts(folding) == ["first", "second"]


async def test_a_question_asks_which_name_and_its_answer_keeps_both(
    harness: Harness, source: Path, folding: Path
) -> None:
    write(source, Readme="first", README="second")
    job = await harness.ends(await harness.copy(source, to=folding))
    assert (job.state, job.progress.questions) == (JobState.WAITING, 1)
    (question,) = await harness.engine.questions(job.id)
    await harness.engine.answer(question.id, Conflict.RENAME)
    await harness.done(job.id)
    assert texts(folding / "source") == ["first", "second"]


@pytest.mark.parametrize("at_the_top", [True, False])
async def test_two_folders_are_never_merged(
    harness: Harness, source: Path, folding: Path, at_the_top: bool
) -> None:
    write(source / "Docs", a="first")
    write(source / "DOCS", b="second")
    sources = [source / "Docs", source / "DOCS"] if at_the_top else [source]
    job = await harness.ends(await harness.copy(*sources, to=folding, conflict=Conflict.OVERWRITE))
    assert job.state is JobState.FAILED
    (error,) = await harness.engine.errors(job.id)
    assert error.code == "CollisionRefused"
    assert len(texts(folding)) == 1


@pytest.mark.parametrize("rule", [Conflict.OVERWRITE, Conflict.RENAME])
async def test_a_move_loses_nothing(harness: Harness, source: Path, folding: Path, rule: Conflict) -> None:
    write(source, Readme="first", README="second")
    write(source / "Docs", a="third")
    write(source / "DOCS", a="third")
    id = await harness.move(source, to=folding, conflict=rule)
    await harness.ends(id)
    if rule is Conflict.OVERWRITE:
        await harness.engine.retry([id])
        await harness.until(id, lambda job: job.state is JobState.FAILED)
    kept = texts(folding) + (
        texts(source) if source.parent.joinpath("source") in inside(source.parent) else []
    )
    assert set(kept) == {"first", "second", "third"}
    assert kept.count("third") >= 2


def inside(folder: Path) -> list[Path]:
    return [folder / name for name in names(folder)]


async def test_what_stood_there_before_by_another_spelling_is_a_conflict_like_any_other(
    harness: Harness, source: Path, folding: Path
) -> None:
    write(folding, README="before")
    write(source, Readme="something new")
    job = await harness.ends(await harness.copy(source / "Readme", to=folding))
    assert (job.state, job.progress.questions) == (JobState.WAITING, 1)
    await harness.done(await harness.copy(source / "Readme", to=folding, conflict=Conflict.OVERWRITE))
    assert texts(folding) == ["something new"]


async def test_a_name_the_target_refuses_is_one_error_that_says_why(
    harness: Harness, source: Path, windows: Path
) -> None:
    write(source, **{"a:b": "x", "good": "y", "end.": "z", "nul": "n"})
    (source / "sub?").mkdir()
    job = await harness.ends(await harness.copy(source, to=windows))
    assert job.state is JobState.FAILED
    told = sorted(error.message for error in await harness.engine.errors(job.id))
    there = f"cannot write {windows}/source"
    assert f"{there}/a:b: that filesystem takes no ':' in names" in told
    assert f"{there}/sub?: that filesystem takes no '?' in names" in told
    assert len(told) == 4
    assert texts(windows) == ["y"]
    assert partials(windows) == []


async def test_a_file_too_large_for_the_filesystem_is_refused_before_it_is_written(
    harness: Harness, source: Path, tmp_path: Path
) -> None:
    with (
        tmpfs(tmp_path / "from", "size=4m") as there,
        image(tmp_path / "disk", ["mkfs.ext4", "-q", "-b", "4096"], 64 * MIB) as disk,
    ):
        (there / "sub").mkdir()
        with (there / "sub" / "huge").open("wb") as huge:
            huge.truncate(20 << 40)
        (there / "sub" / "small").write_text("text")
        job = await harness.ends(await harness.copy(there / "sub", to=disk))
        (error,) = await harness.engine.errors(job.id)
        where = f"{disk}/sub/huge"
        assert (
            error.message == f"cannot write {where}: 20.0 TiB is more than a file may have on that filesystem"
        )
        assert names(disk / "sub") == ["small"]
