"""Many new names at once: a list in the editor, one a line, read back and checked."""

from __future__ import annotations

import contextlib
import os
import tempfile
from itertools import compress
from operator import ne
from typing import TYPE_CHECKING, Any

from aiofiles.os import wrap

from tui.format import entries
from tui.model.error import UsageError
from tui.ui.names import check_name, escape, unescape
from tui.ui.outside import editor_command, run_outside
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import App

    from tui.config import Settings
    from tui.model.location import Location


def as_text(names: Sequence[str]) -> str:
    """Return names as the text to edit: one a line, with escapes (see `names`)."""
    return "".join(f"{escape(name)}\n" for name in names)


def from_text(text: str, count: int) -> list[str]:
    """Return the names in an edited text.

    Raises:
        UsageError: Their number is another, a line is no name, or two are the same; says which line.
    """
    lines = text.split("\n")
    while lines and not lines[-1]:
        lines.pop()  # editors end a file with one line break, or with several
    if len(lines) != count:
        raise UsageError(
            f"the list holds {entries(len(lines), 'name')} now, not {count}", "Keep one line for each."
        )
    names: list[str] = []
    for number, line in enumerate(lines, 1):
        try:
            name = unescape(line.removesuffix("\r"))
            check_name(name)
        except UsageError as error:
            raise UsageError(f"line {number}: {error.message}", error.remedy) from error
        names.append(name)
    return names


def check_targets(sources: Sequence[Location], names: Sequence[str]) -> list[Location]:
    """Return the new locations; raises UsageError where two of them are the same."""
    targets = [source.parent.child(name) for source, name in zip(sources, names, strict=True)]
    lines: dict[Location, int] = {}
    for number, target in enumerate(targets, 1):
        if target in lines:
            raise UsageError(
                f"lines {lines[target]} and {number} are both {visible(target.name)}",
                "Give each its own name.",
            )
        lines[target] = number
    return targets


def those_changed(
    sources: Sequence[Location], targets: Sequence[Location]
) -> tuple[tuple[Location, ...], tuple[Location, ...]]:
    """Return the sources whose location changes, and their new ones."""
    differ = list(map(ne, sources, targets))
    return tuple(compress(sources, differ)), tuple(compress(targets, differ))


class NameList:
    """A list of names in a file of its own, for one round or several with an editor.

    There may be a million of them: what looks at each does so in a thread.

    Args:
        sources: The entries to rename.
    """

    def __init__(self, sources: Sequence[Location]) -> None:
        self.sources = sources
        self._file = ""
        self.was_edited = False

    async def edit(self, app: App[Any], settings: Settings) -> list[Location]:
        """Open the list in the editor and return the new locations, in the order of the sources.

        Raises:
            UsageError: What came back will not do; `edit` again shows the text as it was left.
        """
        words = editor_command(settings)
        if not self._file:
            self._file = await wrap(_write)(self.sources)
        status = await run_outside(app, [*words, self._file])
        self.was_edited = True
        if status:
            raise UsageError(f"the editor ended with status {status}", "Nothing was renamed.")
        return await wrap(_read)(self._file, self.sources)

    async def remove(self) -> None:
        """Remove the file."""
        if self._file:
            await wrap(_remove)(self._file)


def _write(sources: Sequence[Location]) -> str:
    text = as_text([source.name for source in sources])
    handle, path = tempfile.mkstemp(prefix="ferry-names-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    return path


def _read(path: str, sources: Sequence[Location]) -> list[Location]:
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
        text = stream.read()
    return check_targets(sources, from_text(text, len(sources)))


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):  # some editors replace the file they edit
        os.unlink(path)
