"""The menu: every command of the focused scope, grouped, with its keys; typing narrows it down."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui.ui.bindings import Action
from tui.ui.screens.picker import Item, Picker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.ui.commands import Command


class Menu(Picker[Action]):
    """Lets the person choose a command."""

    BOX_CELLS: ClassVar[int] = 80

    def __init__(self, commands: Sequence[Command]) -> None:
        items = [
            Item(command.action, command.action.title, command.keys, command.action.group, command.action.id)
            for command in commands
        ]
        super().__init__("Commands", items)
