"""A file pane: what it shows, and what its keys do."""

from __future__ import annotations

import time

import pytest
from fake_client import NOON_NS, FakeClient, file
from pane_app import HOSTILE, TREE, panes
from textual.events import MouseScrollDown
from textual.widgets import Input

from tui.model.entry import Space
from tui.model.error import PermissionDenied
from tui.model.location import Location
from tui.ui.folder import UNREAD
from tui.ui.widgets.pane import FilePane

SORTED = ["..", "docs", "music", "shortcut", "dead", "file1.tar", "file2.txt", "File10.txt", "link"]
SORTED += ["pipe", "run.sh", "sock"]


async def test_a_folder_is_shown_with_signs_sizes_and_dates() -> None:
    async with panes(size=(60, 20)) as p:
        lines = p.lines()
        assert [line[1] for line in lines[:12]] == [
            "/",
            "/",
            "/",
            "~",
            "!",
            " ",
            " ",
            " ",
            "@",
            "|",
            "*",
            "=",
        ]
        assert p.names == SORTED
        assert "‹DIR›" in lines[1]
        assert "1.9 MiB" in lines[6]
        assert time.strftime("%b %d  %Y", time.localtime(NOON_NS // 10**9)) in lines[6]


@pytest.mark.parametrize(
    ("width", "columns"),
    [(80, ("size", "modified", "mode")), (45, ("size", "modified")), (34, ("size",)), (24, ())],
)
async def test_columns_give_way_to_the_name(width: int, columns: tuple[str, ...]) -> None:
    async with panes(size=(width, 20), columns=("size", "modified", "mode")) as p:
        assert p.pane.listing.columns == columns
        assert {len(line) for line in p.lines()} == {width - 1}


async def test_a_long_name_keeps_its_extension() -> None:
    async with panes({"d": {"a long name that goes on and on and on.tar": 1}}, at="/d", size=(40, 10)) as p:
        assert "….tar" in p.lines()[1]


async def test_the_cursor_is_seen_in_both_panes_and_looks_different() -> None:
    async with panes(right="/home", size=(80, 24)) as p:
        await p.settled("/home", p.other)
        own = next(iter(p.pane.listing.render_line(0))).style
        across = next(iter(p.other.listing.render_line(0))).style
        plain = next(iter(p.other.listing.render_line(1))).style
        assert own and across and plain
        assert len({own.bgcolor, across.bgcolor, plain.bgcolor}) == 3
        p.other.focus()
        await p.until(lambda: p.other.listing.active and not p.pane.listing.active)


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        (("j", "down", "k"), 1),
        (("end",), 199),
        (("G", "g", "g"), 0),
        (("pagedown",), 22),
        (("ctrl+f", "ctrl+b"), 0),
        (("ctrl+d", "ctrl+d", "ctrl+u"), 11),
        (("up",), 0),
        (("G", "down"), 199),
        (("G", "pageup"), 177),
    ],
)
async def test_keys_move_the_cursor(keys: tuple[str, ...], row: int) -> None:
    tree = {"d": {f"n{n}": n for n in range(199)}}
    async with panes(tree, at="/d", size=(60, 24)) as p:
        assert p.pane.listing.page == 22
        await p.press(*keys)
        listing = p.pane.listing
        assert listing.cursor == row
        assert listing.scroll_offset.y <= row < listing.scroll_offset.y + listing.page


async def test_leaving_the_page_scrolls_by_half_a_page() -> None:
    async with panes({"d": {f"n{n}": n for n in range(100)}}, at="/d", size=(60, 24)) as p:
        await p.press(*["down"] * 21)
        assert p.pane.listing.scroll_offset.y == 0
        await p.press("down")
        assert p.pane.listing.scroll_offset.y == 11


async def test_enter_and_parent_go_in_and_out_with_the_cursor_where_it_was() -> None:
    async with panes() as p:
        await p.on("music")
        await p.press("l")
        await p.settled("/home/ann/music")
        assert p.names == ["..", "one.ogg", "two.ogg"]
        await p.press("h")
        await p.settled("/home/ann")
        assert p.cursor == "music"
        await p.press("up", "enter", "j", "backspace")  # typed ahead: each key means the folder before it
        await p.settled("/home/ann")
        assert p.cursor == "docs"
        await p.press("g", "g", "enter")
        await p.settled("/home")
        assert p.cursor == "ann"


