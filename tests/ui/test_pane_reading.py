"""How a pane reads folders: long ones, silent ones, such as change or vanish meanwhile."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from fake_client import FakeClient, file, link
from pane_app import TREE, panes

from tui.model.entry import EntryKind
from tui.model.error import PermissionDenied
from tui.model.location import Location
from tui.ui.folder import Folder
from tui.ui.widgets import pane, pane_fresh, pane_reading
from tui.ui.widgets.line_input import LineInput
from tui.ui.widgets.pane import FilePane
from tui.ui.widgets.pane_base import SMALL, State

if TYPE_CHECKING:
    from pane_app import Panes

    from tui.ui.folder import Arrangement, View

MANY = 100_000


def big(count: int = MANY) -> FakeClient:
    client = FakeClient(TREE)
    client.fill("/big", count)
    return client


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders count as silent, and changes as settled, sooner."""
    monkeypatch.setattr(pane_reading, "SILENT_S", 0.1)
    monkeypatch.setattr(pane_reading, "REST_S", 0.01)
    monkeypatch.setattr(pane_fresh, "POLL_S", 0.01)


async def test_the_first_entries_show_while_the_rest_is_read() -> None:
    client = big()
    client.hold("/big")
    async with panes(client=client) as p:
        p.pane.go(Location("/big"))
        await p.until(lambda: len(p.names) > 200)
        assert p.pane.state is State.READING
        assert "256 reading…" in p.pane.path_bar.text
        assert "255 B" in p.lines()[0] or "0 B" in p.lines()[1]  # their sizes are there already
        await p.press("j", "j")
        assert p.pane.listing.cursor == 2
        name = p.cursor
        client.release("/big")
        await p.settled("/big")
        assert len(p.names) == MANY + 1
        assert p.cursor == name


async def test_a_hundred_thousand_entries_are_read_once_and_every_key_is_answered() -> None:
    async with panes(client=big(), at="/big") as p:
        folder = p.pane.folder
        assert [folder.name(row) for row in (1, 2, MANY)] == ["file0.txt", "file1.txt", "file99999.txt"]
        await p.press("G")
        assert p.pane.listing.cursor == MANY
        assert "file99999.txt" in p.lines()[-1]
        await p.until(lambda: not folder.unread(0, 1), "all details read")
        asked = [call[2] for call in p.client.calls if call[0] == "details"]
        assert len(asked) < MANY / 1_000
        assert max(asked) <= pane_reading.DETAILS_AT_ONCE
        assert sum(asked) < MANY * 1.01
        await p.press("g", "g", ",", "s")
        await p.until(lambda: p.names[1] == "file99999.txt")


async def test_a_key_draws_two_lines_and_asks_the_disk_nothing() -> None:
    async with panes(client=big(), at="/big", size=(80, 24)) as p:
        await p.until(lambda: len(p.pane.folder) == MANY and not p.pane.folder.unread(0, 1), "all read")
        drawn: list[int] = []
        listing = p.pane.listing
        row_strip = listing._row_strip
        listing._row_strip = lambda row, *more: drawn.append(row) or row_strip(row, *more)  # type: ignore
        calls = len(p.client.calls)
        await p.press("j")
        assert set(drawn) <= {0, 1}
        assert len(p.client.calls) == calls


async def test_a_long_folder_is_sorted_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threaded: list[object] = []
    to_thread = asyncio.to_thread

    async def spy(function: object, *more: object) -> object:
        threaded.append(function)
        return await to_thread(function, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio, "to_thread", spy)
    async with panes(client=big(SMALL)) as p:
        p.pane.go(Location("/big"))
        await p.settled("/big")
        assert not threaded
        p.client.fill("/big", SMALL + 1)
        p.client.changed("/big")
        await p.until(lambda: threaded)


async def test_sizes_in_sight_are_read_first() -> None:
    async with panes(client=big(30_000), size=(60, 24)) as p:
        p.client.calls.clear()
        p.pane.go(Location("/big"), cursor_on="file29999.txt")
        await p.settled("/big")
        await p.until(lambda: not p.pane.folder.unread(0, 1))
        asked = [call[2] for call in p.client.calls if call[0] == "details"]
        assert asked[1] == p.pane.listing.page  # after those of the first page
        assert asked[2] == pane_reading.DETAILS_AT_ONCE


