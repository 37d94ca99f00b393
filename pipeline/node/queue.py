"""The studies that a node holds, on disk: what was acknowledged survives a kill at any moment.

A study is *receiving* until it is quiet, *decided* once its decision is kept, and *sent* when the
PACS has accepted every report. An object that is new to it takes it back to *receiving*.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

from pipeline.node.database import let_none_be_later, open_database, transaction
from pipeline.node.storage import private_folder, put, write_unfinished

RECEIVING, DECIDED, SENT = "receiving", "decided", "sent"


@dataclass(frozen=True)
class Quiet:
    """A study that nothing came for lately, as it was when deciding it began.

    Attributes
    ----------
    study : str
        Its keyed hash.
    version : int
        How often it has changed; a decision counts only if this is still so when it is kept.
    paths : tuple of Path
        Its objects' files.
    num_missing : int
        Objects whose files were removed after an earlier report was sent.
    attempts : int
        How often deciding this version was begun before.
    """

    study: str
    version: int
    paths: tuple[Path, ...]
    num_missing: int
    attempts: int


@dataclass(frozen=True)
class Report:
    """One decision of a study: its line of the log, and its DICOM file, empty once removed."""

    decision: str
    instance: str
    series: str  # Empty where there is no report: no file is left that it could refer to.
    dicom: bytes
    number: int = 0
    study: str = ""


class Queue:
    """Studies, objects and reports in ``queue.sqlite``, files below ``studies``; modes 600, 700.

    It may be used by several threads of one process. Studies and objects are keyed hashes; the
    reports and files hold what their senders wrote, until they are removed.

    Parameters
    ----------
    folder : Path
    clock : callable, optional
        Seconds since some moment that is the same for every run.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time) -> None:
        self.clock = clock
        self.folder = private_folder(folder)
        self._incoming = private_folder(folder / "incoming")
        self._studies = private_folder(folder / "studies")
        self._lock = threading.RLock()
        self._database = open_database(folder / "queue.sqlite")
        self._clear_unacknowledged()

    def close(self) -> None:
        """Close the database, once no thread writes to it; nothing is lost without it."""
        with self._lock:
            self._database.close()

    def receive(self, study: str, name: str, content: str, data: bytes) -> bool:
        """Keep an object, and return whether the study changed by it.

        When this returns, the object is on the disk. One whose file is there already changes
        nothing; one whose file was removed is kept again, for a study that may yet grow.

        Parameters
        ----------
        study, name, content : str
            Keyed hashes of the study, the object and its bytes.
        data : bytes
            A DICOM file.
        """
        path = self._studies / study / f"{name}.dcm"
        # Before the lock: a large file on a slow disk keeps nobody waiting.
        new = None
        if self._content(study, name) != content or not path.is_file():
            new = write_unfinished(self._incoming, data)
        with self._lock, transaction(self._database) as database:
            is_repeat = self._content(study, name) == content
            if new is not None:
                put(new, path)
            database.execute(
                "INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", (study, name, content)
            )
            return self._note_received(database, study, is_repeat=is_repeat)

    def _content(self, study: str, name: str) -> Any:
        query = "SELECT content FROM objects WHERE study = ? AND object = ?"
        with self._lock:
            return self._value(query, study, name)

    def _note_received(self, database: sqlite3.Connection, study: str, *, is_repeat: bool) -> bool:
        state = self._value("SELECT state FROM studies WHERE study = ?", study)
        now = self.clock()
        if is_repeat and state != RECEIVING:
            database.execute(
                "UPDATE studies SET has_files = 1, sent = ? WHERE study = ? AND state = ?",
                (now, study, SENT),
            )
            return False
        database.execute(
            "INSERT INTO studies (study, state, version, heard) VALUES (?, ?, 1, ?) ON CONFLICT DO"
            " UPDATE SET state = excluded.state, version = version + 1, heard = excluded.heard,"
            " attempts = 0, has_files = 1, sent = NULL",
            (study, RECEIVING, now),
        )
        return True

    def quiet(self, seconds: float) -> list[str]:
        """Return the studies that nothing came for in some seconds, the longest silent first.

        Where the clock was set back, it waits from now on, not until the clock has caught up.
        """
        with self._lock:
            let_none_be_later(self._database, "heard", RECEIVING, self.clock())
            rows = self._database.execute(
                "SELECT study FROM studies WHERE state = ? AND heard <= ? ORDER BY heard",
                (RECEIVING, self.clock() - seconds),
            )
            return [study for (study,) in rows]

    def begin(self, study: str) -> Quiet:
        """Return a study to decide; that this begins is kept, since it may end the process."""
        with self._lock:
            with transaction(self._database) as database:
                database.execute(
                    "UPDATE studies SET attempts = attempts + 1 WHERE study = ?", (study,)
                )
            version, attempts = self._database.execute(
                "SELECT version, attempts - 1 FROM studies WHERE study = ?", (study,)
            ).fetchone()
            names = self._database.execute(
                "SELECT object FROM objects WHERE study = ? ORDER BY object", (study,)
            )
            files = [self._studies / study / f"{name}.dcm" for (name,) in names]
            present = tuple(path for path in files if path.is_file())
            return Quiet(study, version, present, len(files) - len(present), attempts)

    def forget_attempt(self, quiet: Quiet) -> None:
        """Count deciding a study as not begun: not it was at fault but the disk."""
        query = "UPDATE studies SET attempts = ? WHERE study = ? AND version = ?"
        with self._lock, transaction(self._database) as database:
            database.execute(query, (quiet.attempts, quiet.study, quiet.version))

    def last_reports(self, study: str) -> list[Report]:
        """Return the reports of a study's last decision, whose files may be gone."""
        return self._reports(
            "study = ?1 AND version = (SELECT MAX(version) FROM reports WHERE study = ?1)", study
        )

    def decide(self, quiet: Quiet, reports: Sequence[Report]) -> bool:
        """Keep a study's decision and reports, all or none of them; return whether it did.

        It does not if something came for the study in the meantime: then it will be quiet again,
        and decided again. Without reports, those that it has hold.
        """
        with self._lock, transaction(self._database) as database:
            changed = database.execute(
                "UPDATE studies SET state = ? WHERE study = ? AND state = ? AND version = ?",
                (DECIDED, quiet.study, RECEIVING, quiet.version),
            )
            if not changed.rowcount:
                return False
            self._forget_missing(database, quiet)
            database.executemany(
                "INSERT OR IGNORE INTO reports (study, version, decision, instance, series, dicom,"
                " accepted) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (quiet.study, quiet.version, each.decision, each.instance, each.series)
                    + (each.dicom, None if each.series else self.clock())
                    for each in reports
                ],
            )
            self._note_sent(database, quiet.study)
            return True

    def _forget_missing(self, database: sqlite3.Connection, quiet: Quiet) -> None:
        """Let objects that were missed change their study when they come again."""
        if quiet.num_missing:
            present = {path.stem for path in quiet.paths}
            names = database.execute("SELECT object FROM objects WHERE study = ?", (quiet.study,))
            missing = [(quiet.study, name) for (name,) in names if name not in present]
            database.executemany(
                "UPDATE objects SET content = '' WHERE study = ? AND object = ?", missing
            )

    def unlogged(self) -> tuple[int, list[Report]]:
        """Return how long the log was when it was last confirmed, and what it lacks since."""
        with self._lock:
            return self._value("SELECT num_bytes FROM log"), self._reports("NOT is_logged")

    def logged(self, num_bytes: int, reports: Sequence[Report]) -> None:
        """Confirm that reports stand in the log, which is so many bytes long now."""
        with self._lock, transaction(self._database) as database:
            database.execute("UPDATE log SET num_bytes = ?", (num_bytes,))
            numbers = [(each.number,) for each in reports]
            database.executemany("UPDATE reports SET is_logged = 1 WHERE number = ?", numbers)

    def unsent(self) -> list[int]:
        """Return the numbers of the reports that the PACS has not accepted, the oldest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT number FROM reports WHERE accepted IS NULL ORDER BY number"
            )
            return [number for (number,) in rows]

    def reports(self, numbers: Sequence[int]) -> list[Report]:
        """Return reports by their numbers, in the order of these."""
        found = self._reports(f"number IN ({', '.join('?' * len(numbers))})", *numbers)
        return sorted(found, key=lambda each: numbers.index(each.number))

    def accepted(self, report: Report) -> None:
        """Note that the PACS has a report."""
        with self._lock, transaction(self._database) as database:
            database.execute(
                "UPDATE reports SET accepted = ? WHERE number = ?", (self.clock(), report.number)
            )
            self._note_sent(database, report.study)

    def _note_sent(self, database: sqlite3.Connection, study: str) -> None:
        database.execute(
            "UPDATE studies SET state = ?, sent = ? WHERE study = ? AND state = ? AND NOT EXISTS"
            " (SELECT 1 FROM reports WHERE reports.study = studies.study AND accepted IS NULL)",
            (SENT, self.clock(), study, DECIDED),
        )

    def remove_sent(self, seconds: float) -> int:
        """Remove the files and reports of studies sent so many seconds ago; return how many."""
        with self._lock:
            let_none_be_later(self._database, "sent", SENT, self.clock())
            rows = self._database.execute(
                "SELECT study FROM studies WHERE state = ? AND has_files AND sent <= ?",
                (SENT, self.clock() - seconds),
            ).fetchall()
            for (study,) in rows:
                shutil.rmtree(self._studies / study, ignore_errors=True)
                if (self._studies / study).exists():
                    continue  # The disk refused: it is tried again.
                with transaction(self._database) as database:
                    database.execute("UPDATE reports SET dicom = NULL WHERE study = ?", (study,))
                    database.execute("UPDATE studies SET has_files = 0 WHERE study = ?", (study,))
            if rows:
                # What was removed stands in the journal until that is written back.
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return len(rows)

    def counts(self) -> dict[str, int]:
        """Return the number of studies by state."""
        with self._lock:
            return dict(self._database.execute("SELECT state, COUNT(*) FROM studies GROUP BY 1"))

    def _reports(self, condition: str, *values: object) -> list[Report]:
        with self._lock:
            rows = self._database.execute(
                "SELECT decision, instance, series, COALESCE(dicom, x''), number, study"  # noqa: S608
                f" FROM reports WHERE {condition} ORDER BY number",
                values,
            )
            return [Report(*row) for row in rows]

    def _value(self, query: str, *values: object) -> Any:
        row = self._database.execute(query, values).fetchone()
        return None if row is None else row[0]

    def _clear_unacknowledged(self) -> None:
        """Remove files of objects whose senders were never told that they are kept."""
        for path in self._incoming.iterdir():
            path.unlink()
        known = set(self._database.execute("SELECT study, object FROM objects"))
        for path in self._studies.glob("*/*"):
            if (path.parent.name, path.stem) not in known:
                path.unlink()
