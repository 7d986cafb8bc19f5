"""What `--json` writes: one object an event, flat but for lists. Keys are a contract: they may be added, never renamed.

Every path stands twice: as text for people (`path`, …; bytes that are no UTF-8 are replaced) and exactly (`url`, …).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.cli.tally import Tally
    from tui.model.ask import HostQuestion
    from tui.model.comparison import Difference
    from tui.model.error import FerryError
    from tui.model.fidelity import Lost
    from tui.model.job import EngineStatus, Job, JobError, Question
    from tui.model.location import Location
    from tui.model.misfit import Misfit
    from tui.places.local.checking import Finding


_COUNTS = (
    "files_done files_total bytes_done bytes_total files_same files_skipped files_verified bytes_verified"
    " files_removed errors questions"
)
_FAULT = "job code message remedy path url"

EVENTS: dict[str, tuple[str, str]] = {
    "submitted": ("job kind sources target target_url", "The job is in the queue."),
    "state": ("job state note", "The job's state has changed, or is seen for the first time."),
    "progress": (
        f"job {_COUNTS} bytes_flushed flushing counting verifying rate_bytes_s time_left_s path url",
        "How far the job is, at most ten times a second; path is what is worked on, totals grow while counting. "
        "While verifying, a large file is read back. bytes_flushed are known to be on the disk; while flushing, all is "
        "written and the disk is waited for.",
    ),
    "error": (
        _FAULT,
        "Something could not be done. Without a job (null): refused before anything was queued.",
    ),
    "question": (
        "job question path url source source_url size_bytes mtime_ns source_size_bytes source_mtime_ns",
        "A conflict waits for an answer; path is the name that is taken.",
    ),
    "host_question": (
        "job question ask host text secret retry place_url",
        "A host asks something before a job can go on: ask is password, passphrase, code or host_key. "
        "`ferry queue answer-host JOB` answers.",
    ),
    "summary": (
        f"job state exit {_COUNTS} bytes_flushed losses seconds target target_url",
        "The last line of a job. errors counts what was refused before the job too; exit is the exit status; losses "
        "lists what the target could not hold: loss (owner, mode, xattr, acl, hardlinks, sparse, times, metadata, "
        "special), count, and paths and urls of the first five.",
    ),
}
"""Keys of each event besides `event`, and when it is written: the documentation, held against the code by a test."""

FINDING = "verdict why source source_url target target_url"
"""Keys of what `ferry verify` finds; the event is "finding"."""

VERIFIED = "exit files_verified bytes_verified differs missing extra errors"
"""Keys of its summary."""

REHEARSAL = (
    "dry_run kind exit files_total folders_total bytes_total files_same unreadable conflicts conflict_urls conflict "
    "clashes unfit_names unfit_clashes unfit_sizes unfit_kinds names errors "
    "target target_url into"
)
"""Keys of the summary of a dry run."""

MISFIT = "unfit why becomes sure source source_url"
"""Keys of the event `misfit` besides `event`: one for each entry the target's filesystem does not take as it is."""

DIFFERENCE = "change folder size_bytes path url source source_url"
"""Keys of the event `difference` besides `event`: one for each that a dry run finds."""

SYNC_REHEARSAL = (
    "dry_run kind exit new changed attributes extra clash new_bytes changed_bytes attributes_bytes extra_bytes "
    "clash_bytes files_same errors delete source source_url target target_url"
)
"""Keys of the summary of a sync's dry run."""

JOB = (
    f"id kind state priority position conflict limit_bytes_s verify {_COUNTS} bytes_flushed flushing counting "
    "verifying rate_bytes_s time_left_s sources source source_url target target_url into created_at started_at "
    "ended_at note undoes undone_by reversible names misfits wants_host host_questions path url"
)
"""Keys of a job in the list."""

SHOWN = "sync stage source_urls preserve exclude misfits losses"
"""Keys that a job has besides where it is shown in full; `misfits` are no longer counted but listed."""

