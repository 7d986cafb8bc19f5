"""What the engine noted of one job: its starts, stops and errors, with their times."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.ui.job_log import read_log
from tui.ui.screens.dialog import Dialog
from tui.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult

    from tui.ui.job_log import Note


class JobLog(Dialog[None]):
    """Shows the lines of a log that are about a job, the newest at the bottom.

    Args:
        job: Its id.
        path: The engine's log; it is read in a thread.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,q,f3,i", "leave", "Leave", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("r,ctrl+r", "read", "Read again", show=False),
    ]

    def __init__(self, job: int, path: Path) -> None:
        super().__init__(f"Log of job {job}", "r read again · Enter, Esc leave")
        self._job, self._path = job, path

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="facts"):
            yield Static(id="table", markup=False)

    def on_mount(self) -> None:
        self.query_one("#facts").focus()
        self.action_read()

    def action_read(self) -> None:
        self.run_worker(self._read(), group="log", exclusive=True)

    async def _read(self) -> None:
        try:
            notes = await asyncio.to_thread(read_log, self._path, self._job)
        except OSError as error:
            self._show(f"The engine's log {visible(str(self._path))} cannot be read: {error.strerror}.")
            return
        gone = "The engine's log has nothing of this job (any more); it keeps the last two megabytes:"
        self._show(_table(notes) if notes else f"{gone} {visible(str(self._path))}")

    def _show(self, content: Table | str) -> None:
        self.query_one("#table", Static).update(content)
        self.query_one("#facts", VerticalScroll).scroll_end(animate=False)

    def action_scroll(self, lines: int) -> None:
        self.query_one("#facts", VerticalScroll).scroll_relative(y=lines, animate=False)


def _table(notes: list[Note]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for note in notes:
        table.add_row(note.at, Text(visible(note.text), "bold" if note.is_trouble else ""))
    return table
