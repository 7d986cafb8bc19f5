"""Textual is told before it is imported what suits the terminal."""

from __future__ import annotations

from tui.ui.terminal.environment import prepare_environment


def test_nothing_moves_by_itself() -> None:
    environ: dict[str, str] = {}
    prepare_environment(environ)
    assert environ == {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}


def test_over_ssh_escape_waits_for_the_rest() -> None:
    environ = {"SSH_CONNECTION": "::1 1 ::1 22"}
    prepare_environment(environ)
    assert environ["ESCDELAY"] == "350"


def test_what_the_user_has_set_stays() -> None:
    environ = {"SSH_CONNECTION": "x", "ESCDELAY": "25", "TEXTUAL_ANIMATIONS": "full"}
    prepare_environment(environ)
    assert environ["ESCDELAY"] == "25"
    assert environ["TEXTUAL_ANIMATIONS"] == "full"
