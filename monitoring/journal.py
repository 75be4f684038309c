"""The journal of the monitor service: an SQLite file that one process holds and that survives kills and restarts."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import NoReturn, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from monitoring.entries import (
    AlertDecision,
    Entry,
    FailedRun,
    Job,
    RetrainingEnd,
    RetrainingRequest,
    RetrainingStart,
    Rollback,
)
from monitoring.former_journal import FORMER_NAME, FormerJournalError, read_former_journal

# What each version of the schema adds; a file has its version as `user_version`.
_VERSIONS = (
    (
        """CREATE TABLE alert_decision (
            id INTEGER PRIMARY KEY, at TEXT NOT NULL, decision TEXT NOT NULL, reason TEXT NOT NULL,
            alert TEXT NOT NULL, fingerprint TEXT NOT NULL, starts_at TEXT NOT NULL, retraining TEXT)""",
        "CREATE INDEX alert_decision_started ON alert_decision (at) WHERE retraining IS NOT NULL",
        """CREATE TABLE retraining_start (
            id INTEGER PRIMARY KEY, at TEXT NOT NULL, retraining TEXT NOT NULL UNIQUE, pid INTEGER, created REAL)""",
        """CREATE TABLE retraining_end (
            id INTEGER PRIMARY KEY, at TEXT NOT NULL, retraining TEXT NOT NULL UNIQUE, outcome TEXT NOT NULL,
            reason TEXT NOT NULL, model_version TEXT)""",
        "CREATE TABLE failed_run (id INTEGER PRIMARY KEY, at TEXT NOT NULL, reason TEXT NOT NULL)",
    ),
    (
        """CREATE TABLE retraining_request (
            id INTEGER PRIMARY KEY, at TEXT NOT NULL, asked_by TEXT NOT NULL, reason TEXT NOT NULL,
            retraining TEXT NOT NULL UNIQUE)""",
        """CREATE TABLE rollback (
            id INTEGER PRIMARY KEY, at TEXT NOT NULL, asked_by TEXT NOT NULL, reason TEXT NOT NULL,
            before TEXT NOT NULL, after TEXT NOT NULL, entry TEXT NOT NULL UNIQUE)""",
    ),
)
_TABLES: dict[type[BaseModel], str] = {
    AlertDecision: "alert_decision",
    RetrainingRequest: "retraining_request",
    RetrainingStart: "retraining_start",
    RetrainingEnd: "retraining_end",
    FailedRun: "failed_run",
    Rollback: "rollback",
}
_JOBS: tuple[type[Job], ...] = get_args(Job)
_CHECK, _SET_VERSION = "PRAGMA integrity_check(1)", f"PRAGMA user_version = {len(_VERSIONS)}"
_FULL = 1  # auto_vacuum: the file shrinks when entries are removed
_STARTED = "WHERE retraining IS NOT NULL"
_NEWEST_FIRST = "ORDER BY id DESC LIMIT ?"
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_EntryT = TypeVar("_EntryT", bound=BaseModel)


class JournalError(Exception):
    """The journal cannot be read or written, or another process uses it."""


class Journal:
    """Entries in an SQLite file. What `append` has returned from is on the disk. Safe to use from several threads.

    SQLite's exclusive lock on the file is held until `close`, or until the process ends in any way. Times are stored
    as ISO 8601 in UTC with six digits after the second, so that they sort as text.
    """

    def __init__(self, path: Path, keep: timedelta | None = None) -> None:
        """Open the file or create it, with the entries of a `decisions.jsonl` beside it.

        `keep`: the age at which entries are removed when others are stored (None: never). The last retraining stays.

        Raises `JournalError` when another process uses the file, or when it cannot be read.
        """
        self._path = path
        self._keep = keep
        self._lock = threading.Lock()
        former = path.with_name(FORMER_NAME)
        with self._explained("used"):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # reports may name users
            _create(path)
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            try:
                self._open(former)
                if former.exists():
                    former.replace(former.with_name(f"{FORMER_NAME}.migrated"))
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Release the file for another process. After that nothing can be read or stored."""
        with self._lock:
            self._connection.close()

    def append(self, *entries: Entry) -> None:
        """Store entries, all or none of them. Raises `JournalError` when that fails."""
        with self._lock, self._explained("written"), self._transaction():
            for entry in entries:
                self._insert(entry)
            if self._keep and entries:
                self._forget(max(entry.at for entry in entries) - self._keep)

    def check(self) -> None:
        """Raise `JournalError` unless entries can be stored now."""
        with self._lock, self._explained("written"), self._transaction():
            self._connection.execute(_SET_VERSION)  # as it is: a commit that writes some bytes

    def decisions(self, limit: int) -> list[AlertDecision]:
        """Return the last decisions about alerts, newest first."""
        return self._select(AlertDecision, _NEWEST_FIRST, limit)

    def failed_runs(self, limit: int) -> list[FailedRun]:
        """Return the last failed runs of the monitoring pipeline, newest first."""
        return self._select(FailedRun, _NEWEST_FIRST, limit)

    def rollbacks(self, limit: int) -> list[Rollback]:
        """Return the last rollbacks that were asked for here, newest first."""
        return self._select(Rollback, _NEWEST_FIRST, limit)

    def started(self, limit: int) -> list[Job]:
        """Return the last decisions and requests that started a retraining, newest first."""
        decided: list[Job] = [*self._select(AlertDecision, f"{_STARTED} {_NEWEST_FIRST}", limit)]
        asked_for = self._select(RetrainingRequest, _NEWEST_FIRST, limit)
        return sorted([*decided, *asked_for], key=lambda job: job.at, reverse=True)[:limit]

    def started_by(self, fingerprint: str, starts_at: datetime) -> AlertDecision | None:
        """Return the decision that started a retraining for this alert, if there is one."""
        clause = f"{_STARTED} AND fingerprint = ? AND starts_at = ? {_NEWEST_FIRST}"
        return _first(self._select(AlertDecision, clause, fingerprint, _as_text(starts_at), 1))

    def started_on_day_of(self, moment: datetime) -> int:
        """Return how many retrainings were started on the day (UTC) of a moment."""
        day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        clause = f"{_STARTED} AND at >= ? AND at < ?"
        bounds = _as_text(day), _as_text(day + timedelta(days=1))
        return sum(len(self._select(kind, clause, *bounds)) for kind in _JOBS)

    def start_of(self, retraining: str) -> RetrainingStart | None:
        """Return what is known of the start of a retraining."""
        return _first(self._select(RetrainingStart, "WHERE retraining = ?", retraining))

    def end_of(self, retraining: str) -> RetrainingEnd | None:
        """Return how a retraining ended; None while it is under way."""
        return _first(self._select(RetrainingEnd, "WHERE retraining = ?", retraining))

    @property
    def unfinished(self) -> Job | None:
        """What started the retraining that has not ended, if there is one."""
        clause = f"{_STARTED} AND retraining NOT IN (SELECT retraining FROM {_TABLES[RetrainingEnd]}) {_NEWEST_FIRST}"
        return _first([job for kind in _JOBS for job in self._select(kind, clause, 1)])

    @property
    def last_end(self) -> RetrainingEnd | None:
        """The end that was stored last."""
        return _first(self._select(RetrainingEnd, _NEWEST_FIRST, 1))

    @property
    def last_activity(self) -> datetime | None:
        """The latest time at which a retraining was started or ended."""
        ends = self._select(RetrainingEnd, "ORDER BY at DESC LIMIT 1")
        return max((entry.at for entry in (*self.started(1), *ends)), default=None)

    def _open(self, former: Path) -> None:
        """Lock the file and check it. One of an earlier version gets the tables that it lacks.

        A new one gets all tables, and the entries of the former journal.
        """
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # keeps the lock that a transaction takes
        self._connection.execute("PRAGMA synchronous = FULL")
        if self._connection.execute("PRAGMA auto_vacuum").fetchone()[0] != _FULL:
            self._connection.execute(f"PRAGMA auto_vacuum = {_FULL}")
            self._connection.execute("VACUUM")  # gives a file of an earlier version the pages for it
        with self._transaction():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(_VERSIONS):
                raise JournalError(f"{self._path} was written by a later version of this program; run that version")
            is_new = version == 0 and not self._tables()
            if not is_new and (version == 0 or self._connection.execute(_CHECK).fetchone()[0] != "ok"):
                self._refuse()
            for statement in chain.from_iterable(_VERSIONS[version:]):
                self._connection.execute(statement)
            if not self._tables().issuperset(_TABLES.values()):
                self._refuse()
            for entry in read_former_journal(former) if is_new else ():
                self._insert(entry)
            self._connection.execute(_SET_VERSION)

    def _tables(self) -> set[str]:
        return {row[0] for row in self._connection.execute("SELECT name FROM sqlite_master")}

    def _insert(self, entry: Entry) -> None:
        row = {
            name: _as_text(value) if isinstance(value, datetime) else value for name, value in entry if name != "kind"
        }
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        table = _TABLES[type(entry)]
        self._connection.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))

    def _forget(self, moment: datetime) -> None:
        """Remove entries from before a moment, except those about the last retraining."""
        jobs = " UNION ALL ".join(f"SELECT at, id, retraining FROM {_TABLES[kind]} {_STARTED}" for kind in _JOBS)
        last = f"(SELECT retraining FROM ({jobs}) ORDER BY at DESC, id DESC LIMIT 1)"
        for kind, table in _TABLES.items():
            other = f"AND retraining IS NOT {last}" if "retraining" in kind.model_fields else ""
            self._connection.execute(f"DELETE FROM {table} WHERE at < ? {other}", (_as_text(moment),))

    def _select(self, kind: type[_EntryT], clause: str, *values: str | int) -> list[_EntryT]:
        names = ", ".join(name for name in kind.model_fields if name != "kind")
        with self._lock, self._explained("read"):
            rows = self._connection.execute(f"SELECT {names} FROM {_TABLES[kind]} {clause}", values).fetchall()
            return [kind.model_validate(dict(row)) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite has rolled back by itself after some errors
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        """Turn the errors of SQLite and of the disk into `JournalError`."""
        try:
            yield
        except FormerJournalError as error:
            raise JournalError(str(error)) from error
        except OSError as error:
            raise JournalError(f"{self._path} cannot be {done}: {error.strerror}") from error
        except ValidationError:
            self._refuse()
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code of an extended one
            if code == sqlite3.SQLITE_BUSY:
                raise JournalError(f"another monitor service uses {self._path}; end it first") from None
            if code in _DAMAGED:
                self._refuse()
            raise JournalError(f"{self._path} cannot be {done}: {error}") from error

    def _refuse(self) -> NoReturn:
        raise JournalError(
            f"{self._path} is not a valid journal; move the file away to start empty (retrainings of the past are then "
            "unknown: their alerts, the cool-down and the budget of today)"
        ) from None


def _create(path: Path) -> None:
    """Create the file for its owner alone. An existing one is not opened: closing it would release SQLite's lock."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _as_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _first(entries: list[_EntryT]) -> _EntryT | None:
    return entries[0] if entries else None
