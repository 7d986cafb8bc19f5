"""Places over SFTP: OpenSSH's, the same without extensions, and asyncssh's server, which is neither."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.places.stand import DiskStand
from tests.servers.sftp import connect, plain_server
from tui.model.location import Location
from tui.places.sftp.place import SftpPlace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    import asyncssh
    import pytest

    from tests.places.stand import Stand
    from tui.places.base import Place


UNPROVEN_BYTES = 256 << 10
"""How far before its end a half file may hold a gap, here. The true number takes files of 48 MiB: test_sftp_lost and
test_sftp_wide hold Ferry to it."""


class SftpStand(DiskStand):
    """A folder of this machine behind a server. Of a half file all is found again that cannot hold a gap."""

    kept_bytes = UNPROVEN_BYTES

    def __init__(self, disk: Path, sign_in: Callable[[], Awaitable[asyncssh.SSHClientConnection]]) -> None:
        super().__init__(disk, Location(str(disk), "sftp", "host"))
        self._sign_in = sign_in
        self.connections: dict[int, asyncssh.SSHClientConnection] = {}

    async def open(self) -> Place:
        connection = await self._sign_in()
        place = await SftpPlace.start(connection, self.folder)
        self.connections[id(place)] = connection
        return place

    async def lose(self, place: Place) -> None:
        connection = self.connections[id(place)]
        connection.abort()
        await connection.wait_closed()

    async def close(self) -> None:
        for connection in self.connections.values():
            connection.abort()
            await connection.wait_closed()


def _disk(request: pytest.FixtureRequest) -> Path:
    request.getfixturevalue("monkeypatch").setattr("tui.places.sftp.writing.UNPROVEN_BYTES", UNPROVEN_BYTES)
    folder: Path = request.getfixturevalue("tmp_path") / "far"
    folder.mkdir()
    return folder


@contextlib.asynccontextmanager
async def _on_sshd(request: pytest.FixtureRequest, fixture: str) -> AsyncIterator[Stand]:
    server = request.getfixturevalue(fixture)
    stand = SftpStand(_disk(request), lambda: connect(server))
    try:
        yield stand
    finally:
        await stand.close()


@contextlib.asynccontextmanager
async def _on_asyncssh(request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    async with plain_server(request.getfixturevalue("monkeypatch")) as sign_in:
        stand = SftpStand(_disk(request), sign_in)
        try:
            yield stand
        finally:
            await stand.close()


STANDS = {
    "sftp": lambda request: _on_sshd(request, "sshd"),
    "sftp without extensions": lambda request: _on_sshd(request, "plain_sshd"),
    "sftp of asyncssh": _on_asyncssh,
}
