"""The progress line: a bar, numbers, the current name, never wider than the terminal."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from tui import format
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.model.job import Job

BAR_CELLS = 20
SPARE_CELLS = 3
FLUSHING = "flushing to disk…"


def line(jobs: Sequence[Job], columns: int) -> str:
    """Return the progress of jobs, together, a little narrower than the terminal: a ^C behind it must not wrap.

    What does not fit is left out from the right: name, time left, rate, then the bar.
    """
    room = columns - SPARE_CELLS
    parts = [_numbers(jobs)]
    if len(bar := _bar(jobs)) + 2 + cells(parts[0]) <= room:
        parts.insert(0, bar)
    if any(job.progress.flushing for job in jobs):
        return cut("  ".join([*parts, FLUSHING]), room)
    for part in (_rate(jobs), _time_left(jobs)):
        if part and cells("  ".join([*parts, part])) <= room:
            parts.append(part)
    left = room - cells("  ".join(parts)) - 2
    current = next((job.progress.current for job in jobs if job.progress.current), None)
    if current is not None and left >= 8:
        doing = "verifying " if any(job.progress.verifying for job in jobs) else ""
        parts.append(cut(doing + visible(current.name), left))
    return cut("  ".join(parts), room)


def _bar(jobs: Sequence[Job]) -> str:
    share = _share(jobs)
    filled = int(share * BAR_CELLS)
    return f"[{'#' * filled}{'.' * (BAR_CELLS - filled)}] {int(share * 100):3} %"


def _share(jobs: Sequence[Job]) -> float:
    """Return how much is done, 0 to 1: by bytes, where there are any, else by files."""
    done = sum(job.progress.bytes_done for job in jobs)
    total = sum(job.progress.bytes_total for job in jobs)
    if not total:
        done = sum(job.progress.files_done for job in jobs)
        total = sum(job.progress.files_total for job in jobs)
    return min(1.0, done / total) if total else 0.0


def _numbers(jobs: Sequence[Job]) -> str:
    """Return "120/3,000 files  1.2/4.0 GiB"; a + behind a total says that it still grows."""
    more = "+" if any(job.progress.counting for job in jobs) else ""
    files = sum(job.progress.files_done for job in jobs)
    files_total = sum(job.progress.files_total for job in jobs)
    size = format.size(sum(job.progress.bytes_done for job in jobs))
    size_total = format.size(sum(job.progress.bytes_total for job in jobs))
    return f"{files:,}/{files_total:,}{more} files  {size}/{size_total}{more}"


def _rate(jobs: Sequence[Job]) -> str:
    rate = sum(job.progress.rate_bytes_s for job in jobs)
    return format.rate(rate) if rate >= 1 else ""


def _time_left(jobs: Sequence[Job]) -> str:
    times = [job.progress.time_left_s for job in jobs if job.progress.time_left_s is not None]
    return f"{format.duration(max(times))} left" if times else ""


def cells(text: str) -> int:
    """Return the width of visible text on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def cut(text: str, width: int) -> str:
    """Return text of at most `width` cells: its start, and "…" where something is missing."""
    if cells(text) <= width:
        return text
    kept, used = "", 0
    for char in text:
        if (used := used + cells(char)) > width - 1:
            break
        kept += char
    return kept + "…" if width > 0 else ""
