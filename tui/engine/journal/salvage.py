"""Saving what can be read of a damaged journal into a new one, job by job."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_JOB = ("source", "error", "question", "decision", "trace", "link", "folder_time")
"""Tables whose rows belong to a job."""

PAGE = 1000

_KINDS: dict[str, type | tuple[type, ...]] = {
    "INTEGER": int,
    "REAL": (float, int),
    "TEXT": str,
    "BLOB": bytes,
}


def salvage(new: sqlite3.Connection, damaged: Path) -> tuple[int, int]:
    """Bring the jobs of a damaged journal that can be read into a new, empty one.

    The damaged one is left as it is: a copy is read.

    Returns:
        How many were saved, and how many others were met. (Of a page that cannot be read, nobody knows what was in it.)
    """
    try:
        with tempfile.TemporaryDirectory(dir=damaged.parent, prefix=f"{damaged.name}-") as folder:
            copy = Path(folder) / damaged.name
            for suffix in ("", "-wal"):
                if (beside := damaged.with_name(damaged.name + suffix)).exists():
                    shutil.copyfile(beside, copy.with_name(copy.name + suffix))
            _describe_anew(copy, new)
            with closing(sqlite3.connect(copy, isolation_level=None)) as old:
                found = [_bring(old, new, id) for id in _ids(old)]
                with suppress(sqlite3.Error, ValueError):
                    _bring_rows(old, new, "upload", "1", 1)
    except (sqlite3.Error, OSError):
        return 0, 0
    return found.count(True), found.count(False)


def _describe_anew(copy: Path, new: sqlite3.Connection) -> None:
    """Replace what a journal says about its own tables by what is right: with a letter wrong, none could be read.

    (Columns that an older one has not are at the end, and have a default.)
    """
    right = new.execute("SELECT sql, type, name FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    with closing(sqlite3.connect(copy, isolation_level=None)) as old:
        old.execute("PRAGMA writable_schema = ON")
        old.executemany("UPDATE sqlite_schema SET sql = ? WHERE type = ? AND name = ?", right)


def _ids(old: sqlite3.Connection) -> list[int]:
    """Return the jobs there are, from both ends as far as they can be read; none that was taken off the list."""
    found: set[int] = set()
    for order in ("", "DESC"):
        with suppress(sqlite3.Error):
            found.update(
                id
                for (id,) in old.execute(
                    f"SELECT id FROM job NOT INDEXED WHERE removed = 0 ORDER BY id {order}"
                )
            )
    return sorted(found)


def _bring(old: sqlite3.Connection, new: sqlite3.Connection, id: int) -> bool:
    """Bring one job over with all that belongs to it, or nothing of it; say whether it could be."""
    new.execute("SAVEPOINT one")
    try:
        _bring_rows(old, new, "job", "id = ?", id)
        for table in OF_JOB:
            _bring_rows(old, new, table, "job = ?", id)
        whole = new.execute(
            "SELECT count(*) = source_count FROM source, job WHERE job = id AND id = ?", (id,)
        )
        if whole.fetchone() != (1,):
            raise ValueError("some of its sources are lost")
    except (sqlite3.Error, ValueError):
        new.execute("ROLLBACK TO one")
        return False
    finally:
        new.execute("RELEASE one")
    return True


def _bring_rows(old: sqlite3.Connection, new: sqlite3.Connection, table: str, chosen: str, id: int) -> None:
    """Copy rows of a table.

    Raises:
        sqlite3.Error, ValueError: One cannot be read, or is not of the kind it should be.
    """
    columns = new.execute(f"PRAGMA table_info({table})").fetchall()
    kinds = [_KINDS[kind] for _, _, kind, *_ in columns]
    places = ", ".join("?" * len(columns))
    for rows in _pages(old.execute(f"SELECT * FROM {table} WHERE {chosen}", (id,) if "?" in chosen else ())):
        for row in rows:
            if not all(
                value is None or isinstance(value, kind) for value, kind in zip(row, kinds, strict=True)
            ):
                raise ValueError(f"a row of {table} is not what it should be")
        new.executemany(f"INSERT INTO {table} VALUES ({places})", rows)


def _pages(cursor: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:
    while rows := cursor.fetchmany(PAGE):
        yield rows
