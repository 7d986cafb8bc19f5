"""Dialogs about entries with the longest names there are: what they ask stays on the screen."""

from __future__ import annotations

import pytest
from textual.geometry import Region
from textual.widgets import Button

from tui.model.entry import EntryKind, Facts, Space
from tui.model.job import JobError, JobKind, JobState, Progress, Question, Request
from tui.model.location import Location
from tui.ui import notes
from tui.ui.screens.cancel_jobs import CancelJobs
from tui.ui.screens.confirm import Confirm
from tui.ui.screens.copy_dialog import CopyDialog
from tui.ui.screens.dialog import Box
from tui.ui.screens.information import Information
from tui.ui.screens.job_details import JobDetails
from tui.ui.screens.job_errors import JobErrors
from tui.ui.screens.question import QuestionScreen, in_two_lines
from tui.ui.screens.totals import TotalsLine

SIZES = [(200, 50), (80, 24), (60, 20), (60, 19), (40, 12)]
PLAIN, SPACED, WIDE = "a" * 251 + ".txt", "many words " * 22 + "end.txt", "漢" * 83 + ".txt"
NAMES = pytest.mark.parametrize("name", [PLAIN, SPACED, WIDE], ids=["plain", "spaced", "wide"])


def all_in(screen, *widgets):
    """Say whether widgets are within the box of a dialog, and that is on the screen."""
    box = screen.query_one(Box).region
    return box in screen.region and all(
        widget.region.area and widget.region in box.shrink((1, 1, 1, 1)) for widget in widgets
    )


def painted(screen, selector):
    """Return the text of a widget that is on the screen, of as many lines as it has."""
    widget = screen.query_one(selector)
    return "\n".join(strip.text for strip in widget.render_lines(Region(0, 0, *widget.size)))


def job_about(s, name, **more):
    folder = Location("/home/ann")
    request = Request(
        kind=JobKind.COPY, sources=(folder.child(name),), target=Location("/mnt").child(name), into=True
    )
    return s.client.add_job(request, **more)


@NAMES
@pytest.mark.parametrize("size", SIZES)
async def test_all_answers_to_a_conflict_have_room(shell, size, name):
    async with shell(size=size) as s:
        job = job_about(s, name, state=JobState.WAITING)
        facts = Facts(EntryKind.FILE, 5_000, 10**18)
        source, target = Location("/home/ann").child(name), Location("/mnt").child(name)
        for number in (1, 2):
            s.client.add_question(Question(number, job.id, source, target, facts, facts, 0.0))
        await s.until(lambda: s.main.queue_pane.jobs, "job shown")
        await s.press("w", "a")
        dialog = await s.dialog(QuestionScreen)
        await s.until(lambda: dialog.question is not None, "put")
        await s.pilot.pause()
        if size[1] >= 19:
            assert all_in(dialog, *dialog.query(Button), dialog.query_one("#what"))
            assert "1 more of job 1" in painted(dialog, "#what")
        else:
            assert all_in(dialog, dialog.focused)


@NAMES
@pytest.mark.parametrize("size", SIZES)
async def test_the_buttons_before_something_is_cancelled_or_removed_can_be_seen(shell, size, name):
    async with shell({"home": {"ann": {name: b"x"}}}, size=size, right="/home") as s:
        await s.cursor_on(name)
        await s.press("f8")
        dialog = await s.dialog(Confirm)
        assert all_in(dialog, dialog.focused)
        await s.press("escape")
        await s.back()
        job_about(s, name, state=JobState.RUNNING)
        await s.until(lambda: s.main.queue_pane.jobs, "job shown")
        await s.press("w", "x")
        dialog = await s.dialog(CancelJobs)
        assert all_in(dialog, dialog.focused)


@pytest.mark.parametrize("size", [*SIZES, (44, 19)])
async def test_every_field_of_a_copy_is_seen_when_it_has_the_focus(shell, size):
    def crowded(client):
        client.free = Space(free_bytes=100, size_bytes=1000, free_files=10)

    name = PLAIN
    tree = {"home": {"ann": {name: b"x" * 200}}, "mnt": {"backup": {name: b"y"}}}
    async with shell(tree, size=size, prepare=crowded) as s:
        await s.cursor_on(name)
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        await s.until(lambda: "too little" in str(dialog.query_one("#feedback").render()), "room looked at")
        await s.pilot.pause()
        for field in dialog.focus_chain:
            dialog.set_focus(field)
            await s.until(lambda field=field: all_in(dialog, field), f"{field} seen")


@pytest.mark.parametrize("size", SIZES)
async def test_all_that_is_known_of_an_entry_can_be_scrolled_to(shell, size):
    async with shell({"home": {"ann": {PLAIN: b"x"}}}, size=size, right="/home") as s:
        await s.cursor_on(PLAIN)
        await s.press("I")
        dialog = await s.dialog(Information)
        await s.press(*["down"] * 20)
        await s.until(lambda: all_in(dialog, dialog.query_one(TotalsLine)), "the end")
        await s.press(*["up"] * 20)
        await s.until(lambda: all_in(dialog, dialog.query(".name").first()), "the beginning")


@pytest.mark.parametrize("size", SIZES)
async def test_that_the_engine_does_not_answer_has_room_below_long_details(shell, size, monkeypatch):
    monkeypatch.setattr(notes, "SLOW_S", 0.01)
    async with shell(size=size) as s:
        job_about(s, PLAIN, state=JobState.RUNNING, progress=Progress(1, 9, 2_000, 9_000))
        await s.until(lambda: s.main.queue_pane.jobs, "job shown")
        s.client.freeze()
        await s.press("w", "enter")
        dialog = await s.dialog(JobDetails)
        await s.until(lambda: dialog.query_one("#feedback").region.area, "said")
        await s.until(lambda: all_in(dialog, dialog.query_one("#feedback")), "in its box")
        s.client.thaw()


@NAMES
@pytest.mark.parametrize("size", SIZES[:-1])
async def test_an_error_is_told_in_full_below_a_list_of_many(shell, size, name):
    async with shell(size=size) as s:
        job = job_about(s, name, state=JobState.RUNNING, progress=Progress(1, 9, 0, 0))
        where = Location("/home/ann").child(name)
        for number in range(60):
            error = JobError(
                number,
                job.id,
                where,
                "PermissionDenied",
                f"cannot read {where}: permission denied",
                "Retry.",
                0.0,
            )
            s.client.add_error(error)
        await s.until(lambda: s.main.queue_pane.jobs, "job shown")
        await s.press("w", "e")
        dialog = await s.dialog(JobErrors)
        await s.until(lambda: "Retry." in str(dialog.query_one("#error").render()), "told")
        await s.pilot.pause()
        assert all_in(dialog, dialog.query_one("#errors"), dialog.query_one("#error"))
        assert "Retry." in painted(dialog, "#error")


def test_a_short_name_is_one_line_also_before_a_dialog_has_its_width():
    assert in_two_lines("notes.txt", "", 0) == "notes.txt"
