"""Ferry's own themes: what stands on what can be read, and a terminal of 16 colours gets one made for it."""

from __future__ import annotations

from itertools import product

import pytest
from textual.color import Color

from tui.ui.themes import FERRY_THEMES, fitting, shared_variables

READABLE = 4.5
"""The contrast WCAG asks of text (AA)."""
TRUE_COLOUR = [theme for theme in FERRY_THEMES if not theme.ansi]
GROUNDS = ("background", "surface", "panel")
TEXTS = ("foreground", "primary", "secondary", "accent", "success", "warning", "error")


def luminance(colour: str) -> float:
    parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _shares(colour))
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def _shares(colour: str) -> tuple[float, ...]:
    return tuple(part / 255 for part in Color.parse(colour).rgb)


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", TRUE_COLOUR, ids=lambda theme: theme.name)
def test_every_text_can_be_read_on_every_ground(theme):
    shared = shared_variables(theme) | theme.variables
    texts = {name: getattr(theme, name) for name in TEXTS}
    texts |= {name: value for name, value in shared.items() if name.startswith("entry-") or name == "quiet"}
    grounds = {name: getattr(theme, name) for name in GROUNDS} | {"cursor-idle": shared["cursor-idle"]}
    unreadable = [
        (text, ground)
        for text, ground in product(texts, grounds)
        if contrast(texts[text], grounds[ground]) < READABLE
    ]
    assert unreadable == []
    assert contrast(shared["block-cursor-foreground"], shared["block-cursor-background"]) >= READABLE


def test_the_theme_of_sixteen_colours_puts_nothing_on_a_bright_ground():
    theme = next(theme for theme in FERRY_THEMES if theme.ansi)
    ends = ("background", "surface", "panel", "cursor-idle")
    grounds = [value for name, value in theme.variables.items() if name.endswith(ends)]
    assert not [ground for ground in grounds if "bright" in ground]


@pytest.mark.parametrize(
    ("chosen", "colours", "used"),
    [
        ("ferry-dark", "truecolor", "ferry-dark"),
        ("ferry-light", "256", "ferry-light"),
        ("ferry-dark", "standard", "ferry-16"),
        ("ferry-contrast", "standard", "ferry-16"),
        ("nord", "standard", "nord"),
        ("ferry-dark", None, "ferry-dark"),
    ],
)
def test_a_terminal_of_sixteen_colours_gets_the_theme_made_for_it(chosen, colours, used):
    assert fitting(chosen, colours) == used
