"""Both panes and where they are: going, completion, bookmarks, frequent folders, swapping, text on the clipboard."""

from __future__ import annotations

import pytest
from fake_client import FakeClient
from textual import events
from textual.widgets import Input

from tui.model.location import Location
from tui.ui.completion import complete
from tui.ui.names import escape, unescape
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
