"""Copies and moves to a real SFTP server and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from far_harness import Far

from tests.servers.sftp import connect
from tests.trees import make_mixed_tree, partials
from tui.model.job import JobKind, Request
from tui.model.location import Location
from tui.places.local.end import LocalOpener
from tui.places.sftp.place import SftpPlace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers.sshd import Sshd


class SftpOpener:
    """Signs in to the server of the tests, whatever the host is called; keeps the connections, to be cut."""

    def __init__(self, server: Sshd) -> None:
        self._server = server
        self.connections: list[object] = []

    async def open(self, location: Location, asker: object) -> SftpPlace:
        connection = await connect(self._server)
        self.connections.append(connection)
        return await SftpPlace.start(connection, location)


@pytest.fixture
async def server(tmp_path: Path, sshd: Sshd) -> AsyncIterator[Far]:
    far = Far(tmp_path / "journal")
    far.openers = {"file": LocalOpener(), "sftp": SftpOpener(sshd)}  # type: ignore[dict-item]
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
