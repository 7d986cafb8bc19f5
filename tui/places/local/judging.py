"""Telling what of a source the target's filesystem does not take."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tui import format
from tui.model.misfit import Misfit, Names, Unfit
from tui.places.local.fitting import Fitting, clashing

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.local.fitting import Clashes
    from tui.places.local.gathered import Gathered
    from tui.places.local.hops import Brake
    from tui.places.local.name_rules import NameRules
    from tui.places.local.new_names import NewNames

    Compared = tuple[Clashes, NewNames]
    """Of the names of one folder, those that would be one with another: with that other; and what names become."""

_TOO_LARGE = "is more than a file may have on that filesystem"
_KINDS = {stat.S_IFLNK: "symbolic link", stat.S_IFIFO: "FIFO", stat.S_IFSOCK: "socket"}


class Judge:
    """Knows what a filesystem takes.

    Args:
        way: How names are to be changed; where it changes none, `Misfit.becomes` shows those that look alike.
    """

    def __init__(self, rules: NameRules, way: Names) -> None:
        self.rules = rules
        self._fitting = Fitting(rules, way if way.changes else Names.LOOKALIKE)

    def compare(self, names: Gathered, brake: Brake) -> Compared:
        """Hold all names of a folder against each other.

        Raises:
            Stopped: The brake went on.
        """
        changed = self._fitting.changed(names, brake=brake)  # first: on the way it holds more than the other
        return clashing(self.rules, names, brake), changed

    def of_name(self, location: Location, name: bytes, compared: Compared) -> Misfit | None:
        """Return what is wrong with the name an entry would get: it is refused, or clashes."""
        clashes, changed = compared
        why, unfit = self.rules.refuses(name), Unfit.NAME
        if not why and (other := clashes.get(name)) is not None:
            why, unfit = f"it would be the same there as {os.fsdecode(other)}", Unfit.CLASH
        if not why:
            return None
        becomes = os.fsdecode(changed.get(name, b"") or b"")
        return Misfit(location, unfit, why, becomes, self.rules.sure)

    def of_kind(self, location: Location, mode: int, size_bytes: int) -> Misfit | None:
        """Return what is wrong with an entry that is no folder: it is too large, or there can be none such."""
        most = self.rules.most_bytes
        if stat.S_ISREG(mode):
            if most is None or size_bytes <= most:
                return None
            unfit, why = Unfit.SIZE, f"{format.size(size_bytes)} {_TOO_LARGE}"
        elif self.rules.links if stat.S_ISLNK(mode) else self.rules.specials:
            return None
        else:
            what = _KINDS.get(stat.S_IFMT(mode), "device")
            unfit, why = Unfit.KIND, f"there can be no {what} on that filesystem"
        return Misfit(location, unfit, why, sure=self.rules.sure)
