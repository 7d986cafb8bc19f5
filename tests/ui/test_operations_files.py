"""Rename, make, trash, delete, permissions, links, facts: what is done at once, what becomes a job."""

from __future__ import annotations

import stat
import sys
import threading

import pytest
from textual.widgets import Button, Input, Static

from tui.config import ConfirmSettings, ScreenSettings
from tui.model.error import EngineUnreachable, NotPossible
from tui.model.job import JobKind, JobState, Request
from tui.model.location import Location
from tui.model.siblings import Siblings
from tui.ui import name_list
from tui.ui.name_list import check_targets, from_text
from tui.ui.screens.chmod import ChmodDialog
from tui.ui.screens.confirm import Confirm
from tui.ui.screens.information import Information
from tui.ui.screens.prompt import Prompt

ANN = Location("/home/ann")
BACKUP = Location("/mnt/backup")
NOTES = ANN.child("notes.txt")


async def typed(s, text):
    """Type into the prompt that is open, over what stands there, and end with Enter."""
    prompt = await s.dialog(Prompt)
    prompt.query_one("#typed", Input).value = text
    await s.pilot.pause()
    await s.press("enter")
    return prompt


def editor(tmp_path, code):
    """Return settings with an editor that runs Python code on `lines`."""
    script = tmp_path / "editor.py"
    script.write_text(
        "import sys\n"
        "path = sys.argv[1]\n"
        "lines = open(path, encoding='utf-8').read().split('\\n')[:-1]\n"
        f"{code}\n"
        "open(path, 'w', encoding='utf-8').write(''.join(line + '\\n' for line in lines))\n"
    )
    return ScreenSettings(editor=f"{sys.executable} {script}")


async def test_a_folder_is_made_at_once_and_the_cursor_goes_to_it(shell):
    async with shell() as s:
        await s.press("f7")
        await typed(s, "new one")
        await s.until(lambda: s.main.pane.current and s.main.pane.current.name == "new one", "cursor")
        assert s.called("make_folder") == [(ANN.child("new one"),)]
        assert s.requests == []


async def test_folders_in_folders_are_made_and_the_cursor_goes_to_the_first(shell):
    async with shell() as s:
        await s.press("A")
        await typed(s, "one/two")
        await s.until(lambda: s.main.pane.current and s.main.pane.current.name == "one", "cursor")
        assert s.called("make_folder") == [(ANN.child("one").child("two"),)]


async def test_an_empty_file_is_made_at_once_and_the_cursor_goes_to_it(shell):
    async with shell() as s:
        await s.press("a")
        await typed(s, "empty")
        await s.until(lambda: s.main.pane.current and s.main.pane.current.name == "empty", "cursor")
        assert s.called("create_file") == [(ANN.child("empty"),)]


@pytest.mark.parametrize("key", ["A", "a"])
async def test_a_name_that_is_taken_is_told(shell, key):
    async with shell() as s:
        await s.press(key)
        await typed(s, "notes.txt")
        await s.until(lambda: any("Choose another name" in text for text in s.told), "told")


