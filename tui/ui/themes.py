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
    "cursor-idle": "ansi_bright_black",
}
"""Their names, with values for a theme without colours of its own; see `shared_variables`."""


def shared_variables(theme: Theme) -> dict[str, str]:
    """Return the shared variables for a theme, drawn from its own colours where it does not name them."""
    if theme.ansi:
        return SHARED_VARIABLES | theme.variables
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
        "cursor-idle": theme.variables.get("block-cursor-blurred-background", f"{theme.primary} 30%"),
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
        "quiet": "#919fae",
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
    secondary="#0a6c6a",
    accent="#8c5200",
    success="#276d34",
    warning="#885600",
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
    error="#ffa0a0",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    dark=True,
    text_alpha=1.0,
    variables={
        "entry-folder": "#5fd7ff",
        "entry-link": "#5fffd7",
        "entry-broken": "#ffa0a0",
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

# A Linux console has 16 colours for text and 8 to put it on; a bright ground is the same as a dark one there.
_SIXTEEN = Theme(
    name="ferry-16",
    ansi=True,
    primary="ansi_bright_cyan",
    secondary="ansi_bright_cyan",
    accent="ansi_bright_yellow",
    success="ansi_bright_green",
    warning="ansi_bright_yellow",
    error="ansi_bright_red",
    foreground="ansi_bright_white",
    background="ansi_black",
    dark=True,
    variables={
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_bright_white",
        "panel": "ansi_blue",  # of a theme like this Textual takes grounds from here alone
        "surface": "ansi_black",
        "boost": "ansi_black",
        "text-muted": "ansi_white",
        "entry-folder": "ansi_bright_white",
        "entry-link": "ansi_bright_cyan",
        "entry-broken": "ansi_bright_red",
        "entry-special": "ansi_bright_magenta",
        "entry-executable": "ansi_bright_green",
        "entry-marked": "ansi_bright_yellow",
        "quiet": "ansi_white",
        "cursor-idle": "ansi_blue",
        "block-cursor-background": "ansi_cyan",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "ansi_blue",
        "input-cursor-background": "ansi_white",
        "input-cursor-foreground": "ansi_black",
        "input-cursor-text-style": "none",
        "input-selection-background": "ansi_cyan",
        "input-selection-foreground": "ansi_black",
        **_lines(edge="ansi_white", focus="ansi_bright_cyan", ground="ansi_black"),
    },
)
SIXTEEN_COLOURS = _SIXTEEN.name

FERRY_THEMES = (_DARK, _LIGHT, _CONTRAST, _SIXTEEN)


def fitting(name: str, colours: str | None) -> str:
    """Return the theme to use for one that was chosen, on a terminal of so many colours.

    Args:
        colours: As Rich calls it: "truecolor", "256", "standard" (16), None: none.
    """
    own = any(theme.name == name and not theme.ansi for theme in FERRY_THEMES)
    return SIXTEEN_COLOURS if own and colours == "standard" else name
