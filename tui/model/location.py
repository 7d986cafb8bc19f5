"""Where something is: the one path algebra of the project.

A path is text decoded with surrogateescape, so any name a filesystem can hold travels through it unchanged; the URL
form percent-encodes every byte that is not plain, so a location is safe in JSON, in SQLite and on a command line.
"""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from msgspec import Struct

from tui.model.error_root import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

LOCAL = "file"
"""Scheme of the local disk."""

SFTP = "sftp"
"""Scheme of hosts that are reached by SSH."""

S3 = "s3"
"""Scheme of stores, whose URLs have the first folder (the bucket) where others have a host: s3://[NAME@]bucket/key."""

SAFE = "/-._~!$&'()*+,;=:@"
"""Bytes that stay themselves in a path. (RFC 3986 section 3.3, pchar and the slash.)"""


class Location(Struct, frozen=True, order=True):
    """One absolute place: a scheme, a host (empty for the local disk) and a normalised absolute path."""

    path: str
    scheme: str = LOCAL
    authority: str = ""

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise UsageError(f"not an absolute path: {self.path!r}")
        if "\0" in self.path:
            raise UsageError("a path cannot hold a NUL byte")

    @classmethod
    def local(cls, path: str | bytes | os.PathLike[str], base: str | None = None) -> Location:
        """Return the local location of a path; a relative one is taken from `base`. No link is resolved.

        `..` is folded in the text, as `cd` does; an empty path is refused.

        Raises:
            UsageError: The path is empty, holds a NUL byte, or is relative without a base.
        """
        text = os.fsdecode(path)
        if not text:
            raise UsageError("an empty path names nothing")
        if base is not None:
            text = posixpath.join(base, text)
        return cls(_normal(text))

    @classmethod
    def from_url(cls, url: str) -> Location:
        """Return the location a URL names: the inverse of `url`.

        Raises:
            UsageError: It is not an absolute URL of the form scheme://authority/path.
        """
        scheme, mark, rest = url.partition("://")
        if mark and scheme == S3:
            return cls._from_s3(rest)
        authority, slash, path = rest.partition("/")
        if not mark or not scheme or not slash:
            raise UsageError(f"not a location: {url!r}")
        return cls(_normal(os.fsdecode(unquote_to_bytes("/" + path))), scheme, authority)

    @classmethod
    def _from_s3(cls, rest: str) -> Location:
        first, slash, key = rest.partition("/")
        name, at, bucket = first.rpartition("@")
        if at and not name:
            raise UsageError(f"not a location: 's3://{rest}'")
        path = os.fsdecode(unquote_to_bytes(f"/{bucket}{slash}{key}"))
        return cls(_normal(path), S3, os.fsdecode(unquote_to_bytes(name)))

    @property
    def url(self) -> str:
        """The location as plain ASCII: what goes over the wire and into the journal."""
        if self.scheme == S3:
            bucket, slash, key = os.fsencode(self.path[1:]).partition(b"/")
            name = f"{quote(os.fsencode(self.authority), safe='')}@" if self.authority else ""
            end = quote(slash + key, safe=SAFE) if bucket else "/"
            return f"{S3}://{name}{quote(bucket, safe=SAFE.replace('@', '').replace('/', ''))}{end}"
        return f"{self.scheme}://{self.authority}{quote(os.fsencode(self.path), safe=SAFE)}"

    @property
    def is_local(self) -> bool:
        return self.scheme == LOCAL

    @property
    def is_root(self) -> bool:
        return self.path == "/"

    @property
    def name(self) -> str:
        """The last part of the path; empty for a root."""
        return self.path.rsplit("/", 1)[1]

    @property
    def parent(self) -> Location:
        """The folder that holds it; a root is its own parent."""
        return Location(self.path.rsplit("/", 1)[0] or "/", self.scheme, self.authority)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names from the root down; empty for a root."""
        return tuple(self.path.split("/")[1:]) if self.path != "/" else ()

    def child(self, name: str) -> Location:
        """Return the location of an entry of this folder.

        Raises:
            UsageError: `name` is not one plain name.
        """
        if name in ("", ".", "..") or "/" in name:
            raise UsageError(f"not a name for a file: {name!r}")
        return Location(self.path.rstrip("/") + "/" + name, self.scheme, self.authority)

    def children(self, names: Iterable[str]) -> list[Location]:
        """Return the locations of entries that were read from this folder, of which there may be a million."""
        start, scheme, authority = self.path.rstrip("/") + "/", self.scheme, self.authority
        return [Location(start + name, scheme, authority) for name in names]

    def below(self, relative: str) -> Location:
        """Return the location `relative` ("a/b", "" for itself) below this folder."""
        return Location(
            self.path.rstrip("/") + "/" + relative if relative else self.path, self.scheme, self.authority
        )

    def holds(self, other: Location) -> bool:
        """Say whether `other` is this location or lies below it (by name, not by what links do)."""
        if (self.scheme, self.authority) != (other.scheme, other.authority):
            return False
        return other.path == self.path or other.path.startswith(self.path.rstrip("/") + "/")

    def relative(self, other: Location) -> str:
        """Return the path of `other` from this folder ("" for itself).

        Raises:
            UsageError: `other` does not lie below this location.
        """
        if not self.holds(other):
            raise UsageError(f"{other} is not below {self}")
        return other.path[len(self.path.rstrip("/")) + 1 :]

    def __str__(self) -> str:
        """The form people read: the bare path on the local disk, else the URL without a password."""
        if self.is_local:
            return self.path
        if self.scheme == S3:
            name = f"{self.authority}@" if self.authority else ""
            return f"{S3}://{name}{self.path[1:] or '/'}"
        user, at, host = self.authority.rpartition("@")
        return f"{self.scheme}://{user.partition(':')[0]}{at}{host}{self.path}"


def _normal(path: str) -> str:
    """Return an absolute path without `.`, `..`, doubled or trailing slashes."""
    if not path.startswith("/"):
        raise UsageError(f"not an absolute path: {path!r}")
    return "/" + posixpath.normpath(path).lstrip("/")
