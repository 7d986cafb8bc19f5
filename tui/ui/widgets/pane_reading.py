"""How a pane comes by its folder: read page by page, left when it does not answer."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from textual import work
from textual.worker import Worker, WorkerState

from tui.model.error import FerryError, NotAFolder, PlaceError, PlaceUnavailable
from tui.model.reach import Reach
from tui.ui.addresses import is_home, place_of
from tui.ui.folder import Folder
from tui.ui.notes import report, tell
from tui.ui.widgets.pane_base import State
from tui.ui.widgets.pane_details import DETAILS_AT_ONCE
from tui.ui.widgets.pane_silence import PaneSilence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.timer import Timer

    from tui.model.location import Location

ANSWER_S = 0.1
"""So long the keys wait for a folder just entered, so that what is typed ahead means the new folder."""
SILENT_S = 2.0
GROWTH = 4
"""While a folder is read, its order is made again each time it has so many times the entries."""
REST_S = 0.3
"""A folder that goes on changing is read again after this pause, or three times what reading it takes."""
_REMEMBERED = 1_000

T = TypeVar("T")


@asynccontextmanager
async def closing(iterator: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Close an asynchronous iterator in any case, so that what feeds it stops."""
    try:
        yield iterator
    finally:
        close: Any = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


class PaneReading(PaneSilence):
    """Going to folders and reading them."""

    _wish: str | None = None
    """Where the cursor shall stand once that name is read."""
    _owed: str | None = None
    """The name the cursor goes to when the folder shown has been read again, however often that is begun anew."""
    _before: Location | None = None
    """The folder shown before the one that is read now."""
    _stale = False
    _read_at_s = float("-inf")
    """When the folder shown was read to its end."""
    _read_again: Timer | None = None
    _not_before_s = 0.0

    def on_mount(self) -> None:
        self._back: list[Location] = []
        self._forward: list[Location] = []
        self._cursors: dict[Location, str] = {}
        self._opened = asyncio.Event()
        self.watch(self.listing, "cursor", self._cursor_moved, init=False)
        self._start(self.location, None)

    # Going.

    def go(self, location: Location, cursor_on: str | None = None) -> None:
        """Go to a folder, which is read in the background; that of a file is shown with the cursor on the file.

        Args:
            cursor_on: The name the cursor shall stand on; None: where it was when the folder was left.
        """
        if location != self.location:
            self._back.append(self.location)
            self._forward.clear()
        elif self.state in (State.READY, State.OLD) and self._shows_folder:
            self._owed = cursor_on or self._owed
            self._reread()
            return
        self._owed = None
        self._leave(location)
        self._start(location, cursor_on)

    async def open(self, location: Location, cursor_on: str | None = None) -> None:
        """Go to a folder and wait a moment for it, so that keys typed ahead find it."""
        self.go(location, cursor_on)
        await self._answer()

    def refresh_folder(self) -> None:
        """Read the folder again; cursor and marks stay."""
        if self.state in (State.READY, State.STOPPED, State.OLD) and self._shows_folder:
            self._reread()
        else:
            self._start(self.location, None)

    async def _answer(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._opened.wait()
        except TimeoutError:
            self._show_reading()

    def _leave(self, going_to: Location) -> None:
        """Remember where the cursor is in the folder that is left."""
        if self._shows_folder and (name := self.folder.name(self.listing.cursor)):
            self._cursors.pop(self.location, None)
            self._cursors[self.location] = name
            if len(self._cursors) > _REMEMBERED:
                del self._cursors[next(iter(self._cursors))]
        if self._shows_folder and going_to != self.location:
            self._before = self.location

    def _start(self, location: Location, cursor_on: str | None) -> None:
        self._wish = cursor_on or self._cursors.get(location)
        moved = location != self.location
        self.location = location
        if moved:
            self.view = replace(self.view, filter="")  # it was meant for the folder that is left
        if self._read_again is not None:
            self._read_again.stop()
            self._read_again = None
        self.state, self._stale, self._entry = State.READING, False, None
        self._far_reach, self._silent_for_s = Reach.CONNECTED, 0.0
        self._keep_marks()
        self.folder = Folder(location, self._marks_by_location.get(location))
        self._opened = asyncio.Event()
        self._arrived = moved
        self._read(self.folder)
        self._watch(location)
        if location.is_local:
            self._read_space(location)
            self._tell_arrival()
        else:  # what is far is asked one thing at a time, and counts as visited when it has answered
            self._space = None
            self._questions = tuple(each for each in self._all_questions if each.place.holds(location))

    _arrived = False

    def _tell_arrival(self) -> None:
        if self._arrived:
            self._arrived = False
            self.post_message(self.LocationChanged(self))

    # What keeps it up to date once it is read: see `PaneFresh`.

    def _watch(self, location: Location) -> object:
        """Hear of changes in a folder from now on, and of none in another."""
        raise NotImplementedError

    def _changed(self) -> None:
        """Read the folder again soon; changes that come together are read once."""
        raise NotImplementedError

    def _reread(self) -> object:
        """Read the whole folder beside the one shown, then change them over at once."""
        raise NotImplementedError

    # Reading.

    @work(exclusive=True, group="listing", exit_on_error=False)
    async def _read(self, folder: Folder) -> None:
        opened = self._opened
        slow = self.set_timer(ANSWER_S, self._show_reading)
        silent = self.set_interval(SILENT_S, self._show_silent)  # a place may go silent more than once
        self._heard_at_s = time.monotonic()
        began_s = time.monotonic()
        try:
            folder = await self._resolved(folder)
            await self._read_pages(folder, silent)
            if not folder.location.is_local:
                self._read_space(folder.location)
            self._finish(began_s)
            if folder.untold:
                tell(self.app, f"{folder.untold}.", "warning")
            silent.reset()
            await self._read_details(folder, silent)
        except NotAFolder as error:
            await self._show_file(error)
        except PlaceError as error:
            self._fail(error)
        finally:
            slow.stop()
            silent.stop()
            opened.set()

    async def _resolved(self, folder: Folder) -> Folder:
        """Return the folder to read: where a far home folder is meant, the one that it stands for."""
        if not is_home(folder.location):
            return folder
        location = await self.client.resolve(folder.location)
        self.location = location
        self._wish = self._wish or self._cursors.get(location)
        self.folder = Folder(location, self._marks_by_location.get(location))
        return self.folder

    async def _read_pages(self, folder: Folder, silent: Timer) -> None:
        await folder.marks.recall()
        async with closing(self.client.list(folder.location)) as pages:
            async for page in pages:
                silent.reset()
                self._heard_at_s = time.monotonic()
                self._reached.add(place_of(folder.location))
                start = len(folder)
                folder.extend(page)
                if not start or not folder.location.is_local:  # details of what is far came with its names
                    await self._hurry(folder, range(start, min(len(folder), start + DETAILS_AT_ONCE)))
                if len(folder) >= GROWTH * folder.arranged:
                    await self._arrange_unheard(folder, silent)
                    self._show_pages(folder)
                    await self._hurry(folder, self._unread_in_sight(folder))
                elif self._shows_folder:
                    self._answered()
        self._reached.add(place_of(folder.location))  # of an empty folder nothing came
        folder.settle_marks()
        await self._arrange_unheard(folder, silent)
        self.state = State.READY
        self._show_pages(folder)

    def _show_pages(self, folder: Folder) -> None:
        if self.state is State.SILENT:
            self.state = State.READING
        self._put(folder, self._wish)
        if self._wish is not None and folder.name(self.listing.cursor) == self._wish:
            self._wish = None
        if not self._opened.is_set():
            self._opened.set()
            self._tell_arrival()

    def _answered(self) -> None:
        """More was read, though nothing of it is shown yet."""
        if self.state is State.SILENT:
            self.state = State.READING
        self._show_path()

    def _finish(self, began_s: float) -> None:
        self._read_at_s = time.monotonic()
        self._not_before_s = time.monotonic() + max(REST_S, 3 * (time.monotonic() - began_s))
        if self._stale:
            self._changed()

    # When it does not go well.

    def _show_reading(self) -> None:
        """Take the rows of the folder left off the screen: the new one takes its time."""
        if self.state is State.READING and not self._shows_folder:
            self._put(self.folder)

    def _fail(self, error: FerryError) -> None:
        self.state = State.FAILED
        remedy, again = error.remedy, ""
        if not self.location.is_local:
            again = f"{self.key_of('refresh')} tries again, {self.key_of('back')} goes back."
            if isinstance(error, PlaceUnavailable):  # it speaks of jobs, which try again by themselves
                remedy = "Check the host's name, the network, and whether it is up."
        self._failure = " ".join(filter(None, (f"{error.message.rstrip('.')}.", remedy, again)))
        self._put(Folder(self.location, self.folder.marks.kept()))

    async def _show_file(self, error: NotAFolder) -> None:
        """Show the folder of what turned out to be a file, with the cursor on it."""
        try:
            await self.client.stat(self.location)
        except PlaceError:
            self._fail(error)
            return
        self._start(self.location.parent, self.location.name)

    def stop_reading(self) -> bool:
        """Leave off reading: what has come stays, and if nothing has, the folder before is shown again.

        Returns:
            Whether anything was being read.
        """
        if self._fresh is not None and not self.location.is_local:
            self.workers.cancel_group(self, "listing")
            return True
        if self.state not in (State.READING, State.SILENT):
            return False
        self.workers.cancel_group(self, "listing")
        self.workers.cancel_group(self, "watching")
        self.state = State.STOPPED
        before, self._before = self._before, None
        if not self.folder.order and before is not None:
            if self._back and self._back[-1] == before:
                self._back.pop()
            self._start(before, None)
        elif self._shows_folder:
            self.show_lines()
        else:
            self._put(self.folder)
        return True

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell what went wrong in the background and is none of Ferry's own errors."""
        event.stop()
        if event.state is WorkerState.ERROR and isinstance(event.worker.error, Exception):
            report(self.app, event.worker.error)
            if self.state in (State.READING, State.SILENT):
                self._fail(
                    FerryError(f"cannot read {self.location}", "Look into Ferry's log, then try again.")
                )

    @work(exclusive=True, group="space", exit_on_error=False)
    async def _read_space(self, location: Location) -> None:
        try:
            self._space = await self.client.space(location)
        except PlaceError:
            self._space = None
        self._show_path()
