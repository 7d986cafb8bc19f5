"""Tables `question` and `decision`: conflicts left open, and what was decided for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.journal.store import Store, on_thread
from tui.engine.rows import Decision, QuestionRow
from tui.model.entry import EntryKind, Facts
from tui.model.job import Conflict, Question
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Questions(Store):
    """Conflicts of each job, from the walk that met them to the answer carried out."""

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
