"""What the engine and the local disk say to each other beside `copy_rules`: when to stop, and what a hop reports.

A hop is one call in a worker thread. It does a batch of entries of one folder, or one slice of a large file, and
returns; pausing, cancelling and limiting happen between hops, and inside one wherever `Brake.on` is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter

from tui.model.entry import Facts
from tui.model.error import PlaceError
from tui.model.fidelity import Loss

BATCH_ENTRIES = 128
BATCH_S = 0.1
"""A batch ends after so many entries or seconds, whichever comes first."""
LOOKS_A_COPY = 16
"""To see of so many files that they stand complete costs about as much as to copy one."""


class Brake:
    """Tells running hops of a job to stop at the next entry or chunk.

    It is set from any thread; a plain attribute is enough.
    """

    __slots__ = ("on",)

    def __init__(self) -> None:
        self.on = False


@dataclass(slots=True)
class Collision:
    """A name that is taken by something different, left as it is: under the rules ASK and FAIL."""

    name: bytes
    source: Facts
    target: Facts


@dataclass(slots=True)
class Failure:
    """One entry (or, with an empty name, the folder itself) that could not be done."""

    name: bytes
    error: PlaceError


@dataclass(slots=True)
class Large:
    """A file left to be copied in slices: under `target_name`, replacing what stands there if `replace`."""

    name: bytes
    target_name: bytes
    size_bytes: int
    replace: bool
    again: bool = False
    """It changed while it was copied before: this is the second try, and the last."""


@dataclass(slots=True)
class Batch:
    """What one hop over a folder did. Files are all entries that are not folders.

    `files` (made), `same_files` and `skipped_files` are disjoint, and so are their bytes: done is the sum of the three.
    """

    files: int = 0
    size_bytes: int = 0
    same_files: int = 0
    same_bytes: int = 0
    skipped_files: int = 0
    skipped_bytes: int = 0
    verified_files: int = 0
    """Of those made or the same, read back from the disk: regular files."""
    verified_bytes: int = 0
    folders: list[bytes] = field(default_factory=list)
    """Subfolders that now stand at the target too and are to be gone into, by their names in the source."""
    renamed: dict[bytes, bytes] = field(default_factory=dict)
    """Those that are at the target under another name, or are to be: source name -> target name."""
    large: list[Large] = field(default_factory=list)
    linked: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Entries with several names, left alone: (name there, name at the target). Only where no links are kept."""
    collisions: list[Collision] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    losses: list[tuple[Loss, bytes]] = field(default_factory=list)
    """What entries made now could not keep, each with the entry's name in the source."""
    last: bytes = b""
    """The entry last worked on."""
    exhausted: bool = False
    """The folder has no more entries."""
    finished: bool = False
    """It has been given its final mode and times, too; `lost` is what it could not keep."""
    lost: list[Loss] = field(default_factory=list)
    out_of_space: bool = False
    device: int = 0
    """The filesystem of the target folder; 0 where that could not be opened."""
    wrote: bool = False
    """Something was made at the target that is not in `files`: subfolders, or what nobody counted."""
    clashed: bool = False
    """A folder met something else, and that was passed by (`CopyRules.pass_clashes`)."""

    def __reduce__(self) -> tuple[type[Batch], tuple[object, ...]]:
        """Have it sent as its values alone, in order: there is one for every folder."""
        return Batch, _values(self)

    @property
    def entries(self) -> int:
        """How many entries it has dealt with, one way or another."""
        files = self.files + self.same_files + self.skipped_files
        left = len(self.large) + len(self.linked) + len(self.collisions) + len(self.failures)
        return files + left + len(self.folders)

    @property
    def work(self) -> int:
        """As `entries`, counted in copies: those that stood there complete were only looked at."""
        return self.entries - self.same_files + self.same_files // LOOKS_A_COPY

    def take_off(self, counted: Batch) -> None:
        """Do not count again what was counted as the same or skipped; what was is taken off `counted` as well."""
        for name in (
            "same_files",
            "same_bytes",
            "skipped_files",
            "skipped_bytes",
            "verified_files",
            "verified_bytes",
        ):
            twice = min(getattr(self, name), getattr(counted, name))
            setattr(self, name, getattr(self, name) - twice)
            setattr(counted, name, getattr(counted, name) - twice)

    def add(self, other: Batch) -> None:
        """Take in what another hop over the same folder did; whether the folder has more stays as it is."""
        self.files += other.files
        self.size_bytes += other.size_bytes
        self.same_files += other.same_files
        self.same_bytes += other.same_bytes
        self.skipped_files += other.skipped_files
        self.skipped_bytes += other.skipped_bytes
        self.verified_files += other.verified_files
        self.verified_bytes += other.verified_bytes
        self.folders += other.folders
        self.renamed |= other.renamed
        self.large += other.large
        self.collisions += other.collisions
        self.failures += other.failures
        self.losses += other.losses
        self.last = other.last or self.last
        self.out_of_space |= other.out_of_space
        self.wrote |= other.wrote
        self.clashed |= other.clashed


_values = attrgetter(*(each.name for each in fields(Batch)))
