"""A scroll bar of which only those lines are drawn anew that have become others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region
from textual.reactive import Reactive
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip

if TYPE_CHECKING:
    from rich.segment import Segment


class ScrollMark(ScrollBar):
    """Textual's own, which draws all its lines for each row scrolled: a fifth of what turning a page costs.

    In a long folder a page moves the bar by less than can be seen, or changes the line at one of its ends.
    """

    position: Reactive[float] = Reactive(0, repaint=False)

    _drawn: tuple[object, list[Segment]] = (None, [])
    """What the lines were made for, and the lines: each a piece of the bar, or of the ground behind it."""

    def watch_position(self) -> None:
        before, now = self._drawn[1], self._lines()
        if len(before) != len(now):
            self.refresh()
        elif changed := [y for y, pair in enumerate(zip(before, now, strict=True)) if pair[0] != pair[1]]:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        lines = self._lines()
        return Strip(lines[y : y + 1]) if y < len(lines) else Strip.blank(self.size.width, self.rich_style)

    def _lines(self) -> list[Segment]:
        """Return the lines as they are to be drawn now."""
        bar = self.render()
        assert isinstance(bar, ScrollBarRender)
        made_for = (self.size.height, bar.position, bar.virtual_size, bar.window_size, bar.style)
        if self._drawn[0] != made_for:
            style = self.app.console.get_style(bar.style)
            assert style.color is not None
            assert style.bgcolor is not None
            segments = bar.render_bar(
                self.size.height,
                bar.virtual_size,
                bar.window_size,
                bar.position,
                bar.thickness,
                back_color=style.bgcolor,
                bar_color=style.color,
            )
            self._drawn = made_for, list(segments.segments)
        return self._drawn[1]
