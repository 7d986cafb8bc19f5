"""Searching below a folder, by name and by what stands in files; and what is done with what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_client import FakeClient, link
from textual.widgets import Input, Static

from tui.model.error import PermissionDenied, UsageError
from tui.model.job import JobKind
from tui.model.location import Location
from tui.ui import searching
from tui.ui.screens.search import SearchScreen
from tui.ui.screens.viewer import Viewer
from tui.ui.searching import Search
from tui.ui.view_search import CHUNK
from tui.ui.widgets.hit_list import HitList

if TYPE_CHECKING:
    from tui.ui.searching import Hit

HOME = Location("/home/ann")
TREE: dict[str, Any] = {
    "home": {
        "ann": {
            "todo.txt": b"one\ntwo milk\n",
            "pics": {
                "cat.JPG": b"\xff\xd8\x00milk",
                "old": {"dog.jpg": b"", "cat": {"a.txt": b"Milk and honey"}},
            },
            ".cache": {"cat.jpg": b"milk"},
            "around": link("pics"),
        }
    },
    "mnt": {"backup": {}},
}


async def found(client: FakeClient, text: str, **choices: bool) -> list[Hit]:
    return [
        hit for hits in [each async for each in Search(client, HOME, text, **choices).run()] for hit in hits
    ]


async def searched(s, key: str, text: str, count: int) -> SearchScreen:
    """Search for something below the pane's folder; return the dialog once so many were found."""
    await s.press(key, *text, "enter")
    dialog = await s.dialog(SearchScreen)
    await s.until(lambda: len(dialog.query_one(HitList).hits) == count, "found")
    return dialog


def said(dialog: SearchScreen) -> str:
    return str(dialog.query_one("#feedback", Static).visual)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("cat", ["pics/cat.JPG", "pics/old/cat/"]),
        ("*.jpg", ["pics/cat.JPG", "pics/old/dog.jpg"]),
        ("*.JPG", ["pics/cat.JPG"]),
        ("nothing", []),
    ],
)
async def test_names_are_found_the_nearest_first_and_links_are_not_followed(text, paths) -> None:
    assert [hit.path for hit in await found(FakeClient(TREE), text)] == paths


async def test_hits_of_a_folder_stand_as_people_count() -> None:
    client = FakeClient({"home": {"ann": {name: b"" for name in ("f10", "f9", "F1")}}})
    assert [hit.path for hit in await found(client, "f")] == ["F1", "f9", "f10"]


async def test_hidden_entries_are_looked_at_where_they_are_shown() -> None:
    hits = await found(FakeClient(TREE), "cat", hidden=True)
    assert ".cache/cat.jpg" in [hit.path for hit in hits]


async def test_text_is_found_in_text_files_with_its_line() -> None:
    hits = await found(FakeClient(TREE), "milk", contents=True)
    assert [(hit.path, hit.line, hit.text) for hit in hits] == [
        ("todo.txt", 2, "two milk"),
        ("pics/old/cat/a.txt", 1, "Milk and honey"),
    ]


