"""Which entries a job touches: its reach. By it a job that only changes names need not wait for a disk."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.model.job import JobKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.engine.rows import JobRow, Source
    from tui.model.location import Location

MOST_ENTRIES = 500
"""Of jobs with more sources it is not kept: they wait, and are waited for, by their disks."""

_LIGHT = frozenset({JobKind.DELETE, JobKind.TRASH, JobKind.RENAME, JobKind.MAKE, JobKind.CHMOD})


@dataclass(frozen=True, slots=True)
class Reach:
    """The entries a job touches, with all below them, and the folders that lead to these."""

    entries: frozenset[str]
    above: frozenset[str]

    def meets(self, other: Reach) -> bool:
        """Say whether both touch one entry, or one touches what lies below an entry of the other."""
        return not (
            self.entries.isdisjoint(other.entries)
            and self.entries.isdisjoint(other.above)
            and self.above.isdisjoint(other.entries)
        )


def is_light(row: JobRow, lanes: frozenset[int]) -> bool:
    """Say whether a job brings no content anywhere: a move does not either, where it stays on one local disk."""
    within = len(lanes) == 1 and min(lanes) > 0
    return row.kind in _LIGHT or (row.kind is JobKind.MOVE and within and not row.verify)


def reach_of(row: JobRow, sources: Sequence[Source]) -> Reach | None:
    """Return what a job touches, links on the way resolved; None where that is too much to keep. Asks the disk."""
    if row.source_count > MOST_ENTRIES:
        return None
    folders: dict[Location, str] = {}
    entries = frozenset(_entries(row, sources, folders))
    above: set[str] = set()
    for folder in folders.values():
        while folder not in above:
            above.add(folder)
            folder = posixpath.dirname(folder)
    return Reach(entries, frozenset(above))


def _entries(row: JobRow, sources: Sequence[Source], folders: dict[Location, str]) -> Iterator[str]:
    for source in sources:
        yield _entry(source.location, folders)
        if source.target is not None:
            yield _entry(source.target, folders)
        if row.target is not None and row.into and not source.location.is_root:
            yield _entry(row.target.child(source.location.name), folders)
    if row.target is not None and not row.into:
        yield _entry(row.target, folders)
        yield _folder(row.target, folders)  # a link to a folder: what is written to lies there


def _entry(location: Location, folders: dict[Location, str]) -> str:
    """Return one text for an entry, by whichever path it was named."""
    folder = _folder(location.parent, folders)
    return folder if location.is_root else posixpath.join(folder, location.name)


def _folder(location: Location, folders: dict[Location, str]) -> str:
    """Return the same for a folder, where links are followed; note it in `folders`."""
    if location not in folders:
        far = f"//{location.scheme}:{location.authority}{location.path.rstrip('/')}"
        folders[location] = os.path.realpath(location.path) if location.is_local else far
    return folders[location]
