"""How far a job is: what it has done, and what there is to do, also where a walk finds again what another did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.engine.rows import JobRow


@dataclass(slots=True)
class Tally:
    """What a job has done and has to do.

    The floors keep what was shown before while a new walk finds it again. What was removed before (`gone`) is found
    again only as far as whole sources of it are known.
    """

    files_done: int = 0
    bytes_done: int = 0
    files_same: int = 0
    files_skipped: int = 0
    files_removed: int = 0
    files_total: int = 0
    bytes_total: int = 0
    files_verified: int = 0
    bytes_verified: int = 0
    bytes_flushed: int = 0
    bytes_half: int = 0
    """What was done of files that a far move has not copied whole: these are not gone."""
    counting: bool = False
    files_floor: int = 0
    bytes_floor: int = 0
    files_gone: int = 0
    bytes_gone: int = 0
    total_floor: tuple[int, int] = (0, 0)
    """Files and bytes there were in all, as far as walks knew that met what is gone."""
    verified_before: tuple[int, int] = (0, 0)
    """Files and bytes verified by earlier walks: what was moved since is not met again."""

    @classmethod
    def of(cls, row: JobRow) -> Tally:
        """Return what the journal kept of it, see `columns`."""
        return cls(
            files_done=row.files_done,
            bytes_done=row.bytes_done,
            files_same=row.files_same,
            files_skipped=row.files_skipped,
            files_removed=row.files_removed,
            files_total=row.files_total,
            bytes_total=row.bytes_total,
            files_verified=row.files_verified,
            bytes_verified=row.bytes_verified,
            bytes_flushed=row.bytes_flushed,
            bytes_half=row.bytes_half,
        )

    def begin(self, *, removes: bool = False) -> None:
        """Start a walk, which finds again what was done before.

        Args:
            removes: What was done is not there any more: sources that are done are told by `found_gone`, what was
                counted and is there yet by `met_again`.
        """
        if removes:
            self.total_floor = self.total_shown
            self.files_floor, self.bytes_floor = self.files_shown, self.bytes_shown
            self.files_total = self.bytes_total = 0
            self.files_gone += self.files_done
            self.bytes_gone += max(self.bytes_done - self.bytes_half, 0)
        else:
            self.files_floor = max(self.files_floor, self.files_done)
            self.bytes_floor = max(self.bytes_floor, self.bytes_done)
        self.verified_before = self.verified_shown
        self.files_done = self.bytes_done = self.files_same = self.files_skipped = 0
        self.files_verified = self.bytes_verified = self.bytes_flushed = self.bytes_half = 0

    def found_gone(self, files: int, size_bytes: int) -> None:
        """Count a source that an earlier walk has removed."""
        self.met_again(files, size_bytes)
        self.files_done += files
        self.bytes_done += size_bytes

    def met_again(self, files: int, size_bytes: int) -> None:
        """Note that what this walk counts may have been counted by an earlier one: it is not gone.

        Where an earlier one had not come so far, too little is left as gone: `end` sets that right.
        """
        self.files_gone = max(self.files_gone - files, 0)
        self.bytes_gone = max(self.bytes_gone - size_bytes, 0)

    def end(self) -> None:
        """Say what was really found, now that all was looked at: what is missing of an earlier total was done, too."""
        self.files_floor = self.bytes_floor = 0
        self.files_total = max(self.files_total, self.files_done)
        self.bytes_total = max(self.bytes_total, self.bytes_done)
        files_gone = max(self.files_gone, self.total_floor[0] - self.files_total)
        bytes_gone = max(self.bytes_gone, self.total_floor[1] - self.bytes_total)
        self.files_done += files_gone
        self.bytes_done += bytes_gone
        self.files_total += files_gone
        self.bytes_total += bytes_gone
        self.files_gone = self.bytes_gone = 0
        self.total_floor = 0, 0

    @property
    def files_shown(self) -> int:
        return max(self.files_done + self.files_gone, self.files_floor)

    @property
    def bytes_shown(self) -> int:
        return max(self.bytes_done + self.bytes_gone, self.bytes_floor)

    @property
    def total_shown(self) -> tuple[int, int]:
        """Files and bytes: never less than was done."""
        files, size_bytes = self.total_floor
        return (
            max(self.files_total + self.files_gone, self.files_shown, files),
            max(self.bytes_total + self.bytes_gone, self.bytes_shown, size_bytes),
        )

    @property
    def verified_shown(self) -> tuple[int, int]:
        """Files and bytes."""
        files, size_bytes = self.verified_before
        return max(self.files_verified, files), max(self.bytes_verified, size_bytes)

    def columns(self) -> dict[str, object]:
        """Return what the journal keeps of it."""
        files_total, bytes_total = self.total_shown
        files_verified, bytes_verified = self.verified_shown
        return {
            "files_done": self.files_shown,
            "bytes_done": self.bytes_shown,
            "files_total": files_total,
            "bytes_total": bytes_total,
            "bytes_flushed": self.bytes_flushed,
            "bytes_half": self.bytes_half,
            "files_same": self.files_same,
            "files_skipped": self.files_skipped,
            "files_verified": files_verified,
            "bytes_verified": bytes_verified,
            "files_removed": self.files_removed,
        }
