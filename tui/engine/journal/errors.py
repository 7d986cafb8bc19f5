"""Table `error`: what could not be done, kept until it is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.journal.columns import as_bytes, as_text
from tui.engine.journal.store import Store, on_thread
from tui.engine.rows import ErrorRow
from tui.model.error import NotHeld
from tui.model.fidelity import Loss, Lost
from tui.model.job import JobError
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Errors(Store):
    """What failed of each job, and by what it is found again."""

    @on_thread
    def add_errors(
        self, job: int, rows: Sequence[ErrorRow], columns: Mapping[str, object] | None = None
    ) -> int:
        """Write errors down, once each; `columns` of the job are set with them, or neither is.

        Returns how many more there are: one that is told again, after a loss, takes the place of the first.
        """
        with self.transaction() as db:
            if columns:
                self.set_columns(job, columns)
            again = db.executemany(
                "DELETE FROM error WHERE job = ? AND idx = ? AND path = ? AND removing = ? AND message = ?",
                [(job, row.idx, row.path, row.removing, as_bytes(row.message)) for row in rows],
            ).rowcount
            db.executemany(
                "INSERT INTO error (job, idx, path, target_path, removing, location, code, message, remedy, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        job, row.idx, row.path, row.target_path, row.removing, row.location.url, row.code,
                        as_bytes(row.message), as_bytes(row.remedy), row.at,
                    )
                    for row in rows
                ],
            )  # fmt: skip
        return len(rows) - again

    @on_thread
    def errors(self, job: int, start: int = 0, count: int = 1000) -> tuple[JobError, ...]:
        """Return errors as clients see them, oldest first."""
        cursor = self._db.execute(
            "SELECT id, job, location, code, message, remedy, at FROM error WHERE job = ? ORDER BY id LIMIT ? OFFSET ?",
            (job, count, start),
        )
        return tuple(
            JobError(id, job, Location.from_url(url), code, as_text(message), as_text(remedy), at)
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
        """Return the first errors with an id of at most `up_to`, oldest first."""
        cursor = self._db.execute(
            "SELECT idx, path, target_path, removing, location, code, message, remedy, at, id FROM error"
            " WHERE job = ? AND id <= ? ORDER BY id LIMIT ?",
            (job, up_to, count),
        )
        return [
            ErrorRow(idx, p, t, bool(r), Location.from_url(url), code, as_text(m), as_text(remedy), at, id)
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
    def drop_errors(
        self, job: int, *, ids: Sequence[int] | None = None, code: str | None = None, whole: bool = False
    ) -> int:
        """Forget some errors of a job, or all; return how many are left.

        Args:
            ids, code: Those alone; those of one kind.
            whole: Those alone that concern the job as a whole.
        """
        with self.transaction() as db:
            if ids is not None:
                db.executemany("DELETE FROM error WHERE id = ?", ((id,) for id in ids))
            else:
                db.execute(
                    "DELETE FROM error WHERE job = :job AND (:code IS NULL OR code = :code)"
                    " AND (NOT :whole OR idx IS NULL)",
                    {"job": job, "code": code, "whole": whole},
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
