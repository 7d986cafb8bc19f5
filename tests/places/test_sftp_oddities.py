"""Servers that are not OpenSSH: what one refuses, or does in its own way, must not fail every file there."""

from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING

import asyncssh
import pytest

from tests.servers.sftp import place_on, plain_place
from tests.servers.sshd import running_sshd
from tui.model.error import Unsupported
from tui.model.location import Location
from tui.places.base import Attributes, Identity

if TYPE_CHECKING:
    from collections.abc import Callable
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
    """Return whether a file has the mode, and the time, that were wanted."""
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
