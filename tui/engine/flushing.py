"""When a job waits for the disk: behind its last write, and before a move removes anything."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiofiles.os

from tui.engine.doubt import believe, carry_through, doubt
from tui.model.error import NotFlushed
from tui.model.job import Flush

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine

    from tui.engine.run import Run

LOOK_S = 0.05
"""How often a wait for the disk, which nothing can cut short, looks whether the job was stopped."""


async def flush(run: Run) -> bool:
    """Wait until all the job wrote is on the disk; say False where it was stopped first.

    Other jobs go on meanwhile, and a pause or a cancel leaves the disk to itself.

    Raises:
        NotFlushed: The disk did not take it, now or when another job asked. From now on, what looks complete at the
            target is compared.
    """
    record, disks = run.record, run.disks
    assert disks is not None
    bytes_done = record.tally.bytes_done
    if len(record.unflushed_on) > 1:  # it came upon others below the target since it was last written down
        await run.journal.update(record.id, record.columns())
    try:
        work = await run.hop(disks.flush)
    except NotFlushed:
        await doubt(run.shared, [record])
        raise
    if not await _waited(run, carry_through(run.shared, work)):
        return False
    if record.flush_failed:
        where = record.row.target
        raise NotFlushed(
            f"the disk did not take all that was written to {where}: another job was told", location=where
        )
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
    due = _is_due(run)
    try:
        if due:
            if not await flush(run):
                return
        elif record.row.flush is Flush.NONE:
            return
        elif (record.renamed or record.unflushed) and not await _flush_names(run):
            return
    except NotFlushed as error:
        record.walked = False
        await run.fail_job(error, error.location or record.row.first_source)
        return
    if compared or not record.doubtful:
        await believe(run)


async def _flush_names(run: Run) -> bool:
    """The same where no content was written, or each file is on the disk already: what is missing are names."""
    record, disks = run.record, run.disks
    assert disks is not None
    bytes_done = record.tally.bytes_done
    work = await run.hop(disks.flush_names)
    if not await _waited(run, _outcome(aiofiles.os.wrap(work)(executor=run.shared.pool))):
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


async def _outcome(work: Awaitable[None]) -> Exception | None:
    try:
        await work
    except Exception as error:
        return error
    return None


async def _waited(run: Run, flushing: Coroutine[Any, Any, Exception | None]) -> bool:
    """Wait for a flush; say False where the job was stopped meanwhile, and leave the flush to itself.

    Raises:
        NotFlushed: As it went wrong.
    """
    assert run.shared.group is not None
    waiting = run.shared.group.create_task(flushing)
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
    if (error := waiting.result()) is not None:
        raise error
    return True
