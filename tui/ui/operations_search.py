"""Searching below a pane's folder, and what is done with what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.job import JobKind
from tui.ui.operations import operation
from tui.ui.operations_transfer import TransferOperations

if TYPE_CHECKING:
    from tui.ui.screens.search import Searched


class SearchOperations(TransferOperations):
    """The actions that search."""

    _searched: Searched | None = None
    _searched_contents: Searched | None = None
    """The last search for names, and for text, to come back to from where it began or led."""

    @operation
    async def action_search_names(self) -> None:
        self._searched = self._again(self._searched)
        await self._search(self._searched, contents=False)

    @operation
    async def action_search_contents(self) -> None:
        self._searched_contents = self._again(self._searched_contents)
        await self._search(self._searched_contents, contents=True)

    def _again(self, before: Searched | None) -> Searched:
        from tui.ui.screens.search import Searched

        top = self.pane.location
        if before is not None and before.is_about(top):
            return before
        return Searched(top, before.text if before else "")

    async def _search(self, searched: Searched, *, contents: bool) -> None:
        from tui.ui.screens.search import Chosen, SearchScreen

        screen = SearchScreen(
            self.client, searched, self.settings, contents=contents, hidden=self.pane.view.hidden
        )
        answer = await self.ask(screen)
        if answer is None:
            return
        what, chosen = answer
        if what is Chosen.GO:
            self.pane.go(chosen[0].parent, cursor_on=chosen[0].name)
        else:
            self.remember_for_pasting(JobKind.MOVE if what is Chosen.CUT else JobKind.COPY, chosen)
