"""The question before jobs are cancelled: what is done may stay, or go."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Static

from tui import format as fmt
from tui.model.job import JobKind
from tui.ui.screens.dialog import Dialog, plain
from tui.ui.widgets.job_line import sources
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tui.model.job import Job

_COPYING = (JobKind.COPY, JobKind.MOVE, JobKind.SYNC)


def what_was_done(jobs: Sequence[Job]) -> str:
    """Return in numbers what the jobs have done so far."""
    progress = [job.progress for job in jobs]
    done, total = sum(each.files_done for each in progress), sum(each.files_total for each in progress)
    moved = sum(each.bytes_done for each in progress)
    copied = f", {fmt.size(moved)}" if moved else ""
    return f"Done so far: {fmt.count(done)} of {fmt.entries(total)}{copied}."


class CancelJobs(Dialog[bool]):
    """Asks whether finished files stay: True to keep them, False to remove what the jobs made, None to go on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "answer(True)", "Keep", show=False),
        Binding("r", "remove", "Remove", show=False),
        Binding("right,down,l,j", "app.focus_next", "Next button", show=False),
        Binding("left,up,h", "app.focus_previous", "Button before", show=False),
    ]

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        named = f"job {jobs[0].id}" if len(jobs) == 1 else fmt.entries(len(jobs), "job")
        self._copies = any(job.kind in _COPYING for job in jobs)
        removes = " · r remove" if self._copies else ""
        super().__init__(f"Cancel {named}", f"k keep{removes} · Enter chosen button · Esc go on")

    def compose_body(self) -> ComposeResult:
        first = self._jobs[0]
        to = f" → {visible(str(first.target))}" if first.target else ""
        more = f" and {fmt.entries(len(self._jobs) - 1, 'job')} more" if len(self._jobs) > 1 else ""
        yield Static(plain(f"{first.kind} {sources(first)}{to}{more}"), id="what", markup=False)
        yield Static(plain(what_was_done(self._jobs)), markup=False)
        if self._copies:
            text = (
                "Half copied files are removed either way. Finished ones can stay, or everything new that was made "
                "can go too; what was replaced or merged is left alone."
            )
            yield Static(text, classes="explanation", markup=False)
        with Horizontal(classes="buttons"):
            yield Button("Go on", compact=True, id="leave")
            keep = "Keep finished files" if self._copies else "Cancel"
            yield Button(keep, compact=True, id="keep", variant="primary")
            if self._copies:
                yield Button("Remove them too", compact=True, id="remove", variant="error")

    def on_mount(self) -> None:
        self.query_one("#leave").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss({"keep": True, "remove": False}.get(event.button.id or ""))

    def action_answer(self, keep: bool) -> None:
        self.dismiss(keep)

    def action_remove(self) -> None:
        if self._copies:
            self.dismiss(False)
