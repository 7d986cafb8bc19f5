"""What a copy keeps of an entry besides its content, and what it could not keep."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tui.model.location import Location


class Trait(StrEnum):
    """What may be left behind on purpose. (Content, kind, names and permission bits always travel.)"""

    OWNER = "owner"
    """User and group."""
    XATTR = "xattr"
    ACL = "acl"
    HARDLINKS = "hardlinks"
    """Names of one file stay names of one file."""
    SPARSE = "sparse"
    """Holes stay holes."""
    TIMES = "times"
    """Of last change and last reading; without them a new entry has the time at which it was made."""


ALL_TRAITS = frozenset(Trait)


class Loss(StrEnum):
    """What a target could not hold, or its user may not set there."""

    OWNER = "owner"
    MODE = "mode"
    XATTR = "xattr"
    ACL = "acl"
    HARDLINKS = "hardlinks"
    """A name of a file that has others became a file of its own."""
    SPARSE = "sparse"
    """Holes were filled with zeros."""
    TIMES = "times"
    """Rounded, or not set at all."""
    METADATA = "metadata"
    """What a store keeps with a file besides: what somebody noted of it, a type its name does not tell, a class."""
    SPECIAL = "special"
    """A link, FIFO, socket or device could not be made: each is an error of the job, too."""


class Lost(Struct, frozen=True):
    """One line of a job's loss report: how many entries lost this, and the first few of them, at the target."""

    loss: Loss
    count: int
    examples: tuple[Location, ...] = ()
