"""The rules that the engine gives to a hop that copies."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from tui.model.exclusion import NOTHING, Exclusion
from tui.model.fidelity import ALL_TRAITS, Trait
from tui.model.job import Conflict, Flush
from tui.places.local.fitting import Fitting

LARGE_BYTES = 16 << 20
"""Files above this are copied in slices, a hop a slice; below, in the batch of their folder."""


@dataclass(frozen=True, slots=True)
class CopyRules:
    """How entries of one folder are copied.

    Attributes:
        tag: The job's mark in the partial names it makes (".ferry-<tag>-…"), letters and digits, the same after a
            restart: by it a job finds its own half files again.
        own: The target folder is the job's own staging folder: files are made directly under their final names, and
            whatever of a different size or time stands there is a leftover of this job and replaced without asking.
        compare: Count an equal-looking target as done only after comparing content, byte by byte (moves).
        doubtful: Nobody knows whether the disk took what the job wrote before: compare also what stands in its staging
            folder, and what there is of half files.
        mirror: The target is to become like the source (a sync): what is complete there gets the source's owner, mode,
            access lists, attributes and time as well; with `compare`, files that agree in content are complete whatever
            their times.
        pass_clashes: Pass by where a folder meets something else, and say so, instead of reporting a failure.
        large_bytes: Regular files above this are reported in `Batch.large`, not copied.
        flush: FILE: bring each file onto the disk before it gets its name, and the names before the batch ends. JOB:
            have the disk begin with each, so that little is left to be waited for in the end.
        batch_bytes: A batch ends when it has copied about this much (a rate limit makes it small).
        verify: Read every file back from the disk before it counts as copied, or, where it stands there already, as
            complete.
        decided: Answers for single names of this folder; they go before `conflict`.
        fitting: How names are changed for a filesystem with rules of its own; None: not at all.
        exclude: What is left out below the sources.
        keep: What travels besides content.
        first: No earlier walk of the job was here: a folder found as it is left is of an earlier copy, which has told
            what the folder could not keep.
        retried: Somebody asked for another try: a half file that cannot be read is not gone on with.
    """

    tag: str
    conflict: Conflict = Conflict.ASK
    own: bool = False
    compare: bool = False
    doubtful: bool = False
    mirror: bool = False
    pass_clashes: bool = False
    flush: Flush = Flush.NONE
    large_bytes: int = LARGE_BYTES
    batch_bytes: int = 256 << 20
    verify: bool = False
    decided: Mapping[bytes, Conflict] = field(default_factory=dict)
    fitting: Fitting | None = None
    exclude: Exclusion = NOTHING
    keep: Set[Trait] = ALL_TRAITS
    first: bool = False
    retried: bool = False
