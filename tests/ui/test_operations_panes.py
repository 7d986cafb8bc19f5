"""Both panes and where they are: going, completion, bookmarks, frequent folders, swapping, text on the clipboard."""

from __future__ import annotations

import os
import subprocess

import pytest
from fake_client import FakeClient
from textual import events
from textual.widgets import Input, Static

from tui.model.location import Location
from tui.ui import outside
from tui.ui.completion import complete
from tui.ui.names import escape, unescape
from tui.ui.outside import command_words
from tui.ui.screens.picker import Picker
from tui.ui.screens.prompt import Prompt
from tui.ui.widgets.path_input import parse_location

ANN = Location("/home/ann")
BACKUP = Location("/mnt/backup")


async def test_swap_and_equalise(shell):
    async with shell() as s:
        await s.press("|")
        assert (s.main.left.location, s.main.right.location) == (BACKUP, ANN)
        await s.press("=")
        assert s.main.right.location == BACKUP


async def test_go_to_a_path_with_completion(shell):
    async with shell() as s:
        await s.press("g", "space")
        prompt = await s.dialog(Prompt)
        field = prompt.query_one("#typed", Input)
        assert field.value == "/home/ann/"
        await s.press("m", "tab")
        await s.until(lambda: field.value == "/home/ann/music/", "completed")
        await s.press("l", "tab")
        await s.until(lambda: field.value == "/home/ann/music/live/", "completed")
        await s.press("enter")
        await s.until(lambda: s.main.pane.location == ANN.child("music").child("live"), "there")


async def test_going_to_a_file_shows_it_in_its_folder(shell):
    async with shell() as s:
        await s.press("g", "space")
        prompt = await s.dialog(Prompt)
        prompt.query_one("#typed", Input).value = "music/two.ogg"
        await s.pilot.pause()
        await s.press("enter")
        await s.until(lambda: s.main.pane.current and s.main.pane.current.name == "two.ogg", "there")


async def test_going_nowhere_is_told_and_the_path_is_kept_for_the_next_time(shell):
    async with shell() as s:
        await s.press("g", "space")
        prompt = await s.dialog(Prompt)
        prompt.query_one("#typed", Input).value = "/nowhere"
        await s.pilot.pause()
        await s.press("enter")
        await s.until(lambda: any("/nowhere" in text for text in s.told), "told")
        assert s.main.pane.location == ANN
        await s.press("g", "space")
        prompt = await s.dialog(Prompt)
        await s.press("up")
        assert prompt.query_one("#typed", Input).value == "/nowhere"


@pytest.mark.parametrize(("typed", "value"), [("/", "/"), ("~", "~"), ("m", "/home/ann/m")])
async def test_a_path_from_the_root_or_home_takes_the_place_of_the_folder_proposed(shell, typed, value):
    async with shell() as s:
        await s.press("g", "space")
        field = (await s.dialog(Prompt)).query_one("#typed", Input)
        await s.press(typed)
        await s.until(lambda: field.value == value, f"{value}, not {field.value}")
        await s.press("x", "/", "/")
        await s.until(lambda: field.value == value + "x//", "only the first key is special")


async def test_a_pasted_path_takes_the_place_of_the_folder_proposed(shell):
    async with shell() as s:
        await s.press("g", "space")
        field = (await s.dialog(Prompt)).query_one("#typed", Input)
        field.post_message(events.Paste("/mnt/backup"))
        await s.until(lambda: field.value == "/mnt/backup", field.value)


async def test_going_to_a_folder_that_does_not_answer_goes_there_and_says_so(shell, monkeypatch):
    monkeypatch.setattr("tui.ui.operations_panes._ANSWER_S", 0.01)
    monkeypatch.setattr("tui.ui.widgets.pane_reading.SILENT_S", 0.05)
    async with shell() as s:
        s.client.hang("/mnt")
        s.client.hang("/mnt/backup")
        s.main.left.focus()
        await s.press("g", "space", *"/mnt/backup", "enter")
        await s.until(lambda: "not answering" in s.main.left.path_bar.text, "said in the pane")
        assert s.main.left.location == BACKUP
        await s.press("h")
        s.client.release("/mnt")
        s.client.release("/mnt/backup")
        await s.until(lambda: s.main.left.location == Location("/mnt"), "keys are still heard")


