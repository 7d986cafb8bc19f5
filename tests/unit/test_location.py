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


def test_children_are_what_each_child_is() -> None:
    for folder in (Location("/"), Location("/a"), Location("/a", "sftp", "nas")):
        assert folder.children(["b", "c"]) == [folder.child("b"), folder.child("c")]


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


# Stores


@given(st.sampled_from(["", "minio", "a b@c/d:é", "\udcff"]), st.lists(names, max_size=4))
def test_any_key_of_a_store_survives_the_url_form(name: str, parts: list[bytes]) -> None:
    location = Location("/" + "/".join(os.fsdecode(part) for part in parts), "s3", name)
    assert location.url.isascii()
    assert Location.from_url(location.url) == location


@pytest.mark.parametrize(
    ("location", "url"),
    [
        (Location("/bucket/a key", "s3"), "s3://bucket/a%20key"),
        (Location("/bucket/key", "s3", "minio"), "s3://minio@bucket/key"),
        (Location("/bucket", "s3"), "s3://bucket"),
        (Location("/", "s3"), "s3:///"),
        (Location("/", "s3", "minio"), "s3://minio@/"),
        (Location("/no@name/a@b", "s3"), "s3://no%40name/a@b"),
    ],
)
def test_the_url_of_a_store_begins_with_the_bucket(location: Location, url: str) -> None:
    assert location.url == url
    assert Location.from_url(url) == location


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("s3://bucket/", Location("/bucket", "s3")),
        ("s3://bucket/a//b/../c/", Location("/bucket/a/c", "s3")),
        ("s3://", Location("/", "s3")),
        ("s3:///bucket/key", Location("/bucket/key", "s3")),
        ("s3://minio@", Location("/", "s3", "minio")),
    ],
)
def test_other_ways_to_write_a_store_are_understood(url: str, location: Location) -> None:
    assert Location.from_url(url) == location


def test_a_store_that_is_named_by_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="not a location"):
        Location.from_url("s3://@bucket/key")


def test_a_store_is_shown_as_it_is_written() -> None:
    assert str(Location("/bucket/two words", "s3", "minio")) == "s3://minio@bucket/two words"
    assert str(Location("/", "s3")) == "s3:///"
