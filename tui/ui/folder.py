"""One folder as a pane shows it: its entries, their order, the rows. No widget, no I/O.

A million entries must fit, so there is no object per entry: columns, and an array of the positions shown.
A *row* counts what is shown, the way up included; a *position* is an index into the columns.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

from tui.model.entry import EntryKind
from tui.model.location import Location
from tui.ui.entries import GONE, UNREAD, Entries
from tui.ui.marks import SLICE, MarkedNames, both, either, without
from tui.ui.matching import matcher
from tui.ui.sorting import sort_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tui.ui.marks import Marks

__all__ = ["GONE", "UNREAD", "UP", "Folder", "Row", "View"]

UP = -1
"""Position of the row that leads to the parent."""


@dataclass(frozen=True, slots=True)
class View:
    """How a folder is looked at. `filter` is a part of the name or a pattern; empty shows all."""

    sort: str = "name"
    reverse: bool = False
    folders_first: bool = True
    hidden: bool = False
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry, made when it is needed: under the cursor, for a menu."""

    location: Location
    kind: EntryKind
    size_bytes: int
    """UNREAD or GONE where it is not known."""
    mtime_ns: int
    mode: int
    final_name: str = ""
    """What it will be called, where it is a tree being copied."""
    amount: str = ""
    """How much of such a tree is done, in words."""

    @property
    def name(self) -> str:
        return self.final_name or self.location.name


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Positions in the order of a view: all of them, and those shown."""

    made_for: tuple[object, ...]
    view: View
    ordered: array[int]
    shown: array[int]
    mask: bytes
    """By position, 1 for those shown; empty where all are."""


class Folder(Entries):
    """The entries of one location, as they are shown. (Arguments as of `Entries`.)"""

    def __init__(
        self, location: Location, marks: Iterable[str] | None = None, measured: dict[str, int] | None = None
    ) -> None:
        super().__init__(location, marks, measured)
        self.order: array[int] = array("I")
        self.way_up = 0 if location.is_root else 1
        """How many rows there are before the entries: one, for the parent, unless this is the root."""
        self._arrangement: Arrangement | None = None

    # Trees being copied.

    def stage(self, row: int) -> str:
        """Return how much is done of the tree being copied that a row shows; nothing for all other rows."""
        if not self.stages or not self.way_up <= row < self.rows:
            return ""
        return self.stages.get(self.names[self.position(row)], ("", ""))[1]

    def shown_names(self) -> list[str]:
        """Return the names as they are shown, by position."""
        if not self.stages:
            return self.names
        names = self.names.copy()
        for partial, (final, _) in self.stages.items():
            if partial in names:
                names[names.index(partial)] = final
        return names

    # Order.

    def arrange(self, view: View) -> Arrangement:
        """Work out the order of a view: long for a long folder, and fit to run in a thread while names are added."""
        count = len(self.names)
        revision = self._details_revision if view.sort in ("size", "time") else self._kinds_revision
        renamed = tuple((partial, final) for partial, (final, _) in self.stages.items())
        made_for = (view.sort, view.reverse, view.folders_first, count, revision, renamed)
        before = self._arrangement
        if before is not None and before.made_for == made_for:
            ordered = before.ordered
        else:
            ordered = array(
                "I",
                sort_entries(self, count, view.sort, reverse=view.reverse, folders_first=view.folders_first),
            )
        shown = self._visible(ordered, view)
        mask = bytearray(0 if shown is ordered else count)
        for n in shown if mask else ():
            mask[n] = 1
        return Arrangement(made_for, view, ordered, shown, bytes(mask))

    def _visible(self, ordered: array[int], view: View) -> array[int]:
        names = self.shown_names()
        shown = ordered
        if not view.hidden:
            shown = array("I", [n for n in shown if names[n][0] != "."])
        if view.filter:
            wanted = matcher(view.filter)
            shown = array("I", [n for n in shown if wanted(names[n])])
        return ordered if len(shown) == len(ordered) else shown

    def show(self, arrangement: Arrangement) -> None:
        """Take an order over."""
        self._arrangement = arrangement
        self.order = arrangement.shown

    def is_filtered_by(self, text: str) -> bool:
        """Say whether the rows are those that a filter leaves, not those of the filter before."""
        return self._arrangement is None or self._arrangement.view.filter == text

    @property
    def arranged(self) -> int:
        """How many entries the order taken over last knows of."""
        return len(self._arrangement.ordered) if self._arrangement else 0

    # Rows.

    @property
    def rows(self) -> int:
        return len(self.order) + self.way_up

    def position(self, row: int) -> int:
        """Return the position in the columns of what a row shows, UP for the way up."""
        return self.order[row - self.way_up] if row >= self.way_up else UP

    def row(self, row: int) -> Row | None:
        """Return one entry; None for the way up and for rows there are not."""
        if not self.way_up <= row < self.rows:
            return None
        n = self.position(row)
        location = self.location.child(self.names[n])
        final_name, amount = self.stages.get(self.names[n], ("", ""))
        return Row(
            location, EntryKind(self.kinds[n]), self.sizes_bytes[n], self.mtimes_ns[n], self.modes[n],
            final_name, amount,
        )  # fmt: skip

    def name(self, row: int) -> str:
        """Return the name a row shows: ".." for the way up, nothing where there is no row."""
        if self.way_up <= row < self.rows:
            name = self.names[self.order[row - self.way_up]]
            return self.stages[name][0] if name in self.stages else name
        return ".." if 0 <= row < self.way_up else ""

    def row_of(self, name: str) -> int | None:
        """Return the row that shows a name; a tree being copied has two."""
        if name == "..":
            return 0 if self.way_up else None
        if self.stages and name not in self.names:
            name = next((partial for partial, (final, _) in self.stages.items() if final == name), name)
        try:
            position = self.names.index(name)
            return self.order.index(position) + self.way_up
        except ValueError:
            return None

    def find(self, text: str, start: int, step: int = 1, tries: range | None = None) -> int | None:
        """Return the next row whose name fits a text, going round at the end.

        Args:
            start: The row looked at first; from the way up, and beyond an end, the entry next to it.
            step: 1 for downward, -1 for upward.
            tries: Which rows to look at, 0 being the first of them; None: all. (It is long for a long folder.)
        """
        wanted, count = matcher(text), len(self.order)
        names, stages = self.names, self.stages
        first = max(start - self.way_up, 0 if step > 0 else -1)
        for n in range(count) if tries is None else tries[:count]:
            found = (first + step * n) % count
            name = names[self.order[found]]
            if wanted(stages[name][0] if name in stages else name):
                return found + self.way_up
        return None

    # Marks.

    def marked_names(self) -> MarkedNames:
        """Return the names of the marked entries in the order of the view, those out of sight too."""
        ordered: Sequence[int] = self._arrangement.ordered if self._arrangement else range(len(self))
        return MarkedNames(self.names, ordered, self.marks.flags)

    def marked_positions(self) -> Iterator[int]:
        """Yield the positions of marked entries in the order of the view, those out of sight too."""
        return self.marked_names().positions()

    def subfolders(self, row: int) -> MarkedNames:
        """Return the folders among the marked entries, else the one a row shows (on the way up: all that are shown)."""
        mask = bytearray(self._mask())
        if self.marks.read:
            mask[:] = self.marks.flags
        elif self.way_up <= row < self.rows:
            mask[:] = bytes(len(mask))
            mask[self.position(row)] = 1
        for partial in self.stages:  # trees being copied
            if partial in self.names:
                mask[self.names.index(partial)] = 0
        ordered: Sequence[int] = self._arrangement.ordered if self._arrangement else range(len(self))
        return MarkedNames(self.names, ordered, self.folders_in(mask))

    def unseen_marks(self) -> int:
        """Count the marked entries that no row shows."""
        if not self.marks or len(self.order) == len(self):
            return 0
        return len(self.marks) - both(self.marks.flags, self._mask()).count(1)

    def _mask(self) -> bytes:
        """Return which positions are shown: 1 for those that a row shows."""
        made = self._arrangement
        mask = b"" if made is None else made.mask or b"\1" * len(made.ordered)
        return mask + bytes(len(self) - len(mask))

    def is_marked(self, row: int) -> bool:
        return self.way_up <= row < self.rows and bool(self.marks.flags[self.position(row)])

    def mark(self, row: int, on: bool) -> None:
        """Mark or unmark what a row shows; the way up cannot be marked."""
        self.mark_rows(row, row, on)

    def mark_rows(self, first: int, last: int, on: bool | bytes | bytearray) -> None:
        """Mark or unmark a range of rows, its ends included.

        Args:
            on: Whether to mark them; or 1 for each position to mark, the others being unmarked.
        """
        rows = self.order[max(0, first - self.way_up) : max(0, last + 1 - self.way_up)]
        if len(rows) > SLICE:
            self._mark_many(rows, on)
            return
        for position in rows:
            wanted = on if isinstance(on, bool) else bool(on[position])
            if bool(self.marks.flags[position]) != wanted and self.names[position] not in self.stages:
                self.marks.set(position, wanted)
                self._count_marked(position, 1 if wanted else -1)

    def _mark_many(self, positions: array[int], on: bool | bytes | bytearray) -> None:
        """Do it with masks: a step in Python for each of a million entries would be felt."""
        mask = bytearray(len(self))
        deque(map(mask.__setitem__, positions, repeat(1)), maxlen=0)
        flags = self.marks.flags
        if on is not True:
            flags = without(flags, mask)
        if on is not False:
            wanted = mask if on is True else both(mask, bytes(on) + bytes(len(self) - len(on)))
            flags = either(flags, wanted)
        self.marks.put(flags)
        self._marks_put()

    def fitting(self, wanted: Callable[[str], bool], rows: slice, mask: bytearray) -> None:
        """Note in a mask which positions of some rows (0 being the first entry) have a name that is wanted."""
        for position in self.order[rows]:
            mask[position] = wanted(self.names[position])

    def mark_where(self, wanted: Callable[[str], bool] | None, on: bool) -> int:
        """Mark or unmark what is shown and wanted (None: all); return how many were changed."""
        if wanted is None:
            return self.mark_these(self._mask(), on)
        mask = bytearray(len(self))
        self.fitting(wanted, slice(None), mask)
        return self.mark_these(mask, on)

    def mark_these(self, mask: bytes | bytearray, on: bool) -> int:
        """Mark or unmark the positions of a mask; return how many were changed."""
        before = len(self.marks)
        mask = mask + bytes(len(self) - len(mask))  # names may have been read since it was made
        self.marks.put(either(self.marks.flags, mask) if on else without(self.marks.flags, mask))
        self._marks_put()
        return abs(len(self.marks) - before)

    def invert_marks(self) -> None:
        """Mark what is shown and not marked, and the other way round."""
        self.marks.invert(self._mask())
        self._marks_put()

    def restore_marks(self, before: Marks) -> None:
        """Mark what was marked once, here or in the folder as it was read before."""
        if before.of_same(self.marks):
            self.marks.put(bytes(before.flags) + bytes(len(self) - len(before.flags)))
        else:
            self.marks.put_names(before)
        self.settle_marks()