async def test_a_file_that_does_not_answer_is_told_and_holds_nothing_up(shell, monkeypatch):
    monkeypatch.setattr("tui.ui.operations_panes.SILENT_S", 1.0)
    async with shell() as s:
        await s.cursor_on("notes.txt")
        s.client.hang("/home/ann")
        await s.press("enter")
        told_by_then: list[list[str]] = []
        s.main.call_later(lambda: told_by_then.append(list(s.told)))
        await s.until(lambda: any("notes.txt is not answering" in text for text in s.told), "told")
        assert told_by_then == [[]]  # the screen went on meanwhile
        s.client.release("/home/ann")


async def test_a_bookmark_made_with_a_letter_is_jumped_to_with_it(shell):
    async with shell() as s:
        await s.press("m", "b", "tab")
        await s.press("'", "b")
        await s.until(lambda: s.main.right.location == ANN, "jumped")
        await s.press("'", "x")
        await s.until(lambda: any("no bookmark x" in text for text in s.told), "told")


async def test_bookmarks_are_listed_and_removed(shell):
    async with shell() as s:
        await s.press("m", "b", "ctrl+backslash")
        picker = await s.dialog(Picker)
        assert picker.current.text == "b  /home/ann"
        await s.press("delete")
        assert picker.current is None
        assert s.app.memory.bookmarks == {}


async def test_folders_visited_can_be_jumped_to_by_a_part_of_their_name(shell):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("enter")
        await s.until(lambda: s.main.pane.location == ANN.child("music"), "entered")
        await s.press("h")
        await s.until(lambda: s.main.pane.location == ANN, "back")
        await s.press("z")
        await s.dialog(Picker)
        await s.press(*"mus", "enter")
        await s.until(lambda: s.main.pane.location == ANN.child("music"), "jumped")


async def test_a_folder_that_has_gone_is_forgotten(shell):
    async with shell() as s:
        s.app.memory.visit(Location("/gone"))
        await s.press("z")
        await s.dialog(Picker)
        await s.press("enter")
        await s.until(lambda: any("/gone" in text for text in s.told), "told")
        assert Location("/gone") not in s.app.memory.frequent


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("c", "c"), "/home/ann/notes.txt"),
        (("c", "d"), "/home/ann"),
        (("c", "f"), "notes.txt"),
        (("c", "n"), "notes"),
        (("c", "u"), "file:///home/ann/notes.txt"),
    ],
)
async def test_text_goes_to_the_clipboard_and_is_shown(shell, keys, text):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press(*keys)
        await s.until(lambda: s.told, "told")
        assert s.app.clipboard == text
        assert text in s.told[-1]


async def test_several_paths_are_one_a_line(shell):
    async with shell() as s:
        await s.cursor_on("music")
        await s.press("space", "space", "c", "c")
        await s.until(lambda: s.told, "told")
        assert s.app.clipboard == "/home/ann/music\n/home/ann/photos"


ODD = b"\xff\n\x1b[31m \\ \xe2\x80\xae\xf0\x9f\x98\x80".decode("utf-8", "surrogateescape")


def test_any_name_is_typed_as_one_plain_line():
    line = escape(ODD)
    assert unescape(line) == ODD
    assert line.replace("😀", "").isascii()
    assert line.isprintable()


