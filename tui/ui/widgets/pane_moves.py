"""Moving about in a pane: the cursor, in and out of folders, the history."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual import work

from tui.model.entry import EntryKind
from tui.model.error import PlaceError
from tui.model.location import Location
from tui.ui.addresses import HOME, SFTP, host_of, top_of
from tui.ui.folder import UNREAD
from tui.ui.notes import report, tell
from tui.ui.widgets.pane_stages import PaneStages

if TYPE_CHECKING:
    from tui.ui.folder import Row


def home() -> Location:
    """Return the person's own folder, as the environment tells."""
    return Location.local(os.path.expanduser("~"), "/")


class PaneMoves(PaneStages):
    """The actions "Move about" that concern one pane."""

    def action_cursor_down(self) -> None:
        self._step(1)

    def action_cursor_up(self) -> None:
        self._step(-1)

    def action_first(self) -> None:
        self.listing.cursor = 0

    def action_last(self) -> None:
        self.listing.cursor = self.folder.rows - 1

    def action_page_down(self) -> None:
        self.listing.turn(self.listing.page)

    def action_page_up(self) -> None:
        self.listing.turn(-self.listing.page)

    def action_half_page_down(self) -> None:
        self.listing.turn(max(1, self.listing.page // 2))

    def action_half_page_up(self) -> None:
        self.listing.turn(-max(1, self.listing.page // 2))

    def _step(self, rows: int) -> None:
        self.listing.cursor += rows

    # In and out.

    async def action_enter(self) -> None:
        """Enter a folder; anything else is opened by whoever hears FileOpened."""
        row = self.current
        if row is None:
            if self._shows_folder and self.folder.name(self.listing.cursor) == "..":
                await self.action_parent()
        elif row.kind.opens_as_folder:
            await self.open(row.location)
        elif row.kind is EntryKind.LINK and row.size_bytes == UNREAD:
            self._enter_unknown(row)
        else:
            self.post_message(self.FileOpened(self, row.location))

    @work(exclusive=True, group="following", exit_on_error=False)
    async def _enter_unknown(self, row: Row) -> None:
        """Enter a link about which nothing is known yet."""
        try:
            target = await self.client.stat(row.location, follow=True)
        except PlaceError as error:
            report(self.app, error)
            return
        if target.kind is EntryKind.FOLDER:
            self.go(row.location)
        else:
            self.post_message(self.FileOpened(self, row.location))

    async def action_parent(self) -> None:
        if not self.location.is_root:
            await self.open(self.location.parent, self.shown_location.name)
        elif not self.location.is_local:
            elsewhere = f"{self.key_of('connect')} goes to another place."
            tell(self.app, f"This is the top of {host_of(self.location)}. {elsewhere}")

    async def action_back(self) -> None:
        await self._travel(self._back, self._forward)

    async def action_forward(self) -> None:
        await self._travel(self._forward, self._back)

    async def _travel(self, source: list[Location], other: list[Location]) -> None:
        """Go to the last of one half of the history; where we are goes to the other half."""
        if not source:
            tell(self.app, "The history ends here.")
            return
        location = source.pop()
        other.append(self.location)
        self._leave(location)
        self._start(location, None)
        await self._answer()

    async def action_go_home(self) -> None:
        if self.location.is_local:
            await self.open(home())
        elif self.location.scheme == SFTP:
            await self.open(replace(self.location, path=HOME))
        else:
            await self.open(top_of(self.location))

    async def action_go_root(self) -> None:
        await self.open(replace(self.location, path="/"))

    def action_go_link_target(self) -> None:
        row = self.current
        if row is None or not row.kind.is_link:
            tell(self.app, "Only links lead elsewhere; put the cursor on one.")
        else:
            self._follow(row)

    @work(exclusive=True, group="following", exit_on_error=False)
    async def _follow(self, row: Row) -> None:
        """Show what a link points to, one step, in its own folder."""
        try:
            points_to = (await self.client.stat(row.location)).link_target
            if not points_to:
                return
            folder = row.location.parent
            target = replace(folder, path=Location.local(points_to, folder.path).path)
            await self.client.stat(target)
        except PlaceError as error:
            report(self.app, error)
            return
        self.go(target.parent, target.name or None)
