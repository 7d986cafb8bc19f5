"""Refusing to queue what would take a home folder away."""

from __future__ import annotations

import asyncio
import contextlib
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


async def spare(request: Request, shared: Shared) -> None:
    """Refuse to take a home folder away; where the disk does not answer, the job itself does so in its time.

    Raises:
        PlaceError: A source is one, or holds one.
    """
    doing = TAKES_AWAY.get(request.kind)
    if doing is None:
        return
    sources = (
        each for each in request.sources if each.is_local
    )  # made in the thread: there may be a million
    look = aiofiles.os.wrap(spare_homes)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(look(sources, shared.homes, doing, executor=shared.pool), LOOK_PATIENCE_S)
