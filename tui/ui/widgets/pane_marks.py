"""Marking entries: one by one, a range, by pattern, all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui import format
from tui.ui.marks import Marks
from tui.ui.matching import matcher
from tui.ui.notes import tell
from tui.ui.widgets.pane_moves import PaneMoves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tui.ui.folder import Folder

MATCHED_AT_ONCE = 4_096
"""So many names are compared with a pattern before other things go on."""


@dataclass(slots=True)
class Range:
    """Rows being marked (or unmarked) between where it began and the cursor; `before` are the marks to restore."""

    anchor: int
    anchor_name: str
    on: bool
    low: int
    high: int
    before: Marks


class PaneMarks(PaneMoves):
    """The actions "Mark"."""

    _range: Range | None = None

    def action_mark(self) -> None:
        """Turn the mark over, and step down."""
        self._turn_over(1)

    def action_mark_down(self) -> None:
        self._turn_over(1)

    def action_mark_up(self) -> None:
        self._turn_over(-1)

    def _turn_over(self, step: int) -> None:
        if not self._shows_folder:
            return
        row = self.listing.cursor
        if self.folder.stage(row):
            tell(self.app, f"{self.folder.name(row)} is still being copied.")
        self.folder.mark(row, not self.folder.is_marked(row))
        self.listing.renew_row(row)
        self._step(step)
        self._marks_changed()

    def action_mark_all(self) -> None:
        if self._shows_folder:
            self.end_range()
            self.folder.mark_where(None, True)
            self._marks_changed(everywhere=True)

    def action_invert_marks(self) -> None:
        if self._shows_folder:
            self.end_range()
            self.folder.invert_marks()
            self._marks_changed(everywhere=True)

    def action_mark_pattern(self) -> None:
        self.line.open("mark", "Mark", "*")

    def action_unmark_pattern(self) -> None:
        self.line.open("unmark", "Unmark", "*")

    async def mark_by_pattern(self, pattern: str, on: bool) -> None:
        """Mark or unmark what is shown and fits a pattern; without wildcards, the whole name must.

        The screen lives meanwhile; keys for this pane wait until it is done.
        """
        if not pattern:
            return
        count = await self._mark_fitting(matcher(pattern, whole=True), on)
        if not count:
            tell(self.app, f"Nothing to {'mark' if on else 'unmark'} fits {pattern}.")
        else:
            tell(self.app, f"{format.entries(count, 'entry', 'entries')} {'marked' if on else 'unmarked'}.")

    async def _mark_fitting(self, wanted: Callable[[str], bool], on: bool) -> int:
        order, mask, tried = None, bytearray(), 0
        while self._shows_folder:
            folder = self.folder
            if order is not folder.order:  # its rows are others now
                order, mask, tried = folder.order, bytearray(len(folder)), 0
            if tried >= len(order):
                self.end_range()
                count = folder.mark_these(mask, on)
                self._marks_changed(everywhere=True)
                return count
            folder.fitting(wanted, slice(tried, tried + MATCHED_AT_ONCE), mask)
            tried += MATCHED_AT_ONCE
            await asyncio.sleep(0)
        return 0

    def mark_only(self, names: Iterable[str]) -> int:
        """Mark just these names, those out of sight too; return how many of them are here."""
        if not self._shows_folder:
            return 0
        self.end_range()
        self.folder.mark_only(names)
        self._unseen_marks = self.folder.unseen_marks()
        self._marks_changed(everywhere=True)
        return len(self.folder.marks)

    def clear_marks(self) -> bool:
        """Take all marks off; say whether there were any."""
        if not self.folder.marks:
            return False
        self.folder.clear_marks()
        self._unseen_marks = 0
        self._marks_changed(everywhere=True)
        return True

    # A range.

    def action_range_mark(self) -> None:
        self._begin_or_end(True)

    def action_range_unmark(self) -> None:
        self._begin_or_end(False)

    def _begin_or_end(self, on: bool) -> None:
        if self._range is not None:
            self.end_range()
        elif self._shows_folder:
            row = self.listing.cursor
            name = self.folder.name(row)
            self._range = Range(row, name, on, row, row - 1, self.folder.marks.copy())
            self.stretch_range()

    def stretch_range(self) -> None:
        """Let the range reach from where it began to the cursor, now that this has moved."""
        span = self._range
        if span is None:
            return
        row = self.listing.cursor
        low, high = min(span.anchor, row), max(span.anchor, row)
        self.folder.mark_rows(span.low, low - 1, span.before.flags)
        self.folder.mark_rows(high + 1, span.high, span.before.flags)
        if span.high < span.low:
            self.folder.mark_rows(low, high, span.on)
        else:
            self.folder.mark_rows(low, span.low - 1, span.on)
            self.folder.mark_rows(span.high + 1, high, span.on)
        span.low, span.high = low, high
        self._marks_changed(everywhere=True)

    def _put(self, folder: Folder, cursor_on: str | None = None) -> None:
        same = self.listing.folder.location == folder.location
        super()._put(folder, cursor_on)
        span = self._range
        if span is None:
            return
        anchor = folder.row_of(span.anchor_name) if same else None
        if anchor is None:
            self.end_range()
            return
        folder.restore_marks(span.before)  # its rows may show something else now: mark them from the start
        if not span.before.of_same(folder.marks):
            span.before = folder.marks.copy()
        span.anchor, span.low, span.high = anchor, anchor, anchor - 1
        self.stretch_range()

    def end_range(self, *, undo: bool = False) -> bool:
        """Leave marking a range; say whether there was one.

        Args:
            undo: Put the marks back as they were before.
        """
        span, self._range = self._range, None
        if span is None:
            return False
        if undo:
            self.folder.mark_rows(span.low, span.high, span.before.flags)
            self._marks_changed(everywhere=True)
        else:
            self._show_footer()
        return True

    def _marks_text(self) -> str:
        text = super()._marks_text()
        if self._range is None:
            return text
        return ("marking  " if self._range.on else "unmarking  ") + text

    def _marks_changed(self, *, everywhere: bool = False) -> None:
        if everywhere:
            self.listing.renew()
        self._show_footer()
        self.post_message(self.MarksChanged(self))
