"""The viewer: one file of any size, as text or as bytes."""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tui import format as fmt
from tui.model.error import FerryError, UsageError
from tui.ui.commands import scope_of
from tui.ui.highlight import Highlighter
from tui.ui.key_scope import KeyScope, perform
from tui.ui.notes import report, tell
from tui.ui.screens.prompt import Prompt
from tui.ui.terminal.cells import cells, fit
from tui.ui.view_search import Needle, find_backward, find_forward
from tui.ui.view_source import LineIndex, ViewSource, is_binary
from tui.ui.widgets.hex_view import HexView
from tui.ui.widgets.hint_bar import HintBar
from tui.ui.widgets.key_bar import KeyBar
from tui.ui.widgets.pane_reading import SILENT_S
from tui.ui.widgets.text_view import TextView
from tui.ui.widgets.view_base import ViewBase
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult

    from tui.client.base import Places
    from tui.config import Settings
    from tui.model.location import Location

COUNTED_BY_ITSELF = 512 << 20
"""Lines are counted so far without being asked; more only on the way to a line."""
_LEAST_NAME = 12
"""Cells the path has at least in the title, before what is told of the file."""
FAR_COUNTED_BY_ITSELF = 1 << 20
"""Of a file that comes over a line others may be waiting for; going to a line counts on."""


def parse_place(text: str) -> tuple[str, int]:
    """Return ("line", n), ("percent", n) or ("offset", n) for what was typed.

    Raises:
        UsageError: It is none of these.
    """
    cleaned = text.strip().lower()
    if match := re.fullmatch(r"([0-9]{1,18})", cleaned):
        return "line", int(match[1])
    if match := re.fullmatch(r"([0-9]{1,3})\s*%", cleaned):
        return "percent", min(100, int(match[1]))
    if match := re.fullmatch(r"@?0x([0-9a-f]{1,15})", cleaned):
        return "offset", int(match[1], 16)
    if match := re.fullmatch(r"@([0-9]{1,18})", cleaned):
        return "offset", int(match[1])
    raise UsageError(f"{text!r} is no place in a file", "Type 120 for a line, 50% or 0x1f00.")


