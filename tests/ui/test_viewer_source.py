"""Rows, lines and searches in files, whatever they hold."""

from __future__ import annotations

import pytest
from fake_client import FakeClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.model.error import UsageError
from tui.model.location import Location
from tui.ui import view_source
from tui.ui.view_search import Needle, find_backward, find_forward
from tui.ui.view_source import BLOCK, LineIndex, ViewSource
from tui.ui.view_window import HexWindow, TextWindow, cut_out, wrapped

FILE = Location.local("/f")


def source_of(content: bytes) -> ViewSource:
    return ViewSource(FakeClient({"f": content}), FILE, len(content))


def nothing(_: int) -> None:
    pass


async def all_rows(source: ViewSource) -> list:
    rows, start = [], 0
    while start < source.size_bytes:
        row = await source.row(start)
        rows.append(row)
        start = row.end
    return rows


@pytest.mark.parametrize("ending", [b"", b"\n"])
async def test_rows_are_the_lines_of_the_file(ending):
    source = source_of(b"one\n\ntwo\r\nthree" + ending)
    assert [row.text for row in await source.rows(0, 10)] == ["one", "", "two", "three"]


async def test_an_empty_file_has_no_rows():
    source = source_of(b"")
    assert await source.open() == b""
    assert await source.rows(0, 5) == []
    window = TextWindow(source)
    await window.to_end()
    await window.go_to(0)
    assert window.lines == []


async def test_what_a_terminal_would_obey_and_what_is_no_text_is_shown_as_marks():
    [row] = await source_of(b"\xef\xbb\xbfa\x1b[2J\tb\xff\x9b").rows(0, 5)
    assert row.text == "a␛[2J   b\u28ff\u289b"


async def test_a_long_line_is_broken_between_characters_and_nothing_is_lost():
    text = "ä" * (BLOCK + 7) + "日" * BLOCK
    content = text.encode()
    source = source_of(b"x" + content + b"\nend")
    rows = await all_rows(source)
    assert "".join(row.text for row in rows[:-1]) == "x" + text
    assert rows[-1].text == "end"
    assert max(row.end - row.start for row in rows) <= 2 * BLOCK


async def test_the_end_of_a_line_without_end_is_read_without_the_line():
    size = 10 << 30

    class Endless:
        asked = 0

        async def read(self, location, offset, size_bytes):
            self.asked += size_bytes
            return b"x" * min(size_bytes, size - offset)

        async def stat(self, location, *, follow=False):
            return type("Entry", (), {"size_bytes": size})

    places = Endless()
    window = TextWindow(ViewSource(places, FILE, size))
    await window.resize(100, 50)
    await window.to_end()
    assert len(window.lines) == 50
    assert window.end == size
    assert places.asked < 10 * BLOCK


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([b"a", b"\n", b"bc\n", b"\xc3\xa4", b"\xff"]), st.integers(1, 40))))
async def test_rows_are_the_same_from_the_front_and_from_the_back(parts):
    content = b"".join(part * count for part, count in parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view_source, "BLOCK", 16)  # so that small files have many
        await compare_rows_both_ways(content)


async def compare_rows_both_ways(content: bytes) -> None:
    source = source_of(content)
    rows = await all_rows(source)
    assert sum(row.end - row.start for row in rows) == len(content)
    starts = [row.start for row in rows]
    assert await source.starts_before(len(content), 10_000) == starts
    for row in rows:
        assert await source.start_at(row.start) == row.start
        assert await source.start_at(row.end - 1) == row.start


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr(view_source, "_STEP", 8)
    monkeypatch.setattr(view_source, "CHUNK", 32)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"one", b"one\n", b"a\nbb\nccc\n" * 30, b"a\n\n\nb" * 33, b"x" * 99]
)
async def test_lines_are_counted_and_found(small_steps, content):
    index = LineIndex(source_of(content))
    assert await index.line_at(100) is None or not content
    async for _ in index.count():
        pass
    lines = content.splitlines(keepends=True)
    assert index.lines == len(lines)
    offset = 0
    for number, line in enumerate(lines, 1):
        assert await index.start_of(number) == offset
        assert await index.line_at(offset) == number
        offset += len(line)
    assert await index.start_of(len(lines) + 1) is None or not lines


async def test_counting_stops_at_a_limit_and_goes_on(small_steps):
    index = LineIndex(source_of(b"a\n" * 100))
    async for _ in index.count(limit_bytes=64):
        pass
    assert index.lines is None
    assert index.counted_bytes == 64
    assert await index.start_of(20) == 38
    async for _ in index.count():
        pass
    assert index.lines == 100


