"""What a terminal would obey, hide or reorder is shown, and no two names look alike."""

from __future__ import annotations

import functools
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.visible import LITERAL, harmless, visible

NAMES = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "\x00\x1b\n\x7f\x9b\u200d\u202e\u2028\ufe0f\ufeff\udc80\udcff\ud800\uffff\U000e0041␛␦⠁⣿⚠1️⃣"
        ),
    ),
    max_size=30,
)


@pytest.mark.parametrize(
    "character",
    [
        *map(chr, range(0x20)),
        "\x7f",
        *map(chr, range(0x80, 0xA0)),
        *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
        *"\u2028\u2029\u200b\u200c\u200d\u2060\ufeff\u00ad\ufffe\uffff",
        *map(chr, range(0xDC80, 0xDD00)),
    ],
)
def test_a_dangerous_character_becomes_one_mark(character: str) -> None:
    shown = visible(f"a{character}b")
    assert shown[0] == "a"
    assert shown[2:] == "b"
    assert unicodedata.category(shown[1]) == "So"


@given(NAMES)
def test_nothing_dangerous_is_left(name: str) -> None:
    for shown in (visible(name), harmless(name)):
        assert not [
            c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and not is_plain(c)
        ]
        shown.encode()


def is_plain(character: str) -> bool:
    """Tell the few format characters that are seen: the Arabic, Syriac and Kaithi number signs."""
    return (
        character in "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    )


@given(NAMES)
def test_a_name_can_be_told_from_its_visible_form(name: str) -> None:
    assert original(visible(name)) == name


@functools.cache
def marks() -> dict[str, str]:
    """Return what each mark stands for. (Made when it is asked for: every worker loads every test.)"""
    return {visible(chr(code)): chr(code) for code in range(0x10000) if len(visible(chr(code))) == 1}


def original(shown: str) -> str:
    pattern = re.compile(f"{LITERAL}([0-9a-f]+);|{LITERAL}(.)|(.)", re.DOTALL)

    def back(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return match[2] or marks().get(match[3], match[3])

    # A variation selector that was kept stands for itself.
    return "".join(c if c == "\ufe0f" else pattern.sub(back, c) for c in re.split("(\ufe0f)", shown))


@given(NAMES)
def test_visible_text_passes_the_last_defence_unchanged(name: str) -> None:
    assert harmless(visible(name)) == visible(name)


@pytest.mark.parametrize(
    "name", ["report.txt", "café ☃.txt", "日本語", "a\u0301", "⚠️ read me", "1️⃣ first", "\u00a0"]
)
def test_a_harmless_name_stays_as_it_is(name: str) -> None:
    assert visible(name) == name


def test_a_mark_in_a_name_is_not_taken_for_what_it_marks() -> None:
    assert visible("␛") == "␦␛"
    assert visible("\x1b") == "␛"
    assert visible("⣿") != visible("\udcff")
    assert visible("␦") == "␦␦"


def test_a_variation_selector_after_a_letter_is_shown() -> None:
    assert visible("a\ufe0f") != visible("a")
    assert visible("1\ufe0f") != "1\ufe0f"
    assert len(visible("\ufe0f")) == 1
