"""Servers that are not OpenSSH: what one refuses, or does in its own way, must not fail every file there."""

from __future__ import annotations

import asyncio
import os
import stat
from typing import TYPE_CHECKING, Any, cast

import asyncssh
import pytest

from tests.servers.sftp import place_on, plain_place
from tests.servers.sshd import running_sshd
from tui.model.error import AlreadyExists, PermissionDenied, Unsupported
from tui.model.location import Location
from tui.places.base import Attributes, Identity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tui.places.sftp.place import SftpPlace

    On = Callable[[type[asyncssh.SFTPServer]], AbstractAsyncContextManager[SftpPlace]]

TAG = "job12345"
OLD_S = 1_234_567_890
WANTED = Attributes(mode=0o640, mtime_ns=OLD_S * 10**9)
LARGE = bytes(range(256)) * 4096


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> On:
    """Have a place on a server of some kind."""
    return lambda factory: plain_place(monkeypatch, factory)


@pytest.fixture
def folder(tmp_path: Path) -> Location:
    return Location(str(tmp_path), "sftp", "test")


async def put(place: SftpPlace, location: Location, data: bytes, *, replace: bool = False) -> None:
    """Make a file as a small one is made, or as a large one, by its size."""
    if len(data) < len(LARGE):
        await place.put(location, data, WANTED, TAG, replace=replace, flush=False)
        return
    writer = await place.open_writer(location, Identity(TAG, len(data), OLD_S))
    try:
        await writer.write(0, data)
        await writer.publish(WANTED, replace=replace, flush=False)
    except BaseException:
        await writer.discard()
        raise


both_ways = pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "large"])


def facts(path: Path) -> tuple[bool, bool]:
    """Return whether a file or folder has the mode, and the time, that were wanted."""
    found = path.stat()
    return stat.S_IMODE(found.st_mode) == WANTED.mode, int(found.st_mtime) == OLD_S


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def kept(place: SftpPlace) -> tuple[bool, bool]:
    """Return whether the place says that it gives files their mode, and their time."""
    return place.capabilities.takes_modes, place.capabilities.sets_times


# Modes and times


class SetsNothing(asyncssh.SFTPServer):
    """As Amazon's: to set attributes is no operation it knows."""

    asked = 0

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        type(self).asked += 1
        raise asyncssh.SFTPOpUnsupported("SETSTAT unsupported")

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        self.setstat(b"", attrs)


class MaySetNothing(SetsNothing):
    """It says that one may not; and what sets nothing it does."""

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        if attrs.permissions is not None or attrs.mtime is not None:
            type(self).asked += 1
            raise asyncssh.SFTPPermissionDenied("Permission denied")


@both_ways
@pytest.mark.parametrize("kind", [SetsNothing, MaySetNothing])
async def test_files_go_to_a_server_that_sets_no_attributes(
    on: On, kind: type[SetsNothing], data: bytes, folder: Location, tmp_path: Path
) -> None:
    async with on(kind) as place:
        await put(place, folder.child("first"), data)
        assert kept(place) == (False, False)
        kind.asked = 0
        for name in ("second", "third"):
            await put(place, folder.child(name), data)
        assert kind.asked == 0
        assert await asyncio.to_thread(contents, tmp_path) == dict.fromkeys(
            ("first", "second", "third"), data
        )


async def test_that_nothing_can_be_set_is_known_before_anything_is(on: On) -> None:
    async with on(SetsNothing) as place:
        assert kept(place) == (False, False)
    async with on(asyncssh.SFTPServer) as place:
        assert kept(place) == (True, True)


async def test_an_openssh_that_denies_it_is_known_before_anything_is(
    tmp_path: Path, folder: Location
) -> None:
    (tmp_path / "in").mkdir()
    config = "ForceCommand internal-sftp -P setstat,fsetstat"
    with running_sshd(tmp_path / "sshd", extra=config) as server:
        async with place_on(server) as place:
            assert kept(place) == (False, False)
            await put(place, folder.child("in").child("file"), b"small")
    assert (tmp_path / "in" / "file").read_bytes() == b"small"


async def test_folders_are_made_where_no_attributes_are_set(on: On, folder: Location, tmp_path: Path) -> None:
    async with on(MaySetNothing) as place:
        await place.make_folder(folder.child("new"), 0o1777)
        assert (tmp_path / "new").is_dir()
        assert not place.capabilities.takes_modes


async def test_who_asks_for_a_mode_where_none_is_set_is_told(on: On, folder: Location) -> None:
    async with on(SetsNothing) as place:
        await put(place, folder.child("file"), b"small")
        with pytest.raises(Unsupported, match="the server cannot do that"):
            await place.set_attributes(folder.child("file"), Attributes(mode=0o600))


class SetsTimes(asyncssh.SFTPServer):
    """It knows no modes."""

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        if attrs.permissions is not None:
            raise asyncssh.SFTPOpUnsupported("Unsupported")
        super().setstat(path, attrs)