class Viewer(Screen[None]):
    """Shows a file. Nothing of it is read but what is in view, and what a search or the count of lines passes.

    Args:
        places: Where it is read.
        location: A regular file.
        settings: For keys and the editor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,f3,f10,ctrl+c", "close", "Close", show=False)]

    def __init__(self, places: Places, location: Location, settings: Settings) -> None:
        super().__init__()
        self._places, self._settings = places, settings
        self.location = location
        self.source: ViewSource | None = None
        self._index: LineIndex | None = None
        self._head = b""
        self._needle: Needle | None = None
        self._found: int | None = None
        self._line: int | None = None
        self._busy = "reading"
        self._told = ""

    def compose(self) -> ComposeResult:
        yield Static(id="title", markup=False)
        yield Vertical(id="view")
        yield HintBar(id="hints")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self._show_title()
        self.watch(self, "focused", self._focus_moved)
        self._open()

    @property
    def view(self) -> ViewBase | None:
        """The view on the file, once there is one."""
        return next(iter(self.query(ViewBase)), None)

    @work(group="open")
    async def _open(self) -> None:
        silent = self.set_timer(SILENT_S, lambda: self._be_busy("not answering: Esc leaves"))
        try:
            entry = await self._places.stat(self.location, follow=True)
            self.source = ViewSource(self._places, self.location, entry.size_bytes)
            self._head = await self.source.open()
        except Exception as error:  # told; there is nothing to show
            report(self.app, error)
            self.dismiss(None)
            return
        finally:
            silent.stop()
        self._busy = ""
        self._index = LineIndex(self.source)
        await self._use(HexView(self.source) if is_binary(self._head) else self._text_view(self.source))
        self._count_lines()

    def _text_view(self, source: ViewSource) -> TextView:
        return TextView(source, Highlighter(self.location.name, self._head))

    async def _use(self, view: ViewBase, offset: int = 0) -> None:
        await self.query_one("#view").remove_children()
        await self.query_one("#view").mount(view)
        view.focus()
        if offset or self._needle:
            view.show(offset, self._needle)

    @work(group="count", exclusive=True)
    async def _count_lines(self) -> None:
        await self._count(COUNTED_BY_ITSELF if self.location.is_local else FAR_COUNTED_BY_ITSELF)

    async def _count(self, limit_bytes: int | None, line: int | None = None) -> None:
        """Count lines to the end, to a number of bytes, or until a line was passed."""
        if self._index is None or self.source is None:
            return
        try:
            async for _ in self._index.count(limit_bytes):
                if line is not None:
                    self._be_busy("counting lines", self._index.counted_bytes)
                    if await self._index.start_of(line) is not None:
                        return
                await asyncio.sleep(0)
        except FerryError as error:
            self._tell_once(error)
        finally:
            self._be_busy("")
        self._find_line()

    # The line above the view.

    @on(ViewBase.Moved)
    def _moved(self) -> None:
        self._find_line()
        if self.source is not None and self.source.notice:
            tell(self.app, self.source.notice, "warning")
            self.source.notice = ""
        self._show_title()

    @on(ViewBase.Failed)
    def _failed(self, event: ViewBase.Failed) -> None:
        self._tell_once(event.error)

    def _tell_once(self, error: Exception) -> None:
        if str(error) != self._told:
            self._told = str(error)
            report(self.app, error)

    @work(group="line", exclusive=True)
    async def _find_line(self) -> None:
        if self._index is None or (view := self.view) is None:
            return
        try:
            self._line = await self._index.line_at(view.window.offset)
        except FerryError:
            self._line = None  # the view itself tells what cannot be read
        self._show_title()

    def _be_busy(self, words: str, offset: int = 0) -> None:
        size_bytes = self.source.size_bytes if self.source else 0
        share = f" {offset * 100 // size_bytes}%: Esc stops" if words and size_bytes and self.view else ""
        self._busy = words + share
        self._show_title()

    def _show_title(self) -> None:
        facts = self._facts()
        while len(facts) > 1 and cells("  ".join(facts)) + _LEAST_NAME + 4 > self.size.width:
            del facts[-2]
        self._put_title("  ".join(facts))

    def _put_title(self, facts: str) -> None:
        room = max(_LEAST_NAME, self.size.width - cells(facts) - 4)
        path = fit(visible(str(self.location)), room, "end")
        gap = " " * max(2, self.size.width - cells(path) - cells(facts) - 2)
        for title in self.query("#title").results(
            Static
        ):  # what was under way ends after the viewer has gone
            title.update(Content.assemble(" ", (path, "bold"), gap, facts))

    def _facts(self) -> list[str]:
        """Return what is to be told of the file and the place in it; the last one and the first matter most."""
        source, view = self.source, self.view
        if source is None or view is None:
            return [self._busy]
        if not source.size_bytes:
            return ["empty"]
        parts = [self._busy] if self._busy else []
        window = view.window
        if isinstance(view, TextView):
            total = self._index.lines if self._index else None
            of = f"/{fmt.count(total)}" if total is not None else ""
            parts.append(f"line {fmt.count(self._line)}{of}" if self._line else "line not counted")
            parts.append("wrapped" if view.wrap else "cut")
        else:
            parts.append(f"offset 0x{window.offset:x}")
        percent = 100 if window.end >= source.size_bytes else window.end * 100 // source.size_bytes
        return [*parts, fmt.size(source.size_bytes), f"{percent:3}%"]

    def on_resize(self) -> None:
        self._show_title()

    def _focus_moved(self) -> None:
        if (scope := scope_of(self)) is not None:
            self.query_one(KeyBar).show(scope.router.keymap, scope.SCOPE)

    @on(KeyScope.SequenceChanged)
    def _sequence_changed(self, event: KeyScope.SequenceChanged) -> None:
        self.query_one(HintBar).show(event.pending)

    @on(KeyBar.Pressed)
    async def _key_bar_pressed(self, event: KeyBar.Pressed) -> None:
        await perform(self.view or self, event.action)

    # Actions.

    def action_close(self) -> None:
        """Stop what takes long; with nothing of that kind, close."""
        if any(
            worker.is_running for worker in self.workers if worker.group == "long" and worker.node is self
        ):
            self.workers.cancel_group(self, "long")
        else:
            self.dismiss(None)

    def action_toggle_wrap(self) -> None:
        if isinstance(self.view, TextView):
            self.view.toggle_wrap()

    async def action_toggle_hex(self) -> None:
        if self.source is None or (view := self.view) is None:
            return
        offset = view.window.offset
        await self._use(
            HexView(self.source) if isinstance(view, TextView) else self._text_view(self.source), offset
        )

    def action_search(self) -> None:
        as_bytes = isinstance(self.view, HexView)
        explanation = "Small letters find capitals too."
        if as_bytes:
            explanation += " Bytes: 0xdeadbeef"
        before = self._needle.text if self._needle else ""
        prompt = Prompt("Search", before, explanation=explanation, check=self._needle_for)
        self.app.push_screen(prompt, self._search_typed)

    def _needle_for(self, text: str) -> Needle:
        return Needle(text, as_bytes=isinstance(self.view, HexView) and text.startswith("0x"))

    def _search_typed(self, text: str | None) -> None:
        if text:
            self._needle, self._found = self._needle_for(text), None
            self._search(forward=True)

    def action_search_next(self) -> None:
        self._search_again(forward=True)

    def action_search_previous(self) -> None:
        self._search_again(forward=False)

    def _search_again(self, *, forward: bool) -> None:
        if self._needle is None:
            self.action_search()
        else:
            self._search(forward=forward)

    def _search(self, *, forward: bool) -> None:
        self._find(forward)

    @work(group="long", exclusive=True)
    async def _find(self, forward: bool) -> None:
        source, view, needle = self.source, self.view, self._needle
        if source is None or view is None or needle is None:
            return

        def passed(offset: int) -> None:
            self._be_busy("searching", offset)

        in_view = self._found is not None and view.window.offset <= self._found < max(1, view.window.end)
        start = self._found if in_view and self._found is not None else None
        with self._taking_long():
            if forward:
                start = view.window.offset if start is None else start + 1
                found = await find_forward(source, needle, start, passed)
            else:
                start = view.window.offset if start is None else start
                found = await find_backward(source, needle, start, passed)
            if found is None:
                where = "below" if forward else "above"
                tell(self.app, f"{visible(needle.text)} is not found {where}.")
                return
            self._found = found
            view.show(found, needle)

    @contextmanager
    def _taking_long(self) -> Iterator[None]:
        """Tell what goes wrong in something that Esc can stop, and when it is over."""
        try:
            yield
        except FerryError as error:
            self._tell_once(error)
        finally:
            self._be_busy("")

    def action_go_to(self) -> None:
        explanation = "A line (120), a part of the file (50%) or an offset (0x1f00, @7936)."
        self.app.push_screen(Prompt("Go to", explanation=explanation, check=parse_place), self._place_typed)

    def _place_typed(self, text: str | None) -> None:
        if text:
            self._go(*parse_place(text))

    @work(group="long", exclusive=True)
    async def _go(self, kind: str, number: int) -> None:
        source, view = self.source, self.view
        if source is None or view is None:
            return
        if kind == "percent":
            view.show(source.size_bytes * number // 100)
        elif kind == "offset":
            view.show(min(number, max(0, source.size_bytes - 1)))
        else:
            with self._taking_long():
                await self._go_to_line(number, view)

    async def _go_to_line(self, line: int, view: ViewBase) -> None:
        """Show a line, counting on to it where that has not been done."""
        if (index := self._index) is None:
            return
        self.workers.cancel_group(self, "count")
        start = await index.start_of(line)
        if start is None and not index.is_complete:
            await self._count(None, line)
            start = await index.start_of(line)
        if start is None:
            tell(self.app, f"There are {fmt.entries(index.lines or 0, 'line')}.", "warning")
            view.move(view.window.to_end)
        else:
            view.show(start)
        self._count_lines()

    async def action_edit(self) -> None:
        from tui.ui.outside import editor_command, run_outside

        if not self.location.is_local:
            raise UsageError("a far file is edited from its pane", "Go back to it, then edit it there (F4).")
        words = editor_command(self._settings)
        await run_outside(self.app, [*words, self.location.path], self.location.parent.path)
        view = self.view
        offset = view.window.offset if view else 0
        self.source = ViewSource(self._places, self.location, 0)
        await self.source.refresh_size()
        self._head = await self.source.open()
        self._index = LineIndex(self.source)
        hexadecimal = isinstance(view, HexView)
        await self._use(HexView(self.source) if hexadecimal else self._text_view(self.source), offset)
        self._count_lines()
