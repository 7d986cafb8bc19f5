"""Jobs of all kinds at a real SFTP server, which sees the disk of this computer: below a test's own folder only."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from engine_harness import at_rest
from hosts_harness import FastClock, HostsHarness

from tests.mounts import tmpfs
from tests.trees import describe
from tui.engine import naming
from tui.engine.engine import Engine, Limits
from tui.engine.journal import Journal
from tui.model.fidelity import Loss
from tui.model.job import Conflict, JobKind, JobState
from tui.model.location import Location
from tui.model.misfit import Names
from tui.places.local.end import LocalOpener
from tui.places.local.name_rules import WINDOWS
from tui.places.sftp.opening import SftpOpener
from tui.places.sftp.settings import SshSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers.sshd import Sshd


@pytest.fixture
async def queue(sshd: Sshd, tmp_path: Path) -> AsyncIterator[HostsHarness]:
    """An engine that reaches a server by the name `box`."""
    config = tmp_path / "ssh_config"
    config.write_text(sshd.config_for("box"))
    openers = {"file": LocalOpener, "sftp": lambda: SftpOpener(SshSettings(config_file=config))}
    journal = tmp_path / "journal"
    engine = Engine(Journal(journal), FastClock(), Limits(), version="test", openers=openers)
    await engine.start_up()
    try:
        yield HostsHarness(engine, journal)
    finally:
        await engine.shut_down()


def there(path: Path) -> Location:
    return Location(str(path), "sftp", "box")


def plant(folder: Path, text: str = "text") -> Path:
    (folder / "inner" / "deeper").mkdir(parents=True)
    (folder / "empty").mkdir()
    for number in range(150):
        (folder / "inner" / f"file {number}").write_text(text)
    (folder / "inner" / "deeper" / os.fsdecode(b"bytes \xff\n")).write_text(text)
    (folder / "inner" / "link").symlink_to(folder.parent / "kept")
    (folder.parent / "kept").mkdir(exist_ok=True)
    (folder.parent / "kept" / "file").write_text("kept")
    return folder


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def enlarge(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)


async def test_a_tree_is_deleted_there(queue: HostsHarness, tmp_path: Path) -> None:
    tree = plant(tmp_path / "data" / "tree")
    job = await queue.done(await queue.add(JobKind.DELETE, there(tree)))
    assert below(tmp_path / "data") == {"kept", "kept/file"}
    assert job.progress.files_done == 152


async def test_names_are_swapped_there(queue: HostsHarness, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(name)
    sources = [there(tmp_path / name) for name in "abc"]
    targets = tuple(there(tmp_path / name) for name in "bad")
    await queue.done(await queue.add(JobKind.RENAME, *sources, targets=targets))
    assert [(tmp_path / name).read_text() for name in "abd"] == ["b", "a", "c"]
    (tmp_path / "taken").write_text("taken")
    id = await queue.add(JobKind.RENAME, there(tmp_path / "a"), targets=(there(tmp_path / "taken"),))
    assert (await queue.ends(id)).state is JobState.FAILED
    assert (tmp_path / "taken").read_text() == "taken"


async def test_modes_are_changed_there_but_not_through_links(queue: HostsHarness, tmp_path: Path) -> None:
    tree = plant(tmp_path / "tree")
    kept = (tmp_path / "kept").stat().st_mode
    await queue.done(await queue.add(JobKind.CHMOD, there(tree), recursive=True, mode_clear=0o077))
    assert {path.lstat().st_mode & 0o077 for path in tree.rglob("*") if not path.is_symlink()} == {0}
    assert (tmp_path / "kept").stat().st_mode == kept


async def test_what_is_there_is_verified(queue: HostsHarness, tmp_path: Path) -> None:
    one, other = plant(tmp_path / "one"), plant(tmp_path / "other")
    for folder in (one, other):
        (folder / "large").write_bytes(bytes(range(256)) * 5000)
    job = await queue.done(await queue.add(JobKind.VERIFY, Location.local(one), targets=(there(other),)))
    assert job.progress.files_verified == 153
    (other / "large").write_bytes(bytes(range(256)) * 4999 + bytes(256))
    (other / "inner" / "file 7").unlink()
    id = await queue.add(JobKind.VERIFY, Location.local(one), targets=(there(other),))
    assert (await queue.ends(id)).state is JobState.FAILED
    told = sorted(error.location.name for error in await queue.engine.errors(id))
    assert told == ["file 7", "large"]


async def test_a_folder_there_becomes_like_one_here(queue: HostsHarness, tmp_path: Path) -> None:
    one, other = plant(tmp_path / "one"), plant(tmp_path / "other", "other text")
    (one / "inner" / "file 3").unlink()
    (one / "inner" / "file 3").mkdir()
    (one / "inner" / "file 4").chmod(0o600)
    (other / "more" / "extra").mkdir(parents=True)
    (other / "more" / "link").symlink_to(tmp_path / "kept")
    rest = {"into": False, "conflict": Conflict.OVERWRITE, "delete_extra": True}
    await queue.done(await queue.add(JobKind.SYNC, Location.local(one), target=there(other), **rest))
    assert below(other) == below(one)
    assert (other / "inner" / "file 9").read_text() == "text"
    assert (other / "inner" / "file 4").stat().st_mode & 0o777 == 0o600
    assert below(tmp_path / "kept") == {"file"}
    job = await queue.done(await queue.add(JobKind.SYNC, Location.local(one), target=there(other), **rest))
    assert job.progress.files_same == job.progress.files_done


@pytest.mark.parametrize("way", ["up", "down"])
async def test_what_does_not_fit_waits_before_it_is_begun(
    queue: HostsHarness, tmp_path: Path, way: str
) -> None:
    files = [tmp_path / f"file {number}" for number in range(3)]
    for file in files:
        file.write_bytes(os.urandom(3 << 20))
    with tmpfs(tmp_path / "tiny", "size=4m") as tiny:
        sources = [there(file) if way == "down" else Location.local(file) for file in files]
        target = Location.local(tiny) if way == "down" else there(tiny)
        id = await queue.add(JobKind.COPY, *sources, target=target)
        job = await queue.ends(id)
        where = tiny if way == "down" else there(tiny)
        assert (job.state, job.wants_room) == (JobState.WAITING, True)
        assert job.note == f"needs 9.0 MiB, 4.0 MiB free on {where}: free space and resume"
        assert below(tiny) == set()
        enlarge(tiny)
        await at_rest(queue.engine)
        await queue.engine.resume([id])
        await queue.done(id)
        assert all((tiny / file.name).read_bytes() == file.read_bytes() for file in files)


async def test_too_few_inodes_there_are_noticed_before_they_run_out(
    queue: HostsHarness, tmp_path: Path
) -> None:
    files = [tmp_path / f"file {number}" for number in range(50)]
    for file in files:
        file.write_text("text")
    with tmpfs(tmp_path / "few", "size=4m,nr_inodes=41") as few:
        sources = map(Location.local, files)
        job = await queue.ends(await queue.add(JobKind.COPY, *sources, target=there(few)))
        assert job.note == f"needs 50 inodes, 40 free on {there(few)}: remove files and resume"
        assert below(few) == set()


async def moved(queue: HostsHarness, *sources: Location, to: Location) -> int:
    id = await queue.add(JobKind.MOVE, *sources, target=to)
    assert (await queue.done(id)).reversible
    return id


async def test_moves_and_new_names_there_are_undone(queue: HostsHarness, tmp_path: Path) -> None:
    tree = plant(tmp_path / "tree")
    before = describe(tree)
    (tmp_path / "to").mkdir()
    renaming = await queue.add(JobKind.RENAME, there(tree), targets=(there(tmp_path / "new"),))
    await queue.done(renaming)
    moving = await moved(queue, there(tmp_path / "new"), to=there(tmp_path / "to"))
    assert sorted(os.listdir(tmp_path / "to")) == ["new"]
    await queue.done(await queue.engine.undo(moving))
    await queue.done(await queue.engine.undo(renaming))
    assert describe(tree) == before
    assert not (tmp_path / "new").exists()
    assert os.listdir(tmp_path / "to") == []


async def test_what_went_there_comes_back_unless_it_was_changed_there(
    queue: HostsHarness, tmp_path: Path
) -> None:
    tree = plant(tmp_path / "here" / "tree")
    names = below(tree)
    target = tmp_path / "to"
    moving = await moved(queue, Location.local(tree), to=there(target))
    assert below(target / "tree") == names
    await queue.done(await queue.engine.undo(moving))
    assert below(tree) == names
    assert os.listdir(target) == []
    moving = await moved(queue, Location.local(tree), to=there(target))
    (target / "tree" / "inner" / "deeper" / "new").write_text("new")
    undoing = await queue.ends(await queue.engine.undo(moving))
    assert undoing.state is JobState.FAILED
    (message,) = await queue.messages(undoing.id)
    assert message.endswith("was changed, added or removed since")
    assert not tree.exists()
    assert below(target / "tree") == names | {"inner/deeper/new"}


async def test_what_was_made_there_goes_if_nothing_became_of_it(queue: HostsHarness, tmp_path: Path) -> None:
    made = tmp_path / "a" / "b"
    top = await queue.engine.browsing.make_folder(there(made))
    id = await queue.engine.note_step(JobKind.MAKE, there(made), top)
    (made / "file").write_text("text")
    assert (await queue.ends(await queue.engine.undo(id))).state is JobState.FAILED
    assert (made / "file").read_text() == "text"
    made = tmp_path / "c" / "d"
    top = await queue.engine.browsing.make_folder(there(made))
    await queue.done(await queue.engine.undo(await queue.engine.note_step(JobKind.MAKE, there(made), top)))
    assert not (tmp_path / "c").exists()


async def test_names_a_target_here_does_not_take_are_asked_about_before_they_are_fetched(
    queue: HostsHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "rules_for", lambda fd, tag: WINDOWS)
    for name in ("a:b", "sub?/Read", "sub?/READ", "good"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(name)
    target = tmp_path / "target"
    id = await queue.add(
        JobKind.COPY, there(tmp_path / "tree"), target=Location.local(target), names=Names.ASK
    )
    job = await queue.ends(id)
    assert (job.state, job.misfits, target.exists()) == (JobState.WAITING, 3, False)
    await at_rest(queue.engine)
    await queue.engine.set_names([id], Names.LOOKALIKE)
    await queue.done(id)
    assert below(target / "tree") == {"a：b", "good", "sub？", "sub？/READ", "sub？/Read (1)"}


LAST_S = (1 << 32) - 1
"""The last second SFTP can tell: in February 2106."""


@pytest.mark.parametrize(("time_s", "kept_s"), [(-5, 0), (LAST_S + 5, LAST_S)], ids=["1969", "2106"])
async def test_a_time_that_cannot_be_told_there_is_lost_and_said_so_and_the_file_goes_once(
    queue: HostsHarness, tmp_path: Path, time_s: int, kept_s: int
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for name in ("old", "new"):
        (one / name).parent.mkdir(exist_ok=True)
        (one / name).write_text("text")
    os.utime(one / "old", (time_s, time_s))
    os.utime(one / "new", (10**9, 10**9))
    os.utime(one, (10**9, 10**9))
    rest = {"into": False, "conflict": Conflict.OVERWRITE}
    job = await queue.done(await queue.add(JobKind.SYNC, Location.local(one), target=there(other), **rest))
    assert [(lost.loss, lost.count) for lost in await queue.engine.losses(job.id)] == [(Loss.TIMES, 1)]
    assert [(other / name).stat().st_mtime for name in ("old", "new")] == [kept_s, 10**9]
    for source, target in ((Location.local(one), there(other)), (there(other), Location.local(one))):
        job = await queue.done(await queue.add(JobKind.SYNC, source, target=target, **rest))
        assert (job.progress.files_same, job.progress.files_total) == (2, 2)
    assert (one / "old").stat().st_mtime == time_s


async def test_a_time_from_there_is_read_as_a_number_without_a_sign(
    queue: HostsHarness, tmp_path: Path
) -> None:
    (tmp_path / "old").write_text("text")
    os.utime(tmp_path / "old", (-5, -5))
    for same in (0, 1):
        target = Location.local(tmp_path / "to")
        id = await queue.add(JobKind.COPY, there(tmp_path / "old"), target=target, conflict=Conflict.SKIP)
        assert (await queue.done(id)).progress.files_same == same
    assert (tmp_path / "to" / "old").stat().st_mtime == (1 << 32) - 5
