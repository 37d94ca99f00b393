"""The queue's database: SQLite, whose transactions are on the disk when they are committed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import InputError

FORMAT = 1

SCHEMA = """
CREATE TABLE studies (
    study TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    heard REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    sent REAL,
    has_files INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE objects (
    study TEXT NOT NULL,
    object TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (study, object)
);
CREATE TABLE reports (
    number INTEGER PRIMARY KEY,
    study TEXT NOT NULL,
    version INTEGER NOT NULL,
    decision TEXT NOT NULL,
    is_logged INTEGER NOT NULL DEFAULT 0,
    instance TEXT NOT NULL UNIQUE,
    series TEXT NOT NULL,
    dicom BLOB,
    accepted REAL
);
CREATE INDEX studies_by_state ON studies (state, heard);
CREATE INDEX reports_by_study ON reports (study);
CREATE TABLE log (num_bytes INTEGER NOT NULL);
INSERT INTO log VALUES (0);
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Return the database in a file, mode 600, which is made if it is not there.

    Any thread may use it, one at a time.

    Raises
    ------
    InputError
        If the file is no such database, or one of another format.
    """
    path.touch(mode=0o600)
    # Transactions are begun by hand; one lock of ours guards the connection.
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            database.execute(f"PRAGMA {setting}")
        found = database.execute("PRAGMA user_version").fetchone()[0]
        if not found:
            # One transaction: a kill leaves all tables or none.
            database.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
        elif found != FORMAT:
            message = f"{path}: a queue of format {FORMAT} expected, got {found}"
            raise InputError(message)
        # Better now than at the study whose page is damaged.
        damage = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise sqlite3.DatabaseError(damage)
    except sqlite3.DatabaseError as error:
        message = f"{path}: the node's queue expected, got no sound database: {error}"
        raise InputError(message) from error
    return database


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Give a database all of whose changes are kept when the block ends, or none if it fails."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def let_none_be_later(database: sqlite3.Connection, moment: str, state: str, now: float) -> None:
    """Set a moment of studies in a state to now where it is later: the clock was set back."""
    with transaction(database):
        database.execute(
            f"UPDATE studies SET {moment} = ?1 WHERE state = ?2 AND {moment} > ?1",  # noqa: S608
            (now, state),
        )
