"""Which jobs are in doubt: of what they wrote, nobody knows whether the disk took it.

Linux tells of a failed write-back once: at the next flush, through whatever was open by then, and to nobody after
that. So the flush that fails speaks for every job that wrote to that filesystem and has not seen it take everything
since; and while a flush is under way, the journal holds all of them in doubt, for it may fail where an engine that was
killed does not hear of it. Nor does anybody hear of what a machine lost that went down: an engine that starts on
another boot than the one before holds all jobs in doubt that wrote something not flushed since. A job in doubt compares
what looks complete before it believes it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import aiofiles.os

from tui.model.error import FerryError, NotFlushed
from tui.model.job import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tui.engine.board import Record
    from tui.engine.run import Run
    from tui.engine.shared import Shared
    from tui.places.local.flushing import DiskFlush

logger = logging.getLogger(__name__)

NOTE = "a disk did not take everything: what looks complete will be compared"
BOOT_NOTE = "the machine was started anew: what looks complete will be compared"


async def note_target(run: Run, device: int) -> None:
    """Write down which filesystem a job is about to write to. (Others come with the next checkpoint.)

    Where the power fails, this must not be lost while something that was written is still there.
    """
    record = run.record
    if device not in record.unflushed_on:
        record.unflushed_on.add(device)
        await run.journal.update(record.id, record.columns(), durable=True)


async def carry_through(shared: Shared, work: DiskFlush) -> Exception | None:
    """Flush, whether or not somebody still waits for it, and tell all jobs concerned; return what went wrong."""
    concerned = _with_a_stake(shared, work.devices)
    for record in concerned:
        record.flushes += 1
    failure: Exception | None = None
    try:
        await _begin(shared, concerned, work)
        await aiofiles.os.wrap(work)(executor=shared.pool)
    except Exception as error:
        failure = error
    finally:
        for record in concerned:
            record.flushes -= 1
    if isinstance(failure, NotFlushed):
        # Others may have begun to write there meanwhile.
        await doubt(shared, _with_a_stake(shared, work.failed))
    try:
        await _write_down(shared, concerned)
    except FerryError as error:
        failure = failure or error
    return failure


async def _begin(shared: Shared, concerned: Sequence[Record], work: DiskFlush) -> None:
    try:
        await _write_down(shared, concerned)
    except BaseException:
        work.close()
        raise


async def doubt(shared: Shared, records: Sequence[Record]) -> None:
    """Bring jobs in doubt, those that rest and those that run: these have to look at everything again."""
    for record in records:
        logger.warning("job %d: a flush failed; what looks complete at its target is in doubt", record.id)
        record.doubtful = record.flush_failed = True
        record.walked = False
        if record.state is JobState.PAUSED:
            record.note = NOTE
        shared.board.touch(record)
    try:
        await _write_down(shared, records, durable=True)
    except FerryError:
        logger.exception("the doubt could not be written down")


async def believe(run: Run) -> None:
    """Note that the disk has all a job wrote, and that what looked complete was compared, where it had to be."""
    record = run.record
    record.unflushed_on.clear()
    if record.doubtful:
        record.doubtful = False
        record.tally.bytes_flushed = record.tally.bytes_done
        await _write_down(run.shared, [record])


def _with_a_stake(shared: Shared, devices: Iterable[int]) -> list[Record]:
    """Return the jobs that wrote to one of these filesystems since it last took all of theirs, and may go on."""
    wanted = frozenset(devices)
    return [r for r in shared.board.records() if r.state is not JobState.DONE and r.unflushed_on & wanted]


async def _write_down(shared: Shared, records: Sequence[Record], *, durable: bool = False) -> None:
    doubts = [(record.id, record.doubtful or record.flushes > 0) for record in records]
    await shared.journal.set_doubts(doubts, durable=durable)
