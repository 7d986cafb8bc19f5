"""The rows of one folder, drawn line by line from memory."""

from __future__ import annotations

import stat
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.format import modified, size
from tui.model.entry import EntryKind
from tui.ui.addresses import has_mode, has_time
from tui.ui.folder import GONE, UP, Folder
from tui.ui.terminal.cells import ELLIPSIS, cells, fit
from tui.ui.widgets.scroll_mark import ScrollMark
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.scrollbar import ScrollBar

MARK = "+"
FOLDER_SIZE = "‹DIR›"
_NAME_CELLS = 18
"""Columns give way one by one until the name has so many cells."""
_COLUMN_CELLS = {"size": 9, "modified": 13, "mode": 11}
_FIRST_TO_GO = ("mode", "modified", "size")
_WHEEL_LINES = 3
_EXECUTABLE = 0o111

# By kind: the sign before the name, and the component class that colours it.
_LOOKS: dict[int, tuple[str, str]] = {
    EntryKind.FILE: (" ", "listing--file"),
    EntryKind.FOLDER: ("/", "listing--folder"),
    EntryKind.LINK: ("@", "listing--link"),
    EntryKind.FOLDER_LINK: ("~", "listing--link"),
    EntryKind.BROKEN_LINK: ("!", "listing--broken"),
    EntryKind.FIFO: ("|", "listing--special"),
    EntryKind.SOCKET: ("=", "listing--special"),
    EntryKind.BLOCK_DEVICE: ("#", "listing--special"),
    EntryKind.CHARACTER_DEVICE: ("-", "listing--special"),
    EntryKind.UNKNOWN: ("?", "listing--special"),
}

_STAGED = ("»", "listing--staged")
"""A tree that is being copied."""