async def test_a_rename_is_done_at_once_and_the_cursor_stays_with_the_file(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("f2")
        prompt = await s.dialog(Prompt)
        field = prompt.query_one("#typed", Input)
        assert field.selected_text == "notes"
        await typed(s, "letters.txt")
        await s.until(lambda: s.main.pane.current and s.main.pane.current.name == "letters.txt", "cursor")
        assert s.called("rename") == [(NOTES, ANN.child("letters.txt"))]
        assert s.requests == []


@pytest.mark.parametrize("text", ["", "a/b", "..", "x" * 256, "a\\q"])
async def test_what_is_no_name_is_refused_in_the_prompt(shell, text):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("r")
        prompt = await typed(s, text)
        await s.until(lambda: prompt.query_one("#feedback").has_class("-wrong"), "refused")
        assert s.called("rename") == []


async def test_a_hostile_name_is_shown_escaped_and_survives_a_rename(shell):
    name = "a\nb\udcff\x1b"
    async with shell({"home": {"ann": {name: b""}}, "mnt": {"backup": {}}}) as s:
        await s.cursor_on(name)
        await s.press("r")
        prompt = await s.dialog(Prompt)
        assert prompt.query_one("#typed", Input).value == r"a\nb\xff\e"
        await typed(s, r"a\nb\xff\e2")
        await s.until(lambda: s.called("rename"), "renamed")
        assert s.called("rename") == [(ANN.child(name), ANN.child(name + "2"))]


async def test_several_are_renamed_as_a_list_in_the_editor_by_one_job(shell, tmp_path):
    screen = editor(tmp_path, "lines = [line.upper() for line in lines]")
    async with shell(screen=screen) as s:
        await s.cursor_on("music")
        await s.press("space", "space", "f2")
        await s.until(lambda: s.requests, "submitted")
        sources = (ANN.child("music"), ANN.child("photos"))
        targets = (ANN.child("MUSIC"), ANN.child("PHOTOS"))
        assert s.requests == [Request(kind=JobKind.RENAME, sources=sources, targets=targets)]
        await s.until(lambda: s.called("start") == [((1,),)], "started, whatever runs")
        await s.until(lambda: not s.main.pane.marked, "marks cleared")


async def test_a_list_of_names_is_written_and_read_beside_the_screen(shell, tmp_path, monkeypatch):
    where = []

    def noted(work):
        def run(*args):
            where.append(threading.current_thread())
            return work(*args)

        return run

    for name in ("as_text", "from_text", "check_targets", "those_changed"):
        monkeypatch.setattr(name_list, name, noted(getattr(name_list, name)))
    async with shell(screen=editor(tmp_path, "lines = [line.upper() for line in lines]")) as s:
        await s.cursor_on("music")
        await s.press("space", "space", "f2")
        await s.until(lambda: s.requests, "submitted")
        assert len(where) == 4
        assert threading.main_thread() not in where


async def test_only_names_that_were_changed_are_in_the_job(shell, tmp_path):
    async with shell(screen=editor(tmp_path, "lines[1] = 'pictures'")) as s:
        await s.cursor_on("music")
        await s.press("space", "space", "r")
        await s.until(lambda: s.requests, "submitted")
        assert s.requests[0].sources == (ANN.child("photos"),)
        assert s.requests[0].targets == (ANN.child("pictures"),)


async def test_a_list_that_will_not_do_can_be_mended_or_given_up(shell, tmp_path):
    async with shell(screen=editor(tmp_path, "lines = lines[:1]")) as s:
        await s.cursor_on("music")
        await s.press("space", "space", "r")
        dialog = await s.dialog(Confirm)
        assert "the list holds 1 name now, not 2" in str(dialog.query_one("#text", Static).render())
        await s.press("escape")
        await s.back()
        assert s.requests == []
        assert len(s.main.pane.marked) == 2


async def test_an_editor_that_is_not_there_is_told(shell):
    async with shell(screen=ScreenSettings(editor="no-such-editor --wait")) as s:
        await s.cursor_on("music")
        await s.press("space", "space", "r")
        await s.until(lambda: any("no-such-editor is not installed" in text for text in s.told), "told")
        await s.cursor_on("notes.txt")
        await s.press("f4")
        await s.until(lambda: sum("not installed" in text for text in s.told) == 2, "told again")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n", "1 name now"),
        ("a\nb\nc\n", "3 names now"),
        ("a\nb/c\n", "line 2: a name cannot hold a slash"),
        ("a\n\n", "1 name now"),
        ("\\q\nb\n", "line 1"),
        ("..\nb\n", "line 1"),
    ],
)
def test_a_list_is_checked(text, said):
    with pytest.raises(Exception, match=said):
        from_text(text, 2)


def test_the_same_name_twice_is_refused_but_not_in_different_folders():
    with pytest.raises(Exception, match="lines 1 and 2 are both x"):
        check_targets([ANN.child("a"), ANN.child("b")], ["x", "x"])
    assert check_targets([ANN.child("a"), BACKUP.child("b")], ["x", "x"]) == [
        ANN.child("x"),
        BACKUP.child("x"),
    ]


