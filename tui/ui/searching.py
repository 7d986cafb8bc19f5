"""Searching below a folder: for names, or for text in files. Near and far alike, through the client. No widget."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.model.entry import EntryKind
from tui.model.error import NotAFolder, NotFound, PlaceError, PlaceUnavailable
from tui.model.location import Location
from tui.ui.matching import matcher
from tui.ui.sorting import in_order, natural_key
from tui.ui.view_search import CHUNK, Needle
from tui.ui.view_source import is_binary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tui.client.base import Places
    from tui.model.entry import Below

AT_ONCE = 4
"""So many files are read at a time: a far place answers them together."""
MOST_HITS = 20_000
"""Then the search ends: nobody reads more, and they would fill the memory."""
PART = 2_000
"""So many names are looked through, and hits made, before keys are answered again."""
_HEAD_BYTES = 1_024
_LINE_BYTES = 300
"""Of the line a text was found in, so much is shown at most."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found.

    Attributes:
        path: From the folder searched, with "/" between.
        line: Of a text found in a file, its line, counted from 1; else 0.
        text: That line.
    """

    location: Location
    path: str
    kind: EntryKind
    line: int = 0
    text: str = ""


@dataclass(slots=True)
class Passed:
    """What a search has looked at so far."""

    folders: int = 0
    files: int = 0
    """Files whose content was read."""
    binary: int = 0
    failures: int = 0
    """Folders and files that could not be read."""
    untold: int = 0
    """Folders of which some cannot be told by names, and so was not looked at."""
    untold_first: str = ""
    """What says so of the first of them."""
    reading: str = ""
    """A file that is being read now."""


class Search:
    """One search; `run` yields what it finds, `passed` grows meanwhile.

    Args:
        places: Where it is read.
        top: The folder below which is searched. Links are not followed.
        text: A part of a name or a pattern, as for the filter; with `contents`, what stands in a text file.
        hidden: Look at hidden entries too.
    Raises:
        UsageError: There is nothing to search for.
    """

    def __init__(
        self, places: Places, top: Location, text: str, *, contents: bool = False, hidden: bool = False
    ) -> None:
        self._places, self._top, self._hidden, self._contents = places, top, hidden, contents
        self._needle = Needle(text)
        self._fits: Callable[[str], bool] = matcher(text)
        self.passed = Passed()

    async def run(self) -> AsyncIterator[list[Hit]]:
        """Yield hits, those in the nearest folders first, those of a folder by name.

        Raises:
            PlaceError: The folder searched cannot be read, or the place has gone.
        """
        left = MOST_HITS
        folders: Any = self._places.walk(self._top, hidden=self._hidden)
        async with aclosing(folders):
            async for some in folders:
                for below in some:
                    async for hits in self._in_folder(below):
                        yield hits[:left]
                        left -= len(hits)
                        if left <= 0:
                            return

    async def _in_folder(self, below: Below) -> AsyncIterator[list[Hit]]:
        """Yield what fits in one folder, by name."""
        self.passed.folders += 1
        if below.untold:
            self.passed.untold += 1
            self.passed.untold_first = self.passed.untold_first or below.untold
        if below.failure is not None:
            self._failed(below.failure, of_top=below.folder == self._top)
        small = len(below.names) <= PART
        positions = self._fitting(below) if small else await asyncio.to_thread(self._fitting, below)
        path = below.folder.path[len(self._top.path.rstrip("/")) + 1 :]
        for start in range(0, len(positions), PART):
            entries = [_hit(below, n, path) for n in positions[start : start + PART]]
            if not self._contents:
                yield entries
                await asyncio.sleep(0)
                continue
            async for hit in self._read(entries):
                yield [hit]

    def _fitting(self, below: Below) -> list[int]:
        """Return the positions of the entries in a folder that are to be told of, or read, by name."""
        names, kinds = below.names, below.kinds
        if self._contents:
            positions = [n for n, kind in enumerate(kinds) if kind == EntryKind.FILE]
        else:
            positions = [n for n, name in enumerate(names) if self._fits(name)]
        return in_order(positions, [natural_key(names[n]) for n in positions])

    async def _read(self, files: list[Hit]) -> AsyncIterator[Hit]:
        for start in range(0, len(files), AT_ONCE):
            for hit in await asyncio.gather(*map(self._in_file, files[start : start + AT_ONCE])):
                if hit is not None:
                    yield hit

    async def _in_file(self, file: Hit) -> Hit | None:
        """Return where a text stands first in a file; None where it does not, or the file is no text."""
        self.passed.files += 1
        self.passed.reading = file.location.name
        try:
            return await self._first(file)
        except PlaceError as error:
            self._failed(error)
            return None

    async def _first(self, file: Hit) -> Hit | None:
        kept, offset, line = b"", 0, 1
        while True:
            chunk = await self._places.read(file.location, offset, CHUNK)
            if not offset and (b"\0" in chunk or is_binary(chunk[:_HEAD_BYTES])):
                self.passed.binary += 1
                return None
            data = kept + chunk
            if (at := self._needle.first(data)) >= 0:
                line += data.count(b"\n", 0, at)
                return Hit(file.location, file.path, file.kind, line, _line_around(data, at))
            if len(chunk) < CHUNK:
                return None
            offset += len(chunk)
            kept = data[-max(_LINE_BYTES, self._needle.longest_bytes) :]
            line += data.count(b"\n", 0, len(data) - len(kept))

    def _failed(self, error: PlaceError, *, of_top: bool = False) -> None:
        """Count what cannot be read and go on, unless there is nothing to go on with; what has gone is no matter."""
        if of_top or isinstance(error, PlaceUnavailable):
            raise error
        if not isinstance(error, NotFound | NotAFolder):
            self.passed.failures += 1


def _hit(below: Below, position: int, path: str) -> Hit:
    """Return an entry of a folder, which is at `path` below the one searched, as something found."""
    name, kind = below.names[position], EntryKind(below.kinds[position])
    end = "/" if kind is EntryKind.FOLDER else ""
    return Hit(below.folder.child(name), (f"{path}/{name}" if path else name) + end, kind)


def _line_around(data: bytes, at: int) -> str:
    """Return the line a position is in, without the blanks before it; of a long one, what is near the position."""
    start = data.rfind(b"\n", max(0, at - _LINE_BYTES // 3), at) + 1 or max(0, at - _LINE_BYTES // 3)
    end = data.find(b"\n", at, start + _LINE_BYTES)
    line = data[start : end if end >= 0 else start + _LINE_BYTES]
    return line.strip().decode("utf-8", "surrogateescape")
