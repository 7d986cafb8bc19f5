"""What a copy between places still has to write: never more than that, so that nothing waits for room it has."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.model.entry import EntryKind
from tui.model.job import Conflict
from tui.places.local.names import folded
from tui.places.local.partial import name_of_half

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.engine.far.standing import Pairing
    from tui.engine.run import Run
    from tui.model.entry import Entry

MOST_STANDING = 10_000
"""Of a target folder that holds more, it is not known what stands there: nothing in it counts as needed."""


@dataclass(slots=True)
class Amount:
    """So much was counted, and so much of it is still to be made at the target.

    Attributes:
        new_files: Files, links and folders.
        new_bytes: Less than none where what is replaced takes more.
    """

    files: int = 0
    size_bytes: int = 0
    new_files: int = 0
    new_bytes: int = 0

    def add(self, more: Amount) -> None:
        self.files += more.files
        self.size_bytes += more.size_bytes
        self.new_files += more.new_files
        self.new_bytes += more.new_bytes

    def take_back(self, part: Amount) -> None:
        """Take off what was added, and begin that part anew."""
        self.add(Amount(-part.files, -part.size_bytes, -part.new_files, -part.new_bytes))
        part.files = part.size_bytes = part.new_files = part.new_bytes = 0


class Standing:
    """What a target folder holds, by name; names that some servers take for one are one."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = {entry.name: entry for entry in entries}
        self._folded: dict[bytes | str, Entry] | None = None

    def find(self, name: str) -> Entry | None:
        found = self._entries.get(name)
        if found is not None or not self._entries:
            return found
        if self._folded is None:
            self._folded = {folded(os.fsencode(each)): entry for each, entry in self._entries.items()}
        return self._folded.get(folded(os.fsencode(name)))

    def half_bytes(self, name: str) -> int:
        """Return what a half file of that very name has, at most."""
        half = self._entries.get(name)
        return 0 if half is None else half.size_bytes


class Need:
    """Tells what single entries need at a target.

    What stands complete there needs nothing. Where it depends on an answer still to be given, it counts as nothing.

    Attributes:
        may_shrink: What is still to come may replace something larger.
    """

    def __init__(self, run: Run, pairing: Pairing) -> None:
        record = run.record
        self._pairing, self._conflict, self._tag = pairing, record.conflict, record.row.tag
        self._again = record.walk > 0
        self.may_shrink = self._conflict in (Conflict.OVERWRITE, Conflict.NEWER)

    def of(self, entry: Entry, there: Entry | None, beside: Standing, name: str = "") -> tuple[int, int]:
        """Return the files and bytes to be made for an entry that is no folder.

        Args:
            there: What stands under its name.
            beside: What else is in the folder there.
            name: Its name there; empty: its own.
        """
        size_bytes = entry.size_bytes if entry.kind is EntryKind.FILE else 0
        if there is None:
            travels = entry.kind is EntryKind.FILE or entry.kind.is_link
            return int(travels), size_bytes - self._half_bytes(entry, beside, name)
        if not self._is_replaced(entry, there):
            return 0, 0
        return 0, size_bytes - self._half_bytes(entry, beside, name) - there.size_bytes

    def _is_replaced(self, entry: Entry, there: Entry) -> bool:
        """Say whether the entry takes the place of what stands there, for sure."""
        if not entry.kind is there.kind is EntryKind.FILE:
            return False
        pairing = self._pairing
        if entry.size_bytes == there.size_bytes and (not pairing.exact or pairing.same(entry, there)):
            return False
        if self._conflict is Conflict.NEWER:
            return pairing.exact and pairing.newer(entry, there)
        return self._conflict is Conflict.OVERWRITE

    def half_of(self, entry: Entry, name: str = "") -> str:
        """Return the name under which an earlier go may have left a half of a file; empty where there is none."""
        if not self._again or entry.kind is not EntryKind.FILE:
            return ""
        target_name = os.fsencode(name or entry.name)
        return os.fsdecode(name_of_half(self._tag, target_name, entry.size_bytes, entry.mtime_ns))

    def _half_bytes(self, entry: Entry, beside: Standing, name: str) -> int:
        """Return what an earlier go has already written of a file."""
        half = self.half_of(entry, name)
        return min(beside.half_bytes(half), entry.size_bytes) if half else 0
