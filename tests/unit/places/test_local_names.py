"""What filesystems with other rules for names find wrong, and when two names are one."""

from __future__ import annotations

import pytest

from tui.places.local.name_rules import WINDOWS
from tui.places.local.names import folded


@pytest.mark.parametrize(
    ("first", "second"),
    [("Readme", "README"), ("café", "cafe\u0301"), ("STRASSE", "straße"), ("name.", "name"), ("A B ", "a b")],
)
def test_names_that_some_filesystem_takes_for_one_are_folded_alike(first: str, second: str) -> None:
    assert folded(first.encode()) == folded(second.encode())


def test_different_names_are_folded_differently() -> None:
    assert len({folded(name) for name in (b"a", b"b", b"a b", b"a.b", b"\xff", b"\xfe")}) == 6


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (b"a:b", "takes no ':'"),
        (b"what?", "takes no '?'"),
        (b"new\nline", "takes no '\\n'"),
        (b"end.", "end with a dot or a space"),
        (b"end ", "end with a dot or a space"),
        (b"nul.txt", "keeps the name nul"),
        (b"\xff", "is not UTF-8"),
        ("\U0001f680".encode() * 128, "255 UTF-16 units"),
    ],
)
def test_what_is_wrong_with_a_name_is_said(name: bytes, why: str) -> None:
    assert why in WINDOWS.refuses(name)


@pytest.mark.parametrize("name", [b"plain", b".hidden", b"...x", "äöü".encode(), b"console", b"a" * 255])
def test_ordinary_names_are_fine(name: bytes) -> None:
    assert WINDOWS.refuses(name) == ""
