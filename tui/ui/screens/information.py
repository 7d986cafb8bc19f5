"""All there is to know about one entry, and what several amount to."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Label, Static

from tui.format import count, moment, size
from tui.model.entry import EntryKind
from tui.ui.screens.dialog import Box, Dialog, plain
from tui.ui.screens.totals import TotalsLine
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tui.client.base import Places
    from tui.model.entry import Entry
    from tui.model.location import Location

KIND_NAMES = {
    EntryKind.FILE: "file",
    EntryKind.FOLDER: "folder",
    EntryKind.LINK: "symbolic link",
    EntryKind.FOLDER_LINK: "symbolic link to a folder",
    EntryKind.BROKEN_LINK: "symbolic link to nothing",
    EntryKind.FIFO: "named pipe",
    EntryKind.SOCKET: "socket",
    EntryKind.BLOCK_DEVICE: "block device",
    EntryKind.CHARACTER_DEVICE: "character device",
    EntryKind.UNKNOWN: "unknown",
}


def facts_of(location: Location, entry: Entry) -> list[tuple[str, str]]:
    """Return (name, value) lines about an entry."""
    owner = f"{entry.owner or '?'} ({entry.uid}) : {entry.group or '?'} ({entry.gid})"
    lines = [
        ("Name", visible(entry.name)),
        ("Folder", visible(str(location.parent))),
        ("Kind", KIND_NAMES[entry.kind]),
        ("Size", f"{size(entry.size_bytes)} ({count(entry.size_bytes)} bytes)"),
        ("Modified", moment(entry.mtime_ns / 1e9)),
        ("Mode", f"{stat.filemode(entry.mode)}  {stat.S_IMODE(entry.mode):04o}"),
        ("Owner", owner),
        ("Hard links", count(entry.links)),
    ]
    if entry.link_target is not None:
        lines.insert(3, ("Points to", visible(entry.link_target)))
    if entry.kind is EntryKind.FOLDER:
        del lines[3], lines[-1]  # a folder's own size and number of names tell a person nothing
    return lines if location.is_local else _told_far(lines, entry)


def _told_far(lines: list[tuple[str, str]], entry: Entry) -> list[tuple[str, str]]:
    """Return those lines that another host tells about: owners by number, and of stores neither owner nor mode."""
    left_out = {"Hard links"} if stat.S_IMODE(entry.mode) else {"Hard links", "Owner", "Mode"}
    if not entry.mtime_ns:
        left_out.add("Modified")
    owner = f"{entry.owner or entry.uid} : {entry.group or entry.gid}"
    return [(name, owner if name == "Owner" else value) for name, value in lines if name not in left_out]


class Information(Dialog[None]):
    """Shows facts about an entry, or the number of several, with their totals."""

    def __init__(
        self, title: str, lines: Sequence[tuple[str, str]], places: Places, sources: Sequence[Location]
    ) -> None:
        super().__init__(title, "Enter, Esc leave")
        self._lines, self._places, self._sources = lines, places, sources

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,q,i,I", "leave", "Leave", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def compose_body(self) -> ComposeResult:
        for name, value in self._lines:
            with Horizontal(classes="row"):
                yield Label(name, classes="name")
                yield Static(plain(value), classes="value", markup=False)
        with Horizontal(classes="row"):
            yield Label("In all", classes="name")
            yield TotalsLine(self._places, self._sources)

    def action_scroll(self, lines: int) -> None:
        """Show more of facts that have no room, as those of an entry with a long name."""
        self.query_one(Box).scroll_relative(y=lines, animate=False)
