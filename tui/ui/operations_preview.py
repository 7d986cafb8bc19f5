"""The preview: beside the pane in use, over the other pane where there is no room for three."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.ui.operations import Operations

if TYPE_CHECKING:
    from tui.ui.widgets.preview import Preview


class PreviewOperations(Operations):
    """Shows and hides the preview, and has it follow the cursor of the pane in use."""

    preview: Preview | None = None
    """There from the first time it is asked for; what is hidden follows nothing."""

    @property
    def previewing(self) -> bool:
        return self.preview is not None and self.preview.display

    async def action_preview(self) -> None:
        if self.preview is None:
            await self._mount_preview()
        elif self.previewing:
            self.preview.display = False
            self.preview.follow(None)
        else:
            self.preview.display = True
        self.place_preview()

    async def _mount_preview(self) -> None:
        from tui.ui.widgets.preview import Preview

        self.preview = Preview(self.client, id="preview")
        await self.query_one("#panes").mount(self.preview, after="#left")

    def place_preview(self) -> None:
        """Make room for the preview, and show there what the cursor is on.

        It stands between the panes, and so beside either; the one not in use is hidden where there is no room.
        """
        self.set_class(self.previewing, "-previewing")
        self.follow_cursor()

    def follow_cursor(self) -> None:
        """Show what the cursor of the pane in use is on, as soon as it rests there."""
        if self.preview is None or not self.previewing:
            return
        row = self.pane.current
        if row is None:
            self.preview.follow(None)
            return
        from tui.ui.widgets.preview import Subject

        facts = (row.size_bytes, row.mtime_ns)
        self.preview.follow(Subject(row.location, row.final_name, facts, self.pane.view.hidden))

    def action_preview_down(self) -> None:
        self._turn(1)

    def action_preview_up(self) -> None:
        self._turn(-1)

    def _turn(self, half_pages: int) -> None:
        if self.preview is not None and self.previewing:
            self.preview.turn(half_pages)
        else:
            self.tell("There is no preview to scroll; Ctrl+X q shows it.")
