"""The action table as commands: for the menu, for the palette, with the keys a person has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Provider
from textual.content import Content

from tui.ui.bindings import ACTIONS, Action
from tui.ui.key_scope import KeyScope, method_of, perform
from tui.ui.keys import Keymap, shown
from tui.ui.presets import keys_chosen

if TYPE_CHECKING:
    from textual.command import Hits
    from textual.dom import DOMNode
    from textual.screen import Screen

    from tui.config import Settings

_KEYS_FROM = 44


@dataclass(frozen=True, slots=True)
class Command:
    """An action with its keys as they are shown."""

    action: Action
    keys: str


def commands_of(scope: str, settings: Settings | None) -> tuple[Command, ...]:
    """Return the commands of a scope, then those of the app, in the table's order."""
    keymap = Keymap(scope, keys_chosen(settings))
    actions = [action for action in ACTIONS if action.scope == scope]
    actions += [action for action in ACTIONS if action.scope == "app"]
    return tuple(
        Command(action, "  ".join(shown(keys) for keys in keymap.keys_of(action.id))) for action in actions
    )


def scope_of(screen: Screen[Any]) -> KeyScope | None:
    """Return the scope that has the focus on a screen."""
    node: DOMNode | None = screen.focused
    while node is not None and not isinstance(node, KeyScope):
        node = node.parent
    return node


class ActionCommands(Provider):
    """Offers the actions of the focused scope in the palette."""

    def _commands(self) -> list[tuple[Command, partial[Any]]]:
        node = scope_of(self.screen)
        if node is None:
            return []
        offered = commands_of(node.SCOPE, getattr(self.app, "settings", None))
        return [
            (command, partial(perform, node, command.action))
            for command in offered
            if command.action.id != "app.palette" and method_of(node, command.action.name)
        ]

    async def discover(self) -> Hits:
        """Yield every command, as long as nothing was typed."""
        for command, run in self._commands():
            title = Content(command.action.title)
            yield DiscoveryHit(self._line(title, command), run, text=command.action.title)

    async def search(self, query: str) -> Hits:
        """Yield the commands that match what was typed by their title or id: "quit" is in no title."""
        matcher = self.matcher(query)
        for command, run in self._commands():
            title = matcher.highlight(command.action.title)
            score = max(matcher.match(command.action.title), matcher.match(command.action.id))
            if score > 0:
                yield Hit(score, self._line(title, command), run, text=command.action.title)

    @staticmethod
    def _line(title: Content, command: Command) -> Content:
        """Return a command in one line: its name, then its keys in a column."""
        gap = " " * max(2, _KEYS_FROM - len(title.plain))
        return Content.assemble(title, gap, (command.keys, "$quiet"))
