"""What of two folders shown side by side is to be marked after a comparison, and how its numbers read."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.format import count, entries
from tui.model.comparison import Amounts, Change, Compared, Difference

NS_A_SECOND = 1_000_000_000


@dataclass(slots=True)
class Marks:
    """Names that differ, by the pane they are marked in: what only it has, or has in a newer or just another form.

    A folder is marked where something in it would be.
    """

    left: set[str] = field(default_factory=set)
    right: set[str] = field(default_factory=set)

    def add(self, part: Compared) -> None:
        for difference in part.differences:
            name = difference.path.partition("/")[0]
            here, there = sides(difference)
            if name and here:
                self.left.add(name)
            if name and there:
                self.right.add(name)


def sides(difference: Difference) -> tuple[bool, bool]:
    """Say on which sides (left, right) an entry is new or newer; on both where neither is, yet they differ."""
    match difference.change:
        case Change.NEW:
            return True, False
        case Change.EXTRA:
            return False, True
        case Change.ATTRIBUTES:
            return False, False
    left, right = difference.source, difference.target
    if difference.change is Change.CLASH or left is None or right is None or left.mtime_ns == right.mtime_ns:
        return True, True
    return left.mtime_ns > right.mtime_ns, right.mtime_ns > left.mtime_ns


def in_numbers(amounts: Amounts) -> str:
    """Return how two folders compare: "3 only left · 1 only right · 2 differ · 120 files the same"."""
    differing = amounts.number(Change.CHANGED) + amounts.number(Change.CLASH)
    told = [
        f"{count(number)} {what}"
        for number, what in (
            (amounts.number(Change.NEW), "only left"),
            (amounts.number(Change.EXTRA), "only right"),
            (differing, "differ" if differing != 1 else "differs"),
            (amounts.number(Change.ATTRIBUTES), "with other attributes"),
            (amounts.failures, "cannot be read"),
        )
        if number
    ]
    return " · ".join([*told, f"{entries(amounts.files_same)} the same"])
