"""What is known of a host before it is connected to: from its location, ssh_config, and Ferry's own settings."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tui.model.error import PlaceError
from tui.places.sftp.ssh_config import SYSTEM, Target, local_user, own_config, read_for

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ed25519")
_DEFAULT_ORDER = "publickey,keyboard-interactive,password"
_STRICT = {
    "true": "yes",
    "yes": "yes",
    "false": "no",
    "off": "no",
    "no": "no",
    "ask": "ask",
    "accept-new": "accept-new",
}
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True, slots=True)
class SshSettings:
    """How Ferry connects, whatever the host.

    Attributes:
        config_file: Instead of ~/.ssh/config and /etc/ssh/ssh_config.
        known_hosts: Instead of ~/.ssh/known_hosts and known_hosts2, where ssh_config names none.
        keepalive_s: A host that does not answer for three times as long is lost.
        connect_timeout_s: So long may each step take that waits for the host, where ssh_config has no ConnectTimeout.
        word_timeout_s: So long a host may take to say anything at all, unless ssh_config has a ConnectTimeout, or a
            ProxyCommand that takes its own time.
        keyring: What is answered and right is kept in the system's keyring.
    """

    config_file: Path | None = None
    known_hosts: tuple[Path, ...] = ()
    keepalive_s: float = 3
    connect_timeout_s: float = 15
    word_timeout_s: float = 9
    keyring: bool = False


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What is known of one host.

    Attributes:
        word_timeout_s: See `SshSettings`; None where the host has the whole `connect_timeout_s` for its first word.
        alias: Its name as people write it.
        key_name: The name its key is known by: "host", "[host]:port", or HostKeyAlias.
        strict: "yes", "no", "ask" or "accept-new".
        identities: Key files, in order; those of `identities_given` False are there only by habit.
        agent: Socket of the agent; empty for none.
        ciphers: As ssh_config has them, empty where it does not speak of them; the same with the other algorithms.
        jump: The hosts between, nearest first.
        canonical_domains: Those in one of which the host's full name is to be looked for; none where it need not be.
        fallback_local: It is gone on with where it is in none of them.
    """

    alias: str
    host: str
    port: int
    user: str
    key_name: str
    strict: str
    user_known_hosts: tuple[Path, ...]
    global_known_hosts: tuple[Path, ...]
    hash_known_hosts: bool
    revoked_keys: Path | None
    identities: tuple[Path, ...]
    identities_given: bool
    identities_only: bool
    certificates: tuple[Path, ...]
    agent: str
    methods: tuple[str, ...]
    prompts: int
    ciphers: str
    macs: str
    kex: str
    host_key_algorithms: str
    compression: bool
    connect_timeout_s: float
    word_timeout_s: float | None
    address_family: str
    bind_address: str
    jump: tuple[str, ...]
    proxy_command: str
    canonical_domains: tuple[str, ...]
    fallback_local: bool

    @property
    def name(self) -> str:
        """The host as people write it, with a port that is not the usual one."""
        host = f"[{self.alias}]" if ":" in self.alias else self.alias
        return host + (f":{self.port}" if self.port != 22 else "")

    @property
    def address(self) -> str:
        return f"{self.user}@{self.name}"

    @property
    def whereabouts(self) -> str:
        """Its name, and what that stands for: a host that moved may be looked for in its old place."""
        return self.name if self.host.lower() == self.alias.lower() else f"{self.name} ({self.host})"


def split_authority(authority: str) -> tuple[str, str, str]:
    """Return (user, host, port) of "user@host:port" or "user@[address]:port"; empty where it names none."""
    user, _, rest = authority.rpartition("@")
    found = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:]*)(?::(\d+))?|(.*)", rest)
    assert found is not None
    host = found[1] or found[3] or found[5] or ""
    return unquote(user.partition(":")[0]), unquote(host), found[2] or found[4] or ""


def settings_for(authority: str, settings: SshSettings, canonical: str = "") -> HostSettings:
    """Return what is known of a host. It reads files, and may run what `Match exec` says: not for the event loop.

    Args:
        canonical: The host's full name, as far as it was looked for.
    Raises:
        PlaceError: The host's name cannot be one, or ssh_config cannot be used.
    """
    user, name, port = split_authority(authority)
    if not name or name.startswith("-") or re.search(r"[\s\x00-\x1f]", name):
        raise PlaceError(f"cannot connect to {authority!r}: that is no name of a host")
    if port and not 0 < int(port) < 65536:
        raise PlaceError(f"cannot connect to {name}: {port} is no port")
    target = Target(name, user, port)
    read_for(target, (settings.config_file,) if settings.config_file else (own_config(), SYSTEM), canonical)
    return _Typed(target).settings(settings)