async def test_a_link_to_a_folder_is_entered_under_its_own_name() -> None:
    async with panes() as p:
        await p.on("shortcut")
        await p.press("enter")
        await p.settled("/home/ann/shortcut")
        assert "a.txt" in p.names


async def test_enter_on_a_file_tells_it() -> None:
    async with panes() as p:
        await p.on("file2.txt")
        await p.press("enter")
        await p.until(lambda: p.heard(FilePane.FileOpened))
        assert p.heard(FilePane.FileOpened)[0].location == Location("/home/ann/file2.txt")


async def test_history_goes_back_and_forward() -> None:
    async with panes() as p:
        p.pane.go(Location("/home/ann/docs"))
        await p.settled("/home/ann/docs")
        p.pane.go(Location("/empty"))
        await p.settled("/empty")
        await p.press("H", "H")
        await p.settled("/home/ann")
        await p.press("L")
        await p.settled("/home/ann/docs")
        await p.press("alt+right")
        await p.settled("/empty")
        await p.press("L")
        assert p.told == ["The history ends here."]
        await p.press("g", "/")
        await p.settled("/")
        assert p.names[0] != ".."


async def test_home_is_a_key_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann/docs")
    async with panes(at="/empty") as p:
        await p.press("g", "h")
        await p.settled("/home/ann/docs")


async def test_the_target_of_a_link_is_shown_in_its_own_folder() -> None:
    async with panes() as p:
        await p.on("link")
        await p.press("g", "f")
        await p.until(lambda: p.cursor == "file2.txt")
        await p.press("g", "f")
        await p.until(lambda: p.told == ["Only links lead elsewhere; put the cursor on one."])
        await p.on("dead")
        await p.press("g", "f")
        await p.until(lambda: len(p.told) == 2)
        assert "no such file" in p.told[1]


async def test_going_to_a_file_shows_its_folder_with_the_cursor_on_it() -> None:
    async with panes(at="/empty") as p:
        p.pane.go(Location("/home/ann/run.sh"))
        await p.settled("/home/ann")
        assert p.cursor == "run.sh"


async def test_a_change_of_folder_is_told_once() -> None:
    async with panes() as p:
        assert not p.heard(FilePane.LocationChanged)
        p.pane.go(Location("/empty"))
        await p.settled("/empty")
        p.pane.refresh_folder()
        await p.until(lambda: sum(call[0] == "list" for call in p.client.calls) == 3, "read again")
        await p.settled("/empty")
        assert [message.pane.location for message in p.heard(FilePane.LocationChanged)] == [
            Location("/empty")
        ]


# Looking.


async def test_sorting_twice_by_the_same_turns_the_order_round() -> None:
    async with panes(size=(60, 20)) as p:
        await p.press(",", "s")
        await p.until(lambda: p.names[4] == "file2.txt")
        assert "size↓" in p.pane.path_bar.text
        await p.press(",", "s")
        await p.until(lambda: p.names[-1] == "file2.txt")
        assert "size↑" in p.pane.path_bar.text
        await p.press(",", "n")
        await p.until(lambda: p.names == SORTED)
        await p.press(",", "e")
        await p.until(lambda: p.names.index("file1.tar") > p.names.index("run.sh"))
        await p.press(",", "m")
        await p.until(lambda: "time↓" in p.pane.path_bar.text)


async def test_the_cursor_stays_on_its_name_when_the_order_changes() -> None:
    async with panes() as p:
        await p.on("file1.tar")
        await p.press(",", "s")
        await p.until(lambda: p.pane.view.sort == "size")
        assert p.cursor == "file1.tar"
        await p.press(".")
        await p.until(lambda: ".secret" in p.names)
        assert p.cursor == "file1.tar"
        await p.press(".")
        await p.until(lambda: ".secret" not in p.names)


async def test_the_filter_narrows_while_typing_and_escape_lifts_it() -> None:
    async with panes() as p:
        await p.press("f")
        await p.type("file")
        await p.until(lambda: p.names == ["..", "file1.tar", "file2.txt", "File10.txt"])
        assert "file: 3 of 12" in p.pane.footer.text
        await p.type("2")
        await p.until(lambda: p.names == ["..", "file2.txt"])
        await p.press("enter")
        await p.until(lambda: p.pane.has_focus)
        assert p.names == ["..", "file2.txt"]
        await p.press("escape")
        await p.until(lambda: p.names == SORTED)


