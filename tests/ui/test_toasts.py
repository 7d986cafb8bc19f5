"""Messages over a dialog: beside its box, or after it."""

from __future__ import annotations

import pytest
from textual.notifications import Notification
from textual.widgets._toast import Toast

from tui.model.job import JobKind, JobState, Progress, Request
from tui.model.location import Location
from tui.ui.screens.copy_dialog import CopyDialog
from tui.ui.screens.dialog import Box
from tui.ui.screens.help import Help
from tui.ui.screens.job_errors import JobErrors
from tui.ui.screens.prompt import Prompt
from tui.ui.toasts import fitting

COPY = Request(
    kind=JobKind.COPY, sources=(Location("/home/ann/notes.txt"),), target=Location("/mnt/backup"), into=True
)
LONG = (
    "A message of so many words that a screen of eighty columns needs three of its lines to show all of it. "
)


def toasts(screen):
    """Return the messages that a screen shows, as they are painted."""
    return [toast for toast in screen.query(Toast) if toast.region.area]


def texts(screen):
    return [str(toast.render()) for toast in toasts(screen)]


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 12), (200, 50)])
@pytest.mark.parametrize(("key", "kind"), [("f5", CopyDialog), ("f1", Help), ("f7", Prompt)])
async def test_no_message_of_a_job_lies_over_a_dialog(shell, size, key, kind):
    async with shell(size=size) as s:
        await s.cursor_on("notes.txt")
        await s.press(key)
        dialog = await s.dialog(kind)
        for number in range(4):
            s.main.tell(f"{number} {LONG}", "error")
        await s.until(lambda: len(s.app._notifications) == 4, "told")
        await s.pilot.pause()
        box = dialog.query_one(Box).region
        assert not [toast for toast in toasts(dialog) if toast.region.overlaps(box)]
        await s.press("escape")
        await s.back()
        await s.until(lambda: len(toasts(s.main)) == 4, "all are told when it has gone")


async def test_a_message_that_waited_for_the_end_of_a_dialog_has_its_full_time(shell):
    async with shell(size=(80, 24)) as s:
        await s.cursor_on("notes.txt")
        await s.press("f1")
        await s.dialog(Help)
        s.main.tell(LONG)
        await s.until(lambda: len(s.app._notifications) == 1, "told")
        await s.pilot.pause()
        (note,) = s.app._notifications
        note.raised_at -= 3600
        assert list(s.app._notifications) == [note]
        await s.press("escape")
        await s.until(lambda: toasts(s.main), "shown")
        assert note.timeout == 4
        assert note.time_left > 3


async def test_a_message_with_room_above_a_dialog_is_told_at_once(shell):
    async with shell(size=(80, 24)) as s:
        await s.cursor_on("notes.txt")
        await s.press("f7")
        prompt = await s.dialog(Prompt)
        s.main.tell("Copied: notes.txt.")
        await s.until(lambda: texts(prompt) == ["Copied: notes.txt."], "shown")
        await s.pilot.resize_terminal(80, 6)
        await s.until(lambda: not toasts(prompt), "no room any more")
        await s.pilot.resize_terminal(80, 24)
        await s.until(lambda: toasts(prompt), "room again")


async def test_what_stood_on_the_screen_does_not_stand_below_a_dialog_too(shell):
    async with shell(size=(80, 24)) as s:
        await s.cursor_on("notes.txt")
        s.main.tell(LONG, "error")
        await s.until(lambda: toasts(s.main), "shown")
        await s.press("f1")
        await s.dialog(Help)
        await s.until(lambda: not s.main.query(Toast), "gone")
        await s.press("escape")
        await s.until(lambda: toasts(s.main), "back")


async def test_no_message_lies_over_the_palette(shell):
    async with shell(size=(80, 24)) as s:
        await s.press("ctrl+p")
        await s.until(lambda: s.app.screen is not s.main, "open")
        palette = s.app.screen
        await s.until(lambda: palette.query_one("#--input").region.area, "laid out")
        for number in range(3):
            s.main.tell(f"word {number}")
        await s.until(lambda: texts(palette) == ["word 1", "word 2"], "as many as have room")
        assert not any(
            toast.region.overlaps(palette.query_one("#--input").region) for toast in toasts(palette)
        )


async def test_what_a_dialog_has_to_say_itself_stands_in_it(shell):
    async with shell(size=(80, 24)) as s:
        job = s.client.add_job(COPY, state=JobState.RUNNING, progress=Progress(1, 9, 0, 0, errors=1))
        await s.until(lambda: s.main.queue_pane.jobs, "job shown")
        await s.press("w", "e")
        dialog = await s.dialog(JobErrors)
        await s.press("r")
        said = dialog.query_one("#feedback")
        await s.until(lambda: said.region.area, "said")
        assert str(said.visual) == "Retry is possible when the job has ended."
        assert said.region in dialog.query_one(Box).region
        assert job.id == 1


def note(text: str, severity: str, raised_at: float) -> Notification:
    return Notification(text, severity=severity, raised_at=raised_at)  # type: ignore[arg-type]


def test_errors_have_room_before_other_messages_and_the_last_before_older_ones():
    notes = [note("an error", "error", 1), note("old", "information", 2), note("new", "information", 3)]
    assert [each.message for each in fitting(notes, 2, 80)] == ["an error", "new"]
    assert [each.message for each in fitting(notes, 1, 80)] == ["an error"]
    assert fitting(notes, 0, 80) == []


def test_a_message_has_room_for_all_of_its_lines_or_for_none():
    long = note(LONG, "information", 1)
    assert fitting([long], 1, 80) == []
    assert fitting([long], 2, 80) == [long]
    assert fitting([long], 2, 40) == []


async def test_a_message_on_a_narrow_screen_is_seen_to_its_last_line(shell):
    path = "/home/ann/.local/state/ferry/edits/edit-i71x2k6f/report.txt"
    async with shell(size=(60, 20)) as s:
        for length in range(44, 54):
            s.app.notify(f"{'x' * length} {path}.", timeout=60)
            await s.until(lambda: toasts(s.app.screen), "shown")
            await s.pilot.pause()
            (toast,) = toasts(s.app.screen)
            assert s.app.screen.find_widget(toast).visible_region == toast.region
            s.app.clear_notifications()
            await s.until(lambda: not toasts(s.app.screen), "gone")
