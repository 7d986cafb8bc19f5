"""The queue pane: every job with its numbers, and all that can be done to jobs by key."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.message import Message

from tui.model.job import Job
from tui.model.location import Location
from tui.ui.keys import Keymap, shown
from tui.ui.notes import tell
from tui.ui.presets import keys_chosen
from tui.ui.queue_feed import follow, watch
from tui.ui.widgets.queue_filter import QueueFilter

if TYPE_CHECKING:
    from textual import events
    from textual.timer import Timer

    from tui.client.base import Client
    from tui.config import Settings
    from tui.model.ask import HostQuestion

PAINT_S, PAINT_SSH_S = 0.25, 1.0
"""Numbers that grow are painted so often: here, and where each byte goes over a network."""
NEWS_S = 0.05
"""What a person did or has to do shows so soon."""


@dataclass
class FromQueue(Message):
    """What a queue pane has to say. `@on` can tell panes apart by it."""

    pane: QueuePane

    @property
    def control(self) -> QueuePane:
        return self.pane


class QueuePane(QueueFilter):
    """Shows the queue and acts on it. Owns the one worker that follows the client's updates.

    Args:
        client: Whose queue it is.
        settings: For confirmations and keys.
        paint_s: Least time between two paintings of new numbers; None: by whether this is an SSH session.
    """

    SCOPE: ClassVar[str] = "queue"

    @dataclass
    class Updated(Message):
        """The client sent an update; bursts become one."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, QueuePane.Updated)

    @dataclass
    class Changed(FromQueue):
        """What the pane shows has changed; at the pace of its paintings."""

    @dataclass
    class JobEnded(FromQueue):
        """A job that was seen unfinished has ended."""

        job: Job

    @dataclass
    class QuestionAsked(FromQueue):
        """A job that had no question has one."""

        job: Job

    @dataclass
    class HostsAsk(FromQueue):
        """What hosts ask is not what it was: a question is new, or answered."""

    @dataclass
    class AnswerAsked(FromQueue):
        """Somebody wants to answer what a host asks; `job` waits for that, if it is given."""

        job: Job | None

    @dataclass
    class LocationAsked(FromQueue):
        """A file pane should show this folder, its cursor on an entry of that name (None: anywhere)."""

        folder: Location
        cursor_on: str | None

    @dataclass
    class FilesAsked(FromQueue):
        """The user wants back to the files."""

    def __init__(
        self,
        client: Client,
        settings: Settings,
        *,
        paint_s: float | None = None,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(client, settings, name=name, id=id, classes=classes, disabled=disabled)
        over_ssh = "SSH_CONNECTION" in os.environ
        self._paint_s = paint_s if paint_s is not None else PAINT_SSH_S if over_ssh else PAINT_S
        self._painted_at = float("-inf")
        self._painted_news: object = None
        self._paint_timer: Timer | None = None
        self._sampler: Timer | None = None
        self.hint = _hint(settings)

    # What comes in.

    def on_mount(self) -> None:
        self._sampler = self.set_interval(1.0, self._sample, pause=True)
        self.run_worker(self._follow(), exclusive=True, group="feed")
        self.run_worker(self._watch(), exclusive=True, group="watch")

    async def _follow(self) -> None:
        asked: tuple[HostQuestion, ...] = ()
        async for fold in follow(self._queue, self.state):
            self.post_message(self.Updated())
            if asked != self.state.host_questions:
                asked = self.state.host_questions
                self.post_message(self.HostsAsk(self))
            for job in fold.ended:
                self.post_message(self.JobEnded(self, job))
            for job in fold.asked:
                self.post_message(self.QuestionAsked(self, job))

    async def _watch(self) -> None:
        async for _ in watch(self._queue, self.state):
            self.post_message(self.Updated())

    def on_queue_pane_updated(self, event: Updated) -> None:
        event.stop()
        if self._sampler is not None and self.state.rate_bytes_s:
            self._sampler.resume()
        is_news = self._news() != self._painted_news
        if self._paint_timer is not None:
            if not is_news:
                return
            self._paint_timer.stop()
            self._paint_timer = None
        every_s = min(NEWS_S, self._paint_s) if is_news else self._paint_s
        wait_s = self._painted_at + every_s - time.monotonic()
        if wait_s <= 0:
            self._take_over_now()
        else:
            self._paint_timer = self.set_timer(wait_s, self._take_over_now)

    def on_resize(self, event: events.Resize) -> None:
        self.take_over()

    def on_focus(self, event: events.Focus) -> None:
        self.notify_style_update()

    def on_blur(self, event: events.Blur) -> None:
        self.notify_style_update()

    def on_click(self, event: events.Click) -> None:
        index = self.job_at(event.y)
        if index is None:
            return
        self.move_cursor(index)
        if event.chain == 2:
            self.action_details()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_by(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_by(-3)

    def _news(self) -> object:
        """Return all that is worth more haste than a number that grows."""
        unfinished = [
            (
                job.id,
                job.state,
                job.priority,
                job.limit_bytes_s,
                job.progress.errors > 0,
                job.asks,
            )
            for job in self.state.jobs
            if not job.state.is_final
        ]
        status = self.state.status
        limits = status and (status.limit_bytes_s, status.slots)
        return len(self.state.jobs), unfinished, limits, self.state.lost, self.state.silent

    def _take_over_now(self) -> None:
        self._paint_timer = None
        self._painted_at = time.monotonic()
        self._painted_news = self._news()
        self.take_over()
        self.post_message(self.Changed(self))

    def _sample(self) -> None:
        rate_bytes_s = self.state.rate_bytes_s
        self.graph.add(rate_bytes_s)
        self.paint()
        if self._sampler is not None and not rate_bytes_s and self.graph.is_flat:
            self._sampler.pause()

    # Moving about.

    def action_cursor_down(self) -> None:
        self.move_cursor_by(1)

    def action_cursor_up(self) -> None:
        self.move_cursor_by(-1)

    def action_first(self) -> None:
        self.move_cursor(0)

    def action_last(self) -> None:
        self.move_cursor(len(self.jobs) - 1)

    def action_page_down(self) -> None:
        self.move_cursor_by_page(1)

    def action_page_up(self) -> None:
        self.move_cursor_by_page(-1)

    def action_mark(self) -> None:
        if self.current:
            self.marked ^= {self.current.id}
            self.move_cursor_by(1)

    def action_back_to_files(self) -> None:
        self.post_message(self.FilesAsked(self))

    def ask(self, job: Job) -> None:
        if job.wants_host:
            self.ask_host(job)
        else:
            super().ask(job)

    def ask_host(self, job: Job | None = None) -> None:
        self.post_message(self.AnswerAsked(self, job))

    def action_go_to_target(self) -> None:
        job = self.current
        if job is None or job.target is None:
            tell(self.app, "This job has no target to show.", "warning")
        elif job.into:
            self.post_message(self.LocationAsked(self, job.target, job.first_source.name))
        else:
            self.post_message(self.LocationAsked(self, job.target.parent, job.target.name))

    def action_go_to_source(self) -> None:
        if job := self.current:
            self.post_message(self.LocationAsked(self, job.first_source.parent, job.first_source.name))

    def action_copy_path(self) -> None:
        if job := self.current:
            location = job.target or job.first_source
            # A path with bytes that are no UTF-8 cannot be text on a clipboard; its URL is exact.
            text = str(location) if str(location).isprintable() else location.url
            self.app.copy_to_clipboard(text)
            tell(self.app, f"Copied: {text}")


def _hint(settings: Settings) -> str:
    """Return how to fill an empty queue, with the keys that do it."""
    keymap = Keymap("pane", keys_chosen(settings))
    mark, copy = (next(iter(keymap.keys_of(id)), "") for id in ("pane.mark", "pane.copy"))
    return (
        f"Nothing to do. Mark files with {shown(mark)}, then {shown(copy)} copies them into the other pane."
    )
