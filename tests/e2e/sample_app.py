"""A small app on Ferry's terminal layer: a long list, a line that changes, a field, and names as hostile as they come.

Run as a program. Arguments: `ticking` changes one line four times a second; `hostile` shows hostile names everywhere;
`stock` uses Textual's own driver, to compare with.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, ClassVar

from tui.ui.terminal.environment import prepare_environment

prepare_environment(os.environ)

from rich.segment import Segment  # noqa: E402
from rich.style import Style  # noqa: E402
from textual.app import App, ComposeResult  # noqa: E402
from textual.containers import Container  # noqa: E402
from textual.geometry import Region, Size  # noqa: E402
from textual.scroll_view import ScrollView  # noqa: E402
from textual.strip import Strip  # noqa: E402
from textual.widgets import Input, Static  # noqa: E402

from tui.ui.terminal.app import TerminalApp  # noqa: E402

if TYPE_CHECKING:
    from textual import events

ROWS = 10_000
CURSOR = Style(color="#ffffff", bgcolor="#005fd7")
HOSTILE = (
    "esc\x1b[2Jape",
    "osc\x1b]52;c;aGVsbG8=\x07",
    "title\x1b]0;pwned\x07",
    "c1\x9b31mred",
    "dsr\x1b[6n",
    "bell\x07bell",
    "rlo\u202eexe.txt",
    "line\nbreak\rreturn",
    "byte\udcff\udc80",
    "zero\u200bwidth",
)


class Listing(ScrollView, can_focus=True):
    """Rows drawn on demand, a cursor that refreshes two lines and scrolls by half pages."""

    BINDINGS: ClassVar = [
        ("down", "move(1)"),
        ("up", "move(-1)"),
        ("pagedown", "move_page(1)"),
        ("pageup", "move_page(-1)"),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self.rows = ROWS

    def on_mount(self) -> None:
        self.virtual_size = Size(self.size.width, self.rows)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, self.rows)

    def action_move(self, step: int) -> None:
        old, self.cursor = self.cursor, max(0, min(self.rows - 1, self.cursor + step))
        top, height = self.scroll_offset.y, self.size.height
        for y in (old, self.cursor):
            self.refresh(Region(0, y - top, self.size.width, 1))
        if not top <= self.cursor < top + height:
            self.scroll_to(y=self.cursor - height // 2, animate=False)

    def action_move_page(self, pages: int) -> None:
        self.action_move(pages * self.size.height)

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        width = self.size.width
        style = self.rich_style
        if row == self.cursor:
            style = CURSOR
        name = self.name_of(row)
        size = f"{row * 7919 % 99991:>9}"
        when = f"Nov {row % 28 + 1:2} {row % 24:02}:{row % 60:02}"
        text = f"{name:<{max(0, width - 24)}} {size} {when}"
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)

    def name_of(self, row: int) -> str:
        if self.app.hostile and row < len(HOSTILE):
            return HOSTILE[row]
        return (
            f"{'report photo invoice draft'.split()[row % 4]}-{row * 31 % 1000:03}{'-final' * (row % 3)}.txt"
        )


class Sample(App[None]):
    CSS = """
    Screen { layout: vertical; }
    #lists { height: 1fr; layout: horizontal; }
    Listing { width: 1fr; height: 1fr; background: $surface; overflow-x: hidden; }
    #status { height: 1; }
    Input { display: none; }
    .asking Input { display: block; }
    """
    BINDINGS: ClassVar = [
        ("q", "quit"),
        ("ctrl+l", "redraw"),
        ("ctrl+z", "suspend_process"),
        ("n", "note"),
        ("c", "copy"),
        ("t", "toast"),
        ("e", "edit"),
        ("slash", "ask"),
        ("ctrl+b", "bell"),
    ]

    def __init__(self, *words: str) -> None:
        super().__init__()
        self.hostile = "hostile" in words
        self.ticking = "ticking" in words
        self.ticks = 0
        self.last_beat = time.monotonic()
        self.worst_lag_s = 0.0

    def compose(self) -> ComposeResult:
        yield Static("ready", id="status", markup=False)
        with Container(id="lists"):
            yield Listing("left")
            yield Listing("right")
        yield Input()

    def on_mount(self) -> None:
        self.query_one("#left").focus()
        self.title = HOSTILE[2] if self.hostile else "Sample"
        if self.hostile:
            self.query_one("#status", Static).update(" ".join(HOSTILE))
        self.ticker = self.set_interval(0.25, self.tick, pause=not self.ticking)
        self.set_interval(0.01, self.beat)

    def beat(self) -> None:
        now = time.monotonic()
        self.worst_lag_s = max(self.worst_lag_s, now - self.last_beat - 0.01)
        self.last_beat = now

    def tick(self) -> None:
        self.ticks += 1
        self.query_one("#status", Static).update(f"copied {self.ticks:6} of 100000 files")

    def on_key(self, event: events.Key) -> None:
        if event.key == "l":
            self.ticker.pause()
            self.query_one("#status", Static).update(
                f"lag {self.worst_lag_s * 1000:.0f} ms ticks {self.ticks}"
            )
        elif event.key == "r":
            self.worst_lag_s = 0.0
        elif event.character == "\ufffd":
            self.query_one("#status", Static).update("replaced")

    def on_click(self, event: events.Click) -> None:
        self.query_one("#status", Static).update(f"clicked {event.screen_x},{event.screen_y}")

    def action_note(self) -> None:
        self.note("\n".join(HOSTILE) if self.hostile else "copied")

    def action_copy(self) -> None:
        self.copy_to_clipboard("name\udcff")

    def action_toast(self) -> None:
        self.notify("\x1b[2J" + HOSTILE[3], title=HOSTILE[1])

    def action_ask(self) -> None:
        self.add_class("asking")
        self.query_one(Input).focus()

    def action_edit(self) -> None:
        with self.suspend():
            os.system("echo editing; read answer")
        self.query_one("#status", Static).update("edited")


class FerrySample(Sample, TerminalApp[None]):
    """The same on Ferry's terminal layer."""


if __name__ == "__main__":
    app = (Sample if "stock" in sys.argv else FerrySample)(*sys.argv[1:])
    app.run()
    sys.exit(app.return_code)
