"""A conflict put to the user: both files side by side, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from tui import format as fmt
from tui.model.entry import EntryKind
from tui.model.job import Conflict, Question
from tui.ui.notes import report
from tui.ui.screens.dialog import feedback
from tui.ui.screens.patient import PatientDialog
from tui.ui.terminal.cells import cells, first, fit
from tui.visible import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.client.base import Queue
    from tui.model.entry import Facts

ANSWERS = {
    Conflict.OVERWRITE: ("o", "Overwrite"),
    Conflict.SKIP: ("s", "Skip"),
    Conflict.NEWER: ("n", "If newer"),
    Conflict.RENAME: ("k", "Keep both"),
}
"""Keys for this file; the capital letter means all of the job."""
_AT_ONCE = 100
"""Questions fetched in one go."""


def compared(facts: Facts, other: Facts) -> tuple[str, str]:
    """Return what stands beside size and date: "larger", "newer", or that they are equal."""
    size = (
        "same size"
        if facts.size_bytes == other.size_bytes
        else "larger"
        if facts.size_bytes > other.size_bytes
        else ""
    )
    date = (
        "same time"
        if facts.mtime_ns == other.mtime_ns
        else "newer"
        if facts.mtime_ns > other.mtime_ns
        else ""
    )
    return size, date


class QuestionScreen(PatientDialog[None]):
    """Puts the open questions of a job one after the other, and ends when none is left.

    Args:
        queue: Where questions come from and answers go.
        job: Whose questions.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"answer('{rule}', False)", words, show=False)
            for rule, (key, words) in ANSWERS.items()
        ),
        *(
            Binding(key.upper(), f"answer('{rule}', True)", f"{words}, all", show=False)
            for rule, (key, words) in ANSWERS.items()
        ),
        Binding("right,l", "app.focus_next", "Next button", show=False),
        Binding("left,h", "app.focus_previous", "Button before", show=False),
        Binding("down,j", "step(1)", "Button below", show=False),
        Binding("up", "step(-1)", "Button above", show=False),
    ]

    AUTO_FOCUS = "#skip-one"  # from the first on: no other answer is a keystroke away, not even for a moment

    def __init__(self, queue: Queue, job: int) -> None:
        super().__init__("The name is taken", "capital letter: all of this job · Esc later")
        self._queue, self._job = queue, job
        self.answers_job = job
        self._waiting: list[Question] = []
        self._busy = False

    def compose_body(self) -> ComposeResult:
        yield Static("", id="what", markup=False)
        with Horizontal(id="sides"):
            for side in ("source", "target"):
                with Vertical(classes="side"):
                    yield Static("", id=side, markup=False)
        for for_all, label in ((False, "this one"), (True, "all")):
            with Horizontal(classes="buttons"):
                yield Static(label, classes="which")
                for rule, (key, words) in ANSWERS.items():
                    shown = key.upper() if for_all else key
                    yield Button(
                        Content(f"{shown} {words}"), compact=True, id=f"{rule}-{'all' if for_all else 'one'}"
                    )
        yield feedback()

    def on_mount(self) -> None:
        self.run_worker(self._next(), group="question")

    def on_resize(self) -> None:
        self._show()

    @property
    def question(self) -> Question | None:
        """The question that is put now."""
        return self._waiting[0] if self._waiting else None

    async def _next(self) -> None:
        """Put the next question; fetch more where these are used up."""
        try:
            if not self._waiting:
                self._waiting = list(await self.hear(lambda: self._queue.questions(self._job, _AT_ONCE)))
        except Exception as error:  # the screen under this one goes on
            report(self.app, error)
            self.dismiss(None)
            return
        if self._waiting:
            self._busy = False
            self._show()
        else:
            self.dismiss(None)

    def _show(self) -> None:
        question = self.question
        if question is None:
            return
        width = max(16, self.query_one("#source").size.width)
        more = len(self._waiting) - 1
        others = (
            f"   ({fmt.count(more)}{'+' if more >= _AT_ONCE - 1 else ''} more of job {self._job})"
            if more
            else ""
        )
        what = in_two_lines(visible(question.target.name), others, self.query_one("#what").size.width)
        self.query_one("#what", Static).update(Content(what))
        new, old = question.source_facts, question.target_facts
        self.query_one("#source", Static).update(_side("New", question, new, old, width))
        self.query_one("#target", Static).update(_side("There already", question, old, new, width))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        rule, _, which = (event.button.id or "").partition("-")
        self.action_answer(rule, which == "all")

    def action_step(self, lines: int) -> None:
        """Go to the button below (1) or above (-1)."""
        buttons = list(self.query(Button))
        a_line = 2 if self.has_class("-narrow") else len(ANSWERS)  # as its style has it
        focused = self.focused
        at = buttons.index(focused) + lines * a_line if isinstance(focused, Button) else 0
        if 0 <= at < len(buttons):
            buttons[at].focus()

    def action_answer(self, rule: str, for_all: bool) -> None:
        if self.question is not None and not self._busy:
            self._busy = True
            self.run_worker(self._answer(self.question, Conflict(rule), for_all), group="question")

    async def _answer(self, question: Question, rule: Conflict, for_all: bool) -> None:
        try:
            self.say(await self.hand_over(lambda: self._queue.answer(question.id, rule, for_all=for_all)))
        except Exception as error:  # the question stays, and can be answered again
            self.report(error)
            self._busy = False
            return
        self._waiting = [] if for_all else self._waiting[1:]
        await self._next()


