"""The durable queue: what is read from the store and written to it. Its SQL, that of `traces` and the tables are all.

Text that may hold lone surrogates (messages with file names in them) is kept as bytes; places are kept as URLs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.engine.rows import Cleanup, Decision, ErrorRow, JobRow, Phase, QuestionRow, Source
from tui.engine.store import on_thread
from tui.engine.traces import Traces
from tui.model.entry import EntryKind, Facts
from tui.model.error import NotHeld
from tui.model.fidelity import ALL_TRAITS, Loss, Lost, Trait
from tui.model.job import Conflict, Flush, JobError, JobKind, JobState, Question, Request, Staging
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

JOB_COLUMNS = frozenset(
    "state conflict priority position limit_bytes_s started_at ended_at note stage_for walk failed_only cleanup"
    " files_done files_total bytes_done bytes_total files_same files_skipped"
    " files_verified bytes_verified files_removed reversible losses bytes_flushed doubtful".split()
)


class Journal(Traces):
    """Jobs, their sources, errors, questions and decisions, as they survive a crash."""

    # Settings

    @on_thread
    def setting(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    @on_thread
    def set_setting(self, name: str, value: str) -> None:
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    # Jobs

    @on_thread
    def add_job(self, request: Request, tag: str, created_at: float) -> int:
        """Write a new job with its sources, last in the queue, and return its id."""
        state = JobState.PAUSED if request.paused else JobState.QUEUED
        targets: Sequence[Location | None] = request.targets or [None] * len(request.sources)
        with self.transaction(durable=True) as db:
            cursor = db.execute(
                "INSERT INTO job (tag, kind, state, target, into_target, conflict, priority, position,"
                " limit_bytes_s, mode_set, mode_clear, folder_mode_set, recursive, verify, delete_extra, by_content,"
                " preserve, sync, staging, source_count, first_source, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM job),"
                " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    tag, request.kind, state, request.target.url if request.target else None, request.into,
                    request.conflict, request.priority, request.limit_bytes_s, request.mode_set,
                    request.mode_clear, request.folder_mode_set, request.recursive, request.verify,
                    request.delete_extra, request.by_content, _names(request.preserve), request.flush,
                    request.staging, len(request.sources), request.sources[0].url, created_at,
                ),
            )  # fmt: skip
            id = cursor.lastrowid
            assert id is not None
            db.executemany(
                "INSERT INTO source (job, idx, url, target) VALUES (?, ?, ?, ?)",
                (
                    (id, idx, source.url, target.url if target else None)
                    for idx, (source, target) in enumerate(zip(request.sources, targets, strict=True))
                ),
            )
        return id

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
            " undoes, undone_by, redo, reversible, preserve, losses, sync, staging, bytes_flushed, doubtful"
            " FROM job WHERE :id IS NULL OR id = :id ORDER BY id",
            {"id": id},
        )
        return [_job_row(row) for row in cursor]

    @on_thread
    def request(self, id: int) -> Request:
        """Return what a job was asked to do. It must exist."""
        row = self._db.execute(
            "SELECT kind, target, into_target, conflict, priority, limit_bytes_s, mode_set, mode_clear,"
            " folder_mode_set, recursive, verify, delete_extra, by_content, preserve, sync, staging"
            " FROM job WHERE id = ?",
            (id,),
        ).fetchone()
        pairs = self._db.execute(
            "SELECT url, target FROM source WHERE job = ? ORDER BY idx", (id,)
        ).fetchall()
        kind = JobKind(row[0])
        return Request(
            kind=kind,
            sources=tuple(Location.from_url(url) for url, _ in pairs),
            target=_place(row[1]),
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
            preserve=_traits(row[13]),
            flush=Flush(row[14]),
            staging=Staging(row[15]),
        )

    @on_thread
    def update(self, id: int, columns: dict[str, object], *, durable: bool = False) -> None:
        """Set columns of one job."""
        if unknown := columns.keys() - JOB_COLUMNS:
            raise ValueError(f"not columns of a job: {unknown}")
        if isinstance(note := columns.get("note"), str):
            columns["note"] = _bytes(note)
        names = ", ".join(f"{name} = ?" for name in columns)
        with self.transaction(durable=durable) as db:
            db.execute(f"UPDATE job SET {names} WHERE id = ?", (*columns.values(), id))

    @on_thread
    def set_positions(self, positions: Sequence[tuple[int, int]]) -> None:
        """Set places in the queue: (id, position) pairs."""
        with self.transaction() as db:
            db.executemany("UPDATE job SET position = ? WHERE id = ?", ((at, id) for id, at in positions))

    @on_thread
    def remove(self, ids: Sequence[int]) -> None:
        with self.transaction() as db:
            db.executemany("DELETE FROM job WHERE id = ?", ((id,) for id in ids))

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
                _place(target),
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
    def set_sources(self, job: int, sources: Iterable[Source], *, durable: bool = False) -> None:
        """Write target, phase, freshness and amounts of some sources."""
        with self.transaction(durable=durable) as db:
            db.executemany(
                "UPDATE source SET target = ?, phase = ?, fresh = ?, files = ?, bytes = ? WHERE job = ? AND idx = ?",
                [
                    (s.target.url if s.target else None, s.phase, s.fresh, s.files, s.size_bytes, job, s.idx)
                    for s in sources
                ],
            )

    # Errors

    @on_thread
    def add_errors(self, job: int, rows: Iterable[ErrorRow]) -> None:
        with self.transaction() as db:
            db.executemany(
                "INSERT INTO error (job, idx, path, target_path, removing, location, code, message, remedy, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        job, row.idx, row.path, row.target_path, row.removing, row.location.url, row.code,
                        _bytes(row.message), _bytes(row.remedy), row.at,
                    )
                    for row in rows
                ],
            )  # fmt: skip

    @on_thread
    def errors(self, job: int, start: int = 0, count: int = 1000) -> tuple[JobError, ...]:
        """Return errors as clients see them, oldest first."""
        cursor = self._db.execute(
            "SELECT id, job, location, code, message, remedy, at FROM error WHERE job = ? ORDER BY id LIMIT ? OFFSET ?",
            (job, count, start),
        )
        return tuple(
            JobError(id, job, Location.from_url(url), code, _text(message), _text(remedy), at)
            for id, job, url, code, message, remedy, at in cursor
        )

    @on_thread
    def unmade(self, job: int, count: int) -> Lost | None:
        """Return what a target does not hold at all: entries whose error says so, with the first few."""
        chosen = "FROM error WHERE job = ? AND code = ?"
        number = self._db.execute(f"SELECT count(*) {chosen}", (job, NotHeld.__name__)).fetchone()[0]
        rows = self._db.execute(
            f"SELECT location {chosen} ORDER BY id LIMIT ?", (job, NotHeld.__name__, count)
        )
        examples = tuple(Location.from_url(url) for (url,) in rows)
        return Lost(Loss.SPECIAL, number, examples) if number else None

    @on_thread
    def error_rows(self, job: int, up_to: int, count: int = 256) -> list[ErrorRow]:
        """Return the first errors with an id of at most `up_to`, by source and folder."""
        cursor = self._db.execute(
            "SELECT idx, path, target_path, removing, location, code, message, remedy, at, id FROM error"
            " WHERE job = ? AND id <= ? ORDER BY id LIMIT ?",
            (job, up_to, count),
        )
        return [
            ErrorRow(idx, p, t, bool(r), Location.from_url(url), code, _text(m), _text(remedy), at, id)
            for idx, p, t, r, url, code, m, remedy, at, id in cursor
        ]

    @on_thread
    def last_error(self, job: int) -> int:
        """Return the highest id of the job's errors, 0 where there is none."""
        last: int = self._db.execute(
            "SELECT coalesce(max(id), 0) FROM error WHERE job = ?", (job,)
        ).fetchone()[0]
        return last

    @on_thread
    def drop_errors(self, job: int, *, ids: Sequence[int] | None = None, code: str | None = None) -> int:
        """Forget some errors of a job (by id, or of one kind), or all; return how many are left."""
        with self.transaction() as db:
            if ids is not None:
                db.executemany("DELETE FROM error WHERE id = ?", ((id,) for id in ids))
            else:
                db.execute(
                    "DELETE FROM error WHERE job = :job AND (:code IS NULL OR code = :code)",
                    {"job": job, "code": code},
                )
            left: int = db.execute("SELECT count(*) FROM error WHERE job = ?", (job,)).fetchone()[0]
        return left

    @on_thread
    def forget_errors(self, job: int) -> int:
        """Forget errors a new walk will meet again: all but those of sources that are done.

        Of a move also those of the copy of a source that is being removed: it is not copied again.

        Returns how many are left.
        """
        with self.transaction() as db:
            db.execute(
                "DELETE FROM error WHERE job = :job AND (idx IS NULL OR idx NOT IN"
                " (SELECT idx FROM source WHERE job = :job AND (phase = 'done' OR phase = 'removing'"
                " AND NOT error.removing AND (SELECT kind FROM job WHERE id = :job) = 'move')))",
                {"job": job},
            )
            left: int = db.execute("SELECT count(*) FROM error WHERE job = ?", (job,)).fetchone()[0]
        return left

    @on_thread
    def failed_sources(self, job: int) -> set[int]:
        """Return the sources of which something could not be done."""
        return {idx for (idx,) in self._db.execute("SELECT DISTINCT idx FROM error WHERE job = ?", (job,))}

    @on_thread
    def has_failed(self, job: int, idx: int, path: bytes) -> bool:
        """Say whether an entry could not be copied."""
        found = self._db.execute(
            "SELECT 1 FROM error WHERE job = ? AND idx = ? AND path = ? AND NOT removing", (job, idx, path)
        )
        return found.fetchone() is not None

    @on_thread
    def failed_paths(self, job: int, source: int, after: int, count: int) -> set[bytes]:
        """Return what of a source could not be copied, at most so many; `after`: the last error that counts no more."""
        rows = self._db.execute(
            "SELECT DISTINCT path FROM error WHERE job = ? AND idx = ? AND id > ? AND NOT removing LIMIT ?",
            (job, source, after, count),
        )
        return {path for (path,) in rows}

    # Questions and decisions

    @on_thread
    def ask(self, job: int, rows: Sequence[QuestionRow]) -> int:
        """Write conflicts down, once each; return how many questions of the job are open.

        One that was decided meanwhile becomes due at once instead: the walk has just passed it by.
        """
        with self.transaction() as db:
            for row in rows:
                decided = db.execute(
                    "UPDATE decision SET due = 1 WHERE job = ? AND idx = ? AND path = ?",
                    (job, row.idx, row.path),
                )
                if not decided.rowcount:
                    db.execute(_ASK, (job, *_question_values(row)))
        return self._open(job)

    @on_thread
    def open_questions(self, job: int) -> int:
        """Return how many questions of a job are open."""
        return self._open(job)

    def _open(self, job: int) -> int:
        number: int = self._db.execute("SELECT count(*) FROM question WHERE job = ?", (job,)).fetchone()[0]
        return number

    @on_thread
    def questions(self, job: int | None, count: int = 100, id: int | None = None) -> tuple[Question, ...]:
        """Return open questions, oldest first, of one job or all, or just the one with this id."""
        cursor = self._db.execute(
            "SELECT id, job, source, target, source_kind, source_size, source_mtime_ns, target_kind, target_size,"
            " target_mtime_ns, asked_at FROM question"
            " WHERE (:job IS NULL OR job = :job) AND (:id IS NULL OR id = :id) ORDER BY id LIMIT :count",
            {"job": job, "count": count, "id": id},
        )
        return tuple(
            Question(
                r[0], r[1], Location.from_url(r[2]), Location.from_url(r[3]),
                Facts(EntryKind(r[4]), r[5], r[6]), Facts(EntryKind(r[7]), r[8], r[9]), r[10],
            )
            for r in cursor
        )  # fmt: skip

    @on_thread
    def decide(self, job: int, rule: Conflict, walk: int, question: int | None = None) -> list[Decision]:
        """Turn a question, or all of a job, into decisions; return those (at most 1000) still ahead of the walk.

        A question met by walk number `walk` has been passed by: its decision is due for execution of its own.
        """
        chosen = "job = :job AND (:question IS NULL OR id = :question)"
        values = {"job": job, "question": question, "rule": rule, "walk": walk}
        with self.transaction(durable=True) as db:
            db.execute(
                "INSERT OR REPLACE INTO decision (job, idx, path, target_path, rule, due)"
                f" SELECT job, idx, path, target_path, :rule, passed = :walk FROM question WHERE {chosen}",
                values,
            )
            ahead = db.execute(
                f"SELECT idx, path, target_path FROM question WHERE {chosen} AND passed <> :walk LIMIT 1000",
                values,
            ).fetchall()
            db.execute(f"DELETE FROM question WHERE {chosen}", values)
        return [Decision(idx, path, target_path, rule) for idx, path, target_path in ahead]

    @on_thread
    def decisions(self, job: int, *, due: bool = False, count: int = -1) -> list[Decision]:
        """Return decisions of a job, or just those to be executed, in order of source and path."""
        cursor = self._db.execute(
            "SELECT idx, path, target_path, rule, kept_as FROM decision WHERE job = ? AND due >= ?"
            " ORDER BY idx, path LIMIT ?",
            (job, due, count),
        )
        return [Decision(idx, path, target, Conflict(rule), kept) for idx, path, target, rule, kept in cursor]

    @on_thread
    def settle(self, job: int, decisions: Iterable[Decision]) -> None:
        """Write decisions down as executed (not due any more), with the names they led to."""
        with self.transaction(durable=True) as db:
            db.executemany(
                "INSERT OR REPLACE INTO decision (job, idx, path, target_path, rule, kept_as, due)"
                " VALUES (?, ?, ?, ?, ?, ?, 0)",
                [(job, d.idx, d.path, d.target_path, d.rule, d.kept_as) for d in decisions],
            )

    @on_thread
    def put_off(self, job: int, decision: Decision) -> None:
        """Make a decision due for execution of its own. The other name it led to is dropped if that is now taken."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO decision (job, idx, path, target_path, rule, due) VALUES (?, ?, ?, ?, ?, 1)"
                " ON CONFLICT (job, idx, path) DO UPDATE SET due = 1, rule = excluded.rule,"
                " kept_as = CASE WHEN kept_as = excluded.target_path THEN NULL ELSE kept_as END",
                (job, decision.idx, decision.path, decision.target_path, decision.rule),
            )

    @on_thread
    def kept(self, job: int, idx: int) -> list[tuple[bytes, bytes]]:
        """Return (path, target path) of a source's entries that were kept under another name."""
        cursor = self._db.execute(
            "SELECT path, kept_as FROM decision WHERE job = ? AND idx = ? AND kept_as IS NOT NULL", (job, idx)
        )
        return [(path, kept_as) for path, kept_as in cursor]

    @on_thread
    def begin_walk(self, job: int, walk: int) -> None:
        """Note that all is looked at afresh: what is decided is found again on the way."""
        with self.transaction() as db:
            db.execute("UPDATE job SET walk = ? WHERE id = ?", (walk, job))
            db.execute("UPDATE decision SET due = 0 WHERE job = ?", (job,))

    @on_thread
    def end_walk(self, job: int, walk: int) -> int:
        """Forget questions this walk did not meet again; return how many are open."""
        with self.transaction() as db:
            db.execute("DELETE FROM question WHERE job = ? AND passed <> ?", (job, walk))
        return self._open(job)

    @on_thread
    def undecided_sources(self, job: int) -> set[int]:
        """Return the sources with an open question or a decision still to be executed."""
        cursor = self._db.execute(
            "SELECT idx FROM question WHERE job = :job UNION SELECT idx FROM decision WHERE job = :job AND due",
            {"job": job},
        )
        return {idx for (idx,) in cursor}

    @on_thread
    def forget_questions(self, job: int) -> None:
        with self.transaction() as db:
            db.execute("DELETE FROM question WHERE job = ?", (job,))


