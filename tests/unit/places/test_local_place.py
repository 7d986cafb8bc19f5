from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tui.model.comparison import Change
from tui.model.entry import EntryKind
from tui.model.error import NotAFolder, NotFound, PermissionDenied, Unsupported
from tui.model.location import Location
from tui.places.local import listing
from tui.places.local.comparing import Comparison
from tui.places.local.place import LocalPlace
from tui.places.local.threads import DaemonThreads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


@pytest.fixture
def place() -> Iterator[LocalPlace]:
    place = LocalPlace()
    yield place
    place.close()


def at(path: Path) -> Location:
    return Location.local(path)


async def names_of(place: LocalPlace, folder: Location) -> tuple[list[str], bytes, list[int]]:
    """Return all names and kinds, and the sizes of the pages."""
    names: list[str] = []
    kinds = bytearray()
    pages = []
    async for page in place.list(folder):
        assert len(page.names) == len(page.kinds)
        names += page.names
        kinds += page.kinds
        pages.append(len(page.names))
    return names, bytes(kinds), pages


async def test_a_small_first_page_comes_before_bigger_ones(place: LocalPlace, source: Path) -> None:
    for number in range(3000):
        (source / f"{number}").touch()
    names, _, pages = await names_of(place, at(source))
    assert sorted(names, key=int) == [str(number) for number in range(3000)]
    assert pages == [200, 1600, 1200]


async def test_a_comparison_tells_what_differs_and_counts_the_rest(
    place: LocalPlace, source: Path, target: Path
) -> None:
    for side in (source, target):
        (side / "folder").mkdir()
        (side / "folder" / "same").write_text("same")
        os.utime(side / "folder" / "same", ns=(1, 1))
    (source / "folder" / "new").touch()
    (target / "extra").touch()
    parts = [part async for part in place.compare(at(source), at(target))]
    found = [(each.path, each.change) for part in parts for each in part.differences]
    assert found == [("extra", Change.EXTRA), ("folder/new", Change.NEW)]
    assert sum(part.files_same for part in parts) == 1


def test_a_comparison_stops_in_the_middle_of_a_file_and_lets_go_of_everything(
    source: Path, target: Path
) -> None:
    class LaterOn:
        """A brake that goes on at the tenth look."""

        looks = 0

        @property
        def on(self) -> bool:
            self.looks += 1
            return self.looks > 10

    for side in (source, target):
        with (side / "long").open("wb") as file:
            file.truncate(1 << 40)  # a hole that takes hours to read
    before = os.listdir("/proc/self/fd")
    comparison = Comparison(str(source), str(target), LaterOn(), by_content=True)  # type: ignore[arg-type]
    assert comparison.step().differences == []
    assert comparison.exhausted
    assert os.listdir("/proc/self/fd") == before


async def test_a_comparison_with_nothing_is_refused(place: LocalPlace, source: Path, target: Path) -> None:
    with pytest.raises(NotFound):
        await anext(place.compare(at(source / "gone"), at(target)))


async def test_kinds_come_with_the_names(place: LocalPlace, source: Path) -> None:
    (source / "file").touch()
    (source / "folder").mkdir()
    (source / "link").symlink_to("folder")
    os.mkfifo(source / "fifo")
    (source / "bad\udcff\n").touch()
    names, kinds, _ = await names_of(place, at(source))
    assert dict(zip(names, kinds, strict=True)) == {
        "file": EntryKind.FILE,
        "folder": EntryKind.FOLDER,
        "link": EntryKind.LINK,
        "fifo": EntryKind.FIFO,
        "bad\udcff\n": EntryKind.FILE,
    }


async def test_an_empty_folder_has_no_page(place: LocalPlace, source: Path) -> None:
    assert await names_of(place, at(source)) == ([], b"", [])