async def test_escape_leaves_reading_and_keeps_what_has_come() -> None:
    client = big()
    client.hold("/big")
    async with panes(client=client) as p:
        p.pane.go(Location("/big"))
        await p.until(lambda: len(p.names) > 200)
        await p.press("escape")
        assert p.pane.state is State.STOPPED
        assert "read in part" in p.pane.path_bar.text
        assert len(p.names) == 257
        client.release("/big")
        await p.press("ctrl+r")
        await p.settled("/big")
        assert len(p.names) == MANY + 1


async def test_a_folder_that_does_not_answer_leaves_all_else_alive(impatient: None) -> None:
    client = FakeClient(TREE)
    client.hang("/home/ann/docs")
    async with panes(client=client, right="/home/ann/music") as p:
        await p.settled("/home/ann/music", p.other)
        await p.on("docs")
        await p.press("enter")
        await p.until(lambda: p.pane.state is State.SILENT)
        assert any("is not answering" in line for line in p.lines())
        assert "not answering" in p.pane.path_bar.text
        assert "entries" not in p.pane.footer.text
        p.other.focus()
        await p.press("j", "space")
        assert [each.name for each in p.other.marked] == ["one.ogg"]
        p.pane.focus()
        assert not p.pane.chosen
        client.release("/home/ann/docs")
        await p.settled("/home/ann/docs")
        assert p.names == ["..", "deep", "a.txt", "b.txt"]


async def test_a_folder_that_stops_answering_again_is_told_again(impatient: None) -> None:
    client = big()
    client.hold("/big")
    async with panes(client=client) as p:
        p.pane.go(Location("/big"))
        await p.until(lambda: p.pane.state is State.SILENT)
        first_rows = len(p.names)
        client.release("/big")  # for one page more
        client.hold("/big")
        await p.until(lambda: len(p.names) > first_rows and p.pane.state is State.SILENT)
        client.release("/big")
        await p.settled("/big")


async def test_a_filter_being_worked_out_says_so_and_no_wrong_number(monkeypatch: pytest.MonkeyPatch) -> None:
    arrange, go_on = Folder.arrange, threading.Event()

    def slowly(folder: Folder, view: View) -> Arrangement:
        if view.filter:
            assert go_on.wait(30)
        return arrange(folder, view)

    monkeypatch.setattr(Folder, "arrange", slowly)
    async with panes(client=big()) as p:
        p.pane.go(Location("/big"))
        await p.settled("/big")
        await p.press("f", "9")
        try:
            await p.until(lambda: "9: " in p.pane.footer.text)
            told = p.pane.footer.text
        finally:
            go_on.set()
        assert told.strip().startswith("9: filtering…")
        await p.until(lambda: f"of {MANY:,}" in p.pane.footer.text)


async def test_a_long_search_for_a_name_gives_way_to_what_is_typed_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find, looked_at = Folder.find, []

    def counted(
        folder: Folder, text: str, start: int, step: int = 1, tries: range | None = None
    ) -> int | None:
        looked_at.append((text, tries))
        return find(folder, text, start, step, tries)

    monkeypatch.setattr(Folder, "find", counted)
    async with panes(client=big()) as p:
        p.pane.go(Location("/big"))
        await p.settled("/big")
        p.pane.action_find()
        p.pane.line.post_message(LineInput.Typed("find", "nowhere"))
        await p.until(lambda: looked_at)
        p.pane.line.post_message(LineInput.Typed("find", f"file{MANY - 2}"))
        p.pane.line.post_message(LineInput.Accepted("find", f"file{MANY - 2}"))
        await p.until(lambda: not p.pane.line.is_open)
        assert p.cursor == f"file{MANY - 2}.txt"  # keys that follow are about it
        assert all(tries is not None and len(tries) <= pane.FIND_AT_ONCE for _, tries in looked_at)
        assert sum(text == "nowhere" for text, _ in looked_at) < MANY / pane.FIND_AT_ONCE


async def test_escape_goes_back_from_a_folder_that_does_not_answer() -> None:
    client = FakeClient(TREE)
    client.hang("/home/ann/docs")
    async with panes(client=client) as p:
        await p.on("docs")
        await p.press("enter", "escape")
        await p.settled("/home/ann")
        assert p.cursor == "docs"
        await p.press("H")
        assert p.told == ["The history ends here."]


async def test_the_parent_of_a_silent_folder_is_a_key_away() -> None:
    client = FakeClient(TREE)
    client.hang("/home/ann/docs")
    async with panes(client=client) as p:
        await p.on("docs")
        await p.press("enter", "h")
        await p.settled("/home/ann")
        assert p.cursor == "docs"
        await p.until(lambda: client.watchers("/home/ann/docs") == 0)


