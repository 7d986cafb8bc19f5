"""Tabs of a pane: folders it has open, one of them shown; each with its cursor, order, filter and history."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual import on
from textual.getters import query_one

from tui.model.location import Location
from tui.ui.addresses import host_of
from tui.ui.folder import View
from tui.ui.notes import tell
from tui.ui.widgets.pane_marks import PaneMarks
from tui.ui.widgets.tab_bar import TabBar
from tui.visible import visible

MOST_TABS = 9
"""One a digit."""


@dataclass(slots=True)
class Tab:
    """A folder that is not shown now, as it was left."""

    location: Location
    view: View
    cursor_on: str = ""
    back: list[Location] = field(default_factory=list)
    forward: list[Location] = field(default_factory=list)


class PaneTabs(PaneMarks):
    """The actions "Tabs". What is shown is the pane's own; its tab is brought up to date when it is left."""

    tab_bar = query_one(TabBar)

    _tab = 0

    def on_mount(self) -> None:
        self._tabs = [Tab(self.location, self.view)]

    def action_tab_new(self) -> None:
        """Open another tab on this folder, behind this one."""
        if len(self._tabs) >= MOST_TABS:
            tell(
                self.app,
                f"There are {MOST_TABS} tabs already; {self.key_of('tab_close')} closes one.",
                "warning",
            )
            return
        self._tabs[self._tab] = self._left()
        self._tab += 1
        self._back, self._forward = [*self._back], []
        self._tabs.insert(self._tab, self._left())
        self._show_tabs()

    def action_tab_close(self) -> None:
        if len(self._tabs) == 1:
            tell(self.app, "This is the only tab.")
            return
        del self._tabs[self._tab]
        self._enter_tab(min(self._tab, len(self._tabs) - 1))

    def action_tab_next(self) -> None:
        self._step_tab(1)

    def action_tab_previous(self) -> None:
        self._step_tab(-1)

    def action_tab_by_number(self, digit: str | None = None) -> None:
        """Show a tab; asked for without a number (from the menu), the next one."""
        index = int(digit) - 1 if digit else self._tab + 1
        if digit and index >= len(self._tabs):
            key = self.key_of("tab_new")
            tell(self.app, f"There is no tab {digit}; {key} opens one on this folder.", "warning")
        else:
            self._go_to_tab(index % len(self._tabs))

    def _step_tab(self, by: int) -> None:
        if len(self._tabs) == 1:
            tell(self.app, f"This is the only tab; {self.key_of('tab_new')} opens one on this folder.")
        else:
            self._go_to_tab((self._tab + by) % len(self._tabs))

    @on(TabBar.Clicked)
    def _tab_clicked(self, event: TabBar.Clicked) -> None:
        event.stop()
        self.focus()
        self._go_to_tab(event.index)

    def _go_to_tab(self, index: int) -> None:
        if index != self._tab:
            self._tabs[self._tab] = self._left()
            self._enter_tab(index)

    def _left(self) -> Tab:
        """Return the tab shown as it is now."""
        name = self.folder.name(self.listing.cursor) if self._shows_folder else ""
        return Tab(self.location, self.view, name, self._back, self._forward)

    def _enter_tab(self, index: int) -> None:
        self.end_range()
        self._tab, tab = index, self._tabs[index]
        self._leave(tab.location)
        self._back, self._forward = tab.back, tab.forward
        self._start(tab.location, tab.cursor_on or None)
        self.view = tab.view  # before a name is read: going elsewhere has forgotten the filter
        self._show_path()

    def _show_path(self) -> None:
        super()._show_path()
        self._show_tabs()

    def _show_tabs(self) -> None:
        places = [tab.location for tab in self._tabs]
        places[self._tab] = self.shown_location
        self.tab_bar.show([_named(place) for place in places], self._tab)


def _named(place: Location) -> str:
    """Return what a tab is called: its folder's name, behind the host where it is far."""
    name = visible(place.name or "/")
    return name if place.is_local else f"{visible(host_of(place))}:{name}"
