"""One SQLite file, one connection, one thread: opening, migrating, setting aside what is damaged."""

from __future__ import annotations

import asyncio
import functools
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from tui.engine.journal.columns import JOB_COLUMNS, as_bytes
from tui.engine.journal.salvage import salvage
from tui.engine.journal.schema import MIGRATIONS
from tui.model.error import EngineError, JournalDamaged, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
    from pathlib import Path

PAUSED_NOTE = "the journal was damaged: look whether this is what you asked for, then resume it"

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Store")


def on_thread(
    method: Callable[Concatenate[S, P], R],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Make a method that talks to SQLite awaitable: it runs on the journal's own thread."""

    @functools.wraps(method)
    async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        work = functools.partial(method, self, *args, **kwargs)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError, ValueError, UsageError) as error:
            if _is_damage(error):
                raise JournalDamaged(f"the queue's journal {self.path} is damaged: {error}") from error
            raise EngineError(
                f"the queue's journal {self.path} cannot be used: {error}",
                "Check the disk it is on (full, read-only?), then run `ferry doctor`.",
            ) from error

    return call


def _is_damage(error: Exception) -> bool:
    """Say whether what was read is not what was written: a page, a text, or a value that none of ours can be."""
    no_text = isinstance(error, sqlite3.OperationalError) and "decode to UTF-8" in str(error)
    return no_text or type(error) is sqlite3.DatabaseError or isinstance(error, (ValueError, UsageError))


class Store:
    """A durable file whose methods run on a thread of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes = path.with_name("notes")
        """The folder for what jobs note at short notice, beside it: see `LossNotes`."""
        self._thread = ThreadPoolExecutor(1, "journal")
        self._db: sqlite3.Connection

    @on_thread
    def open(self) -> str:
        """Open the file, making or migrating it. Return a note where a damaged one was set aside, else "".

        Raises:
            EngineError: It was written by a newer Ferry, or cannot be opened at all.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._connect()
            return ""
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if not _is_damage(error):
                raise
            return self._begin_anew(str(error))

    @on_thread
    def begin_anew(self, why: str) -> str:
        """Set the file aside, as damaged, save what can be read of it into a new one, and return a note."""
        self._db.close()
        return self._begin_anew(why)

    def _begin_anew(self, why: str) -> str:
        kept = self._set_aside()
        self._connect()
        with self.transaction(durable=True) as db:
            _, lost = salvage(db, kept)
            db.execute(_PAUSE, (as_bytes(PAUSED_NOTE),))
        others = f" with {lost} that cannot be" if lost else ""
        return f"the queue's journal was damaged ({why}) and is kept as {kept}{others}"

    def _connect(self) -> None:
        self._db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            verdict = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            self._migrate()
            self.path.chmod(0o600)
        except BaseException:
            self._db.close()
            raise

    def _migrate(self) -> None:
        version: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise EngineError(
                f"the journal {self.path} was written by a newer Ferry (schema {version})",
                "Use that version, or set FERRY_HOME to another folder.",
            )
        if not _shape(self._db) >= _shape_of(version):
            raise sqlite3.DatabaseError("its tables are not what they should be")
        if version == len(MIGRATIONS):
            return
        with self.transaction(durable=True):  # one for all: each waits for the disk
            _apply(self._db, MIGRATIONS[version:])
            self._db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _set_aside(self) -> Path:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        kept = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
        try:
            self.path.rename(kept)
            for suffix in ("-wal", "-shm"):
                beside = self.path.with_name(self.path.name + suffix)
                if beside.exists():
                    beside.rename(kept.with_name(kept.name + suffix))
        except OSError as error:
            message = f"the damaged journal {self.path} cannot be set aside: {error}"
            raise JournalDamaged(message, "Move it elsewhere by hand.") from error
        return kept

    def set_columns(self, job: int, columns: Mapping[str, object]) -> None:
        """Set columns of one job. (For use within a transaction.)"""
        if unknown := columns.keys() - JOB_COLUMNS:
            raise LookupError(f"not columns of a job: {unknown}")
        if isinstance(note := columns.get("note"), str):
            columns = {**columns, "note": as_bytes(note)}
        names = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"UPDATE job SET {names} WHERE id = ?", (*columns.values(), job))

    async def close(self) -> None:
        """Close the file and end the thread. What was written stays, also without this."""
        if hasattr(self, "_db"):
            await self._close()
        self._thread.shutdown(wait=False)

    @on_thread
    def _close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """All or nothing. `durable`: on the disk, whatever happens to the machine, when it returns."""
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            if self._db.in_transaction:  # a full disk has rolled it back already
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


_PAUSE = (
    "UPDATE job SET cleanup = CASE WHEN cleanup = 'drop' THEN 'keep' ELSE cleanup END,"
    " note = CASE WHEN state IN ('done', 'failed', 'cancelled') THEN note ELSE ? END,"
    " state = CASE WHEN state IN ('done', 'failed', 'cancelled') THEN state ELSE 'paused' END"
)
"""Nothing is begun, or removed, before somebody has looked at it."""


def _apply(db: sqlite3.Connection, migrations: Sequence[str]) -> None:
    for migration in migrations:
        for statement in migration.split(";"):
            db.execute(statement)


def _shape(db: sqlite3.Connection) -> set[tuple[str, ...]]:
    """Return the names of all tables, columns and indexes."""
    found = db.execute(
        "SELECT thing.type, thing.name, tbl_name, coalesce(field.name, '') FROM sqlite_schema AS thing"
        " LEFT JOIN pragma_table_info(thing.name) AS field WHERE thing.name NOT LIKE 'sqlite_%'"
    )
    return set(found)


def _shape_of(version: int) -> set[tuple[str, ...]]:
    with closing(sqlite3.connect(":memory:")) as db:
        _apply(db, MIGRATIONS[:version])
        return _shape(db)
