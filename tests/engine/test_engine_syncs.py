"""A sync job from end to end: one folder becomes like another, and what only it had goes last."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from engine_harness import NEW, OLD, Harness, crash, names, new_engine, running, write

from tests.mounts import image
from tests.trees import describe, differences, make_mixed_tree
from tui.engine.syncing import Syncing
from tui.model.error import UsageError
from tui.model.fidelity import Loss
from tui.model.job import Conflict, JobKind, JobState, Request
from tui.model.location import Location
from tui.places.local import alongside
from tui.places.local.attributes import ACCESS_ACL, DEFAULT_ACL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


async def sync(harness: Harness, source: Path, target: Path, **rest: object) -> int:
    request = Request(
        kind=JobKind.SYNC,
        sources=(Location.local(source),),
        target=Location.local(target),
        into=False,
        conflict=Conflict.OVERWRITE,
        **rest,  # type: ignore[arg-type]
    )
    return await harness.engine.submit(request)


async def errors(harness: Harness, id: int) -> list[tuple[str, str]]:
    return [(error.code, error.location.name) for error in await harness.engine.errors(id)]


async def test_a_missing_target_becomes_a_copy_of_the_source(
    harness: Harness, tmp_path: Path, target: Path
) -> None:
    make_mixed_tree(tmp_path / "tree", seed=31, files=60)
    await harness.done(await sync(harness, tmp_path / "tree", target / "new", delete_extra=True))
    assert differences(describe(tmp_path / "tree"), describe(target / "new")) == []


async def test_only_what_differs_is_copied_and_what_is_extra_stays_unless_asked_for(
    harness: Harness, source: Path, target: Path
) -> None:
    for side in (source, target):
        write(side / "same", "same")
    write(source / "sub" / "new", "new")
    write(source / "changed", "after", NEW)
    write(target / "changed", "prior")
    write(target / "extra", "extra")
    job = await harness.done(await sync(harness, source, target))
    assert (job.progress.files_done, job.progress.files_same, job.progress.files_removed) == (3, 1, 0)
    assert (target / "changed").read_text() == "after"
    assert names(target) == ["changed", "extra", "same", "sub"]


async def test_what_only_the_target_has_is_removed_and_counted(
    harness: Harness, source: Path, target: Path
) -> None:
    write(source / "sub" / "kept", "kept")
    write(target / "sub" / "kept", "kept")
    write(target / "sub" / "extra", "extra")
    for number in range(300):
        write(target / "gone" / "deep" / f"file {number}", "extra")
    (target / "link").symlink_to(source)
    os.utime(source / "sub", ns=(OLD, OLD))
    job = await harness.done(await sync(harness, source, target, delete_extra=True))
    assert job.progress.files_removed == 302
    assert differences(describe(source), describe(target)) == []
    assert (source / "sub" / "kept").exists()


async def test_a_newer_target_is_replaced_all_the_same(harness: Harness, source: Path, target: Path) -> None:
    write(source / "file", "source", OLD)
    write(target / "file", "target", NEW)
    await harness.done(await sync(harness, source, target))
    assert (target / "file").read_text() == "source"


async def test_modes_times_and_attributes_follow_without_a_copy(
    harness: Harness, source: Path, target: Path
) -> None:
    for side in (source, target):
        write(side / "folder" / "file", "same")
        (side / "link").symlink_to("folder")
    os.setxattr(source / "folder" / "file", "user.colour", b"blue")
    os.setxattr(target / "folder" / "file", "user.stale", b"old")
    os.setxattr(target / "folder", "user.stale", b"old")
    (source / "folder" / "file").chmod(0o640)
    (source / "folder").chmod(0o750)
    os.utime(source / "link", ns=(OLD, OLD), follow_symlinks=False)
    inode = (target / "folder" / "file").stat().st_ino
    job = await harness.done(await sync(harness, source, target))
    assert job.progress.files_same == 2
    assert (target / "folder" / "file").stat().st_ino == inode
    assert differences(describe(source), describe(target)) == []


@pytest.fixture
def xfs(tmp_path: Path) -> Iterator[Path]:
    """A mounted XFS, which shows root the access lists a second time, as attributes of its own."""
    with image(tmp_path / "xfs", ["mkfs.xfs", "-q"], 300 << 20) as mounted:
        yield mounted


async def test_access_lists_stay_on_xfs_however_often_it_is_made_like_the_source(
    harness: Harness, source: Path, xfs: Path
) -> None:
    access_list = bytes.fromhex(  # of user 1000, who may read, beside the owner, the group and the others
        "02000000 01000600 ffffffff 02000400 e8030000 04000400 ffffffff 10000400 ffffffff 20000400 ffffffff"
    )
    os.setxattr(write(source / "file", "same"), ACCESS_ACL, access_list)
    (source / "folder").mkdir()
    os.setxattr(source / "folder", DEFAULT_ACL, access_list)
    for _ in range(3):
        await harness.done(await sync(harness, source, xfs / "copy"))
        assert os.getxattr(xfs / "copy" / "file", ACCESS_ACL) == access_list
        assert os.getxattr(xfs / "copy" / "folder", DEFAULT_ACL) == access_list
    await harness.done(await sync(harness, xfs / "copy", source / "back"))
    assert os.listxattr(source / "back" / "file") == [ACCESS_ACL]


async def test_attributes_that_do_not_fit_beside_a_file_wait_for_no_room(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for side in (source, target):
        write(side / "file", "same")
        write(side / "folder" / "kept", "same")
    set_attribute = os.setxattr
    set_attribute(source / "file", "user.large", b"large")
    set_attribute(source / "folder", "user.large", b"large")
    set_attribute(source / "file", "user.small", b"small")

    def beside_others(path: object, name: str, *rest: object) -> None:
        if name == "user.large":  # as ext4 says it, however empty the disk is
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        set_attribute(path, name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "setxattr", beside_others)
    id = await sync(harness, source, target, delete_extra=True)
    await harness.done(id)
    assert os.listxattr(target / "file") == ["user.small"]
    assert os.listxattr(target / "folder") == []
    assert [(lost.loss, lost.count) for lost in await harness.engine.losses(id)] == [(Loss.XATTR, 2)]


async def test_a_list_that_the_target_does_not_hold_gives_its_rights_to_nobody_else(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access_list = bytes.fromhex(  # of user 1000, who may do all, beside the owner; the owning group may do nothing
        "02000000 01000600 ffffffff 02000700 e8030000 04000000 ffffffff 10000700 ffffffff 20000000 ffffffff"
    )
    for side in (source, target):
        write(side / "file", "same").chmod(0o600)
    set_attribute = os.setxattr
    set_attribute(source / "file", ACCESS_ACL, access_list)
    assert (source / "file").stat().st_mode & 0o777 == 0o670

    def without_lists(path: object, name: str, *rest: object) -> None:
        if name == ACCESS_ACL:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        set_attribute(path, name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "setxattr", without_lists)
    id = await sync(harness, source, target)
    await harness.done(id)
    assert (target / "file").stat().st_mode & 0o777 == 0o600
    assert [(lost.loss, lost.count) for lost in await harness.engine.losses(id)] == [(Loss.ACL, 1)]


async def test_a_file_with_a_name_outside_the_target_is_replaced_not_changed(
    harness: Harness, tmp_path: Path, source: Path, target: Path
) -> None:
    write(source / "file", "same").chmod(0o600)
    outside = write(tmp_path / "outside", "same")
    outside.chmod(0o644)
    os.link(outside, target / "file")
    await harness.done(await sync(harness, source, target))
    assert (target / "file").stat().st_mode & 0o777 == 0o600
    assert outside.stat().st_mode & 0o777 == 0o644


async def test_by_content_an_equal_looking_file_is_told_from_a_different_one(
    harness: Harness, source: Path, target: Path
) -> None:
    write(source / "file", "one")
    write(target / "file", "two")
    await harness.done(await sync(harness, source, target))
    assert (target / "file").read_text() == "two"
    await harness.done(await sync(harness, source, target, by_content=True))
    assert (target / "file").read_text() == "one"


async def test_by_content_another_time_is_just_set(harness: Harness, source: Path, target: Path) -> None:
    write(source / "file", "same", NEW)
    inode = write(target / "file", "same", OLD).stat().st_ino
    job = await harness.done(await sync(harness, source, target, by_content=True))
    now = (target / "file").stat()
    assert (now.st_mtime_ns, now.st_ino, job.progress.files_same) == (NEW, inode, 1)


async def test_a_folder_and_a_file_of_one_name_are_an_error_each(
    harness: Harness, source: Path, target: Path
) -> None:
    write(source / "a" / "inner", "source")
    write(target / "a", "target")
    write(source / "b", "source")
    write(target / "b" / "inner", "target")
    write(source / "c", "source")
    job_id = await sync(harness, source, target)
    assert (await harness.ends(job_id)).state is JobState.FAILED
    assert sorted(await errors(harness, job_id)) == [("IsAFolder", "b"), ("NotAFolder", "a")]
    assert ((target / "a").read_text(), (target / "c").read_text()) == ("target", "source")


async def test_with_removal_a_folder_and_a_file_of_one_name_change_places(
    harness: Harness, tmp_path: Path, source: Path, target: Path
) -> None:
    write(source / "sub" / "a" / "inner", "source")
    write(target / "sub" / "a", "target")
    write(source / "b", "source")
    write(target / "b" / "inner", "target")
    write(tmp_path / "elsewhere" / "kept", "kept")
    write(source / "c" / "inner", "source")
    (target / "c").symlink_to(tmp_path / "elsewhere")
    job = await harness.done(await sync(harness, source, target, delete_extra=True))
    assert (job.progress.files_done, job.progress.files_removed) == (3, 3)
    assert differences(describe(source), describe(target)) == []
    assert names(tmp_path / "elsewhere") == ["kept"]


async def test_nothing_is_removed_after_an_error_and_all_by_a_retry(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "file", "source", NEW)
    write(source / "other", "source")
    write(target / "file", "target")
    write(target / "extra", "extra")
    real = os.open

    def refuse(path: object, *args: object, **rest: object) -> int:
        if path == b"file":
            raise PermissionError(13, "no")
        return real(path, *args, **rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        id = await sync(harness, source, target, delete_extra=True)
        job = await harness.ends(id)
    assert (job.state, job.progress.files_removed) == (JobState.FAILED, 0)
    assert await errors(harness, id) == [("PermissionDenied", "file"), ("NothingRemoved", "target")]
    assert names(target) == ["extra", "file", "other"]
    await harness.engine.retry([id])
    assert (await harness.done(id)).progress.files_removed == 1
    assert differences(describe(source), describe(target)) == []


async def test_a_source_put_in_the_place_of_another_removes_nothing(
    harness: Harness, tmp_path: Path, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "file", "source")
    write(target / "extra", "extra")
    real = Syncing.last

    def swap() -> None:
        source.rename(tmp_path / "unmounted")
        source.mkdir()

    async def late(self: Syncing) -> None:
        swap()
        await real(self)

    monkeypatch.setattr(Syncing, "last", late)
    id = await sync(harness, source, target, delete_extra=True)
    assert (await harness.ends(id)).state is JobState.FAILED
    assert await errors(harness, id) == [("SourceChanged", "source")]
    assert names(target) == ["extra", "file"]


async def test_folders_that_do_not_get_their_times_back_are_told_and_the_others_gone_through(
    harness: Harness, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    for name in ("one", "two"):
        (source / name).mkdir()
        write(target / name / "extra", "goes")
    monkeypatch.setattr(alongside, "attributes", SimpleNamespace(set_times=fail))
    id = await sync(harness, source, target, delete_extra=True)
    assert (await harness.ends(id)).state is JobState.FAILED
    assert set(await errors(harness, id)) == {("StorageFault", "one"), ("StorageFault", "two")}
    assert names(target / "one") == names(target / "two") == []
    monkeypatch.undo()
    await harness.engine.retry([id])
    await harness.done(id)


async def test_half_done_things_of_other_jobs_stay(harness: Harness, source: Path, target: Path) -> None:
    partial = write(target / ".ferry-abcd1234-0123456789abcdef", "half")
    write(target / ".ferry-notes", "a name like any other")
    await harness.done(await sync(harness, source, target, delete_extra=True))
    assert names(target) == [partial.name]


async def test_folders_in_each_other_and_the_same_folder_are_refused(
    harness: Harness, source: Path, target: Path
) -> None:
    (source / "below" / "deep").mkdir(parents=True)
    (target / "link").symlink_to(source)
    for one, other, code in (
        (source, source / "below", "TargetInsideSource"),
        (source / "below" / "deep", source, "TargetInsideSource"),
        (source, source, "SameFile"),
        (source, target / "link", "NotAFolder"),
    ):
        id = await sync(harness, one, other, delete_extra=True)
        assert (await harness.ends(id)).state is JobState.FAILED
        assert (await errors(harness, id))[0][0] == code
    assert names(source / "below") == ["deep"]


async def test_a_file_or_nothing_as_the_source_leaves_the_target_alone(
    harness: Harness, source: Path, target: Path
) -> None:
    write(source / "file", "file")
    write(target / "extra", "extra")
    for one, code in ((source / "file", "NotAFolder"), (source / "gone", "NotFound")):
        id = await sync(harness, one, target, delete_extra=True)
        assert (await harness.ends(id)).state is JobState.FAILED
        assert await errors(harness, id) == [(code, one.name), ("NothingRemoved", "target")]
    assert names(target) == ["extra"]


async def test_a_sync_takes_one_source_and_no_folder_to_go_into(harness: Harness, source: Path) -> None:
    for rest in ({"into": True}, {"into": False, "sources": 2}):
        sources = (Location.local(source),) * rest.pop("sources", 1)
        request = Request(kind=JobKind.SYNC, sources=sources, target=Location.local("/x"), **rest)  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            await harness.engine.submit(request)


async def test_a_sync_goes_on_after_a_crash_in_the_middle_of_its_removals(
    tmp_path: Path, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "sub" / "file", "source")
    os.utime(source / "sub", ns=(OLD, OLD))
    for number in range(50):
        write(target / "sub" / f"extra {number}", "extra")
    monkeypatch.setattr(alongside, "BATCH_ENTRIES", 10)
    journal = tmp_path / "state" / "journal.sqlite3"
    first = Harness(new_engine(journal), journal)
    await first.engine.start_up()
    id = await sync(first, source, target, delete_extra=True, by_content=True)
    await first.until(id, lambda job: job.progress.files_removed > 0)
    await crash(first)
    async with running(journal) as second:
        request = await second.engine.request(id)
        assert (request.delete_extra, request.by_content) == (True, True)
        await second.done(id)
    assert differences(describe(source), describe(target)) == []


async def test_a_sync_can_read_back_what_it_copied(harness: Harness, source: Path, target: Path) -> None:
    write(source / "new", "new")
    write(source / "same", "same")
    write(target / "same", "same")
    job = await harness.done(await sync(harness, source, target, verify=True))
    assert job.progress.files_verified == 2
