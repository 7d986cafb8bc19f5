"""The entries of one location in columns, and their marks: what is known of them by position. No widget, no I/O.

A million entries must fit, so there is no object per entry. A *position* is an index into the columns.
"""

from __future__ import annotations

import sys
from array import array
from itertools import compress
from typing import TYPE_CHECKING

from tui.ui.marks import Marks, both, without
from tui.ui.sorting import FOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tui.model.entry import Details, Page
    from tui.model.location import Location

UNREAD = -2
"""Size of an entry whose details were not read yet."""
GONE = -1
"""Size of an entry that went before its details were read."""
_IS_FOLDER = bytes(kind in FOLDERS for kind in range(256))
_HIGHEST = 7 if sys.byteorder == "little" else 0
_HAS_NO_SIGN = bytes(byte < 0x80 for byte in range(256))


def _not_negative(numbers: array[int]) -> bytes:
    """Return a mask of the numbers from 0 on, by the bytes that hold their signs."""
    return numbers.tobytes()[_HIGHEST::8].translate(_HAS_NO_SIGN)


class Entries:
    """Columns and marks.

    Args:
        marks: The names that were marked when the folder was shown last; many of them are `recall`ed first.
        measured: Counted sizes of subfolders by name; changed in place, so that it can outlive this object.
    """

    def __init__(
        self, location: Location, marks: Iterable[str] | None = None, measured: dict[str, int] | None = None
    ) -> None:
        self.location = location
        self.names: list[str] = []
        self.kinds = bytearray()
        self.sizes_bytes: array[int] = array("q")
        self.mtimes_ns: array[int] = array("q")
        self.modes: array[int] = array("I")
        self.marks = Marks(self.names, marks or ())
        self.measured = {} if measured is None else measured
        self.marked_bytes = 0
        """Bytes of the marked entries whose size is known."""
        self.marked_folders = self.marked_unread = 0
        """How many marked entries there are whose size is not known: folders not counted, and others not read."""
        self.stages: dict[str, tuple[str, str]] = {}
        """Trees being copied into it: (final name, how much is done) by partial name. They cannot be marked."""
        self.untold = ""
        """What says that some of the folder cannot be told by names, if so."""
        self._kinds_revision = self._details_revision = 0

    def __len__(self) -> int:
        return len(self.names)

    # Columns.

    def extend(self, page: Page) -> None:
        """Add names as they were read; their details come later."""
        start, count = len(self.names), len(page.names)
        self.untold = self.untold or page.untold
        self.kinds += page.kinds
        self.sizes_bytes.extend([UNREAD] * count)
        self.mtimes_ns.extend([0] * count)
        self.modes.extend([0] * count)
        marked = self.marks.read_more(page.names)
        self.names += page.names  # last: whoever counts the names finds all columns filled
        for position in compress(range(start, start + count), marked):
            self._count_marked(position, 1)

    def set_details(self, positions: Sequence[int], details: Details) -> bool:
        """Fill columns in for some entries, in the same order.

        Returns:
            Whether an entry turned out to be of another kind than its folder had said.
        """
        changed = False
        flags = self.marks.flags
        for n, position in enumerate(positions):
            if flags[position]:
                self._count_marked(position, -1)
            self.sizes_bytes[position] = details.sizes_bytes[n]
            self.mtimes_ns[position] = details.mtimes_ns[n]
            self.modes[position] = details.modes[n]
            if details.sizes_bytes[n] != GONE and self.kinds[position] != details.kinds[n]:
                self.kinds[position] = details.kinds[n]
                changed = True
            if flags[position]:
                self._count_marked(position, 1)
        self._details_revision += 1
        self._kinds_revision += changed
        return changed

    def unread(self, start: int, limit: int) -> range:
        """Return a range of up to `limit` positions from `start` on, beginning with one that has no details."""
        sizes, end = self.sizes_bytes, len(self.names)
        while start < end and sizes[start] != UNREAD:
            start += 1
        return range(start, min(end, start + limit))

    def opens_as_folder(self, position: int) -> bool:
        return self.kinds[position] in FOLDERS

    def size_of(self, position: int) -> int:
        """Return the size to show and to add up: UNREAD where it is not known, as for a folder not measured yet."""
        if self.kinds[position] in FOLDERS:
            return self.measured.get(self.names[position], UNREAD)
        return self.sizes_bytes[position]

    def set_measured(self, name: str, size_bytes: int) -> None:
        """Take the counted size of a subfolder."""
        position = self.names.index(name) if name in self.marks else None
        if position is not None:
            self._count_marked(position, -1)
        self.measured[name] = size_bytes
        if position is not None:
            self._count_marked(position, 1)
        self._details_revision += 1

    def folders_in(self, mask: bytes | bytearray) -> bytes:
        """Return which positions of a mask are folders."""
        return both(mask, self.kinds.translate(_IS_FOLDER))

    # Trees being copied.

    def set_stages(self, stages: dict[str, tuple[str, str]]) -> None:
        """Take over which entries are trees being copied; those new among them are shown by the next `arrange`."""
        known, self.stages = self.stages, stages
        self._unmark_stages([name for name in stages if name not in known])

    def _unmark_stages(self, partials: Iterable[str]) -> None:
        """Take the marks off trees being copied."""
        if not self.marks:
            return
        for partial in partials:
            self.marks.forget(partial)
            if partial in self.marks:
                position = self.names.index(partial)
                self.marks.set(position, False)
                self._count_marked(position, -1)

    # Marks.

    def settle_marks(self) -> None:
        """Drop the marks of what is no longer here, and add up anew, once all names are known."""
        self.marks.settle()
        self._marks_put()

    def clear_marks(self) -> None:
        self.marks.clear()
        self._add_up_marks()

    def mark_only(self, names: Iterable[str]) -> None:
        """Mark just these names, as far as they are here."""
        self.marks.put_names(names)
        self.settle_marks()

    def _marks_put(self) -> None:
        """Take in that many marks were changed at once."""
        self._add_up_marks()
        self._unmark_stages(self.stages)

    def _add_up_marks(self) -> None:
        """Count all marks anew. No step of it is taken in Python for each entry: there may be a million."""
        self.marked_bytes = self.marked_folders = self.marked_unread = 0
        flags = self.marks.flags
        if not self.marks.read:
            return
        folders = self.folders_in(flags)
        files = without(flags, folders)
        sized = both(files, _not_negative(self.sizes_bytes))
        self.marked_unread = files.count(1) - sized.count(1)
        self.marked_bytes = sum(compress(self.sizes_bytes, sized))
        self.marked_folders = folders.count(1)
        if self.measured and self.marked_folders:
            found = list(filter(self.measured.__contains__, compress(self.names, folders)))
            self.marked_folders -= len(found)
            self.marked_bytes += sum(map(self.measured.__getitem__, found))

    def _count_marked(self, position: int, by: int) -> None:
        size = self.size_of(position)
        if size >= 0:
            self.marked_bytes += by * size
        elif self.opens_as_folder(position):
            self.marked_folders += by
        else:
            self.marked_unread += by
