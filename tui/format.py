"""Sizes, rates, durations and times as people read them: the one place where numbers become text."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tui.model.fidelity import Loss

if TYPE_CHECKING:
    from tui.model.fidelity import Lost
    from tui.model.misfit import Misfits

SECONDS_A_DAY = 86_400


def count(number: int) -> str:
    """Return 12345 as "12,345"."""
    return f"{number:,}"


def size(size_bytes: int | float) -> str:
    """Return a size with at most four digits: "0 B", "999 B", "1.4 MiB", "312 GiB"."""
    if abs(size_bytes) < 1024:
        return f"{int(size_bytes)} B"
    from humanize import naturalsize  # 10 ms, which a command that only queues does without

    text = naturalsize(size_bytes, binary=True, format="%.1f")
    number, unit = text.split(" ")
    return f"{number if abs(float(number)) < 99.95 else round(float(number))} {unit}"


def rate(bytes_s: float) -> str:
    return f"{size(bytes_s)}/s"


def duration(seconds: float) -> str:
    """Return "0:07", "12:34", "3:04:05" or "2 d 4 h"."""
    whole = max(0, int(seconds + 0.5))
    if whole >= SECONDS_A_DAY:
        days, rest = divmod(whole, SECONDS_A_DAY)
        return f"{days} d {rest // 3600} h"
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def modified(mtime_ns: int, now_s: float) -> str:
    """Return a modification time in 12 cells, as `ls` does: "Nov 21 14:05", or "Nov 21  2024" past half a year."""
    try:
        when = dt.datetime.fromtimestamp(mtime_ns / 1e9).astimezone()
    except (OverflowError, ValueError, OSError):
        return "?".rjust(12)
    old = not -3600 < now_s - mtime_ns / 1e9 < SECONDS_A_DAY * 182
    return f"{when:%b} {when.day:2} {when.year:5}" if old else f"{when:%b} {when.day:2} {when:%H:%M}"


def moment(seconds: float) -> str:
    """Return a full local date and time: "2026-11-21 14:05:09". Disks hold times that no calendar has."""
    try:
        return f"{dt.datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return "no calendar date"


def entries(number: int, one: str = "file", many: str = "") -> str:
    """Return "1 file", "12,345 files"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


_LOST = {
    Loss.OWNER: "owner or group of {entries}",
    Loss.MODE: "permission bits of {entries}",
    Loss.XATTR: "extended attributes of {entries}",
    Loss.ACL: "access lists of {entries}",
    Loss.HARDLINKS: "hard links of {names}",
    Loss.SPARSE: "holes of {files}",
    Loss.TIMES: "exact times of {entries}",
    Loss.METADATA: "metadata of {files}",
    Loss.SPECIAL: "{entries} of a kind unknown there",
}


def lost(each: Lost) -> str:
    """Return "exact times of 12 entries", to be read after "not kept:"."""
    number = each.count
    return _LOST[each.loss].format(
        entries=entries(number, "entry", "entries"), files=entries(number), names=entries(number, "name")
    )


def misfits(found: Misfits) -> str:
    """Return "3 names, 1 file of that size and 2 links or other special files", of all that does not fit."""
    parts = [
        entries(number, one, many)
        for number, one, many in (
            (found.names, "name", ""),
            (found.clashes, "name beside another", "names beside others"),
            (found.sizes, "file of that size", "files of that size"),
            (found.kinds, "link or special file", "links or special files"),
        )
        if number
    ]
    *first, last = parts or [entries(0, "name")]
    return f"{', '.join(first)} and {last}" if first else last
