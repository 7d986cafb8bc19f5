"""What a job could not do: a list to scroll, the error under the cursor in full below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui import format as fmt
from tui.model.job import JobState
from tui.ui.screens.dialog import Dialog, feedback
from tui.ui.widgets.error_list import ErrorList
from tui.visible import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.client.base import Queue
    from tui.model.job import Conflict, JobError
    from tui.ui.queue_feed import QueueState

REFRESH_S = 0.5
_SHARE = 0.94
"""Of the screen's height that a dialog takes at most, as in its style."""
_LINES_AROUND, _LEAST_LINES = 13, 4
"""What stands around the list (frame, the error in full, feedback), and what it has at the least."""


class JobErrors(Dialog[None]):
    """Lists the errors of a job; new ones appear as they happen.

    Args:
        queue: Where they are read.
        state: Where their number is read, again and again.
        job: Its id.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,e", "leave", "Leave", show=False),
        Binding("r", "retry", "Retry", show=False),
        Binding("o", "conflict_rule", "Change the conflict rule", show=False),
        Binding("y", "copy_path", "Copy the path", show=False),
    ]

    def __init__(self, queue: Queue, state: QueueState, job: int) -> None:
        super().__init__(
            f"Errors of job {job}", "r retry what failed · o conflict rule · y copy the path · Esc leave"
        )
        self._queue, self._state, self._job = queue, state, job

    def compose_body(self) -> ComposeResult:
        yield ErrorList(self._queue, self._job, self._count(), id="errors")
        yield Static(id="error", markup=False)
        yield feedback()

    def on_mount(self) -> None:
        self.query_one(ErrorList).focus()
        self.set_interval(REFRESH_S, self._recount)

    def on_resize(self) -> None:
        """Leave the lines below the list to the longest error there is."""
        share = int(self.size.height * _SHARE)
        self.query_one(ErrorList).styles.max_height = max(_LEAST_LINES, share - _LINES_AROUND)

    def _count(self) -> int:
        job = self._state.get(self._job)
        return job.progress.errors if job else 0

    def _recount(self) -> None:
        self.query_one(ErrorList).set_count(self._count())

    @on(ErrorList.Highlighted)
    def _show(self, event: ErrorList.Highlighted) -> None:
        event.stop()
        self.query_one("#error", Static).update(_in_full(event.error) if event.error else "")

    @on(ErrorList.ReadFailed)
    def _read_failed(self, event: ErrorList.ReadFailed) -> None:
        event.stop()
        self.report(event.error)

    def action_copy_path(self) -> None:
        if error := self.query_one(ErrorList).current:
            path = str(error.location)
            text = path if path.isprintable() else error.location.url
            self.app.copy_to_clipboard(text)
            self.say(f"Copied: {text}")

    def action_conflict_rule(self) -> None:
        """Let another rule be chosen for names that are taken: the remedy some errors name."""
        from tui.ui.screens.conflict_rule import WORDS, conflict_rule_picker

        job = self._state.get(self._job)
        if job is None:
            return

        async def change(rule: Conflict) -> None:
            try:
                await self._queue.set_conflict([self._job], rule)
            except Exception as error:  # the list stays
                self.report(error)
                return
            self.say(f"Where a name is taken, from now on: {WORDS[rule]}. r retries.")

        def chosen(rule: Conflict | None) -> None:
            if rule is not None:
                self.run_worker(change(rule), group="rule")

        self.app.push_screen(conflict_rule_picker(job.conflict), chosen)

    def action_retry(self) -> None:
        job = self._state.get(self._job)
        if job is None or job.state is not JobState.FAILED:
            self.say("Retry is possible when the job has ended.", wrong=True)
            return
        self.run_worker(self._retry(), group="retry")

    async def _retry(self) -> None:
        try:
            await self._queue.retry([self._job])
        except Exception as error:  # the list stays
            self.report(error)
            return
        self.dismiss(None)


def _in_full(error: JobError) -> Content:
    where, message = visible(str(error.location)), visible(error.message)
    lines = [
        Content.styled("" if where in message else where, "bold"),  # it may be long, and once is enough
        Content(message),
        Content(visible(error.remedy)),
        Content.styled(fmt.moment(error.at), "$quiet"),
    ]
    return Content("\n").join(line for line in lines if line.plain)
