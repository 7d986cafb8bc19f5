"""A field for what a job leaves out."""

from __future__ import annotations

import asyncio
import os
from itertools import groupby, islice
from typing import TYPE_CHECKING

from textual.widgets import Input

from tui.model.entry import EntryKind
from tui.model.error import UsageError
from tui.model.exclusion import Exclusion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.client.base import Places
    from tui.model.location import Location


LOOKED_AT_ONCE = 2_000
"""So many sources are looked at before other things go on."""


class PatternsInput(Input):
    """Takes patterns of a .gitignore, with blanks between them; nothing is left out while it is empty."""

    def __init__(self, *, id: str) -> None:
        super().__init__(placeholder="patterns: *.tmp node_modules/ /build", compact=True, id=id)

    async def exclusion(self) -> Exclusion:
        """Return what is left out.

        Raises:
            UsageError: Something that was typed is no pattern.
        """
        exclude = Exclusion(tuple(self.value.split()))
        if exclude:
            await asyncio.to_thread(exclude.check)  # the library for it takes its time to be loaded
        return exclude


async def without(exclude: Exclusion, sources: Sequence[Location], places: Places) -> Sequence[Location]:
    """Return the sources that are not left out themselves.

    Raises:
        UsageError: All of them are.
        PlaceError: What they are cannot be looked at.
    """
    if not exclude:
        return sources
    kept: list[Location] = []
    for folder, group in groupby(sources, key=lambda source: source.parent):
        while some := list(islice(group, LOOKED_AT_ONCE)):
            kept += await _kept(exclude, folder, some, places)
    if not kept:
        raise UsageError("nothing is left to do", "Leave less out.")
    return tuple(kept)


async def _kept(
    exclude: Exclusion, folder: Location, sources: Sequence[Location], places: Places
) -> list[Location]:
    details = await places.details(folder, [source.name for source in sources])
    return [
        source
        for source, kind in zip(sources, details.kinds, strict=True)
        if not exclude.covers_source(os.fsencode(source.name), folder=kind == EntryKind.FOLDER)
    ]
