"""What it takes to make one folder like another: a plan to look at, and the choices it depends on."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Label, Static

from tui.client.sparing import sparing
from tui.format import count, entries, size
from tui.model.comparison import Amounts, Change
from tui.model.error import FerryError, HoldsHome
from tui.model.exclusion import NOTHING
from tui.model.job import Conflict, JobKind, Request
from tui.ui.notes import in_words
from tui.ui.screens.dialog import Dialog, feedback, plain
from tui.ui.widgets.choice import Choice
from tui.ui.widgets.difference_list import DifferenceList
from tui.ui.widgets.patterns_input import PatternsInput

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.client.base import Places
    from tui.model.location import Location

COMPARED_BY = (("size and time", False), ("content", True))
EXTRA = (("leave", False), ("remove", True))
REST_S = 0.4
"""Folders are compared anew when nothing was typed for so long."""


class SyncPlan(Dialog[Request]):
    """Compares while it is open, and lists what it finds. Its result is the request to submit.

    Args:
        places: Who compares.
        source: The folder that stays as it is.
        target: The folder made like it.
        verify: Whether the job reads back what it copied.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", "Go", show=False),
        Binding("ctrl+d", "scroll(1)", "Page down", show=False),
        Binding("ctrl+u", "scroll(-1)", "Page up", show=False),
    ]

    def __init__(self, places: Places, source: Location, target: Location, *, verify: bool = False) -> None:
        super().__init__("Make like this folder", "Enter go · Tab next · ← → choose · Esc leave")
        self._places, self._source, self._target, self._verify = places, source, target, verify
        self._amounts = Amounts()
        self._complete = False
        self._problem = ""
        self._exclude = NOTHING
        self._spares_home = False
        """Something at the target is, or holds, a home folder: it stays, whatever is chosen."""

    def compose_body(self) -> ComposeResult:
        for name, folder in (("This one", self._source), ("Changed", self._target)):
            with Horizontal(classes="row"):
                yield Label(name, classes="name")
                yield Static(plain(str(folder)), classes="value", markup=False)
        with Horizontal(classes="row gap"):
            yield Label("Compare by", classes="name")
            yield Choice(COMPARED_BY, False, id="by-content")
        with Horizontal(classes="row"):
            yield Label("Only there", classes="name")
            yield Choice(EXTRA, False, id="extra")
        with Horizontal(classes="row"):
            yield Label("Leave out", classes="name")
            yield PatternsInput(id="exclude")
        yield feedback("comparing …")
        yield DifferenceList(id="differences")

    def on_mount(self) -> None:
        self.query_one("#differences").focus()
        self._compare()

    @on(Choice.Changed, "#by-content")
    def _compared_otherwise(self) -> None:
        self._begin_anew()

    @on(Input.Changed, "#exclude")
    def _excluded_otherwise(self) -> None:
        self._begin_anew(REST_S)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_go()

    @on(Choice.Changed, "#extra")
    def _extra_chosen(self) -> None:
        self.query_one(DifferenceList).show_removals(self._removes)
        self._show()

    @property
    def _removes(self) -> bool:
        return bool(self.query_one("#extra", Choice).value)

    @property
    def _by_content(self) -> bool:
        return bool(self.query_one("#by-content", Choice).value)

    def _begin_anew(self, rest_s: float = 0.0) -> None:
        self._complete = False  # what is seen is not what would be done
        self._show()
        self._compare(rest_s)

    @work(exclusive=True, group="comparing", exit_on_error=False)
    async def _compare(self, rest_s: float = 0.0) -> None:
        """Find out what differs, when typing rests."""
        await asyncio.sleep(rest_s)
        self._amounts, self._complete, self._problem = Amounts(), False, ""
        self._spares_home = False
        listing = self.query_one(DifferenceList)
        listing.clear()
        try:
            self._exclude = await self.query_one(PatternsInput).exclusion()
            parts: Any = self._places.compare(
                self._source, self._target, by_content=self._by_content, exclude=self._exclude
            )
            spared = await sparing(self._places, self._target)
            async with aclosing(parts):
                async for found in parts:
                    part = await asyncio.to_thread(spared.look, found)
                    failures = [error for error in part.failures if not isinstance(error, HoldsHome)]
                    self._spares_home |= len(failures) < len(part.failures)
                    part.failures = failures
                    self._amounts.add(part)
                    listing.add(part.differences)
                    self._show()
        except FerryError as error:
            self._problem = f"{error.message}. {error.remedy}".strip()
        except Exception as error:  # the screen under this one goes on, and this one must not seem to
            self._problem = f"The comparison has ended before its time. {in_words(self.app, error)}"
        self._complete = True
        self._show()

    def _show(self) -> None:
        going = "" if self._complete else " …"
        if self._problem:
            self.say(self._problem, wrong=True)
        else:
            home = " · a home folder stays" if self._spares_home and self._removes else ""
            self.say(plan_in_numbers(self._amounts, removes=self._removes) + home + going)

    def action_go(self) -> None:
        """End with the request; a plan that was not looked at to its end is no plan."""
        if self._problem:
            return
        if not self._complete:
            self.say("still comparing; look at all of it first")
        elif not anything_to_do(self._amounts, removes=self._removes):
            self.dismiss(None)
        else:
            self.dismiss(self._request())

    def _request(self) -> Request:
        return Request(
            kind=JobKind.SYNC,
            sources=(self._source,),
            target=self._target,
            into=False,
            conflict=Conflict.OVERWRITE,
            delete_extra=self._removes,
            by_content=self._by_content,
            verify=self._verify,
            exclude=self._exclude,
        )

    def action_scroll(self, pages: int) -> None:
        listing = self.query_one(DifferenceList)
        listing.scroll_relative(y=pages * max(1, listing.size.height - 1), animate=False)


def anything_to_do(amounts: Amounts, *, removes: bool) -> bool:
    """Say whether a sync would change anything."""
    changes = (Change.NEW, Change.CHANGED, Change.ATTRIBUTES, Change.CLASH)
    return any(map(amounts.number, changes)) or (removes and amounts.number(Change.EXTRA) > 0)


def plan_in_numbers(amounts: Amounts, *, removes: bool) -> str:
    """Return "copy 3 files, 4.5 MiB · replace 1 · remove 2 · 120 files the same"."""
    told = []
    if new := amounts.number(Change.NEW):
        told.append(f"copy {entries(new, 'entry', 'entries')}, {size(amounts.size_bytes.get(Change.NEW, 0))}")
    if changed := amounts.number(Change.CHANGED):
        told.append(f"replace {count(changed)}, {size(amounts.size_bytes.get(Change.CHANGED, 0))}")
    if attributes := amounts.number(Change.ATTRIBUTES):
        told.append(f"set attributes of {count(attributes)}")
    if extra := amounts.number(Change.EXTRA):
        told.append(f"{'remove' if removes else 'leave'} {count(extra)} only there")
    if clashes := amounts.number(Change.CLASH):
        told.append(f"{count(clashes)} in the way: {'replaced' if removes else 'an error each'}")
    if amounts.failures:
        told.append(f"{count(amounts.failures)} cannot be read")
    return " · ".join([*(told or ["nothing to do"]), f"{entries(amounts.files_same)} the same"])