async def test_marks_the_filter_hides_are_told_and_the_filter_ends_with_the_folder() -> None:
    async with panes() as p:
        await p.press("%", "f", *"file", "enter")
        await p.until(lambda: "(8 not shown)" in p.pane._marks_text())
        assert len(p.pane.marked) == 11
        await p.press("h")
        await p.settled("/home")
        assert not p.pane.view.filter
        await p.press("enter")
        await p.settled("/home/ann")
        assert p.names == SORTED


async def test_a_filter_nothing_fits_says_so() -> None:
    async with panes() as p:
        await p.press("f")
        await p.type("zzz")
        await p.until(lambda: p.names == [".."])
        assert any("Nothing fits" in line for line in p.lines())
        await p.press("escape")
        await p.until(lambda: p.names == SORTED)
        assert p.pane.has_focus


async def test_arrows_move_the_cursor_while_a_filter_is_typed() -> None:
    async with panes() as p:
        await p.press("f", "f", "i", "l", "e", "down", "down")
        await p.until(lambda: p.cursor == "file2.txt")


async def test_finding_jumps_while_typing_and_goes_on_with_n() -> None:
    async with panes() as p:
        await p.press("/")
        await p.type("file")
        await p.until(lambda: p.cursor == "file1.tar")
        await p.press("enter", "n", "n")
        assert p.cursor == "File10.txt"
        await p.press("n", "N")
        assert p.cursor == "File10.txt"


async def test_finding_nothing_shows_it_and_escape_puts_the_cursor_back() -> None:
    async with panes() as p:
        await p.on("music")
        await p.press("/")
        await p.type("run")
        await p.until(lambda: p.cursor == "run.sh")
        await p.type("x")
        await p.until(lambda: p.pane.line.has_class("-missing"))
        await p.press("escape")
        await p.until(lambda: p.cursor == "music")
        await p.press("n")
        assert p.told == ["Nothing to find yet: press / and type a part of a name."]


async def test_letters_typed_into_the_line_are_no_commands() -> None:
    async with panes() as p:
        await p.press("/")
        await p.type("q G h")
        assert p.pane.query_one(Input).value == "q G h"
        assert p.pane.location == Location("/home/ann")


# Marks.


async def test_marking_steps_down_and_adds_up() -> None:
    async with panes(size=(80, 20)) as p:
        await p.on("file1.tar")
        await p.press("space", "insert")
        assert p.pane.marked == [Location("/home/ann/file1.tar"), Location("/home/ann/file2.txt")]
        assert p.cursor == "File10.txt"
        assert "2 marked, 1.9 MiB" in p.pane.footer.text
        assert [line[0] for line in p.lines()[4:8]] == [" ", "+", "+", " "]
        await p.press("k", "space")
        assert [each.name for each in p.pane.marked] == ["file1.tar"]
        assert p.heard(FilePane.MarksChanged)


async def test_what_is_chosen_is_the_marks_or_else_the_cursor() -> None:
    async with panes() as p:
        assert (p.pane.current, p.pane.chosen) == (None, [])
        await p.on("pipe")
        assert p.pane.chosen == [Location("/home/ann/pipe")]
        await p.on("link")
        await p.press("space")
        assert p.pane.chosen == [Location("/home/ann/link")]


async def test_marked_entries_that_are_not_read_yet_are_no_folders() -> None:
    async with panes() as p:
        folder = p.pane.folder
        folder.sizes_bytes[folder.names.index("file1.tar")] = UNREAD
        await p.press("%")
        assert "+ 3 folders + 1 of unknown size" in p.pane.footer.text


async def test_all_are_marked_inverted_and_cleared() -> None:
    async with panes() as p:
        await p.press("%")
        assert len(p.pane.marked) == 11
        assert "+ 3 folders" in p.pane.footer.text
        await p.on("docs")
        await p.press("space", "*")
        assert [each.name for each in p.pane.marked] == ["docs"]
        await p.press("ctrl+a", "escape")
        assert not p.pane.marked
        await p.press("ctrl+a", "ctrl+c")
        assert not p.pane.marked


