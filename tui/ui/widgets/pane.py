"""A file pane: half of the screen, showing one folder."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work
from textual.worker import WorkerError

from tui import format
from tui.model.error import PlaceError
from tui.ui.notes import dismiss, report, tell
from tui.ui.widgets.line_input import LineInput
from tui.ui.widgets.listing import Listing
from tui.ui.widgets.pane_base import SMALL, State
from tui.ui.widgets.pane_tabs import PaneTabs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual import events
    from textual.timer import Timer
    from textual.worker import Worker

    from tui.ui.folder import Folder, View

REST_BEFORE_STAT_S = 0.15
"""The owner of an entry is asked for when the cursor has rested on it."""
MEASURE_S = 60.0
FIND_AT_ONCE = 4_096
"""So many names are looked at before keys are answered."""
FAR_AGE_S = 10.0
"""A far folder read longer ago is read again when its pane gets the focus."""


class FilePane(PaneTabs):
    """Shows a folder and answers the keys of the scope "pane" that concern one pane.

    Attributes:
        location: The folder it is in, or on its way to.
        current, marked, chosen: What operations are about.
    """

    _found_text = ""
    _find_from = 0
    _finding: Worker[None] | None = None
    _rest: Timer | None = None

    # Look.

    def action_find(self) -> None:
        self._find_from = self.listing.cursor
        self.line.open("find", "Find")

    async def action_find_next(self) -> None:
        await self._find_again(1)

    async def action_find_previous(self) -> None:
        await self._find_again(-1)

    async def _find_again(self, step: int) -> None:
        if not self._found_text:
            tell(self.app, "Nothing to find yet: press / and type a part of a name.")
        elif not await self._find(self._found_text, self.listing.cursor + step, step):
            tell(self.app, f"No name here fits {self._found_text}.")

    async def _find(self, text: str, start: int, step: int = 1) -> bool:
        """Put the cursor on the next name that fits, and say whether there is one; the screen lives meanwhile."""
        order, tried = None, 0
        while self._shows_folder:
            folder = self.folder
            if order is not folder.order:  # its rows are others now
                order, tried = folder.order, 0
            if tried >= len(order):
                break
            row = folder.find(text, start, step, range(tried, min(tried + FIND_AT_ONCE, len(order))))
            if row is not None:
                self.listing.cursor = row
                return True
            tried += FIND_AT_ONCE
            await asyncio.sleep(0)
        return False

    @work(exclusive=True, group="finding", exit_on_error=False)
    async def _find_typed(self, text: str) -> None:
        """Find what is typed so far; what is typed next is looked for instead."""
        if len(self.folder.order) > FIND_AT_ONCE:
            self.line.label.update("Finding…")
        found = not text or await self._find(text, self._find_from)
        self.line.label.update("Find")
        self.line.show_missing(not found)

    async def _end_finding(self) -> None:
        """Wait until what was typed is found, or is nowhere."""
        if self._finding is not None:
            with suppress(WorkerError):
                await self._finding.wait()

    def _stop_finding(self) -> None:
        self.workers.cancel_group(self, "finding")
        self.line.label.update("Find")

    def action_filter(self) -> None:
        self.line.open("filter", "Filter", self.view.filter)

    def action_toggle_hidden(self) -> None:
        self.look(replace(self.view, hidden=not self.view.hidden))

    def action_refresh(self) -> None:
        self.refresh_folder()

    def action_sort_by_name(self) -> None:
        self._sort_by("name")

    def action_sort_by_size(self) -> None:
        self._sort_by("size")

    def action_sort_by_time(self) -> None:
        self._sort_by("time")

    def action_sort_by_extension(self) -> None:
        self._sort_by("extension")

    def _sort_by(self, sort: str) -> None:
        """Sort; asked for once more, the other way round."""
        self.look(replace(self.view, sort=sort, reverse=sort == self.view.sort and not self.view.reverse))

    def look(self, view: View) -> None:
        """Look at the folder in another way; the cursor stays on its name."""
        self.view = view
        self._rearrange(self.folder)

    @work(exclusive=True, group="arranging", exit_on_error=False)
    async def _rearrange(self, folder: Folder) -> None:
        if not self._shows_folder:
            return
        if len(folder) > SMALL:
            self._show_footer()  # it says meanwhile that a filter is being worked out
        await self._arrange(folder)
        if self._shows_folder and folder is self.folder:
            self._put(folder)

    # The line to type into.

    @on(LineInput.Typed)
    def _line_typed(self, event: LineInput.Typed) -> None:
        event.stop()
        if event.purpose == "filter":
            self.look(replace(self.view, filter=event.text))
        elif event.purpose == "find":
            self._finding = self._find_typed(event.text)

    @on(LineInput.Accepted)
    async def _line_accepted(self, event: LineInput.Accepted) -> None:
        event.stop()
        if event.purpose == "find":
            await self._end_finding()  # keys typed ahead are about what is found
        self._close_line()
        if event.purpose == "find":
            self._found_text = event.text or self._found_text
        elif event.purpose in ("mark", "unmark"):
            await self.mark_by_pattern(event.text, event.purpose == "mark")

    @on(LineInput.Left)
    def _line_left(self, event: LineInput.Left) -> None:
        event.stop()
        self._close_line()
        if event.purpose == "find":
            self._stop_finding()
            self.listing.cursor = self._find_from
        elif event.purpose == "filter":
            self.look(replace(self.view, filter=""))

    @on(LineInput.Stepped)
    def _line_stepped(self, event: LineInput.Stepped) -> None:
        event.stop()
        self._stop_finding()
        self._step(event.rows)
        self._find_from = self.listing.cursor

    def _close_line(self) -> None:
        self.line.close()
        self.focus()

    # Leaving.

    def action_clear(self) -> None:
        """Leave the last thing begun: a range, reading; then the messages shown, the filter, the marks."""
        if self.end_range(undo=True) or self.stop_reading() or dismiss(self.app):
            return
        if self.view.filter:
            self.look(replace(self.view, filter=""))
        else:
            self.clear_marks()

    # Sizes of folders.

    def action_folder_size(self) -> None:
        """Count the marked folders, else the one under the cursor; on the way up, all of them."""
        if not self._shows_folder:
            return
        folder, row = self.folder, self.current
        if names := folder.subfolders(self.listing.cursor):
            self._measure(folder, names)
        elif row and row.amount:
            tell(self.app, f"{row.name} is still being copied; {row.amount} so far.")
        elif row:
            tell(self.app, f"{row.name} is no folder; its size is {format.size(max(0, row.size_bytes))}.")

    @work(exclusive=True, group="measuring", exit_on_error=False)
    async def _measure(self, folder: Folder, names: Iterable[str]) -> None:
        for name in await asyncio.to_thread(list, names):  # it goes through the order of all entries
            try:
                totals = await self.client.measure([folder.location.child(name)], time_limit_s=MEASURE_S)
            except PlaceError as error:
                report(self.app, error)
                continue
            if not totals.complete:
                tell(
                    self.app,
                    f"{name} was not counted to its end: more than {format.size(totals.size_bytes)}.",
                )
                continue
            folder.set_measured(name, totals.size_bytes)
            if self.folder.measured is folder.measured:
                self.listing.renew()
                self._show_footer()

    # What the parts tell.

    def _cursor_moved(self) -> None:
        self._wish = None
        self.stretch_range()
        self._show_footer()
        self._current_changed()

    def _current_changed(self) -> None:
        self.post_message(self.CurrentChanged(self))
        self._ask_owner_soon()

    def _ask_owner_soon(self) -> None:
        if self._rest is None:
            self._rest = self.set_timer(REST_BEFORE_STAT_S, self._ask_owner)
        else:
            self._rest.reset()

    def _ask_owner(self) -> None:
        self._rest = None
        if self.state is State.READY and self.location.is_local and (row := self.current):
            self._read_owner(row.location.name)

    @work(exclusive=True, group="owner", exit_on_error=False)
    async def _read_owner(self, name: str) -> None:
        try:
            self._entry = await self.client.stat(self.folder.location.child(name))
        except PlaceError:
            return  # it has gone: the listing will say so
        self._show_footer()

    @on(Listing.RowClicked)
    async def _row_clicked(self, event: Listing.RowClicked) -> None:
        event.stop()
        self.focus()
        self.listing.cursor = event.row
        if event.button == 3:
            self.folder.mark(event.row, not self.folder.is_marked(event.row))
            self.listing.renew_row(event.row)
            self._marks_changed()
        elif event.clicks == 2:
            await self.action_enter()

    def _put(self, folder: Folder, cursor_on: str | None = None) -> None:
        super()._put(folder, cursor_on)
        self._current_changed()

    def on_focus(self) -> None:
        self.listing.active = True
        if self.state in (State.READY, State.OLD) and time.monotonic() - self._read_at_s > FAR_AGE_S:
            self.look_again()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.listing.active = True

    def on_blur(self) -> None:
        self.listing.active = self.line.is_open

    def on_descendant_blur(self) -> None:
        self.listing.active = self.has_focus
