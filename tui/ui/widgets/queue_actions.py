"""What can be done to jobs by key: to the marked ones, else to the one under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.format import entries
from tui.model.job import HIGHEST_PRIORITY, LOWEST_PRIORITY, Conflict, JobKind, JobState
from tui.ui.keys import Keymap, shown
from tui.ui.notes import report, saying_when_slow, tell
from tui.ui.presets import keys_chosen
from tui.ui.queue_order import AS_THEY_RUN
from tui.ui.widgets.job_line import sources
from tui.ui.widgets.queue_lines import QueueLines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui.client.base import Queue
    from tui.config import Settings
    from tui.model.job import Job

_PAUSABLE = (JobState.QUEUED, JobState.RUNNING, JobState.WAITING)


class QueueActions(QueueLines):
    """The lines of the queue with its actions. The queue is asked in workers: no key waits for the engine.

    Args:
        queue: What is acted on.
        settings: For confirmations.
    """

    def __init__(
        self,
        queue: Queue,
        settings: Settings,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._queue = queue
        self._settings = settings

    def do(self, asked: Awaitable[None], *, clears_marks: bool = False) -> None:
        """Ask the queue for something without waiting here; what goes wrong is shown."""
        self.run_worker(self._do(asked, clears_marks), group="ask")

    async def _do(self, asked: Awaitable[None], clears_marks: bool) -> None:
        try:
            with saying_when_slow(self, lambda text: tell(self.app, text, "warning")):
                await asked
        except Exception as error:  # one thing that went wrong must not end the screen
            report(self.app, error)
            return
        if clears_marks:
            self.marked.clear()
            self.paint()

    def action_toggle_pause(self) -> None:
        self._toggle_pause(self.chosen)

    def action_toggle_pause_all(self) -> None:
        self._toggle_pause(list(self.jobs))

    def _toggle_pause(self, jobs: list[Job]) -> None:
        if stop := [job.id for job in jobs if job.state in _PAUSABLE and not job.wants_room]:
            self.do(self._queue.pause(stop))
        elif go := [job.id for job in jobs if job.state is JobState.PAUSED or job.wants_room]:
            self.do(self._queue.resume(go))
        else:
            tell(self.app, "There is nothing to pause or resume here.", "warning")

    def action_cancel(self) -> None:
        jobs = self._those(
            lambda job: not job.state.is_final, "Only jobs that have not ended can be cancelled."
        )
        if not jobs:
            return
        ids = [job.id for job in jobs]
        if not self._settings.confirm.cancel:
            self.do(self._queue.cancel(ids), clears_marks=True)
            return
        from tui.ui.screens.cancel_jobs import CancelJobs

        self.app.push_screen(CancelJobs(jobs), lambda keep: self._cancel(ids, keep))

    def _cancel(self, ids: list[int], keep: bool | None) -> None:
        if keep is not None:
            self.do(self._queue.cancel(ids, keep=keep), clears_marks=True)

    def action_answer(self) -> None:
        asking = [job for job in self.chosen if job.asks]
        asking = asking or [job for job in self.jobs if job.asks]
        if asking:
            self.ask(asking[0])
        elif self.state.host_questions:
            self.ask_host()
        elif any(job.wants_room for job in self.chosen):
            key = self._key_of("toggle_pause")
            tell(self.app, f"It asks nothing: it waits for room. Free some, then {key} resumes it.")
        else:
            tell(self.app, "No job asks anything.")

    def ask_host(self, job: Job | None = None) -> None:
        """Open what a host asks, that a job waits for if one is given."""
        raise NotImplementedError

    def ask(self, job: Job) -> None:
        """Open the questions of a job."""
        if job.wants_names:
            from tui.ui.screens.unfit_names import UnfitNames

            self.app.push_screen(UnfitNames(self._queue, job.id))
            return
        from tui.ui.screens.question import QuestionScreen

        self.app.push_screen(QuestionScreen(self._queue, job.id))

    def action_remove(self) -> None:
        wrong = "Only ended jobs can be removed; cancel this one first (x)."
        if jobs := self._those(lambda job: job.state.is_final, wrong):
            self.do(self._remove(jobs), clears_marks=True)

    def action_clear_ended(self) -> None:
        if jobs := [job for job in self.jobs if job.state.is_final]:
            self.do(self._remove(jobs, all_ended=not self.filter), clears_marks=True)
        else:
            tell(self.app, "No job has ended yet.")

    async def _remove(self, jobs: list[Job], *, all_ended: bool = False) -> None:
        await self._queue.remove(None if all_ended else [job.id for job in jobs])
        said = f"Removed from the list: {sources(jobs[0]) if len(jobs) == 1 else entries(len(jobs), 'job')}."
        tell(self.app, f"{said} {self._key_of('restore')} brings back what was removed last.")

    def _key_of(self, name: str) -> str:
        """Return the first key of an action, as it is shown."""
        keys = Keymap("queue", keys_chosen(self._settings)).keys_of(f"queue.{name}")
        return shown(next(iter(keys), "the palette"))

    def action_restore(self) -> None:
        self.do(self._restore())

    async def _restore(self) -> None:
        ids = await self._queue.restore()
        tell(self.app, f"Brought back to the list: {entries(len(ids), 'job')}.")

    def action_retry(self) -> None:
        states = (JobState.FAILED, JobState.CANCELLED)
        if jobs := self._those(
            lambda job: job.state in states, "Only failed or cancelled jobs can be retried."
        ):
            self.do(self._queue.retry([job.id for job in jobs]), clears_marks=True)

    def action_retry_all(self) -> None:
        if ids := [job.id for job in self.jobs if job.state is JobState.FAILED]:
            self.do(self._queue.retry(ids))
        else:
            tell(self.app, "No job has failed.")

    def action_verify(self) -> None:
        jobs = self._those(
            lambda job: job.kind is JobKind.COPY and job.state.is_final,
            "Only copies that have ended can be verified again.",
        )
        if jobs:
            self.do(self._verify(jobs), clears_marks=True)

    async def _verify(self, jobs: list[Job]) -> None:
        for job in jobs:
            verifying = await self._queue.verify(job.id)
            tell(self.app, f"Verifying job {job.id} ({job.title} {sources(job)}) · job {verifying}")

    def action_undo(self) -> None:
        jobs = self.chosen
        if len(jobs) > 1:
            tell(self.app, "One job at a time can be undone: mark just one, or none.", "warning")
        elif jobs:
            self.do(self._undo(jobs[0]), clears_marks=True)

    async def _undo(self, job: Job) -> None:
        undoing = await self._queue.undo(job.id)
        said = "Doing again" if job.undoes and not job.redo else "Undoing"
        tell(self.app, f"{said} job {job.id} ({job.title} {sources(job)}) · job {undoing}")

    def action_start_now(self) -> None:
        states = (JobState.QUEUED, JobState.PAUSED)
        if jobs := self._those(
            lambda job: job.state in states or job.wants_room, "Only queued or paused jobs can be started."
        ):
            self.do(self._queue.start([job.id for job in jobs]))

    def action_move_down(self) -> None:
        self._reorder("down")

    def action_move_up(self) -> None:
        self._reorder("up")

    def action_move_bottom(self) -> None:
        self._reorder("bottom")

    def action_move_top(self) -> None:
        self._reorder("top")

    def _reorder(self, where: str) -> None:
        if self.order.by != AS_THEY_RUN:
            key = self._key_of("sort_by_order")
            tell(self.app, f"The list is sorted by {self.order.by}; {key} shows the order in which jobs run.")
            return
        if jobs := self._those(lambda job: not job.state.is_final, "Ended jobs have no order."):
            self.do(self._queue.reorder([job.id for job in jobs], where))

    def action_priority_up(self) -> None:
        self._raise_priority(1, "It has the highest priority already.")

    def action_priority_down(self) -> None:
        self._raise_priority(-1, "It has the lowest priority already.")

    def _raise_priority(self, by: int, at_the_end: str) -> None:
        wanted: dict[int, list[int]] = {}
        jobs = self._those(lambda job: not job.state.is_final, "Ended jobs have no priority.")
        for job in jobs:
            priority = max(LOWEST_PRIORITY, min(HIGHEST_PRIORITY, job.priority + by))
            if priority != job.priority:
                wanted.setdefault(priority, []).append(job.id)
        if wanted:
            self.do(self._set_priorities(wanted))
        elif jobs:
            tell(self.app, at_the_end)

    async def _set_priorities(self, wanted: dict[int, list[int]]) -> None:
        for priority, ids in wanted.items():
            await self._queue.set_priority(ids, priority)

    # What needs a dialog.

    def action_details(self) -> None:
        from tui.ui.screens.job_details import JobDetails

        if job := self.current:
            self.app.push_screen(JobDetails(self._queue, self.state, job.id))

    def action_errors(self) -> None:
        from tui.ui.screens.job_errors import JobErrors

        if (job := self.current) is None:
            return
        if job.progress.errors:
            self.app.push_screen(JobErrors(self._queue, self.state, job.id))
        else:
            tell(self.app, "This job has no errors.")

    def action_conflict_rule(self) -> None:
        from tui.ui.screens.conflict_rule import conflict_rule_picker

        jobs = self._those(
            lambda job: not job.state.is_final or job.state is JobState.FAILED,
            "The rule of a job that is done or cancelled cannot be changed.",
        )
        if jobs:
            ids = [job.id for job in jobs]
            self.app.push_screen(
                conflict_rule_picker(jobs[0].conflict), lambda rule: self._set_conflict(ids, rule)
            )

    def _set_conflict(self, ids: list[int], rule: Conflict | None) -> None:
        if rule is not None:
            self.do(self._queue.set_conflict(ids, rule))

    def action_limit(self) -> None:
        jobs = self._those(lambda job: not job.state.is_final, "An ended job needs no limit.")
        if jobs:
            from tui.ui.screens.limit import ask_limit

            ids = [job.id for job in jobs]
            named = sources(jobs[0]) if len(jobs) == 1 else f"{len(jobs)} jobs"
            ask_limit(
                self.app, f"Limit the rate of {named}", jobs[0].limit_bytes_s, lambda it: self._limit(it, ids)
            )

    def action_limit_all(self) -> None:
        from tui.ui.screens.limit import ask_limit

        now = self.state.status.limit_bytes_s if self.state.status else None
        ask_limit(self.app, "Limit the rate of all jobs together", now, lambda it: self._limit(it, None))

    def _limit(self, bytes_s: int | None, ids: list[int] | None) -> None:
        self.do(self._queue.limit(bytes_s, ids))

    def action_slots(self) -> None:
        from tui.ui.screens.limit import ask_slots

        now = self.state.status.slots if self.state.status else self._settings.queue.slots
        ask_slots(self.app, now, lambda slots: self.do(self._queue.set_slots(slots)))

    def _those(self, fits: Callable[[Job], bool], otherwise: str) -> list[Job]:
        """Return the chosen jobs that something can be done to; say why where there are none."""
        jobs = [job for job in self.chosen if fits(job)]
        if not jobs and self.jobs:
            tell(self.app, otherwise, "warning")
        return jobs