class Listing(ScrollView, can_focus=False):
    """Shows a `Folder` with a cursor. The pane around it has the keys; this has rows, columns and the mouse."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "listing--file",
        "listing--folder",
        "listing--link",
        "listing--broken",
        "listing--special",
        "listing--executable",
        "listing--staged",
        "listing--marked",
        "listing--detail",
        "listing--note",
        "listing--cursor",
        "listing--cursor-marked",
        "listing--cursor-idle",
    }
    DEFAULT_CSS = """
    Listing {
        height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-gutter: stable; scrollbar-size-vertical: 1;
        & > .listing--folder { text-style: bold; }
        & > .listing--broken { color: $text-error; }
        & > .listing--staged { color: $text-muted; text-style: italic; }
        & > .listing--marked { color: $text-warning; text-style: bold; }
        & > .listing--note { color: $text-muted; }
        & > .listing--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
        & > .listing--cursor-marked {
            background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
        }
        & > .listing--cursor-idle { background: $primary 30%; }
    }
    """

    cursor: var[int] = var(0, init=False)
    """The row under the cursor."""
    active: var[bool] = var(False, init=False)
    """Whether the keys go to this pane."""

    @dataclass
    class RowClicked(Message):
        """A row was clicked; `button` is 1 for left, 3 for right, `clicks` 2 for a double click."""

        listing: Listing
        row: int
        button: int
        clicks: int

        @property
        def control(self) -> Listing:
            return self.listing

    def __init__(self, folder: Folder, columns: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.folder = folder
        self._wanted_columns = tuple(columns)
        self._said = ""
        self._note: tuple[str, ...] = ()
        self._revision = 0
        self._now_s = time.time()
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(512)

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The scroll bar, made when it is first asked for."""
        if self._vertical_scrollbar is None:
            self._vertical_scrollbar = bar = ScrollMark(thickness=self.scrollbar_size_vertical)
            bar.display = False
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar

    # What is shown.

    def show(self, folder: Folder, row: int, note: str = "") -> None:
        """Show a folder, as it stands now, with the cursor on a row, which keeps its height on the screen.

        Args:
            note: A line of our own to show below the rows: why there are none.
        """
        same = folder.location == self.folder.location
        above = self.cursor - self._top
        self.folder, self._said = folder, note
        self._wrap_note()
        self._now_s = time.time()
        self._revision += 1
        self.set_reactive(Listing.cursor, max(0, min(row, folder.rows - 1)))
        self._scroll_top(self.cursor - above if same else 0)
        self._bring_into_sight()
        self.refresh()

    def _wrap_note(self) -> None:
        """Break the line of our own as the width is now."""
        width = max(10, self.scrollable_content_region.width - 4)
        self._note = tuple(_wrapped(self._said, width)) if self._said else ()
        self.virtual_size = Size(0, self.folder.rows + (len(self._note) + 1 if self._note else 0))

    def renew(self, positions: Sequence[int] | None = None) -> None:
        """Draw anew where the folder's details or marks have changed.

        Args:
            positions: Those that have; None: any of them.
        """
        if positions is None or any(position in positions for position in self.positions_in_sight()):
            self._revision += 1
            self.refresh()

    def renew_row(self, row: int) -> None:
        """Draw one row anew; what has changed must be part of what strips are kept by, as marks are."""
        self.refresh_line(row)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns there is room for beside the name, from left to right."""
        return _columns_for(self._wanted_columns, self.scrollable_content_region.width)

    @property
    def page(self) -> int:
        """How many rows there are in sight."""
        return max(1, self.scrollable_content_region.height)

    def positions_in_sight(self) -> list[int]:
        """Return the positions of the entries on the screen."""
        rows = range(self._top, min(self._top + self.page, self.folder.rows))
        return [position for row in rows if (position := self.folder.position(row)) != UP]

    # The cursor.

    def validate_cursor(self, row: int) -> int:
        return max(0, min(row, self.folder.rows - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        self.refresh_line(old)
        self.refresh_line(new)
        self._bring_into_sight()

    def watch_active(self) -> None:
        self.refresh_line(self.cursor)

    def turn(self, rows: int) -> None:
        """Move the page and the cursor by so many rows; the cursor alone where the page is at its end."""
        self._scroll_top(self._top + rows)
        self.cursor += rows

    @property
    def _top(self) -> int:
        return self.scroll_offset.y

    def _scroll_top(self, row: int) -> None:
        self.scroll_to(y=max(0, min(row, self.max_scroll_y)), animate=False, force=True, immediate=True)

    def _bring_into_sight(self) -> None:
        """Scroll by half a page when the cursor has left the page: far fewer repaints than row by row."""
        if not self._top <= self.cursor < self._top + self.page:
            self._scroll_top(self.cursor - self.page // 2)

    # Drawing.

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self) -> None:
        self._strips.clear()
        self._wrap_note()
        self._scroll_top(self._top)
        self._bring_into_sight()

    def render_line(self, y: int) -> Strip:
        row, width = y + self._top, self.scrollable_content_region.width
        if row >= self.folder.rows:
            return self._note_strip(row - self.folder.rows - 1, width)
        under_cursor = row == self.cursor
        key = (
            row,
            under_cursor and (2 if self.active else 1),
            self.folder.is_marked(row) or self.folder.stage(row),
            width,
            self._revision,
        )
        if (strip := self._strips.get(key)) is None:
            strip = self._strips[key] = self._row_strip(row, under_cursor, width)
        return strip

    def _note_strip(self, n: int, width: int) -> Strip:
        if not 0 <= n < len(self._note):
            return Strip.blank(width, self.rich_style)
        text = "  " + self._note[n]
        style = self.get_component_rich_style("listing--note")
        return Strip([Segment(text, style)], cells(text)).adjust_cell_length(width, self.rich_style)

    def _row_strip(self, row: int, under_cursor: bool, width: int) -> Strip:
        folder, position = self.folder, self.folder.position(row)
        marked = folder.is_marked(row)
        sign, look = self._look(position)
        columns = _columns_for(self._wanted_columns, width)
        room = max(1, width - 2 - sum(_COLUMN_CELLS[column] for column in columns))
        name = fit(visible(folder.name(row)), room, keep="extension")
        head = f"{MARK if marked else ' '}{sign}{name}{' ' * (room - cells(name))}"
        tail = "".join(self._cell(column, position) for column in columns)
        if under_cursor and self.active:
            style = self.get_component_rich_style(f"listing--cursor{'-marked' if marked else ''}")
            return Strip([Segment(head + tail, style)], width)
        style = self.get_component_rich_style("listing--marked" if marked else look)
        quiet = self.get_component_rich_style("listing--detail")
        if under_cursor:
            idle = Style(bgcolor=self.get_component_rich_style("listing--cursor-idle").bgcolor)
            style, quiet = style + idle, quiet + idle
        return Strip([Segment(head, style), Segment(tail, quiet)], width)

    def _look(self, position: int) -> tuple[str, str]:
        if position == UP:
            return _LOOKS[EntryKind.FOLDER]
        if self.folder.stages and self.folder.names[position] in self.folder.stages:
            return _STAGED
        kind = self.folder.kinds[position]
        if kind == EntryKind.FILE and self.folder.modes[position] & _EXECUTABLE:
            return "*", "listing--executable"
        return _LOOKS[kind]

    def _cell(self, column: str, position: int) -> str:
        """Return what stands in a column, right-aligned, blank where it is not known."""
        text = "" if position == UP else _COLUMN_TEXTS[column](self.folder, position, self._now_s)
        return text.rjust(_COLUMN_CELLS[column])

    # The mouse.

    def on_click(self, event: events.Click) -> None:
        row = event.y + self._top
        if row < self.folder.rows:
            self.post_message(self.RowClicked(self, row, event.button, event.chain))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, _WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -_WHEEL_LINES)

    def _wheel(self, event: events.Event, rows: int) -> None:
        """Scroll without animation; the cursor stays in sight."""
        event.stop()
        event.prevent_default()
        self._scroll_top(self._top + rows)
        self.cursor = max(self._top, min(self.cursor, self._top + self.page - 1))


@lru_cache(maxsize=16)
def _columns_for(wanted: tuple[str, ...], width: int) -> tuple[str, ...]:
    chosen = list(wanted)
    room = width - 2 - _NAME_CELLS
    for name in _FIRST_TO_GO:
        if sum(_COLUMN_CELLS[column] for column in chosen) > room and name in chosen:
            chosen.remove(name)
    return tuple(chosen)


def _size_text(folder: Folder, position: int, now_s: float) -> str:
    if folder.stages and (staged := folder.stages.get(folder.names[position])):
        return staged[1]
    size_bytes = folder.size_of(position)
    if size_bytes >= 0:
        return size(size_bytes)
    if EntryKind(folder.kinds[position]).opens_as_folder:
        return FOLDER_SIZE
    return "gone" if size_bytes == GONE else ""


def _modified_text(folder: Folder, position: int, now_s: float) -> str:
    told = _is_settled(folder, position) and has_time(folder.location, folder.mtimes_ns[position])
    return modified(folder.mtimes_ns[position], now_s) if told else ""


def _mode_text(folder: Folder, position: int, now_s: float) -> str:
    told = _is_settled(folder, position) and has_mode(folder.location, folder.modes[position])
    return stat.filemode(folder.modes[position]) if told else ""


def _is_settled(folder: Folder, position: int) -> bool:
    """Say whether an entry's facts are known, and are those it will have: not so for a tree being copied."""
    return folder.sizes_bytes[position] >= 0 and folder.names[position] not in folder.stages


_COLUMN_TEXTS = {"size": _size_text, "modified": _modified_text, "mode": _mode_text}


def _wrapped(text: str, width: int) -> list[str]:
    """Return a sentence in lines of at most so many cells."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += " " + word
            continue
        while cells(word) > width:  # a long path goes on in the next line
            piece = fit(word, width).removesuffix(ELLIPSIS)
            lines.append(piece)
            word = word[len(piece) :]
        lines.append(word)
    return lines
