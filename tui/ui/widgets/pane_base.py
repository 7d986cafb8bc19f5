"""What the parts of a file pane share: its folder, its rows and lines, and how they are put on the screen."""

from __future__ import annotations

import asyncio
import stat
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.getters import query_one
from textual.message import Message

from tui import format
from tui.model.location import Location
from tui.model.reach import Reach
from tui.model.siblings import Siblings
from tui.ui.addresses import asks_of, has_mode, has_time, host_of, place_of
from tui.ui.folder import UNREAD, Folder, View
from tui.ui.key_scope import KeyScope
from tui.ui.keys import shown
from tui.ui.stages import Stages
from tui.ui.terminal.cells import fit
from tui.ui.widgets.line_input import LineInput
from tui.ui.widgets.listing import Listing
from tui.ui.widgets.pane_footer import PaneFooter
from tui.ui.widgets.path_bar import PathBar, Right
from tui.ui.widgets.tab_bar import TabBar
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from textual.app import ComposeResult

    from tui.client.base import Client
    from tui.config import ScreenSettings
    from tui.model.ask import HostQuestion
    from tui.model.entry import Entry, Space
    from tui.ui.folder import Row

SMALL = 5_000
"""Up to so many entries are put in order at once; more of them in a thread."""


class State(Enum):
    """How far the pane is with its folder."""

    READY = ""
    READING = "reading…"
    SILENT = "not answering"
    STOPPED = "read in part"
    FAILED = "cannot be read"
    OLD = "not up to date"


