"""What is said when a job has ended: its errors, a line of summary, the exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from tui import format
from tui.cli.diagnostics import SHOWN_ERRORS, Status
from tui.model.error import CollisionRefused, FerryError
from tui.model.job import Job, JobError, JobKind, JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.cli.session import Session
    from tui.client.base import Client
    from tui.model.fidelity import Lost

_DONE = {
    JobKind.COPY: "copied",
    JobKind.MOVE: "moved",
    JobKind.DELETE: "deleted",
    JobKind.TRASH: "moved to the trash",
    JobKind.RENAME: "renamed",
    JobKind.CHMOD: "changed",
    JobKind.MAKE: "took away",
    JobKind.SYNC: "copied",
    JobKind.VERIFY: "compared",
}
_CARRYING = (JobKind.COPY, JobKind.MOVE, JobKind.SYNC)
_RENAMING = (JobKind.MOVE, JobKind.TRASH, JobKind.RENAME, JobKind.MAKE)
RATE_FROM_BYTES = 1 << 20
"""Below this, a rate says more about the start than about the disk."""
PAGE = 1000


class Faults(Struct):
    """What a job could not do: the first few errors, how many there are, whether a conflict was refused."""

    first: list[FerryError]
    count: int
    collisions: bool


def status_after(job: Job, faults: Faults, *, interrupted: bool, refused: int) -> Status:
    if interrupted:
        return Status.INTERRUPTED
    if faults.collisions:
        return Status.CONFLICT
    return Status.DONE if job.state is JobState.DONE and not faults.count and not refused else Status.ERRORS


async def faults_of(client: Client, job: Job) -> Faults:
    """Return what is to be said of a job's errors; all are looked through for refused conflicts, a page at a time."""
    faults = Faults([], job.progress.errors, False)
    seen = 0
    while seen < faults.count:
        rows = await client.errors(job.id, seen, PAGE)
        if not rows:
            break
        faults.first += [as_error(row) for row in rows[: SHOWN_ERRORS - len(faults.first)]]
        faults.collisions = faults.collisions or any(row.code == CollisionRefused.__name__ for row in rows)
        seen += len(rows)
        if faults.collisions and len(faults.first) == SHOWN_ERRORS:
            break
    return faults


def as_error(row: JobError) -> FerryError:
    """Return a job's error in the form in which messages are written."""
    return FerryError(row.message, row.remedy)


async def losses_of(client: Client, job: Job) -> Sequence[Lost]:
    """Return a job's loss report. (What could not be made at all is in it, too, and an error.)"""
    return await client.losses(job.id) if job.progress.losses or job.progress.errors else ()


def report(
    session: Session, job: Job, faults: Faults, losses: Sequence[Lost], *, own: bool, foreground: bool
) -> None:
    rest = "" if foreground else f"ferry queue show {job.id} --errors"
    if faults.first:  # else its error could not be written down, or it has none
        session.messages.rows(faults.first, faults.count, rest)
    if job.state is JobState.CANCELLED:
        left = _left(job)
        session.messages.note(f"job {job.id} was cancelled" + (f"; {left}" if left else ""))
    elif job.state is JobState.FAILED and not faults.first:
        session.messages.note(f"job {job.id} failed" + (f": {job.note}" if job.note else ""))
    if losses:
        more = "" if foreground else f"; `ferry queue show {job.id}` names some"
        session.messages.note(f"not kept: {', '.join(format.lost(each) for each in losses)}{more}")
    prefix = "" if own else f"{job.id}: "
    session.out.line(prefix + summary(job))


def _left(job: Job) -> str:
    """Return what a cancelled job had not done yet, as far as it had counted."""
    files = job.progress.files_total - job.progress.files_done
    size_bytes = job.progress.bytes_total - job.progress.bytes_done
    if files <= 0:
        return ""
    at_least = "at least " if job.progress.counting else ""
    return f"{at_least}{format.entries(files)}, {format.size(max(0, size_bytes))}, not done"


def summary(job: Job) -> str:
    """Return one line on what a job did: "copied 3 files, 12 MiB in 0:04 (3.0 MiB/s)"."""
    progress = job.progress
    done = max(0, progress.files_done - progress.files_same - progress.files_skipped)
    all_done = done == progress.files_done and job.state is not JobState.CANCELLED
    took_back = job.undoes and not job.redo and job.kind is not JobKind.MAKE
    verb = "brought back" if took_back else _DONE[job.kind]
    if job.kind in _RENAMING:  # a folder that is renamed in one step counts as one, and nobody looks into it
        text = f"{verb} {format.entries(done, 'entry', 'entries')}"
    else:
        text = f"{_DONE[job.kind]} {format.entries(done)}"
    if all_done and (progress.bytes_done or job.kind not in _RENAMING):
        text += f", {format.size(progress.bytes_done)}"
    if job.ended_at is not None:
        seconds = max(0.0, job.ended_at - (job.started_at or job.created_at))
        text += f" in {took(seconds)}"
        if all_done and seconds > 0 and progress.bytes_done >= RATE_FROM_BYTES and job.kind in _CARRYING:
            text += f" ({format.rate(progress.bytes_done / seconds)})"
    if progress.files_verified:
        text += f"; {format.count(progress.files_verified)} verified"
    for number, what in (
        (progress.files_same, "complete already"),
        (progress.files_skipped, "skipped"),
        (progress.files_removed, "removed"),
        (progress.errors, "not done, see above" if progress.errors <= SHOWN_ERRORS else "not done"),
    ):
        if number:
            text += f"; {format.count(number)} {what}"
    return text


def took(seconds: float) -> str:
    """Return a time that passed: "0.24 s", "7.1 s", "1:04"."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 60 else format.duration(seconds)
