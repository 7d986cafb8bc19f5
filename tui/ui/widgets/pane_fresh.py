"""How a pane keeps its folder up to date: told of changes, or looking now and then; read again beside what is shown."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from textual import work

from tui.model.error import NotAFolder, NotFound, PlaceError, PlaceUnavailable
from tui.ui.folder import Folder
from tui.ui.notes import tell
from tui.ui.widgets.pane_base import State
from tui.ui.widgets.pane_reading import SILENT_S, PaneReading, closing

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.model.location import Location

SETTLE_S = 0.05
"""Changes that come so soon one after the other are read together."""
POLL_S = 2.0
AWAY_S = 15.0
"""So long after a host did not answer is looked whether it does again."""


class PaneFresh(PaneReading):
    """Keeping folders fresh."""

    @work(exclusive=True, group="watching", exit_on_error=False)
    async def _watch(self, location: Location) -> None:
        if not location.is_local:
            return  # nothing tells of changes there: see `look_again`
        try:
            async with closing(self.client.watch(location)) as changes:
                async for _ in changes:
                    self._changed()
            if self.state is State.READY:
                self._changed()  # it was watched until now: the folder has gone, or another has its name
            await self._poll(location)
        except PlaceError:
            self._changed()  # reading it again tells what is the matter, on the screen

    async def _poll(self, location: Location) -> None:
        """Look at the folder's own time now and then, where it cannot be watched."""
        seen_ns = (await self.client.stat(location, follow=True)).mtime_ns
        while True:
            await asyncio.sleep(POLL_S)
            now_ns = (await self.client.stat(location, follow=True)).mtime_ns
            if now_ns != seen_ns:
                seen_ns = now_ns
                self._changed()

    def _changed(self) -> None:
        """Read the folder again soon; changes that come together are read once."""
        if self.state in (State.READING, State.SILENT) or self._fresh is not None:
            self._stale = True
        elif self.state is not State.FAILED and self._read_again is None:
            wait_s = max(SETTLE_S, self._not_before_s - time.monotonic())
            self._read_again = self.set_timer(wait_s, self._read_changed)

    def look_again(self) -> None:
        """Read a far folder again soon: something was done there, or it was not looked at for long."""
        if not self.location.is_local:
            self._changed()

    def _read_changed(self) -> None:
        self._read_again = None
        if self.state in (State.READY, State.OLD) and self._shows_folder:
            self._reread()

    @work(exclusive=True, group="listing", exit_on_error=False)
    async def _reread(self) -> None:
        """Read the whole folder beside the one shown, then change them over at once."""
        began_s = time.monotonic()
        shown, marked = self.folder, len(self.folder.marks)
        folder = self._fresh = Folder(shown.location, measured=shown.measured)
        self._stale = self._fresh_is_late = False
        self._show_path()
        late = self.set_interval(SILENT_S, self._show_late)
        try:
            await self._read_whole(folder, shown, late)
        except (NotFound, NotAFolder):
            await self._go_to_nearest()
            return
        except PlaceError as error:
            self._owed = None
            if isinstance(error, PlaceUnavailable) and not self.location.is_local:
                self._keep_shown(error)
            else:
                self._fail(error)
            return
        finally:
            late.stop()
            if self._fresh is folder:
                self._fresh = None
                self._show_path()
        self.state = State.READY
        cursor_on, self._owed = self._owed, None
        self._put(folder, cursor_on)
        if len(folder.marks) != marked:
            self.post_message(self.MarksChanged(self))
        self._finish(began_s)
        self._read_space(folder.location)

    def _keep_shown(self, error: PlaceUnavailable) -> None:
        """Leave on the screen what was read before its host went away, and look by itself whether it is back."""
        if self.state is not State.OLD:
            self.state = State.OLD
            again = f"{self.key_of('refresh')} tries again, and so does Ferry now and then."
            tell(self.app, f"{error.message.rstrip('.')}. {again}", "warning")
        if self._read_again is None:
            self._read_again = self.set_timer(AWAY_S, self._read_changed)

    def _show_late(self) -> None:
        self._fresh_is_late = True
        self._show_path()

    async def _read_whole(self, folder: Folder, shown: Folder, late: Timer) -> None:
        async with closing(self.client.list(folder.location)) as pages:
            async for page in pages:
                late.reset()
                self._fresh_is_late = False
                folder.extend(page)
        late.pause()
        await self._read_details(folder)
        taken = -1
        while shown.marks.revision != taken:  # both take a while, and people go on marking
            taken = await folder.marks.take_over(shown.marks)
            await self._arrange(folder)
        folder.settle_marks()

    async def _go_to_nearest(self) -> None:
        """Go to the nearest folder above that is still there."""
        location = self.location.parent
        while not location.is_root and not await self._is_there(location):
            location = location.parent
        tell(self.app, f"{self.shown_location} has gone; this is the nearest folder that is left.", "warning")
        self._leave(location)
        self._start(location, None)

    async def _is_there(self, location: Location) -> bool:
        try:
            return (await self.client.stat(location, follow=True)).kind.opens_as_folder
        except PlaceError:
            return False
