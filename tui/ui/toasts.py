"""Where messages stand: over a dialog only those that have room above its box, the others when it has been left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import ModalScreen
from textual.widgets._toast import Toast, ToastHolder, ToastRack
from textual.widgets._tooltip import Tooltip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from textual.app import App
    from textual.notifications import Notification
    from textual.screen import Screen
    from textual.widget import Widget

TOAST_CELLS, _TOAST_SHARE, _FRAME_CELLS = 56, 0.9, 3
"""A message's width, what it takes at most of the screen's, and what of it is border and padding: as in its style."""


class Toasts:
    """Shows the messages of an app on the screen that is uppermost.

    Args:
        app: Whose messages; one that waits stays among them, and has its full time once it is shown.
    """

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: dict[str, float] = {}
        """How long (s) a message that waits is to be shown, by its identity."""
        self._room: WeakKeyDictionary[Screen[Any], int] = WeakKeyDictionary()
        """The lines above each box that is open."""

    def show(self) -> None:
        """Put on the uppermost screen what has room there."""
        screen = self._app.screen
        try:
            rack = screen.get_child_by_type(ToastRack)
        except NoMatches:  # it is being composed, and shows them when it is
            return
        notes = list(self._app._notifications)
        if isinstance(screen, ModalScreen):
            self._watch(screen)
            shown = fitting(notes, self._room[screen], screen.size.width)
            for below in self._app.screen_stack[:-1]:
                for other in below.query(ToastRack):
                    other.call_later(_fill, other, [])
        else:
            shown = notes
        for note in notes:
            if note in shown:
                self._let_go_on(note)
            else:
                self._have_wait(note)
        rack.call_later(_fill, rack, shown)

    def _have_wait(self, note: Notification) -> None:
        self._waiting.setdefault(note.identity, note.timeout)
        note.timeout = float("inf")

    def _let_go_on(self, note: Notification) -> None:
        if note.identity in self._waiting:
            note.timeout, note.raised_at = self._waiting.pop(note.identity), time.time()

    def _watch(self, screen: Screen[Any]) -> None:
        """Follow the box of a dialog: it grows with what it shows, and moves with the size of the screen."""
        if screen in self._room:
            return
        self._room[screen] = room_above(screen)

        def laid_out(_: object) -> None:
            if self._room[screen] != (room := room_above(screen)):
                self._room[screen] = room
                self.show()

        screen.screen_layout_refresh_signal.subscribe(screen, laid_out, immediate=True)


async def _fill(rack: ToastRack, notes: Sequence[Notification]) -> None:
    """Have a rack show just these. (Textual's own way leaves the frame of each that goes, and never shows it again.)"""
    wanted = {ToastRack._toast_id(note): note for note in notes}
    await rack.remove_children(
        [frame for frame in rack.children if frame.id not in wanted or not frame.children]
    )
    standing = {frame.id for frame in rack.children}
    new = [(name, note) for name, note in wanted.items() if name not in standing and not note.has_expired]
    rack.display = bool(notes)
    if new:
        await rack.mount_all(ToastHolder(Toast(note), id=name) for name, note in new)
        rack.scroll_end(animate=False, force=True)


def room_above(screen: Screen[Any]) -> int:
    """Return the lines above the box of a dialog; none before it was laid out."""
    boxes = [child for child in screen.children if not isinstance(child, (ToastRack, Tooltip))]
    return min((part.region.y for box in boxes for part in _painted(box)), default=0)


def _painted(widget: Widget) -> Iterator[Widget]:
    """Yield a widget, or what is seen in one that is only a frame for its place (as the palette's is)."""
    if widget.region.area:
        yield widget
    else:
        for child in widget.children:
            yield from _painted(child)


def fitting(notes: Iterable[Notification], lines: int, screen_cells: int) -> list[Notification]:
    """Return the messages that have room, oldest first: errors before others, and of these the last ones."""
    width = max(1, min(TOAST_CELLS, int(screen_cells * _TOAST_SHARE)) - _FRAME_CELLS)
    found = []
    for note in sorted(notes, key=lambda note: (note.severity == "error", note.raised_at), reverse=True):
        needs = sum(Content(text).get_height({}, width) for text in (note.title, note.message) if text)
        if needs <= lines:
            lines -= needs
            found.append(note)
    return sorted(found, key=lambda note: note.raised_at)
