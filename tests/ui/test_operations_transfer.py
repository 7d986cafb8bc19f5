"""Copy, move, yank, cut, paste: exactly the right request, or none."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from tui.config import QueueSettings
from tui.model.entry import Totals
from tui.model.exclusion import Exclusion
from tui.model.fidelity import Trait
from tui.model.job import Conflict, Flush, JobKind, Request, Staging
from tui.model.location import Location
from tui.model.misfit import Names
from tui.ui.screens.copy_dialog import CopyDialog
from tui.ui.screens.totals import TotalsLine
from tui.ui.widgets.choice import Choice

ANN = Location("/home/ann")
BACKUP = Location("/mnt/backup")
NOTES = ANN.child("notes.txt")


def asking(**terms: object) -> Request:
    """Return a request as the screen makes it: names that do not fit the target are asked about."""
    return Request(names=Names.ASK, **terms)  # type: ignore[arg-type]


async def target_typed(s, dialog, text):
    field = dialog.query_one("#target", Input)
    field.value = text
    await s.pilot.pause()


async def test_one_enter_after_f5_queues_the_entry_into_the_other_pane(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        await s.dialog(CopyDialog)
        await s.press("enter")
        await s.back()
        await s.until(lambda: s.requests, "submitted")
        assert s.requests == [asking(kind=JobKind.COPY, sources=(NOTES,), target=BACKUP, into=True)]
        assert any("job 1" in text for text in s.told)


async def test_f6_moves_what_is_marked_and_clears_the_marks(shell):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("space", "space", "f6")
        await s.dialog(CopyDialog)
        await s.press("enter")
        await s.until(lambda: s.requests, "submitted")
        sources = (ANN.child("music"), ANN.child("photos"))
        assert s.requests == [asking(kind=JobKind.MOVE, sources=sources, target=BACKUP, into=True)]
        await s.until(lambda: not s.main.pane.marked, "marks cleared")


async def test_escape_queues_nothing_and_keeps_the_marks(shell):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("space", "C")
        await s.dialog(CopyDialog)
        await s.press("escape")
        await s.back()
        assert s.requests == []
        assert s.main.pane.marked == [ANN.child("music")]


async def test_the_dialog_counts_what_it_is_about(shell):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        totals = dialog.query_one("TotalsLine")
        await s.until(lambda: "3 files in 2 folders, 18.1 MiB" in str(totals.render()), "counted")


async def test_it_says_where_there_is_too_little_room(shell):
    async with shell() as s:
        s.client.free = type(s.client.free)(free_bytes=1024, size_bytes=4096, free_files=5)
        await s.cursor_on("music")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        line = dialog.query_one("#feedback")
        await s.until(lambda: "too little" in str(line.render()), "warned")


@pytest.mark.parametrize(
    ("there", "marked", "said"),
    [
        ({}, 1, "into this folder · "),
        ({"music": {}}, 1, "merged with the folder of that name"),
        ({"music": b"a file"}, 1, "where the name is taken"),
        ({"music": {}, "notes.txt": b"x"}, 4, "where 2 of 4 names are taken, 1 folder is merged"),
        ({"notes.txt": b"x"}, 4, "where 1 of 4 names are taken · "),
    ],
)
async def test_the_dialog_says_what_stands_at_the_target_already(shell, there, marked, said):
    here = {"music": {"one.ogg": 1}, "photos": {}, "notes.txt": b"hello", "report.pdf": 2}
    tree = {"home": {"ann": here}, "mnt": {"backup": there}}
    async with shell(tree) as s:
        await s.cursor_on("music")
        await s.press(*["space"] * marked, "f5")
        line = (await s.dialog(CopyDialog)).query_one("#feedback")
        await s.until(lambda: said in str(line.render()), line.render())


async def test_a_new_name_for_a_single_entry(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        await target_typed(s, dialog, "/mnt/backup/other.txt")
        await s.press("enter")
        await s.until(lambda: s.requests, "submitted")
        target = BACKUP.child("other.txt")
        assert s.requests == [asking(kind=JobKind.COPY, sources=(NOTES,), target=target, into=False)]


async def test_tab_on_the_way_to_the_next_field_leaves_the_target_alone(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        await s.press("tab")
        assert dialog.focused is dialog.query_one("#conflict")
        assert dialog.query_one("#target", Input).value == "/mnt/backup/"


async def test_tab_completes_what_was_typed_and_then_goes_on(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        await s.press("m", "tab")
        await s.until(lambda: dialog.query_one("#target", Input).value == "/mnt/backup/music/", "completed")
        await s.press("tab")
        await s.until(lambda: dialog.focused is dialog.query_one("#conflict"), "next field")


async def test_a_folder_that_is_missing_is_made_first(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        await target_typed(s, dialog, "/mnt/backup/new/deep/")
        line = dialog.query_one("#feedback")
        await s.until(lambda: "will be made" in str(line.render()), "said")
        await s.press("enter")
        await s.until(lambda: s.requests, "submitted")
        target = BACKUP.child("new").child("deep")
        assert s.called("make_folder") == [(target,)]
        assert (s.requests[0].target, s.requests[0].into) == (target, True)


async def test_all_the_terms_of_the_dialog_reach_the_request(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        dialog.query_one("#conflict", Choice).focus()
        await s.press("o")
        dialog.query_one("#priority", Choice).focus()
        await s.press("5")
        dialog.query_one("#verify", Choice).focus()
        await s.press("right")
        dialog.query_one("#limit", Input).value = "20MB/s"
        dialog.query_one("#paused", Choice).focus()
        await s.press("right", "enter")
        await s.until(lambda: s.requests, "submitted")
        request = s.requests[0]
        assert (request.conflict, request.priority) == (Conflict.OVERWRITE, 5)
        assert (request.limit_bytes_s, request.paused, request.verify) == (20_000_000, True, True)


async def test_the_rule_proposed_is_that_of_the_configuration(shell):
    async with shell(queue=QueueSettings(conflict=Conflict.NEWER)) as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        await s.dialog(CopyDialog)
        await s.press("enter")
        await s.until(lambda: s.requests, "submitted")
        assert s.requests[0].conflict is Conflict.NEWER


@pytest.mark.parametrize("keys", [("f5",), ("y", "tab", "p")])
async def test_verifying_is_proposed_where_it_is_configured(shell, keys):
    async with shell(queue=QueueSettings(verify=True)) as s:
        await s.cursor_on("notes.txt")
        await s.press(*keys)
        if keys == ("f5",):
            await s.dialog(CopyDialog)
            await s.press("enter")
        await s.until(lambda: s.requests, "submitted")
        assert s.requests[0].verify


@pytest.mark.parametrize("keys", [("f5", "enter"), ("y", "tab", "p")], ids=["copied", "pasted"])
async def test_flushing_and_staging_are_as_the_configuration_says(shell, keys):
    async with shell(queue=QueueSettings(flush=Flush.FILE, staging=Staging.FILE)) as s:
        await s.cursor_on("notes.txt")
        await s.press(keys[0])
        if keys[0] == "f5":
            await s.dialog(CopyDialog)
        await s.press(*keys[1:])
        await s.until(lambda: s.requests, "submitted")
        assert (s.requests[0].flush, s.requests[0].staging) == (Flush.FILE, Staging.FILE)


async def test_what_cannot_be_is_said_and_the_dialog_stays(shell):
    wrong = {
        "/home/ann/music/live/": "inside itself",
        "/home/ann/": "the same",
        "/home/ann/notes.txt/": "not a folder",
        "a\\q": "means nothing",
    }
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        line = dialog.query_one("#feedback")
        for text, said in wrong.items():
            await target_typed(s, dialog, text)
            await s.press("enter")
            await s.until(lambda said=said: said in str(line.render()), said)
        await target_typed(s, dialog, "/mnt/backup/")
        dialog.query_one("#limit", Input).value = "fast"
        await s.press("enter")
        await s.until(lambda: "not a rate" in str(line.render()), "the rate")
        assert s.requests == []


async def test_into_its_own_folder_its_name_is_proposed_to_be_changed(shell):
    async with shell(right="/home/ann") as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        assert dialog.query_one("#target", Input).value == "/home/ann/notes.txt"


async def test_yank_and_paste_copies_here(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("y", "tab", "p")
        await s.until(lambda: s.requests, "submitted")
        await s.press("p")
        await s.until(lambda: len(s.requests) == 2, "pasted again")
        assert s.requests[0] == asking(kind=JobKind.COPY, sources=(NOTES,), target=BACKUP)


async def test_cut_and_paste_moves_here_once(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("x", "tab", "p")
        await s.until(lambda: s.requests, "submitted")
        assert s.requests == [asking(kind=JobKind.MOVE, sources=(NOTES,), target=BACKUP)]
        await s.until(lambda: s.main.register is None, "forgotten")
        await s.press("p")
        await s.until(lambda: any("Nothing was yanked" in text for text in s.told), "told")
        assert len(s.requests) == 1


async def test_what_is_forgotten_is_not_pasted(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("y", "Y", "tab", "p")
        await s.until(lambda: any("Nothing was yanked" in text for text in s.told), "told")
        assert s.requests == []


async def test_paste_into_the_same_folder_is_refused_but_with_options_a_name_can_be_chosen(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("y", "p")
        await s.until(lambda: any("this folder already" in text for text in s.told), "told")
        await s.press("P")
        dialog = await s.dialog(CopyDialog)
        await target_typed(s, dialog, "/home/ann/copy.txt")
        await s.press("enter")
        await s.until(lambda: s.requests, "submitted")
        assert (s.requests[0].target, s.requests[0].into) == (ANN.child("copy.txt"), False)


async def test_a_queue_that_does_not_answer_is_told(shell):
    async with shell() as s:
        s.client.unreachable = True
        await s.cursor_on("notes.txt")
        await s.press("y", "tab", "p")
        await s.until(lambda: any("ferry engine start" in text for text in s.told), "told")


async def test_what_travels_besides_content_is_switched_off_by_letter_or_space(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        dialog.query_one("#preserve").focus()
        await s.press("t", "a", "a", "left", "space")
        await s.press("enter")
        await s.until(lambda: s.requests, "submitted")
        assert s.requests[0].preserve == frozenset(Trait) - {Trait.TIMES, Trait.XATTR}


async def test_all_that_travels_can_be_read_at_80_columns(shell):
    async with shell() as s:
        await s.pilot.resize_terminal(80, 24)
        await s.cursor_on("notes.txt")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        line = dialog.query_one("#preserve")
        text = line.render_line(0).text
        assert text.split() == [f"✓{trait}" for trait in Trait]
        assert dialog.query_one(".dialog").region.bottom <= 24


async def left_out(dialog, text):
    dialog.query_one("#exclude", Input).value = text


async def test_what_is_left_out_goes_into_the_request_and_is_not_counted(shell):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        await left_out(dialog, " *.ogg  !two.ogg live/ ")
        totals = dialog.query_one("TotalsLine")
        await s.until(lambda: "1 file in 1 folder" in str(totals.render()), "counted without")
        await s.press("enter")
        await s.until(lambda: s.requests, "submitted")
        assert s.requests[0].exclude == Exclusion(("*.ogg", "!two.ogg", "live/"))


async def test_what_was_marked_is_left_out_too(shell):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("space", "space", "f5")
        await left_out(await s.dialog(CopyDialog), "mus*/")
        await s.press("enter")
        await s.until(lambda: s.requests, "submitted")
        assert s.requests[0].sources == (ANN.child("photos"),)


@pytest.mark.parametrize(("text", "told"), [("[", "'[' is no pattern"), ("m*", "nothing is left to do")])
async def test_what_cannot_be_left_out_is_said_and_queues_nothing(shell, text, told):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        await left_out(dialog, text)
        await s.press("enter")
        await s.until(lambda: told in str(dialog.query_one("#feedback").render()), "said")
        dialog.query_one(TotalsLine).post_message(TotalsLine.Counted(Totals(1)))
        await s.pilot.pause()
        assert told in str(dialog.query_one("#feedback").render())  # a late count does not take it away
        await s.press("x")
        await s.until(lambda: told not in str(dialog.query_one("#feedback").render()), "begun anew")
        assert s.requests == []


async def test_a_move_leaves_nothing_out(shell):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("f6")
        assert not (await s.dialog(CopyDialog)).query("#exclude")


async def test_what_waits_to_be_pasted_is_told_above_the_rows_until_it_was_pasted(shell):
    async with shell() as s:
        bars = (s.main.left.path_bar, s.main.right.path_bar)
        await s.cursor_on("notes.txt")
        await s.press("space", "space", "y")
        await s.until(lambda: all("2 to copy" in bar.text for bar in bars), "told in both panes")
        await s.press("x")
        await s.until(lambda: all("1 to move" in bar.text for bar in bars), "the other thing instead")
        await s.press("Y")
        await s.until(lambda: not any("1 to move" in bar.text for bar in bars), "forgotten")
        await s.press("y", "tab")
        await s.until(lambda: "1 to copy" in bars[1].text, "told again")
        await s.press("p")
        await s.until(lambda: not any("1 to copy" in bar.text for bar in bars), "pasted")
