"""Judge a host's key by known_hosts files, and add one to them. (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.)

asyncssh says the same of a key that nobody knows and of one that is not the known one: what is to be asked and what is
to be refused is therefore decided here.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import hmac
import logging
import os
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from tui.places.sftp.ssh_config import matches_any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_log = logging.getLogger(__name__)


class Verdict(Enum):
    KNOWN = "known"
    UNKNOWN = "unknown"
    """Nothing is known of this host."""
    CHANGED = "changed"
    """The host is known by another key."""
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Key:
    """A public key in a file. `kind` as in "ssh-ed25519"; `data` is what the host sends."""

    kind: str
    data: bytes
    file: Path
    line: int

    @property
    def text(self) -> str:
        return f"{self.kind} {base64.b64encode(self.data).decode()}"


@dataclass(frozen=True, slots=True)
class Known:
    """What files know of one host.

    Attributes:
        keys: Its own.
        elsewhere: Keys of the same host at the usual port: good for it where it has none of its own.
        authorities: Keys that may vouch for it.
    """

    keys: tuple[Key, ...] = ()
    elsewhere: tuple[Key, ...] = ()
    authorities: tuple[Key, ...] = ()
    revoked: tuple[Key, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of keys it is known by, to be asked for first: else a host with several would look changed."""
        return tuple(dict.fromkeys(key.kind for key in self.keys or self.elsewhere))

    def judge(self, kind: str, data: bytes) -> tuple[Verdict, Key | None]:
        """Return what is to be thought of a key, and the line that says so."""
        for key in self.revoked:
            if key.data == data:
                return Verdict.REVOKED, key
        for key in self.keys or self.elsewhere:
            if key.data == data:
                return Verdict.KNOWN, key
        if self.keys:
            return Verdict.CHANGED, next((key for key in self.keys if key.kind == kind), self.keys[0])
        return Verdict.UNKNOWN, None


def look_up(name: str, files: Sequence[Path]) -> Known:
    """Return what files know of a host; a file that is not there knows nothing.

    Args:
        name: "host", or "[host]:port" for another port than the usual one, in small letters.
    """
    found: dict[str, list[Key]] = {"": [], "@cert-authority": [], "@revoked": []}
    elsewhere: list[Key] = []
    other_port = re.fullmatch(r"\[(.*)\]:\d+", name)
    for file in files:
        for marker, names, key in _lines(file):
            if _names(names, name):
                found[marker].append(key)
            elif other_port and not marker and _names(names, other_port[1]):
                elsewhere.append(key)
    return Known(
        tuple(found[""]), tuple(elsewhere), tuple(found["@cert-authority"]), tuple(found["@revoked"])
    )


def revoked_in(file: Path) -> tuple[Key, ...]:
    """Return the keys in a file of RevokedHostKeys.

    Raises:
        OSError: It cannot be read.
        ValueError: It is a binary list (ssh-keygen -k), which is not known here.
    """
    data = file.read_bytes()
    if data.startswith(b"SSHKRL\n"):
        raise ValueError("it is a binary list of revoked keys")
    lines = enumerate(data.decode(errors="replace").splitlines(), 1)
    return tuple(key for number, line in lines if (key := _key(line.split(), file, number)))


def remember(file: Path, name: str, key: str, *, hashed: bool) -> None:
    """Add a host's key to a file, made for its owner alone; one that is there already is not added again.

    Args:
        name: As for `look_up`.
        key: As in "ssh-ed25519 AAAA…".
        hashed: Have the line not tell the host's name.
    Raises:
        OSError: It cannot be written.
    """
    if not file.parent.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as out:
        fcntl.flock(out, fcntl.LOCK_EX)  # two of us may be asked about the same host
        kind, _, text = key.partition(" ")
        known = look_up(name, [file])
        if any(line.data == base64.b64decode(text) for line in known.keys):
            return
        size = os.fstat(out.fileno()).st_size
        whole = size == 0 or os.pread(out.fileno(), 1, size - 1) == b"\n"
        line = f"{_hashed(name) if hashed else name} {kind} {text}\n"
        out.write(("" if whole else "\n").encode() + line.encode())


def _lines(file: Path) -> Iterator[tuple[str, str, Key]]:
    """Yield (marker, names, key) of every line that can be read."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    except OSError as error:
        _log.warning("cannot read %s: %s", file, error.strerror)
        return
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in ("", "@cert-authority", "@revoked"):
            continue
        if key := _key(words[1:], file, number):
            yield marker, words[0], key


def _key(words: Sequence[str], file: Path, number: int) -> Key | None:
    if len(words) < 2 or words[0].startswith("#"):
        return None
    try:
        return Key(words[0], base64.b64decode(words[1], validate=True), file, number)
    except (binascii.Error, ValueError):
        return None


def _names(names: str, name: str) -> bool:
    """Say whether the first word of a line stands for a host."""
    if names.startswith("|"):
        return _hash_fits(names, name)
    return matches_any(name, names.lower().split(","))


def _hash_fits(text: str, name: str) -> bool:
    parts = text.split("|")
    if len(parts) != 4 or parts[1] != "1":
        return False
    try:
        salt, digest = base64.b64decode(parts[2]), base64.b64decode(parts[3])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)


def _hashed(name: str) -> str:
    salt = os.urandom(20)
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