async def test_patterns_mark_and_unmark() -> None:
    async with panes() as p:
        await p.press("+")
        assert p.pane.query_one(Input).value == "*"
        await p.type("FILE*.*")
        await p.press("enter")
        await p.until(lambda: p.told)  # for some seconds
        assert p.told == ["Nothing to mark fits FILE*.*."]
        assert not p.pane.marked
        await p.press("+")
        await p.type("file*.t*")
        await p.press("enter")
        await p.until(lambda: len(p.pane.marked) == 3)
        await p.press("-")
        await p.type("*.tar")
        await p.press("enter")
        await p.until(lambda: len(p.pane.marked) == 2)


async def test_a_range_follows_the_cursor_and_may_be_taken_back() -> None:
    async with panes() as p:
        await p.on("file2.txt")
        await p.press("space", "g", "g", "j", "v", "j", "j")
        assert [each.name for each in p.pane.marked] == ["docs", "music", "shortcut", "file2.txt"]
        assert "marking" in p.pane.footer.text
        await p.press("k")
        assert [each.name for each in p.pane.marked] == ["docs", "music", "file2.txt"]
        await p.press("v", "G")
        assert [each.name for each in p.pane.marked] == ["docs", "music", "file2.txt"]
        await p.press("V", "g", "g")
        assert not p.pane.marked
        await p.press("escape")
        assert [each.name for each in p.pane.marked] == ["docs", "music", "file2.txt"]


async def test_shift_and_arrows_mark_on_the_way() -> None:
    async with panes() as p:
        await p.on("file1.tar")
        await p.press("shift+down", "shift+down", "shift+up")
        assert [each.name for each in p.pane.marked] == ["file1.tar", "file2.txt", "File10.txt"]
        assert p.cursor == "file2.txt"


async def test_marks_survive_leaving_and_coming_back() -> None:
    async with panes() as p:
        await p.on("file2.txt")
        await p.press("space", "h")
        await p.settled("/home")
        assert not p.pane.marked
        p.client.vanish("/home/ann/file1.tar")
        await p.press("enter")
        await p.settled("/home/ann")
        assert [each.name for each in p.pane.marked] == ["file2.txt"]
        assert "1 marked, 1.9 MiB" in p.pane.footer.text


async def test_sizes_of_folders_are_counted_and_shown() -> None:
    async with panes(size=(60, 20)) as p:
        await p.on("music")
        await p.press("space", "k", "Z")
        await p.until(lambda: "9.8 KiB" in p.lines()[2])
        assert "1 marked, 9.8 KiB" in p.pane.footer.text
        await p.press("escape", "g", "g", "ctrl+@")
        await p.until(lambda: "4 B" in p.lines()[1], "all folders counted")
        await p.on("run.sh")
        await p.press("Z")
        await p.until(lambda: p.told)
        assert p.told == ["run.sh is no folder; its size is 2 B."]


# The mouse.


async def test_the_mouse_sets_the_cursor_scrolls_marks_and_enters() -> None:
    async with panes(size=(60, 20)) as p:
        await p.pilot.click("Listing", offset=(5, 2))
        assert p.cursor == "music"
        await p.pilot.click("Listing", offset=(5, 6), button=3)
        assert [each.name for each in p.pane.marked] == ["file2.txt"]
        await p.pilot.click("Listing", offset=(5, 2), times=2)
        await p.settled("/home/ann/music")
        await p.pilot.click("Listing", offset=(5, 15))  # below the last row
        assert p.cursor == ".."


def looks(strips) -> list[tuple[str, object, object]]:
    """Return what is seen of lines of one cell: text, its ground, and its colour where there is any text."""
    [segments] = zip(*strips, strict=True)
    seen = []
    for text, style, _ in segments:
        colours = (style.color, style.bgcolor) if style.reverse else (style.bgcolor, style.color)
        seen.append((text, colours[0], text != " " and colours[1]))
    return seen


async def test_of_the_scroll_bar_only_those_lines_are_drawn_anew_that_look_different(monkeypatch) -> None:
    tree = {"d": {f"file{n}": 1 for n in range(3_000)}}
    async with panes(tree, at="/d", size=(60, 20)) as p:
        listing, bar = p.pane.listing, p.pane.listing.vertical_scrollbar
        height = bar.size.height
        drawn = []
        monkeypatch.setattr(bar, "refresh", lambda *lines: drawn.append([line.y for line in lines]))
        listing.turn(listing.page)
        assert (bar.position, drawn) == (listing.page, [])
        for _ in range(9):
            listing.turn(listing.page)
        assert [0, 1] in drawn
        assert max(map(len, drawn)) == 2
        bar._render_content()  # as Textual draws it
        assert looks(bar.render_line(y) for y in range(height)) == looks(bar._render_cache.lines)