async def test_the_trash_asks_in_numbers_and_enter_agrees(shell):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("f8")
        dialog = await s.dialog(Confirm)
        totals = dialog.query_one("TotalsLine")
        await s.until(lambda: "3 files in 2 folders, 18.1 MiB" in str(totals.render()), "counted")
        await s.press("enter")
        await s.until(lambda: s.requests, "submitted")
        assert s.requests == [Request(kind=JobKind.TRASH, sources=(ANN.child("music"),))]


async def test_deleting_for_good_asks_with_the_safe_button_chosen(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("D")
        dialog = await s.dialog(Confirm)
        assert dialog.query_one("#no", Button).has_focus
        await s.press("enter")
        await s.back()
        assert s.requests == []
        await s.press("delete")
        await s.dialog(Confirm)
        await s.press("y")
        await s.until(lambda: s.requests, "submitted")
        assert s.requests == [Request(kind=JobKind.DELETE, sources=(NOTES,))]


async def test_without_a_question_where_the_configuration_says_so(shell):
    async with shell(confirm=ConfirmSettings(trash=False, delete=False)) as s:
        await s.cursor_on("notes.txt")
        await s.press("d")
        await s.until(lambda: len(s.requests) == 1, "trashed")
        await s.press("D")
        await s.until(lambda: len(s.requests) == 2, "deleted")
        assert [request.kind for request in s.requests] == [JobKind.TRASH, JobKind.DELETE]


async def test_on_the_way_up_there_is_nothing_to_remove(shell):
    async with shell() as s:
        await s.press("home", "D")
        await s.until(
            lambda: any("Nothing to remove: the cursor is on the way up" in text for text in s.told)
        )
        assert s.app.screen is s.main
    async with shell({"a": {}}, left="/a", right="/a") as s:
        await s.press("home", "D")
        await s.until(lambda: "There is nothing here to remove." in s.told, "told")


async def test_permissions_of_one_file_are_set_at_once(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("ctrl+x", "c")
        dialog = await s.dialog(ChmodDialog)
        await s.press("right", "right", "space")
        assert dialog.query_one("#octal", Input).value == "0744"
        await s.press("enter")
        await s.until(lambda: s.called("set_mode"), "set")
        assert s.called("set_mode") == [(NOTES, 0o744)]
        assert s.requests == []


async def test_permissions_of_a_tree_are_a_job_and_folders_stay_enterable(shell):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("ctrl+x", "c")
        dialog = await s.dialog(ChmodDialog)
        dialog.query_one("#octal", Input).value = "640"
        dialog.query_one("#recursive").focus()
        await s.press("right", "enter")
        await s.until(lambda: s.requests, "submitted")
        request = s.requests[0]
        assert (request.kind, request.recursive) == (JobKind.CHMOD, True)
        assert (request.mode_set, request.mode_clear) == (0o640, 0o7777 & ~0o640)
        assert request.folder_mode_set == 0o110


async def test_permissions_of_several_change_only_the_bits_touched(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("space", "space", "ctrl+x", "c")
        await s.dialog(ChmodDialog)
        await s.press("space", "down", "down", "right", "space", "enter")
        await s.until(lambda: s.requests, "submitted")
        request = s.requests[0]
        assert request.sources == (NOTES, ANN.child("report.pdf"))
        assert isinstance(request.sources, Siblings)  # no location was made for each of what may be a million
        assert (request.mode_clear, request.mode_set) == (0o400, 0o002)
        assert not request.recursive


async def test_a_number_that_is_no_mode_is_refused(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("ctrl+x", "c")
        dialog = await s.dialog(ChmodDialog)
        dialog.query_one("#octal", Input).value = "9"
        await s.pilot.pause()
        await s.press("enter")
        await s.until(lambda: dialog.query_one("#feedback").has_class("-wrong"), "refused")
        assert s.called("set_mode") == []


async def test_a_symbolic_link_is_made_in_the_other_pane(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("ctrl+x", "s")
        await typed(s, "to notes")
        await s.until(lambda: s.called("make_symlink"), "made")
        assert s.called("make_symlink") == [(BACKUP.child("to notes"), "/home/ann/notes.txt")]
        await s.until(lambda: s.main.other.current and s.main.other.current.name == "to notes", "cursor")


async def test_a_hard_link_is_made_in_the_other_pane(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("ctrl+x", "l")
        await typed(s, "same")
        await s.until(lambda: s.called("make_hardlink"), "made")
        assert s.called("make_hardlink") == [(BACKUP.child("same"), NOTES)]


async def test_information_shows_the_facts(shell):
    async with shell() as s:
        await s.cursor_on("report.pdf")
        await s.press("I")
        dialog = await s.dialog(Information)
        text = "\n".join(str(line.render()) for line in dialog.query(Static))
        for fact in ("report.pdf", "812,331 bytes", "-rw-r--r--  0644", "ann (1000)"):
            assert fact in text
        await s.press("enter")
        await s.back()


async def test_edit_runs_the_editor_on_the_file_and_then_reads_the_folder_again(shell, tmp_path, monkeypatch):
    mark = tmp_path / "edited"
    script = tmp_path / "edit.py"
    script.write_text(f"import sys; open({str(mark)!r}, 'w').write(sys.argv[1])")
    real = tmp_path / "file.txt"
    real.write_text("x")
    tree: dict = {}
    here = tree
    for part in real.parent.parts[1:]:
        here = here.setdefault(part, {})
    here["file.txt"] = b"x"
    async with shell(
        tree,
        left=str(tmp_path),
        right="/",
        screen=ScreenSettings(editor=f"{sys.executable} {script}"),
    ) as s:
        await s.cursor_on("file.txt")
        found = []
        monkeypatch.setattr(s.main.pane, "refresh_folder", lambda: found.append(mark.read_text()))
        await s.press("e")
        await s.until(lambda: found, "read again")
        assert found == [str(real)]


async def test_a_folder_is_not_edited(shell):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("f4")
        await s.until(lambda: any("is not a file" in text for text in s.told), "told")


def test_permission_bits_of_the_grid_are_those_of_the_system():
    from tui.ui.screens.chmod import bit

    grid = [[bit(row, column) for column in range(4)] for row in range(3)]
    assert grid == [
        [stat.S_IRUSR, stat.S_IWUSR, stat.S_IXUSR, stat.S_ISUID],
        [stat.S_IRGRP, stat.S_IWGRP, stat.S_IXGRP, stat.S_ISGID],
        [stat.S_IROTH, stat.S_IWOTH, stat.S_IXOTH, stat.S_ISVTX],
    ]


# Undo


def moved(s, name, ended_at, **changes):
    """Put a finished job into the queue that can be undone."""
    request = Request(kind=JobKind.MOVE, sources=(ANN.child(name),), target=BACKUP)
    done = {"state": JobState.DONE, "ended_at": ended_at, "reversible": True, **changes}
    return s.client.add_job(request, **done).id


async def test_u_undoes_what_ended_last_and_each_time_goes_further_back(shell):
    async with shell() as s:
        first, second = moved(s, "early", 2.0), moved(s, "late", 3.0)
        moved(s, "lost", 4.0, reversible=False)
        await s.press("u")
        await s.until(lambda: s.called("undo") == [((second,),)], "undone")
        await s.until(lambda: any(f"Undoing job {second} (move late)" in text for text in s.told), "told")
        await s.press("u")
        await s.until(lambda: s.called("undo") == [((second,),), ((first,),)], "undone")
        await s.press("u")
        await s.until(lambda: "There is nothing to undo." in s.told, "nothing left")


async def test_u_passes_over_what_undoes_but_not_over_what_was_done_again(shell):
    async with shell() as s:
        redone = moved(s, "redone", 2.0, undoes=7, redo=True)
        moved(s, "undone", 3.0, undoes=6)
        await s.press("u")
        await s.until(lambda: s.called("undo") == [((redone,),)], "undone")


async def test_why_something_cannot_be_undone_is_told(shell):
    async with shell() as s:
        moved(s, "a", 2.0)

        async def refuse(id):
            raise NotPossible(f"cannot undo job {id}: /mnt/backup/a was changed since")

        s.client.undo = refuse
        await s.press("u")
        await s.until(lambda: any("/mnt/backup/a was changed since" in text for text in s.told), "told")


async def test_what_came_back_is_told_by_its_old_name(shell):
    async with shell() as s:
        sources = (Location("/data/Trash/files/notes (1).txt"),)
        request = Request(kind=JobKind.RENAME, sources=sources, target=NOTES, into=False)
        id = s.client.add_job(request, undoes=1, state=JobState.RUNNING).id
        await s.until(lambda: s.main.queue_pane.jobs, "listed")
        s.client.set_job(id, state=JobState.DONE)
        await s.until(lambda: "Brought back: notes.txt." in s.told, "told")


async def test_a_name_that_was_just_changed_can_be_undone_like_a_job(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("f2")
        await typed(s, "letters.txt")
        letters = ANN.child("letters.txt")
        await s.until(lambda: s.called("note_step") == [((), JobKind.RENAME, letters, NOTES)], "noted")
        (job,) = s.client.jobs_by_id
        await s.press("u")
        await s.until(lambda: s.called("undo") == [((job,),)], "undone")
        await s.until(lambda: any(f"Undoing job {job} (rename notes.txt)" in text for text in s.told), "told")


@pytest.mark.parametrize(
    ("key", "name", "top"), [("A", "one/two", "one"), ("A", "one", "one"), ("a", "file", "file")]
)
async def test_what_was_just_made_can_be_undone_like_a_job(shell, key, name, top):
    async with shell() as s:
        await s.press(key)
        await typed(s, name)
        made = (), JobKind.MAKE, ANN.below(name), ANN.child(top)
        await s.until(lambda: s.called("note_step") == [made], "noted")


@pytest.mark.parametrize("which", ["symlink", "hardlink"])
async def test_links_can_be_undone_too(shell, which):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        getattr(s.main, f"action_{which}")()
        await typed(s, "link")
        link = s.main.other.location.child("link")
        await s.until(lambda: s.called("note_step") == [((), JobKind.MAKE, link, link)], "noted")


async def test_u_takes_back_jobs_and_single_steps_in_the_order_they_were_done(shell):
    async with shell() as s:
        before = moved(s, "before", 2.0)
        await s.press("A")
        await typed(s, "made")
        await s.until(lambda: s.called("note_step"), "noted")
        made = max(s.client.jobs_by_id)
        after = moved(s, "after", 2_000_000_000.0)
        for id in (after, made, before):
            await s.press("u")
            await s.until(lambda id=id: s.called("undo")[-1:] == [((id,),)], "undone")


async def test_a_step_of_which_the_queue_knows_nothing_is_done_all_the_same(shell):
    async with shell() as s:

        async def unreachable(*_):
            raise EngineUnreachable("the engine does not answer")

        s.client.note_step = unreachable
        await s.press("A")
        await typed(s, "made")
        await s.until(
            lambda: any("cannot be undone: the engine does not answer" in text for text in s.told), "told"
        )
        assert "made" in s.main.pane.folder.names


async def test_a_job_that_is_refused_lets_the_one_before_come(shell):
    async with shell() as s:
        moved(s, "early", 2.0)
        moved(s, "late", 3.0)
        asked = []

        async def refuse(id):
            asked.append(id)
            raise NotPossible(f"cannot undo job {id}: it has changed")

        s.client.undo = refuse
        await s.press("u")
        await s.until(lambda: asked == [2], "the last")
        await s.press("u")
        await s.until(lambda: asked == [2, 1], "the one before")
