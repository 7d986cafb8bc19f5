"""Far places: connecting to them, answering what their hosts ask, editing their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import ModalScreen

from tui.model.error import FerryError
from tui.ui.addresses import asks_of
from tui.ui.operations import Operations, operation
from tui.ui.screens.dialog import Dialog
from tui.ui.widgets.pane_moves import home
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.model.ask import HostQuestion
    from tui.model.job import Job
    from tui.model.location import Location
    from tui.ui.screens.host_question import HostQuestionScreen
    from tui.ui.widgets.pane import FilePane

EDITS = "edits"
"""Folder in that of the state for copies of far files that are being edited."""


class FarOperations(Operations):
    """What concerns hosts, in both panes."""

    left: FilePane
    right: FilePane

    def __init__(self) -> None:
        super().__init__()
        self.host_questions: tuple[HostQuestion, ...] = ()
        self._told_of: set[int] = set()
        """Questions that were put to the person: none opens by itself twice."""
        self._asking: HostQuestionScreen | None = None

    @operation
    async def action_connect(self) -> None:
        from tui.ui.screens.connect import Connect

        location = await self.ask(
            Connect(self.client, self.memory, None if self.pane.location.is_local else home())
        )
        if location is not None:
            self.pane.go(location)
            self.pane.focus()

    # What hosts ask.

    def show_host_questions(self, questions: Sequence[HostQuestion]) -> None:
        """Take over what is open: panes say so, a new one is put, one answered elsewhere leaves the screen."""
        self.host_questions = tuple(questions)
        for pane in (self.left, self.right):
            pane.show_host_questions(questions)
        asking = self._asking
        if asking is not None and all(question.id != asking.question.id for question in questions):
            self._asking = None
            if asking.leave_as_answered():
                self.changes_by_itself()
        new = [question for question in questions if question.id not in self._told_of]
        self._told_of = {question.id for question in questions}
        if not new:
            return
        said = f"{visible(new[0].ask.host)} {asks_of(new[0])}"
        self.call_elsewhere(said)
        if self._may_interrupt:
            self.changes_by_itself()
            self.open_host_question(new[0])
        else:
            self.tell(f"{said}. {self.pane.key_of('answer_host', 'app')} answers it.", "warning")

    @property
    def may_be_asked(self) -> bool:
        """Whether the pane that has the keys waits for a host it has not been let in by: that may come to ask."""
        return self.app.screen is self and self.app.focused is self.pane and self.pane.connects

    @property
    def _may_interrupt(self) -> bool:
        """Whether a dialog may open by itself: not over another one, nor where somebody types into a line."""
        screen = self.app.screen
        if self._asking is not None or self.left.line.is_open or self.right.line.is_open:
            return False
        return not isinstance(screen, ModalScreen) or (isinstance(screen, Dialog) and screen.waits_for_host)

    def open_host_question(self, question: HostQuestion) -> None:
        """Put a question; the one put already stays."""
        from tui.ui.screens.host_question import HostQuestionScreen

        if self._asking is not None:
            return
        self._asking = HostQuestionScreen(self.client, question)
        self.app.push_screen(self._asking, self._host_question_left)

    def _host_question_left(self, _: None) -> None:
        left, self._asking = self._asking, None
        following = [each for each in self.host_questions if left is None or each.id > left.question.id]
        if left is not None and left.was_answered and following and self._may_interrupt:
            self.changes_by_itself()
            self.open_host_question(following[0])

    def action_answer_host(self) -> None:
        """Open what the host of the pane in use asks, else what any asks."""
        if not self.host_questions:
            self.tell("No host asks anything.")
            return
        mine = [question for question in self.pane.host_questions if question in self.host_questions]
        self.open_host_question((mine or list(self.host_questions))[0])

    def answer_for(self, job: Job) -> None:
        """Open what a job waits for."""
        mine = [question for question in self.host_questions if job.id in question.jobs]
        if mine or self.host_questions:
            self.open_host_question((mine or list(self.host_questions))[0])
        else:
            self.tell("Its host asks nothing just now.")

    # Editing.

    async def edit_far(self, location: Location) -> None:
        """Edit a far file in a private copy, and put that back through the queue where it was changed."""
        from tui.ui import far_edit
        from tui.ui.outside import editor_command, run_outside

        words = editor_command(self.settings)
        self.tell(f"Fetching {visible(location.name)} …")
        fetched = await far_edit.fetch(self.client, location, self.memory.file.parent / EDITS)
        await run_outside(self.app, [*words, str(fetched.copy)], str(fetched.copy.parent))
        if not await far_edit.has_changed(fetched):
            await far_edit.forget(fetched)
            self.tell("Nothing was changed.")
            return
        request = await far_edit.put_back(self.client, fetched)
        try:
            job = await self.submit(request, f"Putting {visible(location.name)} back")
        except FerryError as error:
            error.remedy = far_edit.kept_as(fetched)
            raise
        self.run_worker(
            far_edit.forget_when_done(self.client, fetched, job), group="edits", exit_on_error=False
        )
