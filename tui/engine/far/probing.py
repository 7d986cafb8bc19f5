"""Whether two locations are one folder, which links, or two names of one host, can hide."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from tui.engine.far.ends import look
from tui.model.error import NotFound
from tui.places.base import Attributes
from tui.places.local.partial import prefix

if TYPE_CHECKING:
    from tui.engine.far.ends import Ends
    from tui.model.location import Location


async def is_one(ends: Ends, here: Location, there: Location, tag: str, halves: dict[Location, int]) -> bool:
    """Say whether two locations are one folder: what is put there is seen here, then.

    What is put there has the same name each time the same is asked: left by a crash or a loss, it goes the next time.

    Args:
        halves: Folders that are swept in the end: `there` becomes one of them.
    """
    pair = hashlib.blake2b(os.fsencode(f"{here.url} {there.url}"), digest_size=8)
    name = os.fsdecode(prefix(tag)) + pair.hexdigest()
    place = ends.at(there)
    halves.setdefault(there, 1)  # should it stay, it is swept
    await place.put(there.child(name), b"", Attributes(), tag, replace=True, flush=False)
    try:
        return await look(ends.at(here), here.child(name)) is not None
    finally:
        with contextlib.suppress(NotFound):
            await place.remove_file(there.child(name))
