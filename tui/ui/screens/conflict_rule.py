"""The choice of what a job does where a name is taken by a different file."""

from __future__ import annotations

from tui.model.job import Conflict
from tui.ui.screens.picker import Item, Picker

WORDS = {
    Conflict.ASK: "Ask me, and go on with the rest meanwhile",
    Conflict.SKIP: "Skip: leave what is there",
    Conflict.OVERWRITE: "Overwrite what is there",
    Conflict.NEWER: "Overwrite what is older, skip the rest",
    Conflict.RENAME: 'Keep both: the new one becomes "name (1)"',
    Conflict.FAIL: "Leave it, and list it as an error",
}


def conflict_rule_picker(now: Conflict) -> Picker[Conflict]:
    """Return a picker of conflict rules, the cursor on the one that holds now."""
    items = [Item(rule, words, "now" if rule is now else rule.value) for rule, words in WORDS.items()]
    return Picker("Where a name is taken", items, chosen=now)
