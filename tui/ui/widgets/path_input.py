"""A line for typing a path: Tab completes it from the disk, a suggestion runs ahead in grey."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from tui.model.location import Location
from tui.ui.addresses import HOME, is_url, parse_url, without_path_before
from tui.ui.completion import complete
from tui.ui.names import escape, unescape

if TYPE_CHECKING:
    from textual import events

    from tui.client.base import Places


def parse_location(text: str, base: Location) -> Location:
    """Return the location that typed text stands for: a path, relative to `base`, `~` for home there, or a URL.

    Raises:
        UsageError: It names nothing.
    """
    text = text.strip()
    if is_url(text):
        return parse_url(text)
    path = unescape(text)
    if path == "~" or path.startswith("~/"):
        path = (os.path.expanduser("~") if base.is_local else HOME) + path[1:]
    if base.is_local:
        return Location.local(path, base.path)
    return Location(Location.local(path, base.path).path, base.scheme, base.authority)


def written(folder: Location) -> str:
    """Return a folder as it stands in such a line, ready for a name to follow."""
    text = escape(str(folder)) if folder.is_local else folder.url
    return text if text.endswith("/") else text + "/"


def _common_start(texts: list[str]) -> str:
    """Return what all texts begin with."""
    first, last = min(texts, default=""), max(texts, default="")
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return first[:length]


class _PathSuggester(Suggester):
    """Offers the first completion while typing."""

    def __init__(self, places: Places, base: Location) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.places, self.base = places, base

    async def get_suggestion(self, value: str) -> str | None:
        if value.endswith("/"):
            return None  # a whole folder would be offered, whose first name is as good as any
        if is_url(value) or not self.base.is_local:
            return None  # nothing far is asked for each key: Tab asks
        found = await complete(self.places, value, self.base)
        return next((text for text in found if text.startswith(value)), None)


class PathInput(Input):
    """An input for a path.

    Args:
        places: Where names are looked up.
        base: What a relative path is taken from.
        leaves: Whether Tab goes to the next field where there is nothing to complete.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", "Complete", show=False)]

    @dataclass
    class Offered(Message):
        """What the path may go on with: an empty list where it is complete or unknown."""

        texts: tuple[str, ...]

    def __init__(
        self, value: str, places: Places, base: Location, *, leaves: bool = False, id: str | None = None
    ) -> None:
        super().__init__(
            value,
            compact=True,
            id=id,
            select_on_focus=False,
            suggester=_PathSuggester(places, base),
        )
        self.places, self.base, self._leaves = places, base, leaves
        self._settled = value
        self._untouched = True

    @property
    def location(self) -> Location:
        """What is typed, as a location; raises UsageError where it is none."""
        return parse_location(self.value, self.base)

    def validate_value(self, value: str) -> str:
        """Let a URL typed behind the folder proposed take its place."""
        return without_path_before(value)

    def on_key(self, event: events.Key) -> None:
        """Begin a new path where "/" or "~" is the first key: behind the folder proposed it could mean nothing."""
        self._begin_anew(event.character or "")

    def on_paste(self, event: events.Paste) -> None:
        self._begin_anew(event.text)

    def _begin_anew(self, typed: str) -> None:
        anew = typed.startswith(("/", "~")) or is_url(typed)
        if self._untouched and anew and self.value.endswith("/"):
            self.value = ""
        self._untouched = False

    async def action_complete(self) -> None:
        """Go on as far as all completions agree, then offer them; where nothing was typed, go to the next field.

        A path that stands as it was proposed or completed is left alone where there is a next field: Tab on the way
        to that field must not change the target.
        """
        if self._leaves and self.value == self._settled:
            self.screen.focus_next()
        elif is_url(self.value) or not self.base.is_local:
            self.run_worker(self._complete(), group="complete", exclusive=True, exit_on_error=False)
        else:
            await self._complete()

    async def _complete(self) -> None:
        typed = self.value
        found = await complete(self.places, typed, self.base)
        if self.value != typed:
            return  # it was typed on meanwhile: a far place takes its time
        common = _common_start(found)
        if len(common) > len(self.value):
            self.value = common
            self.cursor_position = len(common)
        if self._leaves and len(found) < 2:
            self._settled = self.value
        self.post_message(self.Offered(tuple(found) if len(found) > 1 else ()))
