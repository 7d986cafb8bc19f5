"""Tables `job` and `source`: what was asked, how far it is, and what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.engine.journal.columns import (
    as_bytes,
    as_exclusion,
    as_facts,
    as_list,
    as_location,
    as_names,
    as_text,
    as_traits,
    as_words,
)
from tui.engine.journal.store import Store, on_thread
from tui.engine.rows import Cleanup, JobRow, Phase, Source
from tui.model.job import Conflict, Flush, JobKind, JobState, Request, Staging
from tui.model.location import Location
from tui.model.misfit import Names
from tui.model.parts import PART

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence


FORGOTTEN_AT_ONCE = 5000
"""Sources of a draft that are removed in one transaction."""
LISTED, TAKEN_OFF, DRAFT = 0, 1, 2
"""What the column `removed` tells of a job: it is on the list; it was taken off; its sources have not all come."""


class Jobs(Store):
    """Jobs and their sources, as they survive a crash."""

    # Jobs

    @on_thread
    def add_job(self, request: Request, tag: str, created_at: float, *, draft: bool = False) -> int:
        """Write a new job with its sources, last in the queue, and return its id.

        Args:
            draft: Other sources are still to come, and nobody sees it before `list_job`.
        """
        state = JobState.PAUSED if request.paused else JobState.QUEUED
        with self.transaction(durable=not draft) as db:
            cursor = db.execute(
                "INSERT INTO job (tag, kind, state, target, into_target, conflict, priority, position,"
                " limit_bytes_s, mode_set, mode_clear, folder_mode_set, recursive, verify, delete_extra, by_content,"
                " preserve, flush, staging, names, source_count, first_source, created_at, far, expects,"
                " exclude, removed)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM job),"
                " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    tag, request.kind, state, request.target.url if request.target else None, request.into,
                    request.conflict, request.priority, request.limit_bytes_s, request.mode_set,
                    request.mode_clear, request.folder_mode_set, request.recursive, request.verify,
                    request.delete_extra, request.by_content, as_names(request.preserve), request.flush,
                    request.staging, request.names, len(request.sources), request.sources[0].url, created_at,
                    request.far, as_words(request.expects), as_list(request.exclude),
                    DRAFT if draft else LISTED,
                ),
            )  # fmt: skip
            id = cursor.lastrowid
            assert id is not None
            _add_sources(db, id, 0, request.sources, request.targets)
        return id

    @on_thread
    def add_sources(
        self, draft: int, start: int, sources: Sequence[Location], targets: Sequence[Location]
    ) -> None:
        """Add some sources to a draft, from number `start` on."""
        with self.transaction() as db:
            _add_sources(db, draft, start, sources, targets)

    @on_thread
    def list_job(self, draft: int, source_count: int, created_at: float) -> None:
        """Make a draft that has all its sources a job, last in the queue."""
        with self.transaction(durable=True) as db:
            db.execute(
                "UPDATE job SET removed = ?, source_count = ?, created_at = ?,"
                " position = (SELECT max(position) + 1 FROM job) WHERE id = ?",
                (LISTED, source_count, created_at, draft),
            )

    @on_thread
    def drafts(self) -> list[int]:
        """Return the drafts there are."""
        return [id for (id,) in self._db.execute("SELECT id FROM job WHERE removed = ?", (DRAFT,))]

    @on_thread
    def jobs(self, id: int | None = None) -> list[JobRow]:
        """Return all jobs, or the one asked for."""
        cursor = self._db.execute(
            "SELECT id, tag, kind, state, target, into_target, conflict, priority, position, limit_bytes_s,"
            " mode_set, mode_clear, folder_mode_set, recursive, source_count, first_source, created_at,"
            " started_at, ended_at, note, walk, failed_only, cleanup, files_done, files_total, bytes_done,"
            " bytes_total, files_same, files_skipped,"
            " (SELECT count(*) FROM error WHERE error.job = job.id),"
            " (SELECT count(*) FROM question WHERE question.job = job.id),"
            " stage_for, verify, files_verified, bytes_verified, delete_extra, by_content, files_removed,"
            " undoes, undone_by, redo, reversible, preserve, losses, flush, staging, bytes_flushed, doubtful,"
            " unflushed, checkpoint, names, name_rules, far, expects, exclude, bytes_half"
            f" FROM job WHERE removed = {LISTED} {'' if id is None else 'AND id = :id'} ORDER BY id",
            {"id": id},
        )
        return [_job_row(row) for row in cursor]

    @on_thread
    def numbers(self) -> list[int]:
        """Return the ids of all jobs, whatever else is known of them."""
        return [id for (id,) in self._db.execute("SELECT id FROM job ORDER BY id")]

    @on_thread
    def request(self, id: int) -> Request:
        """Return what a job was asked to do, with as many of its sources as are one part. It must exist."""
        row = self._db.execute(
            "SELECT kind, target, into_target, conflict, priority, limit_bytes_s, mode_set, mode_clear,"
            " folder_mode_set, recursive, verify, delete_extra, by_content, preserve, flush, staging, names,"
            " expects, exclude FROM job WHERE id = ?",
            (id,),
        ).fetchone()
        pairs = self._db.execute(
            "SELECT url, target FROM source WHERE job = ? ORDER BY idx LIMIT ?", (id, PART)
        ).fetchall()
        kind = JobKind(row[0])
        return Request(
            kind=kind,
            sources=tuple(Location.from_url(url) for url, _ in pairs),
            target=as_location(row[1]),
            into=bool(row[2]),
            targets=tuple(Location.from_url(t) for _, t in pairs)
            if kind in (JobKind.RENAME, JobKind.VERIFY)
            else (),
            conflict=Conflict(row[3]),
            priority=row[4],
            limit_bytes_s=row[5],
            mode_set=row[6],
            mode_clear=row[7],
            folder_mode_set=row[8],
            recursive=bool(row[9]),
            verify=bool(row[10]),
            delete_extra=bool(row[11]),
            by_content=bool(row[12]),
            preserve=as_traits(row[13]),
            flush=Flush(row[14]),
            staging=Staging(row[15]),
            names=Names(row[16]),
            expects=as_facts(row[17]),
            exclude=as_exclusion(row[18]),
        )

    @on_thread
    def update(self, id: int, columns: Mapping[str, object], *, durable: bool = False) -> None:
        """Set columns of one job."""
        with self.transaction(durable=durable):
            self.set_columns(id, columns)

    @on_thread
    def update_all(
        self, changes: Sequence[tuple[int, Mapping[str, object]]], *, durable: bool = False
    ) -> None:
        """Set columns of several jobs, (id, columns) pairs, or of none of them."""
        with self.transaction(durable=durable):
            for id, columns in changes:
                self.set_columns(id, columns)

    @on_thread
    def set_doubts(self, doubts: Sequence[tuple[int, bool]], *, durable: bool = False) -> None:
        """Note of jobs whether nobody knows what the disk took: (id, doubtful) pairs."""
        with self.transaction(durable=durable) as db:
            db.executemany("UPDATE job SET doubtful = ? WHERE id = ?", ((doubt, id) for id, doubt in doubts))

    @on_thread
    def note_boot(self, boot: str, note: str) -> None:
        """Note on which start of the machine the journal is used.

        On another one than before, jobs that wrote what was not flushed are in doubt: the machine may have lost it.

        Args:
            boot: Empty where that is not known: then it counts as another one.
            note: What people are told of such a job that is paused.
        """
        before = self._db.execute("SELECT value FROM setting WHERE name = 'boot'").fetchone()
        if boot and before == (boot,):
            return
        with self.transaction(durable=True) as db:
            db.execute(
                "UPDATE job SET doubtful = 1,"
                " note = CASE WHEN state = 'paused' AND length(note) = 0 THEN ? ELSE note END"
                " WHERE unflushed <> '' AND state <> 'done' AND NOT doubtful",
                (as_bytes(note),),
            )
            db.execute("INSERT OR REPLACE INTO setting VALUES ('boot', ?)", (boot,))

    @on_thread
    def set_positions(self, positions: Sequence[tuple[int, int]]) -> None:
        """Set places in the queue: (id, position) pairs."""
        with self.transaction() as db:
            db.executemany("UPDATE job SET position = ? WHERE id = ?", ((at, id) for id, at in positions))

    @on_thread
    def remove(self, ids: Sequence[int]) -> None:
        """Take jobs off the list. They can be restored until others are removed."""
        if ids:
            with self.transaction() as db:
                db.execute("DELETE FROM job WHERE removed = ?", (TAKEN_OFF,))
                db.executemany("UPDATE job SET removed = ? WHERE id = ?", ((TAKEN_OFF, id) for id in ids))

    @on_thread
    def restore(self) -> list[int]:
        """Bring back what was removed last; return the ids."""
        with self.transaction() as db:
            ids = [
                id for (id,) in db.execute("SELECT id FROM job WHERE removed = ? ORDER BY id", (TAKEN_OFF,))
            ]
            # What a disk refused meanwhile was told to the jobs of the list only.
            db.execute(
                "UPDATE job SET removed = ?, doubtful = doubtful OR (unflushed <> '' AND state <> 'done')"
                " WHERE removed = ?",
                (LISTED, TAKEN_OFF),
            )
        return ids

    @on_thread
    def forget(self, ids: Sequence[int]) -> None:
        """Remove jobs for good."""
        with self.transaction() as db:
            db.executemany("DELETE FROM job WHERE id = ?", ((id,) for id in ids))

    async def forget_draft(self, id: int) -> None:
        """Remove a draft, a little at a time: whatever else is asked of the journal is done meanwhile."""
        while await self._forget_sources(id, FORGOTTEN_AT_ONCE):
            pass
        await self.forget([id])

    @on_thread
    def _forget_sources(self, job: int, count: int) -> bool:
        """Remove some of a job's sources; say whether there were any."""
        with self.transaction() as db:
            cursor = db.execute(
                "DELETE FROM source WHERE job = :job AND idx IN"
                " (SELECT idx FROM source WHERE job = :job ORDER BY idx LIMIT :count)",
                {"job": job, "count": count},
            )
        return cursor.rowcount > 0

    # Sources

    @on_thread
    def sources(self, job: int, start: int = 0, count: int = 512) -> list[Source]:
        """Return a job's sources in order, from number `start`."""
        cursor = self._db.execute(
            "SELECT idx, url, target, phase, fresh, files, bytes FROM source WHERE job = ? AND idx >= ?"
            " ORDER BY idx LIMIT ?",
            (job, start, count),
        )
        return [
            Source(
                idx,
                Location.from_url(url),
                as_location(target),
                Phase(phase) if phase else None,
                bool(fresh),
                files,
                size,
            )
            for idx, url, target, phase, fresh, files, size in cursor
        ]

    @on_thread
    def set_phase(self, job: int, idxs: Iterable[int], phase: Phase | None) -> None:
        with self.transaction(durable=True) as db:
            db.executemany(
                "UPDATE source SET phase = ? WHERE job = ? AND idx = ?",
                [(phase, job, idx) for idx in idxs],
            )

    @on_thread
    def set_sources(
        self,
        job: int,
        sources: Iterable[Source],
        columns: Mapping[str, object] | None = None,
        *,
        durable: bool = False,
    ) -> None:
        """Write target, phase, freshness and amounts of some sources, and columns of the job that go with these."""
        with self.transaction(durable=durable) as db:
            if columns:
                self.set_columns(job, columns)
            db.executemany(
                "UPDATE source SET target = ?, phase = ?, fresh = ?, files = ?, bytes = ? WHERE job = ? AND idx = ?",
                [
                    (s.target.url if s.target else None, s.phase, s.fresh, s.files, s.size_bytes, job, s.idx)
                    for s in sources
                ],
            )


