"""The viewer as a person uses it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from fake_client import FakeClient, fifo, where
from textual.app import App
from textual.widgets import Input, Static

from tui.config import Settings
from tui.model.error import UsageError
from tui.model.location import Location
from tui.resources import styles_dir
from tui.ui.highlight import Highlighter
from tui.ui.screens.prompt import Prompt
from tui.ui.screens.viewer import FAR_COUNTED_BY_ITSELF, Viewer, parse_place
from tui.ui.themes import shared_variables
from tui.ui.view_source import LineIndex, Row, is_binary
from tui.ui.widgets.hex_view import HexView
from tui.ui.widgets.text_view import TextView

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot


class ViewerApp(App[None]):
    CSS_PATH = [styles_dir() / "viewer.tcss"]  # noqa: RUF012 (Textual reads it)

    def __init__(self, content: object, name: str = "f.txt", *, far: bool = False) -> None:
        super().__init__()
        self.settings = Settings()
        self.client = FakeClient({"d": {name: content}})
        self.client.far("sftp://box/", {"d": {name: content}})
        self.location = where(f"sftp://box/d/{name}") if far else Location.local("/d").child(name)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return shared_variables(self.current_theme)

    def on_mount(self) -> None:
        self.push_screen(Viewer(self.client, self.location, self.settings))


async def until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    while not true():
        await pilot.pause(0.005)


async def opened(pilot: Pilot[None]) -> Viewer:
    await until(pilot, lambda: isinstance(pilot.app.screen, Viewer))
    viewer = pilot.app.screen
    assert isinstance(viewer, Viewer)
    await until(pilot, lambda: viewer.view is not None and viewer.view.has_focus)
    await settled(pilot, viewer)
    return viewer


async def settled(pilot: Pilot[None], viewer: Viewer) -> None:
    await pilot.pause()
    await until(pilot, lambda: viewer.view is not None and viewer.view.is_idle)
    await pilot.pause()


def lines(viewer: Viewer) -> list[str]:
    view = viewer.view
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)] if view else []


def title(viewer: Viewer) -> str:
    return str(viewer.query_one("#title", Static).render())


async def press(pilot: Pilot[None], viewer: Viewer, *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot, viewer)


async def answer(pilot: Pilot[None], viewer: Viewer, key: str, text: str) -> None:
    await pilot.press(*key.split())
    await until(pilot, lambda: isinstance(pilot.app.focused, Input))
    pilot.app.focused.value = text
    await pilot.press("enter")
    await until(pilot, lambda: pilot.app.screen is viewer)
    await until(pilot, lambda: not any(each.is_running for each in viewer.workers if each.group == "long"))
    await settled(pilot, viewer)


NUMBERED = b"".join(b"line %d\n" % number for number in range(1, 1001))


async def test_text_is_shown_moved_and_closed() -> None:
    app = ViewerApp(NUMBERED)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        height = viewer.view.size.height
        assert lines(viewer)[:2] == ["line 1", "line 2"]
        await press(pilot, viewer, "j", "down")
        assert lines(viewer)[0] == "line 3"
        await press(pilot, viewer, "k", "space")
        assert lines(viewer)[0] == f"line {height + 1}"
        await press(pilot, viewer, "G")
        assert lines(viewer)[-1] == "line 1000"
        await press(pilot, viewer, "b", "g", "g")
        assert lines(viewer)[0] == "line 1"
        await pilot.press("q")
        await until(pilot, lambda: not isinstance(app.screen, Viewer))


async def test_the_title_says_where_one_is() -> None:
    app = ViewerApp(NUMBERED)
    async with app.run_test(size=(100, 24)) as pilot:
        viewer = await opened(pilot)
        await until(pilot, lambda: "line 1/1,000" in title(viewer))
        assert "/d/f.txt" in title(viewer)
        assert "8.7 KiB" in title(viewer)
        await press(pilot, viewer, "G")
        await until(pilot, lambda: "100%" in title(viewer))


async def test_the_title_keeps_name_place_and_share_on_a_narrow_screen() -> None:
    app = ViewerApp(NUMBERED)
    async with app.run_test(size=(40, 12)) as pilot:
        viewer = await opened(pilot)
        await until(pilot, lambda: "line 1/1,000" in title(viewer))
        assert "f.txt" in title(viewer)
        assert title(viewer).rstrip().endswith("%")
        assert len(title(viewer)) <= 40


async def test_an_empty_file_is_said_to_be_empty() -> None:
    app = ViewerApp(b"")
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await until(pilot, lambda: title(viewer).endswith("empty"))


@pytest.mark.parametrize(
    ("typed", "first"),
    [("500", "line 500"), ("50%", "line 5"), ("0x0", "line 1"), ("@7", "line 2"), ("99999", "line 10")],
)
async def test_one_goes_to_a_line_a_part_or_an_offset(typed: str, first: str) -> None:
    app = ViewerApp(NUMBERED)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await answer(pilot, viewer, "colon", typed)
        assert any(line.startswith(first) for line in lines(viewer))
        if typed == "99999":
            assert "There are 1,000 lines." in [note.message for note in app._notifications]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("12", ("line", 12)),
        (" 50 %", ("percent", 50)),
        ("999%", ("percent", 100)),
        ("0x1F", ("offset", 31)),
        ("@7", ("offset", 7)),
    ],
)
def test_places_are_understood(text: str, place: tuple[str, int]) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "²", "9" * 40])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_place(text)


async def test_a_search_goes_down_up_and_says_when_nothing_is_left() -> None:
    app = ViewerApp(NUMBERED)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await answer(pilot, viewer, "/", "LINE 90")
        assert [note.message for note in app._notifications] == ["LINE 90 is not found below."]
        await answer(pilot, viewer, "/", "line 90")
        assert viewer._found == NUMBERED.index(b"line 90\n")
        await press(pilot, viewer, "n")
        await until(pilot, lambda: viewer._found == NUMBERED.index(b"line 900"))
        await settled(pilot, viewer)
        assert "line 900" in lines(viewer)
        await press(pilot, viewer, "N")
        await until(pilot, lambda: viewer._found == NUMBERED.index(b"line 90\n"))


def found_at(viewer: Viewer) -> list[tuple[int, int]]:
    """Return (line, cell) of what is marked as the match a search went to."""
    view = viewer.view
    assert view is not None
    ground = view.get_component_rich_style("view--found").bgcolor
    found = []
    for y in range(view.size.height):
        cell = 0
        for text, style, _ in view.render_line(y):
            if style and style.bgcolor == ground:
                found.append((y, cell))
            cell += len(text)
    return found


async def test_the_match_a_search_went_to_looks_other_than_the_rest() -> None:
    app = ViewerApp("é sail, sail and sail\nsail\n".encode())
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await answer(pilot, viewer, "/", "sail")
        assert found_at(viewer) == [(0, 2)]
        await press(pilot, viewer, "n", "n")
        await until(pilot, lambda: found_at(viewer) == [(0, 17)])
        await press(pilot, viewer, "n")
        await until(pilot, lambda: found_at(viewer) == [(1, 0)])
        await press(pilot, viewer, "N")
        await until(pilot, lambda: found_at(viewer) == [(0, 17)])


async def test_so_it_does_in_hexadecimal() -> None:
    app = ViewerApp(b"\xfe\xed" * 8 + b"\0" * 16)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await answer(pilot, viewer, "/", "0xfeed")
        await until(pilot, lambda: len(found_at(viewer)) == 3)  # two bytes, and both their characters
        first = found_at(viewer)
        await press(pilot, viewer, "n")
        await until(pilot, lambda: found_at(viewer) != first)
        assert len(found_at(viewer)) == 3


async def test_escape_stops_a_search_before_it_closes_the_viewer() -> None:
    app = ViewerApp(NUMBERED * 200)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await until(pilot, lambda: viewer._index.is_complete)
        app.client.hang("/d")
        await pilot.press("/")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*"nowhere", "enter")
        await until(pilot, lambda: any(each.is_running for each in viewer.workers if each.group == "long"))
        await pilot.press("escape")
        await until(
            pilot, lambda: not any(each.is_running for each in viewer.workers if each.group == "long")
        )
        assert app.screen is viewer
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not viewer)


async def test_binary_files_open_as_hexadecimal_and_turn_to_text() -> None:
    app = ViewerApp(b"\x7fELF\0\0" + bytes(range(256)) * 20)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        assert isinstance(viewer.view, HexView)
        assert lines(viewer)[0].startswith("00000000  7f 45 4c 46 00 00")
        assert "·ELF··" in lines(viewer)[0]
        await pilot.press("x")
        await until(pilot, lambda: isinstance(viewer.view, TextView) and viewer.view.has_focus)
        await settled(pilot, viewer)
        assert lines(viewer)[0].startswith("␡ELF␀␀")


async def test_hexadecimal_is_searched_by_bytes_and_keeps_its_place() -> None:
    app = ViewerApp(b"." * 5000 + b"\xde\xad\xbe\xef" + b"." * 5000)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(viewer.view, HexView) and viewer.view.has_focus)
        await settled(pilot, viewer)
        await answer(pilot, viewer, "/", "0xdeadbeef")
        assert any("de ad be ef" in line for line in lines(viewer))


@pytest.mark.parametrize(
    ("head", "binary"),
    [
        (b"", False),
        (b"text\n", False),
        ("日本語".encode() * 9, False),
        (b"a\0b", True),
        (bytes(range(128, 250)), True),
        (b"\xff" + b"text " * 9, False),
    ],
)
def test_binary_is_told_by_the_first_bytes(head: bytes, binary: bool) -> None:
    assert is_binary(head) is binary


async def test_long_lines_are_wrapped_or_cut_and_shifted() -> None:
    app = ViewerApp(b"0123456789" * 30 + b"\nshort\n")
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        assert [len(line) for line in lines(viewer)[:5]] == [80, 80, 80, 60, 5]
        await press(pilot, viewer, "w")
        assert [len(line) for line in lines(viewer)[:3]] == [80, 5, 0]
        await press(pilot, viewer, "L")
        assert lines(viewer)[0].startswith("6789")
        assert lines(viewer)[1] == ""
        await press(pilot, viewer, "H", "H")
        assert lines(viewer)[1] == "short"


async def test_a_hostile_file_sends_nothing_to_the_terminal() -> None:
    app = ViewerApp(b"\x1b]52;c;eA==\x07\x1b[2J\xc2\x9b5n\xe2\x80\xae rtl\r \x08 \xff\n")
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        text = "".join(lines(viewer))
        assert "rtl" in text
        assert not any(ord(character) < 0x20 or character in "\x7f\x9b\u202e" for character in text)
        assert not any(0xD800 <= ord(character) <= 0xDFFF for character in text)


async def test_source_is_coloured_away_from_the_event_loop() -> None:
    app = ViewerApp(b"import os\n\ndef f():\n    return 'text'  # why\n", "f.py")
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        plain = viewer.view.get_component_rich_style("view--text")

        def coloured() -> set[str]:
            return {s.text for y in range(4) for s in viewer.view.render_line(y) if s.style != plain}

        await until(pilot, lambda: {"import", "def", "return"} <= {text.strip() for text in coloured()})


async def test_colours_come_by_the_interpreter_where_the_name_says_nothing() -> None:
    rows = [Row(0, 20, "#!/usr/bin/env python3"), Row(20, 30, "import os")]
    highlighter = Highlighter("script", b"#!/usr/bin/env python3\n")
    await highlighter.learn(rows)
    assert highlighter.spans(rows[1])[0][:2] == (0, 6)
    unknown = Highlighter("notes", b"hello")
    await unknown.learn(rows)
    assert unknown.knows(rows)
    assert unknown.spans(rows[0]) == ()


async def test_a_file_that_vanishes_is_told_once_and_stays_in_view() -> None:
    app = ViewerApp(NUMBERED * 300)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await until(pilot, lambda: viewer._index.is_complete)
        app.client.vanish("/d/f.txt")
        await press(pilot, viewer, "G")
        await press(pilot, viewer, "G")
        assert lines(viewer)[0] == "line 1"
        assert len([note for note in app._notifications if "no such file" in note.message]) == 1
        await pilot.press("q")
        await until(pilot, lambda: app.screen is not viewer)


async def test_what_is_no_file_is_told_and_the_viewer_leaves() -> None:
    app = ViewerApp(fifo())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app._notifications)
        await until(pilot, lambda: not isinstance(app.screen, Viewer))


async def test_a_place_that_does_not_answer_can_be_left() -> None:
    app = ViewerApp(b"text")
    app.client.hang("/d")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Viewer))
        viewer = app.screen
        assert "reading" in title(viewer)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not viewer)


async def test_prompts_of_the_viewer_refuse_what_makes_no_sense() -> None:
    app = ViewerApp(NUMBERED)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*"here", "enter")
        assert isinstance(app.screen, Prompt)


async def test_a_viewer_left_while_lines_are_counted_is_gone_without_a_word() -> None:
    app = ViewerApp(NUMBERED * 200)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await until(pilot, lambda: viewer._index.is_complete)
        viewer._index = LineIndex(viewer.source)
        app.client.hang("/d")
        before = len(app.client.calls)
        viewer._count_lines()
        await until(pilot, lambda: len(app.client.calls) > before)
        await pilot.press("escape")
        await until(pilot, lambda: not viewer.is_attached)
        app.client.release("/d")
    assert not app._notifications


@pytest.mark.parametrize("content", [NUMBERED, bytes(range(256))], ids=["text", "bytes"])
async def test_a_far_file_is_shown_without_a_key_though_its_lines_are_not_counted_yet(
    content: bytes,
) -> None:
    app = ViewerApp(content, far=True)
    read, counted, reads = app.client.read, asyncio.Event(), 0

    async def slow_read(location: Location, offset: int, size_bytes: int) -> bytes:
        nonlocal reads
        reads += 1
        await (counted.wait() if reads > 1 else asyncio.sleep(0.05))  # as long as the screen takes to rest
        return await read(location, offset, size_bytes)

    app.client.read = slow_read  # type: ignore[method-assign]
    async with app.run_test() as pilot:
        viewer = await opened(pilot)
        assert all(lines(viewer)[:5])
        counted.set()


async def test_of_a_far_file_little_is_read_that_is_not_shown() -> None:
    app = ViewerApp(NUMBERED * 400, far=True)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await until(
            pilot, lambda: not any(each.is_running for each in viewer.workers if each.group == "count")
        )
        read = sum(call[3] for call in app.client.calls if call[0] == "read")
        assert read < 2 * FAR_COUNTED_BY_ITSELF < len(NUMBERED * 400)
        await press(pilot, viewer, "G")
        assert lines(viewer)[-1] == "line 1000"
        assert "line not counted" in title(viewer)


async def test_a_line_of_a_far_file_is_gone_to_though_it_lies_beyond_what_was_counted() -> None:
    app = ViewerApp(NUMBERED * 400, far=True)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await answer(pilot, viewer, "colon", "399001")
        assert "line 1" in lines(viewer)
        await until(pilot, lambda: "/400,000" in title(viewer))


async def test_moving_in_a_far_file_reads_again_nothing_that_was_read() -> None:
    app = ViewerApp(NUMBERED, far=True)
    async with app.run_test(size=(80, 24)) as pilot:
        viewer = await opened(pilot)
        await press(pilot, viewer, "j")
        await until(pilot, lambda: "line 2/" in title(viewer))
        before = len(app.client.calls)
        await press(pilot, viewer, "j", "j", "j")
        await until(pilot, lambda: "line 5/" in title(viewer))
        assert app.client.calls[before:] == []


def test_no_lexer_is_loaded_before_a_file_is_viewed() -> None:

    code = "import sys, tui.ui.screens.viewer; sys.exit('pygments' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_file_that_does_not_answer_says_so_and_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.ui.screens.viewer.SILENT_S", 0.02)
    app = ViewerApp(b"text")
    app.client.hang("/d")
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, Viewer))
        title = app.screen.query_one("#title", Static)
        await until(pilot, lambda: "not answering: Esc leaves" in str(title.render()))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, Viewer))
        app.client.release("/d")
