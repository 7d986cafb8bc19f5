"""One run of a job from start to end: the work, the counting beside it, and what state the job ends in."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from tui.engine.naming import agree_on_names
from tui.engine.run import Stop
from tui.engine.totals import Counting
from tui.model.error import FerryError, PlaceError, Unsupported
from tui.model.job import JobKind, JobState

if TYPE_CHECKING:
    from tui.engine.run import Run

logger = logging.getLogger(__name__)


class Work(Protocol):
    async def execute(self) -> None: ...


def work_for(run: Run) -> Work:
    """Return what does a job of this kind."""
    kind = run.record.row.kind
    if run.record.row.far:
        return _far_work_for(run, kind)
    if kind is JobKind.COPY:
        from tui.engine.copying import Copying

        return Copying(run)
    if kind is JobKind.SYNC:
        from tui.engine.syncing import Syncing

        return Syncing(run)
    if kind is JobKind.VERIFY:
        from tui.engine.checking import Checking

        return Checking(run)
    if kind is JobKind.MOVE and run.record.row.undoes:
        from tui.engine.returning import Returning

        return Returning(run)
    if kind is JobKind.MOVE:
        from tui.engine.moving import Moving

        return Moving(run)
    if kind is JobKind.RENAME and run.record.row.undoes:
        from tui.engine.undoing import Undoing

        return Undoing(run)
    if kind is JobKind.RENAME:
        from tui.engine.renaming import Renaming

        return Renaming(run)
    if kind is JobKind.MAKE:
        from tui.engine.unmaking import Unmaking

        return Unmaking(run)
    from tui.engine.removing import InPlace

    return InPlace(run)


def _far_work_for(run: Run, kind: JobKind) -> Work:
    """Return what does a job of this kind beyond the local disk."""
    if kind is JobKind.COPY:
        from tui.engine.far.copying import FarCopying

        return FarCopying(run)
    if kind is JobKind.MOVE and run.record.row.undoes:
        from tui.engine.far.returning import FarReturning

        return FarReturning(run)
    if kind is JobKind.MOVE:
        from tui.engine.far.moving import FarMoving

        return FarMoving(run)
    if kind is JobKind.SYNC:
        from tui.engine.far.syncing import FarSyncing

        return FarSyncing(run)
    if kind is JobKind.RENAME and run.record.row.undoes:
        from tui.engine.far.undoing import FarUndoing

        return FarUndoing(run)
    if kind is JobKind.RENAME:
        from tui.engine.far.renaming import FarRenaming

        return FarRenaming(run)
    if kind is JobKind.CHMOD:
        from tui.engine.far.modes import Modes

        return Modes(run)
    if kind is JobKind.VERIFY:
        from tui.engine.far.verifying import Verifying

        return Verifying(run)
    if kind is JobKind.DELETE:
        from tui.engine.far.removing import Removing

        return Removing(run)
    if kind is JobKind.MAKE:
        from tui.engine.far.unmaking import FarUnmaking

        return FarUnmaking(run)
    raise Unsupported(f"a {kind} cannot be done beyond the local disk")


async def carry_out(run: Run) -> JobState | None:
    """Run a job; return the state it comes to, or None where it was stopped.

    A failure nobody foresaw ends this job, with an error row that says so, and no other.
    """
    try:
        if not run.record.row.far:
            await run.find_homes()
            await agree_on_names(run)
        run.has_names = True
        if not run.stopped:
            await _work_and_count(run)
    except (asyncio.CancelledError, Exception) as error:
        if isinstance(error, asyncio.CancelledError) and _is_cancelled():
            raise
        run.stop(Stop.QUIT)
        logger.exception("job %d: failed in a way that was not foreseen", run.record.id)
        run.record.tally.counting = False
        await _note_fault(run, _first(error))
        return JobState.FAILED
    if run.stopped:
        run.record.walked = False
        return None
    if run.record.questions:
        return JobState.WAITING
    return JobState.FAILED if run.record.errors else JobState.DONE


def _is_cancelled() -> bool:
    """Say whether it is this very task that is cancelled, not something it waited for."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


async def _work_and_count(run: Run) -> None:
    """Count while the work goes on. What was done needs no count any more; what is left does, so it is waited for."""
    record = run.record
    row = record.row
    if record.failed_only or record.walked or row.far or row.kind in (JobKind.RENAME, JobKind.MAKE):
        await work_for(run).execute()
        return
    counting = Counting(run)
    try:
        await counting.begin()
        if not run.stopped:
            async with asyncio.TaskGroup() as group:
                group.create_task(counting.go_on())
                await work_for(run).execute()
                told = record.errors or record.questions or run.stop_reason is Stop.ROOM
                counting.work_is_done(enough=not told)
        elif run.stop_reason is Stop.ROOM:
            await counting.go_on()
    finally:
        counting.close()
    record.tally.counting = False


def _first(error: BaseException) -> BaseException:
    """Return the first error within a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _note_fault(run: Run, error: BaseException) -> None:
    location = run.record.current or run.record.row.first_source
    if isinstance(error, PlaceError):
        await run.fail_job(error, location)
        return
    text = error.message if isinstance(error, FerryError) else f"something went wrong inside Ferry: {error!r}"
    try:
        await run.fail_job(PlaceError(text, "Retry it; the engine's log tells more."), location)
    except FerryError:
        run.record.errors += 1
        run.record.note = text
