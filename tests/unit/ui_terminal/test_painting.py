"""Whatever changes, what is sent makes a terminal show the wanted frame."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from unittest import mock

import pyte
import pytest
import wcwidth
from hypothesis import given, settings
from hypothesis import strategies as st
from pyte import screens
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, InlineUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.ui.terminal.cells import CONTINUED, is_certain, split
from tui.ui.terminal.difference import Abilities
from tui.ui.terminal.frame import cells_of
from tui.ui.terminal.painter import BEGIN_SYNCHRONIZED, END_SYNCHRONIZED, Painter

COLORS = ColorSystem.EIGHT_BIT
WIDTH, HEIGHT = 24, 4
STYLES = [
    Style(color="red", bgcolor="#203040"),
    Style(color="blue", bgcolor="#203040"),
    Style(bgcolor="#ffff00", bold=True),
    Style(color="white", italic=True, underline=True),
    Style(bgcolor="#ffff00", reverse=True),
    Style(bold=True, strike=True),
    Style.null(),
]
DOUBTFUL = ["⚠️", "❤", "👍", "e\u0301", "⏸", "ع", "🇩🇪"]
PIECES = [
    *"abc 0189",
    "     ",
    "            ",
    "│",
    "▁",
    "漢",
    "字",
    "ö",
    "✓",
    "\x1b",
    "\x9b",
    "\udcff",
    *DOUBTFUL,
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
SEGMENTS = st.lists(st.builds(Segment, TEXTS, st.sampled_from(STYLES)), max_size=4)


@dataclass(frozen=True)
class Put:
    """Strips that arrive at a place on the screen."""

    y: int
    x: int
    segments: list[Segment]


PUTS = st.builds(Put, st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), SEGMENTS)
FRAMES = st.lists(st.lists(PUTS, max_size=5), max_size=6)


def apply(painter: Painter, put: Put) -> None:
    strip = Strip(put.segments)
    painter.apply(LayoutUpdate([[strip]], Region(put.x, put.y, WIDTH - put.x, 1)), COLORS)


class Emulator:
    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.screen = pyte.Screen(width, height)
        self.screen.reset_mode(7, private=True)
        self._stream = pyte.Stream(self.screen)

    def feed(self, text: str) -> None:
        assert not set(text.replace("\x1b", "")) & set(map(chr, [*range(32), *range(127, 160)]))
        self._stream.feed(text)

    def look(self, y: int, x: int) -> tuple[object, ...]:
        """Return what is seen of a cell: a blank has no foreground unless it is underlined, struck or reversed."""
        cell = self.screen.buffer[y][x]
        seen = (cell.bg, cell.underscore, cell.strikethrough, cell.reverse)
        if cell.data == " " and not (cell.underscore or cell.strikethrough or cell.reverse):
            return (" ", *seen)
        attributes = (cell.bold, cell.italics) if cell.data != " " else ()
        return (unicodedata.normalize("NFC", cell.data), cell.fg, *attributes, *seen)

    def row(self, y: int) -> list[tuple[object, ...]]:
        return [self.look(y, x) for x in range(self.screen.columns)]


def painted_at_once(painter: Painter) -> Emulator:
    """Return a terminal that is shown the wanted frame for the first time."""
    painter.forget()
    emulator = Emulator(*painter.size)
    emulator.feed(painter.encode())
    return emulator


def wanted_cell(painter: Painter, y: int, x: int) -> str:
    return painter._wanted.texts[y][x]


@settings(max_examples=60)
@given(FRAMES, st.sampled_from([Abilities(), Abilities(False, False), Abilities(synchronized=True)]))
def test_differences_add_up_to_the_wanted_frame(frames: list[list[Put]], abilities: Abilities) -> None:
    painter = Painter(WIDTH, HEIGHT, abilities)
    emulator = Emulator()
    for puts in frames:
        for put in puts:
            apply(painter, put)
        emulator.feed(painter.encode())
    fresh = painted_at_once(painter)
    for y in range(HEIGHT):
        assert emulator.row(y) == fresh.row(y)
        for x in range(WIDTH):
            text = wanted_cell(painter, y, x)
            if is_certain(text):
                assert emulator.screen.buffer[y][x].data == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("doubted_width", [1, 2])
@settings(max_examples=40)
@given(frames=FRAMES)
def test_certain_cells_are_right_where_the_terminal_takes_doubtful_ones_otherwise(
    doubted_width: int, frames: list[list[Put]]
) -> None:
    def width_there(character: str) -> int:
        doubtful = character in "⚠❤👍⏸ع🇩🇪"
        return doubted_width if doubtful else int(wcwidth.wcwidth(character))

    painter = Painter(WIDTH, HEIGHT, Abilities())
    emulator = Emulator()
    with mock.patch.object(screens, "wcwidth", width_there):
        for puts in frames:
            for put in puts:
                apply(painter, put)
            emulator.feed(painter.encode())
    for y in range(HEIGHT):
        for x in range(WIDTH):
            text = wanted_cell(painter, y, x)
            if is_certain(text):
                assert emulator.screen.buffer[y][x].data == text


def test_nothing_changed_sends_nothing() -> None:
    painter = Painter(WIDTH, HEIGHT, Abilities(synchronized=True))
    put = Put(0, 0, [Segment("漢字 ⚠️ abc", STYLES[0])])
    apply(painter, put)
    assert painter.encode()
    apply(painter, put)
    assert painter.encode() == ""


def test_one_digit_costs_one_digit() -> None:
    painter = Painter(WIDTH, HEIGHT, Abilities(synchronized=True))
    apply(painter, Put(2, 0, [Segment("copied 41 of 100 files", STYLES[0])]))
    painter.encode()
    apply(painter, Put(2, 0, [Segment("copied 42 of 100 files", STYLES[0])]))
    assert painter.encode() == "\x1b[3;9H2"


def test_blanks_to_the_end_are_erased() -> None:
    painter = Painter(WIDTH, HEIGHT, Abilities())
    apply(painter, Put(0, 0, [Segment("a long line of text", STYLES[0])]))
    painter.encode()
    apply(painter, Put(0, 0, [Segment("a".ljust(WIDTH), STYLES[0])]))
    assert painter.encode().endswith("\x1b[K")


def test_a_terminal_that_does_not_erase_in_color_is_sent_blanks() -> None:
    painter = Painter(WIDTH, HEIGHT, Abilities(erases_in_color=False))
    apply(painter, Put(0, 0, [Segment(" " * WIDTH, STYLES[0])]))
    assert " " * WIDTH in painter.encode()


def test_several_rows_are_bracketed_and_one_is_not() -> None:
    painter = Painter(WIDTH, HEIGHT, Abilities(synchronized=True))
    painter.encode()
    apply(painter, Put(0, 0, [Segment("a")]))
    assert painter.encode() == "\x1b[1Ha"
    apply(painter, Put(0, 0, [Segment("b")]))
    apply(painter, Put(1, 0, [Segment("b")]))
    text = painter.encode()
    assert text.startswith(BEGIN_SYNCHRONIZED)
    assert text.endswith(END_SYNCHRONIZED)


def test_half_of_a_wide_character_becomes_a_blank() -> None:
    painter = Painter(WIDTH, HEIGHT, Abilities())
    apply(painter, Put(0, 0, [Segment("漢字")]))
    apply(painter, Put(0, 1, [Segment("x")]))
    assert painter._wanted.texts[0][:5] == [" ", "x", "字", CONTINUED, " "]


def test_a_row_holds_no_part_of_what_was_cut_off() -> None:
    painter = Painter(5, 1, Abilities())
    painter.apply(LayoutUpdate([[Strip([Segment("abcd漢")])]], Region(0, 0, 5, 1)), COLORS)
    assert painter._wanted.texts[0] == [*"abcd "]


def test_chops_are_placed_where_they_belong() -> None:
    painter = Painter(12, 2, Abilities())
    chops = [{0: Strip([Segment("left")]), 4: None, 8: Strip([Segment("rite")])}, {}]
    painter.apply(ChopsUpdate(chops, [(0, 0, 10)], [[4, 8, 12], []]), COLORS)
    assert "".join(painter._wanted.texts[0]) == "left    ri  "


def test_an_inline_update_is_refused() -> None:
    with pytest.raises(TypeError, match="InlineUpdate"):
        Painter(4, 4, Abilities()).apply(InlineUpdate([]), COLORS)


def test_after_a_resize_all_is_sent_again() -> None:
    painter = Painter(WIDTH, HEIGHT, Abilities())
    apply(painter, Put(1, 0, [Segment("kept")]))
    painter.encode()
    painter.resize(10, 2)
    emulator = Emulator(10, 2)
    emulator.feed(painter.encode())
    assert emulator.screen.display[1].rstrip() == "kept"


def test_the_cursor_goes_where_text_is_typed() -> None:
    painter = Painter(WIDTH, HEIGHT, Abilities())
    painter.place_cursor(3, 1)
    assert painter.encode().endswith("\x1b[2;4H")
    painter.place_cursor(3, 1)
    assert painter.encode() == ""


@given(TEXTS)
def test_text_takes_the_cells_planned_for_it(text: str) -> None:
    assert len(split(text)) == cell_len(text)
    texts, looks = cells_of([Segment(text, STYLES[0]), Segment("x", None, [])], COLORS)
    assert len(texts) == len(looks)
