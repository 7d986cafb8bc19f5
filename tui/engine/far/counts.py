"""What a far copy reports, gathered so that a small file costs next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.far.standing import FILE_BITS, FOLDER_BITS
from tui.engine.losses import Losses
from tui.engine.noting import lose
from tui.engine.run import Sums
from tui.model.entry import EntryKind
from tui.model.fidelity import Loss, Trait

if TYPE_CHECKING:
    from tui.engine.far.standing import Pairing
    from tui.engine.far.tree import Item
    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.model.location import Location

WRITE_S = 1.0
"""So often losses are written down."""


class Counts:
    """Sums and losses that wait to be told."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.sums, self.renamed = Sums(), Sums()
        self.last: Item | None = None
        self._half_again_bytes = 0
        """Of what is the same: it was not counted as gone."""
        self._losses = Losses()
        self._written_at = run.clock.monotonic()
        self.seen_files = self.seen_bytes = 0
        """What was found so far of all there is."""

    def found(self, entry: Entry) -> None:
        """Note that there is one more."""
        self.seen_files += 1
        self.seen_bytes += entry.size_bytes

    def half(self, size_bytes: int) -> None:
        """Count what was copied of a file that is not complete yet."""
        self.sums.bytes += size_bytes
        if self._run.moves:
            self.sums.half_bytes += size_bytes

    def half_again(self, size_bytes: int) -> None:
        """Count what was found of such a file, or, with a number below zero, is not there after all."""
        self.sums.same_bytes += size_bytes
        if self._run.moves:
            self.sums.half_bytes += size_bytes
            self._half_again_bytes += size_bytes

    def completed(self, size_bytes: int) -> None:
        """Say that such a file is complete now."""
        if self._run.moves:
            self.sums.half_bytes -= size_bytes

    def show(self) -> None:
        """Tell the job how far it is."""
        run, tally = self._run, self._run.record.tally
        sums, renamed = self.sums, self.renamed
        tally.files_total = max(tally.files_total, self.seen_files)
        tally.bytes_total = max(tally.bytes_total, self.seen_bytes)
        if sums != Sums():
            self.sums = Sums()
            if run.moves:
                again_bytes = max(sums.same_bytes + sums.skipped_bytes - self._half_again_bytes, 0)
                self._half_again_bytes = 0
                tally.met_again(sums.same_files + sums.skipped_files, again_bytes)
            run.count(sums, self.last.source if self.last is not None else None)
        if renamed != Sums():
            self.renamed = Sums()
            run.count(renamed, metered=False)
            run.record.renamed = True

    async def write(self, *, now: bool = False) -> None:
        """Write the losses down: what is complete is not looked at again after a crash."""
        due = self._run.clock.monotonic() - self._written_at >= WRITE_S
        if self._losses and (now or due):
            losses, self._losses = self._losses, Losses()
            self._written_at = self._run.clock.monotonic()
            await lose(self._run, losses)

    def lost(self, entry: Entry, where: Location, pairing: Pairing) -> None:
        """Note what a copy that was just made could not keep."""
        is_folder = entry.kind is EntryKind.FOLDER
        target, keep = pairing.target, self._run.record.row.preserve
        if Trait.TIMES in keep and not (is_folder and not pairing.source.folders):
            if not target.keeps_time(entry.mtime_ns):
                self._add(Loss.TIMES, where, folder=is_folder)
        bits = FOLDER_BITS if is_folder else FILE_BITS
        if pairing.source.modes and (not target.takes_modes or entry.mode & 0o7777 & ~bits):
            self._add(Loss.MODE, where, folder=is_folder)
        if entry.links > 1 and not is_folder and Trait.HARDLINKS in keep:
            self._add(Loss.HARDLINKS, where)
        if entry.described:
            self._add(Loss.METADATA, where)

    def link(self, entry: Entry, where: Location, pairing: Pairing, *, dated: bool) -> None:
        """Note where a link that was just made could not keep its time; `dated`: it was set."""
        if Trait.TIMES in self._run.record.row.preserve:
            if not (dated and pairing.target.keeps_time(entry.mtime_ns)):
                self._add(Loss.TIMES, where)

    def refused(self, loss: Loss, where: Location) -> None:
        """Note that a folder could not be given what it was to have."""
        self._add(loss, where, folder=True)

    def _add(self, loss: Loss, where: Location, *, folder: bool = False) -> None:
        self._losses.add(loss, lambda: where, folder=folder)
