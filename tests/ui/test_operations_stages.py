"""The whole screen while a job builds a tree in one of its folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tui.model.job import JobKind, JobState, Progress, Request, Stage
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Callable

PARTIAL = "/mnt/backup/.ferry-t-1.part"
FINAL = "/mnt/backup/photos"


async def building(s: Any, percent: int = 40) -> int:
    """Let a job build photos in the right pane's folder; return its id when its row is shown."""
    s.client.make(PARTIAL, {"picture 0.jpg": 5})
    request = Request(
        kind=JobKind.COPY, sources=(Location("/home/ann/photos"),), target=Location("/mnt/backup")
    )
    job = s.client.add_job(
        request,
        state=JobState.RUNNING,
        progress=Progress(bytes_done=percent, bytes_total=100),
        stage=Stage(Location(PARTIAL), Location(FINAL), percent),
    )
    await s.until(lambda: row(s, "photos"), "the row of the tree being copied")
    return job.id


def row(s: Any, name: str) -> str:
    listing = s.main.right.listing
    lines = (" ".join(listing.render_line(y).text.split()) for y in range(listing.size.height))
    return next((text for text in lines if name in text), "")


async def test_the_pane_shows_how_far_a_tree_is_and_then_the_tree(shell: Callable[..., Any]) -> None:
    async with shell() as s:
        id = await building(s)
        assert row(s, "photos") == "»photos 40%"
        s.client.set_job(id, progress=Progress(bytes_done=41, bytes_total=100))
        await s.until(lambda: row(s, "photos") == "»photos 41%")
        node = s.client.node(PARTIAL)
        s.client.vanish(PARTIAL)
        s.client.write(FINAL, node)
        s.client.set_job(id, stage=None, state=JobState.DONE)
        await s.until(lambda: row(s, "photos").startswith("/photos ‹DIR›"))


async def test_the_row_of_a_paused_job_stays(shell: Callable[..., Any]) -> None:
    async with shell() as s:
        id = await building(s)
        s.client.set_job(id, state=JobState.PAUSED, progress=Progress(bytes_done=45, bytes_total=100))
        await s.until(lambda: row(s, "photos") == "»photos 45%")


@pytest.mark.parametrize("key", ["f5", "f6", "f8", "delete", "f2", "y", "x"])
async def test_keys_on_the_row_say_that_it_is_still_being_copied(shell: Callable[..., Any], key: str) -> None:
    async with shell() as s:
        await building(s)
        await s.press("tab")
        await s.until(lambda: s.main.pane is s.main.right)
        await s.cursor_on("music")
        s.main.right.listing.cursor = s.main.right.folder.row_of("photos")
        await s.press(key)
        await s.until(lambda: any("photos is still being copied" in text for text in s.told))
        assert s.app.screen is s.main
        assert not s.requests
        assert s.main.register is None


async def test_nothing_is_copied_or_made_inside_a_tree_being_copied(shell: Callable[..., Any]) -> None:
    async with shell() as s:
        await building(s)
        s.main.right.go(Location(PARTIAL))
        await s.until(lambda: s.main.right.folder.names == ["picture 0.jpg"])
        await s.cursor_on("notes.txt")
        await s.press("f5")
        await s.until(lambda: any("photos is still being copied" in text for text in s.told))
        assert s.app.screen is s.main
        assert not s.requests


async def test_the_preview_calls_the_tree_by_its_final_name(shell: Callable[..., Any]) -> None:
    async with shell(size=(160, 30)) as s:
        await building(s)
        s.main.use(s.main.right)
        await s.main.action_preview()
        s.main.right.listing.cursor = s.main.right.folder.row_of("photos")
        title = s.main.preview.query_one("#preview-title")
        await s.until(lambda: str(title.render()) == "photos/  1 entry", "the title")


async def test_what_is_remembered_of_a_tree_being_copied_is_its_final_path(shell: Callable[..., Any]) -> None:
    async with shell() as s:
        await building(s)
        s.main.use(s.main.right)
        await s.main.go_to(Location(FINAL))
        await s.until(lambda: s.main.right.folder.names == ["picture 0.jpg"])
        assert s.main.right.location == Location(PARTIAL)
        s.main.action_copy_folder()
        await s.until(lambda: f"Copied: {FINAL}" in s.told)
        s.main.remember()
        assert s.main.memory.across == Location(FINAL)
        assert Location(FINAL) in s.main.memory.frequent
        assert Location(PARTIAL) not in s.main.memory.frequent
