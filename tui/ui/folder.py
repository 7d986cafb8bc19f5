"""One folder as a pane shows it: compact columns, an order, marks. No widget, no I/O.

A million entries must fit, so there is no object per entry: parallel columns, and an array of the positions shown.
A *row* counts what is shown, the way up included; a *position* is an index into the columns.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import compress
from operator import and_, gt
from typing import TYPE_CHECKING

from tui.model.entry import EntryKind
from tui.model.location import Location
from tui.ui.matching import matcher
from tui.ui.sorting import FOLDERS, sort_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence, Set

    from tui.model.entry import Details, Page

UNREAD = -2
"""Size of an entry whose details were not read yet."""
GONE = -1
"""Size of an entry that went before its details were read."""
UP = -1
"""Position of the row that leads to the parent."""
_IS_FOLDER = bytes(kind in FOLDERS for kind in range(256))


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


class Folder:
    """The entries of one location.

    Args:
        marks: The marked names; the set is changed in place, so that it can outlive this object.
        measured: Counted sizes of subfolders by name, likewise.
    """

    def __init__(
        self, location: Location, marks: set[str] | None = None, measured: dict[str, int] | None = None
    ) -> None:
        self.location = location
        self.names: list[str] = []
        self.kinds = bytearray()
        self.sizes_bytes: array[int] = array("q")
        self.mtimes_ns: array[int] = array("q")
        self.modes: array[int] = array("I")
        self.marks = set() if marks is None else marks
        self.measured = {} if measured is None else measured
        self.marked_bytes = 0
        """Bytes of the marked entries whose size is known."""
        self.marked_folders = self.marked_unread = 0
        """How many marked entries there are whose size is not known: folders not counted, and others not read."""
        self.stages: dict[str, tuple[str, str]] = {}
        """Trees being copied into it: (final name, how much is done) by partial name. They cannot be marked."""
        self.untold = ""
        """What says that some of the folder cannot be told by names, if so."""
        self.order: array[int] = array("I")
        self.way_up = 0 if location.is_root else 1
        """How many rows there are before the entries: one, for the parent, unless this is the root."""
        self._kinds_revision = self._details_revision = 0
        self._arrangement: Arrangement | None = None

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
        self.names += page.names  # last: whoever counts the names finds all columns filled
        if self.marks:
            for position in range(start, start + count):
                if self.names[position] in self.marks:
                    self._count_marked(position, 1)

    def set_details(self, positions: Sequence[int], details: Details) -> bool:
        """Fill columns in for some entries, in the same order.

        Returns:
            Whether an entry turned out to be of another kind than its folder had said.
        """
        changed = False
        for n, position in enumerate(positions):
            marked = bool(self.marks) and self.names[position] in self.marks
            if marked:
                self._count_marked(position, -1)
            self.sizes_bytes[position] = details.sizes_bytes[n]
            self.mtimes_ns[position] = details.mtimes_ns[n]
            self.modes[position] = details.modes[n]
            if details.sizes_bytes[n] != GONE and self.kinds[position] != details.kinds[n]:
                self.kinds[position] = details.kinds[n]
                changed = True
            if marked:
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

    # Trees being copied.

    def set_stages(self, stages: dict[str, tuple[str, str]]) -> None:
        """Take over which entries are trees being copied; those new among them are shown by the next `arrange`."""
        self.stages = stages
        if not self.marks.isdisjoint(stages):
            self.marks.difference_update(stages)
            self._add_up_marks()

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
        return Arrangement(made_for, view, ordered, self._visible(ordered, view))

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

    def opens_as_folder(self, position: int) -> bool:
        return self.kinds[position] in FOLDERS

    def size_of(self, position: int) -> int:
        """Return the size to show and to add up: UNREAD where it is not known, as for a folder not measured yet."""
        if self.kinds[position] in FOLDERS:
            return self.measured.get(self.names[position], UNREAD)
        return self.sizes_bytes[position]

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

    def marked_positions(self) -> Iterator[int]:
        """Yield the positions of marked entries in the order of the view, those out of sight too."""
        if not self.marks:
            return
        ordered: Sequence[int] = self._arrangement.ordered if self._arrangement else range(len(self))
        yield from compress(ordered, map(self.marks.__contains__, map(self.names.__getitem__, ordered)))

    def unseen_marks(self) -> int:
        """Count the marked entries that no row shows."""
        if not self.marks or len(self.order) == len(self):
            return 0
        return len(self.marks) - sum(map(self.marks.__contains__, map(self.names.__getitem__, self.order)))

    def is_marked(self, row: int) -> bool:
        return self.name(row) in self.marks

    def mark(self, row: int, on: bool) -> None:
        """Mark or unmark what a row shows; the way up cannot be marked."""
        if not self.way_up <= row < self.rows:
            return
        position = self.order[row - self.way_up]
        name = self.names[position]
        if (name in self.marks) == on or name in self.stages:
            return
        (self.marks.add if on else self.marks.discard)(name)
        self._count_marked(position, 1 if on else -1)

    def mark_rows(self, first: int, last: int, on: bool | Set[str]) -> None:
        """Mark or unmark a range of rows, its ends included.

        Args:
            on: Whether to mark them; or the names to mark, the others being unmarked.
        """
        names, marks = self.names, self.marks
        for position in self.order[max(0, first - self.way_up) : max(0, last + 1 - self.way_up)]:
            name = names[position]
            wanted = on if isinstance(on, bool) else name in on
            if (name in marks) != wanted and name not in self.stages:
                (marks.add if wanted else marks.discard)(name)
                self._count_marked(position, 1 if wanted else -1)

    def mark_where(self, wanted: Callable[[str], bool] | None, on: bool) -> int:
        """Mark or unmark what is shown and wanted (None: all); return how many were changed."""
        before = len(self.marks)
        shown: Iterable[str] = map(self.names.__getitem__, self.order)
        (self.marks.update if on else self.marks.difference_update)(
            filter(wanted, shown) if wanted else shown
        )
        self.marks.difference_update(self.stages)
        self._add_up_marks()
        return abs(len(self.marks) - before)

    def mark_only(self, names: Iterable[str]) -> None:
        """Mark just these names, as far as they are here."""
        self.marks.clear()
        self.marks.update(names)
        self.marks.difference_update(self.stages)
        self.settle_marks()

    def invert_marks(self) -> None:
        """Mark what is shown and not marked, and the other way round."""
        self.marks.symmetric_difference_update(map(self.names.__getitem__, self.order))
        self.marks.difference_update(self.stages)
        self._add_up_marks()

    def clear_marks(self) -> None:
        self.marks.clear()
        self.marked_bytes = self.marked_folders = self.marked_unread = 0

    def settle_marks(self) -> None:
        """Drop the marks of what is no longer here, and add up anew, once all names are known."""
        if self.marks:
            self.marks.intersection_update(self.names)
        self._add_up_marks()

    def set_measured(self, name: str, size_bytes: int) -> None:
        """Take the counted size of a subfolder."""
        position = self.names.index(name) if name in self.marks else UP
        if position != UP:
            self._count_marked(position, -1)
        self.measured[name] = size_bytes
        if position != UP:
            self._count_marked(position, 1)
        self._details_revision += 1

    def _add_up_marks(self) -> None:
        """Count all marks anew. No step of it is taken in Python for each entry: there may be a million."""
        self.marked_bytes = self.marked_folders = self.marked_unread = 0
        if not self.marks:
            return
        marked = bytes(map(self.marks.__contains__, self.names))
        folders = self.kinds.translate(_IS_FOLDER)
        for position in compress(range(len(marked)), map(and_, marked, folders)):
            self._count_marked(position, 1)
        sizes = array("q", compress(self.sizes_bytes, map(gt, marked, folders)))
        gone, unread = sizes.count(GONE), sizes.count(UNREAD)
        self.marked_bytes += sum(sizes) - gone * GONE - unread * UNREAD
        self.marked_unread += gone + unread

    def _count_marked(self, position: int, by: int) -> None:
        size = self.size_of(position)
        if size >= 0:
            self.marked_bytes += by * size
        elif self.opens_as_folder(position):
            self.marked_folders += by
        else:
            self.marked_unread += by