def test_a_relative_path_a_home_and_a_url_are_understood(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert parse_location("../bob", ANN) == Location("/home/bob")
    assert parse_location("~/x", BACKUP) == ANN.child("x")
    assert parse_location("file:///a%20b", ANN) == Location("/a b")


async def test_completion_offers_folders_with_names_as_they_are_typed():
    client = FakeClient({"d": {ODD: {}, "Docs": {}, "dots": {}, "data.txt": b"", ".hidden": {}}})
    base = Location("/d")
    assert await complete(client, "d", base) == ["dots/", "Docs/"]
    assert await complete(client, "/d/.", base) == ["/d/.hidden/"]
    assert await complete(client, "\\xff", base) == [f"{escape(ODD)}/"]
    assert await complete(client, "/nowhere/x", base) == []


# Programs.


@pytest.fixture
def ran(monkeypatch):
    """Return what was to be run outside, as (words, folder, added environment); nothing is."""
    calls = []

    async def run(app, words, folder=None, environ=None):
        calls.append((words, folder, environ))
        return 0

    monkeypatch.setattr(outside, "run_outside", run)
    return calls


async def test_a_command_is_run_in_the_folder_with_what_is_chosen(shell, ran):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        await s.press("space", "space", ";")
        prompt = await s.dialog(Prompt)
        explained = str(prompt.query_one(".explanation", Static).visual)
        assert '"$@" is 2 entries' in explained
        prompt.query_one("#typed", Input).value = 'wc "$@"'
        await s.press("enter")
        await s.until(lambda: ran, "run")
        [(words, folder, environ)] = ran
        assert words[-3:] == ['wc "$@"', "notes.txt", "report.pdf"]
        assert (folder, environ) == ("/home/ann", {"OTHER": "/mnt/backup"})
        await s.back()
        await s.press(";")
        prompt = await s.dialog(Prompt)
        await s.press("up")
        assert prompt.query_one("#typed", Input).value == 'wc "$@"'


async def test_no_command_is_run_where_none_is_typed_nor_at_another_host(shell, ran):
    async with shell() as s:
        await s.press(";")
        prompt = await s.dialog(Prompt)
        await s.press("space", "enter")
        await s.until(lambda: prompt.query_one("#feedback").has_class("-wrong"), "refused")
        await s.press("escape")
        await s.back()
        s.client.far("sftp://box", {"srv": {}})
        s.main.pane.go(Location("/srv", "sftp", "box"))
        await s.press(";")
        await s.until(
            lambda: any("a command can be run in local folders only" in it for it in s.told), "told"
        )
        assert ran == []


def test_names_reach_a_command_as_they_are_and_its_status_comes_back(tmp_path):
    names = ["-rf", "two words", "line\nbreak", "$HOME", "'\"\udcff"]
    line = """printf '<%s>' "$@"; printf '[%s]' "$OTHER"; exit 3"""
    done = subprocess.run(
        command_words(line, names),
        cwd=tmp_path,
        env={**os.environ, "OTHER": "/over there"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    told = "".join(f"<{name}>" for name in ["./-rf", *names[1:]]) + "[/over there]"
    assert os.fsencode(told) in done.stdout
    assert b"ended with status 3" in done.stdout
    assert done.returncode == 3


# The trash.


async def test_the_trash_of_the_volume_is_shown_and_else_that_of_the_home(shell, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "/home/ann/data")
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    tree = {
        "home": {"ann": {"data": {"Trash": {"files": {"old.txt": b""}}}}},
        "mnt": {"backup": {"deep": {}}, ".Trash-1000": {"files": {}}},
    }
    async with shell(tree) as s:
        await s.press("g", "t")
        await s.until(
            lambda: s.main.left.location == Location("/home/ann/data/Trash/files"), "that of the home"
        )
        await s.press("tab", "g", "t")
        await s.until(
            lambda: s.main.right.location == Location("/mnt/.Trash-1000/files"), "that of the volume"
        )


async def test_where_nothing_was_trashed_there_is_nothing_to_show(shell, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "/nowhere")
    async with shell() as s:
        await s.press("g", "t")
        await s.until(lambda: any("nothing was moved there yet" in text for text in s.told), "told")
        assert s.main.left.location == ANN
