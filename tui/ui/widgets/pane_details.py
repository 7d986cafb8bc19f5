"""What a pane adds to the names of its folder: sizes, times and modes, and what the host asks that it is read from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.ui.folder import UNREAD
from tui.ui.widgets.pane_base import PaneBase, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.timer import Timer

    from tui.model.ask import HostQuestion
    from tui.ui.folder import Folder

HURRY_S = 0.06
"""So long the first entries wait for their sizes: a small folder is painted once, whole."""
DETAILS_AT_ONCE = 2_000


class PaneDetails(PaneBase):
    """Fills in what is known of entries, and says what their place asks."""

    _all_questions: tuple[HostQuestion, ...] = ()

    async def _hurry(self, folder: Folder, positions: Sequence[int]) -> None:
        """Read details of some entries now, if that does not keep the reading of names up."""
        if not positions:
            return
        try:
            async with asyncio.timeout(HURRY_S):
                await self._fill(folder, positions)
        except TimeoutError:
            return
        if folder is self.listing.folder:
            self.listing.renew(positions)

    async def _read_details(self, folder: Folder, silent: Timer | None = None) -> None:
        """Read sizes, times and modes: of what is in sight first, then of the rest."""
        other_kinds = False
        next_position = 0
        while True:
            wanted = self._unread_in_sight(folder) or folder.unread(next_position, DETAILS_AT_ONCE)
            if not wanted:
                break
            if isinstance(wanted, range):
                next_position = wanted.stop
            other_kinds |= await self._fill(folder, wanted)
            if silent:
                silent.reset()
            if self.state is State.SILENT:
                self.state = State.READY
                self._show_path()
            if self._shows_folder and folder is self.folder:
                self.listing.renew(wanted)
                self._show_footer()
        if folder is self.folder and (other_kinds or self.view.sort in ("size", "time")):
            await self._arrange_unheard(folder, silent)
            self._put(folder)

    async def _arrange_unheard(self, folder: Folder, silent: Timer | None) -> None:
        """Put a folder in order while nothing is heard of its place, which is not to blame for that."""
        if silent:
            silent.pause()
        await self._arrange(folder)
        if silent:
            silent.reset()

    def _unread_in_sight(self, folder: Folder) -> list[int]:
        if self.listing.folder is not folder:
            return []
        return [n for n in self.listing.positions_in_sight() if folder.sizes_bytes[n] == UNREAD]

    async def _fill(self, folder: Folder, positions: Sequence[int]) -> bool:
        details = await self.client.details(folder.location, [folder.names[n] for n in positions])
        return folder.set_details(positions, details)

    @property
    def host_questions(self) -> tuple[HostQuestion, ...]:
        """What the place the pane is at asks now."""
        return self._questions

    def show_host_questions(self, questions: Sequence[HostQuestion]) -> None:
        """Take over what hosts ask, as far as the pane waits for it."""
        self._all_questions = tuple(questions)
        mine = tuple(question for question in questions if question.place.holds(self.location))
        if mine == self._questions:
            return
        self._questions = mine
        if self.state in (State.READING, State.SILENT) and not self.folder.order:
            self._put(self.folder)
        else:
            self._show_path()