def in_two_lines(name: str, others: str, width: int) -> str:
    """Return a name and what follows it, in no more than two lines of so many cells (0: that is not known yet)."""
    if not width or cells(name + others) <= width:
        return name + others
    start = first(name, width)
    return f"{start}\n{fit(name[len(start) :], width - cells(others), 'extension')}{others}"


def _side(title: str, question: Question, facts: Facts, other: Facts, width: int) -> Content:
    """Return one file as lines: where it is, how big, how old, and how that compares."""
    location = question.source if title == "New" else question.target
    (size, date), other_remarks = compared(facts, other), compared(other, facts)
    folder = fit(visible(str(location.parent)), width, "end")
    lines = [
        Content.styled(title, "bold"),
        Content(fit(visible(location.name), width, "extension")),
        Content.styled(folder, "$quiet"),
        _alike((_size_texts(facts), size), (_size_texts(other), other_remarks[0]), width),
        _alike((_date_texts(facts, other), date), (_date_texts(other, facts), other_remarks[1]), width),
    ]
    return Content("\n").join(lines)


def _size_texts(facts: Facts) -> list[str]:
    """Return a size, the longest way of saying it first."""
    if facts.kind is not EntryKind.FILE:
        return [facts.kind.name.lower().replace("_", " ")]
    text = fmt.size(facts.size_bytes)
    return [f"{text} ({fmt.count(facts.size_bytes)})", text] if facts.size_bytes >= 1024 else [text]


def _date_texts(facts: Facts, other: Facts) -> list[str]:
    """Return when a file was changed, the longest way first: on one day the time is what tells it from the other."""
    moment, other_moment = (fmt.moment(each.mtime_ns / 1e9) for each in (facts, other))
    least = moment[:10] if moment[:10] != other_moment[:10] else moment[11:16]
    return [moment, moment[:16], least]


def _alike(side: tuple[list[str], str], other: tuple[list[str], str], width: int) -> Content:
    """Return one side's text and remark, as long as both sides have room for.

    Args:
        side, other: (the ways of saying it, the longest first; the remark beside it, which matters most).
    """
    forms = min(len(side[0]), len(other[0]))
    text = side[0][-1]
    for form in range(forms):
        if all(
            cells(texts[form]) + 2 * bool(remark) + cells(remark) <= width for texts, remark in (side, other)
        ):
            text = side[0][form]
            break
    remark = side[1]
    style = "bold $success" if remark in ("newer", "larger") else "$quiet"
    return Content.assemble(text, "  ", (remark, style)) if remark else Content(text)
