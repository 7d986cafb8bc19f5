"""What a filesystem with rules of its own does not take as it is, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tui.model.location import Location


class Names(StrEnum):
    """What to do with names that the target's filesystem refuses, or takes for one with another.

    Of two that would be one there the first keeps its name and the next becomes "name (1).ext", whichever way names
    are changed; they are chosen by the names in a folder alone, so that a second copy chooses them again.
    """

    ASK = "ask"
    """Look at all of them before anything is written, and wait for an answer where some do not fit."""
    LOOKALIKE = "lookalike"
    """Characters that are refused become ones that look alike: "a:b" becomes "a：b" (U+FF1A)."""
    UNDERSCORE = "underscore"
    """They become "_"."""
    SKIP = "skip"
    """Leave out what has such a name."""
    KEEP = "keep"
    """Change nothing: what cannot be written so is an error of its own."""

    @property
    def changes(self) -> bool:
        """Whether names are others at the target, or left out there."""
        return self in (Names.LOOKALIKE, Names.UNDERSCORE, Names.SKIP)


class Unfit(StrEnum):
    """Why something does not fit."""

    NAME = "name"
    """Its name is refused."""
    CLASH = "clash"
    """Its name would be the same as that of another entry of its folder."""
    SIZE = "size"
    """It is larger than a file may be."""
    KIND = "kind"
    """There can be no such link, FIFO, socket or device."""


class Misfit(Struct, frozen=True):
    """One entry of the source that cannot be at the target as it is.

    Attributes:
        why: The end of a sentence about the target's filesystem ("it takes no ':' in names").
        becomes: The name it would get; empty where no other name helps.
        sure: False where it could not be found out without writing there.
    """

    source: Location
    unfit: Unfit
    why: str
    becomes: str = ""
    sure: bool = True


class Misfits(Struct, frozen=True):
    """What of a job does not fit: how many of each kind, and the first few."""

    names: int = 0
    clashes: int = 0
    sizes: int = 0
    kinds: int = 0
    first: tuple[Misfit, ...] = ()

    @property
    def total(self) -> int:
        return self.names + self.clashes + self.sizes + self.kinds
