"""What goes wrong on the way to a host, in Ferry's errors."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

import asyncssh

from tui.model.error import AuthenticationFailed, HostKeyMismatch, HostUnreachable, PlaceError, Unsupported

if TYPE_CHECKING:
    from tui.places.sftp.introducing import Introduction
    from tui.places.sftp.known_hosts import Key
    from tui.places.sftp.settings import HostSettings

_NAME_THE_KEY = "Name the right key in ~/.ssh/config (IdentityFile, with IdentitiesOnly yes), then retry."


def from_ssh(error: Exception, host: HostSettings, us: Introduction, waited_s: float) -> PlaceError:
    """Return Ferry's error for asyncssh's or the operating system's; `waited_s`: so long it was waited for."""
    if isinstance(error, TimeoutError) and not isinstance(error, asyncssh.Error) and not error.errno:
        why = f"it did not answer within {round(waited_s, 1):g} s"
        return HostUnreachable(f"cannot reach {host.whereabouts}: {why}")
    if isinstance(error, OSError):
        return HostUnreachable(f"cannot reach {host.whereabouts}: {_of_system(error)}")
    if isinstance(error, asyncssh.PermissionDenied) or _too_many(error, us):
        tried = ", ".join(us.tried) or "nothing, as it takes no method that is allowed here"
        if _too_many(error, us) and us.keys.shown:
            message = f"permission denied for {host.address}: tried {tried}, and it lets nobody try more"
            return AuthenticationFailed(message, _NAME_THE_KEY)
        return AuthenticationFailed(f"permission denied for {host.address}: tried {tried}")
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return Unsupported(f"cannot connect to {host.name}: no algorithm in common ({error.reason})")
    if isinstance(error, asyncssh.Error):
        through = " through the hosts between" if isinstance(error, asyncssh.ChannelOpenError) else ""
        return HostUnreachable(f"cannot reach {host.whereabouts}{through}: {error.reason or 'it hung up'}")
    return PlaceError(f"cannot connect to {host.name}: {error}", "Correct ~/.ssh/config, then retry.")


def changed_key(host: HostSettings, key: asyncssh.SSHKey | None, known: Key | None) -> HostKeyMismatch:
    """Return the error for another key than the known one; `known` is None where no file has that one."""
    assert key is not None
    told = f"cannot trust {host.name}: its key {key.get_fingerprint()} is not the one"
    whose = "Somebody may be in between, or the host was set up anew. Ask who runs it; where the new key is right,"
    if known is None:
        return HostKeyMismatch(
            f"{told} that was accepted before",
            f"{whose} stop the engine (`ferry engine stop`), which forgets the old one, then retry.",
        )
    forget = f"ssh-keygen -f {shlex.quote(str(known.file))} -R {shlex.quote(host.key_name)}"
    return HostKeyMismatch(
        f"{told} it is known by ({known.file}:{known.line})",
        f"{whose} remove the old one (`{forget}`), then retry.",
    )


def revoked_key(host: HostSettings, key: asyncssh.SSHKey | None, known: Key | None) -> HostKeyMismatch:
    assert key is not None and known is not None
    return HostKeyMismatch(
        f"cannot trust {host.name}: its key {key.get_fingerprint()} was revoked ({known.file}:{known.line})",
        "Whoever has that key may be anybody. Ask who runs the host for its new one.",
    )


def unknown_key(host: HostSettings, key: asyncssh.SSHKey) -> HostKeyMismatch:
    return HostKeyMismatch(
        f"cannot trust {host.name}: its key {key.get_fingerprint()} is not known, and StrictHostKeyChecking is yes",
        "Add its key to known_hosts (`ssh-keyscan` prints it; ask who runs the host whether it is right), then retry.",
    )


def not_accepted(host: HostSettings, key: asyncssh.SSHKey) -> HostKeyMismatch:
    return HostKeyMismatch(
        f"cannot trust {host.name}: its key {key.get_fingerprint()} was not accepted",
        "Ask who runs the host for its fingerprint, then retry.",
    )


def _too_many(error: Exception, us: Introduction) -> bool:
    """Say whether a host broke off because of too many wrong keys or passwords: OpenSSH calls that a protocol error."""
    return isinstance(error, asyncssh.ProtocolError) and us.signing_in and bool(us.tried)


def _of_system(error: OSError) -> str:
    """Return what the system says, without addresses: asyncio wraps it in a text of its own."""
    numbers = re.findall(r"\[Errno (\d+)\]", str(error))
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    if numbers:
        return os.strerror(int(numbers[0])).lower()
    return (error.strerror or str(error)).lower()
