"""What stores tell of things, as entries. There are no owners and no permissions to be told."""

from __future__ import annotations

import mimetypes
import stat
from typing import Any

from msgspec.structs import replace

from tui.model.entry import Entry, EntryKind
from tui.places.s3.times import MTIME, S3CMD, given_ns, stored_ns

DESCRIBING = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "StorageClass",  # not told of what is STANDARD
    "WebsiteRedirectLocation",
)
"""What an answer to HEAD or GET tells of a file besides its type that a copy has only if it is told to."""

_NO_TYPES = (None, "binary/octet-stream", "application/octet-stream")


def file_entry(name: str, size_bytes: int, mtime_ns: int) -> Entry:
    return Entry(name, EntryKind.FILE, size_bytes, mtime_ns, stat.S_IFREG, 0, 0, 1)


def folder_entry(name: str, mtime_ns: int = 0) -> Entry:
    """Return the entry of a folder: nobody knows when a prefix came about, but when a bucket did."""
    return Entry(name, EntryKind.FOLDER, 0, mtime_ns, stat.S_IFDIR, 0, 0, 1)


def entry_of_head(name: str, head: dict[str, Any]) -> Entry:
    """Return the entry of a file from the answer to HEAD or GET: with the time it was given, if it was given one."""
    given = given_ns(head.get("Metadata", {}))
    mtime_ns = stored_ns(head["LastModified"]) if given is None else given
    return replace(file_entry(name, size_of_head(head), mtime_ns), described=_is_described(name, head))


def _is_described(name: str, head: dict[str, Any]) -> bool:
    """Say whether a store keeps more with a file than whoever uploads its content again gives it by itself."""
    # What s3cmd notes of a file's disk is read for its time; who owned it there is nothing a store keeps.
    if head.get("Metadata", {}).keys() - {MTIME, S3CMD} or any(head.get(key) for key in DESCRIBING):
        return True
    return head.get("ContentType") not in (*_NO_TYPES, mimetypes.guess_type(name)[0])


def size_of_head(head: dict[str, Any]) -> int:
    """Return how big the whole file is, also where only a range was asked for."""
    _, slash, whole = str(head.get("ContentRange", "")).partition("/")
    return int(whole) if slash else int(head["ContentLength"])


def start_of(head: dict[str, Any]) -> int:
    """Return where in the file the bytes of an answer begin; -1 where it does not tell that in a way that is known."""
    told = str(head.get("ContentRange", ""))
    if not told:
        return 0  # it is the whole file
    unit, _, rest = told.partition(" ")
    first = rest.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else -1
