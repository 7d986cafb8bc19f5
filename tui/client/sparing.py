"""What a sync leaves standing though it is told to remove what is extra: home folders, and what holds them."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.model.comparison import Change
from tui.model.entry import EntryKind
from tui.model.error import HoldsHome, PlaceError
from tui.places.local.homes import find_homes, home_folders, spare_home

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.client.base import Places
    from tui.model.comparison import Compared, Difference
    from tui.model.location import Location

    Spare = Callable[[Location], None]
    """Raises HoldsHome for a folder that is, or holds, a home folder."""


class Sparing:
    """Tells of a comparison what the job will tell: a home folder is not removed, which is an error."""

    def __init__(self, target: Location, spare: Spare) -> None:
        self._target, self._spare = target, spare
        self._spared: set[str] = set()

    def look(self, part: Compared) -> Compared:
        """Return a part without what would stay, and with an error for each folder for which it does."""
        going, failures = [], list(part.failures)
        for difference in part.differences:
            try:
                if self._is_going(difference):
                    going.append(difference)
            except HoldsHome as error:
                self._spared.add(difference.path)
                failures.append(error)
        return replace(part, differences=going, failures=failures)

    def _is_going(self, difference: Difference) -> bool:
        """Say whether something is to be done about an entry: not if it lies in a folder that stays.

        Raises:
            HoldsHome: It would be removed, and is not.
        """
        if difference.change not in (Change.EXTRA, Change.CLASH):
            return True
        above = difference.path
        while above := above.rpartition("/")[0]:
            if above in self._spared:
                return False
        if difference.target is not None and difference.target.kind is EntryKind.FOLDER:
            self._spare(self._target.below(difference.path))
        return True


async def sparing(places: Places, target: Location) -> Sparing:
    """Return what spares the home folders at a target, as far as its place tells which they are."""
    if target.is_local:
        return Sparing(target, await asyncio.to_thread(here))
    home = None
    with suppress(PlaceError):
        home = await places.resolve(replace(target, path="/~"))
    return Sparing(target, there(home))


def here() -> Spare:
    """Return what spares the home folders of this computer."""
    homes = find_homes(home_folders())

    def spare(where: Location) -> None:
        try:
            info = os.lstat(where.path)
        except OSError:
            return  # the job will tell
        spare_home(info, where, homes, "remove")

    return spare


def there(home: Location | None) -> Spare:
    """Return what spares the home folder of a host; None: it does not tell."""

    def spare(where: Location) -> None:
        if home is not None and where.holds(home):
            what = "it is your home folder" if where == home else f"your home folder {home} is in it"
            raise HoldsHome(f"cannot remove {where}: {what}", location=where)

    return spare
