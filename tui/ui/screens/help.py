"""Help: every key of every scope, from the table; typing finds a word."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from tui.ui.commands import commands_of
from tui.ui.screens.dialog import Dialog, plain
from tui.ui.screens.picker import matches

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.config import Settings

SCOPES = {"pane": "In the file panes", "queue": "In the queue", "viewer": "In the viewer"}
_TITLE_CELLS, _KEYS_CELLS = 44, 20
"""With the indent, what a dialog holds at 80 columns; more keys go on in a line of their own."""
_GAP = "  "


class Help(Dialog[None]):
    """Shows the keys, those of the scope it was asked from first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "scroll('scroll_down')", "Down", show=False),
        Binding("up,ctrl+p", "scroll('scroll_up')", "Up", show=False),
        Binding(
            "pagedown,ctrl+f,ctrl+d", "scroll('scroll_page_down')", "Page down", show=False, priority=True
        ),
        Binding("pageup,ctrl+b,ctrl+u", "scroll('scroll_page_up')", "Page up", show=False, priority=True),
        Binding("ctrl+home", "scroll('scroll_home')", "Top", show=False),
        Binding("ctrl+end", "scroll('scroll_end')", "Bottom", show=False),
        Binding("f1,enter,f10", "leave", "Leave", show=False),
    ]

    def __init__(self, scope: str, settings: Settings | None) -> None:
        super().__init__("Keys", "type to find · ↑ ↓ PgUp PgDn scroll · Esc leave")
        self._scopes = [scope, *(other for other in SCOPES if other != scope)]
        self._settings = settings

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="type to find a key or a command", compact=True, id="typed")
        with VerticalScroll(id="list", can_focus=False):
            yield Static(self.text(""), id="text", markup=False)
        yield Static(plain(""), id="feedback", markup=False)

    def on_mount(self) -> None:
        self.query_one("#typed").focus()

    def text(self, typed: str) -> Content:
        """Return the keys whose title, keys, id or group match what was typed."""
        lines: list[Content] = []
        for scope in self._scopes:
            part = self._part(scope, typed, shared=scope == self._scopes[0])
            if part:
                lines += [Content.styled(SCOPES[scope], "bold $accent"), *part, Content("")]
        return Content("\n").join(lines)

    def _part(self, scope: str, typed: str, *, shared: bool) -> list[Content]:
        """Return a scope's lines; those that hold everywhere come with the first scope only."""
        lines: list[Content] = []
        group = ""
        for command in commands_of(scope, self._settings):
            action = command.action
            if action.scope == "app" and not shared:
                continue
            if not matches(
                f"{action.title} {command.keys} {action.id} {action.group} {SCOPES[scope]}", typed
            ):
                continue
            if action.group != group:
                group = action.group
                lines.append(Content.styled(f"  {group}", "$primary"))
            for title, keys in zip_longest([action.title], _wrapped(command.keys or "menu only")):
                text = Content(f"    {title or '':{_TITLE_CELLS}} ")
                lines.append(Content.assemble(text, (keys, "$quiet")))
        return lines

    @on(Input.Changed, "#typed")
    def _typed(self, event: Input.Changed) -> None:
        text = self.text(event.value)
        self.query_one("#text", Static).update(text if text.plain else plain("Nothing matches."))
        self.query_one("#list").scroll_home(animate=False)

    def action_scroll(self, how: str) -> None:
        getattr(self.query_one("#list"), how)(animate=False)

    def action_leave(self) -> None:
        self.dismiss(None)


def _wrapped(keys: str) -> list[str]:
    """Return keys in lines that fit beside a title."""
    lines: list[str] = []
    for key in keys.split(_GAP):
        if lines and len(lines[-1] + _GAP + key) <= _KEYS_CELLS:
            lines[-1] += _GAP + key
        else:
            lines.append(key)
    return lines
