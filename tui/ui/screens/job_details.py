"""All there is to know about one job, live."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui import format as fmt
from tui.config import rate_text
from tui.model.fidelity import ALL_TRAITS
from tui.model.job import JobKind, JobState
from tui.model.misfit import Names
from tui.ui.screens.conflict_rule import WORDS
from tui.ui.screens.dialog import feedback
from tui.ui.screens.patient import PatientDialog
from tui.ui.widgets.job_line import PRIORITY_WORDS, SIGNS, files, percent, time_left, took
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tui.client.base import Queue
    from tui.model.fidelity import Lost
    from tui.model.job import Job, JobError, Request
    from tui.model.location import Location
    from tui.ui.queue_feed import QueueState

REFRESH_S = 0.5
SHOWN_SOURCES, SHOWN_ERRORS = 5, 5
_CHANGED = {
    Names.LOOKALIKE: "changed to look-alikes where the target does not take them",
    Names.UNDERSCORE: "changed by underscores where the target does not take them",
    Names.SKIP: "left out where the target does not take them",
}
Fact = tuple[str, str]


class JobDetails(PatientDialog[None]):
    """Shows what a job was asked to do and how far it is.

    Args:
        queue: Gives the full request and the errors.
        state: Where the job's numbers are read, again and again.
        job: Its id.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,q,l", "leave", "Leave", show=False),
        Binding("e", "errors", "Errors", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, queue: Queue, state: QueueState, job: int) -> None:
        super().__init__(f"Job {job}", "e errors · Enter, Esc leave")
        self._queue, self._state, self._job = queue, state, job
        self._request: Request | None = None
        self._errors: tuple[JobError, ...] = ()
        self._losses: tuple[Lost, ...] = ()
        self._shown: Job | None = None

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="facts"):
            yield Static(id="table")
        yield feedback()

    def on_mount(self) -> None:
        self.query_one("#facts").focus()
        self._show()
        self.set_interval(REFRESH_S, self._show)
        self.run_worker(self._load(), group="details")

    async def _load(self) -> None:
        try:
            self._request = await self.hear(lambda: self._queue.request(self._job))
            self._errors = await self.hear(lambda: self._queue.errors(self._job, 0, SHOWN_ERRORS))
            self._losses = await self.hear(lambda: self._queue.losses(self._job))
        except Exception as error:  # what is known already stays on the screen
            self.report(error)
        self._shown = None
        self._show()

    def _show(self) -> None:
        job = self._state.get(self._job)
        if job is None or (job := self._state.shown(job)) == self._shown:
            return
        if self._shown is not None and job.progress.losses != self._shown.progress.losses:
            self.run_worker(self._load(), group="details", exclusive=True)
        self._shown = job
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        rows = [*_asked(job, self._request), *_done(job), *_times(job), *_told(job, self._errors)]
        rows += _not_kept(self._losses)
        for name, value in rows:
            table.add_row(name, Text(value))
        self.query_one("#table", Static).update(table)

    def action_scroll(self, lines: int) -> None:
        self.query_one("#facts", VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_errors(self) -> None:
        from tui.ui.screens.job_errors import JobErrors

        job = self._state.get(self._job)
        if job is not None and job.progress.errors:
            self.app.switch_screen(JobErrors(self._queue, self._state, self._job))


def _asked(job: Job, request: Request | None) -> list[Fact]:
    sources: Sequence[Location] = request.sources[:SHOWN_SOURCES] if request else (job.first_source,)
    names = [visible(str(source)) for source in sources]
    if job.source_count > len(names):
        names.append(f"and {fmt.count(job.source_count - len(names))} more")
    facts = [("What", f"{job.title} {fmt.entries(job.source_count, 'entry', 'entries')}")]
    if job.undoes:
        facts.append(("Undoes", f"job {job.undoes}"))
    if job.undone_by:
        facts.append(("Undone by", f"job {job.undone_by}"))
    facts.append(("From" if job.target else "Which", "\n".join(names)))
    if request is not None and job.kind is JobKind.SYNC:
        facts += _rules_of_sync(request)
    if job.target is not None:
        facts.append(("Into" if job.into else "To", visible(str(job.target))))
    if job.kind in (JobKind.COPY, JobKind.MOVE):
        facts.append(("Name taken", WORDS[job.conflict]))
    if job.names.changes:
        facts.append(("Names refused", _CHANGED[job.names]))
    if request is not None and request.exclude:
        facts.append(("Leaves out", visible("  ".join(request.exclude.patterns))))
    if request is not None and request.preserve != ALL_TRAITS:
        facts.append(("Keeps", ", ".join(sorted(request.preserve)) or "content and permissions only"))
    facts.append(("Priority", f"{job.priority} ({PRIORITY_WORDS.get(job.priority, '?')})"))
    if job.limit_bytes_s is not None:
        facts.append(("Limit", rate_text(job.limit_bytes_s)))
    return facts


def _rules_of_sync(request: Request) -> list[Fact]:
    compare = "content" if request.by_content else "size and time"
    extra = "removed when all is copied" if request.delete_extra else "left as it is"
    return [("Compared by", compare), ("Only at target", extra)]


def _done(job: Job) -> list[Fact]:
    progress = job.progress
    state = f"{SIGNS[job.state]} {job.state.value}"
    facts = [("State", f"{state}: {visible(job.note)}" if job.note else state)]
    counting = "still counting" if job.state is JobState.RUNNING else "not all is counted yet"
    facts.append(("Done", counting if progress.counting else percent(job).strip()))
    facts.append(("Files", files(progress).strip()))
    if progress.bytes_total:
        exact = f" ({fmt.count(progress.bytes_done)} of {fmt.count(progress.bytes_total)} bytes)"
        facts.append(("Bytes", f"{fmt.size(progress.bytes_done)} of {fmt.size(progress.bytes_total)}{exact}"))
    if job.verify:
        verified = f"{fmt.entries(progress.files_verified)}, {fmt.size(progress.bytes_verified)} read back"
        facts.append(("Verified", verified + (", verifying" if progress.verifying else "")))
    if progress.bytes_flushed or progress.flushing:
        facts.append(
            (
                "On disk",
                f"{fmt.size(progress.bytes_flushed)} for sure, the rest is only written yet"
                if progress.bytes_flushed < progress.bytes_done
                else "all of it, for sure",
            )
        )
    if progress.files_same:
        facts.append(
            ("Same", f"{fmt.entries(progress.files_same)} already there, complete: not copied again")
        )
    if progress.files_skipped:
        facts.append(
            ("Skipped", f"{fmt.entries(progress.files_skipped)} left out by the rule for taken names")
        )
    if progress.files_removed:
        facts.append(("Removed", f"{fmt.entries(progress.files_removed)} that only the target had"))
    if job.state is JobState.RUNNING:
        facts.append(("Rate", fmt.rate(progress.rate_bytes_s)))
        facts.append(("Time left", time_left(progress) or "not known"))
        if progress.current is not None:
            facts.append(("Now at", visible(str(progress.current))))
    return facts


def _times(job: Job) -> list[Fact]:
    facts = [("Added", fmt.moment(job.created_at))]
    if job.started_at is not None:
        facts.append(("Started", fmt.moment(job.started_at)))
    if job.ended_at is not None:
        after = f" (after {took(job.ended_at - job.started_at)})" if job.started_at is not None else ""
        facts.append(("Ended", fmt.moment(job.ended_at) + after))
        if job.started_at is not None and job.ended_at - job.started_at > 1 and job.progress.bytes_done:
            facts.append(("Mean rate", fmt.rate(job.progress.bytes_done / (job.ended_at - job.started_at))))
    return facts


def _told(job: Job, errors: Sequence[JobError]) -> list[Fact]:
    progress = job.progress
    facts: list[Fact] = []
    if job.wants_host:
        facts.append(("Host", "waits for an answer (a in the queue)"))
    if job.wants_names:
        facts.append(("Names", f"{fmt.count(job.misfits)} entries do not fit the target (a in the queue)"))
    if progress.questions:
        facts.append(("Questions", f"{fmt.count(progress.questions)} wait for an answer (a in the queue)"))
    if progress.errors:
        lines = [f"{fmt.count(progress.errors)} in all (e lists them)"]
        lines += [visible(error.message) for error in errors]
        facts.append(("Errors", "\n".join(lines)))
    return facts


def _not_kept(losses: Sequence[Lost]) -> list[Fact]:
    lines: list[str] = []
    for each in losses:
        lines.append(fmt.lost(each))
        lines += [f"  {visible(str(location))}" for location in each.examples]
        if each.count > len(each.examples):
            lines.append(f"  and {fmt.count(each.count - len(each.examples))} more")
    return [("Not kept", "\n".join(lines))] if lines else []