async def test_a_file_that_grows_is_counted_on(small_steps):
    client = FakeClient({"f": b"a\n" * 10})
    source = ViewSource(client, FILE, 20)
    index = LineIndex(source)
    async for _ in index.count():
        pass
    client.write("/f", b"a\n" * 50)
    await source.refresh_size()
    assert not index.is_complete
    async for _ in index.count():
        pass
    assert index.lines == 50


async def test_a_file_that_shrinks_is_followed_and_told_once():
    client = FakeClient({"f": b"line\n" * 50_000})
    source = ViewSource(client, FILE, 250_000)
    window = TextWindow(source)
    await window.resize(80, 24)
    client.write("/f", b"line\n" * 10)
    await window.to_end()
    await window.lay_out()
    assert source.size_bytes == 50
    assert [line.row.text for line in window.lines] == ["line"] * 10
    await source.read(40, 100)
    assert source.notice == ""
    client.write("/f", b"line\n")
    await source.read(40, 10)
    assert "shorter" in source.notice


async def test_a_file_without_a_size_is_read_all_the_same():
    source = ViewSource(FakeClient({"f": b"cpu 1\ncpu 2\n"}), FILE, 0)
    await source.open()
    assert [row.text for row in await source.rows(0, 5)] == ["cpu 1", "cpu 2"]


@pytest.mark.parametrize("where", [0, 1, 262_143, 262_144, 300_000, 999_996])
@pytest.mark.parametrize("forward", [True, False])
async def test_a_search_finds_what_lies_across_chunks(where, forward):
    content = bytearray(b"." * 1_000_000)
    content[where : where + 4] = b"Wort"
    source = source_of(bytes(content))
    needle = Needle("wort")
    if forward:
        assert await find_forward(source, needle, 0, nothing) == where
        assert await find_forward(source, needle, where + 1, nothing) is None
    else:
        assert await find_backward(source, needle, len(content), nothing) == where
        assert await find_backward(source, needle, where, nothing) is None


async def test_searching_back_finds_the_last_before_the_place():
    source = source_of(b"ab ab ab")
    assert await find_backward(source, Needle("ab"), 6, nothing) == 3


@pytest.mark.parametrize(
    ("typed", "content", "found"),
    [
        ("größe", "GRÖSSE", 0),
        ("Grün", "grün Grün", 6),
        ("a.c", "abc a.c", 4),
        ("日本", "x日本", 1),
    ],
)
async def test_small_letters_find_capitals_and_capitals_only_themselves(typed, content, found):
    assert await find_forward(source_of(content.encode()), Needle(typed), 0, nothing) == found


def test_bytes_are_searched_as_hexadecimal():
    assert Needle("0xDE ad", as_bytes=True).first(b"..\xde\xad") == 2
    for wrong in ("0x1", "zz", ""):
        with pytest.raises(UsageError):
            Needle(wrong, as_bytes=True)


@pytest.mark.parametrize("text", ["", "abc", "x" * 25, "日本" * 9, "a日" * 9])
@pytest.mark.parametrize("width", [2, 7, 10])
def test_wrapping_covers_all_of_a_text(text, width):
    ranges = wrapped(text, width)
    assert "".join(text[first:last] for first, last in ranges) == text
    assert len(ranges) >= 1


def test_cutting_shows_whole_characters_only():
    assert cut_out("abcdef", 2, 3) == (2, 5)
    assert cut_out("日本語x", 1, 4) == (1, 2)
    assert cut_out("日本語x", 9, 4) == (4, 4)


async def test_a_window_goes_down_and_up_by_the_same_lines():
    source = source_of(b"".join(b"%d " % n * (n % 50) + b"\n" for n in range(500)))
    window = TextWindow(source)
    await window.resize(40, 10)
    seen = []
    for _ in range(300):
        seen.append((window._top, window._sub))
        await window.step(1)
    for place in reversed(seen):
        await window.step(-1)
        assert (window._top, window._sub) == place


async def test_a_window_never_shows_less_than_it_could():
    window = TextWindow(source_of(b"line\n" * 100))
    await window.resize(40, 10)
    await window.step(1000)
    assert len(window.lines) == 10
    assert window.lines[-1].row.end == 500
    await window.go_to(499)
    assert len(window.lines) == 10


async def test_matches_are_shown_where_they_stand():
    window = TextWindow(source_of("\täb ab\n".encode()))
    window.needle = Needle("ab")
    await window.resize(40, 10)
    assert window.matches == {0: [(11, 13)]}


async def test_bytes_are_shown_in_lines_to_the_very_end():
    window = HexWindow(source_of(bytes(range(256)) * 4 + b"end"))
    await window.resize(80, 10)
    await window.to_end()
    assert window.lines[-1].data == b"end"
    assert len(window.lines) == 10
    await window.go_to(0x100)
    assert any(line.offset == 0x100 for line in window.lines)
