"""The journal's tables, as numbered migrations: `MIGRATIONS[n]` leads from schema n to n + 1.

A migration that was released is never changed; what the tables lack is added by a new one at the end.
"""

from __future__ import annotations

FIRST = """
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tag TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    target TEXT,
    into_target INTEGER NOT NULL,
    conflict TEXT NOT NULL,
    priority INTEGER NOT NULL,
    position INTEGER NOT NULL,
    limit_bytes_s INTEGER,
    mode_set INTEGER NOT NULL,
    mode_clear INTEGER NOT NULL,
    folder_mode_set INTEGER NOT NULL,
    recursive INTEGER NOT NULL,
    source_count INTEGER NOT NULL,
    first_source TEXT NOT NULL,
    created_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL,
    note BLOB NOT NULL DEFAULT x'',
    walk INTEGER NOT NULL DEFAULT 0,
    failed_only INTEGER NOT NULL DEFAULT 0,
    cleanup TEXT,
    files_done INTEGER NOT NULL DEFAULT 0,
    files_total INTEGER NOT NULL DEFAULT 0,
    bytes_done INTEGER NOT NULL DEFAULT 0,
    bytes_total INTEGER NOT NULL DEFAULT 0,
    files_same INTEGER NOT NULL DEFAULT 0,
    files_skipped INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE source (
    job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    idx INTEGER NOT NULL,
    url TEXT NOT NULL,
    target TEXT,
    phase TEXT,
    fresh INTEGER NOT NULL DEFAULT 0,
    files INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job, idx)
) WITHOUT ROWID;
CREATE TABLE error (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    idx INTEGER,
    path BLOB NOT NULL,
    target_path BLOB NOT NULL,
    removing INTEGER NOT NULL,
    location TEXT NOT NULL,
    code TEXT NOT NULL,
    message BLOB NOT NULL,
    remedy BLOB NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX error_of_job ON error (job, id);
CREATE TABLE question (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    idx INTEGER NOT NULL,
    path BLOB NOT NULL,
    target_path BLOB NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    source_kind INTEGER NOT NULL,
    source_size INTEGER NOT NULL,
    source_mtime_ns INTEGER NOT NULL,
    target_kind INTEGER NOT NULL,
    target_size INTEGER NOT NULL,
    target_mtime_ns INTEGER NOT NULL,
    asked_at REAL NOT NULL,
    passed INTEGER NOT NULL,
    UNIQUE (job, idx, path)
);
CREATE TABLE decision (
    job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    idx INTEGER NOT NULL,
    path BLOB NOT NULL,
    target_path BLOB NOT NULL,
    rule TEXT NOT NULL,
    kept_as BLOB,
    due INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job, idx, path)
) WITHOUT ROWID;
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
"""

STAGE = "ALTER TABLE job ADD COLUMN stage_for TEXT"

VERIFY = """
ALTER TABLE job ADD COLUMN verify INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN files_verified INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN bytes_verified INTEGER NOT NULL DEFAULT 0
"""

SYNC = """
ALTER TABLE job ADD COLUMN delete_extra INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN by_content INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN files_removed INTEGER NOT NULL DEFAULT 0
"""

UNDO = """
ALTER TABLE job ADD COLUMN undoes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN undone_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN redo INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN reversible INTEGER NOT NULL DEFAULT 0;
CREATE TABLE trace (
    job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    idx INTEGER NOT NULL,
    url TEXT,
    identity TEXT NOT NULL,
    bar TEXT,
    PRIMARY KEY (job, idx)
) WITHOUT ROWID
"""

FIDELITY = """
ALTER TABLE job ADD COLUMN preserve TEXT;
ALTER TABLE job ADD COLUMN losses TEXT
"""
"""`preserve`: the traits kept, by name; NULL: all. `losses`: the loss report so far, see `tui.engine.losses`."""

DURABLE = """
ALTER TABLE job ADD COLUMN sync TEXT NOT NULL DEFAULT 'job';
ALTER TABLE job ADD COLUMN staging TEXT NOT NULL DEFAULT 'tree';
ALTER TABLE job ADD COLUMN bytes_flushed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0
"""
"""`sync` and `staging`: as in the request. `doubtful`: a flush failed, what looks complete is to be compared."""

