"""Decisions about names: groups of sources, lists of renames, the order of the queue; and when to try again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.engine.planner import CHUNK, chunks, neighbour_order, plan_renames
from tui.engine.retry import wait_before_retry
from tui.engine.rows import Source
from tui.model.error import PermissionDenied, PlaceUnavailable, SourceChanged, UsageError
from tui.model.location import Location


def sources(*paths: str) -> list[Source]:
    return [Source(idx, Location(path)) for idx, path in enumerate(paths)]


def test_sources_are_grouped_by_folder_and_never_twice_by_name() -> None:
    groups = chunks(sources("/a/1", "/a/2", "/b/1", "/a/3", "/a/4", "/a/4"))
    assert [[source.location.path for source in group] for group in groups] == [
        ["/a/1", "/a/2"], ["/b/1"], ["/a/3", "/a/4"], ["/a/4"],
    ]  # fmt: skip


def test_groups_have_an_end() -> None:
    assert [len(group) for group in chunks(sources(*(f"/a/{n}" for n in range(CHUNK + 1))))] == [CHUNK, 1]


def renames(pairs: dict[str, str], *taken: str) -> tuple[list[str], list[str]]:
    """Return who steps aside and who is refused."""
    old, new = [Location(f"/{name}") for name in pairs], [Location(f"/{name}") for name in pairs.values()]
    plan = plan_renames(old, new, {Location(f"/{name}") for name in taken} | (set(old) & set(new)))
    return [old[idx].name for idx in plan.park], sorted(old[idx].name for idx in plan.refused)


def test_only_those_in_the_way_step_aside() -> None:
    assert renames({"a": "b", "b": "a", "c": "d"}) == (["a", "b"], [])
    assert renames({"a": "b", "b": "c"}) == (["b"], [])


def test_what_is_in_the_way_is_refused_and_so_is_who_relied_on_it() -> None:
    assert renames({"a": "x", "b": "a", "c": "b", "d": "e"}, "x") == ([], ["a", "b", "c"])


def test_one_name_is_given_once() -> None:
    assert renames({"a": "x", "b": "x"}) == ([], ["b"])


def test_a_name_that_stays_is_nobodys_trouble() -> None:
    assert renames({"a": "a", "b": "c"}, "a") == ([], [])


names = st.sampled_from("abcdefgh")


@given(st.dictionaries(names, names), st.sets(names))
def test_a_plan_of_renames_can_be_carried_out_and_loses_nothing(
    pairs: dict[str, str], others: set[str]
) -> None:
    """Played through on a dictionary: no name is ever taken twice."""
    disk = {name: f"content of {name}" for name in set(pairs) | others}
    old, new = [Location(f"/{name}") for name in pairs], [Location(f"/{name}") for name in pairs.values()]
    plan = plan_renames(old, new, {location for location in new if location.name in disk})
    aside = {idx: disk.pop(old[idx].name) for idx in plan.park}
    for idx, target in enumerate(new):
        if idx in plan.refused:
            continue
        content = aside[idx] if idx in aside else disk[old[idx].name]
        if old[idx] == target:
            continue
        assert target.name not in disk
        if idx not in aside:
            del disk[old[idx].name]
        disk[target.name] = content
    assert sorted(disk.values()) == sorted(f"content of {name}" for name in set(pairs) | others)


def test_jobs_move_in_the_queue() -> None:
    order = [1, 2, 3, 4, 5]
    assert neighbour_order(order, {4, 5}, "top") == [4, 5, 1, 2, 3]
    assert neighbour_order(order, {1, 3}, "bottom") == [2, 4, 5, 1, 3]
    assert neighbour_order(order, {2, 3}, "up") == [2, 3, 1, 4, 5]
    assert neighbour_order(order, {1, 2}, "up") == order
    assert neighbour_order(order, {2, 3}, "down") == [1, 4, 2, 3, 5]
    assert neighbour_order(order, {5}, "down") == order
    with pytest.raises(UsageError):
        neighbour_order(order, {1}, "left")


def test_passing_troubles_are_tried_again_with_growing_patience() -> None:
    busy = PlaceUnavailable("busy")
    waits = [wait_before_retry(busy, attempt) for attempt in (1, 2, 3)]
    assert waits[:2] == [0.5, 2.0]
    assert waits[2] is None


def test_lasting_troubles_are_not_tried_again() -> None:
    assert wait_before_retry(PermissionDenied("no"), 1) is None


def test_what_changed_under_both_tries_of_a_copy_is_left_to_a_person() -> None:
    assert wait_before_retry(SourceChanged("changed"), 1) is None
