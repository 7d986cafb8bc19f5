"""docs/keys.md is generated, and is as the table of actions says now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config import ScreenSettings, Settings
from tui.ui.bindings import ACTIONS
from tui.ui.key_reference import reference
from tui.ui.keys import Hit, Keymap, Pending, Router
from tui.ui.presets import keys_chosen


def test_the_document_is_current() -> None:
    document = Path(__file__).parents[2] / "docs" / "keys.md"
    assert document.read_text(encoding="utf-8") == reference(), "run `make docs`"


def test_every_action_has_an_id_of_its_own() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_no_key_means_two_things_in_one_scope_and_none_hides_a_longer_one() -> None:
    for scope in ("pane", "queue", "viewer"):
        keys = [tuple(key.split(" ")) for action in ACTIONS if action.scope == scope for key in action.keys]
        assert len(set(keys)) == len(keys), scope
        keymap = Keymap(scope)
        for key in keys:
            assert isinstance(keymap.look_up(key), Hit)
            assert all(isinstance(keymap.look_up(key[:n]), Pending) for n in range(1, len(key))), key


def test_a_scope_can_give_a_key_of_the_app_another_meaning() -> None:
    found = Keymap("viewer").look_up(("q",))
    assert isinstance(found, Hit)
    assert found.action.id == "viewer.close"


def test_a_sequence_ends_in_its_action_and_escape_leaves_it() -> None:
    router = Router(Keymap("pane"))
    assert isinstance(router.feed("g", 0), Pending)
    assert router.feed("h", 0) == Hit(next(a for a in ACTIONS if a.id == "pane.go_home"))
    assert isinstance(router.feed("g", 0), Pending)
    assert router.feed("escape", 0) is None
    assert not router.in_sequence


def test_a_letter_stands_for_any_key_where_the_table_says_so() -> None:
    router = Router(Keymap("pane"))
    router.feed("m", 0)
    found = router.feed("x", 0)
    assert isinstance(found, Hit)
    assert (found.action.id, found.argument) == ("pane.bookmark", "x")


def test_escape_and_a_digit_stand_for_an_f_key_for_a_while() -> None:
    router = Router(Keymap("pane"))
    router.feed("escape", 10.0)
    found = router.feed("5", 11.0)
    assert isinstance(found, Hit)
    assert found.action.id == "pane.copy"
    router.feed("escape", 20.0)
    found = router.feed("5", 22.0)
    assert isinstance(found, Hit)
    assert (found.action.id, found.argument) == ("pane.tab_by_number", "5")
    found = router.feed("alt+0", 30.0)
    assert isinstance(found, Hit)
    assert found.action.id == "app.quit"


def test_escape_and_a_key_that_came_together_are_two_keys_unless_they_mean_something_with_alt() -> None:
    router = Router(Keymap("pane", {"pane.go_to": ("alt+c",)}))
    assert router.apart("alt+j") == ("escape", "j")
    for whole in ("alt+c", "alt+5", "alt+left", "j", "+", "escape"):
        assert router.apart(whole) == (whole,)


def test_a_remapped_action_loses_its_default_keys() -> None:
    keymap = Keymap("pane", {"pane.copy": ("c p",)})
    assert keymap.look_up(("f5",)) is None
    assert keymap.keys_of("pane.copy") == ("c p",)


@pytest.mark.parametrize(
    ("remapped", "typed", "wins"),
    [
        (
            {"pane.copy": ("x",)},
            ("x",),
            "pane.copy",
        ),  # by default pane.cut, which stands behind it in the table
        ({"pane.copy": ("c",)}, ("c",), "pane.copy"),  # by default the beginning of five sequences
        ({"pane.go_home": ("y h",)}, ("y", "h"), "pane.go_home"),  # by default the first is pane.yank
        ({"app.quit": ("x",)}, ("x",), "app.quit"),
        ({"pane.move": ("f5",)}, ("f5",), "pane.move"),
        ({"pane.move": ("ctrl+y",), "pane.copy": ("ctrl+y",)}, ("ctrl+y",), "pane.move"),
        ({"pane.copy": ("f5",), "pane.move": ("f5",)}, ("f5",), "pane.copy"),
    ],
)
def test_a_key_of_the_configuration_goes_before_any_default_one(
    remapped: dict[str, tuple[str, ...]], typed: tuple[str, ...], wins: str
) -> None:
    keymap = Keymap("pane", remapped)
    for n in range(1, len(typed)):
        assert isinstance(keymap.look_up(typed[:n]), Pending)
    found = keymap.look_up(typed)
    assert isinstance(found, Hit)
    assert found.action.id == wins


def test_what_lost_its_key_is_not_shown_with_it() -> None:
    keymap = Keymap("pane", {"pane.copy": ("c",), "pane.go_home": ("y h",)})
    assert keymap.keys_of("pane.copy_path") == ()
    assert keymap.keys_of("pane.yank") == ()


def test_an_action_of_the_app_that_keeps_a_default_key_takes_it_from_nobody() -> None:
    found = Keymap("viewer", {"app.quit": ("q",)}).look_up(("q",))
    assert isinstance(found, Hit)
    assert found.action.id == "viewer.close"


def test_a_persons_own_key_goes_before_one_of_the_preset() -> None:
    settings = Settings(screen=ScreenSettings(preset="ranger"), keys={"pane.mark": ("o n",)})
    found = Keymap("pane", keys_chosen(settings)).look_up(("o", "n"))
    assert isinstance(found, Hit)
    assert found.action.id == "pane.mark"