async def test_who_is_refused_a_mode_may_still_set_a_time(on: On, folder: Location, tmp_path: Path) -> None:
    async with on(SetsTimes) as place:
        with pytest.raises(Unsupported):
            await place.set_attributes(folder, Attributes(mode=0o700))
        assert kept(place) == (False, True)
        await place.set_attributes(folder, Attributes(mtime_ns=WANTED.mtime_ns))
    assert facts(tmp_path)[1]


class SetsModes(asyncssh.SFTPServer):
    """It sets modes, and refuses whatever holds a time."""

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        if attrs.mtime is not None:
            raise asyncssh.SFTPFailure("Failure")
        super().setstat(path, attrs)

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        if attrs.mtime is not None:
            raise asyncssh.SFTPFailure("Failure")
        super().fsetstat(file_obj, attrs)


@both_ways
async def test_what_is_set_of_the_attributes_is_kept(
    on: On, data: bytes, folder: Location, tmp_path: Path
) -> None:
    async with on(SetsModes) as place:
        for name in ("first", "second"):
            await put(place, folder.child(name), data)
            assert facts(tmp_path / name) == (True, False)
        assert kept(place) == (True, False)


class SetsClosed(asyncssh.SFTPServer):
    """It sets attributes of files that are not open."""

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        raise asyncssh.SFTPOpUnsupported("Unsupported")


class ForgetsOnClose(asyncssh.SFTPServer):
    """What it sets of an open file is lost when that is closed."""

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None: ...


@both_ways
@pytest.mark.parametrize("kind", [SetsClosed, ForgetsOnClose])
async def test_where_open_files_keep_no_attributes_closed_ones_get_them(
    on: On, kind: type[asyncssh.SFTPServer], data: bytes, folder: Location, tmp_path: Path
) -> None:
    async with on(kind) as place:
        for name in ("first", "second"):
            await put(place, folder.child(name), data)
            assert facts(tmp_path / name) == (True, True)
        assert kept(place) == (True, True)


class OnlySaysSo(asyncssh.SFTPServer):
    """It says that it has set what it has not."""

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None: ...

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None: ...


@both_ways
async def test_a_server_that_only_says_it_sets_attributes_is_found_out(
    on: On, data: bytes, folder: Location, tmp_path: Path
) -> None:
    async with on(OnlySaysSo) as place:
        await put(place, folder.child("file"), data)
        assert kept(place) == (False, False)
    assert (tmp_path / "file").read_bytes() == data


@pytest.mark.parametrize("time_s", [-5, (1 << 32) + 5], ids=["1969", "2106"])
async def test_a_server_that_keeps_times_is_not_doubted_for_one_that_it_cannot_be_told(
    on: On, folder: Location, tmp_path: Path, time_s: int
) -> None:
    async with on(asyncssh.SFTPServer) as place:
        early = Attributes(mode=0o640, mtime_ns=time_s * 10**9)
        await place.put(folder.child("early"), b"data", early, TAG, replace=False, flush=False)
        await put(place, folder.child("file"), b"data")
        assert kept(place) == (True, True)
    assert facts(tmp_path / "file") == (True, True)


# Names, and what stands there


class HasNoHome(asyncssh.SFTPServer):
    """It does not say where one is."""

    def realpath(self, path: bytes) -> bytes:
        raise asyncssh.SFTPOpUnsupported("Unsupported")


class IsVague(asyncssh.SFTPServer):
    """It says that one is where one is."""

    def realpath(self, path: bytes) -> bytes:
        return b"."


class LeavesOutTheRoot(asyncssh.SFTPServer):
    """It says where one is as Windows does."""

    def realpath(self, path: bytes) -> bytes:
        return b"C:/Users/ann"


@pytest.mark.parametrize(
    ("kind", "home"), [(HasNoHome, "/"), (IsVague, "/"), (LeavesOutTheRoot, "/C:/Users/ann")]
)
async def test_a_server_need_not_say_where_one_is(
    on: On, kind: type[asyncssh.SFTPServer], home: str, folder: Location, tmp_path: Path
) -> None:
    async with on(kind) as place:
        assert (await place.resolve(Location("/~", "sftp", "test"))).path == home
        await put(place, folder.child("file"), b"small")
    assert (tmp_path / "file").read_bytes() == b"small"


class FollowsLinks(asyncssh.SFTPServer):
    """It knows no look that does not follow links."""

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        raise asyncssh.SFTPOpUnsupported("Unsupported")

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        for entry in os.scandir(path):
            yield asyncssh.SFTPName(entry.name, attrs=asyncssh.SFTPAttrs.from_local(entry.stat()))


