"""The comparison of two folders under way: numbers that grow, until it is done or left."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from textual import work
from textual.widgets import Static

from tui.model.comparison import Amounts
from tui.model.error import FerryError
from tui.ui.differences import Marks, in_numbers
from tui.ui.notes import in_words
from tui.ui.screens.dialog import Dialog, feedback, plain

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.client.base import Places
    from tui.model.comparison import Compared
    from tui.model.location import Location


@dataclass(slots=True)
class Found:
    """What a comparison came to."""

    marks: Marks = field(default_factory=Marks)
    amounts: Amounts = field(default_factory=Amounts)

    def add(self, part: Compared) -> None:
        self.marks.add(part)
        self.amounts.add(part)

    @property
    def in_numbers(self) -> str:
        return in_numbers(self.amounts)


class Comparing(Dialog[Found]):
    """Compares while it is open. Its result is what was found, or None where it was left before the end.

    Args:
        places: Who compares.
        left, right: The two folders.
        by_content: Compare files by content, not by size and time.
    """

    def __init__(self, places: Places, left: Location, right: Location, *, by_content: bool) -> None:
        super().__init__("Comparing", "Esc stop")
        self._places, self._folders, self._by_content = places, (left, right), by_content

    def compose_body(self) -> ComposeResult:
        for folder in self._folders:
            yield Static(plain(str(folder)), markup=False)
        yield feedback("looking …")

    def on_mount(self) -> None:
        self._compare()

    @work(exclusive=True, group="comparing", exit_on_error=False)
    async def _compare(self) -> None:
        found = Found()
        parts: Any = self._places.compare(*self._folders, by_content=self._by_content)
        try:
            async with aclosing(parts):
                async for part in parts:
                    found.add(part)
                    self.say(found.in_numbers + " …")
        except FerryError as error:
            self.say(f"{error.message}. {error.remedy}".strip(), wrong=True)
            return
        except Exception as error:  # the screen under this one goes on, and this one must not seem to
            self.say(f"The comparison has ended before its time. {in_words(self.app, error)}", wrong=True)
            return
        self.dismiss(found)
