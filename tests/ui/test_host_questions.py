"""What hosts ask: put to the person once, answered, put off or given up; and kept to where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual import events
from textual.widgets import Button, Input

from tui.model.ask import YES, Ask, AskKind
from tui.model.job import JobKind, JobState, Request
from tui.model.location import Location
from tui.ui.screens.copy_dialog import CopyDialog
from tui.ui.screens.host_question import HostQuestionScreen, shown_lines
from tui.ui.screens.prompt import Prompt

if TYPE_CHECKING:
    from fake_client import FakeClient

BOX = "sftp://ann@box"
PASSWORD = Ask(AskKind.PASSWORD, "ann@box", "ann@box's password:")
KEY = Ask(AskKind.HOST_KEY, "box:2222", "It shows an ED25519 key:\nSHA256:abc", secret=False)
TO_BOX = Request(
    kind=JobKind.COPY, sources=(Location("/home/ann/todo.md"),), target=Location("/srv", "sftp", "ann@box")
)


async def said(dialog: Any, where: str) -> str:
    return str(dialog.query_one(where).render())


async def test_a_password_is_asked_for_masked_and_sent_with_enter(shell):
    async with shell() as s:
        question = s.client.ask_host(BOX, PASSWORD)
        dialog = await s.dialog(HostQuestionScreen)
        assert dialog.query_one(".dialog").border_title == "Password for ann@box"
        assert await said(dialog, "#text") == "ann@box's password:"
        assert dialog.query_one("#typed", Input).password
        await s.press(*"hunter2", "enter")
        await s.back()
        assert s.client.host_answers == [(question.id, "hunter2")]
        assert "hunter2" not in s.app.memory.as_text()
        assert not any("hunter2" in text for text in s.told)


async def test_a_wrong_password_is_said_and_asked_for_again(shell):
    async with shell() as s:
        s.client.ask_host(BOX, PASSWORD, right="right")
        await s.dialog(HostQuestionScreen)
        await s.press(*"wrong", "enter")
        await s.until(lambda: len(s.client.open_host_questions) == 1 and s.client.host_answers)
        await s.until(
            lambda: isinstance(s.app.screen, HostQuestionScreen) and s.app.screen.question.ask.retry
        )
        await s.pilot.pause()
        assert "wrong" in await said(s.app.screen, "#feedback")
        assert s.app.screen.query_one("#typed", Input).value == ""
        await s.press(*"right", "enter")
        await s.back()
        assert [answer for _, answer in s.client.host_answers] == ["wrong", "right"]


async def test_nothing_typed_as_a_secret_gets_onto_the_clipboard(shell):
    async with shell() as s:
        s.client.ask_host(BOX, PASSWORD)
        dialog = await s.dialog(HostQuestionScreen)
        await s.press(*"hunter2", "ctrl+a", "shift+home", "super+c", "ctrl+x")
        await s.pilot.pause()
        assert s.app.clipboard == ""
        assert "hunter2" not in s.app.export_screenshot()
        assert dialog.query_one("#typed", Input).value in ("", "hunter2")
        await s.press("ctrl+c")
        await s.back()
        assert s.app.clipboard == ""


async def test_a_code_is_typed_in_sight_under_the_hosts_own_words_made_harmless(shell):
    async with shell() as s:
        text = "Sent to \x1b]52;c;aGk=\x07you\u202e\nCode:"
        s.client.ask_host(BOX, Ask(AskKind.CODE, "ann@box", text, secret=False))
        dialog = await s.dialog(HostQuestionScreen)
        assert not dialog.query_one("#typed", Input).password
        shown = await said(dialog, "#text")
        assert shown.splitlines()[1] == "Code:"
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_a_hosts_text_keeps_its_lines_and_nothing_a_terminal_obeys() -> None:
    assert shown_lines("\na\r\nb\x07\n") == "a\nb␇"


@pytest.mark.parametrize(("keys", "answer"), [(("enter",), "no"), (("tab", "enter"), YES)])
async def test_an_unknown_key_is_refused_unless_yes_is_chosen(shell, keys, answer):
    async with shell() as s:
        s.client.ask_host(BOX, KEY)
        dialog = await s.dialog(HostQuestionScreen)
        assert "SHA256:abc" in await said(dialog, "#text")
        assert "known_hosts" in await said(dialog, ".explanation")
        assert isinstance(s.app.focused, Button)
        assert s.app.focused.id == "no"
        await s.press("y")  # a letter that was meant for the pane accepts nothing
        assert s.client.host_answers == []
        await s.press(*keys)
        await s.back()
        assert [given for _, given in s.client.host_answers] == [answer]


async def test_giving_up_answers_that_there_is_no_answer(shell):
    async with shell() as s:
        s.client.ask_host(BOX, PASSWORD)
        await s.dialog(HostQuestionScreen)
        await s.press("tab", "enter")
        await s.back()
        assert [answer for _, answer in s.client.host_answers] == [None]


async def test_escape_puts_it_off_and_it_does_not_open_by_itself_again(shell):
    async with shell() as s:
        s.client.ask_host(BOX, PASSWORD)
        await s.dialog(HostQuestionScreen)
        await s.press("escape")
        await s.back()
        job = s.client.add_job(TO_BOX)  # another update, with the question still in it
        await s.until(lambda: len(s.main.queue_pane.jobs) == 1)
        assert s.app.screen is s.main
        assert s.client.host_answers == []
        s.client.set_job(job.id, state=JobState.RUNNING)
        await s.press("ctrl+g")
        await s.dialog(HostQuestionScreen)


async def test_what_was_answered_elsewhere_leaves_the_screen(shell):
    async with shell() as s:
        question = s.client.ask_host(BOX, PASSWORD)
        await s.dialog(HostQuestionScreen)
        await s.press(*"hun")
        s.client.end_host_question(question.id)
        await s.back()
        assert s.client.host_answers == []
        await s.press("ctrl+g")
        await s.until(lambda: "No host asks anything." in s.told)


async def test_over_another_dialog_there_is_only_a_hint_and_a_key_opens_it(shell):
    async with shell() as s:
        await s.press("f7")
        prompt = await s.dialog(Prompt)
        await s.press("n", "e")
        s.client.ask_host(BOX, PASSWORD)
        await s.until(
            lambda: any("ann@box asks for a password. Ctrl+G answers it." in text for text in s.told)
        )
        assert s.app.screen is prompt
        await s.press("w")
        assert prompt.query_one("#typed", Input).value == "new"
        await s.press("ctrl+g")
        await s.dialog(HostQuestionScreen)
        await s.press(*"secret", "enter")
        await s.until(lambda: s.app.screen is prompt)
        assert prompt.query_one("#typed", Input).value == "new"


async def test_where_somebody_types_into_a_line_nothing_opens_under_the_fingers(shell):
    async with shell() as s:
        await s.press("/", "t")
        s.client.ask_host(BOX, PASSWORD)
        await s.until(lambda: any("Ctrl+G answers it" in text for text in s.told))
        assert s.app.screen is s.main


async def test_two_questions_are_put_one_after_the_other(shell):
    async with shell() as s:
        s.client.ask_host(BOX, PASSWORD)
        await s.dialog(HostQuestionScreen)
        s.client.ask_host("sftp://nas", Ask(AskKind.PASSWORD, "nas", ""))
        await s.until(lambda: any("nas asks for a password" in text for text in s.told))
        await s.press("a", "enter")
        await s.until(lambda: isinstance(s.app.screen, HostQuestionScreen) and s.app.screen.question.id == 2)
        await s.press("b", "enter")
        await s.back()
        assert s.client.host_answers == [(1, "a"), (2, "b")]


async def test_an_answer_that_comes_too_late_is_told(shell):
    async with shell() as s:
        s.client.ask_host(BOX, PASSWORD)
        await s.dialog(HostQuestionScreen)
        s.client.open_host_questions.clear()
        await s.press("a", "enter")
        await s.back()
        await s.until(lambda: any("answered already" in text for text in s.told))


async def test_a_job_that_waits_for_a_host_says_so_and_a_answers_it(shell):
    async with shell(size=(100, 30)) as s:
        job = s.client.add_job(TO_BOX, state=JobState.WAITING, wants_host=True)
        s.client.ask_host("sftp://nas", Ask(AskKind.PASSWORD, "nas", ""))
        await s.dialog(HostQuestionScreen)
        await s.press("escape")
        s.client.ask_host(BOX, PASSWORD, jobs=(job.id,))
        await s.dialog(HostQuestionScreen)
        await s.press("escape")
        await s.back()
        queue = s.main.queue_pane
        await s.until(
            lambda: any("waits for an answer: press a" in queue.render_line(y).text for y in range(5))
        )
        assert not any("has a question" in text for text in s.told)
        await s.press("w", "a")
        dialog = await s.dialog(HostQuestionScreen)
        assert dialog.question.jobs == (job.id,)


async def test_a_in_the_queue_answers_a_host_that_no_job_waits_for(shell):
    async with shell() as s:
        s.client.ask_host(BOX, PASSWORD)
        await s.dialog(HostQuestionScreen)
        await s.press("escape")
        await s.back()
        await s.press("w", "a")
        await s.dialog(HostQuestionScreen)


async def test_what_a_copy_dialog_waits_for_is_put_over_it(shell):
    def locked(client: FakeClient) -> None:
        client.far(BOX, {"srv": {}})
        client.ask_first(BOX, PASSWORD)

    async with shell(prepare=locked) as s:
        await s.cursor_on("todo.md")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        dialog.query_one("#target", Input).value = f"{BOX}/srv/"
        await s.pilot.pause()
        assert s.app.screen is dialog
        await s.press("enter")
        await s.dialog(HostQuestionScreen)
        assert "asking ann@box …" in str(dialog.query_one("#feedback").render())
        await s.press(*"secret", "enter")
        await s.back()
        await s.until(lambda: s.client.requests)
        assert s.client.requests[1].target == Location("/srv", "sftp", "ann@box")


async def connecting(s: Any) -> None:
    """Have the pane in use connect to a host that takes its time."""
    s.client.far(BOX, {"srv": {"a.txt": b"a"}})
    s.client.hang("sftp://ann@box/srv")
    s.main.pane.go(Location("/srv", "sftp", "ann@box"))
    await s.until(lambda: s.main.pane.connects)


def type_at_once(s: Any, *keys: str) -> None:
    for key in keys:
        s.app.post_message(events.Key(key, key if len(key) == 1 else None))


def pause(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Have keys be one row that follow each other faster than that."""
    patch.setattr("tui.ui.stray_text.PAUSE_S", seconds)