async def test_nothing_of_the_folder_left_is_chosen_while_another_is_awaited() -> None:
    client = FakeClient(TREE)
    client.hang("/empty")
    async with panes(client=client) as p:
        await p.on("file2.txt")
        await p.press("space")
        p.pane.go(Location("/empty"))
        assert (p.pane.chosen, p.pane.current) == ([], None)
        await p.press("space", "%", "*", "v")
        assert not p.pane.marked
        client.release("/empty")
        await p.settled("/empty")


async def test_going_elsewhere_drops_what_was_being_read() -> None:
    client = big()
    client.hold("/big")
    async with panes(client=client) as p:
        p.pane.go(Location("/big"))
        await p.until(lambda: len(p.names) > 200)
        p.pane.go(Location("/home/ann/docs"))
        await p.settled("/home/ann/docs")
        client.release("/big")
        await p.pilot.pause()
        assert p.names == ["..", "deep", "a.txt", "b.txt"]
        assert client.watchers("/big") == 0


# What changes meanwhile.


async def test_a_folder_is_not_silent_while_it_is_put_in_order(
    impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrange, begun, go_on = Folder.arrange, threading.Event(), threading.Event()

    def slowly(folder: Folder, view: View) -> Arrangement:
        if len(folder) > SMALL:  # it is in a thread
            begun.set()
            assert go_on.wait(30)
        return arrange(folder, view)

    monkeypatch.setattr(Folder, "arrange", slowly)
    async with panes(client=big()) as p:
        p.pane.go(Location("/big"))
        await p.until(begun.is_set)
        await asyncio.sleep(3 * pane_reading.SILENT_S)
        state = p.pane.state
        go_on.set()
        await p.settled("/big")
        assert state is State.READING


async def test_changes_on_the_disk_show_and_cursor_and_marks_stay(impatient: None) -> None:
    async with panes() as p:
        await p.on("file1.tar")
        await p.press("space", "down")
        assert p.cursor == "File10.txt"
        top = p.pane.listing.scroll_offset.y
        p.client.write("/home/ann/aaa.txt", 5)
        await p.until(lambda: "aaa.txt" in p.names)
        assert p.cursor == "File10.txt"
        assert [each.name for each in p.pane.marked] == ["file1.tar"]
        assert p.pane.listing.scroll_offset.y == top
        p.client.vanish("/home/ann/file1.tar")
        await p.until(lambda: "file1.tar" not in p.names)
        assert not p.pane.marked
        p.client.vanish("/home/ann/File10.txt")
        await p.until(lambda: "File10.txt" not in p.names)
        assert p.cursor == "link"  # the one that took its row
        assert p.pane.state is State.READY


async def test_a_range_goes_on_while_entries_come_and_go(impatient: None) -> None:
    async with panes() as p:
        await p.on("file2.txt")
        await p.press("v", "j")
        p.client.write("/home/ann/aaa.txt", 5)
        p.client.write("/home/ann/file3.txt", 5)
        p.client.vanish("/home/ann/pipe")
        await p.until(lambda: "aaa.txt" in p.names)
        await p.press("j")
        assert [each.name for each in p.pane.marked] == ["file2.txt", "file3.txt", "File10.txt", "link"]
        await p.press("escape")
        assert not p.pane.marked


async def test_the_row_stays_at_its_height_when_entries_come_above_it(impatient: None) -> None:
    async with panes({"d": {f"n{n:03}": n for n in range(200)}}, at="/d", size=(60, 24)) as p:
        await p.on("n100")
        above = p.pane.listing.cursor - p.pane.listing.scroll_offset.y
        for n in range(10):
            p.client.write(f"/d/a{n}", 1)
        await p.until(lambda: "a9" in p.names)
        assert p.cursor == "n100"
        assert p.pane.listing.cursor - p.pane.listing.scroll_offset.y == above


async def test_many_changes_are_read_together(impatient: None) -> None:
    async with panes() as p:
        before = sum(call[0] == "list" for call in p.client.calls)
        for n in range(500):
            p.client.write(f"/home/ann/new{n}", n)
        await p.until(lambda: "new499" in p.names)
        assert sum(call[0] == "list" for call in p.client.calls) - before <= 3


async def test_changes_that_come_without_end_do_not_starve_the_refresh(impatient: None) -> None:
    async with panes(client=big(20_000), at="/big") as p:
        stop = False

        async def churn() -> None:
            n = 0
            while not stop:
                n += 1
                p.client.write(f"/big/zz{n}", n)
                await asyncio.sleep(0.002)

        task = asyncio.create_task(churn())
        try:
            await p.until(lambda: any(name.startswith("zz") for name in p.names[-500:]))
        finally:
            stop = True
            await task


async def test_what_changes_while_a_folder_is_read_is_seen_afterwards(impatient: None) -> None:
    client = big(1_000)
    client.hold("/big")
    async with panes(client=client) as p:
        p.pane.go(Location("/big"))
        await p.until(lambda: len(p.names) > 200)
        client.vanish("/big/file1.txt")
        client.release("/big")
        await p.until(lambda: len(p.names) == 1_000)
        assert "file1.txt" not in p.names


async def test_a_folder_that_vanishes_gives_way_to_the_nearest_left(impatient: None) -> None:
    async with panes(at="/home/ann/docs/deep") as p:
        p.client.vanish("/home/ann/docs")
        await p.settled("/home/ann")
        assert p.told == ["/home/ann/docs/deep has gone; this is the nearest folder that is left."]
        assert p.pane.has_focus


async def test_a_folder_that_becomes_unreadable_says_so(impatient: None) -> None:
    async with panes() as p:
        p.client.refuse("/home/ann", PermissionDenied)
        p.client.changed("/home/ann")
        await p.until(lambda: p.pane.state is State.FAILED)
        assert p.names == [".."]


async def test_a_folder_that_cannot_be_watched_is_looked_at_now_and_then(impatient: None) -> None:
    client = FakeClient(TREE)
    client.never_watch("/home/ann")
    async with panes(client=client) as p:
        lists = sum(call[0] == "list" for call in client.calls)
        client.write("/home/ann/later", 1)
        client.node("/home/ann").mtime_ns += 1
        await p.until(lambda: "later" in p.names)
        assert sum(call[0] == "list" for call in client.calls) == lists + 1


async def test_a_refresh_asked_for_reads_at_once() -> None:
    client = FakeClient(TREE)
    client.never_watch("/home/ann")
    async with panes(client=client) as p:
        await p.on("file2.txt")
        client.node("/home/ann").children["now"] = file(b"")
        await p.press("ctrl+r")
        await p.until(lambda: "now" in p.names)
        assert p.cursor == "file2.txt"


async def test_going_to_the_same_folder_reads_it_again_with_the_cursor_where_asked() -> None:
    async with panes() as p:
        p.client.write("/home/ann/made", 1)
        p.pane.go(Location("/home/ann"), cursor_on="made")
        await p.until(lambda: p.cursor == "made")
        assert len(p.heard(FilePane.LocationChanged)) == 0


async def test_links_to_folders_join_the_folders_once_they_are_known() -> None:
    tree = {"d": {**{f"f{n:04}": n for n in range(400)}, "to": link("target"), "target": {}}}
    async with panes(tree, at="/d") as p:
        await p.until(lambda: p.names[1:3] == ["target", "to"])
        assert p.pane.folder.kinds[p.pane.folder.position(2)] == EntryKind.FOLDER_LINK


async def test_the_filter_works_while_the_folder_is_still_read() -> None:
    client = big(20_000)
    client.hold("/big")
    async with panes(client=client) as p:
        p.pane.go(Location("/big"))
        await p.until(lambda: len(p.names) > 200)
        await p.press("f", "5", "5")
        await p.until(lambda: p.names == ["..", "file55.txt", "file155.txt", "file255.txt"])
        client.release("/big")
        await p.settled("/big")
        await p.until(lambda: "file19955.txt" in p.names)


async def test_the_cursor_waits_for_its_name_to_be_read() -> None:
    async with panes(client=big(20_000)) as p:
        p.pane.go(Location("/big"), cursor_on="file19999.txt")
        await p.settled("/big")
        assert p.cursor == "file19999.txt"


async def test_two_panes_read_apart(impatient: None) -> None:
    async with panes(right="/home/ann") as p:
        await p.settled("/home/ann", p.other)
        await p.press("%")
        assert p.pane.marked
        assert not p.other.marked
        p.client.write("/home/ann/both", 1)
        await p.until(lambda: _shows(p, "both"))


def _shows(p: Panes, name: str) -> bool:
    return all(pane.folder.row_of(name) is not None for pane in (p.pane, p.other))
