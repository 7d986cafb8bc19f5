"""The main screen: two file panes, the queue below them, the keys at the bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual import on
from textual.containers import Horizontal
from textual.getters import query_one
from textual.widgets import Static

from tui.format import entries
from tui.model.job import JobKind, JobState
from tui.ui.commands import scope_of
from tui.ui.key_scope import KeyScope, perform
from tui.ui.operations_compare import CompareOperations
from tui.ui.operations_files import FileOperations
from tui.ui.operations_panes import PaneOperations
from tui.ui.operations_preview import PreviewOperations
from tui.ui.operations_search import SearchOperations
from tui.ui.operations_text import TextOperations
from tui.ui.stages import Stages
from tui.ui.widgets.hint_bar import HintBar
from tui.ui.widgets.key_bar import KeyBar
from tui.ui.widgets.pane import FilePane
from tui.ui.widgets.queue_pane import QueuePane
from tui.visible import visible

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget

    from tui.client.base import Client
    from tui.config import ScreenSettings, Settings
    from tui.model.job import Job
    from tui.model.location import Location
    from tui.ui.memory import Memory
    from tui.ui.submits import Submits

LEAST_CELLS, LEAST_LINES = 40, 12
LOW_BELOW = 20
"""On a screen of fewer lines the key bar keeps one of its two, and the queue needs none to spare."""
QUEUE_LEAST_LINES, QUEUE_LEAST_LINES_LOW, QUEUE_SHARE = 5, 3, 3
"""The queue has at least so many lines, and at most one in so many of the screen's."""
VIEW_SETTINGS = ("sort", "sort_reverse", "show_hidden")
"""What the panes take from the settings, and from what was last chosen."""
PREVIEW, ONE_PANE = "preview", "one_pane"
"""Under which the memory keeps whether the preview is shown, and whether the pane in use has all the width."""

_DONE_TITLES = {
    JobKind.COPY: "Copied",
    JobKind.MOVE: "Moved",
    JobKind.DELETE: "Deleted",
    JobKind.TRASH: "Moved to the trash",
    JobKind.RENAME: "Renamed",
    JobKind.CHMOD: "Permissions changed",
    JobKind.MAKE: "Made",
    JobKind.SYNC: "Synced",
    JobKind.VERIFY: "Verified",
}


