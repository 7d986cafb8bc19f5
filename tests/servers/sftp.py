"""Places over SFTP for tests: on a running sshd, and on a server of asyncssh's own in the same process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import asyncssh
from asyncssh.sftp import SFTPServerHandler

from tui.model.location import Location
from tui.places.sftp.channel import IDLE_S
from tui.places.sftp.place import SftpPlace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import pytest

    from tests.servers.sshd import Sshd


CIPHERS = ["aes128-gcm@openssh.com"]
"""What Ferry itself asks for first; asyncssh's own first choice is ten times as slow."""


async def connect(server: Sshd, port: int = 0, **options: Any) -> asyncssh.SSHClientConnection:
    """Sign in to a server, by another port where a proxy stands before it. `options`: more of asyncssh's."""
    return await asyncssh.connect(
        "127.0.0.1",
        port or server.port,
        config=None,
        username=server.user,
        client_keys=[str(server.client_key)],
        known_hosts=([asyncssh.import_public_key(server.host_key)], [], []),
        agent_path=None,
        **{"encryption_algs": CIPHERS} | options,
    )


@contextlib.asynccontextmanager
async def connected(server: Sshd, port: int = 0) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """Be signed in for as long as the block lasts."""
    connection = await connect(server, port)
    try:
        yield connection
    finally:
        connection.abort()
        await connection.wait_closed()


@contextlib.asynccontextmanager
async def place_on(server: Sshd, port: int = 0, *, idle_s: float = IDLE_S) -> AsyncIterator[SftpPlace]:
    """Have a place on a server; whatever became of its connection, it is closed in the end."""
    async with connected(server, port) as connection:
        place = await SftpPlace.start(connection, Location("/", "sftp", "test"), idle_s=idle_s)
        try:
            yield place
        finally:
            await place.close()


@contextlib.asynccontextmanager
async def plain_server(
    monkeypatch: pytest.MonkeyPatch,
    factory: type[asyncssh.SFTPServer] = asyncssh.SFTPServer,
) -> AsyncIterator[Callable[[], Awaitable[asyncssh.SSHClientConnection]]]:
    """Run a server that is not OpenSSH and offers no extensions; give what signs in to it.

    Args:
        factory: What it does, where that is odd.
    """
    monkeypatch.setattr(SFTPServerHandler, "_extensions", [])
    key = asyncssh.generate_private_key("ssh-ed25519")
    user = asyncssh.generate_private_key("ssh-ed25519")
    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[key],
        authorized_client_keys=asyncssh.import_authorized_keys(user.export_public_key().decode()),
        sftp_factory=factory,
    )

    async def sign_in() -> asyncssh.SSHClientConnection:
        return await asyncssh.connect(
            "127.0.0.1",
            acceptor.get_port(),
            config=None,
            username="ferry",
            client_keys=[user],
            known_hosts=([key.convert_to_public()], [], []),
            agent_path=None,
            encryption_algs=CIPHERS,
        )

    try:
        yield sign_in
    finally:
        acceptor.close()
        await acceptor.wait_closed()


@contextlib.asynccontextmanager
async def plain_place(
    monkeypatch: pytest.MonkeyPatch, factory: type[asyncssh.SFTPServer] = asyncssh.SFTPServer
) -> AsyncIterator[SftpPlace]:
    """Have a place on such a server."""
    async with plain_server(monkeypatch, factory) as sign_in:
        place = await SftpPlace.start(await sign_in(), Location("/", "sftp", "test"))
        try:
            yield place
        finally:
            await place.close()
