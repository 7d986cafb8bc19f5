"""Keys to actions for the widgets that have keys of their own: the file panes, the queue, the viewer."""

from __future__ import annotations

import inspect
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual.message import Message
from textual.widget import Widget

from tui.ui.keys import Hit, Keymap, Pending, Router, key_name
from tui.ui.notes import report
from tui.ui.presets import keys_chosen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.dom import DOMNode

    from tui.ui.bindings import Action

_logger = logging.getLogger(__name__)


class KeyScope(Widget):
    """A widget whose keys come from the table of actions, after the user's own changes.

    A key that means something here runs `action_<name>` of this widget, else of its screen, else of the app; any
    other key goes its way (up to the screen's and the app's own bindings).
    """

    SCOPE: ClassVar[str] = "pane"
    """Whose keys of the table: "pane", "queue" or "viewer"."""

    @dataclass
    class SequenceChanged(Message):
        """A sequence of keys has begun or gone on; `pending` is None when it is over."""

        scope: KeyScope
        pending: Pending | None

        @property
        def control(self) -> KeyScope:
            return self.scope

    _router: Router | None = None

    @property
    def router(self) -> Router:
        """Follows the keys typed here."""
        if self._router is None:
            self._router = Router(Keymap(self.SCOPE, keys_chosen(getattr(self.app, "settings", None))))
        return self._router

    @property
    def takes_keys(self) -> bool:
        """Whether keys mean actions now; not while they go to a field inside this widget."""
        return True

    async def on_key(self, event: events.Key) -> None:
        if not self.takes_keys:
            return
        for key in self.router.apart(key_name(event)):
            await self._take(event, key)

    async def _take(self, event: events.Key, key: str) -> None:
        was_in_sequence = self.router.in_sequence
        found = self.router.feed(key, time.monotonic())
        if found is not None or was_in_sequence:
            event.stop()
            event.prevent_default()
        if was_in_sequence or isinstance(found, Pending):
            self.post_message(self.SequenceChanged(self, found if isinstance(found, Pending) else None))
        if isinstance(found, Hit):
            await perform(self, found.action, found.argument)


def method_of(node: DOMNode, name: str) -> Callable[..., Any] | None:
    """Return the method that does an action: of the node, else of its screen, else of the app."""
    for owner in (node, node.screen, node.app):
        if method := getattr(owner, f"action_{name}", None):
            return method  # type: ignore[no-any-return]
    return None


async def perform(node: DOMNode, action: Action, argument: str | None = None) -> None:
    """Run an action as seen from a node. What goes wrong is shown (and logged); it never ends the screen."""
    method = method_of(node, action.name)
    if method is None:
        _logger.warning("nothing here does %s (asked from %r)", action.id, node)
        return
    try:
        result = method() if argument is None else method(argument)
        if inspect.isawaitable(result):
            await result
    except Exception as error:
        report(node.app, error)
