"""A line that counts what lies at and below some entries, growing while it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import work
from textual.message import Message
from textual.widgets import Static

from tui.format import count, entries, size
from tui.model.entry import Totals
from tui.model.error import FerryError
from tui.model.exclusion import NOTHING, Exclusion
from tui.ui.screens.dialog import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.client.base import Places
    from tui.model.location import Location

LIMITS_S = (0.25, 1.0, 4.0, 20.0)
"""How long it counts before what it has is shown; after the last it is left at that."""


def totals_text(totals: Totals) -> str:
    """Return "1,234 files in 12 folders, 4.2 GiB", with what is uncertain about it."""
    folders = f" in {entries(totals.folders, 'folder')}" if totals.folders else ""
    least = "" if totals.complete else "at least "
    hidden = f" ({count(totals.unreadable)} cannot be read)" if totals.unreadable else ""
    return f"{least}{entries(totals.files)}{folders}, {size(totals.size_bytes)}{hidden}"


class TotalsLine(Static):
    """Shows the totals of some entries as they are counted."""

    @dataclass
    class Counted(Message):
        """There is a newer count; `totals.complete` on the last one (unless it takes too long)."""

        totals: Totals

    def __init__(self, places: Places, sources: Sequence[Location]) -> None:
        super().__init__(plain("counting …"), markup=False, classes="totals")
        self._places, self._sources, self._exclude = places, sources, NOTHING

    def on_mount(self) -> None:
        self._count()

    def count_without(self, exclude: Exclusion) -> None:
        """Count anew, and leave something out."""
        if exclude != self._exclude:
            self._exclude = exclude
            self._count()

    @work(exclusive=True, group="totals", exit_on_error=False)
    async def _count(self) -> None:
        try:
            for limit_s in LIMITS_S:
                totals = await self._places.measure(
                    self._sources, time_limit_s=limit_s, exclude=self._exclude
                )
                self.post_message(self.Counted(totals))
                if totals.complete:
                    return
        except FerryError as error:
            self.update(plain(f"cannot be counted: {error.message}"))

    def on_totals_line_counted(self, event: Counted) -> None:
        last = "" if event.totals.complete else ", counting …"
        self.update(plain(totals_text(event.totals) + last))
