"""The palette: Textual's list of commands, in which the keys do what they do in every dialog."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.command import CommandPalette

from tui.ui.screens.dialog import KEYS_EVERYWHERE


class Palette(CommandPalette):
    """Finds a command by its name, and runs it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *KEYS_EVERYWHERE,
        Binding("f10", "escape", "Leave", show=False),
        Binding("ctrl+c", "escape", "Leave", show=False, priority=True),
    ]
