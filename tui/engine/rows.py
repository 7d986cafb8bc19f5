"""What the journal holds, as the engine handles it."""

from __future__ import annotations

import os
import secrets
import string
from dataclasses import dataclass
from enum import StrEnum

from tui.model.entry import Facts
from tui.model.exclusion import Exclusion
from tui.model.fidelity import Trait
from tui.model.job import Conflict, Flush, JobKind, JobState, Staging
from tui.model.location import Location
from tui.model.misfit import Names


class Phase(StrEnum):
    """How far one source of a job is, where that cannot be seen from the disk alone."""

    RENAMING = "renaming"
    """It is being renamed: a source that has gone got its new name before a crash."""
    REMOVING = "removing"
    """It is copied whole (or is to be deleted): a source that has gone was removed before a crash."""
    PARKING = "parking"
    """Of a list of renames: it steps aside, to a name of passage; no one has taken a new name yet."""
    PARKED = "parked"
    """All stepped aside: it is only to be looked for under its name of passage, its old name may be another's."""
    DONE = "done"


class Cleanup(StrEnum):
    """What a cancelled job still has to tidy up."""

    KEEP = "keep"
    DROP = "drop"


_TAG_LETTERS = string.ascii_lowercase + string.digits
_TAG_LENGTH = 8


def new_tag() -> str:
    """Return what a job's half files are known by: it stands in their names."""
    return "".join(secrets.choice(_TAG_LETTERS) for _ in range(_TAG_LENGTH))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as it stands in the journal."""

    id: int
    tag: str
    kind: JobKind
    state: JobState
    target: Location | None
    into: bool
    conflict: Conflict
    priority: int
    position: int
    limit_bytes_s: int | None
    mode_set: int
    mode_clear: int
    folder_mode_set: int
    recursive: bool
    verify: bool
    delete_extra: bool
    by_content: bool
    flush: Flush
    staging: Staging
    names: Names
    name_rules: str | None
    """What the target's filesystem takes, as it was found out; None: not yet, or all."""
    source_count: int
    first_source: Location
    created_at: float
    started_at: float | None
    ended_at: float | None
    note: str
    stage_for: Location | None
    """The final location of the tree being built when this was written."""
    walk: int
    failed_only: bool
    doubtful: bool
    """The disk did not take what was written: what looks complete at the target has to be compared."""
    unflushed: str
    """The filesystems it wrote to and has not seen take everything since: device numbers, with spaces."""
    checkpoint: str
    """How far a verify job is."""
    cleanup: Cleanup | None
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    bytes_flushed: int
    bytes_half: int
    files_same: int
    files_skipped: int
    files_verified: int
    bytes_verified: int
    files_removed: int
    errors: int
    questions: int
    undoes: int
    """The job this one reverses; 0: none."""
    undone_by: int
    """The job that reverses this one; 0: none."""
    redo: bool
    reversible: bool
    preserve: frozenset[Trait]
    losses: str | None
    exclude: Exclusion
    far: bool
    expects: Facts | None
    """What is to be replaced, as in the request."""
    """One of its places is not the local disk."""


@dataclass(frozen=True, slots=True)
class Source:
    """One of the things a job is about.

    Attributes:
        target: Where it goes, where that does not follow from the request alone.
        fresh: The target's name was free when this job came to it.
        files, size_bytes: What it amounted to, known once its phase is REMOVING or DONE.
    """

    idx: int
    location: Location
    target: Location | None = None
    phase: Phase | None = None
    fresh: bool = False
    files: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class FolderTime:
    """The time a folder had before a far move took something out of it; paths as in `ErrorRow`."""

    idx: int
    path: bytes
    target_path: bytes
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """Something that could not be done, and by what it is found again for another try.

    Attributes:
        idx: The source it belongs to; None where it concerns the job as a whole.
        path: The entry, from the folder that holds the source; empty for the source as a whole.
        target_path: Where it goes, from the target folder.
        removing: It was copied; what failed is the removal of the original.
    """

    idx: int | None
    path: bytes
    target_path: bytes
    removing: bool
    location: Location
    code: str
    message: str
    remedy: str
    at: float
    id: int = 0


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A conflict left open. `passed`: the number of the walk that met it last."""

    idx: int
    path: bytes
    target_path: bytes
    source: Location
    target: Location
    source_facts: Facts
    target_facts: Facts
    asked_at: float
    passed: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one entry. `kept_as`: the target path it got by RENAME, where the engine chose it."""

    idx: int
    path: bytes
    target_path: bytes
    rule: Conflict
    kept_as: bytes | None = None


def name_of(row: JobRow, source: Source) -> bytes:
    """Return the name a source gets at the target, where the filesystem there takes it."""
    if source.target is not None:
        return os.fsencode(source.target.name)
    if row.into or row.target is None:
        return os.fsencode(source.location.name)
    return os.fsencode(row.target.name)