ENGINE = "running pid version protocol started_at limit_bytes_s slots rate_bytes_s in_process note"
"""Keys of the state of an engine that runs."""


def place(name: str, location: Location | None) -> dict[str, Any]:
    """Return a location under two keys: `name`, and its URL as `url` for "path", else as `name_url`."""
    url = "url" if name == "path" else f"{name}_url"
    if location is None:
        return {name: None, url: None}
    return {name: text(str(location)), url: location.url}


def text(raw: str) -> str:
    """Return text that any reader of JSON takes: bytes that are no UTF-8 become replacement characters."""
    return os.fsencode(raw).decode("utf-8", "replace")


def submitted(id: int, kind: str, sources: int, target: Location | None) -> dict[str, Any]:
    return {"event": "submitted", "job": id, "kind": kind, "sources": sources, **place("target", target)}


def state(job: Job) -> dict[str, Any]:
    return {"event": "state", "job": job.id, "state": str(job.state), "note": text(job.note)}


def counts(job: Job) -> dict[str, int]:
    """Return how far a job is."""
    progress = job.progress
    return {
        "files_done": progress.files_done,
        "files_total": progress.files_total,
        "bytes_done": progress.bytes_done,
        "bytes_total": progress.bytes_total,
        "files_same": progress.files_same,
        "files_skipped": progress.files_skipped,
        "files_verified": progress.files_verified,
        "bytes_verified": progress.bytes_verified,
        "files_removed": progress.files_removed,
        "errors": progress.errors,
        "questions": progress.questions,
    }


def progress(job: Job) -> dict[str, Any]:
    return {
        "event": "progress",
        "job": job.id,
        **counts(job),
        "bytes_flushed": job.progress.bytes_flushed,
        "flushing": job.progress.flushing,
        "counting": job.progress.counting,
        "verifying": job.progress.verifying,
        "rate_bytes_s": round(job.progress.rate_bytes_s, 1),
        "time_left_s": None if job.progress.time_left_s is None else round(job.progress.time_left_s, 1),
        **place("path", job.progress.current),
    }


def error(row: JobError) -> dict[str, Any]:
    return {
        "event": "error",
        "job": row.job,
        "code": row.code,
        "message": text(row.message),
        "remedy": text(row.remedy),
        **place("path", row.location),
    }


def refusal(problem: FerryError, location: Location | None) -> dict[str, Any]:
    """Return the error event of something that never became part of a job."""
    return {
        "event": "error",
        "job": None,
        "code": problem.code,
        "message": text(problem.message),
        "remedy": text(problem.remedy),
        **place("path", location),
    }


def finding(found: Finding) -> dict[str, Any]:
    return {
        "event": "finding",
        "verdict": str(found.verdict),
        "why": found.why,
        **place("source", found.source),
        **place("target", found.target),
    }


def verified(tally: Tally, status: int) -> dict[str, Any]:
    return {
        "event": "summary",
        "exit": status,
        "files_verified": tally.files,
        "bytes_verified": tally.size_bytes,
        "differs": tally.differs,
        "missing": tally.missing,
        "extra": tally.extra,
        "errors": tally.errors,
    }


def question(asked: Question) -> dict[str, Any]:
    return {
        "event": "question",
        "job": asked.job,
        "question": asked.id,
        **place("path", asked.target),
        **place("source", asked.source),
        "size_bytes": asked.target_facts.size_bytes,
        "mtime_ns": asked.target_facts.mtime_ns,
        "source_size_bytes": asked.source_facts.size_bytes,
        "source_mtime_ns": asked.source_facts.mtime_ns,
    }


def misfit(found: Misfit) -> dict[str, Any]:
    return {
        "event": "misfit",
        "unfit": str(found.unfit),
        "why": text(found.why),
        "becomes": text(found.becomes) or None,
        "sure": found.sure,
        **place("source", found.source),
    }


