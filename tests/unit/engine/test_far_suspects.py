"""What is suspected of ending a connection, tried alone, cleared, and given up."""

from __future__ import annotations

import pytest

from tui.engine.far.streak import ALONE_AFTER, MOST_LOSSES
from tui.engine.far.suspects import Suspects
from tui.engine.far.tree import Folder, Item, State
from tui.model.entry import Entry, EntryKind
from tui.model.error import EndsConnection, PlaceUnavailable
from tui.model.location import Location

HERE, THERE = Location("/from", "here", "one"), Location("/to", "there", "two")
LOST = PlaceUnavailable("cannot read it: the line was cut")


def folder(path: str, state: State = State.LISTING) -> Folder:
    return Folder(0, path, path, HERE.below(path), THERE.below(path), None, state=state)


def item(within: Folder, name: str) -> Item:
    return Item(within, Entry(name, EntryKind.FILE, 4, 0, 0o644, 0, 0, 1), name, 0)


@pytest.fixture
def furthest() -> dict[Location, int]:
    return {}


@pytest.fixture
def suspects(furthest: dict[Location, int]) -> Suspects:
    return Suspects(furthest)


def lose(suspects: Suspects, *under_way: Folder | Item, times: int = ALONE_AFTER) -> None:
    for _ in range(times):
        suspects.lost(under_way, LOST)


def test_only_what_was_under_way_each_time_is_suspected(suspects: Suspects) -> None:
    tree = folder("tree")
    suspects.lost([item(tree, "a"), item(tree, "b")], LOST)
    suspects.lost([item(tree, "b"), item(tree, "c")], LOST)
    assert list(suspects.left) == [(0, "tree/b")]
    suspects.tried(item(tree, "b"))
    assert not suspects.left


def test_only_what_was_alone_is_given_up(suspects: Suspects) -> None:
    tree = folder("tree")
    lose(suspects, item(tree, "a"), item(tree, "b"), times=MOST_LOSSES + 1)
    suspects.check(item(tree, "a"))
    suspects.check(item(tree, "b"))
    suspects.lost([item(tree, "b")], LOST)
    suspects.check(item(tree, "a"))
    with pytest.raises(EndsConnection, match=r"the line was cut \(8 times in a row\)"):
        suspects.check(item(tree, "b"))


def test_a_file_that_came_further_is_not_suspected(suspects: Suspects, furthest: dict[Location, int]) -> None:
    large = item(folder("tree"), "large")
    for position in range(1, 2 * MOST_LOSSES):
        furthest[large.target] = position
        suspects.lost([large], LOST)
    assert not suspects.left
    lose(suspects, large, times=MOST_LOSSES)
    with pytest.raises(EndsConnection):
        suspects.check(large)


def test_a_folder_is_cleared_by_a_page_it_did_not_come_to_before(suspects: Suspects) -> None:
    tree = folder("tree")
    tree.pages = 3
    lose(suspects, tree)
    tree.pages = 2
    suspects.tried(tree)
    assert suspects.left
    tree.pages = 4
    suspects.tried(tree)
    assert not suspects.left


@pytest.mark.parametrize("state", [State.NEW, State.FINISH])
def test_a_folder_that_is_not_being_listed_is_cleared_once_it_was_tried(
    suspects: Suspects, state: State
) -> None:
    tree = folder("tree", state)
    lose(suspects, tree)
    suspects.tried(tree)
    assert not suspects.left


def test_what_was_found_done_after_the_loss_needs_no_trial(suspects: Suspects) -> None:
    tree = folder("tree")
    lose(suspects, item(tree, "a"), item(tree, "b"))
    suspects.passed(tree, "a")
    assert list(suspects.left) == [(0, "tree/b")]


def test_what_has_gone_from_a_folder_is_forgotten_when_that_is_finished(suspects: Suspects) -> None:
    tree, other = folder("tree"), folder("tree two")
    lose(suspects, item(tree, "gone"), item(other, "there"))
    suspects.tried(folder("tree", State.FINISH))
    assert list(suspects.left) == [(0, "tree two/there")]


@pytest.mark.parametrize("guilty", [0, 1, 499, 500, 999])
def test_one_of_a_thousand_is_found_by_halves(suspects: Suspects, guilty: int) -> None:
    tree = folder("tree")
    items = {(0, f"tree/{number}"): item(tree, str(number)) for number in range(1000)}
    lose(suspects, *items.values())
    tries = 0
    while suspects.left != {(0, f"tree/{guilty}"): 0}:
        tries += 1
        half = [items[key] for key in suspects.half()]
        if items[(0, f"tree/{guilty}")] in half:
            suspects.lost(half, LOST)
        else:
            for innocent in half:
                suspects.tried(innocent)
    assert tries <= 10
