"""Table `trace`: where each source of a job went, which undoing reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.journal.columns import as_location
from tui.engine.journal.store import Store, on_thread
from tui.engine.traces import Bar, Deed, Sum, Trace
from tui.model.job import NORMAL_PRIORITY, JobKind
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.engine.traces import NotedStep, Reversal


class Traces(Store):
    """The part of the journal that undoing reads."""

    @on_thread
    def set_traces(self, job: int, traces: Iterable[Trace]) -> None:
        """Write traces over those of the same sources. (Whoever then says durably that it begins makes them so too.)"""
        with self.transaction() as db:
            db.executemany(
                "INSERT INTO trace (job, idx, url, identity, bar, home) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (job, idx) DO UPDATE SET url = excluded.url, identity = excluded.identity,"
                " bar = excluded.bar, home = excluded.home",
                [(job, t.idx, t.where.url if t.where else None, t.identity, t.bar, t.home) for t in traces],
            )

    @on_thread
    def drop_traces(self, job: int, idxs: Iterable[int]) -> None:
        """Forget the traces of sources to which nothing was done after all."""
        with self.transaction() as db:
            db.executemany("DELETE FROM trace WHERE job = ? AND idx = ?", [(job, idx) for idx in idxs])

    @on_thread
    def traces(self, job: int, start: int, count: int) -> dict[int, Trace]:
        """Return traces by source, from number `start`: at most `count` sources on."""
        cursor = self._db.execute(
            "SELECT idx, url, identity, bar, home, goal FROM trace WHERE job = ? AND idx >= ? AND idx < ?",
            (job, start, start + count),
        )
        return {
            idx: Trace(idx, as_location(url), identity, Bar(bar) if bar else None, home, goal)
            for idx, url, identity, bar, home, goal in cursor
        }

    @on_thread
    def goals(self, job: int) -> list[str]:
        """Return what the folders are known by that a job's sources are to go back to, across filesystems."""
        cursor = self._db.execute("SELECT DISTINCT goal FROM trace WHERE job = ? AND goal <> ''", (job,))
        return [goal for (goal,) in cursor]

    @on_thread
    def deeds(self, job: int, before: int | None, count: int) -> list[Deed]:
        """Return what a job did that can be undone, the last first; `before`: only sources of a lower number."""
        cursor = self._db.execute(
            "SELECT idx, source.url, trace.url, identity, home FROM trace JOIN source USING (job, idx)"
            " WHERE job = :job AND (:before IS NULL OR idx < :before) AND phase = 'done' AND bar IS NULL"
            " ORDER BY idx DESC LIMIT :count",
            {"job": job, "before": before, "count": count},
        )
        return [
            Deed(idx, Location.from_url(old), as_location(url), identity, home)
            for idx, old, url, identity, home in cursor
        ]

    @on_thread
    def sum_of_traces(self, job: int) -> Sum:
        done, size_bytes = self._db.execute(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM trace JOIN source USING (job, idx)"
            " WHERE job = ? AND phase = 'done' AND bar IS NULL",
            (job,),
        ).fetchone()
        barred = self._db.execute(
            f"SELECT source.url, coalesce(bar, '{Bar.UNSETTLED}')"
            " FROM trace JOIN source USING (job, idx) JOIN job ON job.id = job"
            " WHERE job = ? AND (bar IS NOT NULL AND NOT (bar = 'copied' AND phase IS NULL)"
            " OR far AND bar IS NULL AND phase <> 'done') ORDER BY idx LIMIT 1",
            (job,),
        ).fetchone()
        return Sum(done, size_bytes, (Location.from_url(barred[0]), Bar(barred[1])) if barred else None)

    @on_thread
    def has_deed(self, job: int, *, at: Iterable[Location] = (), of: Iterable[Location] = ()) -> bool:
        """Say whether a job put something `at` one of these places, or took something that was `of` one of them."""
        for column, places in (("trace.url", at), ("source.url", of)):
            for place in places:
                found = self._db.execute(
                    "SELECT 1 FROM trace JOIN source USING (job, idx)"
                    f" WHERE job = ? AND phase = 'done' AND {column} = ? LIMIT 1",
                    (job, place.url),
                ).fetchone()
                if found:
                    return True
        return False

    @on_thread
    def has_chains(self, job: int) -> bool:
        """Say whether one source of a job is to get the name another one has."""
        # Not a join, for which there is no index: it would take minutes with tens of thousands of sources.
        found = self._db.execute(
            "SELECT url FROM source WHERE job = :job INTERSECT SELECT target FROM source WHERE job = :job LIMIT 1",
            {"job": job},
        ).fetchone()
        return found is not None

    @on_thread
    def add_reversal(self, reversal: Reversal, tag: str, created_at: float) -> int:
        """Write a job that undoes another one, last in the queue; return its id.

        It stands by itself: what it needs of the other's traces is copied, in reverse order, without passing through
        memory.
        """
        values = {
            "of": reversal.of,
            "kind": reversal.kind,
            "redo": reversal.redo,
            "target": reversal.target.url if reversal.target else None,
            "into": reversal.into,
            "tag": tag,
            "at": created_at,
        }
        with self.transaction(durable=True) as db:
            cursor = db.execute(_ADD_JOB, values)
            id = cursor.lastrowid
            assert id is not None
            db.execute(_ADD_SOURCES, {"id": id, **values})
            db.execute(_ADD_TRACES, {"id": id, **values})
            db.execute("UPDATE job SET undone_by = ? WHERE id = ?", (id, reversal.of))
        return id

    @on_thread
    def add_step(self, step: NotedStep, tag: str, at: float) -> int:
        """Write something that was done at once as a job that is done; return its id."""
        renamed = step.kind is JobKind.RENAME
        first, other = (step.before, step.location) if renamed else (step.location, step.before)
        with self.transaction(durable=True) as db:
            cursor = db.execute(
                "INSERT INTO job (tag, kind, state, target, into_target, conflict, priority, position, mode_set,"
                " mode_clear, folder_mode_set, recursive, source_count, first_source, created_at, ended_at,"
                " files_done, files_total, reversible, far)"
                " VALUES (?, ?, 'done', ?, 0, 'fail', ?, (SELECT coalesce(max(position), 0) + 1 FROM job),"
                " 0, 0, 0, 0, 1, ?, ?, ?, 1, 1, 1, ?)",
                (
                    tag, step.kind, other.url if renamed else None, NORMAL_PRIORITY, first.url, at, at,
                    not first.is_local,
                ),
            )  # fmt: skip
            id = cursor.lastrowid
            assert id is not None
            db.execute(
                "INSERT INTO source (job, idx, url, target, phase, files) VALUES (?, 0, ?, ?, 'done', 1)",
                (id, first.url, other.url),
            )
            db.execute(
                "INSERT INTO trace (job, idx, url, identity) VALUES (?, 0, ?, ?)",
                (id, step.location.url, step.identity),
            )
        return id

    @on_thread
    def old_steps(self, kept: int) -> list[int]:
        """Return the ids of all but the last so many jobs that were only written down, never run."""
        cursor = self._db.execute(
            "SELECT id FROM job WHERE state = 'done' AND walk = 0 AND undoes = 0 AND removed = 0"
            " ORDER BY id DESC LIMIT -1 OFFSET ?",
            (kept,),
        )
        return [id for (id,) in cursor]

    @on_thread
    def forget_reversal(self, of: int, by: int) -> None:
        """Note that a job is not undone by another one after all."""
        with self.transaction() as db:
            db.execute("UPDATE job SET undone_by = 0 WHERE id = ? AND undone_by = ?", (of, by))