async def test_the_wheel_scrolls_and_keeps_the_cursor_in_sight() -> None:
    async with panes({"d": {f"n{n}": n for n in range(100)}}, at="/d", size=(60, 20)) as p:
        await p.pilot._post_mouse_events([MouseScrollDown], "Listing", (5, 5), button=0)
        listing = p.pane.listing
        assert (listing.scroll_offset.y, listing.cursor) == (3, 3)


# The lines around.


async def test_the_footer_tells_the_entry_in_full() -> None:
    async with panes(size=(100, 20)) as p:
        await p.on("link")
        await p.until(lambda: "ann:users" in p.pane.footer.text)
        text = p.pane.footer.text
        assert "link → file2.txt" in text
        assert "lrwxrwxrwx" in text


async def test_the_path_is_cut_from_the_left_and_free_space_is_shown() -> None:
    deep = {"a": {"b" * 30: {"c" * 30: {"the folder": {}}}}}
    async with panes(deep, at=f"/a/{'b' * 30}/{'c' * 30}/the folder", size=(50, 10)) as p:
        await p.until(lambda: "free" in p.pane.path_bar.text)
        assert p.pane.path_bar.text.startswith(" …ccc")
        assert "/the folder" in p.pane.path_bar.text


async def test_the_footer_says_first_what_the_row_has_no_room_for() -> None:
    tree = {"d": {"some file.txt": 5_000}}
    async with panes(tree, at="/d", size=(38, 10)) as p:
        await p.on("some file.txt")
        await p.until(lambda: "20" in p.pane.footer.text)
        assert "KiB" not in p.pane.footer.text
        assert "KiB" in p.lines()[1]
    async with panes(tree, at="/d", size=(80, 10)) as p:
        await p.on("some file.txt")
        await p.until(lambda: "-rw" in p.pane.footer.text and "KiB" in p.pane.footer.text)


async def test_a_path_of_some_length_is_whole_before_the_order_and_the_free_space() -> None:
    async with panes({"some": {"deep": {"folder": {}}}}, at="/some/deep/folder", size=(44, 10)) as p:
        await p.until(lambda: "free" in p.pane.path_bar.text)
        assert "name" in p.pane.path_bar.text
    async with panes({"some": {"deep": {"folder": {}}}}, at="/some/deep/folder", size=(35, 10)) as p:
        await p.until(lambda: "free" in p.pane.path_bar.text)
        assert p.pane.path_bar.text.split() == ["/some/deep/folder", "5.0", "GiB", "free"]
    async with panes({"some": {"deep": {"folder": {}}}}, at="/some/deep/folder", size=(37, 10)) as p:
        await p.until(lambda: "free" in p.pane.path_bar.text)
        assert p.pane.path_bar.text == " /some/deep/folder  name↑ 5.0G free  "


async def test_an_order_one_does_not_expect_is_told_before_the_free_space() -> None:
    async with panes({"some": {"deep": {"folder": {}}}}, at="/some/deep/folder", size=(30, 10)) as p:
        await p.until(lambda: "5.0G free" in p.pane.path_bar.text)
        await p.press("comma", "s")
        assert p.pane.path_bar.text.split() == ["/some/deep/folder", "size↓"]


async def test_no_room_left_is_told_where_there_is_none_to_fill() -> None:
    client = FakeClient(TREE)
    client.free = Space(0, 0, 0)
    async with panes(client=client) as p:
        await p.until(lambda: "name↑" in p.pane.path_bar.text)
        assert "free" not in p.pane.path_bar.text


async def test_what_is_said_below_the_rows_is_broken_anew_when_the_pane_gets_wider() -> None:
    async with panes({"d": {".hidden": b""}}, at="/d", size=(16, 12)) as p:
        assert [line.strip() for line in p.lines()[2:5]] == ["Only hidden", "files (1).", ""]
        await p.pilot.resize_terminal(60, 12)
        await p.until(lambda: p.lines()[2].strip() == "Only hidden files (1).")