async def test_a_folder_that_cannot_be_listed_says_why(
    place: LocalPlace, shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    (shared / "file").touch()
    for name, error in (("gone", NotFound), ("file", NotAFolder)):
        with pytest.raises(error, match=name):
            await names_of(place, at(shared / name))
    (shared / "closed").mkdir(mode=0)
    with as_nobody(), pytest.raises(PermissionDenied):
        await names_of(place, at(shared / "closed"))


async def test_closing_a_listing_stops_it(place: LocalPlace, source: Path) -> None:
    for number in range(500):
        (source / f"{number}").touch()
    pages = place.list(at(source))
    assert len((await anext(pages)).names) == 200
    await pages.aclose()  # type: ignore[attr-defined]


async def test_a_link_to_a_folder_is_listed(place: LocalPlace, source: Path, target: Path) -> None:
    (target / "in").touch()
    (source / "link").symlink_to(target)
    assert (await names_of(place, at(source / "link")))[0] == ["in"]


async def test_a_walk_tells_of_all_below_the_nearest_first_and_follows_no_link(
    place: LocalPlace, source: Path
) -> None:
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "b" / "deep").touch()
    for name in ("e", "d", "c"):
        (source / name).mkdir()
    (source / ".hidden").mkdir()
    (source / ".hidden" / "in it").touch()
    (source / "up").symlink_to(source)

    async def walked(*, hidden: bool) -> list[tuple[str, list[str]]]:
        steps = [list(some) async for some in place.walk(at(source), hidden=hidden)]
        return [(below.folder.path, sorted(below.names)) for some in steps for below in some]

    near = [(str(source / "a"), ["b"]), *((str(source / name), []) for name in "cde")]
    folders = [*near, (str(source / "a" / "b"), ["deep"])]
    assert await walked(hidden=False) == [(str(source), ["a", "c", "d", "e", "up"]), *folders]
    assert (str(source / ".hidden"), ["in it"]) in await walked(hidden=True)


