"""Making a folder at one place like a folder at another."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from engine_harness import at_rest, stride
from hosts_harness import Hosts, HostsHarness, Trouble, at, counted, killed_and_done, troubles
from sync_trees import EXTRA, S, mirrored, plant, sync

from tui.engine.run import Run
from tui.model.error import PermissionDenied
from tui.model.fidelity import Loss
from tui.model.job import Conflict, JobKind, JobState
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path


async def test_the_target_becomes_like_the_source(queue: HostsHarness, hosts: Hosts) -> None:
    here, there = plant(hosts)
    before = here.tree()
    job = await queue.done(await sync(queue))
    assert there.tree("/data") == mirrored(here)
    assert here.tree() == before
    assert there.find("/data/tree/private").mode == 0o600
    assert there.find("/data/tree/inner/changed").mtime_ns == 6 * S
    assert job.progress.files_removed == 3
    assert job.progress.files_done == job.progress.files_total == 6
    assert job.progress.files_same == 2


async def test_a_second_sync_copies_nothing(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    await queue.done(await sync(queue))
    trouble = hosts.trouble = Trouble(-1)
    job = await queue.done(await sync(queue))
    assert job.progress.files_same == job.progress.files_done == 6
    assert {name.partition(" ")[0] for name in trouble.names} <= {
        "list",
        "stat",
        "resolve",
        "flush",
        "abandon",
    }


async def test_where_no_times_are_set_a_sync_goes_by_size_and_says_so(
    queue: HostsHarness, hosts: Hosts
) -> None:
    hosts.capabilities = replace(hosts.capabilities, sets_times=False)
    here, there = plant(hosts)
    newer = {"tree/inner/older": b"tixt"}  # it might be what a sync made of the source
    await queue.done(await sync(queue))
    assert there.tree("/data") == mirrored(here) | newer
    trouble = hosts.trouble = Trouble(-1)
    job = await queue.done(await sync(queue))
    assert job.progress.files_same == job.progress.files_done == 6
    assert "get" not in {name.partition(" ")[0] for name in trouble.names}
    lost = {lost.loss: lost.count for lost in await queue.engine.losses(job.id)}
    assert lost[Loss.TIMES] >= 5
    here.write("/data/tree/same", b"next", mtime_ns=time.time_ns() + S)
    await queue.done(await sync(queue))
    assert there.tree("/data") == mirrored(here) | newer
    await queue.done(await sync(queue, by_content=True))
    assert there.tree("/data") == mirrored(here)


async def test_what_only_the_target_has_stays_unless_its_removal_was_asked_for(
    queue: HostsHarness, hosts: Hosts
) -> None:
    here, there = plant(hosts)
    await queue.done(await sync(queue, delete_extra=False))
    assert there.tree("/data") == mirrored(here) | EXTRA
    assert there.find("/data/tree/private").mode == 0o600


async def test_a_target_that_is_missing_is_made(queue: HostsHarness, hosts: Hosts) -> None:
    here, there = plant(hosts)
    there.remove("/data/tree")
    await queue.done(await sync(queue))
    assert there.tree("/data") == mirrored(here)


async def test_nothing_is_removed_after_an_error_and_all_by_a_retry(
    queue: HostsHarness, hosts: Hosts
) -> None:
    here, there = plant(hosts)

    def refuse(name: str, location: Location) -> None:
        if name == "get" and location.name == "file":
            raise PermissionDenied(f"cannot read {location}: permission denied", location=location)

    hosts.trouble = refuse
    job = await queue.ends(await sync(queue))
    assert job.state is JobState.FAILED
    assert await queue.messages(job.id) == [
        "cannot read sftp://host/data/tree/fresh/file: permission denied",
        "nothing was removed from sftp://other/data/tree: an entry could not be copied",
    ]
    assert EXTRA.items() <= there.tree("/data").items()
    hosts.trouble = None
    await queue.engine.retry([job.id])
    await queue.done(job.id)
    assert there.tree("/data") == mirrored(here)


async def test_nothing_is_removed_where_the_source_cannot_be_listed_again(
    queue: HostsHarness, hosts: Hosts
) -> None:
    _, there = plant(hosts)
    lists = 0

    def refuse(name: str, location: Location) -> None:
        nonlocal lists
        lists += name == "list" and (location.authority, location.name) == ("host", "inner")
        if name == "list" and location.name == "inner" and lists > 1:
            raise PermissionDenied(f"cannot read {location}: permission denied", location=location)

    hosts.trouble = refuse
    job = await queue.ends(await sync(queue))
    assert job.state is JobState.FAILED
    assert EXTRA.items() <= there.tree("/data").items()


async def test_nothing_is_removed_where_the_source_is_empty_all_of_a_sudden(
    queue: HostsHarness, hosts: Hosts
) -> None:
    here, there = plant(hosts)
    lists = 0

    def empty(name: str, location: Location) -> None:
        nonlocal lists
        lists += name == "list" and (location.authority, location.name) == ("host", "tree")
        if name == "list" and location.authority == "host" and lists == 2:
            for child in list(here.find("/data/tree").children):
                here.remove(f"/data/tree/{child}")

    hosts.trouble = empty
    job = await queue.ends(await sync(queue))
    assert [error.code for error in await queue.engine.errors(job.id)] == ["SourceChanged"]
    assert EXTRA.items() <= there.tree("/data").items()
    assert there.tree("/data")["tree/same"] == b"text"


async def test_where_a_folder_meets_something_else_the_target_gives_way_last_and_no_error_is_told(
    queue: HostsHarness, hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(Run, "write_errors", lambda run, rows, columns=None: told.extend(rows))
    here, there = plant(hosts)
    here.write("/data/tree/clash/file", b"text")
    there.write("/data/tree/clash", b"in the way")
    here.write("/data/tree/inner/clash", b"text")
    there.write("/data/tree/inner/clash/file", b"in the way")
    there.link("/data/tree/fresh", "/data/kept")
    await queue.done(await sync(queue))
    assert there.tree("/data") == mirrored(here)
    assert told == []


async def test_what_could_not_make_way_is_told_where_nothing_may_go(
    queue: HostsHarness, hosts: Hosts
) -> None:
    here, there = plant(hosts)
    there.link("/data/tree/fresh", "/data/kept")

    def refuse(name: str, location: Location) -> None:
        if name == "get" and location.name == "changed":
            raise PermissionDenied(f"cannot read {location}: permission denied", location=location)

    hosts.trouble = refuse
    job = await queue.ends(await sync(queue))
    assert sorted(await queue.messages(job.id)) == [
        "cannot create the folder sftp://other/data/tree/fresh: a link stands there",
        "cannot read sftp://host/data/tree/inner/changed: permission denied",
        "nothing was removed from sftp://other/data/tree: 2 entries could not be copied",
    ]
    assert there.tree("/data")["tree/fresh"] == "/data/kept"
    hosts.trouble = None
    await queue.engine.retry([job.id])
    await queue.done(job.id)
    assert there.tree("/data") == mirrored(here)


async def test_a_home_folder_is_not_removed_however_extra_it_is(queue: HostsHarness, hosts: Hosts) -> None:
    here, there = plant(hosts)
    there.home = "/data/tree/users/me"
    there.write("/data/tree/users/me/file", b"dear")
    job = await queue.ends(await sync(queue))
    assert await queue.messages(job.id) == [
        "sftp://other/data/tree/users was not removed: your home folder is in it"
    ]
    home = {"tree/users": None, "tree/users/me": None, "tree/users/me/file": b"dear"}
    assert there.tree("/data") == mirrored(here) | home


async def test_a_home_folder_does_not_make_way_for_a_file(queue: HostsHarness, hosts: Hosts) -> None:
    here, there = plant(hosts)
    here.write("/data/tree/users", b"text")
    there.home = "/data/tree/users/me"
    there.write("/data/tree/users/me/file", b"dear")
    job = await queue.ends(await sync(queue))
    assert job.state is JobState.FAILED
    assert "sftp://other/data/tree/users was not removed: your home folder is in it" in (
        await queue.messages(job.id)
    )
    assert there.read("/data/tree/users/me/file") == b"dear"


async def test_a_home_folder_of_this_computer_is_not_removed_however_extra_it_is(
    queue: HostsHarness, hosts: Hosts, tmp_path: Path
) -> None:
    plant(hosts)
    me = tmp_path / "target" / "users" / "me"
    me.mkdir(parents=True)
    (me / "file").write_text("dear")
    (tmp_path / "target" / "extra").write_text("extra")
    queue.engine._keeper.shared.homes = (Location.local(me),)
    id = await queue.add(
        JobKind.SYNC,
        at("/data/tree"),
        target=Location.local(tmp_path / "target"),
        into=False,
        conflict=Conflict.OVERWRITE,
        delete_extra=True,
    )
    await queue.ends(id)
    assert [error.code for error in await queue.engine.errors(id)] == ["HoldsHome"]
    assert (me / "file").read_text() == "dear"
    assert not (tmp_path / "target" / "extra").exists()


async def test_what_the_target_calls_otherwise_is_not_extra(queue: HostsHarness, hosts: Hosts) -> None:
    here, there = plant(hosts)
    here.write("/data/tree/inner/Name", b"text")

    def fold(name: str, location: Location) -> None:
        if name == "put done" and location.name == "Name":
            there.set("/data/tree/inner/name", there.take("/data/tree/inner/Name"))

    hosts.trouble = fold
    await queue.done(await sync(queue))
    assert there.read("/data/tree/inner/name") == b"text"
    assert "tree/extra" not in there.tree("/data")


async def test_a_clash_is_an_error_where_nothing_may_be_removed(queue: HostsHarness, hosts: Hosts) -> None:
    _, there = plant(hosts)
    there.link("/data/tree/fresh", "/data/kept")
    job = await queue.ends(await sync(queue, delete_extra=False))
    assert await queue.messages(job.id) == [
        "cannot create the folder sftp://other/data/tree/fresh: a link stands there"
    ]
    assert there.tree("/data/kept") == {"file": b"kept"}


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        ("/data/tree", "/data/tree", "SameFile"),
        ("/data/tree", "/data/tree/inner", "TargetInsideSource"),
        ("/data/tree/inner", "/data/tree", "TargetInsideSource"),
        ("/data/tree/same", "/data/new", "NotAFolder"),
        ("/data/tree", "/data/link", "NotAFolder"),
        ("/data/none", "/data/tree", "NotFound"),
    ],
)
async def test_two_folders_that_are_not_apart_are_not_synced(
    queue: HostsHarness, hosts: Hosts, source: str, target: str, code: str
) -> None:
    here, _ = plant(hosts)
    here.link("/data/link", "/data/tree")
    before = here.tree()
    id = await queue.add(
        JobKind.SYNC,
        at(source),
        target=at(target),
        into=False,
        conflict=Conflict.OVERWRITE,
        delete_extra=True,
    )
    job = await queue.ends(id)
    assert job.state is JobState.FAILED
    assert (await queue.engine.errors(id))[0].code == code
    assert here.tree() == before


async def test_a_lost_connection_is_made_anew_whatever_it_was_used_for(
    queue: HostsHarness, hosts: Hosts
) -> None:
    told = set()
    for trouble in troubles(hosts, more_than=60, stride=stride(2)):
        here, there = plant(hosts)
        there.write("/data/tree/fresh", b"in the way")
        hosts.trouble = trouble
        ended = await queue.done(await sync(queue))
        assert there.tree("/data") == mirrored(here), trouble.names
        told.add(counted(ended))
    assert len(told) == 1


async def test_a_job_that_was_killed_is_finished_whenever_that_was(tmp_path: Path, hosts: Hosts) -> None:
    told = set()
    for trouble in troubles(hosts, more_than=60, stride=stride(5)):
        here, there = plant(hosts)
        there.write("/data/tree/fresh", b"in the way")
        job = await killed_and_done(tmp_path, hosts, sync, trouble)
        assert there.tree("/data") == mirrored(here), trouble.names

        # With the local disk
        told.add(counted(job)[:2])
    assert len(told) == 1


def plant_here(folder: Path) -> None:
    (folder / "inner").mkdir(parents=True)
    for path in ("file", "inner/file"):
        (folder / path).write_text("text")
    (folder / "inner" / "link").symlink_to("nowhere")


THERE = {"file": b"text", "inner": None, "inner/file": b"text", "inner/link": "nowhere"}


async def test_a_folder_of_this_computer_is_mirrored_and_mirrored_back(
    queue: HostsHarness, hosts: Hosts, tmp_path: Path
) -> None:
    plant_here(source := tmp_path / "source")
    hosts.store().write("/data/tree/extra", b"extra")
    there, rest = at("/data/tree"), {"into": False, "conflict": Conflict.OVERWRITE, "delete_extra": True}
    await queue.done(await queue.add(JobKind.SYNC, Location.local(source), target=there, **rest))
    assert hosts.store().tree("/data/tree") == THERE
    hosts.store().remove("/data/tree/inner/file")
    await queue.done(await queue.add(JobKind.SYNC, there, target=Location.local(source), **rest))
    assert sorted(str(path.relative_to(source)) for path in source.rglob("*")) == [
        "file",
        "inner",
        "inner/link",
    ]
    job = await queue.done(await queue.add(JobKind.SYNC, there, target=Location.local(source), **rest))
    assert job.progress.files_same == 2


async def test_nothing_is_removed_where_another_folder_stands_for_the_source(
    queue: HostsHarness, hosts: Hosts, tmp_path: Path
) -> None:
    plant_here(source := tmp_path / "source")
    plant_here(tmp_path / "other")
    (tmp_path / "other" / "file").unlink()
    store = hosts.store()
    store.write("/data/tree/extra", b"extra")

    def swap(name: str, location: Location) -> None:
        if name == "put done" and not (tmp_path / "away").exists():
            source.rename(tmp_path / "away")
            (tmp_path / "other").rename(source)

    hosts.trouble = swap
    id = await queue.add(
        JobKind.SYNC,
        Location.local(source),
        target=at("/data/tree"),
        into=False,
        conflict=Conflict.OVERWRITE,
        delete_extra=True,
    )
    await queue.ends(id)
    assert "SourceChanged" in [error.code for error in await queue.engine.errors(id)]
    assert store.read("/data/tree/extra") == b"extra"


async def test_paused_while_it_removes_it_removes_the_rest_when_it_goes_on(
    queue: HostsHarness, hosts: Hosts
) -> None:
    here, there = plant(hosts)
    reached = asyncio.Event()

    def stall(name: str, location: Location) -> Awaitable[None] | None:
        if name != "remove_file":
            return None
        reached.set()
        return cast("Awaitable[None]", asyncio.Event().wait())

    hosts.trouble = stall
    id = await sync(queue)
    await reached.wait()
    await queue.engine.pause([id])
    await queue.until(id, lambda job: job.state is JobState.PAUSED)
    await at_rest(queue.engine)
    hosts.trouble = None
    await queue.engine.resume([id])
    await queue.done(id)
    assert there.tree("/data") == mirrored(here)


async def test_what_only_the_target_has_goes_also_after_a_question_was_answered(
    queue: HostsHarness, hosts: Hosts
) -> None:
    here, there = plant(hosts)

    def meddle(name: str, location: Location) -> None:
        if name == "put" and location.path == "/data/tree/fresh/file":
            hosts.trouble = None
            there.write(location.path, b"somebody else's")

    hosts.trouble = meddle
    id = await sync(queue)
    await queue.until(id, lambda job: job.state is JobState.WAITING)
    (question,) = await queue.engine.questions(id)
    assert EXTRA.keys() < there.tree("/data").keys()
    await queue.engine.answer(question.id, Conflict.OVERWRITE)
    await queue.until(id, lambda job: job.state is JobState.DONE)
    assert there.tree("/data") == mirrored(here)


async def test_a_folder_that_took_the_place_of_a_copied_file_is_told(
    queue: HostsHarness, hosts: Hosts
) -> None:
    _, there = plant(hosts)

    def meddle(name: str, location: Location) -> None:
        if name == "set_attributes" and location.path == "/data/tree/fresh":  # it was made whole
            hosts.trouble = None
            there.remove("/data/tree/fresh/file")
            there.write("/data/tree/fresh/file/within", b"somebody else's")

    hosts.trouble = meddle
    id = await sync(queue)
    assert (await queue.ends(id)).state is JobState.FAILED
    assert any("has become something else" in message for message in await queue.messages(id))
    assert there.read("/data/tree/fresh/file/within") == b"somebody else's"