async def test_the_footer_tells_the_place_of_the_cursor_among_all() -> None:
    async with panes({"d": {f"{n:02}": 1 for n in range(12)}}, at="/d", size=(40, 10)) as p:
        assert p.pane.footer.text.strip() == "12 entries"
        await p.press("down", "down")
        assert p.pane.footer.text.rstrip().endswith(" 2/12")
        await p.press("G")
        assert p.pane.footer.text.rstrip().endswith(" 12/12")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (30, 8)])
async def test_no_name_reaches_a_line_with_a_control_character(size: tuple[int, int]) -> None:
    tree = {"d": {name: n for n, name in enumerate(HOSTILE)}}
    async with panes(tree, at="/d", size=size) as p:
        seen = set()
        for row in range(p.pane.folder.rows):
            p.pane.listing.cursor = row
            await p.pilot.pause()
            lines = [*p.lines(), p.pane.path_bar.text, p.pane.footer.text]
            assert all(
                character.isprintable() for line in lines for character in line if character != "\ufe0f"
            )
            assert {strip_cells for strip_cells in _widths(p.pane)} == {
                p.pane.listing.scrollable_content_region.width
            }
            seen.add(p.lines()[row - p.pane.listing.scroll_offset.y])
        assert len(seen) == len(HOSTILE) + 1


def _widths(pane: FilePane) -> list[int]:
    return [pane.listing.render_line(y).cell_length for y in range(pane.listing.size.height)]


async def test_hostile_names_are_marked_entered_and_found() -> None:
    tree = {"d": {name: {"inside": 1} for name in HOSTILE}}
    async with panes(tree, at="/d") as p:
        for name in HOSTILE:
            await p.on(name)
            await p.press("enter")
            await p.settled(f"/d/{name}")
            await p.press("backspace")
            await p.settled("/d")
            assert p.cursor == name
        await p.press("%")
        assert {each.name for each in p.pane.marked} == set(HOSTILE)


async def test_an_empty_folder_says_so_and_hidden_files_are_hinted_at() -> None:
    async with panes({"e": {}, "h": {".a": 1, ".b": 2}}, at="/e") as p:
        assert any("Empty." in line for line in p.lines())
        p.pane.go(Location("/h"))
        await p.settled("/h")
        assert any("Only hidden files (2)." in line for line in p.lines())


async def test_an_unreadable_folder_is_one_clear_line_and_the_parent_works() -> None:
    client = FakeClient(TREE)
    client.refuse("/home/ann/docs", PermissionDenied)
    async with panes(client=client, size=(70, 20)) as p:
        await p.on("docs")
        await p.press("enter")
        await p.until(lambda: p.pane.state.name == "FAILED")
        shown = " ".join(line.strip() for line in p.lines()).replace("  ", " ")
        assert (
            "cannot read /home/ann/docs: permission denied. Change its permissions or owner, then retry."
            in shown
        )
        assert p.names == [".."]
        client.allow("/home/ann/docs")
        await p.press("ctrl+r")
        await p.settled("/home/ann/docs")
        assert "a.txt" in p.names
        client.refuse("/home/ann/docs", PermissionDenied)
        await p.press("ctrl+r")
        await p.until(lambda: p.pane.state.name == "FAILED")
        await p.press("h")
        await p.settled("/home/ann")
        assert p.cursor == "docs"


async def test_resizing_keeps_the_cursor_in_sight() -> None:
    async with panes({"d": {f"n{n}": n for n in range(100)}}, at="/d", size=(120, 40)) as p:
        await p.press("G", "k")
        for size in ((80, 24), (40, 12), (200, 60), (80, 24)):
            await p.pilot.resize_terminal(*size)
            await p.pilot.pause()
            listing = p.pane.listing
            assert listing.scroll_offset.y <= listing.cursor < listing.scroll_offset.y + listing.page
            assert listing.page == size[1] - 2
            assert "n98" in p.lines()[listing.cursor - listing.scroll_offset.y]


async def test_times_no_calendar_has_are_no_trouble() -> None:
    async with panes({"d": {"old": file(mtime_ns=-(2**63)), "new": file(mtime_ns=2**63 - 1)}}, at="/d") as p:
        for name in ("old", "new"):
            await p.on(name)
            assert name in p.pane.footer.text
