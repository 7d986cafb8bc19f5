"""The table of actions against the screen: every action has a method, a place in help, and keys that reach it."""

from __future__ import annotations

import inspect

import pytest

from tui.config import ScreenSettings, Settings
from tui.ui.app import Ferry
from tui.ui.bindings import ACTIONS, BY_ID
from tui.ui.commands import commands_of
from tui.ui.keys import Hit, Keymap
from tui.ui.presets import PRESETS, keys_chosen
from tui.ui.screens.help import SCOPES, Help
from tui.ui.screens.main import MainScreen
from tui.ui.widgets.pane import FilePane
from tui.ui.widgets.queue_pane import QueuePane


def owners(scope: str) -> tuple[type, ...]:
    if scope == "viewer":
        from tui.ui.screens.viewer import Viewer
        from tui.ui.widgets.hex_view import HexView
        from tui.ui.widgets.text_view import TextView

        return (TextView, HexView, Viewer, Ferry)
    widget = {"pane": FilePane, "queue": QueuePane, "app": FilePane}[scope]
    return (widget, MainScreen, Ferry)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_has_a_method_that_takes_its_key(action):
    found = [getattr(owner, f"action_{action.name}", None) for owner in owners(action.scope)]
    method = next(filter(None, found), None)
    assert method is not None, f"nothing does {action.id}"
    takes = len(inspect.signature(method).parameters) - 1
    assert takes == any(keys.endswith(("<any>", "<digit>")) for keys in action.keys)


def test_no_action_of_textual_stands_in_for_ours():
    """A method that Textual itself has would be found too, and do something else."""
    from textual.app import App
    from textual.screen import Screen
    from textual.widget import Widget

    for action in ACTIONS:
        for owner in owners(action.scope):
            method = getattr(owner, f"action_{action.name}", None)
            if method is not None:
                theirs = [getattr(base, f"action_{action.name}", None) for base in (Widget, Screen, App)]
                assert method not in theirs, action.id
                break


def test_help_names_every_action():
    text = Help("pane", Settings()).text("").plain
    for action in ACTIONS:
        assert action.title in text, action.id


@pytest.mark.parametrize("scope", SCOPES)
def test_help_of_a_scope_begins_with_that_scope(scope):
    assert Help(scope, Settings()).text("").plain.startswith(SCOPES[scope])


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("scope", SCOPES)
def test_in_every_preset_each_key_means_one_thing_and_hides_no_longer_one(preset, scope):
    chosen = keys_chosen(Settings(screen=ScreenSettings(preset=preset)))
    keymap = Keymap(scope, chosen)
    seen: dict[str, str] = {}
    for action in (action for action in ACTIONS if action.scope == scope):
        for keys in chosen.get(action.id, action.keys):
            assert seen.setdefault(keys, action.id) == action.id, f"{keys} means two things"
            parts = keys.split(" ")
            for n in range(1, len(parts)):
                assert not isinstance(keymap.look_up(tuple(parts[:n])), Hit), f"{keys} cannot be typed"


def test_presets_name_only_actions_there_are():
    for preset in PRESETS.values():
        assert set(preset) <= set(BY_ID)


def test_a_remapped_action_is_listed_with_its_new_keys_only():
    settings = Settings(keys={"pane.copy": ("ctrl+y",)})
    keys = {command.action.id: command.keys for command in commands_of("pane", settings)}
    assert keys["pane.copy"] == "Ctrl+Y"
