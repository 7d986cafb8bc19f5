"""Dialogs on the smallest screens: what is to be chosen is in sight."""

from __future__ import annotations

import pytest
from textual.widgets import Button, Static

from tui.model.entry import EntryKind, Facts
from tui.model.job import Conflict, JobKind, JobState, Question, Request
from tui.model.location import Location
from tui.ui.screens.chmod import ChmodDialog, ModeGrid
from tui.ui.screens.copy_dialog import CopyDialog
from tui.ui.screens.help import Help
from tui.ui.screens.picker import Item, Picker
from tui.ui.screens.question import QuestionScreen, _side
from tui.ui.widgets.choice import Choice
from tui.ui.widgets.words import Words

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


async def asked(s):
    """Open the conflict of the one job."""
    await s.press("w")
    await s.until(lambda: s.main.queue_pane.jobs, "the job shown")
    await s.press("a")
    dialog = await s.dialog(QuestionScreen)
    await s.until(lambda: "backup" in str(dialog.query_one("#target", Static).render()), "the question put")
    await s.pilot.pause()
    return dialog


@pytest.mark.parametrize("size", [(40, 12), (60, 16), (80, 24)])
async def test_a_conflict_shows_both_files_and_every_answer(shell, size):
    async with shell(size=size, prepare=asks) as s:
        dialog = await asked(s)
        box = dialog.query_one(".dialog").content_region
        buttons = list(dialog.query(Button))
        assert len(buttons) == 8
        assert all(box.contains_region(button.region) for button in buttons)
        assert all(str(button.label) in button.render_line(0).text for button in buttons)
        new = str(dialog.query_one("#source", Static).render()).split("\n")
        assert [line.split()[-1] for line in new[3:]] == ["larger", "newer"]
        assert all(len(line) <= dialog.query_one("#source").size.width for line in new)


async def test_the_answer_that_changes_nothing_has_the_focus_from_the_first_on(shell, monkeypatch):
    focused = []
    set_focus = QuestionScreen.set_focus

    def note(screen, widget, *args, **options):
        focused.append(widget and widget.id)
        set_focus(screen, widget, *args, **options)

    monkeypatch.setattr(QuestionScreen, "set_focus", note)
    async with shell(prepare=asks) as s:
        dialog = await asked(s)
        assert focused == ["skip-one"]
        assert dialog.focused.id == "skip-one"


@pytest.mark.parametrize("size", [(40, 12), (60, 16), (80, 24)])
async def test_down_and_up_go_to_the_answer_that_stands_there(shell, size):
    async with shell(size=size, prepare=asks) as s:
        dialog = await asked(s)
        first = dialog.focused.region
        await s.press("down")
        below = dialog.focused.region
        assert below.x == first.x
        assert not [
            b for b in dialog.query(Button) if b.region.x == first.x and first.y < b.region.y < below.y
        ]
        await s.press("up")
        assert dialog.focused.region == first


@pytest.mark.parametrize("size", [(40, 12), (60, 16)])
async def test_both_sides_of_a_conflict_tell_size_and_time_in_the_same_form(shell, size):
    async with shell(size=size, prepare=asks) as s:
        dialog = await asked(s)
        new, old = (
            str(dialog.query_one(side, Static).render()).split("\n")[3:] for side in ("#source", "#target")
        )
        said = [
            line.removesuffix(remark).rstrip() for line, remark in zip(new, ("larger", "newer"), strict=True)
        ]
        assert [len(line) for line in said] == [len(line.rstrip()) for line in old]


async def test_times_of_one_day_are_told_apart_where_there_is_no_room_for_both():
    first, second = (Facts(EntryKind.FILE, 1, (DAY_S + minute * 60) * 10**9) for minute in (10, 5))
    question = Question(1, 1, NEW, OLD, first, second, asked_at=1.0)
    shown = str(_side("New", question, first, second, 14)).split("\n")[-1]
    assert shown.split()[-1] == "newer"
    assert ":10" in shown


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (80, 24)])
async def test_every_option_of_a_copy_can_be_seen(shell, size):
    async with shell(size=size) as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        await s.pilot.pause()
        for row in dialog.query(Words):
            drawn = "".join(row.render_line(y).text for y in range(row.size.height))
            assert all(word in drawn for word, _ in row.options), drawn


async def test_an_option_that_stands_in_the_second_line_is_chosen_by_a_click(shell):
    async with shell(size=(60, 20)) as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        rules = dialog.query_one("#conflict", Choice)
        await s.until(lambda: rules.size.height == 2, "two lines")
        await s.pilot.click(rules, offset=(3, 1))
        await s.until(lambda: rules.value is Conflict.RENAME, "the last one chosen")


@pytest.mark.parametrize("width", [40, 60, 80])
async def test_a_dialog_says_how_to_leave_it_whatever_the_width(shell, width):
    async with shell(size=(width, 24)) as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        box = dialog.query_one(".dialog")
        await s.until(lambda: len(str(box.border_subtitle)) <= width - 6, "the keys fit")
        assert str(box.border_subtitle).startswith("Enter queue it")
        assert str(box.border_subtitle).endswith("Esc leave")


@pytest.mark.parametrize("width", [40, 60, 80])
async def test_help_keeps_keys_beside_what_they_do(shell, width):
    async with shell(size=(width, 24)) as s:
        await s.press("f1")
        dialog = await s.dialog(Help)
        await s.pilot.pause()
        room = dialog.query_one("#list").scrollable_content_region.width
        shown = dialog.text("").plain.split("\n")
        assert max(map(len, shown)) <= room
        assert any(line.endswith("Ctrl+X y") for line in shown)


def test_a_name_comes_before_what_is_told_of_it(monkeypatch):
    picker = Picker("Hosts", [])
    monkeypatch.setattr(Picker, "cells_inside", lambda self, cells: 35)
    assert picker.line(Item(1, "harbour", "from the ssh configuration")).plain.startswith("harbour ")
    long = picker.line(Item(1, "a" * 40, "b" * 40)).plain
    assert len(long) == 35
    assert long.count("…") == 2


@pytest.mark.parametrize("width", [40, 60, 80])
async def test_every_permission_has_its_box_where_a_click_changes_it(shell, width):
    async with shell(size=(width, 24)) as s:
        await s.cursor_on("notes.txt")
        await s.press("ctrl+x", "c")
        dialog = await s.dialog(ChmodDialog)
        await s.pilot.pause()
        grid = dialog.query_one(ModeGrid)
        assert grid.render_line(3).text.rstrip().endswith("sticky")
        before = grid.mode
        box = grid.render_line(3).text.rindex("[")
        await s.pilot.click(grid, offset=(box + 1, 3))
        await s.until(lambda: grid.mode == before ^ 0o1000, "the sticky bit changed")


async def test_a_dialog_higher_than_the_screen_scrolls_to_what_has_the_focus(shell):
    async with shell(size=(40, 12)) as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        await s.press("shift+tab")
        await s.until(lambda: dialog.focused.id == "paused", "the last option")
        box = dialog.query_one(".dialog").content_region
        await s.until(lambda: box.contains_region(dialog.focused.region), "in sight")
