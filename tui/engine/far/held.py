"""What a target folder holds, by name, for as long as a copy looks at what comes into it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui.engine.far.columns import Columns
from tui.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.model.entry import Entry

FEW = 256
"""So many are kept as they came."""

_PLAIN = (EntryKind.FILE, EntryKind.FOLDER)
"""Of these, columns keep all that matters here; of a link, not where it points."""


class Held:
    """Entries of one folder. Many are packed, as some dozens of such folders are gone through at once."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._packed: Columns | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, entries: Iterable[Entry]) -> None:
        """Take in some more."""
        for entry in entries:
            self._entries[entry.name] = entry
            self._count += 1
        if len(self._entries) > FEW:
            self._pack()

    def end(self) -> None:
        """Say that there are no more."""
        if self._packed is not None:
            self._pack()
            self._packed.end()

    def _pack(self) -> None:
        self._packed = self._packed or Columns()
        self._packed.add(entry for entry in self._entries.values() if entry.kind in _PLAIN)
        self._entries = {name: it for name, it in self._entries.items() if it.kind not in _PLAIN}

    def get(self, name: str) -> Entry | None:
        """Return what is there under a name."""
        found = self._entries.get(name)
        if found is None and self._packed is not None:
            return self._packed.get(os.fsencode(name))
        return found
