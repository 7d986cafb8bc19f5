"""What text and hexadecimal views share: keys that move a window on a file, asked for in turn, never awaited."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip

from tui.ui.key_scope import KeyScope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rich.style import Style
    from textual import events

    from tui.ui.view_search import Needle
    from tui.ui.view_window import Window

Piece = tuple[int, int, str]
"""(first, last, style) of characters."""


class ViewBase(KeyScope, can_focus=True):
    """Shows a window on a file. Moves are done one after the other by a worker, reading what they need.

    Args:
        window: What is shown and moved.
    """

    SCOPE: ClassVar[str] = "viewer"

    @dataclass
    class Moved(Message):
        """Something else is in view."""

        view: ViewBase

        @property
        def control(self) -> ViewBase:
            return self.view

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ViewBase.Moved) and message.view is self.view

    @dataclass
    class Failed(Message):
        """Something could not be read; what was in view stays."""

        view: ViewBase
        error: Exception

        @property
        def control(self) -> ViewBase:
            return self.view

    def __init__(self, window: Window, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.window = window
        self._moves: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._steps = 0

    @property
    def is_idle(self) -> bool:
        """Whether all moves asked for have been done."""
        return self._moves.empty() and not self._steps and not self._moving

    _moving = False

    def move(self, how: Callable[[], Awaitable[None]]) -> None:
        """Have the window moved, after the moves asked for before."""
        self._moves.put_nowait(how)

    def step(self, lines: int) -> None:
        """Move by lines; steps that wait become one."""
        if not self._steps:
            self.move(self._step)
        self._steps += lines

    def show(self, offset: int, needle: Needle | None = None) -> None:
        """Show an offset, marking what the needle finds, this one before all (None: what was marked before)."""

        async def go() -> None:
            if needle is not None:
                self.window.needle, self.window.found = needle, offset
            await self.window.go_to(offset)

        self.move(go)

    async def _step(self) -> None:
        lines, self._steps = self._steps, 0
        await self.window.step(lines)

    def on_mount(self) -> None:
        self.run_worker(self._do_moves(), group="moves")
        # Textual 8.2 sends no Resize to what it has laid out before the screen asked, as it does for the focus.
        self.call_after_refresh(self._fit)

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        width, height = self.size
        self.move(lambda: self.window.resize(width, height))

    async def _do_moves(self) -> None:
        while True:
            move = await self._moves.get()
            self._moving = True
            try:
                await move()
            except Exception as error:  # a file that cannot be read must not end the view
                self.post_message(self.Failed(self, error))
            self._moving = False
            self.post_message(self.Moved(self))

    def on_view_base_moved(self) -> None:
        self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.step(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.step(-3)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    def strip(self, text: str, pieces: list[Piece], style_of: Callable[[str], Style], base: Style) -> Strip:
        """Return a line of text with styles on some of its characters; later pieces lie over earlier ones."""
        edges = sorted({0, len(text), *(edge for first, last, _ in pieces for edge in (first, last))})
        segments = []
        for first, last in pairwise(edges):
            if first < 0 or last > len(text):
                continue
            style = base
            for start, end, name in pieces:
                if start <= first and last <= end:
                    style = style_of(name)
            segments.append(Segment(text[first:last], style))
        return Strip(segments).adjust_cell_length(self.size.width, base).simplify()

    # Actions.

    def action_cursor_down(self) -> None:
        self.step(1)

    def action_cursor_up(self) -> None:
        self.step(-1)

    def action_page_down(self) -> None:
        self.step(max(1, self.size.height - 1))

    def action_page_up(self) -> None:
        self.step(-max(1, self.size.height - 1))

    def action_half_page_down(self) -> None:
        self.step(max(1, self.size.height // 2))

    def action_half_page_up(self) -> None:
        self.step(-max(1, self.size.height // 2))

    def action_first(self) -> None:
        self.move(self.window.to_start)

    def action_last(self) -> None:
        self.move(self.window.to_end)