DOUBT = """
ALTER TABLE job RENAME COLUMN sync TO flush;
ALTER TABLE job ADD COLUMN unflushed TEXT NOT NULL DEFAULT ''
"""
"""`unflushed`: the filesystems a job wrote to and has not seen take everything since, by device number, with spaces."""

ACROSS = """
ALTER TABLE trace ADD COLUMN home TEXT NOT NULL DEFAULT '';
ALTER TABLE trace ADD COLUMN goal TEXT NOT NULL DEFAULT ''
"""
"""`home`: what the folder is known by that something left for another filesystem; `goal`: the one it goes back to."""

LINKS = """
CREATE TABLE link (
    job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    device TEXT NOT NULL,
    inode TEXT NOT NULL,
    path BLOB NOT NULL,
    identity TEXT,
    PRIMARY KEY (job, device, inode)
) WITHOUT ROWID
"""
"""Numbers as text: those of some filesystems need all of 64 bits, one more than SQLite's have."""

REMOVED = "ALTER TABLE job ADD COLUMN removed INTEGER NOT NULL DEFAULT 0"
"""1: it was taken off the list by the last removal, and can be brought back until the next. 2: it is a draft."""

CHECKPOINT = "ALTER TABLE job ADD COLUMN checkpoint TEXT NOT NULL DEFAULT ''"
"""How far a verify job is, see `tui.engine.checking`; empty: at its beginning."""

NAMES = """
ALTER TABLE job ADD COLUMN names TEXT NOT NULL DEFAULT 'keep';
ALTER TABLE job ADD COLUMN name_rules TEXT
"""
"""`names`: as in the request, or as it was answered. `name_rules`: what the target's filesystem takes, see
`tui.places.local.name_rules`; NULL where it takes all."""

FAR = """
ALTER TABLE job ADD COLUMN far INTEGER NOT NULL DEFAULT 0;
CREATE TABLE upload (
    url TEXT NOT NULL,
    identity TEXT NOT NULL,
    tag TEXT NOT NULL,
    upload TEXT NOT NULL,
    PRIMARY KEY (url, identity)
) WITHOUT ROWID
"""
"""`far`: one of the job's places is not the local disk. `upload`: what a store calls an upload that is not complete, by
where it goes and what it is of; `tag`: of the job that began it."""

EXPECTS = "ALTER TABLE job ADD COLUMN expects TEXT NOT NULL DEFAULT ''"
"""What is to be replaced, as in the request: its kind, size and time; empty: whatever there is."""

ONCE = "CREATE INDEX error_of_entry ON error (job, idx, path)"
"""An error that is told again takes the place of the first."""

EXCLUDE = "ALTER TABLE job ADD COLUMN exclude TEXT NOT NULL DEFAULT ''"
"""The patterns of what is left out, as a list in JSON; empty: none."""

FOLDER_TIMES = """
CREATE TABLE folder_time (
    job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    idx INTEGER NOT NULL,
    path BLOB NOT NULL,
    target_path BLOB NOT NULL,
    mtime_ns INTEGER NOT NULL,
    PRIMARY KEY (job, idx, path)
) WITHOUT ROWID
"""
"""Paths as in `error`."""

HALF = "ALTER TABLE job ADD COLUMN bytes_half INTEGER NOT NULL DEFAULT 0"
"""Of `bytes_done`: what was done of files that a far move has not copied whole."""

MIGRATIONS: tuple[str, ...] = (
    FIRST,
    STAGE,
    VERIFY,
    SYNC,
    UNDO,
    FIDELITY,
    DURABLE,
    DOUBT,
    ACROSS,
    LINKS,
    REMOVED,
    CHECKPOINT,
    NAMES,
    FAR,
    EXPECTS,
    ONCE,
    EXCLUDE,
    FOLDER_TIMES,
    HALF,
)
"""By these an older journal is brought up to date when it is opened."""
