"""What the local disk as an end of a copy has beyond the contract (tests/places): links, faults, threads."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from tui.model.error import (
    LinkInTheWay,
    NotFlushed,
    NotFound,
    NotHeld,
    OutOfSpace,
    PermissionDenied,
    PlaceError,
    PlaceUnavailable,
    StorageFault,
    Unsupported,
)
from tui.model.location import Location
from tui.places.base import Attributes, Identity
from tui.places.local import end as end_module
from tui.places.local import syscalls
from tui.places.local.end import LocalEnd, LocalOpener
from tui.places.local.end_folders import MOST_FOLDERS
from tui.places.local.partial import name_of_half

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Any

    from tui.places.base import Writer

TAG = "abcdefgh"
TIME_NS = 1_600_000_000_123_456_789
WHOLE = Identity(TAG, 10, TIME_NS)


@pytest.fixture
async def end(target: Path) -> AsyncIterator[LocalEnd]:
    """The disk, with one folder somebody named."""
    end = LocalEnd(at(target))
    yield end
    await end.close()


@pytest.fixture
async def anywhere() -> AsyncIterator[LocalEnd]:
    """The disk, where every location counts as named."""
    end = LocalEnd()
    yield end
    await end.close()


def at(path: Path) -> Location:
    return Location.local(path)


async def put(
    end: LocalEnd, path: Path, data: bytes = b"new", *, mode: int | None = None, replace: bool = False
) -> None:
    await end.put(at(path), data, Attributes(mode, TIME_NS), TAG, replace=replace, flush=False)


async def begin(end: LocalEnd, path: Path) -> Writer:
    return await end.open_writer(at(path), WHOLE)


def half_of(path: Path) -> Path:
    return path.parent / os.fsdecode(name_of_half(TAG, os.fsencode(path.name), 10, TIME_NS))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _open_files() -> list[str]:
    found = []
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{fd}"))
    return found


def failing(number: int, *, times: int = 1) -> Callable[..., Any]:
    """Return what fails so many times with an error of the system, then is not to be called again."""
    left = [times]

    def fail(*args: object, **kwargs: object) -> Any:
        left[0] -= 1
        assert left[0] >= 0
        raise OSError(number, os.strerror(number))

    return fail


async def test_links_below_a_named_folder_are_not_followed(end: LocalEnd, target: Path, source: Path) -> None:
    (source / "file").write_bytes(b"old")
    (target / "link").symlink_to(source)
    inside = target / "link" / "file"
    with pytest.raises(LinkInTheWay):
        await put(end, inside, replace=True)
    with pytest.raises(LinkInTheWay):
        await begin(end, inside)
    with pytest.raises(LinkInTheWay):
        await end.get(at(inside), 100)
    with pytest.raises(LinkInTheWay):
        await end.make_folder(at(target / "link" / "folder"))
    with pytest.raises(LinkInTheWay):
        await end.remove_file(at(inside))
    with pytest.raises(LinkInTheWay):
        await end.rename(at(inside), at(target / "file"))
    with pytest.raises(LinkInTheWay):
        [page async for page in end.list(at(target / "link"))]
    assert names(source) == {"file"}
    assert (source / "file").read_bytes() == b"old"


async def test_a_link_put_in_place_of_an_open_folder_is_not_followed(
    end: LocalEnd, target: Path, source: Path
) -> None:
    (target / "folder").mkdir()
    await put(end, target / "folder" / "one")
    (target / "folder").rename(target / "aside")
    (target / "folder").symlink_to(source)
    with pytest.raises(LinkInTheWay):
        await put(end, target / "folder" / "two")
    assert names(source) == set()
    assert names(target / "aside") == {"one"}


async def test_links_above_a_named_folder_are_followed(source: Path, target: Path) -> None:
    (source / "link").symlink_to(target)
    named = LocalEnd(at(source / "link"))
    (target / "folder").mkdir()
    await put(named, source / "link" / "one")
    await put(named, source / "link" / "folder" / "two")
    await named.close()
    assert (names(target), names(target / "folder")) == ({"one", "folder"}, {"two"})


async def test_without_a_named_folder_every_path_is_one(
    anywhere: LocalEnd, source: Path, target: Path
) -> None:
    (source / "link").symlink_to(target)
    await put(anywhere, source / "link" / "file")
    assert names(target) == {"file"}


async def test_a_folder_may_be_named_later(anywhere: LocalEnd, source: Path, target: Path) -> None:
    (target / "link").symlink_to(source)
    await put(anywhere, target / "link" / "one")
    await anywhere.name(at(target))
    await anywhere.name(at(target))
    with pytest.raises(LinkInTheWay):
        await put(anywhere, target / "link" / "two")
    await anywhere.name(at(target / "link"))
    await put(anywhere, target / "link" / "three")
    assert names(source) == {"one", "three"}


async def test_times_count_as_coarsely_as_the_folders_named_keep_them(
    anywhere: LocalEnd, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps_ns = {at(source): 2_000_000_000, at(target): 1}
    monkeypatch.setattr(end_module, "_time_step_ns", steps_ns.__getitem__)
    await anywhere.name(at(target))
    assert anywhere.capabilities.time_step_ns == 1
    await anywhere.name(at(source))
    await anywhere.name(at(target))
    assert anywhere.capabilities.time_step_ns == 2_000_000_000


async def test_what_goes_into_a_folder_goes_into_the_one_of_that_name_now(
    end: LocalEnd, target: Path
) -> None:
    (target / "folder").mkdir()
    await put(end, target / "folder" / "one")
    (target / "folder").rename(target / "other")
    (target / "folder").mkdir()
    await put(end, target / "folder" / "two")
    assert (names(target / "other"), names(target / "folder")) == ({"one"}, {"two"})


async def test_a_named_folder_may_be_made_anew(end: LocalEnd, target: Path) -> None:
    await put(end, target / "one")
    await end.remove_file(at(target / "one"))
    await end.remove_folder(at(target))
    with pytest.raises(NotFound):
        await put(end, target / "two")
    await end.make_folder(at(target))
    await put(end, target / "two")
    assert names(target) == {"two"}


async def test_few_folders_stay_open(end: LocalEnd, target: Path) -> None:
    for number in range(2 * MOST_FOLDERS):
        await end.make_folder(at(target / f"{number}"))
        await put(end, target / f"{number}" / "file")
    below = f"{target}/"
    opened = [path for path in _open_files() if path.startswith(below)]
    assert MOST_FOLDERS <= len(opened) <= 2 * MOST_FOLDERS


async def test_many_threads_may_use_and_lose_the_same_folders(target: Path, end: LocalEnd) -> None:
    folders = [target / f"{number}" for number in range(MOST_FOLDERS + 20)]
    for folder in folders:
        folder.mkdir()
    paths = [folder / f"{number}" for number in range(4) for folder in folders]
    await asyncio.gather(*(put(end, path) for path in paths))
    assert all(names(folder) == {"0", "1", "2", "3"} for folder in folders)


async def test_new_files_get_what_the_user_gives_new_files(end: LocalEnd, target: Path) -> None:
    os.chmod(target, 0o2775)
    if os.geteuid() == 0:
        os.chown(target, -1, 4242)
    await put(end, target / "file")
    (target / "plain").touch()
    writer = await begin(end, target / "written")
    assert stat.S_IMODE(half_of(target / "written").stat().st_mode) == 0o600
    await writer.publish(Attributes(), replace=False, flush=False)
    wanted = (target / "plain").stat()
    for name in ("file", "written"):
        info = (target / name).stat()
        assert (info.st_mode, info.st_gid) == (wanted.st_mode, wanted.st_gid)


async def test_no_file_becomes_a_program_that_runs_as_somebody_else(end: LocalEnd, target: Path) -> None:
    await put(end, target / "file", mode=0o6755)
    assert stat.S_IMODE((target / "file").stat().st_mode) == 0o755


@pytest.mark.parametrize("lacking", ["nameless files", "naming them"])
async def test_files_are_put_where_there_are_no_nameless_ones(
    end: LocalEnd, target: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    if lacking == "nameless files":
        monkeypatch.setattr(syscalls, "O_TMPFILE", 0)
    else:
        monkeypatch.setattr(os, "link", failing(errno.EPERM))
    await put(end, target / "one", mode=0o640)
    await put(end, target / "two", mode=0o640)
    with pytest.raises(PlaceError, match="one"):
        await put(end, target / "one", b"other")
    assert names(target) == {"one", "two"}
    info = (target / "one").stat()
    assert (stat.S_IMODE(info.st_mode), info.st_mtime_ns, info.st_size) == (0o640, TIME_NS, 3)


async def test_a_full_disk_leaves_nothing_of_a_small_file(
    end: LocalEnd, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for replace in (False, True):
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", failing(errno.ENOSPC))
            with pytest.raises(OutOfSpace, match="file"):
                await put(end, target / "file", replace=replace)
        assert names(target) == set()


async def test_a_full_disk_keeps_the_half_of_a_big_file(
    end: LocalEnd, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await begin(end, target / "file")
    await writer.write(0, b"12345")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwritev", failing(errno.ENOSPC))
        with pytest.raises(OutOfSpace, match="file"):
            await writer.write(5, b"67890")
    await writer.suspend()
    again = await begin(end, target / "file")
    assert again.start == 5
    await again.write(5, b"67890")
    await again.publish(Attributes(), replace=False, flush=False)
    assert (target / "file").read_bytes() == b"1234567890"


async def test_bytes_taken_in_part_are_written_on(
    end: LocalEnd, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, memoryview(data)[:3], offset))
    await put(end, target / "file", b"1234567890")
    assert (target / "file").read_bytes() == b"1234567890"


async def test_pieces_taken_in_part_are_written_on(
    end: LocalEnd, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwritev = os.pwritev

    def part(fd: int, pieces: Sequence[bytes], offset: int) -> int:
        return pwritev(fd, [pieces[0], pieces[1][:1]], offset)

    monkeypatch.setattr(os, "pwritev", part)
    writer = await begin(end, target / "file")
    await writer.write(0, b"123", memoryview(b"45"))
    await writer.write(5, b"67", b"89", b"0")
    await writer.publish(Attributes(), replace=False, flush=False)
    assert (target / "file").read_bytes() == b"1234567890"


async def test_more_pieces_than_the_system_takes_at_once_are_written(end: LocalEnd, target: Path) -> None:
    data = bytes(range(256)) * 10
    writer = await end.open_writer(at(target / "file"), Identity(TAG, len(data), TIME_NS))
    await writer.write(0, *(data[at : at + 1] for at in range(len(data))))
    await writer.publish(Attributes(), replace=False, flush=False)
    assert (target / "file").read_bytes() == data


async def test_a_file_the_disk_refuses_does_not_get_its_name(
    end: LocalEnd, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await begin(end, target / "file")
    await writer.write(0, b"1234567890")
    with monkeypatch.context() as patch:
        patch.setattr(syscalls, "sync_file", failing(errno.EIO))
        with pytest.raises(StorageFault, match="file"):
            await writer.publish(Attributes(), replace=False, flush=True)
    assert names(target) == {half_of(target / "file").name}
    await writer.discard()
    assert names(target) == set()


async def test_a_flush_that_fails_is_told(
    end: LocalEnd, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syscalls, "sync_filesystem", failing(errno.EIO))
    with pytest.raises(NotFlushed):
        await end.flush(at(target))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO])
async def test_a_half_file_that_cannot_be_opened_just_now_is_kept(
    end: LocalEnd, target: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    half, real = half_of(target / "file"), os.open
    half.write_bytes(b"12345")

    def fails(path: Any, *rest: Any, **more: Any) -> int:
        if path == os.fsencode(half.name):
            raise OSError(number, os.strerror(number))
        return real(path, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fails)
        with pytest.raises(PlaceError):
            await begin(end, target / "file")
    writer = await begin(end, target / "file")
    assert writer.start == 5
    await writer.discard()


@pytest.mark.parametrize("what", ["link", "second name", "too long", "folder"])
async def test_only_an_own_half_file_is_gone_on_with(
    end: LocalEnd, target: Path, source: Path, what: str
) -> None:
    victim, half = source / "victim", half_of(target / "file")
    victim.write_bytes(b"12345")
    if what == "link":
        half.symlink_to(victim)
    elif what == "second name":
        half.hardlink_to(victim)
    elif what == "too long":
        half.write_bytes(b"12345678901")
    else:
        half.mkdir()
        with pytest.raises(PlaceError, match="file"):
            await begin(end, target / "file")
        assert half.is_dir()
        return
    writer = await begin(end, target / "file")
    assert writer.start == 0
    await writer.write(0, b"abc")
    await writer.publish(Attributes(), replace=False, flush=False)
    assert (target / "file").read_bytes() == b"abc"
    assert victim.read_bytes() == b"12345"


async def test_a_write_nobody_waits_for_ends_before_the_file_is_closed(
    end: LocalEnd, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, pwritev = threading.Event(), threading.Event(), os.pwritev

    def slow(fd: int, pieces: Sequence[bytes], offset: int) -> int:
        begun.set()
        assert go_on.wait(20)
        return pwritev(fd, pieces, offset)

    writer = await begin(end, target / "file")
    monkeypatch.setattr(os, "pwritev", slow)
    writing = asyncio.create_task(writer.write(0, b"12345"))
    await asyncio.to_thread(begun.wait, 20)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    ending = asyncio.create_task(writer.suspend())
    await asyncio.sleep(0)
    assert not ending.done()
    go_on.set()
    await ending
    assert half_of(target / "file").read_bytes() == b"12345"


async def test_a_file_is_closed_after_a_read_nobody_waits_for(
    end: LocalEnd, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, pread = threading.Event(), threading.Event(), os.pread
    seen: list[bytes] = []

    def slow(fd: int, size: int, offset: int) -> bytes:
        begun.set()
        assert go_on.wait(20)
        seen.append(pread(fd, size, offset))
        return seen[-1]

    (target / "file").write_bytes(b"content")
    reader = await end.open_reader(at(target / "file"))
    monkeypatch.setattr(os, "pread", slow)
    reading = asyncio.create_task(reader.read(0, 7))
    await asyncio.to_thread(begun.wait, 20)
    await reader.close()
    with pytest.raises(Unsupported, match="closed"):
        await reader.read(0, 7)
    go_on.set()
    assert await reading == b"content"
    assert seen == [b"content"]


async def test_a_fifo_is_neither_read_nor_waited_for(end: LocalEnd, target: Path) -> None:
    os.mkfifo(target / "fifo")
    with pytest.raises(Unsupported, match="fifo"):
        await end.get(at(target / "fifo"), 100)
    with pytest.raises(Unsupported, match="fifo"):
        await end.open_reader(at(target / "fifo"))
    await put(end, target / "fifo", replace=True)
    assert (target / "fifo").read_bytes() == b"new"


async def test_a_folder_one_may_only_pass_through_is_passed_through(
    anywhere: LocalEnd, shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    (shared / "file").write_bytes(b"content")
    os.chmod(shared, 0o711)
    with as_nobody():
        assert (await anywhere.get(at(shared / "file"), 100))[1] == b"content"


async def test_what_is_not_allowed_is_told(
    anywhere: LocalEnd, shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    (shared / "file").write_bytes(b"content")
    (shared / "file").chmod(0o600)
    os.chmod(shared, 0o755)
    with as_nobody():
        if os.access(shared, os.W_OK, effective_ids=True):
            pytest.skip("this user may write everywhere")
        with pytest.raises(PermissionDenied, match="file"):
            await anywhere.get(at(shared / "file"), 100)
        with pytest.raises(PermissionDenied, match="new"):
            await put(anywhere, shared / "new")
        with pytest.raises(PermissionDenied, match="new"):
            await begin(anywhere, shared / "new")


async def test_where_there_can_be_no_links_it_says_so(
    end: LocalEnd, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (target / "link").touch()
    for name, replace in (("new", False), ("link", True)):
        with monkeypatch.context() as patch:
            patch.setattr(os, "symlink", failing(errno.EPERM))
            with pytest.raises(NotHeld, match="no symbolic link"):
                await end.make_symlink(at(target / name), "elsewhere", TAG, replace=replace)
    assert names(target) == {"link"}


async def test_a_missing_name_is_missing_whatever_windows_says(end: LocalEnd, target: Path) -> None:
    with pytest.raises(NotFound):
        await end.get(at(target / "aux"), 100)


async def test_on_fat_files_are_put_and_names_refused(fat: Path) -> None:
    end = await LocalOpener().open(at(fat / "file"), NobodyAsks())
    assert end.capabilities.time_step_ns == 2_000_000_000
    anywhere = await LocalOpener().open(at(fat), NobodyAsks())
    await anywhere.name(at(fat))
    assert anywhere.capabilities.time_step_ns == 2_000_000_000
    await anywhere.close()
    await put(end, fat / "file", mode=0o755)
    await put(end, fat / "file", b"newer", replace=True)
    with pytest.raises(PlaceError, match="file"):
        await put(end, fat / "file")
    writer = await begin(end, fat / "big")
    await writer.write(0, b"1234567890")
    await writer.publish(Attributes(0o600, TIME_NS), replace=False, flush=True)
    for name in ("ends with a dot.", "a:b"):
        with pytest.raises(Unsupported, match="cannot write"):
            await put(end, fat / name)
    with pytest.raises(NotHeld):
        await end.make_symlink(at(fat / "link"), "file", TAG, replace=False)
    await end.close()
    assert names(fat) == {"file", "big"}
    assert ((fat / "file").read_bytes(), (fat / "big").read_bytes()) == (b"newer", b"1234567890")
    assert int((fat / "file").stat().st_mtime) // 2 == TIME_NS // 2_000_000_000


async def test_a_closed_place_is_of_no_use(end: LocalEnd, target: Path) -> None:
    await put(end, target / "file")
    await end.close()
    for call in (end.stat(at(target / "file")), end.space(at(target)), end.flush(at(target))):
        with pytest.raises(PlaceUnavailable):
            await call
    assert not end.alive


async def test_an_opener_needs_nobody_and_nothing_to_be_there_yet(target: Path) -> None:
    end = await LocalOpener(at(target)).open(at(target / "a" / "b"), NobodyAsks())
    assert end.alive
    await put(end, target / "file")
    await end.close()
    assert names(target) == {"file"}


class NobodyAsks:
    async def ask(self, ask: object) -> Any:
        raise AssertionError("nobody is to be asked")


@pytest.mark.parametrize("method", ["open_reader", "open_writer"])
async def test_a_file_that_opens_after_its_opener_has_gone_is_closed(
    anywhere: LocalEnd, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"text")
    hop, begun, go_on, done = anywhere._hop, threading.Event(), threading.Event(), threading.Event()

    async def slow(do: Callable[..., Any], *args: Any) -> Any:
        def work() -> Any:
            begun.set()
            assert go_on.wait(20)
            try:
                return do(*args)
            finally:
                done.set()

        return await hop(work)

    monkeypatch.setattr(anywhere, "_hop", slow)
    more = [] if method == "open_reader" else [WHOLE]
    opening = asyncio.ensure_future(getattr(anywhere, method)(at(tmp_path / "file"), *more))
    await asyncio.to_thread(begun.wait, 20)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    go_on.set()
    await asyncio.to_thread(done.wait, 20)
    await anywhere.close()
    for _ in range(2000):
        if not any(path.startswith(str(tmp_path)) for path in _open_files()):
            return
        await asyncio.sleep(0.001)
    raise AssertionError("something is still open")
