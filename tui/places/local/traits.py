"""What the copies into one folder are to keep, and what of it the entry in hand has lost."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Protocol

from tui.model.fidelity import ALL_TRAITS, Loss, Trait

if TYPE_CHECKING:
    import os
    from collections.abc import Set

    from tui.places.local.loss_notes import LossNotes


class Wanted(Protocol):
    """What an entry is to have: as much of a `os.stat_result` as is compared."""

    @property
    def st_uid(self) -> int: ...
    @property
    def st_gid(self) -> int: ...
    @property
    def st_mtime_ns(self) -> int: ...


class Traits:
    """The traits wanted, as attributes that cost nothing to look at, and a place to note losses.

    Attributes:
        lost: Of the entry being copied; whoever copies entries takes it after each.
        notes: Where it is written down before an entry is complete, if anywhere.
    """

    __slots__ = ("acl", "hardlinks", "lost", "notes", "owner", "sparse", "times", "xattr")

    def __init__(self, keep: Set[Trait] = ALL_TRAITS) -> None:
        self.owner = Trait.OWNER in keep
        self.xattr = Trait.XATTR in keep
        self.acl = Trait.ACL in keep
        self.hardlinks = Trait.HARDLINKS in keep
        self.sparse = Trait.SPARSE in keep
        self.times = Trait.TIMES in keep
        self.lost: set[Loss] = set()
        self.notes: LossNotes | None = None

    def lose(self, loss: Loss) -> None:
        self.lost.add(loss)

    def take(self) -> list[Loss]:
        """Return what was lost since the last time, in order, and forget it."""
        lost = sorted(self.lost)
        self.lost.clear()
        return lost

    def compare(self, wanted: Wanted, mode: int, made: os.stat_result) -> None:
        """Note what a target took without a word but does not hold, as FAT does with owners, modes and exact times.

        Args:
            mode: The permission bits that were set; those of links mean nothing.
        """
        if self.owner and (made.st_uid, made.st_gid) != (wanted.st_uid, wanted.st_gid):
            self.lost.add(Loss.OWNER)
        if stat.S_IMODE(made.st_mode) != mode and not stat.S_ISLNK(made.st_mode):
            self.lost.add(Loss.MODE)
        if self.times and made.st_mtime_ns != wanted.st_mtime_ns:
            self.lost.add(Loss.TIMES)
