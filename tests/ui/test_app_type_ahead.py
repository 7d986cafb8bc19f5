"""Keys typed faster than the screen follows reach what they were meant for."""

from __future__ import annotations

import asyncio
import functools
import time

import pytest
from textual import events
from textual.widgets import Input

from tui.ui import type_ahead
from tui.ui.screens.chmod import ChmodDialog
from tui.ui.screens.copy_dialog import CopyDialog
from tui.ui.screens.prompt import Prompt
from tui.ui.stray_text import PAUSE_S

PATIENCE_S = type_ahead.PATIENCE_S


@pytest.fixture
def patient(monkeypatch):
    """Keys wait for the one before for as long as a busy machine may take."""
    monkeypatch.setattr(type_ahead, "PATIENCE_S", 20.0)


def type_at_once(s, *keys):
    """Send keys as a terminal does that has them all in one read."""
    for key in keys:
        character = " " if key == "space" else key if len(key) == 1 else None
        s.app.post_message(events.Key(key, character))


async def test_a_name_typed_right_after_the_key_goes_into_the_prompt(shell, patient):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        type_at_once(s, "A", *"daDx", "enter")
        await s.until(lambda: s.called("make_folder"), "made")
        assert str(s.called("make_folder")[0][0]) == "/home/ann/daDx"
        assert s.requests == []


async def test_enter_right_after_f5_queues(shell, patient):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        type_at_once(s, "f5", "enter", "j")
        await s.until(lambda: s.requests, "submitted")
        await s.until(lambda: s.main.pane.current.name == "report.pdf", "the key after it moved the cursor")


async def test_a_key_typed_before_another_was_handed_on_waits_for_it_however_late_it_gets(
    shell, patient, monkeypatch
):
    monkeypatch.setattr(type_ahead, "JUST_NOW_S", 0.0)
    async with shell() as s:
        await s.cursor_on("notes.txt")
        type_at_once(s, "tab", "down", "w", "escape", "tab", "f5", "enter")
        await s.until(lambda: s.requests, "submitted")
        assert s.main.right.listing.cursor == 1


async def test_keys_after_a_change_of_focus_go_to_the_new_place(shell, patient):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        type_at_once(s, "w", "escape", "tab", "down", "w", "a")
        await s.until(lambda: "No job asks anything." in s.told, "the queue took the last key")
        assert s.app.screen is s.main
        assert s.main.pane is s.main.right
        assert s.main.right.listing.cursor == 1


@pytest.mark.parametrize("where", ["__init__", "compose_body", "on_mount"])
async def test_a_dialog_that_a_stopped_or_busy_machine_holds_up_gets_its_keys(shell, monkeypatch, where):
    """The clock runs on while the process does not: keys meant for the dialog must not command the pane."""
    method, held_up = getattr(Prompt, where), []

    @functools.wraps(method)
    def late(self, *args, **kwargs):
        if not held_up:
            held_up.append(where)
            time.sleep(1.5 * PATIENCE_S)
        return method(self, *args, **kwargs)

    monkeypatch.setattr(Prompt, where, late)
    async with shell() as s:
        await s.cursor_on("notes.txt")
        type_at_once(s, "f7", *"dyDyx", "enter")
        await s.until(lambda: s.called("make_folder"), "made")
        assert str(s.called("make_folder")[0][0]) == "/home/ann/dyDyx"
        assert s.requests == []


async def test_a_dialog_that_comes_late_is_not_answered_by_what_was_typed_meanwhile(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        s.client.hang("/home/ann")
        type_at_once(s, "ctrl+x", "c", "j")  # the mode is asked for before the dialog opens
        await s.until(lambda: s.main.pane.current.name == "report.pdf", "the key after it moved the cursor")
        typed_s = time.monotonic()
        s.client.release("/home/ann")
        await s.dialog(ChmodDialog)
        s.app._type_ahead._keys.append((events.Key("enter", None), typed_s))
        await s.press("space")
        await s.until(lambda: any("was left out" in text for text in s.told), "it is told")
        await asyncio.sleep(PAUSE_S)
        assert isinstance(s.app.screen, ChmodDialog)
        await s.press("enter")
        await s.back()


async def test_a_place_that_does_not_answer_holds_keys_up_for_a_moment_only(shell):
    async with shell() as s:
        await s.cursor_on("notes.txt")
        s.client.hang("/home/ann")
        type_at_once(s, "I", "tab")  # facts are asked for before their dialog opens
        await asyncio.sleep(0.2)
        assert s.app.focused is s.main.left
        await s.until(lambda: s.app.focused is s.main.right, "the key after it")
        before = time.monotonic()
        type_at_once(s, "tab", "tab", "tab")
        await s.until(lambda: s.app.focused is s.main.left, "more keys")
        assert time.monotonic() - before < 3 * PATIENCE_S
        s.client.release("/home/ann")


async def test_what_was_opened_by_a_key_gets_the_next_ones_in_full(shell, patient):
    async with shell() as s:
        type_at_once(s, "g", "space", *"music/li")
        prompt = await s.dialog(Prompt)
        await s.until(lambda: prompt.query_one("#typed", Input).value == "/home/ann/music/li", "all of it")
        type_at_once(s, "escape", "down", "f5")
        await s.dialog(CopyDialog)
