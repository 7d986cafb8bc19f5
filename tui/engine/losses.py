"""What a job could not keep: the counts behind its loss report."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.model.fidelity import Loss, Lost
from tui.model.job import JobKind
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = 5
"""So many entries are named for each kind of loss; the others are only counted."""

_TOLD = "told"

_BY_ALIGNING = frozenset({Loss.OWNER, Loss.MODE, Loss.XATTR, Loss.ACL})


def is_told_again(loss: Loss, kind: JobKind) -> bool:
    """Say whether every walk of such a job finds that loss anew: a sync tries again what is not as it should be."""
    return kind is JobKind.SYNC and loss in _BY_ALIGNING


@dataclass(slots=True)
class _Count:
    files: int = 0
    folders: int = 0
    floor: int = 0
    """Folders that were counted by the walk before, for as long as the present one has found fewer."""
    examples: list[Location] = field(default_factory=list)

    @property
    def shown(self) -> int:
        return self.files + max(self.folders, self.floor)

    def name(self, location: Location) -> None:
        if len(self.examples) < EXAMPLES and location not in self.examples:
            self.examples.append(location)


class Losses:
    """Counts by kind, with the first few entries of each: of a job, or of one hop.

    A file is counted once, when it is made: a later walk finds it complete. A folder gets its attributes in every walk,
    so each walk counts the folders anew, and with them what else is told again (`is_told_again`). Those that a move
    removes are not met again: they are counted as files are (`keep`).

    Attributes:
        told: By the slot of their notes, the token of the last hop whose losses are counted: see `LossNotes`.
    """

    def __init__(self, kept: str | None = None) -> None:
        """Take what `column` gave before a restart."""
        self._counts: dict[Loss, _Count] = {}
        columns = json.loads(kept or "{}")
        self.told: dict[str, str] = columns.pop(_TOLD, {})
        for name, (files, folders, urls) in columns.items():
            examples = [Location.from_url(url) for url in urls]
            self._counts[Loss(name)] = _Count(files, folders, folders, examples)

    def begin(self) -> None:
        """Start a walk."""
        for count in self._counts.values():
            count.floor = max(count.floor, count.folders)
            count.folders = 0

    def end(self, *, removes: bool = False) -> None:
        """Say that all was looked at.

        Args:
            removes: Folders were removed that an earlier walk has counted: fewer found do not say that it was wrong.
        """
        for count in self._counts.values():
            if removes:
                count.folders = max(count.folders, count.floor)
            count.floor = 0

    def keep(self) -> None:
        """Count for good what folders have lost: they are about to be removed, and no walk will count them again."""
        for count in self._counts.values():
            count.files += max(count.folders, count.floor)
            count.folders = count.floor = 0

    def add(self, loss: Loss, where: Callable[[], Location], *, folder: bool = False) -> None:
        """Count one entry more; `where` is asked only while examples are wanted.

        Args:
            folder: It is one, or is told again like one.
        """
        count = self._counts.setdefault(loss, _Count())
        if folder:
            count.folders += 1
        else:
            count.files += 1
        if len(count.examples) < EXAMPLES:
            count.name(where())

    def merge(self, news: Losses) -> None:
        """Add what one hop lost."""
        self.told |= news.told
        for loss, more in news._counts.items():
            count = self._counts.setdefault(loss, _Count())
            count.files += more.files
            count.folders += more.folders
            for location in more.examples:
                count.name(location)

    def clear(self) -> None:
        """Forget all: what was made has been removed again."""
        self._counts.clear()

    def __bool__(self) -> bool:
        return bool(self._counts)

    @property
    def total(self) -> int:
        return sum(count.shown for count in self._counts.values())

    def report(self) -> tuple[Lost, ...]:
        """Return a line for each kind of loss, in the order of `Loss`."""
        found = ((loss, self._counts[loss]) for loss in Loss if loss in self._counts)
        return tuple(Lost(loss, count.shown, tuple(count.examples)) for loss, count in found if count.shown)

    def column(self) -> str | None:
        """Return what the journal keeps of it."""
        if not self._counts:
            return None
        counts = {
            loss: [count.files, max(count.folders, count.floor), [each.url for each in count.examples]]
            for loss, count in self._counts.items()
        }
        return json.dumps(counts | {_TOLD: self.told} if self.told else counts)

    def __repr__(self) -> str:
        return f"<Losses {', '.join(f'{lost.loss} {lost.count}' for lost in self.report()) or 'none'}>"
