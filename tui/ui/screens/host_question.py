"""What a host asks, put to the person: a password, a code, or whether its key is the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from tui.model.ask import YES, AskKind
from tui.model.error import FerryError
from tui.ui.notes import report, saying_when_slow
from tui.ui.screens.dialog import Dialog, feedback
from tui.visible import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.client.base import Client
    from tui.model.ask import HostQuestion

_TITLES = {
    AskKind.PASSWORD: "Password for",
    AskKind.PASSPHRASE: "Passphrase for",
    AskKind.CODE: "Sign in to",
    AskKind.HOST_KEY: "Unknown host",
}
_WRONG = {
    AskKind.PASSWORD: "That password was wrong. Try again.",
    AskKind.PASSPHRASE: "That passphrase was wrong. Try again.",
    AskKind.CODE: "That answer was not accepted. Try again.",
}


def shown_lines(text: str) -> str:
    """Return a host's text line by line, with all in it shown that a terminal would obey."""
    return "\n".join(visible(line) for line in text.strip("\n").splitlines())


class SecretInput(Input):
    """A line that shows nothing of what is typed, and puts nothing of it on the clipboard."""

    def action_copy(self) -> None:
        pass

    def action_cut(self) -> None:
        self.delete_selection()


class HostQuestionScreen(Dialog[None]):
    """Puts one question. Leaving it answers nothing: it stays open, and can be asked for again.

    Args:
        client: Takes the answer.
        question: What is asked.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Before", show=False),
    ]

    def __init__(self, client: Client, question: HostQuestion) -> None:
        keys = "Tab, Enter choose · Esc later" if self._is_key(question) else "Enter answer · Esc later"
        super().__init__(f"{_TITLES[question.ask.kind]} {visible(question.ask.host)}", keys)
        self.client, self.question = client, question
        self.was_answered = False

    @staticmethod
    def _is_key(question: HostQuestion) -> bool:
        return question.ask.kind is AskKind.HOST_KEY

    def compose_body(self) -> ComposeResult:
        ask = self.question.ask
        with VerticalScroll(id="said", can_focus=False):
            if lines := shown_lines(ask.text):
                yield Static(Content(lines), id="text", markup=False)
        if self._is_key(self.question):
            yield Static(
                "Compare it with what whoever runs the host tells you. If you say Yes, Ferry will remember it"
                " in known_hosts.",
                classes="explanation",
                markup=False,
            )
        elif ask.secret:
            yield SecretInput(password=True, compact=True, id="typed")
        else:
            yield Input(compact=True, id="typed")
        yield feedback(_WRONG[ask.kind] if ask.retry and ask.kind in _WRONG else "")
        with Horizontal(classes="buttons"):
            if self._is_key(self.question):
                yield Button("No", compact=True, id="no")
                yield Button("Yes", compact=True, id="yes", variant="primary")
            else:
                yield Button("Give up", compact=True, id="give-up", variant="error")
                yield Button("Answer", compact=True, id="answer", variant="primary")

    def on_mount(self) -> None:
        self.query_one("#feedback").set_class(self.question.ask.retry, "-wrong")
        self.query_one("#no" if self._is_key(self.question) else "#typed").focus()

    @on(Input.Submitted, "#typed")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._answer(event.value)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        answers = {"yes": YES, "no": "no", "give-up": None}
        name = event.button.id or ""
        self._answer(answers[name] if name in answers else self.query_one("#typed", Input).value)

    def _answer(self, text: str | None) -> None:
        if self.was_answered:
            return
        self.was_answered = True
        self.run_worker(self._send(text), group="answer", exit_on_error=False)

    async def _send(self, text: str | None) -> None:
        try:
            with saying_when_slow(self, lambda text: self.say(text, wrong=True)):
                await self.client.answer_host(self.question.id, text)
        except FerryError as error:  # somebody else was faster, or the engine has gone
            report(self.app, error)
        self.leave()

    def leave_as_answered(self) -> bool:
        """Go away because somebody else has answered, or nobody waits any more; say whether it was open till now."""
        if self.was_answered:
            return False
        self.was_answered = True
        self.leave()
        return True

    def leave(self) -> None:
        if self.is_current:
            self.dismiss(None)