@pytest.mark.parametrize("before", [CHUNK - 3, CHUNK, 2 * CHUNK - 1])
async def test_text_across_two_reads_is_found_with_the_right_line(before: int) -> None:
    content = (b"x" * 63 + b"\n") * (before // 64) + b"y" * (before % 64) + b"needle here"
    client = FakeClient({"home": {"ann": {"big.txt": content}}})
    [hit] = await found(client, "needle", contents=True)
    assert (hit.line, hit.text.endswith("needle here")) == (before // 64 + 1, True)


async def test_what_cannot_be_read_is_counted_and_the_rest_is_searched() -> None:
    client = FakeClient(TREE)
    client.refuse(HOME.child("pics"), PermissionDenied)
    search = Search(client, HOME, "t")
    hits = [hit.path async for hits in search.run() for hit in hits]
    assert (hits, search.passed.failures) == (["todo.txt"], 1)


def test_nothing_cannot_be_searched_for() -> None:
    with pytest.raises(UsageError):
        Search(FakeClient(TREE), HOME, "")


async def test_enter_goes_to_what_was_found_and_s_comes_back_to_the_rest(shell) -> None:
    async with shell(TREE) as s:
        await s.press("s")
        dialog = await s.dialog(SearchScreen)
        await s.press(*"cat", "enter")
        hits = dialog.query_one(HitList)
        await s.until(lambda: len(hits.hits) == 2, "found")
        await s.press("j", "enter")
        await s.until(lambda: s.main.pane.location == HOME.child("pics").child("old"), "there")
        await s.until(lambda: s.main.pane.current and s.main.pane.current.name == "cat", "on it")
        await s.press("s")
        again = await s.dialog(SearchScreen)
        assert [hit.path for hit in again.query_one(HitList).hits] == ["pics/cat.JPG", "pics/old/cat/"]
        assert again.query_one(HitList).cursor == 1
        await s.press("escape")
        await s.back()


async def test_marked_hits_are_yanked_and_pasted_into_one_folder(shell) -> None:
    async with shell(TREE) as s:
        dialog = await searched(s, "s", "*.jpg", 2)
        await s.press("space")
        await s.until(lambda: "1 marked" in said(dialog), "told")
        await s.press("space", "*", "*", "y")
        await s.back()
        await s.press("tab", "p")
        await s.until(lambda: s.requests, "pasted")
        [request] = s.requests
        assert (request.kind, request.target) == (JobKind.COPY, Location("/mnt/backup"))
        assert [source.name for source in request.sources] == ["cat.JPG", "dog.jpg"]


async def test_text_is_searched_and_a_hit_is_viewed(shell) -> None:
    async with shell(TREE) as s:
        dialog = await searched(s, "S", "milk", 2)
        assert dialog.query_one(HitList).render_line(0).text.split() == ["todo.txt:2", "two", "milk"]
        await s.press("f3")
        await s.until(lambda: isinstance(s.app.screen, Viewer), "viewer")
        assert s.app.screen.location == HOME.child("todo.txt")
        await s.press("q")
        await s.until(lambda: s.app.screen is dialog, "back at the hits")


async def test_letters_are_text_while_one_types_and_slash_begins_anew(shell) -> None:
    async with shell(TREE) as s:
        await s.press("s", *"xyq", "enter")
        dialog = await s.dialog(SearchScreen)
        await s.until(lambda: "nothing found" in said(dialog), "said")
        await s.press("/", *"todo", "enter")
        await s.until(lambda: len(dialog.query_one(HitList).hits) == 1, "found")
        assert dialog.query_one(Input).value == "todo"


async def test_escape_stops_a_search_and_then_leaves(shell) -> None:
    async with shell(TREE) as s:
        s.client.hang(HOME.child("pics"))
        await s.press("s", *"t", "enter")
        dialog = await s.dialog(SearchScreen)
        await s.until(lambda: "1 found" in said(dialog), "the first folder")
        await s.press("escape")
        await s.until(lambda: "stopped" in said(dialog), "stopped")
        await s.press("escape")
        await s.back()


async def test_what_is_read_is_told_while_nothing_is_found(shell) -> None:
    async with shell(TREE) as s:
        s.client.hang(HOME.child("pics"))
        await s.press("S", *"nowhere", "enter")
        dialog = await s.dialog(SearchScreen)
        await s.until(
            lambda: said(dialog) == "nothing found · in 1 folder, 1 file · reading todo.txt …", "told"
        )


async def test_a_search_ends_where_nobody_reads_on(monkeypatch) -> None:
    monkeypatch.setattr(searching, "MOST_HITS", 1)
    assert [hit.path for hit in await found(FakeClient(TREE), "o")] == ["around"]


async def test_of_a_large_folder_hits_come_in_parts_and_in_order(monkeypatch) -> None:
    monkeypatch.setattr(searching, "PART", 2)
    names = [f"file{number}" for number in (10, 2, 1, 30, 4)]
    client = FakeClient({"home": {"ann": {name: b"" for name in names}}})
    parts = [[hit.path for hit in hits] async for hits in Search(client, HOME, "file").run()]
    assert parts == [["file1", "file2"], ["file4", "file10"], ["file30"]]


async def test_two_clicks_go_to_a_hit(shell) -> None:
    async with shell(TREE) as s:
        dialog = await searched(s, "s", "cat", 2)
        await s.pilot.click(HitList, offset=(3, 1), times=2)
        await s.until(lambda: s.main.pane.location == HOME.child("pics").child("old"), "there")
        assert s.app.screen is not dialog


async def test_a_search_says_what_it_could_not_see(shell) -> None:
    def untold(client: FakeClient) -> None:
        client.untold = {
            HOME.child("pics"): "cannot read all of pics: the key 'a//b' cannot be told by names"
        }

    async with shell(TREE, prepare=untold) as s:
        dialog = await searched(s, "s", "cat", 2)
        await s.until(lambda: "2 found · in 4 folders · not all of 1 folder seen" in said(dialog), "said")
        assert "the key 'a//b'" in said(dialog)