class OpensOneWay(asyncssh.SFTPServer):
    """As Azure's: it opens no file to be read and written."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags & asyncssh.FXF_READ and pflags & asyncssh.FXF_WRITE:
            raise asyncssh.SFTPOpUnsupported("Unsupported")
        return super().open(path, pflags, attrs)


class KnowsNoCondition(asyncssh.SFTPServer):
    """It cannot create a file on condition that there is none."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags & asyncssh.FXF_EXCL:
            raise asyncssh.SFTPOpUnsupported("Unsupported")
        return super().open(path, pflags, attrs)


class TellsNothingOfOpenFiles(asyncssh.SFTPServer):
    """It looks at names only."""

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        raise asyncssh.SFTPFailure("Failure")


class TellsLittleOfOpenFiles(asyncssh.SFTPServer):
    """It tells how large they are."""

    def fstat(self, file_obj: Any) -> asyncssh.SFTPAttrs:
        return asyncssh.SFTPAttrs(size=os.fstat(file_obj.fileno()).st_size)


class TellsLateHowLarge(asyncssh.SFTPServer):
    """As stores do: a file that is being written is empty until it is closed."""

    def fstat(self, file_obj: Any) -> asyncssh.SFTPAttrs:
        found = asyncssh.SFTPAttrs.from_local(os.fstat(file_obj.fileno()))
        if file_obj.writable():
            found.size = 0
        return found


ODD = [
    FollowsLinks,
    OpensOneWay,
    KnowsNoCondition,
    TellsNothingOfOpenFiles,
    TellsLittleOfOpenFiles,
    TellsLateHowLarge,
]


@both_ways
@pytest.mark.parametrize("kind", ODD)
async def test_files_go_to_an_odd_server_and_come_back(
    on: On, kind: type[asyncssh.SFTPServer], data: bytes, folder: Location, tmp_path: Path
) -> None:
    async with on(kind) as place:
        there = folder.child("file")
        await put(place, there, b"before")
        with pytest.raises(AlreadyExists):
            await put(place, there, data)
        await put(place, there, data, replace=True)
        assert await asyncio.to_thread(contents, tmp_path) == {"file": data}
        assert facts(tmp_path / "file") == (True, True)
        (entry,) = [entry async for page in place.list(folder) for entry in page]
        found, got = await place.get(there, len(LARGE), entry)
        assert (got, found.size_bytes) == (data, len(data))
        reader = await place.open_reader(there)
        assert await reader.read(0, len(LARGE)) == data
        assert (await reader.look()).facts == entry.facts
        await reader.close()


async def test_a_half_file_that_cannot_be_gone_on_with_is_begun_anew(
    on: On, folder: Location, tmp_path: Path
) -> None:
    identity = Identity(TAG, len(LARGE), OLD_S)
    async with on(OpensOneWay) as place:
        writer = await place.open_writer(folder.child("file"), identity)
        await writer.write(0, LARGE[:100_000])
        await writer.suspend()
        writer = await place.open_writer(folder.child("file"), identity)
        assert writer.start == 0 and not await writer.check(1000)
        await writer.write(0, LARGE)
        await writer.publish(WANTED, replace=False, flush=False)
        assert await asyncio.to_thread(contents, tmp_path) == {"file": LARGE}


# How much at once


class OpensFew(asyncssh.SFTPServer):
    """It has so many files open, and no more."""

    most = 5
    opened = 0

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if self.opened >= self.most:
            raise asyncssh.SFTPFailure("Too many open files")
        type(self).opened += 1
        return super().open(path, pflags, attrs)

    def close(self, file_obj: Any) -> None:
        type(self).opened -= 1
        super().close(file_obj)


async def test_no_file_fails_where_few_may_be_open(on: On, folder: Location, tmp_path: Path) -> None:
    async with on(OpensFew) as place:
        there = [folder.child(str(number)) for number in range(100)]
        await asyncio.gather(*(put(place, each, b"small") for each in there))
        found = await asyncio.gather(*(place.get(each, 100) for each in there))
    assert [data for _, data in found] == [b"small"] * 100


# Looks


class Hides(asyncssh.SFTPServer):
    """It tells nothing of what is named "hidden"."""

    def lstat(self, path: bytes) -> os.stat_result:
        if path.endswith(b"hidden"):
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        return cast("os.stat_result", super().lstat(path))


async def test_a_server_for_uploads_alone_is_told_from_a_file_nobody_may_look_at(
    on: On, folder: Location, tmp_path: Path
) -> None:
    config = "ForceCommand internal-sftp -P stat,lstat,fstat,opendir"
    with running_sshd(tmp_path / "sshd", extra=config) as server:
        async with place_on(server) as place:
            with pytest.raises(Unsupported, match="nobody look at anything") as told:
                await place.stat(folder, follow=True)
            assert "upload with sftp" in told.value.remedy
    async with on(Hides) as place:
        with pytest.raises(PermissionDenied, match="hidden"):
            await place.stat(folder.child("hidden"))
