"""The folders below one, where each has to be asked for by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from tui.model.entry import Below
from tui.model.error import PlaceError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from tui.model.entry import Page
    from tui.model.location import Location

AT_ONCE = 8
"""So many folders are asked for at a time: each is a way there and back."""


async def walk_by_listing(
    listing: Callable[[Location], AsyncIterator[Page]], top: Location, *, hidden: bool
) -> AsyncIterator[Sequence[Below]]:
    """Yield what lies below a folder, as `tui.client.base.Places.walk` does, by what lists one folder."""

    async def read(folder: Location) -> Below:
        below = Below(folder)
        try:
            async for page in listing(folder):
                below.add(page, hidden=hidden)
        except PlaceError as error:
            below.failure = error
        return below

    waiting = deque([top])
    while waiting:
        some = [waiting.popleft() for _ in range(min(AT_ONCE, len(waiting)))]
        read_now = await asyncio.gather(*map(read, some))
        for below in read_now:
            waiting += below.folders()
        yield read_now
