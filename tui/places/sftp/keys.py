"""The keys a host is shown, one after the other: the agent's, then those in files, whose passphrase is asked late."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh

from tui.model.ask import Ask, AskKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from tui.places.sftp.asking import Asking
    from tui.places.sftp.settings import HostSettings

_log = logging.getLogger(__name__)


class LockedKey(asyncssh.SSHKeyPair):
    """A key of which only the public half is open: the host says first whether it wants it at all."""

    def __init__(self, public: asyncssh.SSHKey, unlock: Callable[[], Awaitable[asyncssh.SSHKey]]) -> None:
        algorithms = public.sig_algorithms
        super().__init__(public.algorithm, public.algorithm, algorithms, algorithms, public.public_data, None)
        self._unlock = unlock

    async def sign_async(self, data: bytes) -> bytes:
        """Sign what the host sent. A ValueError passes to the next key."""
        key = await self._unlock()
        return await asyncio.to_thread(key.sign, data, self.sig_algorithm)


class Keys:
    """The keys of one try to connect, and under which names they were shown."""

    def __init__(self, host: HostSettings, asking: Asking) -> None:
        self._host, self._asking = host, asking
        self._agent: asyncssh.SSHAgentClient | None = None
        self._iterator: AsyncIterator[tuple[str, asyncssh.SSHKeyPair]] | None = None
        self.shown: list[str] = []

    async def next(self) -> asyncssh.SSHKeyPair | None:
        """Return the next key to show; None where there is no more."""
        if self._iterator is None:
            self._iterator = self._all()
        async for name, pair in self._iterator:
            if name not in self.shown:
                self.shown.append(name)
            return pair
        return None

    async def aclose(self) -> None:
        if self._agent is not None:
            self._agent.close()
            await self._agent.wait_closed()

    async def _all(self) -> AsyncIterator[tuple[str, asyncssh.SSHKeyPair]]:
        files = [path for path in self._host.identities if await asyncio.to_thread(path.is_file)]
        public = {path: await asyncio.to_thread(_public_half, path) for path in files}
        wanted = {key.public_data for key in public.values() if key is not None}
        held = await self._agent_keys()
        mine = [pair for pair in held if pair.key_public_data in wanted]
        others = [] if self._host.identities_only else [pair for pair in held if pair not in mine]
        for pair in mine + others:
            name = pair.get_comment(errors="replace") or pair.get_algorithm()
            yield f"agent key {name}", pair
        shown = {pair.key_public_data for pair in held}
        for path in files:
            half = public[path]
            if half is None or half.public_data not in shown:
                for pair in await self._pairs(path, half):
                    yield f"key {_short(path)}", pair

    async def _agent_keys(self) -> Sequence[asyncssh.SSHKeyPair]:
        if not self._host.agent:
            return []
        try:
            self._agent = await asyncssh.connect_agent(self._host.agent)
            return await self._agent.get_keys()
        except (OSError, ValueError) as error:
            _log.info("no keys from the agent: %s", error)
            return []

    async def _pairs(self, path: Path, public: asyncssh.SSHKey | None) -> Sequence[asyncssh.SSHKeyPair]:
        """Return a key file's key, with each certificate and without; nothing where it cannot be used."""
        try:
            data = await asyncio.to_thread(path.read_bytes)
            if b"PRIVATE KEY" not in data:
                return []  # the public half alone, of a key that an agent would hold
            certificates = await asyncio.to_thread(_certificates, path, self._host.certificates)
            try:
                key = await asyncio.to_thread(asyncssh.import_private_key, data)
            except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
                if public is None:  # the old format hides that too
                    key = await self._unlocked(path, data)
                else:
                    return [
                        _certified(LockedKey(public, lambda: self._unlocked(path, data)), certificate)
                        for certificate in _fitting(certificates, public)
                    ]
            return [
                pair
                for certificate in _fitting(certificates, key)
                for pair in asyncssh.load_keypairs((key, certificate) if certificate else key)[:1]
            ]
        except (OSError, ValueError) as error:
            _log.warning("the key %s cannot be used: %s", _short(path), error)
            return []

    async def _unlocked(self, path: Path, data: bytes) -> asyncssh.SSHKey:
        """Return a key that is locked with a passphrase, which is asked for, several times where it is wrong.

        Raises:
            ValueError: No answer opened it.
        """
        kind, subject, answers = AskKind.PASSPHRASE, str(path), self._asking.answers
        kept = answers.get(kind, subject)
        ask = Ask(kind, self._host.address, f"Passphrase for the key {_short(path)}:")
        for turn in range(self._host.prompts + (kept is not None)):
            text = kept if kept is not None else await self._asking.ask(ask, subject)
            try:
                with self._asking.time_stands_still():  # a passphrase may be made to take long to try
                    return await asyncio.to_thread(asyncssh.import_private_key, data, text)
            except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError):
                answers.drop(kind, subject)
                kept, ask = None, Ask(kind, ask.host, ask.text, retry=True)
                _log.info("try %s to open the key %s was in vain", turn + 1, _short(path))
        raise ValueError(f"no passphrase opened {_short(path)}")


def _public_half(path: Path) -> asyncssh.SSHKey | None:
    """Return the public key of a key file, from the file itself where it can be read there."""
    for candidate in (path, Path(f"{path}.pub")):
        try:
            return asyncssh.read_public_key(candidate)
        except (OSError, ValueError):
            continue
    try:
        return asyncssh.read_private_key(path).convert_to_public()
    except (OSError, ValueError):
        return None


def _certificates(path: Path, given: Sequence[Path]) -> list[asyncssh.SSHCertificate]:
    found = []
    for candidate in (Path(f"{path}-cert.pub"), *given):
        try:
            found.append(asyncssh.read_certificate(candidate))
        except (OSError, ValueError):
            continue
    return found


def _fitting(
    certificates: Sequence[asyncssh.SSHCertificate], key: asyncssh.SSHKey
) -> list[asyncssh.SSHCertificate | None]:
    return [*(one for one in certificates if one.key.public_data == key.public_data), None]


def _certified(pair: LockedKey, certificate: asyncssh.SSHCertificate | None) -> LockedKey:
    if certificate is not None:
        pair.set_certificate(certificate)
    return pair


def _short(path: Path) -> str:
    home = os.path.expanduser("~")
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