class _Typed:
    """The words of ssh_config as what they mean."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def settings(self, ours: SshSettings) -> HostSettings:
        target, text = self._target, self._target.first
        host, port = target.hostname.lower(), self._number("port", 22)
        jump, command = text("proxyjump"), text("proxycommand")
        own_time = "connecttimeout" in target.options or command not in ("", "none")
        known = [str(path) for path in ours.known_hosts] or ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]
        system = [str(SYSTEM.parent / name) for name in ("ssh_known_hosts", "ssh_known_hosts2")]
        return HostSettings(
            alias=target.name,
            host=host,
            port=port,
            user=text("user", local_user()),
            key_name=(text("hostkeyalias") or (host if port == 22 else f"[{host}]:{port}")).lower(),
            strict=self._strict(),
            user_known_hosts=self._paths("userknownhostsfile", known),
            global_known_hosts=self._paths("globalknownhostsfile", system),
            hash_known_hosts=self._flag("hashknownhosts", False),
            revoked_keys=next(iter(self._paths("revokedhostkeys", [])), None),
            identities=self._paths("identityfile", [f"~/.ssh/{name}" for name in _DEFAULT_KEYS]),
            identities_given="identityfile" in target.options,
            identities_only=self._flag("identitiesonly", False),
            certificates=self._paths("certificatefile", []),
            agent=self._agent(),
            methods=self._methods(),
            prompts=self._number("numberofpasswordprompts", 3),
            ciphers=text("ciphers"),
            macs=text("macs"),
            kex=text("kexalgorithms"),
            host_key_algorithms=text("hostkeyalgorithms"),
            compression=self._flag("compression", False),
            connect_timeout_s=self._seconds("connecttimeout", ours.connect_timeout_s),
            word_timeout_s=None if own_time else ours.word_timeout_s,
            address_family=text("addressfamily", "any").lower(),
            bind_address=text("bindaddress"),
            jump=() if jump in ("", "none") else tuple(self._expanded("proxyjump", jump).split(",")),
            proxy_command="" if command in ("", "none") else self._expanded("proxycommand", command),
            canonical_domains=self._domains(host),
            fallback_local=self._flag("canonicalizefallbacklocal", True),
        )

    def _bad(self, option: str, value: str) -> PlaceError:
        return PlaceError(
            f"cannot connect to {self._target.name}: ssh_config says {option} {value}",
            "Correct ~/.ssh/config (`ssh -G HOST` reads it too), then retry.",
        )

    def _domains(self, host: str) -> tuple[str, ...]:
        when = self._target.first("canonicalizehostname", "no").lower()
        if when not in ("yes", "true", "always", "no", "false"):
            raise self._bad("CanonicalizeHostname", when)
        proxied = {self._target.first("proxyjump", "none"), self._target.first("proxycommand", "none")} != {
            "none"
        }
        if when in ("no", "false") or (proxied and when != "always"):
            return ()
        if (
            ":" in host
            or host.replace(".", "").isdecimal()
            or host.count(".") > self._number("canonicalizemaxdots", 1)
        ):
            return ()
        return tuple(
            domain for domain in self._target.options.get("canonicaldomains", []) if domain != "none"
        )

    def _strict(self) -> str:
        value = self._target.first("stricthostkeychecking", "ask").lower()
        if value not in _STRICT:
            raise self._bad("StrictHostKeyChecking", value)
        return _STRICT[value]

    def _flag(self, option: str, default: bool) -> bool:
        value = self._target.first(option, "yes" if default else "no").lower()
        if value not in ("yes", "true", "no", "false"):
            raise self._bad(option, value)
        return value in ("yes", "true")

    def _number(self, option: str, default: int) -> int:
        value = self._target.first(option, str(default))
        if not value.isdecimal():
            raise self._bad(option, value)
        return int(value)

    def _seconds(self, option: str, default: float) -> float:
        value = self._target.first(option).lower()
        if value in ("", "none", "0"):
            return default
        if not re.fullmatch(r"(\d+[smhdw]?)+", value):
            raise self._bad(option, value)
        return sum(int(number) * _UNITS_S[unit] for number, unit in re.findall(r"(\d+)([smhdw]?)", value))

    def _expanded(self, option: str, text: str) -> str:
        try:
            return self._target.expanded(text)
        except KeyError as error:
            raise self._bad(option, text) from error

    def _paths(self, option: str, default: Sequence[str]) -> tuple[Path, ...]:
        words = self._target.options.get(option, default)
        return tuple(self._path(option, word) for word in words if word.lower() != "none")

    def _path(self, option: str, word: str) -> Path:
        def variable(found: re.Match[str]) -> str:
            if found[1] not in os.environ:
                raise self._bad(option, word)
            return os.environ[found[1]]

        return Path(os.path.expanduser(re.sub(r"\$\{(.*?)\}", variable, self._expanded(option, word))))

    def _agent(self) -> str:
        value = self._target.first("identityagent", "SSH_AUTH_SOCK")
        if value == "none":
            return ""
        if value == "SSH_AUTH_SOCK" or re.fullmatch(r"\$\w+", value):
            return os.environ.get(value.lstrip("$"), "")
        return str(self._path("identityagent", value))

    def _methods(self) -> tuple[str, ...]:
        allowed = {
            "publickey": self._flag("pubkeyauthentication", True),
            "keyboard-interactive": self._flag("kbdinteractiveauthentication", True),
            "password": self._flag("passwordauthentication", True),
        }
        order = self._target.first("preferredauthentications", _DEFAULT_ORDER).split(",")
        return tuple(method for method in order if allowed.get(method))
