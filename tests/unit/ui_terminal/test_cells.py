"""Text is measured and cut in cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.ui.terminal.cells import cells, fit, is_certain, split


@pytest.mark.parametrize(
    ("text", "width", "keep", "expected"),
    [
        ("short", 5, "start", "short"),
        ("a long name", 6, "start", "a lon…"),
        ("/a/long/folder", 8, "end", "…/folder"),
        ("a long name.tar", 10, "extension", "a lon….tar"),
        ("a name.with long extension", 10, "extension", "a name.wi…"),
        (".bashrc_of_someone", 8, "extension", ".bashrc…"),
        ("漢字漢字", 5, "start", "漢字…"),
        ("漢字漢字", 4, "start", "漢…"),
        ("漢字漢字", 4, "end", "…字"),
        ("x", 0, "start", ""),
        ("xy", 1, "start", "…"),
    ],
)
def test_text_is_cut_to_fit(text: str, width: int, keep: str, expected: str) -> None:
    assert fit(text, width, keep) == expected


@given(
    st.text(st.characters(codec="utf-8")), st.integers(0, 20), st.sampled_from(["start", "end", "extension"])
)
def test_what_was_cut_is_never_too_wide(text: str, width: int, keep: str) -> None:
    assert cells(fit(text, width, keep)) <= width or (fit(text, width, keep) == text and cells(text) <= width)


def test_text_is_taken_apart_into_cells() -> None:
    assert split("a漢e\u0301") == ("a", "漢", "", "e\u0301")


def test_what_a_terminal_would_obey_is_shown() -> None:
    assert split("x\x9by") == ("x", "⠜")
    assert split("\udcff") == ("⣿",)


@pytest.mark.parametrize("cell", [*"aö│▁漢가✓…⣿", " "])
def test_terminals_agree_on_the_width_of_common_characters(cell: str) -> None:
    assert is_certain(cell)


@pytest.mark.parametrize("cell", ["👍", "⚠️", "⚠", "e\u0301", "ع", "\ue0b0", "⌚", "\u1100"])
def test_terminals_differ_on_the_width_of_others(cell: str) -> None:
    assert not is_certain(cell)
