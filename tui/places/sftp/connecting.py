"""Connect to a host by SSH, as its user's `ssh` would, and ask a person what only a person knows.

A host's key is judged here, never by asyncssh alone: an unknown one breaks the connection off, somebody is asked, and
where it is accepted a second connection is made. Nothing is sent to a host whose key is not known.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import asyncssh

from tui.model.ask import YES, Ask, AskKind
from tui.model.error import HostKeyMismatch, HostUnreachable, PlaceError
from tui.places.sftp.algorithms import host_keys, offered
from tui.places.sftp.asking import Answers, Asking
from tui.places.sftp.introducing import Introduction
from tui.places.sftp.known_hosts import Known, Verdict, look_up, remember, revoked_in
from tui.places.sftp.settings import HostSettings, SshSettings, settings_for, split_authority
from tui.places.sftp.troubles import changed_key, from_ssh, not_accepted, revoked_key, unknown_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.model.location import Location
    from tui.places.base import Asker
    from tui.places.sftp.silence import Silence

_log = logging.getLogger(__name__)
asyncssh.set_log_level(logging.WARNING)

_MOST_HOPS = 8
_MOST_TRIES = 12
_FAMILIES = {"any": 0, "inet": 2, "inet6": 30 if sys.platform == "darwin" else 10}
"""Numbers of the operating system's: what opens sockets here is asyncssh."""

_PROXY = 'exec 9>&2 2>/dev/null; exec "${SHELL:-/bin/sh}" -c "$1"'
"""asyncssh takes the complaints of a ProxyCommand for the host's words, and a closed stderr for the end."""


async def connect(
    location: Location,
    asker: Asker,
    settings: SshSettings,
    answers: Answers | None = None,
    silence: Silence | None = None,
) -> asyncssh.SSHClientConnection:
    """Return a connection to a location's host, signed in. Closing it closes those to the hosts between, too.

    Args:
        answers: Those of earlier connections, not to be asked for again; new ones are added.
        silence: The host's, that ended a connection just now.
    Raises:
        PlaceUnavailable: The host does not answer, or hung up.
        AuthenticationFailed: It does not let the user in.
        HostKeyMismatch: Its key is not the one it is known by, or nobody accepted it.
        PlaceError: ssh_config or the location makes no sense.
    """
    if silence is not None and not silence.counts(asyncio.get_running_loop().time()):
        silence = None
    try:
        connection, _ = await _Journey(asker, settings, answers or Answers(), silence).to(location.authority)
        return connection
    except PlaceError as error:
        error.location = location
        raise


