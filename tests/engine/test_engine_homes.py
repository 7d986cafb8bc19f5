"""Home folders, and what holds them, are never taken away, by whatever path they are named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from engine_harness import Harness, names, running

from tests import mounts
from tests.trees import describe
from tui.model.error import HoldsHome
from tui.model.exclusion import Exclusion
from tui.model.job import Conflict, JobKind, JobState
from tui.model.location import Location
from tui.places.local import homes
from tui.places.local.homes import home_folders
from tui.places.local.place import LocalPlace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

AWAY = pytest.mark.parametrize("kind", [JobKind.DELETE, JobKind.TRASH, JobKind.MOVE])
OR_RENAMED = pytest.mark.parametrize("kind", [JobKind.DELETE, JobKind.TRASH, JobKind.MOVE, JobKind.RENAME])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "top" / "home" / "user"
    for number in range(3):
        (home / f"folder {number}").mkdir(parents=True)
        (home / f"folder {number}" / "file").write_text("dear")
    return home


@pytest.fixture
async def harness(tmp_path: Path, home: Path) -> AsyncIterator[Harness]:
    async with running(tmp_path / "state" / "journal.sqlite3", homes=[Location.local(home)]) as harness:
        yield harness


async def take_away(harness: Harness, kind: JobKind, *sources: Path, target: Path) -> int:
    if kind is JobKind.MOVE:
        return await harness.move(*sources, to=target)
    if kind is JobKind.RENAME:
        news = tuple(Location.local(each.with_name(f"{each.name} new")) for each in sources if each.name)
        return await harness.submit(kind, *sources, targets=news or (Location.local("/new"),))
    return await harness.submit(kind, *sources)


async def messages(harness: Harness, id: int) -> list[str]:
    return [error.message for error in await harness.engine.errors(id)]


@OR_RENAMED
@pytest.mark.parametrize("above", range(3))
async def test_a_home_and_what_holds_it_are_refused_before_anything_is_touched(
    harness: Harness, home: Path, source: Path, target: Path, kind: JobKind, above: int
) -> None:
    (source / "other").write_text("goes first, if at all")
    operand = (home, *home.parents)[above]
    before = describe(home.parent.parent)
    why = f"your home folder {home} is in it" if above else "it is your home folder"
    with pytest.raises(HoldsHome, match=f"^cannot [a-z ]+ {operand}: {why}$") as caught:
        await take_away(harness, kind, source / "other", operand, target=target)
    assert caught.value.remedy
    assert await harness.engine.jobs() == ()
    assert (describe(home.parent.parent), names(source)) == (before, ["other"])


@OR_RENAMED
async def test_a_home_is_known_behind_a_link_in_its_path(
    harness: Harness, home: Path, source: Path, target: Path, kind: JobKind
) -> None:
    (source / "homes").symlink_to(home.parent)
    with pytest.raises(HoldsHome):
        await take_away(harness, kind, source / "homes" / "user", target=target)


@pytest.mark.parametrize("kind", [JobKind.DELETE, JobKind.MOVE])
async def test_a_link_to_a_home_is_just_a_link(
    harness: Harness, home: Path, source: Path, target: Path, kind: JobKind
) -> None:
    before = describe(home)
    (source / "link").symlink_to(home)
    await harness.done(await take_away(harness, kind, source / "link", target=target))
    assert (names(source), describe(home)) == ([], before)


async def test_other_names_are_changed_beside_that_of_a_home(
    harness: Harness, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.engine.sparing.spare_homes", lambda *_: None)
    (home.parent / "other").mkdir()
    (home.parent / "link").symlink_to(home)
    sources = [home, home.parent / "other", home.parent / "link"]
    job = await harness.ends(await take_away(harness, JobKind.RENAME, *sources, target=home))
    assert job.state is JobState.FAILED
    assert await messages(harness, job.id) == [f"cannot rename {home}: it is your home folder"]
    assert names(home.parent) == ["link new", "other new", "user"]


async def test_a_home_keeps_its_name_in_a_pane(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    place = LocalPlace()
    with pytest.raises(HoldsHome, match="it is your home folder"):
        await place.rename(Location.local(home), Location.local(home.with_name("new")))
    with pytest.raises(HoldsHome, match=f"your home folder {home} is in it"):
        await place.rename(Location.local(home.parent), Location.local(home.parent.with_name("new")))
    inner = home / "folder 0"
    await place.rename(Location.local(inner), Location.local(home / "new"))
    place.close()
    assert names(home) == ["folder 1", "folder 2", "new"]


async def test_what_is_in_a_home_or_beside_it_may_go(harness: Harness, home: Path) -> None:
    (home.parent / "users").mkdir()
    sources = [home / "folder 0", home.parent / "users"]
    await harness.done(await harness.submit(JobKind.DELETE, *sources))
    assert (names(home), names(home.parent)) == (["folder 1", "folder 2"], ["user"])


async def test_copying_a_home_is_no_matter(harness: Harness, home: Path, target: Path) -> None:
    await harness.done(await harness.copy(home, to=target))
    assert describe(target / "user") == describe(home)


@OR_RENAMED
async def test_a_job_that_was_queued_already_does_not_touch_it_either(
    harness: Harness, home: Path, target: Path, kind: JobKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.engine.sparing.spare_homes", lambda *_: None)
    before = describe(home)
    job = await harness.ends(await take_away(harness, kind, home, target=target))
    assert job.state is JobState.FAILED
    (told,) = await messages(harness, job.id)
    assert told.endswith(f"{home}: it is your home folder")
    assert (describe(home), names(target)) == (before, [])


@pytest.mark.parametrize("kind", [JobKind.DELETE, JobKind.MOVE])
async def test_a_home_mounted_in_what_is_removed_stays_and_the_rest_goes(
    harness: Harness, home: Path, source: Path, target: Path, kind: JobKind, far: Path
) -> None:
    tree = source / "tree"
    for number in range(20):  # enough to be dealt out to several threads
        (tree / f"{number}" / "deep").mkdir(parents=True)
    before = describe(home)
    with mounts.bound(tree / "7" / "home", home):
        job = await harness.ends(await take_away(harness, kind, tree, target=far))
        assert job.state is JobState.FAILED
        told = await messages(harness, job.id)
        assert told == [f"cannot remove {tree}/7/home: it is your home folder"]
        assert (names(tree), names(tree / "7"), describe(home)) == (["7"], ["home"], before)


async def sync(harness: Harness, source: Path, target: Path) -> int:
    rest = {"into": False, "conflict": Conflict.OVERWRITE, "delete_extra": True}
    return await harness.copy(source, to=target, kind=JobKind.SYNC, **rest)


@pytest.mark.parametrize("whole", [False, True], ids=["the home", "what holds it"])
async def test_a_sync_removes_all_extras_but_a_home(
    harness: Harness, home: Path, source: Path, *, whole: bool
) -> None:
    top = home.parent.parent
    if not whole:
        (source / "home").mkdir()
    for folder in (top, home.parent):
        (folder / "a").mkdir()
        (folder / "a" / "file").write_text("a")
        (folder / "z").write_text("z")
    before = describe(home)
    job = await harness.ends(await sync(harness, source, top))
    told = await messages(harness, job.id)
    kept, why = (
        (home.parent, f"your home folder {home} is in it") if whole else (home, "it is your home folder")
    )
    assert (job.state, told) == (JobState.FAILED, [f"cannot remove {kept}: {why}"])
    assert (names(top), describe(home)) == (["home"], before)
    assert names(home.parent) == (["a", "user", "z"] if whole else ["user"])


async def test_a_sync_does_not_put_a_file_in_the_place_of_a_home(
    harness: Harness, home: Path, source: Path
) -> None:
    (source / "home").write_text("a file")
    before = describe(home)
    top = home.parent.parent
    job = await harness.ends(await sync(harness, source, top))
    assert job.state is JobState.FAILED
    told = await messages(harness, job.id)
    assert told[0] == f"cannot replace {home.parent}: your home folder {home} is in it"
    assert (names(top), describe(home)) == (["home"], before)


def test_homes_are_found_as_given_and_as_links_lead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real" / "user").mkdir(parents=True)
    (tmp_path / "home").symlink_to("real")
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "user"))
    found = home_folders()
    assert Location.local(tmp_path / "home" / "user") in found
    assert Location.local(tmp_path / "real" / "user") in found
    held = homes.find_homes(found)
    for folder in (tmp_path / "real", tmp_path):
        info = os.stat(folder)
        assert (info.st_dev, info.st_ino) in held


async def test_a_sync_that_leaves_something_out_does_not_empty_a_home_for_it(
    harness: Harness, home: Path, source: Path
) -> None:
    (source / "file").touch()
    (home / "letter").write_text("dear")
    (home / "a.tmp").touch()
    (home.parent / "extra").touch()
    (home.parent / "b.tmp").touch()
    before = describe(home)
    request = {"into": False, "delete_extra": True, "exclude": Exclusion(("*.tmp",))}
    target = Location.local(home.parent.parent)
    job = await harness.ends(await harness.submit(JobKind.SYNC, source, target=target, **request))
    assert job.state is JobState.FAILED
    assert describe(home) == before
    assert names(home.parent) in (["b.tmp", "extra", "user"], ["b.tmp", "user"])
