"""The preview among the panes."""

from __future__ import annotations

import pytest

from tui.model.location import Location
from tui.ui.widgets.text_view import TextView

ANN = Location("/home/ann")


def shown_text(preview):
    return preview.query_one(TextView).render_line(0).text


async def preview_shown(s):
    await s.press("ctrl+x", "q")
    await s.until(lambda: s.main.previewing and s.main.preview.region.area, "the preview")
    return s.main.preview


async def test_it_takes_the_place_of_the_other_pane_and_follows_the_cursor(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        preview = await preview_shown(s)
        assert (s.main.left.region.width, preview.region.width) == (40, 40)
        assert not s.main.right.region.area
        assert preview.subject and preview.subject.location == ANN.child("notes.txt")
        await s.press("j")
        await s.until(
            lambda: preview.subject and preview.subject.location == ANN.child("report.pdf"), "followed"
        )


async def test_it_shows_what_the_cursor_is_on_when_the_rows_change_under_it(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        preview = await preview_shown(s)
        s.client.vanish("/home/ann/notes.txt")
        await s.until(lambda: preview.subject.location == ANN.child("report.pdf"), "the next one")
        await s.press("f", *"todo")
        await s.until(lambda: preview.subject.location == ANN.child("todo.md"), "what the filter left")


async def test_it_shows_a_file_as_it_is_now(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        preview = await preview_shown(s)
        await s.until(lambda: preview.query(TextView) and shown_text(preview).startswith("hello"), "shown")
        s.client.write("/home/ann/notes.txt", b"good bye")
        await s.until(lambda: shown_text(preview).startswith("good bye"), "read again")


async def test_asked_for_again_it_gives_the_place_back_and_reads_nothing_more(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        preview = await preview_shown(s)
        await s.press("ctrl+x", "q")
        await s.until(lambda: s.main.right.region.width == 40, "the other pane")
        await s.press("j")
        await s.until(lambda: s.main.pane.current.name == "report.pdf", "moved")
        assert preview.subject is None


async def test_tab_shows_the_other_pane_with_the_preview_beside_it(shell):
    async with shell() as s:
        preview = await preview_shown(s)
        await s.press("tab")
        await s.until(lambda: s.main.right.region.area and s.main.right.has_focus, "the other pane")
        assert not s.main.left.region.area
        assert preview.region.x == 0
        await s.press("down")
        await s.until(
            lambda: preview.subject and preview.subject.location == Location("/mnt/backup/music"), "followed"
        )


async def test_a_wide_screen_has_room_for_all_three(shell):
    async with shell(size=(150, 40)) as s:
        preview = await preview_shown(s)
        assert [w.region.width for w in (s.main.left, preview, s.main.right)] == [50, 50, 50]


async def test_its_keys_scroll_it_or_say_how_to_show_it(shell, monkeypatch):
    async with shell() as s:
        await s.press("J")
        await s.until(lambda: any("no preview" in text for text in s.told), "told")
        preview = await preview_shown(s)
        turned: list[int] = []
        monkeypatch.setattr(preview, "turn", turned.append)
        await s.press("J", "K")
        await s.until(lambda: turned == [1, -1], "turned")


async def test_it_is_there_again_the_next_time(shell):
    async with shell() as s:
        await preview_shown(s)
        await s.press("q")
        await s.until(lambda: not s.app.is_running, "left")
        s.app.memory.save()
    async with shell() as s:
        await s.until(lambda: s.main.previewing and s.main.preview.region.area, "the preview")
        await s.press("ctrl+x", "q", "q")
        await s.until(lambda: not s.app.is_running, "left")
        s.app.memory.save()
    async with shell() as s:
        await s.cursor_on("notes.txt")
        assert not s.main.previewing


@pytest.mark.parametrize("width", [80, 150])
async def test_one_pane_shares_the_width_with_the_preview(shell, width):
    async with shell(size=(width, 30)) as s:
        preview = await preview_shown(s)
        await s.press("W")
        await s.until(lambda: s.main.left.region.width == preview.region.width == width // 2, "half each")
        assert not s.main.right.region.area
