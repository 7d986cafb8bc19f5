"""A search below a folder: what to look for, and what was found so far, to go to, view, or take along."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from tui.format import count, entries
from tui.model.entry import EntryKind
from tui.model.error import FerryError
from tui.model.location import Location
from tui.ui.notes import in_words
from tui.ui.screens.dialog import Dialog, feedback, plain
from tui.ui.searching import MOST_HITS, Hit, Passed, Search
from tui.ui.terminal.cells import fit
from tui.ui.widgets.hit_list import HitList
from tui.visible import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.client.base import Places
    from tui.config import Settings

KEYS = "Enter go there · Space mark · y yank · x cut · F3 view · / anew · Esc leave"
TOLD_S = 0.2
"""So often it is said how far a search is."""
_READING_CELLS = 24


class Chosen(Enum):
    """What is to be done with what was found."""

    GO = "go"
    YANK = "yank"
    CUT = "cut"


@dataclass(slots=True)
class Searched:
    """A search that was made, to come back to: what was found, and where the cursor stood."""

    top: Location
    text: str = ""
    hits: list[Hit] = field(default_factory=list)
    said: str = ""
    cursor: int = 0
    went_to: Location | None = None
    """The folder of the hit that was gone to."""

    def is_about(self, folder: Location) -> bool:
        """Say whether who asks to search in a folder means this search: it began there, or led there."""
        return folder in (self.top, self.went_to)


class SearchScreen(Dialog[tuple[Chosen, tuple[Location, ...]]]):
    """Searches while it is open. Its result is what to do with which entries.

    Args:
        places: Where it is searched.
        searched: The folder, and what was found in it before. It takes up what is found now.
        contents: Search text in files, not names.
        hidden: Look at hidden entries too.
        settings: For the viewer.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "to_hits", "To what was found", show=False),
        Binding("slash,f7", "anew", "Search for something else", show=False),
        Binding("y", "take('yank')", "Remember for pasting as a copy", show=False),
        Binding("x", "take('cut')", "Remember for pasting as a move", show=False),
        Binding("enter,l,right", "take('go')", "Go there", show=False),
        Binding("f3,i", "view", "View the file", show=False),
        Binding("q,h,left", "leave", "Leave", show=False),
    ]

    def __init__(
        self, places: Places, searched: Searched, settings: Settings, *, contents: bool, hidden: bool
    ) -> None:
        super().__init__("Search text in files" if contents else "Search names", KEYS)
        self._places, self._searched, self._settings = places, searched, settings
        self._contents, self._hidden = contents, hidden

    def compose_body(self) -> ComposeResult:
        yield Static(
            plain(f"Below {self._searched.top}{self._limits()}"), classes="explanation", markup=False
        )
        yield Input(self._searched.text, compact=True, select_on_focus=True, id="typed")
        yield feedback(self._searched.said or self._invitation())
        yield HitList(id="hits")

    def _limits(self) -> str:
        """Return what is left out, so that nobody misses it."""
        out = [] if self._hidden else ["hidden files"]
        out += ["what is no text"] if self._contents else []
        return f", without {' and '.join(out)}" if out else ""

    def _invitation(self) -> str:
        return (
            "Text, then Enter." if self._contents else "A part of the name or a pattern (*.jpg), then Enter."
        )

    def on_mount(self) -> None:
        hits = self.query_one(HitList)
        hits.show(self._searched.hits, self._searched.cursor)
        (hits if self._searched.hits else self.query_one(Input)).focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value:
            self._searched.text = event.value
            self.query_one(HitList).focus()
            self._search(event.value)

    @work(exclusive=True, group="searching", exit_on_error=False)
    async def _search(self, text: str) -> None:
        listing = self.query_one(HitList)
        listing.show([])
        search = Search(self._places, self._searched.top, text, contents=self._contents, hidden=self._hidden)
        self._tell(search.passed, " …")
        telling = self.set_interval(TOLD_S, lambda: self._tell(search.passed, " …"))
        try:
            parts: Any = search.run()
            async with aclosing(parts):
                async for hits in parts:
                    listing.add(hits)
        except FerryError as error:
            self._end(f"{error.message}. {error.remedy}".strip(), wrong=True)
        except Exception as error:  # the screen under this one goes on, and this one must not seem to
            self._end(f"The search has ended before its time. {in_words(self.app, error)}", wrong=True)
        else:
            end = f" · no more than {count(MOST_HITS)}" if self._is_full else ""
            untold = search.passed.untold_first
            self._tell(search.passed, f"{end}: {untold}" if untold else end)
        finally:
            telling.stop()

    @on(HitList.MarksChanged)
    def _marks_changed(self, event: HitList.MarksChanged) -> None:
        event.stop()
        self._end(self._searched.said)

    @on(HitList.Opened)
    def _opened(self, event: HitList.Opened) -> None:
        event.stop()
        self.action_take("go")

    @property
    def _is_full(self) -> bool:
        return len(self.query_one(HitList).hits) >= MOST_HITS

    def _tell(self, passed: Passed, end: str) -> None:
        found = len(self.query_one(HitList).hits)
        told = [
            f"{count(found)} found" if found else "nothing found",
            f"in {entries(passed.folders, 'folder')}",
        ]
        if self._contents:
            told[1] += f", {entries(passed.files)}"
            if end == " …" and passed.reading:
                told.append(f"reading {fit(visible(passed.reading), _READING_CELLS, 'extension')}")
        if passed.failures:
            told.append(f"{count(passed.failures)} cannot be read")
        if passed.untold:
            told.append(f"not all of {entries(passed.untold, 'folder')} seen")
        self._end(" · ".join(told) + end)

    def _end(self, text: str, *, wrong: bool = False) -> None:
        self._searched.said = "" if wrong else text
        marked = len(self.query_one(HitList).marked)
        self.say(text + (f" · {count(marked)} marked" if marked else ""), wrong=wrong)

    def _keep(self) -> None:
        self._stop()
        listing = self.query_one(HitList)
        self._searched.hits, self._searched.cursor = listing.hits, listing.cursor

    def _stop(self) -> bool:
        """Stop the search that goes on; say whether there was one."""
        running = [each for each in self.workers if each.group == "searching" and each.is_running]
        if running:
            self.workers.cancel_group(self, "searching")
            self._end(f"{self._searched.said.removesuffix(' …')} · stopped")
        return bool(running)

    # Keys. Letters reach these only where nothing is typed: the field takes its own.

    def action_to_hits(self) -> None:
        if self.query_one(HitList).hits:
            self.query_one(HitList).focus()

    def action_anew(self) -> None:
        self.query_one(Input).focus()

    def action_take(self, what: str) -> None:
        listing = self.query_one(HitList)
        if listing.current is None:
            return
        chosen = [listing.current.location] if what == "go" else listing.chosen
        self._keep()
        if what == "go":
            self._searched.went_to = chosen[0].parent
        self.dismiss((Chosen(what), tuple(chosen)))

    def action_leave(self) -> None:
        """Stop a search that goes on, else leave; what was found is kept for the next time."""
        if not self._stop():
            self._keep()
            super().action_leave()

    def action_view(self) -> None:
        from tui.ui.screens.viewer import Viewer

        hit = self.query_one(HitList).current
        if hit is None:
            return
        if hit.kind is EntryKind.FILE:
            self.app.push_screen(Viewer(self._places, hit.location, self._settings))
        else:
            self.say("Only files can be viewed; Enter goes there.")
