"""What the screen remembers from one time to the next: theme, order, bookmarks, folders used.

Locations are kept as URLs, so that any name survives in JSON. A damaged file counts as an empty one.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tui.model.error import UsageError
from tui.model.location import Location

_logger = logging.getLogger(__name__)

Choice = str | bool

FREQUENT_KEPT = 200
HISTORY_KEPT = 50
_AGING = 0.95
"""What a folder's score is worth after the next visit elsewhere: frequent and recent ones come first."""


@dataclass
class Memory:
    """The screen's memory, bound to one file."""

    file: Path
    choices: dict[str, tuple[Choice, Choice]] = field(default_factory=dict)
    """By setting: what the configuration said, and what was chosen on the screen instead."""
    bookmarks: dict[str, Location] = field(default_factory=dict)
    """By one letter."""
    frequent: dict[Location, float] = field(default_factory=dict)
    """Score by folder."""
    across: Location | None = None
    """The folder in the right pane when the screen was left."""
    histories: dict[str, list[str]] = field(default_factory=dict)
    """What was typed into prompts, by the prompt's name, newest last."""

    @classmethod
    def load(cls, file: Path) -> Memory:
        """Read the memory from its file; one that is missing or damaged gives an empty memory."""
        memory = cls(file)
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            memory._read(data)
        except FileNotFoundError:
            return memory  # the first start: nothing is remembered yet
        except (OSError, ValueError, TypeError, AttributeError, UsageError) as error:
            _logger.warning("the screen's memory %s is left out: %s", file, error)
            return cls(file)
        return memory

    def as_text(self) -> str:
        """Return what `save` writes."""
        return json.dumps(self._data(), indent=1)

    def save(self, text: str | None = None) -> None:
        """Write the file anew, whole or not at all. A disk that refuses is logged: nothing depends on it.

        Args:
            text: From `as_text`, where this runs in a thread and the memory may change meanwhile.
        """
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=self.file.parent, prefix=".screen-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    stream.write(self.as_text() if text is None else text)
                os.replace(partial, self.file)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(partial)
                raise
        except OSError as error:
            _logger.warning("the screen's memory cannot be kept in %s: %s", self.file, error)

    def choose(self, setting: str, configured: Choice, chosen: Choice) -> None:
        """Keep what was chosen on the screen for a setting."""
        self.choices[setting] = (configured, chosen)

    def chosen(self, setting: str, configured: Choice) -> Choice:
        """Return what holds for a setting: a choice, as long as the configuration says what it said then."""
        before, chosen = self.choices.get(setting, (configured, configured))
        return chosen if before == configured else configured

    def visit(self, folder: Location) -> None:
        """Count a visit to a folder."""
        self.frequent = {known: score * _AGING for known, score in self.frequent.items()}
        self.frequent[folder] = self.frequent.get(folder, 0.0) + 1.0
        if len(self.frequent) > FREQUENT_KEPT:
            for folder_left in self.folders_by_use()[FREQUENT_KEPT:]:
                del self.frequent[folder_left]

    def folders_by_use(self) -> list[Location]:
        """Return the folders used before, best first."""
        return sorted(self.frequent, key=lambda folder: (-self.frequent[folder], folder))

    def history(self, name: str) -> list[str]:
        return self.histories.setdefault(name, [])

    def typed(self, name: str, text: str) -> None:
        """Keep what was typed into a prompt as the newest of its history."""
        history = self.history(name)
        if text in history:
            history.remove(text)
        history.append(text)
        del history[:-HISTORY_KEPT]

    def _data(self) -> dict[str, Any]:
        return {
            "choices": self.choices,
            "bookmarks": {letter: folder.url for letter, folder in self.bookmarks.items()},
            "frequent": {folder.url: round(score, 4) for folder, score in self.frequent.items()},
            "across": self.across.url if self.across else None,
            "histories": self.histories,
        }

    def _read(self, data: dict[str, Any]) -> None:
        """Take over what a file held; raises where its shape is not ours."""
        self.choices = {
            _text(setting): (_choice(before), _choice(chosen))
            for setting, (before, chosen) in data.get("choices", {}).items()
        }
        self.bookmarks = {
            _text(letter): Location.from_url(url) for letter, url in data.get("bookmarks", {}).items()
        }
        self.frequent = {
            Location.from_url(url): float(score) for url, score in data.get("frequent", {}).items()
        }
        self.across = Location.from_url(data["across"]) if data.get("across") else None
        self.histories = {
            _text(name): [_text(line) for line in lines][-HISTORY_KEPT:]
            for name, lines in data.get("histories", {}).items()
        }


def _choice(value: object) -> Choice:
    return value if isinstance(value, bool) else _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {value!r}")
    return value
