"""Comparing the folders of both panes, and making one like the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.format import entries
from tui.model.error import UsageError
from tui.ui.operations import Operations, operation
from tui.visible import visible

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.ui.widgets.pane import FilePane


class CompareOperations(Operations):
    """The actions that look at both panes at once."""

    left: FilePane
    right: FilePane

    @operation
    async def action_compare(self) -> None:
        """Mark in each pane what is new or newer there; what just differs, in both."""
        from tui.ui.screens.comparing import Comparing
        from tui.ui.screens.picker import Item, Picker

        left, right = self.left.target, self.right.target
        self._require_two()
        by_content = await self.ask(
            Picker(
                "Compare the panes",
                [
                    Item(False, "By size and time", "quick"),
                    Item(True, "By content", "reads every file that has the same size"),
                ],
            )
        )
        if by_content is None:
            return
        found = await self.ask(Comparing(self.client, left, right, by_content=by_content))
        if found is None:
            self.tell("The comparison was stopped; the marks are as they were.")
            return
        if (self.left.target, self.right.target) != (left, right):
            self.tell("A pane has gone elsewhere meanwhile; nothing was marked.", "warning")
            return
        marked = self.left.mark_only(found.marks.left) + self.right.mark_only(found.marks.right)
        text = f"{found.in_numbers}."
        if marked:
            text += f" {entries(marked, 'entry', 'entries')} marked; F5 copies those of a pane."
        self.tell(text, "warning" if found.amounts.failures else "information")

    @operation
    async def action_sync(self) -> None:
        """Show what it takes to make the folder across like this one, and queue it."""
        from tui.ui.screens.sync_plan import SyncPlan

        self._require_two()
        for folder in (self.pane.target, self.other.target):
            await self._require_no_link(folder)
        request = await self.ask(
            SyncPlan(self.client, self.pane.target, self.other.target, verify=self.settings.queue.verify)
        )
        if request is None:
            return
        source, target = visible(str(request.sources[0])), visible(str(request.target))
        await self.submit(request, f"Making {target} like {source}")
        for pane in (self.left, self.right):
            pane.clear_marks()

    async def _require_no_link(self, folder: Location) -> None:
        """Refuse a folder that is shown by the name of a link to it.

        Raises:
            UsageError: It is one.
        """
        if folder.name and (await self.client.stat(folder)).kind.is_link:
            raise UsageError(f"{visible(str(folder))} is a link", "Go to where it leads, then try again.")

    def _require_two(self) -> None:
        """Refuse one folder shown twice, and one that is in the other.

        Raises:
            UsageError: They are not two folders apart.
        """
        here, there = self.pane.target, self.other.target
        if here == there:
            raise UsageError("both panes show the same folder", "Go to another one in one of them.")
        if here.holds(there) or there.holds(here):
            raise UsageError(
                "one of the folders is in the other", "Choose two folders apart from each other."
            )
