"""SGR sequences bring a terminal from any look to any other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color, ColorSystem
from rich.style import Style

from tui.ui.terminal.look import PLAIN, Look, _parse, look_of, transition

ENDS = {
    22: {"1", "2"},
    23: {"3"},
    24: {"4", "21"},
    25: {"5", "6"},
    27: {"7"},
    28: {"8"},
    29: {"9"},
    54: {"51", "52"},
}
COLORS = st.one_of(
    st.none(), st.integers(0, 255).map(Color.from_ansi), st.builds(Color.from_rgb, *[st.integers(0, 255)] * 3)
)
FLAGS = st.sampled_from([None, True, False])
STYLES = st.builds(
    Style,
    color=COLORS,
    bgcolor=COLORS,
    bold=FLAGS,
    dim=FLAGS,
    italic=FLAGS,
    underline=FLAGS,
    blink=FLAGS,
    reverse=FLAGS,
    conceal=FLAGS,
    strike=FLAGS,
    underline2=FLAGS,
)
LOOKS = st.builds(look_of, STYLES, st.sampled_from([ColorSystem.STANDARD, ColorSystem.TRUECOLOR]))


def obey(state: Look, sequence: str) -> Look:
    """Return the look of a terminal after a sequence, code by code as terminals do it."""
    foreground, background, attributes = state.foreground, state.background, set(state.attributes)
    assert not sequence or (sequence.startswith("\x1b[") and sequence.endswith("m"))
    parts = iter(sequence[2:-1].split(";")) if sequence else iter(())
    for part in parts:
        if part in ("", "0"):
            foreground, background, attributes = "", "", set()
        elif part in ("38", "48"):
            kind = next(parts)
            color = ";".join((part, kind, *(next(parts) for _ in range(3 if kind == "2" else 1))))
            foreground, background = (color, background) if part == "38" else (foreground, color)
        elif part == "39":
            foreground = ""
        elif part == "49":
            background = ""
        elif int(part) in ENDS:
            attributes -= ENDS[int(part)]
        elif int(part) < 22:
            attributes.add(part)
        elif 30 <= int(part) < 40 or 90 <= int(part) < 100:
            foreground = part
        else:
            background = part
    return _parse(";".join([*sorted(attributes), foreground, background]))


@given(LOOKS, LOOKS)
def test_a_transition_leads_to_the_new_look(old: Look, new: Look) -> None:
    assert obey(old, transition(old, new)) is new
    assert obey(old, transition(None, new)) is new


@given(LOOKS)
def test_the_same_look_needs_nothing(same: Look) -> None:
    assert transition(same, same) == ""


def test_only_what_differs_is_sent() -> None:
    old = look_of(Style(color="color(200)", bgcolor="color(20)"), ColorSystem.EIGHT_BIT)
    new = look_of(Style(color="color(200)", bgcolor="color(21)"), ColorSystem.EIGHT_BIT)
    assert transition(old, new) == "\x1b[48;5;21m"
    assert transition(new, PLAIN) == "\x1b[m"


def test_links_are_left_out() -> None:
    assert look_of(Style(link="file:///\x1b]52;c;\x07"), ColorSystem.EIGHT_BIT) is PLAIN


def test_a_blank_shows_its_foreground_only_when_underlined_or_reversed() -> None:
    red, blue = (look_of(Style(color=color, bold=True), ColorSystem.EIGHT_BIT) for color in ("red", "blue"))
    assert red.blank is blue.blank is PLAIN
    underlined = look_of(Style(color="red", underline=True), ColorSystem.EIGHT_BIT)
    assert underlined.blank is underlined
    assert not underlined.erasable
