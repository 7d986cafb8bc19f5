"""One run of a job from start to end: the work, the counting beside it, and what state the job ends in."""

from __future__ import annotations

import asyncio
import importlib
import logging
from typing import TYPE_CHECKING, Protocol

from tui.engine.naming import agree_on_names, may_change_names
from tui.engine.run import Stop
from tui.engine.totals import Counting
from tui.model.error import FerryError, PlaceError, Unsupported
from tui.model.job import JobKind, JobState

if TYPE_CHECKING:
    from tui.engine.run import Run

logger = logging.getLogger(__name__)


class Work(Protocol):
    async def execute(self) -> None: ...


WORK: dict[tuple[JobKind, bool, bool], tuple[str, str]] = {
    (JobKind.COPY, False, False): ("tui.engine.copying", "Copying"),
    (JobKind.MOVE, False, False): ("tui.engine.moving", "Moving"),
    (JobKind.MOVE, False, True): ("tui.engine.returning", "Returning"),
    (JobKind.RENAME, False, False): ("tui.engine.renaming", "Renaming"),
    (JobKind.RENAME, False, True): ("tui.engine.undoing", "Undoing"),
    (JobKind.MAKE, False, True): ("tui.engine.unmaking", "Unmaking"),
    (JobKind.SYNC, False, False): ("tui.engine.syncing", "Syncing"),
    (JobKind.VERIFY, False, False): ("tui.engine.checking", "Checking"),
    (JobKind.DELETE, False, False): ("tui.engine.removing", "InPlace"),
    (JobKind.TRASH, False, False): ("tui.engine.removing", "InPlace"),
    (JobKind.CHMOD, False, False): ("tui.engine.removing", "InPlace"),
    (JobKind.COPY, True, False): ("tui.engine.far.copying", "FarCopying"),
    (JobKind.MOVE, True, False): ("tui.engine.far.moving", "FarMoving"),
    (JobKind.MOVE, True, True): ("tui.engine.far.returning", "FarReturning"),
    (JobKind.RENAME, True, False): ("tui.engine.far.renaming", "FarRenaming"),
    (JobKind.RENAME, True, True): ("tui.engine.far.undoing", "FarUndoing"),
    (JobKind.MAKE, True, True): ("tui.engine.far.unmaking", "FarUnmaking"),
    (JobKind.SYNC, True, False): ("tui.engine.far.syncing", "FarSyncing"),
    (JobKind.VERIFY, True, False): ("tui.engine.far.verifying", "Verifying"),
    (JobKind.DELETE, True, False): ("tui.engine.far.removing", "Removing"),
    (JobKind.CHMOD, True, False): ("tui.engine.far.modes", "Modes"),
}
"""What does a job: by its kind, whether it is far, and whether it undoes another. (Module and class.)

A kind of which nothing is said for jobs that undo another does the same then, too.
"""


def work_for(run: Run) -> Work:
    """Return what does a job of this kind. It is imported only now: most engines do few kinds of jobs.

    Raises:
        Unsupported: Nothing does.
    """
    row = run.record.row
    found = WORK.get((row.kind, row.far, bool(row.undoes))) or WORK.get((row.kind, row.far, False))
    if found is None:
        where = "beyond the local disk" if row.far else "on the local disk"
        raise Unsupported(f"a {row.kind} cannot be done {where}")
    module, name = found
    work: Work = getattr(importlib.import_module(module), name)(run)
    return work


async def carry_out(run: Run) -> JobState | None:
    """Run a job; return the state it comes to, or None where it was stopped.

    A failure nobody foresaw ends this job, with an error row that says so, and no other.
    """
    try:
        if not run.record.row.far:
            await run.find_homes()
            await agree_on_names(run)
        run.has_names = not (run.record.row.far and may_change_names(run.record.row))
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
        if run.looks_again:
            run.record.failed_only = False
            await run.journal.update(run.record.id, {"failed_only": False})
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
    record.tally.counting = False  # as an earlier run, stopped in the midst of it, may have left it
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
    if not run.stopped:  # else the total is not all there is
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
        await run.fail_job(
            PlaceError(text, "Retry it; the log tells more, and `ferry doctor` where that is."), location
        )
    except FerryError:
        run.record.errors += 1
        run.record.fault = text
