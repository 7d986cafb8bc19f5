"""Text that was meant for what a host asks: a password typed before its dialog is there must command nothing.

A dialog that a key opens gets the keys after it (`tui.ui.type_ahead`). What a host asks comes up when the host has
answered, and goes when somebody else has: whoever is typing then types on, now into another place.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual import events

PAUSE_S = 0.25
"""Keys that follow each other faster are one row."""
TEXT_KEYS = 3
"""So many characters in a row are text, where a question may come up; fewer may be a command, as "g h"."""
_GO_ON = frozenset({"enter", "backspace", "delete"})
"""These belong to text that is left out."""


class StrayText:
    """Says of each key, in order, whether it is to be left out.

    Args:
        expected: Says whether a host may come to ask something where the focus is.
        left_out: Called with the beginning of each row that is left out.
    """

    def __init__(self, expected: Callable[[], bool], left_out: Callable[[], None]) -> None:
        self._expected, self._left_out = expected, left_out
        self._before_s = self._changed_s = float("-inf")
        self._leaves_out = False

    def changed(self) -> None:
        """Take note that a question has come up, or gone, by itself."""
        self._changed_s = time.monotonic()

    async def takes(
        self, event: events.Key, typed_s: float, ahead: Callable[[float, int], Awaitable[bool]]
    ) -> bool:
        """Say whether a key is to be left out.

        Args:
            typed_s: When it was typed, by the monotonic clock.
            ahead: Waits until so many more characters have come in a row after such a moment; says whether they have.
        """
        before_s, self._before_s = self._before_s, typed_s
        if typed_s < self._changed_s:
            return self._leave_out()
        if not (event.is_printable or (self._leaves_out and event.key in _GO_ON)):
            self._leaves_out, self._before_s = False, float("-inf")
            return False
        in_row = typed_s - before_s < PAUSE_S
        if in_row and (self._leaves_out or before_s < self._changed_s):
            return self._leave_out()
        self._leaves_out = False
        if self._expected() and (await ahead(typed_s, TEXT_KEYS - 1) or typed_s < self._changed_s):
            return self._leave_out()
        return False

    def _leave_out(self) -> bool:
        if not self._leaves_out:
            self._leaves_out = True
            self._left_out()
        return True
