"""Refusing to queue what would take a home folder away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiofiles.os

from tui.model.job import JobKind
from tui.places.local.homes import spare_homes

if TYPE_CHECKING:
    from tui.engine.shared import Shared
    from tui.model.job import Request

TAKES_AWAY = {
    JobKind.DELETE: "delete",
    JobKind.TRASH: "put into the trash",
    JobKind.MOVE: "move",
    JobKind.RENAME: "rename",
}
"""Kinds of jobs that leave nothing where their sources were, with their verbs."""

LOOK_PATIENCE_S = 2.0
"""So long it is waited for a look at sources that are to be taken away."""


async def spare(request: Request, shared: Shared) -> bool:
    """Refuse to take a home folder away; return whether there was an answer in time.

    Where the disk does not answer, the job itself refuses in its time.

    Raises:
        PlaceError: A source is one, or holds one.
    """
    doing = TAKES_AWAY.get(request.kind)
    if doing is None:
        return True
    sources = [each for each in request.sources if each.is_local]
    look = aiofiles.os.wrap(spare_homes)
    try:
        await asyncio.wait_for(look(sources, shared.homes, doing, executor=shared.pool), LOOK_PATIENCE_S)
    except TimeoutError:
        return False
    return True
