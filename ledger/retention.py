"""Removing what is outdated from the ledger, and shrinking its database."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select, text
from sqlalchemy.exc import DBAPIError

from ledger.database import open_engine, reading, translated, writing
from ledger.predictions import delete_predictions
from ledger.tables import (
    AuditRow,
    Base,
    FeedbackRow,
    HoldRow,
    KnownLoginRow,
    LoginAttemptRow,
    PredictionRow,
    ReceiptRow,
    UserRow,
)

_IN_A_TRANSACTION = 5_000  # predictions; a service that is running waits for each transaction
_PAGES = 2_000  # that are given back to the disk in one transaction
_INCREMENTAL = 2


@dataclass(frozen=True)
class Ages:
    """The moments before which rows are outdated, None: never.

    `requests`: of receipts, attempts to log in and holds of listings. `audit`: of the audit and of deleted users.
    """

    predictions: datetime | None = None
    requests: datetime | None = None
    audit: datetime | None = None


def count_outdated(url: str, ages: Ages) -> Counter[str]:
    """Return how many rows are outdated, by table. Raises `LedgerError` when the database does not answer."""
    engine = open_engine(url)
    conditions = _conditions(ages)
    if ages.predictions:
        outdated = PredictionRow.created_at < ages.predictions
        conditions[PredictionRow] = outdated
        conditions[FeedbackRow] = FeedbackRow.prediction_id.in_(select(PredictionRow.id).where(outdated))
    try:
        with reading(engine) as connection:
            counted = {
                table.__tablename__: connection.execute(select(func.count()).where(which)).scalar_one()
                for table, which in conditions.items()
            }
    finally:
        engine.dispose()
    return Counter(counted)


def remove_outdated(url: str, ages: Ages, now: datetime) -> Counter[str]:
    """Remove outdated rows, predictions with the feedback on them, and return how many, by table.

    Several transactions are used: one that removes hundreds of thousands of rows would block a service for too long.
    Raises `LedgerError` when the database does not answer or cannot be written.
    """
    engine = open_engine(url)
    removed = Counter[str]()
    try:
        more = ages.predictions is not None
        while more and ages.predictions:
            with writing(engine) as connection:
                part = _remove_predictions(connection, ages.predictions, now)
            removed.update(part)
            more = part["predictions"] == _IN_A_TRANSACTION
        for table, which in _conditions(ages).items():
            with writing(engine) as connection:
                removed[table.__tablename__] = connection.execute(delete(table).where(which)).rowcount
        shrink(engine)
    finally:
        engine.dispose()
    return removed


def shrink(engine: Engine, *, rebuild: bool = False) -> None:
    """Give the space of removed rows back.

    `rebuild`: write the database anew where it cannot shrink otherwise, which blocks other writers meanwhile. A file of
    SQLite that was made by an earlier version needs it once, PostgreSQL each time. Raises `LedgerError`.
    """
    if engine.dialect.name != "sqlite":
        with translated(engine, "shrunk"), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as server:
            server.execute(text("SET statement_timeout = 0"))
            for table in (PredictionRow, FeedbackRow, ReceiptRow, AuditRow):
                server.execute(text(f"VACUUM {'FULL ' if rebuild else ''}{table.__tablename__}"))
            server.execute(text("RESET statement_timeout"))
        return
    with _driver_connection(engine) as connection:
        if connection.execute("PRAGMA auto_vacuum").fetchone()[0] == _INCREMENTAL:
            while connection.execute("PRAGMA freelist_count").fetchone()[0]:
                connection.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()
        elif rebuild:
            connection.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")
            connection.execute("VACUUM")
    empty_log(engine)


def empty_log(engine: Engine) -> bool:
    """Leave nothing of erased rows in SQLite's write-ahead log; return whether that is done.

    It is not while another connection reads or writes for more than some seconds; the next call does it then. A
    PostgreSQL server recycles its log by itself. Raises `LedgerError`.
    """
    if engine.dialect.name != "sqlite":
        return True
    with _driver_connection(engine) as connection:
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not busy


@contextmanager
def _driver_connection(engine: Engine) -> Iterator[Any]:
    """Yield the driver's connection, outside a transaction: SQLite shrinks and checkpoints in none."""
    with translated(engine, "shrunk"):
        pooled = engine.raw_connection()
        try:
            yield pooled.driver_connection
        except sqlite3.Error as error:
            raise DBAPIError.instance("", (), error, sqlite3.Error, dialect=engine.dialect) from error
        finally:
            pooled.close()


def _remove_predictions(connection: Connection, before: datetime, now: datetime) -> Mapping[str, int]:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    created_at = PredictionRow.created_at
    old = select(PredictionRow.id).where(created_at < before).order_by(created_at).limit(_IN_A_TRANSACTION)
    return delete_predictions(connection, PredictionRow.id.in_(connection.execute(old).scalars().all()), now)


def _conditions(ages: Ages) -> dict[type[Base], ColumnElement[bool]]:
    """Return the condition for outdated rows of each table except the predictions."""
    found: dict[type[Base], ColumnElement[bool]] = {}
    if ages.requests:
        found[ReceiptRow] = ReceiptRow.created_at < ages.requests
        found[LoginAttemptRow] = LoginAttemptRow.at < ages.requests
        found[KnownLoginRow] = KnownLoginRow.at < ages.requests
        found[HoldRow] = HoldRow.held_until < ages.requests
    if ages.audit:
        found[AuditRow] = AuditRow.at < ages.audit
        found[UserRow] = UserRow.deleted_at < ages.audit
    return found
