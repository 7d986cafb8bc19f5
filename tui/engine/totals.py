"""What a job amounts to, counted beside the work and never in its way."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.engine.rows import Phase
from tui.model.job import JobKind
from tui.places.local.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.rows import Source
    from tui.engine.run import Run

PAGE = 256


@dataclass(slots=True)
class Count:
    files: int = 0
    size_bytes: int = 0


async def count_totals(run: Run) -> None:
    """Count all sources of a job, a few hops a second, into its tally; `counting` is on until all is known."""
    record = run.record
    tally = record.tally
    tally.counting = True
    run.touch()
    counted = Count()
    start = 0
    device = await run.hop(_target_device, run)
    while not run.counting.on and (page := await run.journal.sources(record.id, start, PAGE)):
        for source in await run.hop(_count_plain, page, counted, device):
            await _count_tree(run, source, counted)
        _show(run, counted)
        start = page[-1].idx + 1
    if not run.counting.on:
        tally.files_total, tally.bytes_total = counted.files, counted.size_bytes
        tally.counting = False
        run.touch()


async def _count_tree(run: Run, source: Source, counted: Count) -> None:
    scan = Scan(source.location.path, run.counting)
    files, size_bytes = counted.files, counted.size_bytes
    try:
        while not run.counting.on and not scan.exhausted:
            totals = await run.hop(scan.step)
            counted.files, counted.size_bytes = files + totals.files, size_bytes + totals.size_bytes
            _show(run, counted)
    finally:
        run.release(scan)


def _show(run: Run, counted: Count) -> None:
    """Let the totals grow; what an earlier count found stays until this one has passed it."""
    tally = run.record.tally
    if counted.files > tally.files_total or counted.size_bytes > tally.bytes_total:
        tally.files_total = max(tally.files_total, counted.files)
        tally.bytes_total = max(tally.bytes_total, counted.size_bytes)
        run.touch()


def _target_device(run: Run) -> int | None:
    """Return the device of the folder a move goes into; None for other jobs."""
    row = run.record.row
    if row.kind is not JobKind.MOVE or row.target is None:
        return None
    try:
        return os.stat(row.target.path if row.into else row.target.parent.path).st_dev
    except OSError:
        return None


def _count_plain(page: Sequence[Source], counted: Count, device: int | None) -> list[Source]:
    """Count what needs one look only; return the folders that have to be gone through."""
    folders = []
    for source in page:
        if source.phase in (Phase.DONE, Phase.REMOVING):
            counted.files += source.files
            counted.size_bytes += source.size_bytes
            continue
        try:
            info = os.lstat(source.location.path)
        except OSError:
            continue
        if stat.S_ISDIR(info.st_mode) and info.st_dev != device:
            folders.append(source)
        else:  # a folder that is just renamed counts as one
            counted.files += 1
            counted.size_bytes += info.st_size if not stat.S_ISDIR(info.st_mode) else 0
    return folders
