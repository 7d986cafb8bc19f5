"""Ferry's own themes, and the variables all styles share."""

from __future__ import annotations

from textual.theme import Theme

DEFAULT_THEME = "ferry-dark"

SHARED_VARIABLES = {
    "entry-folder": "ansi_bright_blue",
    "entry-link": "ansi_cyan",
    "entry-broken": "ansi_red",
    "entry-special": "ansi_magenta",
    "entry-executable": "ansi_green",
    "entry-marked": "ansi_yellow",
    "quiet": "ansi_bright_black",
    "edge": "ansi_bright_black",
    "edge-focus": "ansi_bright_blue",
}
"""Their names, with values for a theme without colours of its own; see `shared_variables`."""


def shared_variables(theme: Theme) -> dict[str, str]:
    """Return the shared variables for a theme, drawn from its own colours where it does not name them."""
    if theme.ansi:
        return dict(SHARED_VARIABLES)
    foreground = theme.foreground or ("#e0e0e0" if theme.dark else "#202020")
    return {
        "entry-folder": theme.primary,
        "entry-link": theme.secondary or theme.primary,
        "entry-broken": theme.error or "red",
        "entry-special": theme.secondary or theme.primary,
        "entry-executable": theme.success or "green",
        "entry-marked": theme.accent or theme.warning or "yellow",
        "quiet": f"{foreground} 62%",
        "edge": f"{foreground} 28%",
        "edge-focus": theme.primary,
    }


def _lines(*, edge: str, focus: str, ground: str) -> dict[str, str]:
    """Return the colours of edges and scroll bars, ours and Textual's, which go together."""
    return {
        "edge": edge,
        "edge-focus": focus,
        "border": focus,
        "border-blurred": edge,
        "scrollbar": edge,
        "scrollbar-background": ground,
        "scrollbar-corner-color": ground,
    }


_DARK = Theme(
    name="ferry-dark",
    primary="#6cb2eb",
    secondary="#56c2c0",
    accent="#f0b661",
    success="#86c98f",
    warning="#e9b44c",
    error="#ee7b7b",
    foreground="#d6dde6",
    background="#0f151c",
    surface="#151d26",
    panel="#1e2935",
    dark=True,
    variables={
        "entry-folder": "#7fc0f2",
        "entry-link": "#6fd0cb",
        "entry-broken": "#ee7b7b",
        "entry-special": "#c9a4e8",
        "entry-executable": "#98d69f",
        "entry-marked": "#f6c678",
        "quiet": "#8b99a8",
        "block-cursor-background": "#2c5878",
        "block-cursor-foreground": "#f4f8fc",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#243240",
        "input-selection-background": "#6cb2eb 35%",
        "button-color-foreground": "#0f151c",
        **_lines(edge="#33414f", focus="#6cb2eb", ground="#151d26"),
    },
)

_LIGHT = Theme(
    name="ferry-light",
    primary="#1a66a8",
    secondary="#0b7a78",
    accent="#9a5b00",
    success="#2c7a3a",
    warning="#9a6200",
    error="#b3312f",
    foreground="#1c2733",
    background="#fafbfc",
    surface="#f0f3f6",
    panel="#e0e6ec",
    dark=False,
    variables={
        "entry-folder": "#14579a",
        "entry-link": "#0b6f6d",
        "entry-broken": "#b3312f",
        "entry-special": "#7a3fa0",
        "entry-executable": "#276d34",
        "entry-marked": "#8f5200",
        "quiet": "#5b6876",
        "block-cursor-background": "#bcd8f0",
        "block-cursor-foreground": "#0d1a26",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#dde6ee",
        "input-selection-background": "#1a66a8 30%",
        **_lines(edge="#c3ccd5", focus="#1a66a8", ground="#f0f3f6"),
    },
)

_CONTRAST = Theme(
    name="ferry-contrast",
    primary="#5fd7ff",
    secondary="#5fffd7",
    accent="#ffd700",
    success="#5fff5f",
    warning="#ffd700",
    error="#ff8787",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    dark=True,
    text_alpha=1.0,
    variables={
        "entry-folder": "#5fd7ff",
        "entry-link": "#5fffd7",
        "entry-broken": "#ff8787",
        "entry-special": "#ffafff",
        "entry-executable": "#87ff87",
        "entry-marked": "#ffd700",
        "quiet": "#d0d0d0",
        "block-cursor-background": "#ffd700",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#444444",
        "button-color-foreground": "#000000",
        **_lines(edge="#a0a0a0", focus="#ffd700", ground="#000000"),
    },
)

FERRY_THEMES = (_DARK, _LIGHT, _CONTRAST)
