"""An SSH server within the test, for what a real sshd cannot be had to do: ask for passwords and codes, or lie."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncssh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path


@dataclass
class Door:
    """What the server lets in, and what came to it.

    Attributes:
        password: Taken by the method of that name; empty: the method is not offered.
        prompts: What is asked by keyboard-interactive: (prompt, shown while typed, right answer) in turn.
        sftp: It has SFTP, and shows the real disk.
        heard: What was sent to be let in: passwords, answers, in order.
        users: Who asked to be let in, once a try.
    """

    password: str = ""
    prompts: tuple[tuple[str, bool, str], ...] = ()
    sftp: bool = False
    port: int = 0
    host_key: str = ""
    heard: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    def config_for(self, alias: str, folder: Path, **options: object) -> str:
        """Return what a ~/.ssh/config says so that `alias` is this server, known by its key."""
        known = folder / f"known_hosts_{alias}"
        known.write_text(f"[127.0.0.1]:{self.port} {self.host_key}\n")
        lines: dict[str, object] = {
            "HostName": "127.0.0.1",
            "Port": self.port,
            "User": "somebody",
            "IdentityAgent": "none",
            "IdentityFile": "none",
            "UserKnownHostsFile": known,
            "GlobalKnownHostsFile": "/dev/null",
        }
        return f"Host {alias}\n" + "".join(f"  {key} {value}\n" for key, value in (lines | options).items())


class _Porter(asyncssh.SSHServer):
    def __init__(self, door: Door) -> None:
        self._door = door

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._door.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        self._door.users.append(username)
        return True

    def password_auth_supported(self) -> bool:
        return bool(self._door.password)

    def validate_password(self, username: str, password: str) -> bool:
        self._door.heard.append(password)
        return password == self._door.password

    def kbdint_auth_supported(self) -> bool:
        return bool(self._door.prompts)

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> tuple[str, str, str, object]:
        return "", "", "", [(prompt, echo) for prompt, echo, _ in self._door.prompts]

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        self._door.heard.extend(responses)
        return list(responses) == [answer for _, _, answer in self._door.prompts]


@contextlib.asynccontextmanager
async def answering(door: Door, host_key: asyncssh.SSHKey | None = None) -> AsyncIterator[Door]:
    """Run a server on a free port of this machine while the block lasts."""
    key = host_key or asyncssh.generate_private_key("ssh-ed25519")
    door.host_key = key.export_public_key().decode().strip()
    acceptor = await asyncssh.listen(
        "127.0.0.1",
        door.port,
        server_factory=lambda: _Porter(door),
        server_host_keys=[key],
        config=None,
        sftp_factory=door.sftp or None,
    )
    door.port = acceptor.get_port()
    try:
        yield door
    finally:
        acceptor.close()
        for connection in door.connections:
            connection.abort()
        await asyncio.gather(*(connection.wait_closed() for connection in door.connections))
        await acceptor.wait_closed()