def loss(lost: Lost) -> dict[str, Any]:
    """Return a line of a loss report: it stands in the list `losses` of a job or its summary."""
    return {
        "loss": str(lost.loss),
        "count": lost.count,
        "paths": [text(str(location)) for location in lost.examples],
        "urls": [location.url for location in lost.examples],
    }


def summary(job: Job | None, status: int, refused: int = 0, losses: Sequence[Lost] = ()) -> dict[str, Any]:
    """Return the last event of a job; without a job, that of a command that had nothing left to do.

    `errors` counts what was refused before the job as well.
    """
    if job is None:
        none = {**dict.fromkeys(_COUNTS.split(), 0), "errors": refused}
        head = {"event": "summary", "job": None, "state": None, "exit": int(status)}
        rest = {"bytes_flushed": 0, "losses": [], "seconds": None}
        return {**head, **none, **rest, **place("target", None)}
    began, ended = job.started_at or job.created_at, job.ended_at
    told = counts(job)
    told["errors"] += refused
    return {
        "event": "summary",
        "job": job.id,
        "state": str(job.state),
        "exit": int(status),
        **told,
        "bytes_flushed": job.progress.bytes_flushed,
        "losses": [loss(each) for each in losses],
        "seconds": None if ended is None else round(max(0.0, ended - began), 3),
        **place("target", job.target),
    }


def difference(found: Difference, source: Location, target: Location) -> dict[str, Any]:
    facts = found.source or found.target
    return {
        "event": "difference",
        "change": str(found.change),
        "folder": found.is_folder,
        "size_bytes": 0 if facts is None or found.is_folder else facts.size_bytes,
        **place("path", target),
        **place("source", source if found.source else None),
    }


def host_question(asked: HostQuestion) -> dict[str, Any]:
    """Return what a host asks. (No answer is ever in it.)"""
    return {
        "question": asked.id,
        "ask": str(asked.ask.kind),
        "host": text(asked.ask.host),
        "text": text(asked.ask.text),
        "secret": asked.ask.secret,
        "retry": asked.ask.retry,
        "place_url": asked.place.url,
    }


def job(each: Job, asked: Sequence[HostQuestion] = ()) -> dict[str, Any]:
    """Return a job as `ferry queue --json` lists it, with those of the open questions of hosts that it waits for."""
    return {
        "id": each.id,
        "kind": str(each.kind),
        "state": str(each.state),
        "priority": each.priority,
        "position": each.position,
        "conflict": str(each.conflict),
        "limit_bytes_s": each.limit_bytes_s,
        "verify": each.verify,
        **counts(each),
        "bytes_flushed": each.progress.bytes_flushed,
        "flushing": each.progress.flushing,
        "counting": each.progress.counting,
        "verifying": each.progress.verifying,
        "rate_bytes_s": round(each.progress.rate_bytes_s, 1),
        "time_left_s": each.progress.time_left_s,
        "sources": each.source_count,
        **place("source", each.first_source),
        **place("target", each.target),
        "into": each.into,
        "created_at": each.created_at,
        "started_at": each.started_at,
        "ended_at": each.ended_at,
        "note": text(each.note),
        "undoes": each.undoes or None,
        "undone_by": each.undone_by or None,
        "reversible": each.reversible,
        "names": str(each.names),
        "misfits": each.misfits,
        "wants_host": each.wants_host,
        "host_questions": [host_question(question) for question in asked if each.id in question.jobs],
        **place("path", each.progress.current),
    }


def engine(status: EngineStatus | None) -> dict[str, Any]:
    if status is None:
        return {"running": False}
    return {
        "running": True,
        "pid": status.pid,
        "version": status.version,
        "protocol": status.protocol,
        "started_at": status.started_at,
        "limit_bytes_s": status.limit_bytes_s,
        "slots": status.slots,
        "rate_bytes_s": round(status.rate_bytes_s, 1),
        "in_process": status.in_process,
        "note": text(status.note),
    }
