"""Writes docs/keys.md from the table of actions: `python -m tui.ui.key_reference`."""

from __future__ import annotations

import sys
from itertools import groupby

from tui.ui.bindings import ACTIONS
from tui.ui.keys import shown

_SCOPES = {"app": "Everywhere", "pane": "File pane", "queue": "Queue", "viewer": "Viewer"}

_OPENING = """# Keys

Both hands' habits work: F-keys and letters. Every action is also in the menu (F9) and the command palette (Ctrl+P).
Any of them gets other keys in the configuration file, by its id:

```toml
[keys]
"pane.copy" = ["f5", "C"]
"pane.go_home" = ["g h", "~"]
```

Escape and then a digit within 1.5 s, or Alt and a digit, stand for an F-key (0 for F10).
"""


def reference() -> str:
    """Return the reference as Markdown: one table a group, in the order of the table of actions."""
    parts = [_OPENING]
    for scope, actions in groupby(ACTIONS, key=lambda action: action.scope):
        parts.append(f"\n## {_SCOPES[scope]}\n")
        for group, members in groupby(actions, key=lambda action: action.group):
            parts.append(f"\n### {group}\n\n| Keys | Action | Id |\n|---|---|---|\n")
            parts += [f"| {_code(action.keys)} | {action.title} | `{action.id}` |\n" for action in members]
    return "".join(parts)


def _code(keys: tuple[str, ...]) -> str:
    return ", ".join(f"`{shown(key)}`".replace("|", "\\|") for key in keys) or "–"


if __name__ == "__main__":
    sys.stdout.write(reference())