class PaneBase(KeyScope, Vertical, can_focus=True):
    """State of a pane and its lines; the actions are in the classes built on it."""

    SCOPE: ClassVar[str] = "pane"
    DEFAULT_CSS = """
    PaneBase { width: 1fr; height: 1fr; }
    """

    path_bar = query_one(PathBar)
    listing = query_one(Listing)
    footer = query_one(PaneFooter)
    line = query_one(LineInput)

    @dataclass
    class OfPane(Message):
        """A message from a pane."""

        pane: PaneBase

        @property
        def control(self) -> PaneBase:
            return self.pane

    class LocationChanged(OfPane, namespace="file_pane"):
        """The pane went to another folder (which may still be read)."""

    class CurrentChanged(OfPane, namespace="file_pane"):
        """The cursor is on another entry, or the folder was read anew: `pane.current` may differ."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, PaneBase.CurrentChanged)

    class MarksChanged(OfPane, namespace="file_pane"):
        """Entries were marked or unmarked."""

    @dataclass
    class FileOpened(OfPane, namespace="file_pane"):
        """Enter was pressed on something that is no folder."""

        location: Location

    def __init__(
        self, client: Client, location: Location, settings: ScreenSettings, *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.client = client
        self.location = location
        self.view = View(
            sort=settings.sort,
            reverse=settings.sort_reverse,
            folders_first=settings.folders_first,
            hidden=settings.show_hidden,
        )
        self.folder = Folder(location)
        self.state = State.READY
        self._columns = settings.columns
        self._space: Space | None = None
        self._entry: Entry | None = None
        self._marks_by_location: dict[Location, Set[str]] = {}
        """Of folders that were left with some."""
        self._stages = Stages()
        self._reached: set[str] = set()
        """The far places from which something was read."""
        self._waiting_for_paste = ""
        self._questions: tuple[HostQuestion, ...] = ()
        """What the pane's place asks now."""
        self._finals: dict[Location, Location] = {}
        """What the partial folders seen so far are, or were, to become: that they got there may be told late."""

    def compose(self) -> ComposeResult:
        yield TabBar()
        yield PathBar()
        yield Listing(self.folder, self._columns)
        yield PaneFooter()
        yield LineInput()

    @property
    def takes_keys(self) -> bool:
        return self.has_focus

    def update_node_styles(self, animate: bool = True) -> None:
        """Style the pane and its path bar anew when it gets or loses focus or a class.

        Nothing else in it looks different then, and to match all the styles of the rows would take as long as some
        frames. (A new theme does not come this way: the screen styles all there is.)
        """
        if self.is_mounted:
            self.app.stylesheet.update_nodes([self, self.path_bar], animate=animate)

    # What is chosen.

    @property
    def current(self) -> Row | None:
        """The entry under the cursor; None on the way up and in an empty folder."""
        return self.folder.row(self.listing.cursor) if self._shows_folder else None

    @property
    def marked(self) -> Siblings:
        """The marked entries, in the order shown, those out of sight too; as they are now, whatever happens later."""
        return Siblings(self.folder.location, self.folder.marked_names())

    @property
    def chosen(self) -> Sequence[Location]:
        """What an operation is about: the marked entries, else the one under the cursor."""
        if marked := self.marked:
            return marked
        return [self.current.location] if self.current else []

    @property
    def shown_location(self) -> Location:
        """Where the pane says it is: not what a tree is called only while it is being copied."""
        return self.location

    @property
    def _shows_folder(self) -> bool:
        """Whether the rows on the screen are those of the folder the pane is in (they stay until others come)."""
        return self.listing.folder is self.folder

    def _keep_marks(self) -> None:
        """Remember the marks of the folder the pane is in, which it may leave."""
        if self.folder.marks:
            self._marks_by_location[self.folder.location] = self.folder.marks.kept()
        else:
            self._marks_by_location.pop(self.folder.location, None)

    # Order.

    async def _arrange(self, folder: Folder) -> None:
        """Put a folder in the order of the view, in a thread if that takes long."""
        while True:
            view = self.view
            if len(folder) <= SMALL:
                made = folder.arrange(view)
            else:
                made = await asyncio.to_thread(folder.arrange, view)
            if view == self.view and len(made.ordered) >= folder.arranged:
                folder.show(made)
                return

    # The screen.

    def _put(self, folder: Folder, cursor_on: str | None = None) -> None:
        """Show a folder as it is now arranged; the cursor stays on its name, else near its place."""
        listing = self.listing
        same = listing.folder.location == folder.location
        row = listing.cursor if same else 0
        name = cursor_on or (listing.folder.name(row) if same else "")
        if name and not (row == 0 and cursor_on is None and self.state is State.READING):
            row = found if (found := folder.row_of(name)) is not None else row
        self.folder = folder
        self._unseen_marks = folder.unseen_marks() if self.state in (State.READY, State.OLD) else 0
        listing.show(folder, row, self._note())
        self.show_lines()

    def _note(self) -> str:
        """Return the line shown below the rows when something is to be said about the folder."""
        if self.state is State.FAILED:
            return self._failure
        if self.folder.order or (self.state is State.STOPPED and self.location.is_local):
            return ""
        if not self.location.is_local and self.state not in (State.READY, State.OLD):
            return self._far_note()
        if self.state is State.SILENT:
            where = visible(str(self.shown_location))
            return f"{where} is not answering. Go on elsewhere, or wait: it shows when it does."
        if self.state is State.READING:
            return State.READING.value
        if self.view.filter:
            return "Nothing fits the filter."
        if self.folder.untold:
            return visible(self.folder.untold)
        hidden = len(self.folder)
        return f"Only hidden files ({format.count(hidden)})." if hidden else "Empty."

    def _far_note(self) -> str:
        """Return what is said below a far place's rows, of which there are none yet."""
        host = visible(host_of(self.location))
        if self.state is State.STOPPED:
            return f"Given up. {self.key_of('refresh')} tries again."
        if self._questions:
            answers = f"{self.key_of('answer_host', 'app')} answers it, Esc gives up."
            return f"{host} {asks_of(self._questions[0])}. It waits for an answer: {answers}"
        if place_of(self.location) not in self._reached:
            return f"connecting to {host}{self._for_so_long()} … Esc gives up."
        if self.state is State.SILENT and self._far_reach is not Reach.CONNECTED:
            return f"{host} is not answering{self._for_so_long()}: connecting anew … Esc gives up."
        if self.state is State.SILENT:
            return f"{host} is not answering{self._for_so_long()}. Esc gives up; it shows when it does."
        return State.READING.value

    def _for_so_long(self) -> str:
        return f" for {self._silent_for_s:.0f} s" if self._silent_for_s >= 1 else ""

    def key_of(self, name: str, scope: str = "pane") -> str:
        """Return the first key of an action, as it is shown."""
        return shown(next(iter(self.router.keymap.keys_of(f"{scope}.{name}")), "the palette"))

    _far_reach = Reach.CONNECTED
    """How far the engine is with the far place the pane waits for."""
    _silent_for_s = 0.0
    """So long the pane has waited for it."""
    _fresh: Folder | None = None
    """The folder as it is being read again, beside the one shown."""
    _fresh_is_late = False
    """Nothing has come of it for a while."""
    _failure = ""
    _unseen_marks = 0
    """Marked entries that the filter keeps out of sight. What is marked and unmarked meanwhile is in sight."""

    def _cursor_moved(self) -> None:
        """React to a step of the cursor; called at once, so that all it changes is drawn in one frame."""

    def show_lines(self) -> None:
        """Bring the lines above and below the rows up to date."""
        self._show_path()
        self._show_footer()

    def _show_path(self) -> None:
        state = self.state.value
        if self._questions and (self._fresh is not None or self.state in (State.READING, State.SILENT)):
            state = "has a question"
        elif self.state is State.READING and len(self.folder):
            state = f"{format.count(len(self.folder))} {state}"
        elif self.state in (State.READING, State.SILENT) and self._is_new_place:
            state = "connecting…"
        elif (
            self.state in (State.READY, State.OLD) and self._fresh is not None and not self.location.is_local
        ):
            state = (State.SILENT if self._fresh_is_late else State.READING).value
        elif not state and self._stages.around(self.location):
            state = "being copied"
        elif not state and self.folder.untold:
            state = "not all shown"
        elif not state:
            state = self._waiting_for_paste
        rising = (self.view.sort in ("name", "extension")) != self.view.reverse
        order = self.view.sort + ("↑" if rising else "↓")
        is_usual = self.view.sort == "name" and not self.view.reverse
        self.path_bar.show(
            visible(str(self.shown_location)), state=state, right=Right(order, is_usual, *self._free_texts())
        )

    def show_waiting_for_paste(self, text: str) -> None:
        """Say above the rows what was yanked or cut and is not pasted yet; nothing where there is nothing."""
        if text != self._waiting_for_paste:
            self._waiting_for_paste = text
            self._show_path()

    def _free_texts(self) -> tuple[str, str]:
        """Return the room left where the pane is, at length and in a word; nothing where there is none to fill."""
        if not self._space or not self._space.size_bytes:
            return "", ""
        text = format.size(self._space.free_bytes)
        number, unit = text.split(" ")
        short = number if len(number) < 4 else number.partition(".")[0]
        return f"{text} free", f"{short}{unit[0]} free"

    @property
    def _is_new_place(self) -> bool:
        """Whether nothing was read yet from the far place the pane is at."""
        return not self.location.is_local and place_of(self.location) not in self._reached

    @property
    def connects(self) -> bool:
        """Whether it waits for a host it has read nothing of yet, and which asks nothing so far."""
        return self._is_new_place and self.state in (State.READING, State.SILENT) and not self._questions

    def _show_footer(self) -> None:
        name, details = self._entry_texts()
        self.footer.show(
            filter=self._filter_text(),
            marks=self._marks_text(),
            name=name,
            details=details,
            position=self._position_text(),
        )

    def _position_text(self) -> str:
        """Return the how manieth entry the cursor is on, of how many; nothing on the way up."""
        if self.current is None:
            return ""
        shown = len(self.folder.order)
        number = self.listing.cursor + 1 - (self.folder.rows - shown)
        return f"{format.count(number)}/{format.count(shown)}"

    def _filter_text(self) -> str:
        if not self.view.filter:
            return ""
        text = fit(visible(self.view.filter), 20)
        if not self.folder.is_filtered_by(self.view.filter):
            return f"{text}: filtering…"
        return f"{text}: {format.count(len(self.folder.order))} of {format.count(len(self.folder))}"

    def _marks_text(self) -> str:
        if not (count := len(self.folder.marks)):
            return ""
        text = f"{format.count(count)} marked, {format.size(self.folder.marked_bytes)}"
        if uncounted := self.folder.marked_folders:
            text += f" + {format.entries(uncounted, 'folder')}"
        if unread := self.folder.marked_unread:
            text += f" + {format.count(unread)} of unknown size"
        if self._unseen_marks:
            text += f" ({format.count(self._unseen_marks)} not shown)"
        return text

    def _entry_texts(self) -> tuple[str, list[str]]:
        """Return the name of the entry under the cursor and what is known of it, the most telling first."""
        row = self.current
        if row is None:
            known_by_now = bool(self.folder.order) or self.state in (State.READY, State.STOPPED, State.OLD)
            if self.view.filter or not known_by_now:
                return "", []
            if self.folder.untold:
                return visible(self.folder.untold), []
            return format.entries(len(self.folder.order), "entry", "entries"), []
        name = visible(row.name)
        if row.amount:
            return name, [f"being copied: {row.amount}"]
        known: dict[str, str] = {}
        position = self.folder.position(self.listing.cursor)
        if (size_bytes := self.folder.size_of(position)) >= 0:
            known["size"] = format.size(size_bytes)
        if row.size_bytes > UNREAD + 1:
            if has_time(row.location, row.mtime_ns):
                known["modified"] = format.moment(row.mtime_ns / 1e9)[:16]
            if has_mode(row.location, row.mode):
                known["mode"] = stat.filemode(row.mode)
        in_row = self.listing.columns
        details = [known[each] for each in sorted(known, key=in_row.__contains__)]
        entry = self._entry
        if entry and entry.name == row.name:
            if entry.link_target is not None:
                name += f" → {visible(entry.link_target)}"
            details.append(f"{visible(entry.owner) or entry.uid}:{visible(entry.group) or entry.gid}")
        return name, details
