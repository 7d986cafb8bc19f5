"""A bare app with one or two file panes, for tests of the panes alone."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_client import FakeClient, fifo, file, link, socket
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.pilot import Pilot

from tui.config import ScreenSettings
from tui.model.location import Location
from tui.ui.widgets.pane import FilePane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.message import Message

TREE: dict[str, Any] = {
    "home": {
        "ann": {
            "docs": {"a.txt": b"a", "b.txt": b"bb", "deep": {"inner.txt": b"x"}},
            "music": {"one.ogg": 4_000, "two.ogg": 6_000},
            "File10.txt": 10,
            "file2.txt": 2_000_000,
            "file1.tar": 300,
            ".secret": 7,
            "run.sh": file(b"#!", mode=0o755),
            "link": link("file2.txt"),
            "shortcut": link("docs"),
            "dead": link("nowhere"),
            "pipe": fifo(),
            "sock": socket(),
        }
    },
    "empty": {},
}
HOSTILE = [
    "evil\x1b]52;c;aGk=\x07\n",
    "title\x1b]0;pwned\x07",
    "csi\x9b2J",
    "rlo\u202egnp.exe",
    "bad\udcff\udc80",
    "-rf",
    "[bold]markup[end]",
    "tab\there",
    "e\u0301combining",
    "日本語のとても長いファイル名" * 4 + ".txt",
    "👩‍👩‍👧 family",
    "x" * 255,
    "line\u2028separator",
    " leading and trailing ",
]


class PaneApp(App[None]):
    """Panes "left" and "right" without any style but their own."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, client: FakeClient, places: tuple[str, ...], settings: ScreenSettings) -> None:
        super().__init__()
        self.client, self.places, self.screen_settings = client, places, settings
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        with Horizontal():
            for name, place in zip(("left", "right"), self.places, strict=False):
                yield FilePane(self.client, Location(place), self.screen_settings, id=name)

    def on_mount(self) -> None:
        self.query_one("#left", FilePane).focus()

    def on_file_pane_file_opened(self, message: FilePane.FileOpened) -> None:
        self.heard.append(message)

    on_file_pane_location_changed = on_file_pane_marks_changed = on_file_pane_file_opened


@dataclass
class Panes:
    """The app, its pilot and its client, and what tests look at."""

    app: PaneApp
    pilot: Pilot[None]
    client: FakeClient

    @property
    def pane(self) -> FilePane:
        return self.app.query_one("#left", FilePane)

    @property
    def other(self) -> FilePane:
        return self.app.query_one("#right", FilePane)

    @property
    def names(self) -> list[str]:
        """The rows of the left pane from the top, the way up included."""
        folder = self.pane.listing.folder
        return [folder.name(row) for row in range(folder.rows)]

    @property
    def cursor(self) -> str:
        return self.pane.listing.folder.name(self.pane.listing.cursor)

    @property
    def told(self) -> list[str]:
        return [note.message for note in self.app._notifications]

    def heard(self, kind: type[Message]) -> list[Any]:
        return [message for message in self.app.heard if isinstance(message, kind)]

    def lines(self, pane: FilePane | None = None) -> list[str]:
        """The rows on the screen as text."""
        listing = (pane or self.pane).listing
        return [listing.render_line(y).text for y in range(listing.size.height)]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*text)

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until something holds."""
        ends = time.monotonic() + 60
        while not condition():
            if time.monotonic() > ends:
                raise AssertionError(
                    f"never came true: {what or condition}; rows {self.names[:20]}; told {self.told}"
                )
            await self.pilot.pause(0.01)

    async def settled(self, path: str, pane: FilePane | None = None) -> None:
        """Wait until a pane has read a folder whole."""
        there = pane or self.pane
        await self.until(
            lambda: (
                there.location.path == path
                and there.state.name == "READY"
                and there.listing.folder is there.folder
            ),
            f"{path} read",
        )

    async def on(self, name: str) -> None:
        """Put the cursor on a name."""
        row = self.pane.folder.row_of(name)
        assert row is not None, f"{name} is not among {self.names}"
        self.pane.listing.cursor = row
        await self.pilot.pause()


@asynccontextmanager
async def panes(
    tree: dict[str, Any] | None = None,
    *,
    at: str = "/home/ann",
    right: str | None = None,
    size: tuple[int, int] = (80, 24),
    client: FakeClient | None = None,
    wait: bool = True,
    **settings: Any,
) -> AsyncIterator[Panes]:
    """Open a pane on a tree (and a second one where `right` is given)."""
    client = client or FakeClient(TREE if tree is None else tree)
    app = PaneApp(client, (at, right) if right else (at,), ScreenSettings(**settings))
    async with app.run_test(size=size) as pilot:
        opened = Panes(app, pilot, client)
        if wait:
            await opened.settled(at)
        yield opened