async def test_a_walk_says_what_it_cannot_read_and_goes_on(
    place: LocalPlace, shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    (shared / "closed").mkdir(mode=0)
    (shared / "open").mkdir()
    with as_nobody():
        steps = [list(some) async for some in place.walk(at(shared), hidden=False)]
    failures = {below.folder.name: type(below.failure) for some in steps for below in some}
    assert failures == {shared.name: type(None), "closed": PermissionDenied, "open": type(None)}
    [[below]] = [list(some) async for some in place.walk(at(shared / "gone"), hidden=False)]
    assert isinstance(below.failure, NotFound)


async def test_details_come_in_the_order_asked_for_and_tolerate_what_has_gone(
    place: LocalPlace, source: Path
) -> None:
    (source / "file").write_bytes(b"12345")
    os.utime(source / "file", ns=(1, 77))
    (source / "to-folder").symlink_to(".")
    (source / "broken").symlink_to("nowhere")
    found = await place.details(at(source), ["to-folder", "gone", "file", "broken"])
    assert list(found.kinds) == [
        EntryKind.FOLDER_LINK,
        EntryKind.UNKNOWN,
        EntryKind.FILE,
        EntryKind.BROKEN_LINK,
    ]
    assert list(found.sizes_bytes) == [1, -1, 5, 7]
    assert found.mtimes_ns[2] == 77
    assert found.modes[2] == (source / "file").stat().st_mode
    with pytest.raises(NotFound):
        await place.details(at(source / "gone"), ["x"])


async def test_a_hundred_thousand_entries_are_listed_soon(place: LocalPlace, tmp_path: Path) -> None:
    """A bound on the processor's time, far above the measured 0.15 and 0.5 s: it finds what is quadratic."""
    folder = tmp_path / "many"
    folder.mkdir()
    fd = os.open(folder, os.O_RDONLY)
    first = folder / "first"
    first.touch()
    for number in range(20_000):
        os.link("first", f"entry-{number}", src_dir_fd=fd, dst_dir_fd=fd)
    os.close(fd)
    start = time.process_time()
    names, _, pages = await names_of(place, at(folder))
    await place.details(at(folder), names)
    assert time.process_time() - start < 5
    assert (len(names), len(pages)) == (20_001, 4)


async def test_single_steps_reach_the_disk(place: LocalPlace, source: Path) -> None:
    await place.make_folder(at(source / "a" / "b"))
    await place.create_file(at(source / "a" / "file"))
    await place.rename(at(source / "a" / "file"), at(source / "a" / "renamed"))
    await place.set_mode(at(source / "a" / "renamed"), 0o600)
    await place.make_symlink(at(source / "sym"), "a")
    await place.make_hardlink(at(source / "hard"), at(source / "a" / "renamed"))
    entry = await place.stat(at(source / "hard"))
    assert (entry.links, entry.mode & 0o777) == (2, 0o600)
    assert (await place.stat(at(source / "sym"), follow=True)).kind is EntryKind.FOLDER
    assert await place.read(at(source / "hard"), 0, 10) == b""
    assert (await place.space(at(source))).size_bytes > 0


async def test_measuring_counts_all_that_is_named(place: LocalPlace, source: Path, target: Path) -> None:
    (source / "a").write_bytes(b"x" * 10)
    (target / "b").write_bytes(b"x" * 5)
    totals = await place.measure([at(source), at(target / "b")])
    assert (totals.files, totals.folders, totals.size_bytes, totals.complete) == (2, 1, 15, True)


async def test_a_count_that_did_not_come_to_all_entries_says_so(place: LocalPlace, source: Path) -> None:
    (source / "a").write_bytes(b"1")
    totals = await place.measure([at(source / "a")] * 20_000, time_limit_s=0.01)
    assert totals.files < 20_000
    assert not totals.complete


async def test_measuring_ends_when_the_time_is_up(place: LocalPlace) -> None:
    start = time.monotonic()
    totals = await place.measure([Location("/proc"), Location("/usr")], time_limit_s=0.0)
    assert not totals.complete
    assert time.monotonic() - start < 2


async def test_other_schemes_are_refused(place: LocalPlace) -> None:
    with pytest.raises(Unsupported, match="only the local disk"):
        await place.stat(Location.from_url("sftp://host/x"))


async def test_a_folder_that_hangs_keeps_only_itself_waiting(
    place: LocalPlace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    real = listing.Names._page

    def hanging(self: listing.Names) -> object:
        if self._folder.name == "dead":
            release.wait(30)
        return real(self)

    monkeypatch.setattr(listing.Names, "_page", hanging)
    (source / "dead").mkdir()
    (source / "alive").touch()
    stuck = [asyncio.create_task(names_of(place, at(source / "dead"))) for _ in range(20)]
    names, _, _ = await asyncio.wait_for(names_of(place, at(source)), 10)
    assert sorted(names) == ["alive", "dead"]
    for task in stuck:
        task.cancel()
    await asyncio.wait(stuck, timeout=10)
    assert all(task.cancelled() for task in stuck)
    release.set()


async def test_entries_that_hang_do_not_keep_the_details_of_the_others(
    place: LocalPlace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "dead1", "dead2", "z"):
        (source / name).write_text("12345")
    (source / "to-dead").symlink_to("dead1")
    release = threading.Event()
    real_lstat, real_stat = os.lstat, os.stat

    def lstat(name: str, *, dir_fd: int | None = None) -> os.stat_result:
        if str(name).startswith("dead"):
            release.wait(30)
        return real_lstat(name, dir_fd=dir_fd)

    def follow(name: str, **options: object) -> os.stat_result:
        if name == "to-dead":
            release.wait(30)
        return real_stat(name, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "lstat", lstat)
    monkeypatch.setattr(os, "stat", follow)
    try:
        found = await asyncio.wait_for(place.details(at(source), ["a", "dead1", "to-dead", "dead2", "z"]), 20)
    finally:
        release.set()
    assert list(found.sizes_bytes) == [5, -1, 5, -1, 5]
    assert found.kinds[1] == EntryKind.UNKNOWN
    assert found.kinds[2] == EntryKind.LINK


async def test_a_disk_that_wakes_up_slowly_is_waited_for(
    place: LocalPlace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.places.local import place as module

    monkeypatch.setattr(module, "_HANGING_S", 0.01)
    names = [f"file{number}" for number in range(30)]
    for name in names:
        (source / name).write_text("12345")
    awake, enough = threading.Event(), threading.Semaphore(0)
    real = os.lstat

    def lstat(name: str, *, dir_fd: int | None = None) -> os.stat_result:
        enough.release()
        awake.wait(30)
        return real(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "lstat", lstat)
    looking = asyncio.create_task(place.details(at(source), names))
    try:
        for _ in range(8):
            assert await asyncio.to_thread(enough.acquire, timeout=10)
    finally:
        awake.set()  # whoever tells of a failure looks at files, too
    found = await asyncio.wait_for(looking, 20)
    assert list(found.sizes_bytes)[8:] == [5] * 22


def test_a_hanging_call_does_not_keep_the_process_from_ending() -> None:
    code = """
import asyncio, threading
from tui.places.local.place import LocalPlace
async def main():
    place = LocalPlace()
    try:
        await asyncio.wait_for(place._call(threading.Event().wait), 0.1)
    except TimeoutError:
        print("left")
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.returncode) == ("left\n", 0)


async def test_changes_are_told_and_the_end_of_the_folder_ends_it(place: LocalPlace, source: Path) -> None:
    folder = source / "watched"
    folder.mkdir()
    (folder / "below").mkdir()
    changes = place.watch(at(folder))
    told = asyncio.ensure_future(anext(changes))
    number = 0
    while not told.done():
        (folder / f"{number}").touch()
        number += 1
        await asyncio.wait([told], timeout=0.2)
    assert told.result() is None

    async def to_the_end() -> None:
        async for _ in changes:
            pass

    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
    await asyncio.wait_for(to_the_end(), 20)


async def test_a_folder_that_cannot_be_watched_ends_quietly(place: LocalPlace, source: Path) -> None:
    assert [change async for change in place.watch(at(source / "gone"))] == []


async def test_a_folder_is_not_watched_before_it_has_answered(
    place: LocalPlace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To register it holds the interpreter's lock, and with it the screen."""
    asked, answer, registered = threading.Event(), threading.Event(), threading.Event()
    real_open = os.open

    def hanging(path: str, flags: int, *args: int, **options: int) -> int:
        if path == str(source):
            asked.set()
            assert answer.wait(20)
        return real_open(path, flags, *args, **options)

    def watch(*_: object, **__: object) -> list[object]:
        registered.set()
        return []

    monkeypatch.setattr(os, "open", hanging)
    monkeypatch.setattr("watchfiles.watch", watch)
    following = asyncio.ensure_future(anext(place.watch(at(source)), None))
    assert await asyncio.to_thread(asked.wait, 20)
    assert not registered.is_set()
    answer.set()
    assert await following is None
    assert registered.is_set()


async def test_a_watch_is_let_go_of(place: LocalPlace, source: Path) -> None:
    changes = place.watch(at(source))
    waiting = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await changes.aclose()  # type: ignore[attr-defined]


def test_threads_are_used_again_and_errors_come_back() -> None:
    threads = DaemonThreads("test")
    assert len({threads.submit(threading.get_ident).result(10) for _ in range(50)}) < 50
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 // 0).result(10)
    gate, started = threading.Event(), threading.Barrier(11)

    def wait() -> bool:
        started.wait(10)
        return gate.wait(10)

    waiting = [threads.submit(wait) for _ in range(10)]
    started.wait(10)  # all ten run at once
    assert threads.submit(int, "7").result(10) == 7
    gate.set()
    assert all(future.result(10) for future in waiting)
    threads.shutdown()
    with pytest.raises(RuntimeError):
        threads.submit(int)


def test_no_call_waits_behind_a_hanging_one() -> None:
    threads = DaemonThreads("test")
    gate = threading.Event()
    hanging = []
    for number in range(30):
        hanging.append(threads.submit(gate.wait, 30))
        assert threads.submit(lambda number=number: number).result(10) == number
    gate.set()
    for future in hanging:
        future.result(10)
    threads.shutdown()
