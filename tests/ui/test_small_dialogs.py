"""Dialogs on the smallest screens: what is to be chosen is in sight."""

from __future__ import annotations

import pytest
from textual.widgets import Button, Static

from tui.model.entry import EntryKind, Facts
from tui.model.job import JobKind, JobState, Question, Request
from tui.model.location import Location
from tui.ui.screens.copy_dialog import CopyDialog
from tui.ui.screens.question import QuestionScreen

DAY_S, GIB = 86_400, 1 << 30
NEW, OLD = Location("/home/ann/backup.tar.zst"), Location("/mnt/backup/backup.tar.zst")


def asks(client):
    job = client.add_job(
        Request(kind=JobKind.COPY, sources=(NEW,), target=OLD.parent), state=JobState.RUNNING
    )
    facts = [
        Facts(EntryKind.FILE, 41 * GIB, DAY_S * 2 * 10**9),
        Facts(EntryKind.FILE, 40 * GIB, DAY_S * 10**9),
    ]
    client.add_question(Question(1, job.id, NEW, OLD, *facts, asked_at=1.0))


@pytest.mark.parametrize("size", [(40, 12), (60, 16), (80, 24)])
async def test_a_conflict_shows_both_files_and_every_answer(shell, size):
    async with shell(size=size, prepare=asks) as s:
        await s.press("w")
        await s.until(lambda: s.main.queue_pane.jobs, "the job shown")
        await s.press("a")
        dialog = await s.dialog(QuestionScreen)
        await s.until(
            lambda: "backup" in str(dialog.query_one("#target", Static).render()), "the question put"
        )
        await s.pilot.pause()
        box = dialog.query_one(".dialog").content_region
        buttons = list(dialog.query(Button))
        assert len(buttons) == 8
        assert all(box.contains_region(button.region) for button in buttons)
        new = str(dialog.query_one("#source", Static).render()).split("\n")
        assert [line.split()[-1] for line in new[3:]] == ["larger", "newer"]
        assert all(len(line) <= dialog.query_one("#source").size.width for line in new)


async def test_a_dialog_higher_than_the_screen_scrolls_to_what_has_the_focus(shell):
    async with shell(size=(40, 12)) as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        await s.press("shift+tab")
        await s.until(lambda: dialog.focused.id == "paused", "the last option")
        box = dialog.query_one(".dialog").content_region
        await s.until(lambda: box.contains_region(dialog.focused.region), "in sight")
