"""What a pane tells of a place that does not answer: for how long, and what is tried."""

from __future__ import annotations

import time

from textual import work

from tui.model.error import FerryError
from tui.ui.widgets.pane_base import State
from tui.ui.widgets.pane_details import PaneDetails

STEP_S = 1.0


class PaneSilence(PaneDetails):
    """Saying that nothing comes."""

    _heard_at_s = 0.0
    """When it was begun to wait, or something last came."""

    def _show_silent(self) -> None:
        """Say that nothing has come for a while: called again and again while that is so."""
        if self.location.is_local and self.state is State.SILENT:
            return
        self.state = State.SILENT
        if not self.location.is_local:
            self._tell_what_is_tried()
            self.set_timer(STEP_S, self._tell_what_is_tried)  # much happens in the last second
        self._show_silence()

    def _tell_what_is_tried(self) -> None:
        if self.state is State.SILENT:
            self._silent_for_s = time.monotonic() - self._heard_at_s
            self._ask_reach()

    def _show_silence(self) -> None:
        if len(self.folder.order):
            self._show_path()
        else:
            self._put(self.folder)

    @work(exclusive=True, group="reach", exit_on_error=False)
    async def _ask_reach(self) -> None:
        """Ask how far the engine is with the place."""
        place = self.location
        try:
            reach = await self.client.reach(place)
        except FerryError:
            return  # what is waited for tells it, too
        if self.location == place and self.state is State.SILENT:
            self._far_reach = reach
            self._show_silence()
