"""What jobs leave behind to be undone by: one row a source, saying where it went and by what it is known again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tui.model.job import JobKind
from tui.model.location import Location


class Bar(StrEnum):
    """Why what was done to one source cannot be undone truthfully."""

    COPIED = "copied"
    """It is being copied to another filesystem: only where an earlier version did that, this is the last word."""
    PARTLY = "partly"
    """Of a folder that was copied to another filesystem, something could not be moved."""
    MERGED = "merged"
    """A folder was merged into one that stood there."""
    REPLACED = "replaced"
    """A file of its name stood there."""
    NAMES = "names"
    """Names in a folder may have been changed for the filesystem it was copied to."""
    UNTOLD = "untold"
    """The system's own trash does not tell where it keeps it."""
    UNSEEN = "unseen"
    """It was copied to another place, where it could not be looked at then."""
    UNSETTLED = "unsettled"
    """The job was cancelled while a host was asked to rename it, or to remove it: the answer did not come."""


ELSEWHERE = "-"
"""Stands for a folder of a far place, of which nothing is told that it is known by."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Where one source of a job went, written before it goes: it counts once the source's phase is DONE.

    Attributes:
        where: None while that is not known yet (the trash chooses names by itself).
        identity: See `tui.places.local.identity`; of a job that is far, `tui.engine.far.identity`. While it is being
            copied, that of the copy once `where` is known.
        home: What the folder it was in is known by, where it was copied: to another filesystem, or another place.
        goal: Of what comes back from another filesystem, what the folder it is to go to is known by. (Never changed.)
    """

    idx: int
    where: Location | None
    identity: str
    bar: Bar | None = None
    home: str = ""
    goal: str = ""

    @property
    def is_under_way(self) -> bool:
        """It went, or is going, to another filesystem: what is known, if anything, is known of the copy."""
        return self.bar in (Bar.COPIED, Bar.PARTLY) or bool(self.home)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a job has done to one source: it was at `old` and is at `where`."""

    idx: int
    old: Location
    where: Location | None
    identity: str
    home: str


@dataclass(frozen=True, slots=True)
class Sum:
    """What a job's traces come to. `barred`: the first source that speaks against undoing it."""

    done: int
    size_bytes: int
    barred: tuple[Location, Bar] | None


@dataclass(frozen=True, slots=True)
class NotedStep:
    """Something that was done at once, without a job: RENAME or MAKE.

    Attributes:
        location: Where it is now.
        before: Of a rename, where it was; of what was made, the topmost of the folders made on the way to it.
    """

    kind: JobKind
    location: Location
    before: Location
    identity: str


@dataclass(frozen=True, slots=True)
class Reversal:
    """A job to be made of the traces of another one.

    Attributes:
        kind: RENAME back to the old names, MOVE back across filesystems, TRASH what was taken out of there, or take
            away what was made (MAKE).
        target: Where things go, for people: the folder, or (not `into`) the name of the only one.
    """

    of: int
    kind: JobKind
    redo: bool
    target: Location | None
    into: bool
