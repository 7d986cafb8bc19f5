"""All about one job, as `ferry queue show` says it: pairs of a name and a text, one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import format
from tui.config import rate_text
from tui.model.fidelity import ALL_TRAITS
from tui.model.job import JobKind, JobState, Staging
from tui.visible import harmless, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.model.fidelity import Lost
    from tui.model.job import Job, Progress, Request
    from tui.model.misfit import Misfits

    Line = tuple[str, str]

SHOWN_SOURCES = 20


def sheet(job: Job, request: Request, losses: Sequence[Lost], misfits: Misfits) -> list[Line]:
    """Return the lines in order; one whose name is empty goes on with the line above."""
    return [
        *_what(job),
        *_places(job, request),
        *_terms(job, request),
        *_done(job, request),
        *_counts(job.progress),
        *_misfits(misfits),
        *_losses(losses),
        *_moments(job),
    ]


def _what(job: Job) -> Iterator[Line]:
    yield "job", str(job.id)
    yield "kind", str(job.kind)
    yield "state", str(job.state)
    if job.undoes:
        yield "undoes", f"job {job.undoes}"
    if job.undone_by:
        yield "undone by", f"job {job.undone_by}"
    if job.note:
        yield "note", harmless(job.note)


def _places(job: Job, request: Request) -> Iterator[Line]:
    for source in request.sources[:SHOWN_SOURCES]:
        yield "source", visible(str(source))
    if job.source_count > SHOWN_SOURCES:
        yield "", f"… and {format.count(job.source_count - SHOWN_SOURCES)} more"
    if job.target is not None:
        yield "into" if job.into else "target", visible(str(job.target))


def _terms(job: Job, request: Request) -> Iterator[Line]:
    yield "conflicts", str(job.conflict)
    yield "names", str(job.names)
    if request.preserve != ALL_TRAITS:
        yield "preserves", ", ".join(sorted(request.preserve)) or "none"
    if request.exclude:
        yield "leaves out", visible("  ".join(request.exclude.patterns))
    yield "priority", str(job.priority)
    yield "limit", rate_text(job.limit_bytes_s)


def _done(job: Job, request: Request) -> Iterator[Line]:
    progress = job.progress
    counting = "still counting" if job.state is JobState.RUNNING else "not all is counted yet"
    more = f", {counting}" if progress.counting else ""
    yield "files", f"{format.count(progress.files_done)} of {format.count(progress.files_total)}{more}"
    yield "bytes", f"{format.size(progress.bytes_done)} of {format.size(progress.bytes_total)}{more}"
    if job.verify:
        verified = f"{format.entries(progress.files_verified)}, {format.size(progress.bytes_verified)}"
        yield "verified", verified + (", verifying" if progress.verifying else "")
    if job.kind is JobKind.SYNC:
        yield "compared by", "content" if request.by_content else "size and time"
        yield "only at target", "removed" if request.delete_extra else "left"
    if job.kind in (JobKind.COPY, JobKind.MOVE, JobKind.SYNC):
        flushed, done = format.size(progress.bytes_flushed), format.size(progress.bytes_done)
        yield "on disk", f"{flushed} of {done} written"
        yield "sync", str(request.flush)
        yield "stage", str(_staging(request))


def _staging(request: Request) -> Staging:
    """Return how new trees appear: to and from other places file by file, whatever was asked for."""
    ends = (*request.sources[:1], *((request.target,) if request.target else ()))
    return request.staging if all(end.is_local for end in ends) else Staging.FILE


def _counts(progress: Progress) -> Iterator[Line]:
    for name, number in (
        ("complete already", progress.files_same),
        ("skipped", progress.files_skipped),
        ("removed", progress.files_removed),
        ("errors", progress.errors),
        ("questions", progress.questions),
    ):
        if number:
            yield name, format.count(number)


def _misfits(misfits: Misfits) -> Iterator[Line]:
    if misfits.total:
        yield "does not fit", format.misfits(misfits)
    for each in misfits.first:
        becomes = f" (lookalike: {visible(each.becomes)})" if each.becomes else ""
        yield "", f"  {visible(str(each.source))}: {visible(each.why)}{becomes}"
    if misfits.total > len(misfits.first):
        yield "", f"  … and {format.count(misfits.total - len(misfits.first))} more"


def _losses(losses: Sequence[Lost]) -> Iterator[Line]:
    for each in losses:
        yield "not kept", format.lost(each)
        for location in each.examples:
            yield "", f"  {visible(str(location))}"
        if each.count > len(each.examples):
            yield "", f"  … and {format.count(each.count - len(each.examples))} more"


def _moments(job: Job) -> Iterator[Line]:
    for name, moment in (("queued", job.created_at), ("started", job.started_at), ("ended", job.ended_at)):
        if moment is not None:
            yield name, format.moment(moment)
