"""Names that do not fit the target: asked about before anything is written, changed the same way every time."""

from __future__ import annotations

import asyncio
import errno
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, as_very_many, names, running

from tests.mounts import in_user_space
from tests.trees import partials
from tui.engine import naming, outcome
from tui.engine.sources import PAGE
from tui.model.error import NotPossible
from tui.model.exclusion import Exclusion
from tui.model.job import Conflict, JobState, Staging
from tui.model.misfit import Misfits, Names, Unfit
from tui.places.local.forecast import Forecast
from tui.places.local.name_rules import ORDINARY, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tui.engine.run import Run
    from tui.model.misfit import Misfit
    from tui.places.local.name_rules import NameRules

MIB = 1 << 20
NTFS = ["mkfs.ntfs", "-qF"]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every target keeps to the rules of Windows, as far as names go."""
    obey(monkeypatch, WINDOWS)


def obey(monkeypatch: pytest.MonkeyPatch, rules: NameRules) -> None:
    monkeypatch.setattr(naming, "rules_for", lambda fd, tag: rules)
    monkeypatch.setattr(naming, "one_for_all", lambda fd: None)


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


def write(folder: Path, *files: str) -> None:
    """Make files that hold their own names."""
    for name in files:
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(name)
        os.utime(path, (1_700_000_000, 1_700_000_000))


def tree(folder: Path) -> dict[str, str]:
    """Return what is in all files below a folder, by path."""
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


WRITTEN = ("a:b", "end.", "sub?/deep/nul", "sub?/Readme", "sub?/README", "good")
LOOKALIKES = {
    "a：b": "a:b",
    "end．": "end.",
    "sub？/deep/nul_": "sub?/deep/nul",
    "sub？/README": "sub?/README",
    "sub？/Readme (1)": "sub?/Readme",
    "good": "good",
}


async def test_a_job_waits_before_it_writes_and_names_what_does_not_fit(
    harness: Harness, source: Path, target: Path, narrow: None
) -> None:
    write(source, *WRITTEN)
    job = await harness.ends(await harness.copy(source, to=target, names=Names.ASK))
    assert (job.state, job.wants_names, job.wants_room) == (JobState.WAITING, True, False)
    assert job.note == "the target's filesystem does not take 4 names and 1 name beside another"
    assert names(target) == []
    misfits = await harness.engine.misfits(job.id)
    told = {str(m.source).removeprefix(f"{source}/"): (m.unfit, m.becomes) for m in misfits.first}
    assert told == {
        "a:b": (Unfit.NAME, "a：b"),
        "end.": (Unfit.NAME, "end．"),
        "sub?": (Unfit.NAME, "sub？"),
        "sub?/deep/nul": (Unfit.NAME, "nul_"),
        "sub?/Readme": (Unfit.CLASH, "Readme (1)"),
    }


@pytest.mark.parametrize("staging", Staging)
async def test_the_answer_lets_it_go_on_and_a_second_copy_finds_nothing_to_do(
    harness: Harness, source: Path, target: Path, narrow: None, staging: Staging
) -> None:
    write(source, *WRITTEN)
    job = await harness.ends(await harness.copy(source, to=target, names=Names.ASK, staging=staging))
    await harness.engine.set_names([job.id], Names.LOOKALIKE)
    job = await harness.done(job.id)
    assert (job.names, job.misfits) == (Names.LOOKALIKE, 0)
    assert await harness.engine.misfits(job.id) == Misfits()
    assert tree(target / "source") == LOOKALIKES
    again = await harness.done(await harness.copy(source, to=target, names=Names.LOOKALIKE))
    assert again.progress.files_same == len(WRITTEN)
    assert tree(target / "source") == LOOKALIKES


async def test_underscores_collide_and_stay_apart(
    harness: Harness, source: Path, target: Path, narrow: None
) -> None:
    write(source, "a:b", "a*b", "a_b")
    for _ in range(2):
        await harness.done(await harness.copy(source, to=target, names=Names.UNDERSCORE))
        assert tree(target / "source") == {"a_b": "a_b", "a_b (1)": "a*b", "a_b (2)": "a:b"}


async def test_what_does_not_fit_can_be_left_out(
    harness: Harness, source: Path, target: Path, narrow: None
) -> None:
    write(source, *WRITTEN)
    job = await harness.done(await harness.copy(source, to=target, names=Names.SKIP))
    assert tree(target / "source") == {"good": "good"}
    assert job.progress.files_skipped == 3


@pytest.mark.parametrize("way", [Names.LOOKALIKE, Names.SKIP])
async def test_what_is_not_copied_takes_no_name_from_anything(
    harness: Harness, source: Path, target: Path, narrow: None, way: Names
) -> None:
    write(source, "README", "Readme", "sub/README/file", "sub/Readme")
    exclude = Exclusion(("README",))
    await harness.done(await harness.copy(source, to=target, names=way, exclude=exclude))
    assert tree(target / "source") == {"Readme": "Readme", "sub/Readme": "sub/Readme"}


async def test_a_job_whose_names_all_fit_does_not_wait(
    harness: Harness, source: Path, target: Path, narrow: None
) -> None:
    write(source, "fine", "sub/fine too")
    await harness.done(await harness.copy(source, to=target, names=Names.ASK))


async def test_an_ordinary_target_is_not_looked_ahead_for(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "Forecast", None)
    write(source, *WRITTEN)
    await harness.done(await harness.copy(source, to=target, names=Names.ASK))
    assert set(tree(target / "source")) == set(WRITTEN)


async def test_a_job_goes_on_with_the_rules_it_began_with(
    source: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    obey(monkeypatch, replace(ORDINARY, characters=True))
    write(source, *WRITTEN)
    async with running(tmp_path / "journal") as harness:
        id = await harness.copy(source, to=target, names=Names.ASK)
        await harness.ends(id)
    obey(monkeypatch, WINDOWS)
    async with running(tmp_path / "journal") as harness:
        job = await harness.until(id, lambda job: job.wants_names)
        assert job.misfits == 2
        await harness.engine.set_names([id], Names.LOOKALIKE)
        await harness.done(id)
    assert {"end.", "sub？/README", "sub？/Readme"} < set(tree(target / "source"))


async def test_once_begun_a_job_keeps_its_names(
    harness: Harness, source: Path, target: Path, narrow: None
) -> None:
    write(source, "a:b")
    write(target / "source", "a：b")
    (target / "source" / "a：b").write_text("something else")
    job = await harness.ends(await harness.copy(source, to=target, names=Names.LOOKALIKE))
    assert (job.state, job.progress.questions) == (JobState.WAITING, 1)
    with pytest.raises(NotPossible, match="it has begun"):
        await harness.engine.set_names([job.id], Names.UNDERSCORE)
    (question,) = await harness.engine.questions(job.id)
    assert question.target.name == "a：b"
    await harness.engine.answer(question.id, Conflict.OVERWRITE)
    await harness.done(job.id)
    assert tree(target / "source") == {"a：b": "a:b"}


async def test_what_has_begun_asks_for_no_names_any_more(
    harness: Harness, source: Path, target: Path, narrow: None
) -> None:
    write(source, "x", "y")
    id = await harness.copy(source, to=target, names=Names.ASK, limit_bytes_s=1)
    await harness.until(id, lambda job: job.progress.files_done > 0)
    await harness.engine.pause([id])
    await harness.until(id, lambda job: job.state is JobState.PAUSED)
    write(source, "a:b")
    await harness.engine.limit(None, [id])
    await harness.engine.resume([id])
    await harness.until(id, lambda job: job.state.is_final or job.state is JobState.WAITING)
    assert (await harness.engine.job(id)).state is JobState.DONE


async def test_what_could_not_begin_asks_when_it_does(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(fd: int, tag: str) -> NameRules:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(naming, "rules_for", fail)
    write(source, "a:b")
    (target / "new").touch()
    id = await harness.copy(source, to=target / "new", names=Names.ASK)
    assert (await harness.ends(id)).state is JobState.FAILED
    (target / "new").unlink()
    obey(monkeypatch, WINDOWS)
    await harness.engine.retry([id])
    job = await harness.until(id, lambda job: job.state in (JobState.WAITING, JobState.DONE))
    assert (job.wants_names, names(target)) == (True, [])


async def test_an_answer_given_while_names_are_looked_at_is_kept_to(
    harness: Harness, source: Path, target: Path, narrow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, step = asyncio.get_running_loop(), Forecast.step

    def answered(forecast: Forecast) -> list[Misfit]:
        (record,) = harness.engine._board.records()
        answer = harness.engine.set_names([record.id], Names.UNDERSCORE)
        asyncio.run_coroutine_threadsafe(answer, loop).result()
        return step(forecast)

    monkeypatch.setattr(Forecast, "step", answered)
    write(source, "a:b")
    job = await harness.done(await harness.copy(source, to=target, names=Names.ASK))
    assert (job.misfits, tree(target / "source")) == (0, {"a_b": "a:b"})


async def test_no_answer_is_taken_that_comes_too_late(
    harness: Harness, source: Path, target: Path, narrow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []

    async def late(run: Run) -> None:
        try:
            await harness.engine.set_names([run.record.id], Names.UNDERSCORE)
        except NotPossible as error:
            refused.append(error.message)

    monkeypatch.setattr(outcome, "_work_and_count", late)
    write(source, "fine")
    await harness.done(await harness.copy(source, to=target, names=Names.ASK))
    (message,) = refused
    assert "it has begun" in message


async def test_what_comes_from_the_target_s_own_disk_fits_after_a_restart_too(
    source: Path, target: Path, tmp_path: Path, narrow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source, "a:b")
    async with running(tmp_path / "journal") as harness:
        id = await harness.copy(source, to=target, names=Names.ASK)
        assert (await harness.ends(id)).wants_names
    monkeypatch.setattr(naming, "one_for_all", lambda fd: os.fstat(fd).st_dev)
    async with running(tmp_path / "journal") as harness:
        await harness.until(id, lambda job: job.state is JobState.DONE)


async def test_sources_for_an_ordinary_target_are_not_gone_through_for_their_names(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "pages", None)
    write(source, "a:b")
    await harness.done(await harness.copy(source / "a:b", to=target, names=Names.ASK))
    assert names(target) == ["a:b"]


async def test_what_failed_is_retried_under_the_name_it_was_given(
    harness: Harness, source: Path, target: Path, narrow: None
) -> None:
    write(source, "sub?/a:b", "sub?/A:B", "sub?/good")
    (target / "source" / "sub？" / "a：b (1)").mkdir(parents=True)
    id = await harness.copy(source, to=target, names=Names.LOOKALIKE, conflict=Conflict.OVERWRITE)
    job = await harness.ends(id)
    (error,) = await harness.engine.errors(id)
    assert (job.state, "a：b (1)" in error.message) == (JobState.FAILED, True)
    (target / "source" / "sub？" / "a：b (1)").rmdir()
    await harness.engine.retry([id])
    await harness.until(id, lambda job: job.state is JobState.DONE)
    assert tree(target / "source") == {
        "sub？/A：B": "sub?/A:B",
        "sub？/a：b (1)": "sub?/a:b",
        "sub？/good": "sub?/good",
    }


async def test_sources_of_different_folders_are_kept_apart(
    harness: Harness, tmp_path: Path, target: Path, narrow: None
) -> None:
    write(tmp_path, "one/Same", "two/same")
    both = (tmp_path / "one" / "Same", tmp_path / "two" / "same")
    job = await harness.ends(await harness.copy(*both, to=target, conflict=Conflict.OVERWRITE))
    (error,) = await harness.engine.errors(job.id)
    assert (job.state, error.code) == (JobState.FAILED, "CollisionRefused")
    assert tree(target) == {"Same": "one/Same"}
    for _ in range(2):
        await harness.done(await harness.copy(*both, to=target, names=Names.LOOKALIKE))
        assert tree(target) == {"Same": "one/Same", "same (1)": "two/same"}


async def test_a_retry_knows_the_names_other_sources_took(
    harness: Harness, tmp_path: Path, target: Path, narrow: None
) -> None:
    write(tmp_path, "one/Same", "two/same")
    both = (tmp_path / "one" / "Same", tmp_path / "two" / "same")
    id = await harness.move(*both, to=target, conflict=Conflict.OVERWRITE)
    await harness.ends(id)
    harness.ended.clear()
    await harness.engine.retry([id])
    await harness.until(id, lambda job: bool(harness.ended))
    (error,) = await harness.engine.errors(id)
    assert (error.code, tree(target)) == ("CollisionRefused", {"Same": "one/Same"})
    assert both[1].read_text() == "two/same"


async def test_a_source_that_comes_late_gets_the_name_it_would_have_got_before(
    harness: Harness, tmp_path: Path, target: Path, narrow: None
) -> None:
    write(tmp_path, "two/a:b", "three/a?b")
    sources = [tmp_path / "one" / "a*b", tmp_path / "two" / "a:b", tmp_path / "three" / "a?b"]
    id = await harness.copy(*sources, to=target, names=Names.UNDERSCORE, conflict=Conflict.OVERWRITE)
    assert (await harness.ends(id)).state is JobState.FAILED
    write(tmp_path, "one/a*b")
    await harness.engine.retry([id])
    await harness.until(id, lambda job: job.state is JobState.DONE)
    assert tree(target) == {"a_b": "one/a*b", "a_b (1)": "two/a:b", "a_b (2)": "three/a?b"}


@pytest.mark.parametrize("conflict", [Conflict.OVERWRITE, Conflict.FAIL, Conflict.ASK])
async def test_sources_whose_changed_names_are_one_are_kept_apart(
    harness: Harness, source: Path, target: Path, narrow: None, conflict: Conflict
) -> None:
    write(source, "a:b", "a?b", "d:e/1", "d?e/2")
    every = [source / name for name in ("a:b", "a?b", "d:e", "d?e")]
    for _ in range(2):
        await harness.done(await harness.copy(*every, to=target, names=Names.UNDERSCORE, conflict=conflict))
        assert tree(target) == {"a_b": "a:b", "a_b (1)": "a?b", "d_e/1": "d:e/1", "d_e (1)/2": "d?e/2"}


@pytest.mark.parametrize("conflict", Conflict)
async def test_folders_whose_names_are_one_there_are_not_merged(
    harness: Harness, tmp_path: Path, target: Path, narrow: None, conflict: Conflict
) -> None:
    write(tmp_path, "one/Photos/1", "two/photos/2")
    both = (tmp_path / "one" / "Photos", tmp_path / "two" / "photos")
    job = await harness.ends(await harness.copy(*both, to=target, conflict=conflict))
    assert (job.state, tree(target)) == (JobState.FAILED, {"Photos/1": "one/Photos/1"})
    assert [error.code for error in await harness.engine.errors(job.id)] == ["CollisionRefused"]


async def test_a_source_does_not_take_the_name_of_one_that_failed_before_it(
    harness: Harness, tmp_path: Path, target: Path, narrow: None
) -> None:
    write(tmp_path, "two/same")
    both = (tmp_path / "one" / "Same", tmp_path / "two" / "same")
    job = await harness.ends(await harness.copy(*both, to=target, conflict=Conflict.ASK))
    assert (job.state, tree(target)) == (JobState.FAILED, {})


async def test_the_name_a_target_was_given_is_fitted_too(
    harness: Harness, source: Path, target: Path, narrow: None
) -> None:
    write(source, "x")
    await harness.done(await harness.copy(source, to=target / "a:b", into=False, names=Names.LOOKALIKE))
    assert tree(target) == {"a：b/x": "x"}


async def test_a_cancelled_tree_that_is_dropped_goes_under_its_new_name(
    harness: Harness, source: Path, target: Path, narrow: None
) -> None:
    write(source.with_name("so:urce"), "x", "y:")
    id = await harness.copy(source.with_name("so:urce"), to=target, names=Names.LOOKALIKE, limit_bytes_s=1)
    await harness.until(id, lambda job: job.progress.files_done > 0)
    await harness.engine.cancel([id], keep=False)
    await harness.until(id, lambda job: job.state is JobState.CANCELLED)
    await harness.engine._keeper.settled(harness.engine._board.records(), 5)
    assert names(target) == []


async def test_what_has_other_names_there_is_not_verified_again_by_its_own(
    harness: Harness, source: Path, target: Path, narrow: None
) -> None:
    write(source, "a:b")
    id = await harness.copy(source, to=target, names=Names.LOOKALIKE)
    await harness.done(id)
    with pytest.raises(NotPossible, match="names may have been changed"):
        await harness.engine.verify(id)


NEIGHBOURS = ("a:b", "a?b", "a_b", "a_b (1)", "a/b", "sub:/1", "sub?/2", "sub_")


@pytest.mark.parametrize("changed", ["a:b", "a?b", "a_b", "sub:/1", "sub?/2"])
async def test_what_is_written_to_while_it_is_moved_gets_no_name_that_another_had(
    harness: Harness, source: Path, target: Path, narrow: None, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    write(source, *NEIGHBOURS)
    monkeypatch.setattr("tui.engine.moving.move_into_place", lambda *_, **__: False)
    with monkeypatch.context() as patched:
        late = source / changed
        patched.setattr("tui.places.local.syscalls.sync_filesystem", lambda _: late.write_text("later"))
        id = await harness.move(source, to=target, names=Names.UNDERSCORE, conflict=Conflict.OVERWRITE)
        assert (await harness.ends(id)).state is JobState.FAILED
    await harness.engine.retry([id])
    await harness.until(id, lambda job: job.state is JobState.DONE)
    moved = sorted(tree(target).values())
    assert moved == sorted("later" if name == changed else name for name in NEIGHBOURS)
    assert "source" not in names(source.parent)


async def test_a_move_leaves_what_stands_in_the_way_of_what_it_left_out(
    harness: Harness, source: Path, target: Path, narrow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source, "Same", "same", "good")
    monkeypatch.setattr("tui.engine.moving.move_into_place", lambda *_, **__: False)
    await harness.ends(await harness.move(source, to=target, names=Names.SKIP, conflict=Conflict.OVERWRITE))
    assert (set(tree(source)), set(tree(target))) == ({"Same", "same"}, {"source/Same", "source/good"})


async def test_of_very_many_sources_not_all_are_read_at_once(
    harness: Harness, source: Path, target: Path, narrow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = [*(f"{number:04}" for number in range(PAGE)), "a:b", "a?b", "A?B"]
    write(source, *every)
    wanted = as_very_many(monkeypatch)
    job = await harness.ends(
        await harness.copy(*(source / name for name in every), to=target, names=Names.ASK)
    )
    assert (job.wants_names, job.misfits) == (True, 3)
    await harness.engine.set_names([job.id], Names.UNDERSCORE)
    await harness.done(job.id)
    assert len(names(target)) == len(every)
    assert {"A_B": "A?B", "a_b (1)": "a:b", "a_b (2)": "a?b"}.items() <= tree(target).items()
    assert len(every) not in wanted


# On real filesystems


async def test_a_driver_that_refuses_names_takes_the_new_ones(
    harness: Harness, source: Path, windows: Path
) -> None:
    write(source, *WRITTEN)
    job = await harness.ends(await harness.copy(source, to=windows, names=Names.ASK))
    assert (job.misfits, names(windows)) == (4, [])
    await harness.engine.set_names([job.id], Names.LOOKALIKE)
    await harness.done(job.id)
    expected = {path.replace("Readme (1)", "Readme"): text for path, text in LOOKALIKES.items()}
    assert tree(windows / "source") == expected
    again = await harness.done(await harness.copy(source, to=windows, names=Names.LOOKALIKE))
    assert again.progress.files_same == len(WRITTEN)
    assert partials(windows) == []


@pytest.mark.parametrize("staging", Staging)
async def test_a_driver_that_folds_names_keeps_all_of_them(
    harness: Harness, source: Path, folding: Path, staging: Staging
) -> None:
    write(source, "Readme", "README", "readme", "Docs/a", "DOCS/a", "DOCS/A")
    for run in range(2):
        id = await harness.copy(source, to=folding, names=Names.LOOKALIKE, staging=staging)
        job = await harness.done(id)
        assert job.progress.files_same == 6 * run
        assert sorted(tree(folding / "source").values()) == sorted(tree(source).values())
    assert partials(folding) == []


async def test_a_driver_that_folds_names_makes_a_job_wait(
    harness: Harness, source: Path, folding: Path
) -> None:
    write(source, "Readme", "README")
    job = await harness.ends(await harness.copy(source, to=folding, names=Names.ASK))
    assert (job.wants_names, job.misfits, names(folding)) == (True, 1, [])
    await harness.engine.set_names([job.id], Names.KEEP)
    job = await harness.ends(job.id)
    assert (job.state, job.progress.questions) == (JobState.WAITING, 1)


async def test_a_driver_that_folds_names_merges_no_sources(
    harness: Harness, tmp_path: Path, folding: Path
) -> None:
    write(tmp_path, "one/Photos/1", "two/photos/2")
    both = (tmp_path / "one" / "Photos", tmp_path / "two" / "photos")
    job = await harness.ends(await harness.copy(*both, to=folding, conflict=Conflict.FAIL))
    assert (job.state, list(tree(folding).values())) == (JobState.FAILED, ["one/Photos/1"])


@pytest.mark.parametrize("changed", ["Readme", "README", "Docs/a", "DOCS/A"])
async def test_a_driver_that_folds_names_loses_nothing_that_was_written_to_while_it_was_moved(
    harness: Harness, source: Path, folding: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    every = ("Readme", "README", "readme", "Docs/a", "DOCS/a", "DOCS/A")
    write(source, *every)
    with monkeypatch.context() as patched:
        late = source / changed
        patched.setattr("tui.places.local.syscalls.sync_filesystem", lambda _: late.write_text("later"))
        id = await harness.move(source, to=folding, names=Names.LOOKALIKE, conflict=Conflict.OVERWRITE)
        assert (await harness.ends(id)).state is JobState.FAILED
    await harness.engine.retry([id])
    await harness.until(id, lambda job: job.state is JobState.DONE)
    assert sorted(tree(folding).values()) == sorted("later" if each == changed else each for each in every)
    assert "source" not in names(source.parent)


async def test_a_driver_that_folds_names_replaces_no_source_at_a_retry(
    harness: Harness, tmp_path: Path, folding: Path
) -> None:
    write(tmp_path, "one/N", "two/n")
    both = (tmp_path / "one" / "N", tmp_path / "two" / "n")
    id = await harness.move(*both, to=folding, conflict=Conflict.OVERWRITE)
    assert (await harness.ends(id)).state is JobState.FAILED
    harness.ended.clear()
    await harness.engine.retry([id])
    await harness.until(id, lambda job: bool(harness.ended))
    assert (list(tree(folding).values()), both[1].read_text()) == (["one/N"], "two/n")


@pytest.mark.parametrize("conflict", [Conflict.ASK, Conflict.RENAME, Conflict.OVERWRITE])
async def test_a_move_takes_all_and_leaves_nothing(
    harness: Harness, source: Path, folding: Path, conflict: Conflict
) -> None:
    write(source, "Readme", "README", "Docs/a", "DOCS/a", "DOCS/A", "fine")
    before = tree(source)
    await harness.done(await harness.move(source, to=folding, names=Names.LOOKALIKE, conflict=conflict))
    assert sorted(tree(folding / "source").values()) == sorted(before.values())
    assert "source" not in names(source.parent)


async def test_a_folder_whose_names_were_changed_is_not_moved_back_by_undoing(
    harness: Harness, source: Path, windows: Path
) -> None:
    write(source, "a:b")
    job = await harness.done(await harness.move(source, to=windows, names=Names.LOOKALIKE))
    assert not job.reversible
    with pytest.raises(NotPossible, match=r"names in .* may have been changed"):
        await harness.engine.undo(job.id)


async def test_a_move_leaves_what_it_left_out(harness: Harness, source: Path, windows: Path) -> None:
    write(source, *WRITTEN)
    await harness.ends(await harness.move(source, to=windows, names=Names.SKIP))
    assert tree(windows / "source") == {"good": "good"}
    assert set(tree(source)) == set(WRITTEN) - {"good"}
