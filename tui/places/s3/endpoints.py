"""Where a store is, and how it wants to be spoken to. Keys are not here: they stay where AWS's own tools keep them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from tui.model.location import S3, Location

DEFAULT_REGION = "us-east-1"
"""What is signed for where nothing tells a region; stores that have none expect this one."""


def host_of(url: str) -> str:
    """Return name and port of the host in a URL, without what may stand before it; empty where it is none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One store. What is empty comes from the environment (AWS_…) and the files in ~/.aws, there from the profile.

    Keys are never part of it: they come from the environment, the files, or whatever else the profile says.
    """

    name: str = ""
    """How locations call it (`s3://NAME@bucket/key`); empty: the default one."""
    url: str = ""
    """Of another store than Amazon's: "https://storage.example.org"."""
    region: str = ""
    profile: str = ""
    path_style: bool | None = None
    """The bucket goes into the path, not into the host's name. None: unless the profile says otherwise.

    It is so of other stores only; Amazon knows both.
    """
    when_required: bool = True
    """Only the checksums every store knows (MD5) go along, not those that Amazon alone has (CRC in trailers)."""

    @property
    def root(self) -> Location:
        """Where its buckets are."""
        return Location("/", S3, self.name)

    def __repr__(self) -> str:
        return (
            f"Endpoint({self.name or 'default'}: {self.url or 'Amazon'}, profile {self.profile or 'default'})"
        )


@dataclass(frozen=True, slots=True)
class Sizes:
    """How big things may be that go in one request."""

    single_bytes: int = 16 << 20
    """A file of fewer bytes goes up in one request; of more, in parts that are gone on with after a crash."""
    part_bytes: int = 8 << 20
    """Of a part, at least. (Amazon takes none below 5 MiB, but for the last.)"""
    most_parts: int = 10_000
    copy_bytes: int = 5 << 30
    """A file of more is copied within the store in parts."""
    copy_part_bytes: int = 512 << 20
    page_keys: int = 1000
    """Entries of a folder that come at once. (No store gives more.)"""

    def part_bytes_of(self, size_bytes: int) -> int:
        """Return how big the parts of a file are: the same each time, or nothing could be gone on with."""
        least = -(-size_bytes // self.most_parts)
        return max(self.part_bytes, -(-least // (1 << 20)) << 20 if least > self.part_bytes else 0)
