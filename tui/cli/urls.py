"""URLs on the command line: which words are some, and the locations they name."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote_to_bytes

from tui.model.error import UsageError
from tui.model.location import LOCAL, S3, SFTP, Location

KNOWN = (SFTP, S3, LOCAL)
HOME = "/~"
"""Path that stands for the home folder of a host, until the host has told where that is."""

# Compiled when the first of them is needed: few command lines hold a URL.
_URL = r"(?s)([A-Za-z][A-Za-z0-9+.-]*)://(.*)"
_HOST = r"(?:\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|\w[\w-]*(?:\.[\w-]+)*\.?)(?::([0-9]{1,5}))?"
_USER = r"[^\s:/@\0-\x1f\x7f-][^\s:/\0-\x1f\x7f]*"
_STORE = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_LIKE_SCP = r"(?:[\w.-]+@)?[A-Za-z][\w.-]*:[^/].*|[\w.-]+@[\w.-]+:.*|[A-Za-z][\w.-]+:/.*"


def is_url(word: str) -> bool:
    return "://" in word and re.fullmatch(_URL, word) is not None


def is_far(word: str) -> bool:
    """Say whether a word is a URL of something that is not on the local disk, or of nothing Ferry knows."""
    found = re.fullmatch(_URL, word) if "://" in word else None
    return found is not None and found[1].lower() != LOCAL


def is_home(location: Location) -> bool:
    return location.scheme == SFTP and location.parts[:1] == ("~",)


def place_of(location: Location) -> str:
    """Return a location's URL up to its path, as questions of hosts name it."""
    return f"{location.scheme}://{location.authority}"


def scp_hint(word: str) -> str:
    """Return what to write in place of `host:path`, or nothing where a word does not look like that."""
    if ":" not in word or os.path.lexists(word) or not re.fullmatch(_LIKE_SCP, word):
        return ""
    return "What is on another host is written sftp://host/path, or sftp://host/~/path from its home folder."


def parse_url(word: str) -> Location:
    """Return the location that a URL names. What follows the host is decoded once, and may hold ? and #.

    Raises:
        UsageError: It names none. A password that it may hold is not repeated.
    """
    found = re.fullmatch(_URL, word)
    if found is None:
        raise UsageError(f"not a URL: {word!r}")
    scheme, rest = found[1].lower(), found[2]
    authority, slash, path = rest.partition("/")
    decoded = os.fsdecode(unquote_to_bytes(path))
    if scheme == SFTP:
        return Location(_path(decoded, home=not slash), SFTP, _host(authority))
    if scheme == S3:
        return _in_store(authority, decoded)
    if scheme != LOCAL:
        known = ", ".join(f"{each}://" for each in KNOWN)
        raise UsageError(f"Ferry knows no places of the kind {scheme}://", f"It can be {known}.")
    if authority not in ("", "localhost"):
        raise UsageError("a file: URL names no host", "What is on another host is written sftp://host/path.")
    return Location.local("/" + decoded)


def _path(decoded: str, *, home: bool) -> str:
    path = Location.local("/" + decoded).path
    if home:
        return HOME
    if decoded.startswith("~/") and not (path + "/").startswith("/~/"):
        raise UsageError("what lies above a home folder has to be written from the root: sftp://host/path")
    return path


def _host(authority: str) -> str:
    user, at, host = authority.rpartition("@")
    if ":" in user:
        raise _password()
    found = re.fullmatch(_HOST, host)
    if found is None or (found[1] and not 0 < int(found[1]) < 65536):
        # Not repeated: with an unquoted / in it, it is the beginning of a password.
        raise UsageError(
            "an sftp: URL has no host, or none that can be one", "Write sftp://user@host:port/path."
        )
    user = os.fsdecode(unquote_to_bytes(user))
    if at and not re.fullmatch(_USER, user):
        raise UsageError("an sftp: URL has a user who cannot be one", "Write sftp://user@host:port/path.")
    return f"{user}{at}{host}"


def _in_store(authority: str, key: str) -> Location:
    """Return the location of `s3://NAME@bucket/key`, where the path begins with the bucket."""
    name, at, bucket = authority.rpartition("@")
    if ":" in name:
        raise _password()
    if at and not re.fullmatch(_STORE, name):
        raise UsageError(
            "an s3: URL has a name before the @ that no store can have", "Write s3://NAME@bucket/key."
        )
    if bucket and not re.fullmatch(_STORE, bucket):
        raise UsageError(
            "an s3: URL has a bucket that cannot be one", "Write s3://bucket/key or s3://NAME@bucket/key."
        )
    if key and not bucket:
        raise UsageError(
            "an s3: URL has a key without a bucket", "Write s3://bucket/key or s3://NAME@bucket/key."
        )
    if {"", ".", ".."} & set(key.rstrip("/").split("/") if key.rstrip("/") else ()):
        raise UsageError(
            "Ferry cannot reach S3 keys with a part that is empty, . or ..", "Copy them to others first."
        )
    return Location(Location.local(f"/{bucket}/{key}").path, S3, name)


def _password() -> UsageError:
    return UsageError(
        "a password does not belong in a URL", "Leave it out: Ferry asks for it, and keeps it in memory only."
    )