class _Journey:
    """The way to one host, over those between."""

    def __init__(
        self, asker: Asker, settings: SshSettings, answers: Answers, silence: Silence | None
    ) -> None:
        self._asker, self._settings, self._answers = asker, settings, answers
        self._silence = silence
        self._hops = 0

    async def to(
        self, authority: str, via: asyncssh.SSHClientConnection | None = None
    ) -> tuple[asyncssh.SSHClientConnection, HostSettings]:
        """Connect to a host, by way of another one or of those that ssh_config names."""
        host = await asyncio.to_thread(settings_for, authority, self._settings)
        if host.canonical_domains:
            name = await _full_name(host)
            host = await asyncio.to_thread(settings_for, authority, self._settings, name)
        self._hops += 1
        if self._hops > _MOST_HOPS:
            raise PlaceError(
                f"cannot connect to {host.name}: ProxyJump goes over more than {_MOST_HOPS} hosts"
            )
        try:
            for hop in () if via or _is_itself(host) else host.jump:
                via, _ = await self.to(hop.removeprefix("ssh://"), via)
            connection = await self._arrive(host, via)
        except BaseException:
            if via is not None:
                via.abort()
            raise
        if via is not None:
            connection.set_tunnel(via)
        return connection, host

    async def _arrive(
        self, host: HostSettings, via: asyncssh.SSHClientConnection | None
    ) -> asyncssh.SSHClientConnection:
        certificates = True
        for _ in range(_MOST_TRIES):
            known = await asyncio.to_thread(_known, host)
            attempt = _Attempt(host, known, self._settings, via, certificates, self._silence)
            connection = await attempt.made(self._asker, self._answers)
            us = attempt.introduction
            if connection is not None:
                if us.verdict is Verdict.UNKNOWN:
                    await self._remember(host, us)
                return connection
            certificates = certificates and not us.authority_unknown
            if us.verdict is Verdict.UNKNOWN and not us.signing_in:
                await self._ask_about_key(host, us)
        raise HostUnreachable(f"cannot reach {host.whereabouts}: it hung up again and again")

    async def _ask_about_key(self, host: HostSettings, us: Introduction) -> None:
        assert us.key is not None
        if host.strict == "yes":
            raise unknown_key(host, us.key)
        kind = _kind(us.key)
        text = (
            f"{host.name} is not known yet.\nIts {kind} key has the fingerprint {us.key.get_fingerprint()}.\n"
            "Is that the right one?"
        )
        answer = await self._asker.ask(Ask(AskKind.HOST_KEY, host.name, text, secret=False))
        if answer.text != YES:
            raise not_accepted(host, us.key)
        await self._remember(host, us)

    async def _remember(self, host: HostSettings, us: Introduction) -> None:
        """Write a key down that was accepted. Where that fails it is at least known until Ferry ends."""
        assert us.key is not None
        self._answers.accept(host.key_name, us.key.public_data)
        if not host.user_known_hosts:
            return
        line = us.key.export_public_key().decode().split()
        try:
            await asyncio.to_thread(
                remember,
                host.user_known_hosts[0],
                host.key_name,
                " ".join(line[:2]),
                hashed=host.hash_known_hosts,
            )
        except OSError as error:
            _log.warning("the key of %s is not remembered: %s", host.name, error)


class _Attempt:
    """One connection, from the first packet until somebody is signed in."""

    def __init__(
        self,
        host: HostSettings,
        known: Known,
        settings: SshSettings,
        via: asyncssh.SSHClientConnection | None,
        certificates: bool,
        silence: Silence | None,
    ) -> None:
        self._host, self._known, self._settings, self._via = host, known, settings, via
        self._certificates = certificates
        self._word_s = host.word_timeout_s
        """So long the host may take for its first word; None: as long as for all."""
        self._silent_s = 0.0
        if self._word_s is not None and silence is not None:
            self._word_s, self._silent_s = min(self._word_s, silence.word_s), silence.lasted_s
        self.introduction: Introduction

    async def made(self, asker: Asker, answers: Answers) -> asyncssh.SSHClientConnection | None:
        """Return the connection; None where another attempt is to follow, now that more is known."""
        host = self._host
        try:
            async with asyncio.timeout(host.connect_timeout_s) as limit:
                asking = Asking(asker, answers, limit, host.connect_timeout_s)
                self.introduction = us = Introduction(host, self._known, asking)
                async with aclosing(asking), aclosing(us.keys), self._hurried(limit):
                    try:
                        connection = await self._connected()
                    except asyncssh.HostKeyNotVerifiable as error:
                        self._judge(error)
                        return None
                    except asyncssh.DisconnectError as error:
                        if not asking.unanswered:
                            us.forget_refused(error)
                            raise
                        await asking.finish()  # it hung up on somebody who is still typing
                        return None
        except (TimeoutError, OSError, ValueError, asyncssh.Error) as error:
            waited_s = host.connect_timeout_s
            if self._word_s is not None and not self.introduction.has_answered:
                waited_s = self._silent_s + min(self._word_s, waited_s)
            raise from_ssh(error, host, self.introduction, waited_s) from error
        if connection.is_closed():
            raise HostUnreachable(f"cannot reach {host.whereabouts}: it hung up")
        return connection

    @asynccontextmanager
    async def _hurried(self, limit: asyncio.Timeout) -> AsyncIterator[None]:
        """Let the time be up earlier for a host that has not said anything."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            if not self.introduction.has_answered:
                limit.reschedule(loop.time())

        watch = None if self._word_s is None else loop.call_later(self._word_s, look)
        try:
            yield
        finally:
            if watch is not None:
                watch.cancel()

    async def _connected(self) -> asyncssh.SSHClientConnection:
        try:
            return await asyncssh.connect(**self._arguments())
        except BaseException:
            await self.introduction.command_gone()
            raise

    def _judge(self, error: asyncssh.HostKeyNotVerifiable) -> None:
        """Raise what a host's key that was not taken amounts to, unless more may come of another attempt."""
        us, host = self.introduction, self._host
        if us.verdict is Verdict.CHANGED:
            raise changed_key(host, us.key, us.told_by) from error
        if us.verdict is Verdict.REVOKED:
            raise revoked_key(host, us.key, us.told_by) from error
        if us.verdict is None and not (us.authority_unknown and self._certificates):
            raise HostKeyMismatch(f"cannot trust {host.name}: {error.reason}") from error

    def _arguments(self) -> dict[str, Any]:
        host, known = self._host, self._known
        arguments: dict[str, Any] = {
            "host": host.host,
            "port": host.port,
            "username": host.user,
            "config": None,
            "client_factory": lambda: self.introduction,
            "known_hosts": (
                [],
                _public(known.authorities),
                _public(known.revoked) if known.authorities else [],
            ),
            "host_key_alias": None
            if host.key_name in (host.host, f"[{host.host}]:{host.port}")
            else host.key_name,
            "server_host_key_algs": host_keys(host, known, certificates=self._certificates),
            "x509_trusted_certs": None,
            "client_keys": None,
            "preferred_auth": list(host.methods),
            "password_auth": "password" in host.methods,
            "kbdint_auth": "keyboard-interactive" in host.methods,
            "public_key_auth": "publickey" in host.methods,
            "host_based_auth": False,
            "gss_kex": False,
            "gss_auth": False,
            "gss_host": None,
            "login_timeout": 0,
            "connect_timeout": None,
            "keepalive_interval": self._settings.keepalive_s,
            "keepalive_count_max": 2,  # asyncssh gives up one after that
            "family": _FAMILIES.get(host.address_family, 0),
            **offered(host),
        }
        if host.bind_address:
            arguments["local_addr"] = (host.bind_address, 0)
        if self._via is not None:
            arguments["tunnel"] = self._via
        elif host.proxy_command:
            arguments["proxy_command"] = ["/bin/sh", "-c", _PROXY, "sh", f"exec {host.proxy_command}"]
        return arguments


