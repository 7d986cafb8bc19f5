"""What the cursor of a pane is on, shown beside it: the head of a file, the names in a folder, facts of the rest."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, cast

from textual import work
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui import format as fmt
from tui.model.entry import EntryKind
from tui.model.error import FerryError
from tui.model.location import Location
from tui.ui.highlight import Highlighter
from tui.ui.screens.information import facts_of
from tui.ui.sorting import natural_key
from tui.ui.terminal.cells import fit
from tui.ui.view_source import ViewSource, is_binary
from tui.ui.widgets.text_view import TextView
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from textual.app import ComposeResult
    from textual.timer import Timer

    from tui.client.base import Places
    from tui.model.entry import Entry, Page

DELAY_S = 0.15
"""The cursor has to rest so long: holding a key down reads nothing."""
FAR_DELAY_S = 0.6
"""The same at a far place: nothing there is asked for a step of the cursor."""
SHOWN_NAMES = 200
LOOKED_AT = 10_000
"""So many names of a folder are looked at for those that come first; of a far one as many as are shown."""
_FACTS = ("Kind", "Points to", "Size", "Modified", "Mode", "Owner", "Names")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is shown.

    Attributes:
        location: Where it is.
        name: What it is called, where that is not the name it has now.
        facts: Its size and time, as far as they are known: with others it is read again.
        hidden: Whether hidden names in it are shown.
    """

    location: Location
    name: str = ""
    facts: tuple[int, int] = (0, 0)
    hidden: bool = False

    @property
    def shown_name(self) -> str:
        return visible(self.name or self.location.name or str(self.location))


@dataclass(frozen=True, slots=True)
class Text:
    """A file to be shown as text."""

    source: ViewSource
    head: bytes


class Preview(Vertical):
    """Follows a cursor. It never takes the focus.

    Args:
        places: Where files and folders are read.
        delay_s: How long a cursor has to rest.
    """

    @dataclass
    class Ready(Message):
        """Something was read: a title, and what stands below it."""

        subject: Subject
        title: str
        body: Text | Content

    def __init__(self, places: Places, *, delay_s: float = DELAY_S, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places, self._delay_s = places, delay_s
        self.subject: Subject | None = None
        """What is shown, or about to be."""
        self._timer: Timer | None = None
        self._text: TextView | None = None
        self._opened: Location | None = None
        """The file in that view."""

    def compose(self) -> ComposeResult:
        yield Static(id="preview-title", markup=False)
        with VerticalScroll(id="preview-facts", can_focus=False):
            yield Static(id="preview-lines", markup=False)

    def follow(self, subject: Subject | None) -> None:
        """Show an entry as soon as the cursor rests on it; None shows nothing."""
        if subject == self.subject:
            return
        self.subject = subject
        if self._timer is not None:
            self._timer.stop()
        far = subject is not None and not subject.location.is_local
        self._timer = self.set_timer(max(FAR_DELAY_S, self._delay_s) if far else self._delay_s, self._rested)

    def turn(self, half_pages: int) -> None:
        """Scroll by half pages; down where positive."""
        if self._text is not None and self._text.display:
            self._text.step(half_pages * max(1, self._text.size.height // 2))
        else:
            facts = self.query_one("#preview-facts", VerticalScroll)
            facts.scroll_relative(y=half_pages * max(1, facts.size.height // 2), animate=False)

    def _rested(self) -> None:
        self._timer = None
        if self.subject is None:
            self.workers.cancel_group(self, "preview")
            self._show("", Content(""))
        else:
            self._load(self.subject)

    def on_preview_ready(self, event: Ready) -> None:
        event.stop()
        if event.subject == self.subject:
            self._show(event.title, event.body)

    def _show(self, title: str, body: Text | Content) -> None:
        width = max(4, self.size.width - 2)
        self.query_one("#preview-title", Static).update(Content(fit(title, width, "end")))
        facts = self.query_one("#preview-facts")
        facts.display = isinstance(body, Content)
        if isinstance(body, Content):
            self.query_one("#preview-lines", Static).update(body)
            facts.scroll_home(animate=False)
        else:
            self._open(body)
        self._opened = None if isinstance(body, Content) else body.source.location
        if self._text is not None:
            self._text.display = isinstance(body, Text)

    def _open(self, text: Text) -> None:
        highlighter = Highlighter(text.source.location.name, text.head)
        if self._text is None:
            self._text = TextView(text.source, highlighter)
            self._text.can_focus = False
            self.mount(self._text)
        else:
            again = text.source.location == self._opened
            self._text.open(text.source, highlighter, self._text.window.offset if again else 0)

    @work(group="preview", exclusive=True)
    async def _load(self, subject: Subject) -> None:
        try:
            title, body = await self._read(subject)
        except FerryError as error:
            title, body = subject.shown_name, Content(visible(error.message))
        self.post_message(self.Ready(subject, title, body))

    async def _read(self, subject: Subject) -> tuple[str, Text | Content]:
        location = subject.location
        entry = await self._places.stat(location)
        seen = await self._places.stat(location, follow=True) if entry.kind is EntryKind.LINK else entry
        if entry.kind.opens_as_folder:
            return await self._read_folder(subject)
        if seen.kind is not EntryKind.FILE:
            return subject.shown_name, _facts(location, entry)
        source = ViewSource(self._places, location, seen.size_bytes)
        head = await source.open()
        if not head or is_binary(head):
            remark = "The file is empty." if not head else "This is no text; view it (F3) to see its bytes."
            return subject.shown_name, _facts(location, entry, remark)
        return f"{subject.shown_name}  {fmt.size(source.size_bytes)}", Text(source, head)

    async def _read_folder(self, subject: Subject) -> tuple[str, Content]:
        """Return the first names of a folder as a pane would list them by name; of a long one not all are read."""
        names: list[tuple[bool, str]] = []
        most = LOOKED_AT if subject.location.is_local else SHOWN_NAMES
        async with aclosing(cast("AsyncGenerator[Page]", self._places.list(subject.location))) as pages:
            async for page in pages:
                names += [
                    (not EntryKind(kind).opens_as_folder, name)
                    for kind, name in zip(page.kinds, page.names, strict=True)
                    if subject.hidden or not name.startswith(".")
                ]
                if len(names) > most:
                    break
        count = (
            f"{fmt.count(most)}+ entries"
            if len(names) > most
            else fmt.entries(len(names), "entry", "entries")
        )
        first = await asyncio.to_thread(nsmallest, SHOWN_NAMES, names, key=_place_in_order)
        width = max(10, self.size.width - 2)
        lines = [
            Content.styled(fit(visible(name), width, "extension"), "" if is_plain else "bold $entry-folder")
            for is_plain, name in first
        ]
        return f"{subject.shown_name.rstrip('/')}/  {count}", Content("\n").join(lines)


def _place_in_order(entry: tuple[bool, str]) -> tuple[bool, str]:
    is_plain, name = entry
    return is_plain, natural_key(name)


def _facts(location: Location, entry: Entry, remark: str = "") -> Content:
    facts = [(name, value) for name, value in facts_of(location, entry) if name in _FACTS]
    lines = [Content.assemble((f"{name:10} ", "$quiet"), value) for name, value in facts]
    if remark:
        lines += [Content(""), Content.styled(remark, "$quiet")]
    return Content("\n").join(lines)
