"""When a job waits for the disk: behind its last write, and before a move removes anything."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiofiles.os

from tui.model.error import NotFlushed
from tui.model.job import Flush

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.engine.run import Run
    from tui.places.local.flushing import DiskFlush

LOOK_S = 0.05
"""How often a wait for the disk, which nothing can cut short, looks whether the job was stopped."""


async def flush(run: Run) -> bool:
    """Wait until all the job wrote is on the disk; say False where it was stopped first.

    Other jobs go on meanwhile, and a pause or a cancel leaves the disk to itself.

    Raises:
        NotFlushed: The disk did not take it. From now on, what looks complete at the target is compared.
    """
    record = run.record
    assert run.disks is not None
    bytes_done = record.tally.bytes_done
    try:
        if not await _waited(run, run.disks.flush):
            return False
    except NotFlushed:
        run.flush_failed = record.doubtful = True
        await run.journal.update(record.id, {"doubtful": True}, durable=True)
        raise
    record.unflushed = record.renamed = False
    _note_flushed(run, bytes_done)
    return True


def _note_flushed(run: Run, bytes_done: int) -> None:
    """Note how much is on the disk; of a job in doubt nobody knows, however well the disk took the rest."""
    if not run.record.doubtful:
        run.record.tally.bytes_flushed = bytes_done


async def flush_at_the_end(run: Run, *, compared: bool) -> None:
    """Bring onto the disk what the job was asked to, unless that is done; what goes wrong becomes an error of the job.

    Args:
        compared: This run compared all that looked complete.
    """
    record = run.record
    try:
        if _is_due(run):
            if not await flush(run):
                return
        elif record.row.flush is not Flush.NONE and (record.renamed or record.unflushed):
            if not await _flush_names(run):
                return
    except NotFlushed as error:
        await run.fail_job(error, error.location or record.row.first_source)
        return
    if record.doubtful and compared and not run.flush_failed:
        record.doubtful = False
        _note_flushed(run, record.tally.bytes_done)
        await run.journal.update(record.id, {"doubtful": False})


async def _flush_names(run: Run) -> bool:
    """The same where no content was written, or each file is on the disk already: what is missing are names."""
    record = run.record
    assert run.disks is not None
    bytes_done = record.tally.bytes_done
    if not await _waited(run, run.disks.flush_names):
        return False
    record.unflushed = record.renamed = False
    _note_flushed(run, bytes_done)
    return True


def _is_due(run: Run) -> bool:
    """Say whether something may be written that is not on the disk. A job that wrote nothing does not wait."""
    record = run.record
    # What an earlier go wrote is found complete by this one; whether it was flushed, nobody knows any more.
    again = (record.walk > 1 or record.failed_only) and record.tally.files_done > 0
    if record.doubtful:
        return True
    if record.row.flush is Flush.JOB:
        return record.unflushed or again
    return record.row.flush is Flush.FILE and again


async def _waited(run: Run, prepare: Callable[[], DiskFlush]) -> bool:
    """DiskFlush in a thread; say False where the job was stopped meanwhile, and leave the thread to itself."""
    work = await run.hop(prepare)
    waiting = asyncio.ensure_future(aiofiles.os.wrap(work)(executor=run.shared.pool))
    waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
    run.record.flushing = True
    run.touch()
    try:
        while not waiting.done() and not run.stopped:
            await asyncio.wait({waiting}, timeout=LOOK_S)
    finally:
        run.record.flushing = False
        run.touch()
    if not waiting.done():
        return False
    waiting.result()
    return True
