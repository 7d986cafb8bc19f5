"""Whether what stands at a target is what was to be put there, as far as both places can tell. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.model.entry import EntryKind
from tui.model.error import IsAFolder, NotAFolder, NotHeld, PlaceError
from tui.model.fidelity import Trait
from tui.places.base import Attributes, Capabilities
from tui.places.local.standing import same_time

if TYPE_CHECKING:
    from collections.abc import Set

    from tui.model.entry import Entry
    from tui.model.exclusion import Exclusion
    from tui.model.location import Location

FILE_BITS, FOLDER_BITS = 0o777, 0o1777
"""Permission bits that travel: whose rights a program takes on does not, as its owner does not."""

_KINDS = {
    EntryKind.FIFO: "FIFO",
    EntryKind.SOCKET: "socket",
    EntryKind.BLOCK_DEVICE: "device",
    EntryKind.CHARACTER_DEVICE: "device",
}


def leaves_out(exclude: Exclusion, path: str, *stands: Entry | None) -> bool:
    """Say whether an entry is left out, by what it is on one side or on the other.

    Args:
        path: From the folder that is copied or compared.
    """
    return bool(exclude) and any(
        entry is not None and exclude.covers(os.fsencode(path), folder=entry.kind is EntryKind.FOLDER)
        for entry in stands
    )


@dataclass(frozen=True, slots=True)
class Pairing:
    """How entries of one place stand to those of another.

    Attributes:
        step_ns: Times that differ by less are the same.
        keeps_times: A copy has the time of its source. Where it has not, one of equal size that is not older may be
            complete: what is in it tells.
        exact: Listings of both tell the times files have.
    """

    source: Capabilities
    target: Capabilities
    step_ns: int
    keeps_times: bool
    exact: bool

    @classmethod
    def of(cls, source: Capabilities, target: Capabilities, keep: Set[Trait]) -> Pairing:
        return cls(
            source,
            target,
            max(source.time_step_ns, target.time_step_ns),
            target.sets_times and Trait.TIMES in keep,
            source.lists_times and target.lists_times,
        )

    def same_time(self, entry: Entry, there: Entry) -> bool:
        """Say whether two times are the same, as far as both places can keep them."""
        if same_time(entry.mtime_ns, there.mtime_ns, self.step_ns):
            return True
        if self.source.times_ns is self.target.times_ns is None:
            return False
        return same_time(self._kept(entry), self._kept(there), self.step_ns)

    def _kept(self, entry: Entry) -> int:
        return self.source.nearest_time(self.target.nearest_time(entry.mtime_ns))

    def same(self, entry: Entry, there: Entry) -> bool:
        """Say whether an entry stands there complete; both as `stat` tells, where listings do not tell all."""
        if entry.kind.is_link and there.kind.is_link:
            return entry.link_target is not None and entry.link_target == there.link_target
        if not (entry.kind is there.kind is EntryKind.FILE and entry.size_bytes == there.size_bytes):
            return False
        if self.keeps_times:
            return self.same_time(entry, there)
        return there.mtime_ns // self.step_ns >= entry.mtime_ns // self.step_ns

    def newer(self, entry: Entry, there: Entry) -> bool:
        return entry.mtime_ns > there.mtime_ns and not self.same_time(entry, there)

    def attributes(self, entry: Entry) -> Attributes:
        """Return what a copy of a file or folder is to have."""
        is_folder = entry.kind is EntryKind.FOLDER
        bits = FOLDER_BITS if is_folder else FILE_BITS
        mode = entry.mode & bits if self.source.modes and self.target.takes_modes else None
        times = self.keeps_times and not (is_folder and not self.source.folders)
        return Attributes(mode, entry.mtime_ns if times else None)


def refusal(entry: Entry, there: Entry, where: Location) -> PlaceError | None:
    """Return why one entry cannot take the place of another: a folder is never overwritten, nor does one overwrite."""
    if entry.kind is EntryKind.FOLDER and there.kind is not EntryKind.FOLDER:
        what = "a link stands there" if there.kind.is_link else "a file stands there"
        return NotAFolder(f"cannot create the folder {where}: {what}", location=where)
    if entry.kind is not EntryKind.FOLDER and there.kind is EntryKind.FOLDER:
        return IsAFolder(f"cannot write {where}: a folder stands there", location=where)
    return None


def not_held(entry: Entry, where: Location) -> NotHeld:
    """Return the error of an entry of a kind that does not travel."""
    what = "symbolic link" if entry.kind.is_link else _KINDS.get(entry.kind, "entry of this kind")
    remedy = "Copy it with an archive, or leave it out."
    return NotHeld(f"cannot create {where}: there can be no {what} there", remedy, location=where)
