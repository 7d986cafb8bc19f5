"""Removing what is in a tree by several hops at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.engine.run import Sums
from tui.places.local.parallel_removal import SubtreesRemoval, subtrees

if TYPE_CHECKING:
    from tui.engine.run import Run
    from tui.places.local.root import Root


async def remove_side_by_side(run: Run, parent: Root, name: bytes) -> None:
    """Remove what is in the folders of a tree, as far as it goes without a word.

    What could not be removed is met again, and told, by whoever removes the tree itself then: so nothing is told twice.
    """
    if run.shared.slots == 1:
        return
    paths = await run.hop(subtrees, parent, name, run.brake, run.homes)

    async def remove() -> None:
        removal = SubtreesRemoval(parent, paths, run.brake, run.homes)
        try:
            exhausted = False
            while not exhausted and not run.stopped:
                batch = await run.hop(removal.step)
                current = parent.location(batch.last) if batch.last else None
                run.count(Sums(files=batch.files, bytes=batch.size_bytes), current)
                exhausted = batch.exhausted
        finally:
            run.release(removal)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(run.shared.slots, len(paths))):
            group.create_task(remove())
