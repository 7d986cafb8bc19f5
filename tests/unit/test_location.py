"""Locations: one path algebra, and a URL form that any name survives."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.error import UsageError
from tui.model.location import Location

names = st.binary(min_size=1, max_size=40).filter(lambda b: b not in (b".", b"..") and not set(b) & {0, 0x2F})


@given(st.lists(names, max_size=5))
def test_any_path_survives_the_url_form(parts: list[bytes]) -> None:
    location = Location.local(b"/" + b"/".join(parts))
    assert location.url.isascii()
    assert location.url.isprintable()
    assert Location.from_url(location.url) == location
    assert os.fsencode(location.path) == b"/" + b"/".join(parts)


@given(st.lists(names, min_size=1, max_size=5))
def test_a_child_knows_its_parent(parts: list[bytes]) -> None:
    folder = Location.local(b"/" + b"/".join(parts[:-1]))
    child = folder.child(os.fsdecode(parts[-1]))
    assert child.parent == folder
    assert child.name == os.fsdecode(parts[-1])
    assert folder.holds(child)
    assert folder.below(folder.relative(child)) == child


def test_dots_and_doubled_slashes_are_folded() -> None:
    assert Location.local("//a/./b//../c/").path == "/a/c"
    assert Location.local("..", base="/a/b").path == "/a"
    assert Location.local("/..").path == "/"


def test_a_sibling_with_a_longer_name_is_not_below() -> None:
    assert not Location.local("/a").holds(Location.local("/ab"))
    assert Location.local("/").holds(Location.local("/ab"))
    with pytest.raises(UsageError):
        Location.local("/a").relative(Location.local("/ab"))


@pytest.mark.parametrize("text", ["", "relative", "a\0b"])
def test_what_is_not_an_absolute_path_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Location.local(text)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
def test_what_is_not_one_name_is_no_child(name: str) -> None:
    with pytest.raises(UsageError):
        Location.local("/a").child(name)


def test_a_password_is_never_shown() -> None:
    shown = str(Location.from_url("sftp://me:secret@host:22/data"))
    assert shown == "sftp://me@host:22/data"
