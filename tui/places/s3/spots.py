"""Locations as buckets and keys. Folders are what keys have in common up to a slash; empty ones have their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.model.error import NameTooLong, Unsupported

if TYPE_CHECKING:
    from tui.model.location import Location

LONGEST_KEY_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something is in a store. No bucket: the root. No key: the bucket itself."""

    bucket: str
    key: str

    @property
    def at(self) -> dict[str, Any]:
        """What a request says of it."""
        return {"Bucket": self.bucket, "Key": self.key}

    @property
    def prefix(self) -> str:
        """How all keys in this folder begin; also the key that marks an empty one."""
        return f"{self.key}/" if self.key else ""

    @property
    def marker(self) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": self.prefix}


def spot_of(location: Location, doing: str) -> Spot:
    """Return where a location is in its store.

    Raises:
        Unsupported: It is not UTF-8.
        NameTooLong.
    """
    bucket, _, key = location.path[1:].partition("/")
    try:
        size_bytes = len(location.path.encode()) - len(bucket) - 2
    except UnicodeEncodeError:
        message = f"cannot {doing} {location}: S3 takes names in UTF-8 only"
        raise Unsupported(message, "Rename it, then retry.", location=location) from None
    if size_bytes > LONGEST_KEY_BYTES:
        message = f"cannot {doing} {location}: the path is longer than {LONGEST_KEY_BYTES} bytes"
        raise NameTooLong(message, location=location)
    return Spot(bucket, key)
