"""Copies and moves to a real SFTP server and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncssh
import pytest
from far_harness import Far

from tests.servers.sftp import connect, plain_server
from tests.trees import make_mixed_tree, partials
from tui.model.fidelity import Loss
from tui.model.job import Conflict, JobKind, Request
from tui.model.location import Location
from tui.places.local.end import LocalOpener
from tui.places.sftp.manners import Manners
from tui.places.sftp.place import SftpPlace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.servers.sshd import Sshd


class SftpOpener:
    """Signs in to the server of the tests, whatever the host is called."""

    def __init__(self, sign_in: Callable[[], Awaitable[asyncssh.SSHClientConnection]]) -> None:
        self._sign_in, self._manners = sign_in, Manners()

    async def open(self, location: Location, asker: object) -> SftpPlace:
        return await SftpPlace.start(await self._sign_in(), location, self._manners)


@pytest.fixture
async def server(tmp_path: Path, sshd: Sshd) -> AsyncIterator[Far]:
    far = Far(tmp_path / "journal")
    far.openers = {"file": LocalOpener(), "sftp": SftpOpener(lambda: connect(sshd))}  # type: ignore[dict-item]
    async with far.engine_on():
        yield far


async def carry(far: Far, source: Location, target: Location, kind: JobKind) -> None:
    await far.done(await far.engine.submit(Request(kind=kind, sources=(source,), target=target)))


def content(tree: Path) -> dict[str, tuple[bytes, int, int] | None]:
    return {
        str(path.relative_to(tree)): (
            path.read_bytes(), path.stat().st_mtime_ns // 10**9, path.stat().st_mode & 0o777
        )
        if path.is_file()
        else None
        for path in tree.rglob("*")
    }  # fmt: skip


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
async def test_a_tree_goes_there_on_to_another_host_and_back(
    server: Far, tmp_path: Path, kind: JobKind
) -> None:
    tree = tmp_path / "tree"
    make_mixed_tree(tree, seed=3, files=80, large_bytes=3 << 20, large_files=2)
    for path in tree.rglob("*"):
        if not (path.is_symlink() or path.is_file() or path.is_dir()):
            path.unlink()
    before = content(tree)
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    await carry(server, Location.local(tree), Location(str(one), "sftp", "one"), kind)
    assert content(one / "tree") == before
    source = Location(str(one / "tree"), "sftp", "one")
    await carry(server, source, Location(str(two), "sftp", "two"), kind)
    assert content(two / "tree") == before
    back = Location.local(tmp_path / "back")
    await carry(server, Location(str(two / "tree"), "sftp", "two"), back, kind)
    assert content(tmp_path / "back" / "tree") == before
    for folder in (one, two, tmp_path / "back"):
        assert partials(folder) == []
    assert (tree.exists(), (one / "tree").exists(), (two / "tree").exists()) == (
        (True,) * 3 if kind is JobKind.COPY else (False,) * 3
    )


async def test_a_file_is_not_moved_onto_itself_by_another_name_of_its_host(
    server: Far, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"a")
    request = Request(
        kind=JobKind.MOVE,
        sources=(Location.local(tmp_path / "a"),),
        target=Location(str(tmp_path), "sftp", "one"),
    )
    id = await server.engine.submit(request)
    await server.rests(id)
    assert [message.partition(":")[0] for message in await server.messages(id)] == ["SameFile"]
    assert (tmp_path / "a").read_bytes() == b"a"


class MaySetNothing(asyncssh.SFTPServer):
    """A server whose users may not set modes or times."""

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        if attrs.permissions is not None or attrs.mtime is not None:
            raise asyncssh.SFTPPermissionDenied("Permission denied")

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        self.setstat(b"", attrs)


async def test_attributes_that_a_server_does_not_set_are_told_with_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, there = tmp_path / "tree", tmp_path / "there"
    (tree / "folder").mkdir(parents=True)
    there.mkdir()
    for number in range(6):
        (tree / "folder" / str(number)).write_bytes(bytes(number * 60_000))
    files = contents(tree)
    far = Far(tmp_path / "journal")
    async with plain_server(monkeypatch, MaySetNothing) as sign_in:
        far.openers = {"file": LocalOpener(), "sftp": SftpOpener(sign_in)}  # type: ignore[dict-item]
        async with far.engine_on() as engine:
            for number in range(2):
                request = Request(
                    kind=JobKind.SYNC,
                    sources=(Location.local(tree),),
                    target=Location(str(there / "tree"), "sftp", "one"),
                    into=False,
                    conflict=Conflict.OVERWRITE,
                )
                id = await engine.submit(request)
                job = await far.done(id)
                lost = {lost.loss: lost.count for lost in await engine.losses(id)}
                assert min(lost[Loss.TIMES], lost[Loss.MODE]) >= len(files)
                assert (job.progress.files_same >= len(files)) == bool(number)
    assert contents(there / "tree") == files


def contents(tree: Path) -> dict[Path, bytes]:
    return {path.relative_to(tree): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
