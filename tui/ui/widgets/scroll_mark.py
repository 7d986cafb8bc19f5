"""A scroll bar that is drawn anew only where it looks different."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import Reactive
from textual.scrollbar import ScrollBar

if TYPE_CHECKING:
    from rich.console import RenderableType

_STEPS = 8
"""A cell of the bar is drawn in so many steps."""


class ScrollMark(ScrollBar):
    """Textual's own, which draws every line of itself for each row scrolled: a fifth of what turning a page costs.

    In a long folder a page moves the bar by less than can be seen.
    """

    position: Reactive[float] = Reactive(0, repaint=False)

    _drawn = -1
    """Where it begins as it was last drawn, in steps."""

    def watch_position(self) -> None:
        if self._begins != self._drawn:
            self.refresh()

    def render(self) -> RenderableType:
        self._drawn = self._begins
        return super().render()

    @property
    def _begins(self) -> int:
        """Where it would begin if it was drawn now, in steps; as `ScrollBarRender` has it."""
        height, hidden = self.size.height, self.window_virtual_size - self.window_size
        if not (height and hidden > 0):
            return 0
        bar = max(1.0, self.window_size * height / self.window_virtual_size)
        return int((height - bar) * self.position / hidden * _STEPS)
