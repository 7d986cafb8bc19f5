"""Removing what is half from a tree that is being built: before it is gone on with, or is left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.naming import fitting_of
from tui.model.error import PlaceError
from tui.model.fidelity import Trait
from tui.places.local.halves import Halves
from tui.places.local.hops import Brake

if TYPE_CHECKING:
    from tui.engine.run import Run
    from tui.places.local.root import Root


async def drop_halves(
    run: Run, parent: Root | None, name: bytes, target: Root, stage: bytes, *, for_good: bool = False
) -> PlaceError | None:
    """Remove what whoever died, or was given up, may have left half in a staging folder.

    Args:
        parent: The opened folder that `name`, the source, is in; None: it is no longer there.
        target: The opened folder that `stage` is in.
        for_good: Nobody goes on with it: half files of large ones go too, also where the run was stopped.
    Returns:
        Why something half may still be in it; None: nothing is, or the run was stopped.
    """
    brake = Brake() if for_good else run.brake
    record = run.record
    try:
        halves = await run.hop(
            Halves, parent, name, target, stage, brake, record.row.tag, fitting_of(record),
            partials=for_good, times=Trait.TIMES in record.row.preserve,
        )  # fmt: skip
    except PlaceError as error:
        return error
    failure: PlaceError | None = None
    try:
        exhausted = False
        while not (exhausted or brake.on):
            batch = await run.hop(halves.step)
            exhausted = batch.exhausted
            failure = failure or next((failed.error for failed in batch.failures), None)
    finally:
        run.release(halves)
    return failure
