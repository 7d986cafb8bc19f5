"""Sets of keys to start from, as changes to the default ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.config import Settings

PRESETS: dict[str, dict[str, tuple[str, ...]]] = {
    "ferry": {},
    "mc": {
        "pane.swap": ("ctrl+u", "|"),
        "pane.half_page_up": (),
        "pane.equalise": ("alt+i", "="),
        "pane.find": ("ctrl+s", "/"),
        "pane.toggle_hidden": ("alt+.", "."),
        "pane.go_to": ("alt+c", "g space"),
        "pane.frequent": ("alt+h", "z"),
        "pane.search_names": ("alt+?", "s"),
    },
    "ranger": {
        "pane.yank": ("y y",),
        "pane.cut": ("d d",),
        "pane.paste": ("p p",),
        "pane.paste_with_options": ("p o",),
        "pane.clear_yank": ("u y", "u d"),
        "pane.undo": ("u u",),
        "pane.trash": ("f8", "d T"),
        "pane.delete": ("delete", "d D"),
        "pane.rename": ("f2", "r", "c w"),
        "pane.copy_path": ("y p",),
        "pane.copy_folder": ("y d",),
        "pane.copy_name": ("y n",),
        "pane.copy_stem": ("y .",),
        "pane.copy_url": ("y u",),
        "pane.sort_by_name": ("o n",),
        "pane.sort_by_size": ("o s",),
        "pane.sort_by_time": ("o m",),
        "pane.sort_by_extension": ("o e",),
        "pane.toggle_hidden": ("z h", "."),
        "pane.filter": ("z f", "f"),
        "pane.frequent": ("z z",),
        "pane.invert_marks": ("v", "*"),
        "pane.range_mark": ("V",),
        "pane.range_unmark": ("u V",),
    },
}
"""By name: the keys by action id. An empty tuple leaves an action without a key (it stays in the menu)."""


def keys_chosen(settings: Settings | None) -> Mapping[str, tuple[str, ...]]:
    """Return the keys that replace default ones: the user's own, which count more, then those of the preset."""
    if settings is None:
        return {}
    preset = PRESETS.get(settings.screen.preset, {})
    return {**settings.keys, **{id: keys for id, keys in preset.items() if id not in settings.keys}}
