"""File panes in the whole screen: keys typed ahead, focus, themes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import events

if TYPE_CHECKING:
    from collections.abc import Callable


def type_at_once(s: Any, *keys: str) -> None:
    """Send keys as a terminal does that has them all in one read."""
    for key in keys:
        s.app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_what_is_typed_right_after_the_key_goes_into_the_line(shell: Callable[..., Any]) -> None:
    async with shell() as s:
        pane = s.main.pane
        await s.until(lambda: pane.state.name == "READY")
        type_at_once(s, "/", *"todo", "enter", "j")
        await s.until(lambda: pane.has_focus and not pane.line.is_open and pane.listing.cursor)
        type_at_once(s, "k", "f", *".md", "enter")
        await s.until(lambda: pane.view.filter == ".md" and pane.has_focus)
        await s.until(lambda: pane.folder.rows == 2)
        assert not s.requests


async def test_keys_typed_ahead_of_a_folder_mean_that_folder(shell: Callable[..., Any]) -> None:
    async with shell() as s:
        await s.cursor_on("music")
        type_at_once(s, "enter", "G", "space")
        await s.until(lambda: [each.path for each in s.main.pane.marked] == ["/home/ann/music/two.ogg"])


async def test_the_pane_in_use_is_the_one_whose_cursor_is_bright(shell: Callable[..., Any]) -> None:
    async with shell() as s:
        left, right = s.main.left, s.main.right
        for theme in ("ferry-dark", "ferry-light", "ferry-contrast", "textual-ansi"):
            if theme not in s.app.available_themes:
                continue
            s.app.theme = theme
            await s.pilot.pause()
            strips = (left.listing.render_line(0), right.listing.render_line(0), right.listing.render_line(1))
            assert len({next(iter(strip)).style.bgcolor for strip in strips}) == 3, theme
        await s.press("tab")
        await s.until(lambda: right.listing.active and not left.listing.active)
        await s.press("w")
        await s.until(lambda: not right.listing.active)