def _add_sources(
    db: sqlite3.Connection,
    job: int,
    start: int,
    sources: Sequence[Location],
    targets: Sequence[Location],
) -> None:
    every: Sequence[Location | None] = targets or [None] * len(sources)
    db.executemany(
        "INSERT INTO source (job, idx, url, target) VALUES (?, ?, ?, ?)",
        [
            (job, idx, source.url, target.url if target else None)
            for idx, (source, target) in enumerate(zip(sources, every, strict=True), start)
        ],
    )


def _job_row(row: tuple[Any, ...]) -> JobRow:
    return JobRow(
        id=row[0], tag=row[1], kind=JobKind(row[2]), state=JobState(row[3]), target=as_location(row[4]),
        into=bool(row[5]), conflict=Conflict(row[6]), priority=row[7], position=row[8], limit_bytes_s=row[9],
        mode_set=row[10], mode_clear=row[11], folder_mode_set=row[12], recursive=bool(row[13]),
        source_count=row[14], first_source=Location.from_url(row[15]), created_at=row[16], started_at=row[17],
        ended_at=row[18], note=as_text(row[19]), walk=row[20], failed_only=bool(row[21]),
        cleanup=Cleanup(row[22]) if row[22] else None, files_done=row[23], files_total=row[24],
        bytes_done=row[25], bytes_total=row[26], files_same=row[27], files_skipped=row[28], errors=row[29],
        questions=row[30], stage_for=as_location(row[31]), verify=bool(row[32]), files_verified=row[33],
        bytes_verified=row[34], delete_extra=bool(row[35]), by_content=bool(row[36]), files_removed=row[37],
        undoes=row[38], undone_by=row[39], redo=bool(row[40]), reversible=bool(row[41]),
        preserve=as_traits(row[42]), losses=row[43], flush=Flush(row[44]), staging=Staging(row[45]),
        bytes_flushed=row[46], doubtful=bool(row[47]), unflushed=row[48], checkpoint=row[49],
        names=Names(row[50]), name_rules=row[51], far=bool(row[52]), expects=as_facts(row[53]),
        exclude=as_exclusion(row[54]), bytes_half=row[55],
    )  # fmt: skip
