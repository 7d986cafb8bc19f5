"""The screen as a whole: layout, focus, keys, help, menu, themes, leaving."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace
from textual import events
from textual.geometry import Region
from textual.widgets import Input

from tui.config import ConfirmSettings, ScreenSettings
from tui.model.entry import EntryKind, Facts
from tui.model.job import JobKind, JobState, Progress, Question, Request
from tui.model.location import Location
from tui.ui import notes
from tui.ui.app import LONGEST_LINE, Ferry
from tui.ui.screens.confirm import Confirm
from tui.ui.screens.help import Help
from tui.ui.screens.main import MainScreen
from tui.ui.screens.menu import Menu
from tui.ui.screens.picker import Picker
from tui.ui.screens.prompt import Prompt
from tui.ui.screens.question import QuestionScreen
from tui.ui.widgets.key_bar import KeyBar
from tui.ui.widgets.path_input import PathInput

COPY = Request(kind=JobKind.COPY, sources=(Location("/home/ann/notes.txt"),), target=Location("/mnt/backup"))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (60, 16), (40, 12)])
async def test_the_parts_fill_the_screen_and_never_overlap(shell, size):
    async with shell(size=size) as s:
        main = s.main
        parts = [main.left, main.right, main.queue_pane, main.key_bar]
        regions = [part.region for part in parts if part.region.area]
        assert sum(region.area for region in regions) == size[0] * size[1]
        assert Region.from_union(regions) == Region(0, 0, *size)
        for n, region in enumerate(regions):
            assert not any(region.overlaps(other) for other in regions[n + 1 :])


@pytest.mark.parametrize(("width", "of_width"), [(50, "-narrow"), (160, "-very-wide")])
async def test_the_screen_has_the_class_of_its_width_before_anything_is_in_it(
    shell, monkeypatch, width, of_width
):
    """Else all that is in it would be styled once more with the first resize."""
    first, compose = [], MainScreen.compose
    monkeypatch.setattr(
        MainScreen, "compose", lambda screen: (first.append(screen.classes), compose(screen))[1]
    )
    async with shell(size=(width, 24)) as s:
        assert first == [s.main.classes] == [{of_width}]


async def test_two_panes_of_forty_cells_at_eighty(shell):
    async with shell(size=(80, 24)) as s:
        assert (s.main.left.region.width, s.main.right.region.width) == (40, 40)
        assert s.main.queue_pane.region.height in (5, 6, 7, 8)
        assert s.main.key_bar.region.height == 2


async def test_a_screen_too_small_says_what_it_needs(shell):
    async with shell(size=(39, 12)) as s:
        note = s.main.query_one("#too-small")
        assert note.display
        assert "needs 40×12" in str(note.render())
        assert "39×12" in str(note.render())
        await s.pilot.resize_terminal(80, 24)
        await s.until(lambda: not note.display, "the note gone")


async def test_a_narrow_screen_shows_the_pane_in_use(shell):
    async with shell(size=(50, 20)) as s:
        assert s.main.left.region.width == 50
        await s.press("tab")
        await s.until(lambda: s.main.right.region.width == 50, "the other pane shown")


async def test_the_queue_grows_with_its_jobs_up_to_a_third(shell):
    async with shell(size=(120, 42)) as s:
        low = s.main.queue_pane.region.height
        for _ in range(40):
            s.client.add_job(COPY)
        await s.until(lambda: s.main.queue_pane.region.height == 14, "a third of the screen")
        assert low < 14


async def test_tab_goes_to_the_other_pane_and_w_to_the_queue_and_back(shell):
    async with shell() as s:
        await s.press("tab")
        assert s.app.focused is s.main.right
        await s.press("w")
        assert s.app.focused is s.main.queue_pane
        await s.press("escape")
        assert s.app.focused is s.main.right


async def test_the_key_bar_shows_the_keys_of_what_has_the_focus(shell):
    async with shell() as s:
        bar = s.main.key_bar
        assert bar.render_line(0).text.startswith("F1Help")
        assert bar.render_line(1).text.split() == list("?rieCMAd:q")
        await s.press("w")
        assert "Pause all" in bar.render_line(0).text


async def test_all_keys_of_the_queue_stand_whole_in_the_bar_of_a_small_screen(shell):
    async with shell(size=(80, 24)) as s:
        await s.press("w")
        bar = s.main.key_bar
        words = (bar.render_line(0).text + bar.render_line(1).text).split()
        assert words[-6:] == ["F1", "Help", "F9", "Menu", "F10", "Quit"]
        assert {"Details", "Pause", "Cancel", "Answer", "Errors", "Remove", "Retry"} <= set(words)


async def test_the_key_bar_leaves_out_what_it_has_no_room_for_but_not_help_and_quitting(shell):
    async with shell(size=(60, 16)) as s:
        await s.press("w")
        line = s.main.key_bar.render_line(0).text
        assert line.split()[:4] == ["Enter", "Details", "p", "Pause"]
        assert line.split()[-2:] == ["F10", "Quit"]
        assert "F1 Help" in " ".join(line.split())


async def test_on_a_narrow_screen_the_key_bar_has_numbers_for_the_function_keys(shell):
    async with shell(size=(50, 24)) as s:
        assert s.main.key_bar.render_line(0).text.startswith("1Help2Rena3View")


@pytest.mark.parametrize(("width", "whole"), [(80, True), (60, False)])
async def test_the_key_bar_shows_a_long_key_whole_or_not_at_all(shell, width, whole):
    async with shell(keys={"pane.copy": ("f5", "ctrl+y")}, size=(width, 24)) as s:
        line = s.main.key_bar.render_line(1).text
        assert ("Ctrl+Y" in line) is whole
        assert ("Ctrl" in line) is whole


async def test_the_key_bar_shows_remapped_keys(shell):
    async with shell(keys={"pane.rename": ("f2", "R")}) as s:
        assert s.main.key_bar.render_line(1).text.split()[1] == "R"


@pytest.mark.parametrize(("width", "apart"), [(80, False), (100, True), (120, True)])
async def test_a_key_and_its_word_stand_apart_in_all_of_the_key_bar_or_nowhere(shell, width, apart):
    async with shell(size=(width, 24)) as s:
        bar = s.main.key_bar.render_line(0).text
        assert [f"F{n} {word}" in bar for n, word in ((1, "Help"), (2, "Rename"), (10, "Quit"))] == [
            apart
        ] * 3
        assert all(f"F{n}{' ' * apart}" in bar for n in range(1, 11))


async def test_a_click_on_the_key_bar_runs_the_action(shell):
    async with shell() as s:
        await s.pilot.click(KeyBar, offset=(2, 0))
        await s.dialog(Help)


async def test_after_a_click_beside_everything_keys_still_reach_the_pane(shell):
    async with shell() as s:
        await s.press("tab")
        s.main.set_focus(None)
        await s.until(lambda: s.app.focused is s.main.right, "the pane has the focus again")
        await s.press("down")
        await s.until(lambda: s.main.right.listing.cursor == 1, "the key")


async def test_a_remapped_key_works_and_the_default_one_no_longer(shell):
    async with shell(keys={"app.help": ("ctrl+y",)}) as s:
        await s.press("f1")
        await s.pilot.pause()
        assert s.app.screen is s.main
        await s.press("ctrl+y")
        await s.dialog(Help)


async def test_escape_and_a_digit_stand_for_a_function_key(shell):
    async with shell() as s:
        await s.press("escape", "9")
        await s.dialog(Menu)


async def test_a_sequence_begun_lists_what_may_follow_and_goes_with_it(shell):
    async with shell() as s:
        hints = s.main.hint_bar
        await s.press("g")
        await s.until(lambda: hints.display, "the hints")
        assert any("Go home" in hints.render_line(y).text for y in range(hints.size.height))
        await s.press("escape")
        await s.until(lambda: not hints.display, "the hints gone")


async def test_an_action_that_goes_wrong_is_told_logged_and_survived(shell, monkeypatch, caplog):
    def broken(self: object) -> None:
        raise RuntimeError("a wheel came off")

    async with shell() as s:
        monkeypatch.setattr(type(s.main), "action_swap", broken)
        await s.press("|")
        await s.until(lambda: any("ferry.log" in text for text in s.told), "told where the log is")
        assert "a wheel came off" in caplog.text
        await s.press("tab")
        assert s.app.focused is s.main.right


async def test_help_scrolls_and_finds(shell):
    async with shell() as s:
        await s.press("f1")
        screen = await s.dialog(Help)
        await s.press(*"permissions")
        text = screen.text("permissions").plain
        assert "Change permissions" in text
        assert "Make a folder" not in text
        await s.press("escape")
        await s.back()


async def test_the_menu_runs_the_command_chosen_on_what_had_the_focus(shell):
    async with shell() as s:
        await s.press("tab", ":")
        menu = await s.dialog(Menu)
        await s.press(*"swap the")
        assert menu.current.value.id == "pane.swap"
        await s.press("enter")
        await s.until(lambda: s.main.right.location == Location("/home/ann"), "swapped")
        await s.back()


async def test_the_menu_finds_a_command_by_its_id(shell):
    async with shell() as s:
        await s.press(":")
        menu = await s.dialog(Menu)
        await s.press(*"chmod")
        assert menu.current.value.id == "pane.chmod"


async def test_the_palette_finds_a_command_by_its_id(shell):
    from tui.ui.commands import ActionCommands

    async with shell() as s:
        hits = [hit async for hit in ActionCommands(s.main).search("quit")]
        best = max(hits, key=lambda hit: hit.score)
        assert best.text == "Leave the screen; jobs go on"


async def test_the_palette_offers_the_actions_and_nothing_else(shell):
    from tui.ui.commands import ActionCommands

    async with shell() as s:
        provider = ActionCommands(s.main)
        lines = [str(hit.display) async for hit in provider.discover()]
        hits = [line.partition("  ")[0] for line in lines]
        assert "Swap the panes" in hits
        assert next(line for line in lines if line.startswith("Move to the trash")).endswith("  F8  d")
        assert s.app.COMMANDS == {ActionCommands}
        await s.press("ctrl+p")
        await s.until(lambda: s.app.screen is not s.main, "the palette")


def test_help_fits_beside_its_titles_at_eighty_columns_and_tells_every_key():
    for scope in ("pane", "queue", "viewer"):
        lines = Help(scope, None).text("").plain.split("\n")
        assert max(map(len, lines)) <= 69
    text = " ".join(Help("queue", None).text("Back to the files").plain.split())
    assert "Back to the files w h Tab Ctrl+X j" in text


async def test_a_theme_is_tried_while_choosing_and_kept_when_chosen(shell, paths):
    async with shell() as s:
        before = s.app.theme
        await s.app.run_action("theme")
        await s.dialog(Picker)
        await s.press("down")
        await s.until(lambda: s.app.theme == "ferry-light", "tried")
        await s.press("escape")
        await s.until(lambda: s.app.theme == before, "taken back")
        await s.app.run_action("theme")
        await s.dialog(Picker)
        await s.press(*"contrast", "enter")
        await s.until(lambda: s.app.theme == "ferry-contrast", "chosen")
        await s.back()
        file = paths.state / "screen.json"
        await s.until(lambda: file.exists() and "theme" in json.loads(file.read_text())["choices"], "written")
    async with shell() as s:
        assert s.app.theme == "ferry-contrast"


async def test_the_order_and_the_folder_across_are_those_of_the_last_time(shell, paths):
    async with shell() as s:
        await s.press(",", "s", ".")
        await s.until(lambda: s.main.left.view.hidden, "hidden files shown")
        s.main.right.go(Location("/home"))
        await s.press("q")
        await s.until(lambda: not s.app.is_running, "left")
        s.app.memory.save()
    async with shell(right=None) as s:
        assert s.main.left.view.sort == "size"
        assert s.main.left.view.hidden
        assert s.main.right.location == Location("/home")


async def test_an_unknown_theme_is_told_and_the_default_used(shell):
    async with shell(screen=ScreenSettings(theme="ferry-drak")) as s:
        assert s.app.theme == "ferry-dark"
        await s.until(lambda: any("ferry-drak" in text for text in s.told), "told")


@pytest.mark.parametrize(
    "theme", ["ferry-dark", "ferry-light", "ferry-contrast", "ferry-16", "nord", "ansi-dark"]
)
async def test_the_styles_work_with_every_kind_of_theme(shell, theme):
    async with shell() as s:
        s.app.theme = theme
        await s.press("f5")
        await s.pilot.pause()
        assert s.app.theme == theme


async def test_leaving_says_how_many_jobs_go_on(shell):
    async with shell() as s:
        s.client.add_job(COPY, state=JobState.RUNNING)
        s.client.add_job(COPY)
        s.client.add_job(COPY, state=JobState.DONE)
        await s.until(lambda: len(s.main.queue_pane.jobs) == 3, "jobs shown")
        await s.press("q")
        await s.until(lambda: s.app.farewell, "left")
    assert s.app.farewell == "2 jobs go on in the background: ferry queue"


async def test_leaving_with_nothing_under_way_says_nothing(shell):
    async with shell() as s:
        await s.press("f10")
        await s.until(lambda: not s.app.is_running, "left")
    assert s.app.farewell == ""


async def test_a_line_takes_a_long_path_and_not_a_whole_file(shell):
    async with shell() as s:
        await s.press("g", "space")
        dialog = await s.dialog(Prompt)
        line = dialog.query_one(PathInput)
        before = line.value
        s.app.post_message(events.Paste("x" * (LONGEST_LINE + 1)))
        await s.until(lambda: any("Nothing was pasted" in text for text in s.told), "told")
        assert line.value == before
        line.value = ""
        s.app.post_message(events.Paste("y" * LONGEST_LINE))
        await s.until(lambda: len(line.value) == LONGEST_LINE, "pasted")
        await s.press("z")
        assert len(line.value) == LONGEST_LINE


async def test_a_paste_of_several_lines_into_one_is_refused_in_words(shell):
    async with shell() as s:
        await s.press("f7")
        line = s.app.screen.query_one(Input)
        s.app.post_message(events.Paste("one\ntwo\n"))
        await s.until(lambda: "Nothing was pasted: that is 2 lines, and this takes one." in s.told, "told")
        assert line.value == ""
        s.app.post_message(events.Paste("\na whole line\r\n"))
        await s.until(lambda: line.value == "a whole line", "pasted")


@pytest.mark.parametrize("keys", [(), ("w",)], ids=["pane", "queue"])
async def test_a_paste_where_nothing_is_typed_runs_no_key_and_says_so(shell, keys):
    async with shell() as s:
        await s.press(*keys)
        before = len(s.client.calls)
        s.app.post_message(events.Paste("Dyq\n"))
        await s.until(lambda: "Nothing was pasted: there is no line to type in here." in s.told, "told")
        assert s.app.screen is s.main
        assert not [call for call in s.client.calls[before:] if call[0] in ("submit", "remove", "cancel")]


async def test_leaving_asks_where_the_configuration_says_so(shell):
    async with shell(confirm=ConfirmSettings(quit=True)) as s:
        await s.press("q")
        await s.dialog(Confirm)
        await s.press("n")
        await s.back()
        assert s.app.is_running


async def test_an_engine_in_this_process_is_told_once_and_its_jobs_do_not_go_on(shell):
    async with shell() as s:
        s.client.engine = replace(s.client.engine, in_process=True)
        s.client.add_job(COPY, state=JobState.RUNNING)
        s.client.announce()
        await s.until(lambda: len([t for t in s.told if "stop when it ends" in t]) == 1, "told once")
        await s.press("q")
        await s.until(lambda: s.app.farewell, "left")
    assert s.app.farewell == "1 job stopped with the screen; the next start takes it up again."


async def test_what_was_wrong_with_the_queue_is_told_once(shell):
    async with shell() as s:
        s.client.engine = replace(s.client.engine, note="the queue's journal was damaged")
        for _ in range(2):
            s.client.add_job(COPY, state=JobState.PAUSED)
            s.client.announce()
        await s.until(lambda: [t for t in s.told if "damaged" in t] == ["the queue's journal was damaged."])


async def test_stopping_the_engine_asks_and_then_stops_it(shell):
    async with shell() as s:
        await s.press("Q")
        await s.dialog(Confirm)
        await s.press("enter")  # the safe button
        await s.back()
        assert not s.called("stop_engine")
        await s.press("Q")
        await s.dialog(Confirm)
        await s.press("y")
        await s.until(lambda: s.called("stop_engine"), "stopped")
        await s.until(lambda: not s.app.is_running, "left")


async def test_a_job_that_ends_is_told_and_rings_where_nobody_looks(shell, monkeypatch):
    rung: list[str] = []
    monkeypatch.setattr(Ferry, "bell", lambda self: rung.append("bell"))
    monkeypatch.setattr(Ferry, "note", lambda self, text: rung.append(text))
    async with shell() as s:
        job = s.client.add_job(COPY, state=JobState.RUNNING)
        await s.until(lambda: s.main.queue_pane.jobs, "job shown")
        s.client.set_job(job.id, state=JobState.DONE)
        await s.until(lambda: "Copied: notes.txt." in s.told, "told")
        assert rung == []
        again = s.client.add_job(COPY, state=JobState.RUNNING)
        await s.until(lambda: len(s.main.queue_pane.jobs) == 2, "job shown")
        s.app.app_focus = False
        s.client.set_job(again.id, state=JobState.FAILED, progress=Progress(errors=2))
        await s.until(lambda: len(rung) == 2, "rung")
        assert rung[0] == "bell"
        assert "notes.txt: 2 errors" in rung[1]


async def test_neither_bell_nor_note_where_they_are_switched_off(shell, monkeypatch):
    rung: list[str] = []
    monkeypatch.setattr(Ferry, "bell", lambda self: rung.append("bell"))
    monkeypatch.setattr(Ferry, "note", lambda self, text: rung.append(text))
    async with shell(screen=replace(ScreenSettings(), bell=False, desktop_notes=False)) as s:
        s.app.app_focus = False
        job = s.client.add_job(COPY, state=JobState.RUNNING)
        await s.until(lambda: s.main.queue_pane.jobs, "job shown")
        s.client.set_job(job.id, state=JobState.DONE)
        await s.until(lambda: s.told, "told")
        assert rung == []


async def test_messages_hide_neither_queue_nor_keys(shell):
    async with shell(size=(80, 24)) as s:
        for _ in range(9):
            s.client.add_job(COPY)
        await s.press("Y")
        await s.until(lambda: s.main.queue_pane.region.height == 8, "the queue grown")
        await s.until(lambda: s.main.query("Toast") and s.main.query("Toast")[0].region.area, "the message")
        toast = s.main.query("Toast")[0]
        assert not toast.region.overlaps(s.main.queue_pane.region)
        assert not toast.region.overlaps(s.main.key_bar.region)


async def test_escape_takes_messages_away_before_the_marks(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("space", "Y")
        await s.until(lambda: s.main.query("Toast"), "the message")
        await s.press("escape")
        await s.until(lambda: not s.main.query("Toast"), "taken away")
        assert len(s.main.pane.marked) == 1
        await s.press("escape")
        assert s.main.pane.marked == []


async def test_on_the_lowest_screen_the_files_have_what_an_empty_queue_leaves(shell):
    async with shell(size=(40, 12)) as s:
        assert s.main.queue_pane.size.height == 3
        assert s.main.pane.listing.size.height >= 6


@pytest.mark.parametrize(("sources", "said"), [(1, "a has a question"), (3, "a and 2 more have a question")])
async def test_a_question_is_told_in_good_grammar(shell, sources, said):
    async with shell() as s:
        request = Request(
            kind=JobKind.COPY, sources=(Location("/home/ann/a"),) * sources, target=Location("/mnt")
        )
        job = s.client.add_job(request, state=JobState.RUNNING)
        await s.until(lambda: s.main.queue_pane.jobs, "seen")
        s.client.set_job(job.id, progress=Progress(questions=1))
        await s.until(lambda: f"{said}: answer it in the queue (w, then a)." in s.told, "told")


async def test_what_is_told_again_is_shown_once(shell):
    async with shell() as s:
        await s.press("Y")
        await s.press("Y")
        await s.until(lambda: len(s.told) == 2, "told twice")
        assert len(s.app._notifications) == 1


async def test_a_dialog_takes_away_what_was_told_a_while_ago_but_no_error(shell, monkeypatch):
    async with shell() as s:
        s.main.tell("an old word")
        s.main.tell("an old error", "error")
        monkeypatch.setattr(notes, "FRESH_S", -1.0)
        await s.press("f9")
        await s.dialog(Menu)
        assert [note.message for note in s.app._notifications] == ["an old error"]


async def test_nothing_lies_over_a_question_that_only_says_there_is_one(shell, monkeypatch):
    monkeypatch.setattr(notes, "FRESH_S", 1000.0)
    async with shell(size=(62, 20)) as s:
        request = Request(kind=JobKind.COPY, sources=(Location("/home/ann/a"),), target=Location("/mnt"))
        job = s.client.add_job(request, state=JobState.RUNNING)
        await s.until(lambda: s.main.queue_pane.jobs, "seen")
        facts = Facts(EntryKind.FILE, 1, 1)
        ask = Question(1, job.id, Location("/home/ann/a"), Location("/mnt/a"), facts, facts, 0.0)
        s.client.add_question(ask)
        await s.until(lambda: s.app._notifications, "told")
        await s.press("w", "a")
        dialog = await s.dialog(QuestionScreen)
        assert list(s.app._notifications) == []
        s.client.set_job(job.id, progress=Progress())
        s.client.set_job(job.id, progress=Progress(questions=1))
        other = s.client.add_job(request, state=JobState.RUNNING)
        s.client.set_job(other.id, progress=Progress(questions=1))
        await s.until(lambda: len(s.told) == 2, "the other job's question told")
        assert s.app.screen is dialog
        assert len(s.app._notifications) == 1


async def test_no_cursor_blinks(shell):
    async with shell() as s:
        await s.press(":")
        menu = await s.dialog(Menu)
        assert not menu.query_one(Input).cursor_blink


async def test_names_in_messages_cannot_command_the_terminal(shell):
    name = "evil\x1b]52;c;aGk=\x07.txt"
    async with shell({"home": {"ann": {name: b"x"}}, "mnt": {"backup": {}}}) as s:
        await s.cursor_on(name)
        await s.press("y")
        await s.until(lambda: s.told, "told")
        assert "\x1b" not in "".join(s.told)
        assert "␛" in s.told[0]


async def test_what_nobody_caught_is_logged_and_ends_the_screen_in_one_line(shell, monkeypatch, caplog):
    monkeypatch.setattr(Ferry, "is_headless", property(lambda self: False))
    async with shell() as s:
        s.app._handle_exception(RuntimeError("a mast broke"))
        assert "a mast broke" in caplog.text
        assert s.app.farewell.endswith("ferry.log")
        assert s.app.return_code == 1


async def test_a_worker_that_failed_is_told_and_survived(shell, monkeypatch, caplog):
    from textual.worker import WorkerFailed

    monkeypatch.setattr(Ferry, "is_headless", property(lambda self: False))
    async with shell() as s:
        s.app._handle_exception(WorkerFailed(RuntimeError("a sail tore")))
        assert "a sail tore" in caplog.text
        await s.until(lambda: any("ferry.log" in text for text in s.told), "told")
        assert s.app.is_running


async def test_a_message_does_not_hide_the_line_of_a_dialog(shell):
    async with shell(size=(40, 12)) as s:
        await s.cursor_on("notes.txt")
        s.main.tell("Deleting 4 entries")
        await s.press("f7")
        prompt = await s.dialog(Prompt)
        await s.until(lambda: prompt.query("Toast"), "the message is shown there too")
        await s.pilot.pause()
        toast, typed = prompt.query("Toast").first(), prompt.query_one("#typed")
        assert not toast.region.overlaps(typed.region)
        assert toast.region.bottom <= typed.region.y


async def test_many_messages_leave_the_last_ones_and_the_errors(shell):
    async with shell() as s:
        s.main.tell("an error", "error")
        for number in range(9):
            s.main.tell(f"word {number}")
        shown = ["an error", "word 6", "word 7", "word 8"]
        await s.until(lambda: [note.message for note in s.app._notifications] == shown, "the last ones")


@pytest.mark.parametrize("key", ["ctrl+c", "f10"])
async def test_what_ends_a_dialog_elsewhere_ends_it_here(shell, key):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        for opening, kind in (("f7", Prompt), ("f9", Menu), ("d", Confirm), ("f1", Help)):
            await s.press(opening)
            await s.dialog(kind)
            await s.press(key)
            await s.back()
        assert s.app.is_running


async def test_ctrl_c_leaves_a_filter_and_then_the_queue(shell):
    async with shell() as s:
        s.client.add_job(COPY)
        await s.press("w", "f", "x", "ctrl+c")
        queue = s.main.queue_pane
        await s.until(lambda: queue.has_focus and not queue.line.is_open and not queue.filter, "left")
        await s.press("ctrl+c")
        await s.until(lambda: s.main.left.has_focus, "back at the files")


async def test_one_pane_has_all_the_width_where_that_is_asked_for(shell):
    async with shell() as s:
        await s.press("W")
        await s.until(lambda: s.main.left.region.width == 80, "the pane in use")
        await s.press("tab")
        await s.until(lambda: s.main.right.region.width == 80 and s.main.right.has_focus, "the other one")
        await s.press("q")
        await s.until(lambda: not s.app.is_running, "left")
        s.app.memory.save()
    async with shell() as s:
        await s.until(lambda: s.main.left.region.width == 80, "as it was left")
        await s.press("W")
        await s.until(lambda: s.main.left.region.width == s.main.right.region.width == 40, "both")