async def _full_name(host: HostSettings) -> str:
    """Return a host's name in the first of its domains that has it. (CanonicalizeHostname.)"""
    for domain in host.canonical_domains:
        name = f"{host.host}.{domain.strip('.')}"
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(host.connect_timeout_s):
                await asyncio.get_running_loop().getaddrinfo(name, host.port)
            return name
    if not host.fallback_local:
        raise HostUnreachable(
            f"cannot reach {host.name}: none of {', '.join(host.canonical_domains)} knows it"
        )
    return host.host


def _known(host: HostSettings) -> Known:
    """Return what is known of a host's keys.

    Raises:
        PlaceError: RevokedHostKeys cannot be read; then none can be trusted.
    """
    known = look_up(host.key_name, (*host.user_known_hosts, *host.global_known_hosts))
    if host.revoked_keys is None:
        return known
    try:
        revoked = revoked_in(host.revoked_keys)
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else str(error)
        raise PlaceError(
            f"cannot connect to {host.name}: RevokedHostKeys {host.revoked_keys}: {why}"
        ) from error
    return Known(known.keys, known.elsewhere, known.authorities, known.revoked + revoked)


def _public(keys: tuple[Any, ...]) -> list[asyncssh.SSHKey]:
    found = []
    for key in keys:
        with suppress(asyncssh.KeyImportError):
            found.append(asyncssh.import_public_key(key.text))
    return found


def _is_itself(host: HostSettings) -> bool:
    """Say whether a host's only jump is the host itself, as with ProxyJump under `Host *`."""
    _, name, port = split_authority(host.jump[0].removeprefix("ssh://")) if host.jump else ("", "", "")
    return name.lower() in (host.host, host.alias.lower()) and int(port or 22) == host.port


def _kind(key: asyncssh.SSHKey) -> str:
    return key.get_algorithm().removeprefix("ssh-").removeprefix("ecdsa-sha2-").upper()