_DONE = (
    "FROM trace JOIN source USING (job, idx) WHERE job = :of AND phase = 'done' AND bar IS NULL"
    " AND trace.url IS NOT NULL"
)
_ADD_JOB = (
    "INSERT INTO job (tag, kind, state, target, into_target, conflict, priority, position, mode_set, mode_clear,"
    " folder_mode_set, recursive, source_count, first_source, created_at, undoes, redo, far)"
    " SELECT :tag, :kind, 'queued', :target, :into, 'fail', priority,"
    " (SELECT coalesce(max(position), 0) + 1 FROM job), 0, 0, 0, 0,"
    f" (SELECT count(*) {_DONE}), (SELECT trace.url {_DONE} ORDER BY idx DESC LIMIT 1), :at, :of, :redo, far"
    " FROM job WHERE id = :of"
)
_NUMBER = "row_number() OVER (ORDER BY idx DESC) - 1"
_NEW_NAME = "CASE WHEN :kind IN ('rename', 'move') THEN source.url WHEN :kind = 'make' THEN source.target END"
_ADD_SOURCES = (
    f"INSERT INTO source (job, idx, url, target) SELECT :id, {_NUMBER}, trace.url, {_NEW_NAME} {_DONE}"
)
_ADD_TRACES = (
    "INSERT INTO trace (job, idx, url, identity, goal)"
    f" SELECT :id, {_NUMBER}, {_NEW_NAME}, identity, home {_DONE}"
)
