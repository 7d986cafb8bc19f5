"""Paths and names as text on the clipboard, shown as well: a terminal may refuse them silently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.ui.operations import Operations
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.model.location import Location


class TextOperations(Operations):
    """The actions of the group Copy text: one line an entry chosen."""

    def action_copy_path(self) -> None:
        self._copy(str)

    def action_copy_url(self) -> None:
        self._copy(lambda location: location.url)

    def action_copy_name(self) -> None:
        self._copy(lambda location: location.name)

    def action_copy_stem(self) -> None:
        self._copy(lambda location: _stem(location.name))

    def action_copy_folder(self) -> None:
        self._put([str(self.pane.shown_location)])

    def _copy(self, text_of: Callable[[Location], str]) -> None:
        self._put([text_of(location) for location in self.pane.chosen])

    def _put(self, lines: list[str]) -> None:
        if not lines:
            self.tell_nothing("copy as text")
            return
        self.app.copy_to_clipboard("\n".join(lines))
        more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
        self.tell(f"Copied: {visible(lines[0])}{more}")


def _stem(name: str) -> str:
    """Return a name without its ending; a dot at its start begins none."""
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name