_ASK = (
    "INSERT INTO question (job, idx, path, target_path, source, target, source_kind, source_size, source_mtime_ns,"
    " target_kind, target_size, target_mtime_ns, asked_at, passed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (job, idx, path) DO UPDATE SET passed = excluded.passed, target_path = excluded.target_path,"
    " source_kind = excluded.source_kind, source_size = excluded.source_size,"
    " source_mtime_ns = excluded.source_mtime_ns, target_kind = excluded.target_kind,"
    " target_size = excluded.target_size, target_mtime_ns = excluded.target_mtime_ns"
)


def _question_values(row: QuestionRow) -> tuple[object, ...]:
    source, target = row.source_facts, row.target_facts
    return (
        row.idx, row.path, row.target_path, row.source.url, row.target.url,
        int(source.kind), source.size_bytes, source.mtime_ns, int(target.kind), target.size_bytes, target.mtime_ns,
        row.asked_at, row.passed,
    )  # fmt: skip


def _job_row(row: tuple[Any, ...]) -> JobRow:
    return JobRow(
        id=row[0], tag=row[1], kind=JobKind(row[2]), state=JobState(row[3]), target=_place(row[4]),
        into=bool(row[5]), conflict=Conflict(row[6]), priority=row[7], position=row[8], limit_bytes_s=row[9],
        mode_set=row[10], mode_clear=row[11], folder_mode_set=row[12], recursive=bool(row[13]),
        source_count=row[14], first_source=Location.from_url(row[15]), created_at=row[16], started_at=row[17],
        ended_at=row[18], note=_text(row[19]), walk=row[20], failed_only=bool(row[21]),
        cleanup=Cleanup(row[22]) if row[22] else None, files_done=row[23], files_total=row[24],
        bytes_done=row[25], bytes_total=row[26], files_same=row[27], files_skipped=row[28], errors=row[29],
        questions=row[30], stage_for=_place(row[31]), verify=bool(row[32]), files_verified=row[33],
        bytes_verified=row[34], delete_extra=bool(row[35]), by_content=bool(row[36]), files_removed=row[37],
        undoes=row[38], undone_by=row[39], redo=bool(row[40]), reversible=bool(row[41]),
        preserve=_traits(row[42]), losses=row[43], flush=Flush(row[44]), staging=Staging(row[45]),
        bytes_flushed=row[46], doubtful=bool(row[47]),
    )  # fmt: skip


def _names(traits: frozenset[Trait]) -> str | None:
    return None if traits == ALL_TRAITS else " ".join(sorted(traits))


def _traits(names: str | None) -> frozenset[Trait]:
    return ALL_TRAITS if names is None else frozenset(Trait(name) for name in names.split())


def _place(url: str | None) -> Location | None:
    return Location.from_url(url) if url else None


def _bytes(text: str) -> bytes:
    """Return text that may hold lone surrogates in a form SQLite takes."""
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