class MainScreen(
    SearchOperations, FileOperations, PaneOperations, CompareOperations, TextOperations, PreviewOperations
):
    """Composes the panes, the queue and the bars, and keeps track of which pane is in use."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-normal"), (120, "-wide"), (160, "-very-wide")]  # noqa: RUF012

    left = query_one("#left", FilePane)
    right = query_one("#right", FilePane)
    queue_pane = query_one(QueuePane)
    key_bar = query_one(KeyBar)
    hint_bar = query_one(HintBar)

    def __init__(
        self,
        client: Client,
        submits: Submits,
        settings: Settings,
        memory: Memory,
        left: Location,
        right: Location,
    ) -> None:
        super().__init__()
        self.client, self.submits, self.settings, self.memory = client, submits, settings, memory
        self._start = (left, right)
        self._active = "left"

    def compose(self) -> ComposeResult:
        left, right = self._start
        with Horizontal(id="panes"):
            yield FilePane(self.client, left, self._screen_settings(), id="left")
            yield FilePane(self.client, right, self._screen_settings(), id="right")
        yield QueuePane(self.client, self.settings, id="queue")
        yield HintBar(id="hints")
        yield KeyBar(id="keys")
        yield Static(id="too-small")

    def on_mount(self) -> None:
        self._mark_in_use()
        self.watch(self, "focused", self._focus_moved)
        self.set_class(bool(self.memory.chosen(ONE_PANE, False)), "-one-pane")
        self.left.focus()
        if self.memory.chosen(PREVIEW, False):
            self.call_after_refresh(self.action_preview)  # the folders come first

    def _screen_settings(self) -> ScreenSettings:
        """Return the settings with the order last chosen."""
        configured = self.settings.screen
        chosen = {name: self.memory.chosen(name, getattr(configured, name)) for name in VIEW_SETTINGS}
        return replace(configured, **chosen)

    def remember(self) -> None:
        """Put into the memory what the panes look like, for the next time."""
        view = self.pane.view
        now: tuple[str | bool, ...] = (view.sort, view.reverse, view.hidden)
        for name, value in zip(VIEW_SETTINGS, now, strict=True):
            self.memory.choose(name, getattr(self.settings.screen, name), value)
        self.memory.choose(PREVIEW, False, self.previewing)
        self.memory.choose(ONE_PANE, False, self.has_class("-one-pane"))
        if self.right.location.is_local:  # the next start is not to wait for a host, or ask for a password
            self.memory.across = self.right.shown_location

    @property
    def pane(self) -> FilePane:
        return self.left if self._active == "left" else self.right

    @property
    def other(self) -> FilePane:
        return self.right if self._active == "left" else self.left

    # Focus, size, keys.

    def use(self, pane: FilePane) -> None:
        """Make a pane the one in use; where only one is shown it has to appear before it can have the focus."""
        self._active = pane.id or "left"
        self._mark_in_use()
        pane.focus()

    def _mark_in_use(self) -> None:
        self.left.set_class(self._active == "left", "-in-use")
        self.right.set_class(self._active == "right", "-in-use")

    def _focus_moved(self, focused: Widget | None) -> None:
        if focused is None and self.is_current:
            self.pane.focus()  # a click beside everything; keys must always reach something
            return
        scope = scope_of(self)
        if isinstance(scope, FilePane):
            self._active = scope.id or "left"
            self._mark_in_use()
        self.hint_bar.show(None)
        self.place_preview()
        if scope is not None:
            self.key_bar.show(scope.router.keymap, scope.SCOPE)

    def on_resize(self, event: events.Resize) -> None:
        width, height = event.size
        self.set_class(width < LEAST_CELLS or height < LEAST_LINES, "-too-small")
        needs = f"Ferry needs {LEAST_CELLS}×{LEAST_LINES} cells, here are {width}×{height}. Jobs go on."
        self.query_one("#too-small", Static).update(needs)
        self._fit_queue()

    def _fit_queue(self) -> None:
        """Give the queue the lines it can use, between its least and its share of the screen."""
        low = self.size.height < LOW_BELOW
        least = QUEUE_LEAST_LINES_LOW if low else QUEUE_LEAST_LINES
        most = max(least, self.size.height // QUEUE_SHARE)
        lines = min(most, max(least, self.queue_pane.lines_wanted))
        self.queue_pane.styles.height = lines
        bar_lines = 1 if low else 2
        self.key_bar.styles.height = bar_lines
        self.hint_bar.styles.margin = (0, 0, bar_lines, 0)
        # Messages stand above the queue and the two lines below a pane in which one types: they hide no job.
        for rack in self.query("ToastRack"):
            rack.styles.margin = (0, 0, lines + bar_lines + 2, 0)

    @on(KeyScope.SequenceChanged)
    def _sequence_changed(self, event: KeyScope.SequenceChanged) -> None:
        self.hint_bar.show(event.pending)

    @on(KeyBar.Pressed)
    async def _key_bar_pressed(self, event: KeyBar.Pressed) -> None:
        await perform(scope_of(self) or self.pane, event.action)

    def action_one_pane(self) -> None:
        """Give the pane in use all the width, or show both again."""
        self.toggle_class("-one-pane")

    def action_queue(self) -> None:
        self.queue_pane.focus()

    # What the panes and the queue tell.

    @on(FilePane.FileOpened)
    def _file_opened(self, event: FilePane.FileOpened) -> None:
        self.open_file(event.location)

    @on(FilePane.CurrentChanged)
    def _current_changed(self) -> None:
        self.follow_cursor()

    @on(FilePane.LocationChanged)
    def _location_changed(self, event: FilePane.LocationChanged) -> None:
        self.memory.visit(event.pane.shown_location)
        self.keep_memory()

    @on(QueuePane.HostsAsk)
    def _hosts_ask(self) -> None:
        self.show_host_questions(self.queue_pane.state.host_questions)

    @on(QueuePane.AnswerAsked)
    def _answer_asked(self, event: QueuePane.AnswerAsked) -> None:
        if event.job is None:
            self.action_answer_host()
        else:
            self.answer_for(event.job)

    @on(QueuePane.FilesAsked)
    def _files_asked(self) -> None:
        self.pane.focus()

    @on(QueuePane.LocationAsked)
    def _location_asked(self, event: QueuePane.LocationAsked) -> None:
        self.pane.go(event.folder, cursor_on=event.cursor_on)
        self.pane.focus()

    @on(QueuePane.Changed)
    def _queue_changed(self) -> None:
        self._fit_queue()
        stages = Stages(self.queue_pane.state.jobs)
        for pane in (self.left, self.right):
            pane.show_stages(stages)
        self._look_where_jobs_were()
        status = self.queue_pane.state.status
        if status is not None and status.in_process and not self._told_in_process:
            self._told_in_process = True
            notice = getattr(self.client, "notice", "") or "Jobs run inside this Ferry and stop when it ends."
            kept = " They are kept for the next time." if getattr(self.client, "keeps_queue", True) else ""
            self.tell(notice + kept, "warning")
        if status is not None and status.note and status.pid != self._told_by:
            self._told_by = status.pid
            self.tell(f"{status.note}.", "warning")

    _told_in_process = False
    _told_by = 0
    """The engine whose trouble with the queue was told."""
    _ended: frozenset[tuple[int, float | None]] | None = None
    """The (id, time of end) of all jobs known to have ended."""

    def _look_where_jobs_were(self) -> None:
        """Have far folders read again that a job has just ended in: nothing else tells of changes there."""
        ended = {(job.id, job.ended_at): job for job in self.queue_pane.state.jobs if job.state.is_final}
        before, self._ended = self._ended, frozenset(ended)
        if before is None:
            return
        for key in ended.keys() - before:
            for pane in (self.left, self.right):
                if touched(ended[key], pane.location):
                    pane.look_again()

    @on(QueuePane.QuestionAsked)
    def _question_asked(self, event: QueuePane.QuestionAsked) -> None:
        if event.job.wants_host:
            return  # the host's question is put by itself
        if getattr(self.app.screen, "answers_job", None) == event.job.id:
            return  # it is being put
        has = "has" if event.job.source_count == 1 else "have"
        self._call(f"{what(event.job)} {has} a question: answer it in the queue (w, then a).", "warning")

    @on(QueuePane.JobEnded)
    def _job_ended(self, event: QueuePane.JobEnded) -> None:
        job = event.job
        if job.state is JobState.DONE:
            skipped = f", {entries(job.progress.files_skipped)} skipped" if job.progress.files_skipped else ""
            self._call(f"{done_title(job)}: {what(job)}{skipped}.", "information")
        elif job.state is JobState.FAILED:
            errors = entries(job.progress.errors, "error")
            which = "it" if job.progress.errors == 1 else "them"
            self._call(f"{what(job)}: {errors}; see {which} in the queue (w, then e).", "error")

    def _call(self, text: str, severity: str) -> None:
        """Tell it here, and to whoever looks elsewhere."""
        self.tell(text, severity)  # type: ignore[arg-type]
        self.call_elsewhere(text)


def touched(job: Job, folder: Location) -> bool:
    """Say whether a job may have changed what a folder shows."""
    target = job.target
    if target is not None and (target.holds(folder) or (not job.into and target.parent == folder)):
        return True
    source = job.first_source
    return source.parent == folder or source.holds(folder)


def done_title(job: Job) -> str:
    """Return how a message begins that says what a job has done."""
    if job.undoes and not job.redo:
        return "Taken away again" if job.kind is JobKind.MAKE else "Brought back"
    return _DONE_TITLES[job.kind]


def what(job: Job) -> str:
    """Return what a job is about: its one source's name (where it gets its old one back: that), or how many."""
    named = job.target if job.undoes and job.target and not job.into else job.first_source
    name = visible(named.name or str(named))
    return name if job.source_count == 1 else f"{name} and {job.source_count - 1} more"
