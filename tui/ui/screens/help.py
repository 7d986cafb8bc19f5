"""Help: every key of every scope, from the table; typing finds a word."""

from __future__ import annotations

import textwrap
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
_BOX_CELLS = 80
"""The dialog's width, as in its style."""
_INDENT, _NARROW_INDENT = 4, 1
_TITLE_CELLS, _KEYS_CELLS, _NARROW_KEYS_CELLS = 44, 20, 12
"""With the indent, what a dialog holds at 80 columns; what does not fit goes on in the next line."""
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
        Binding("f1,enter", "leave", "Leave", show=False),
    ]

    def __init__(self, scope: str, settings: Settings | None) -> None:
        super().__init__("Keys", "type to find · ↑ ↓ PgUp PgDn scroll · Esc leave")
        self._scopes = [scope, *(other for other in SCOPES if other != scope)]
        self._settings = settings
        self._room = _INDENT + _TITLE_CELLS + 1 + _KEYS_CELLS
        """Cells of a line."""

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="type to find a key or a command", compact=True, id="typed")
        with VerticalScroll(id="list", can_focus=False):
            yield Static(self.text(""), id="text", markup=False)
        yield Static(plain(""), id="feedback", markup=False)

    def on_mount(self) -> None:
        self.query_one("#typed").focus()

    def on_resize(self) -> None:
        self._room = self.cells_inside(_BOX_CELLS)
        self._show(self.query_one("#typed", Input).value)

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
            lines += self._lines(action.title, command.keys or "menu only")
        return lines

    def _lines(self, title: str, keys: str) -> list[Content]:
        """Return what an action does and its keys beside that, in as many lines as it takes."""
        indent, title_cells, keys_cells = _INDENT, _TITLE_CELLS, _KEYS_CELLS
        if self._room < indent + title_cells + 1 + keys_cells:
            indent, keys_cells = _NARROW_INDENT, _NARROW_KEYS_CELLS
            title_cells = min(title_cells, self._room - indent - 1 - keys_cells)
        titles = textwrap.wrap(title, title_cells, subsequent_indent="  ")
        return [
            Content.assemble(f"{'':{indent}}{text or '':{title_cells}} ", (some_keys or "", "$quiet"))
            for text, some_keys in zip_longest(titles, _wrapped(keys, keys_cells))
        ]

    @on(Input.Changed, "#typed")
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def _show(self, typed: str) -> None:
        text = self.text(typed)
        self.query_one("#text", Static).update(text if text.plain else plain("Nothing matches."))
        self.query_one("#list").scroll_home(animate=False)

    def action_scroll(self, how: str) -> None:
        getattr(self.query_one("#list"), how)(animate=False)

    def action_leave(self) -> None:
        self.dismiss(None)


def _wrapped(keys: str, width: int) -> list[str]:
    """Return keys in lines that fit beside a title."""
    lines: list[str] = []
    for key in keys.split(_GAP):
        if lines and len(lines[-1] + _GAP + key) <= width:
            lines[-1] += _GAP + key
        else:
            lines.append(key)
    return lines
