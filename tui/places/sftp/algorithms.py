"""Which ciphers, kinds of host keys and so on are offered to a host, in which order."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from asyncssh.encryption import get_default_encryption_algs, get_encryption_algs
from asyncssh.kex import get_default_kex_algs, get_kex_algs
from asyncssh.mac import get_default_mac_algs, get_mac_algs
from asyncssh.public_key import get_certificate_algs, get_public_key_algs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.places.sftp.known_hosts import Known
    from tui.places.sftp.settings import HostSettings

_FAST = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
"""Twice as fast as chacha20-poly1305 where the processor knows AES, and it nearly always does."""

_HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""OpenSSH's own, in its order: SHA-1 is not among them unless ssh_config says so."""

_SIGNED_BY = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


def offered(host: HostSettings) -> dict[str, list[str]]:
    """Return the arguments of asyncssh's `connect` for these.

    Raises:
        ValueError: ssh_config leaves none of a kind over that is known here.
    """
    return {
        "encryption_algs": _chosen(
            host.ciphers, get_encryption_algs(), [*_FAST, *_texts(get_default_encryption_algs())]
        ),
        "kex_algs": _chosen(host.kex, get_kex_algs(), _texts(get_default_kex_algs())),
        "mac_algs": _chosen(host.macs, get_mac_algs(), _texts(get_default_mac_algs())),
        "compression_algs": ["zlib@openssh.com", "none"] if host.compression else ["none"],
    }


def host_keys(host: HostSettings, known: Known, *, certificates: bool) -> list[str]:
    """Return the kinds of host keys to ask for, those that the host is known by first."""
    order = list(_HOST_KEYS)
    if certificates and known.authorities:
        order = [f"{name.removesuffix('@openssh.com')}-cert-v01@openssh.com" for name in _HOST_KEYS] + order
    chosen = _chosen(host.host_key_algorithms, [*get_certificate_algs(), *get_public_key_algs()], order)
    if not (certificates and known.authorities):
        chosen = [name for name in chosen if "-cert-" not in name] or chosen
    first = [name for kind in known.kinds for name in _SIGNED_BY.get(kind, (kind,))]
    return sorted(chosen, key=lambda name: "-cert-" not in name and name not in first)


def _chosen(words: str, possible: Sequence[bytes], default: Sequence[str]) -> list[str]:
    """Return what a list of ssh_config stands for, out of what there is. (+ adds, - takes away, ^ puts first.)"""
    there, default = _texts(possible), list(dict.fromkeys(default))
    how, patterns = (words[0], words[1:]) if words[:1] in ("+", "-", "^") else ("", words)
    named = [name for pattern in patterns.split(",") for name in there if fnmatchcase(name, pattern)]
    match how:
        case "+":
            names = default + named
        case "-":
            names = [name for name in default if name not in named]
        case "^":
            names = named + default
        case _:
            names = named if words else default
    found = [name for name in dict.fromkeys(names) if name in there]
    if not found:
        raise ValueError(f"none of {words} is known to Ferry")
    return found


def _texts(names: Sequence[bytes]) -> list[str]:
    return [name.decode() for name in names]
