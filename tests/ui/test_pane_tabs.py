"""Tabs of a pane: opened, closed and gone through, each as it was left."""

from __future__ import annotations

import pytest
from pane_app import panes

from tui.model.location import Location

ANN = Location("/home/ann")
DOCS = ANN.child("docs")


async def test_a_new_tab_leaves_the_old_one_as_it_was() -> None:
    async with panes() as p:
        assert not p.pane.tab_bar.display
        await p.press("t", "t")
        await p.pane.open(DOCS)
        await p.until(lambda: p.pane.tab_bar.text.split() == ["1", "ann", "2", "docs"], "both shown")
        await p.press("j", ",", "s")
        on = p.cursor
        await p.press("[")
        await p.until(lambda: (p.pane.location, p.pane.view.sort) == (ANN, "name"), "the first tab")
        await p.press("]")
        await p.until(
            lambda: (p.pane.location, p.pane.view.sort, p.cursor) == (DOCS, "size", on), "the second"
        )


async def test_each_tab_has_its_own_history_and_filter() -> None:
    async with panes() as p:
        await p.press("t", "t")
        await p.pane.open(DOCS)
        await p.press("f", *"b.txt", "enter")
        await p.until(lambda: p.names == ["..", "b.txt"], "filtered")
        await p.press("1")
        await p.until(lambda: p.pane.location == ANN and "docs" in p.names, "the first tab")
        await p.press("H")
        assert p.told == ["The history ends here."]
        await p.press("2")
        await p.until(lambda: p.names == ["..", "b.txt"], "still filtered")
        await p.press("H")
        await p.until(lambda: p.pane.location == ANN, "back in its own history")


async def test_closing_a_tab_shows_its_neighbour_and_the_last_one_stays() -> None:
    async with panes() as p:
        await p.press("t", "t")
        await p.pane.open(DOCS)
        await p.press("t", "c")
        await p.until(lambda: p.pane.location == ANN, "the one before")
        await p.until(lambda: not p.pane.tab_bar.display, "no line for one tab")
        await p.press("t", "c")
        assert (p.told, p.pane.location) == (["This is the only tab."], ANN)


async def test_a_click_shows_a_tab() -> None:
    async with panes() as p:
        await p.press("t", "t")
        await p.pane.open(DOCS)
        await p.until(lambda: p.pane.tab_bar.size.height == 1, "shown")
        await p.pilot.click(p.pane.tab_bar, offset=(2, 0))
        await p.until(lambda: p.pane.location == ANN, "the first tab")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("3", "There is no tab 3; T T opens one on this folder."),
        ("]", "This is the only tab; T T opens one on this folder."),
        ("tt" * 9, "There are 9 tabs already; T C closes one."),
    ],
)
async def test_what_there_is_no_tab_for_is_said(keys: str, said: str) -> None:
    async with panes() as p:
        await p.type(keys)
        await p.until(lambda: [text.casefold() for text in p.told] == [said.casefold()], "said")


async def test_nine_tabs_have_room_in_a_narrow_pane() -> None:
    async with panes(size=(60, 20)) as p:
        await p.type("tt" * 8)
        await p.until(lambda: "9" in p.pane.tab_bar.text, "the last one is in sight")
        assert len(p.pane.tab_bar.text) == p.pane.size.width
