"""What comes when all of a far copy is done: half files go, and what was written is brought onto the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.error import PlaceError
from tui.model.job import Flush

if TYPE_CHECKING:
    from tui.engine.far.ends import Ends
    from tui.engine.run import Run
    from tui.model.location import Location

AT_ONCE = 32
"""So many folders are looked through at the same time."""


async def sweep(run: Run, ends: Ends, halves: dict[Location, int]) -> None:
    """Remove what was left half done and not gone on with: of files that changed, or failed."""

    async def abandon(folder: Location) -> None:
        await ends.at(folder).abandon(folder, run.record.row.tag)

    await ends.do_each(list(halves), abandon, lambda folder, error: None, AT_ONCE)  # one may have gone itself
    halves.clear()


async def flush(run: Run, ends: Ends, target: Location, goal: Location) -> None:
    """Bring all onto the disk, where that was asked for and a place can do it."""
    record = run.record
    if record.row.flush is Flush.NONE or not (record.unflushed or record.renamed or record.walk > 1):
        return
    record.flushing = True
    run.touch()
    done_bytes = record.tally.bytes_done
    try:
        if ends.at(target).capabilities.flushes:
            await ends.do(lambda: ends.at(target).flush(goal))
            record.tally.bytes_flushed = done_bytes
        record.unflushed = record.renamed = False
    except PlaceError as error:
        record.walked = False
        await run.fail_job(error, target)
    finally:
        record.flushing = False
        run.touch()
