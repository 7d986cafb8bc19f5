"""What the cursor of a pane is on, shown beside it: the head of a file, the names in a folder, facts of the rest."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
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
_FACTS = ("Kind", "Points to", "Size", "Modified", "Mode", "Owner", "Names")


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

        location: Location
        title: str
        body: Text | Content

    def __init__(self, places: Places, *, delay_s: float = DELAY_S, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places, self._delay_s = places, delay_s
        self.location: Location | None = None
        self._called = ""
        """What is shown, or about to be."""
        self._timer: Timer | None = None
        self._text: TextView | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="preview-title", markup=False)
        with VerticalScroll(id="preview-facts", can_focus=False):
            yield Static(id="preview-lines", markup=False)

    def follow(self, location: Location | None, name: str = "") -> None:
        """Show an entry as soon as the cursor rests on it; None shows nothing.

        Args:
            name: What it is called, where that is not the name it has now.
        """
        if location == self.location:
            return
        self.location, self._called = location, name
        if self._timer is not None:
            self._timer.stop()
        far = location is not None and not location.is_local
        self._timer = self.set_timer(max(FAR_DELAY_S, self._delay_s) if far else self._delay_s, self._rested)

    def again(self) -> None:
        """Read what is shown anew."""
        location, self.location = self.location, None
        self.follow(location, self._called)

    def turn(self, half_pages: int) -> None:
        """Scroll by half pages; down where positive."""
        if self._text is not None and self._text.display:
            self._text.step(half_pages * max(1, self._text.size.height // 2))
        else:
            facts = self.query_one("#preview-facts", VerticalScroll)
            facts.scroll_relative(y=half_pages * max(1, facts.size.height // 2), animate=False)

    def _rested(self) -> None:
        self._timer = None
        if self.location is None:
            self.workers.cancel_group(self, "preview")
            self._show("", Content(""))
        else:
            self._load(self.location)

    def on_preview_ready(self, event: Ready) -> None:
        event.stop()
        if event.location == self.location:
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
        if self._text is not None:
            self._text.display = isinstance(body, Text)

    def _open(self, text: Text) -> None:
        highlighter = Highlighter(text.source.location.name, text.head)
        if self._text is None:
            self._text = TextView(text.source, highlighter)
            self._text.can_focus = False
            self.mount(self._text)
        else:
            self._text.open(text.source, highlighter)

    @work(group="preview", exclusive=True)
    async def _load(self, location: Location) -> None:
        try:
            title, body = await self._read(location)
        except FerryError as error:
            title, body = self._shown_name(location), Content(visible(error.message))
        self.post_message(self.Ready(location, title, body))

    async def _read(self, location: Location) -> tuple[str, Text | Content]:
        entry = await self._places.stat(location)
        seen = await self._places.stat(location, follow=True) if entry.kind is EntryKind.LINK else entry
        if entry.kind.opens_as_folder:
            return await self._read_folder(location)
        if seen.kind is not EntryKind.FILE:
            return self._shown_name(location), _facts(location, entry)
        source = ViewSource(self._places, location, seen.size_bytes)
        head = await source.open()
        if not head or is_binary(head):
            remark = "The file is empty." if not head else "This is no text; view it (F3) to see its bytes."
            return self._shown_name(location), _facts(location, entry, remark)
        return f"{self._shown_name(location)}  {fmt.size(source.size_bytes)}", Text(source, head)

    async def _read_folder(self, folder: Location) -> tuple[str, Content]:
        """Return the first names of a folder; the rest is not read."""
        names: list[tuple[bool, str]] = []
        async with aclosing(cast("AsyncGenerator[Page]", self._places.list(folder))) as pages:
            async for page in pages:
                kinds = [EntryKind(kind).opens_as_folder for kind in page.kinds]
                names += [(not is_folder, name) for is_folder, name in zip(kinds, page.names, strict=True)]
                if len(names) > SHOWN_NAMES:
                    break
        count = (
            f"{SHOWN_NAMES}+ entries"
            if len(names) > SHOWN_NAMES
            else fmt.entries(len(names), "entry", "entries")
        )
        width = max(10, self.size.width - 2)
        lines = [
            Content.styled(fit(visible(name), width, "extension"), "" if is_plain else "bold $entry-folder")
            for is_plain, name in sorted(names)[:SHOWN_NAMES]
        ]
        return f"{self._shown_name(folder).rstrip('/')}/  {count}", Content("\n").join(lines)

    def _shown_name(self, location: Location) -> str:
        return visible(self._called or location.name or str(location))


def _facts(location: Location, entry: Entry, remark: str = "") -> Content:
    facts = [(name, value) for name, value in facts_of(location, entry) if name in _FACTS]
    lines = [Content.assemble((f"{name:10} ", "$quiet"), value) for name, value in facts]
    if remark:
        lines += [Content(""), Content.styled(remark, "$quiet")]
    return Content("\n").join(lines)