def typed_into(dialog: HostQuestionScreen) -> str:
    """What stands in the line of a question, which may not be there yet."""
    return "".join(line.value for line in dialog.query("#typed").results(Input))


async def test_a_password_typed_before_the_host_asks_commands_nothing(shell, monkeypatch):
    async with shell() as s:
        pause(monkeypatch, 60)
        await connecting(s)
        type_at_once(s, *"wquDx", "enter")
        await s.until(lambda: any("was left out" in text for text in s.told))
        assert s.app.focused is s.main.pane
        assert s.app.screen is s.main
        pause(monkeypatch, 0)
        s.client.ask_host(BOX, PASSWORD)
        dialog = await s.dialog(HostQuestionScreen)
        type_at_once(s, *"hunter2")
        await s.until(lambda: typed_into(dialog) == "hunter2")


async def test_single_keys_command_while_a_host_takes_its_time(shell):
    async with shell() as s:
        await connecting(s)
        type_at_once(s, "w")
        await s.until(lambda: s.app.focused is s.main.queue_pane, "the queue")
        type_at_once(s, "escape")
        await s.until(lambda: s.app.focused is s.main.pane)
        type_at_once(s, "escape")
        await s.until(lambda: s.main.pane.location.is_local, "it was given up")


async def test_keys_that_come_in_as_a_question_opens_are_no_answer_to_it(shell, monkeypatch):
    async with shell() as s:
        pause(monkeypatch, 60)
        await s.cursor_on("notes.txt")
        type_at_once(s, *"jk")
        await s.until(lambda: s.app._type_ahead._given_to is not None)
        s.client.ask_host(BOX, KEY)
        await s.until(lambda: isinstance(s.app.screen, HostQuestionScreen))
        type_at_once(s, *"jk", "enter")
        await s.until(lambda: any("was left out" in text for text in s.told))
        await s.until(lambda: not s.app._type_ahead._keys)
        assert isinstance(s.app.screen, HostQuestionScreen)
        assert s.client.host_answers == []
        pause(monkeypatch, 0)
        await s.press("enter")
        await s.until(lambda: [answer for _, answer in s.client.host_answers] == ["no"])


async def test_the_rest_of_a_password_somebody_else_gave_meanwhile_commands_nothing(shell, monkeypatch):
    async with shell() as s:
        pause(monkeypatch, 60)
        await s.cursor_on("notes.txt")
        question = s.client.ask_host(BOX, PASSWORD)
        await s.dialog(HostQuestionScreen)
        await s.press(*"hun")
        await s.client.answer_host(question.id, "hunter2")
        await s.back()
        type_at_once(s, *"Dwq", "enter")
        await s.until(lambda: any("was left out" in text for text in s.told))
        await s.until(lambda: not s.app._type_ahead._keys)
        assert s.app.screen is s.main
        assert s.app.focused is s.main.pane
        assert s.main.pane.current.name == "notes.txt"
