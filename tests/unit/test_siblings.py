"""Entries of one folder, made when they are asked for."""

from __future__ import annotations

import pytest

from tui.model.job import JobKind, Request
from tui.model.location import Location
from tui.model.siblings import Siblings, common_folder

HERE = Location("/here")
SOME = Siblings(HERE, ["a", "b", "c"])


def test_they_are_what_a_list_of_their_locations_is() -> None:
    made = HERE.children("abc")
    assert SOME == made
    assert tuple(made) == SOME
    assert list(SOME) == made
    assert (SOME[0], SOME[-1], SOME[1:], len(SOME)) == (made[0], made[2], tuple(made[1:]), 3)
    assert Siblings(HERE, ["a", "b", "d"]) != made


def test_they_hold_what_is_in_their_folder_by_a_name_of_theirs() -> None:
    assert HERE.child("b") in SOME
    assert HERE.child("x") not in SOME
    assert Location("/elsewhere/b") not in SOME


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ("/here/b", ["/here/b"]),
        ("/here/b/deep/er", ["/here/b"]),
        ("/here/x", []),
        ("/here", []),
        ("/", []),
        ("/b", []),
    ],
)
def test_the_one_on_the_way_to_a_location_is_found(location: str, found: list[str]) -> None:
    assert [each.path for each in SOME.towards(Location(location))] == found


def test_one_folder_is_known_without_a_look_at_each() -> None:
    assert common_folder(SOME) == HERE
    assert common_folder((HERE.child("a"),)) == HERE
    assert common_folder((HERE.child("a"), HERE.child("b"))) is None
    assert common_folder(()) is None


def test_a_request_about_them_is_as_far_as_their_folder() -> None:
    far = Siblings(Location("/srv", "sftp", "box"), ["a", "b"])
    assert Request(kind=JobKind.COPY, sources=far, target=HERE).far
    assert not Request(kind=JobKind.COPY, sources=SOME, target=HERE).far
