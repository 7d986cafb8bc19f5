"""What of a job does not fit its target, put to the user before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from tui import format as fmt
from tui.model.misfit import Misfit, Misfits, Names
from tui.ui.notes import report, tell
from tui.ui.screens.dialog import feedback, plain
from tui.ui.screens.patient import PatientDialog
from tui.visible import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.client.base import Queue

WAYS = {
    Names.LOOKALIKE: (
        "l",
        "Look-alikes",
        'refused characters become others like them ("a：b")',
    ),
    Names.UNDERSCORE: ("u", "Underscores", 'they become "_"'),
    Names.SKIP: ("s", "Skip", "what does not fit is left out"),
    Names.KEEP: ("k", "Keep names", "what cannot be written becomes an error of its own"),
}
"""Key, word and meaning of each answer."""


class UnfitNames(PatientDialog[None]):
    """Lists what the target's filesystem does not take, and passes on what to do with it.

    Args:
        queue: Where the list comes from and the answer goes.
        job: Whose names.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"answer('{way}')", word, show=False) for way, (key, word, _) in WAYS.items()),
        Binding("right", "app.focus_next", "Next button", show=False),
        Binding("left", "app.focus_previous", "Button before", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, queue: Queue, job: int) -> None:
        super().__init__("Names that do not fit", "Nothing is written yet · Esc later")
        self._queue, self._job = queue, job
        self.answers_job = job
        self._busy = False

    def compose_body(self) -> ComposeResult:
        yield Static("", id="what", markup=False)
        with VerticalScroll(id="misfits", classes="gap"):
            yield Static("", id="list", markup=False)
        yield Static(_meanings(), id="meanings", classes="gap explanation")
        with Horizontal(classes="buttons"):
            for way, (key, word, _) in WAYS.items():
                yield Button(Content(f"{key} {word}"), compact=True, id=str(way))
        yield feedback()

    def on_mount(self) -> None:
        self.query_one("#misfits").can_focus = False
        self.query_one(f"#{Names.LOOKALIKE}").focus()
        self.run_worker(self._load(), group="names")

    async def _load(self) -> None:
        try:
            misfits = await self.hear(lambda: self._queue.misfits(self._job))
        except Exception as error:  # the screen under this one goes on
            report(self.app, error)
            self.dismiss(None)
            return
        if not misfits.total:  # somebody else was quicker
            self.dismiss(None)
            return
        self._show(misfits)

    def _show(self, misfits: Misfits) -> None:
        does = "does" if all(misfit.sure for misfit in misfits.first) else "may"
        self.query_one("#what", Static).update(
            plain(f"The target's filesystem {does} not take {fmt.misfits(misfits)}:")
        )
        lines = [_line(misfit) for misfit in misfits.first]
        if misfits.total > len(misfits.first):
            lines.append(Content(f"and {fmt.count(misfits.total - len(misfits.first))} more"))
        self.query_one("#list", Static).update(Content("\n").join(lines))

    def action_scroll(self, lines: int) -> None:
        self.query_one("#misfits", VerticalScroll).scroll_relative(y=lines, animate=False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_answer(event.button.id or "")

    def action_answer(self, way: str) -> None:
        if not self._busy:
            self._busy = True
            self.run_worker(self._answer(Names(way)), group="names")

    async def _answer(self, way: Names) -> None:
        try:
            quicker = await self.hand_over(lambda: self._queue.set_names([self._job], way))
        except Exception as error:  # the job still waits, and can be answered again
            self.report(error)
            self._busy = False
            return
        if quicker:
            tell(self.app, f"{quicker}.", "error")
        self.dismiss(None)


def _line(misfit: Misfit) -> Content:
    """Return where it is, why it does not fit, and what look-alikes would make of it."""
    becomes = f" → {visible(misfit.becomes)}" if misfit.becomes else ""
    why = visible(misfit.why)
    return Content.assemble(plain(visible(str(misfit.source)) + becomes), "\n  ", (why, "$quiet"))


def _meanings() -> Content:
    width = max(len(word) for _, word, _ in WAYS.values())
    return Content("\n").join(
        Content(f"{key} {word:{width}}  {meaning}") for key, word, meaning in WAYS.values()
    )
