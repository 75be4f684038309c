"""Attempts to log in. They are counted in the database, since all workers must count together.

All subjects are digests: people type passwords into the name's field.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, text

from ledger.database import upsert
from ledger.tables import KnownLoginRow, LoginAttemptRow


def record_attempt(connection: Connection, subjects: Sequence[str], now: datetime) -> list[int]:
    """Count an attempt against each of the subjects. Return the ids of its rows, for `forget_attempt`."""
    if not subjects:
        return []
    rows = [{"subject": subject, "at": now} for subject in subjects]
    return list(connection.scalars(insert(LoginAttemptRow).returning(LoginAttemptRow.id), rows))


def forget_attempt(connection: Connection, ids: Collection[int]) -> None:
    """Delete an attempt that turned out to be no failure."""
    connection.execute(delete(LoginAttemptRow).where(LoginAttemptRow.id.in_(ids)))


def forget_attempts(connection: Connection, subjects: Sequence[str]) -> None:
    """Delete all attempts that count against the subjects."""
    connection.execute(delete(LoginAttemptRow).where(LoginAttemptRow.subject.in_(subjects)))


def count_attempts(
    connection: Connection, subjects: Sequence[str], since: datetime, until: datetime
) -> dict[str, tuple[int, datetime]]:
    """Return subject -> (number of attempts in that time, time of the oldest).

    In a transaction that writes, the next caller that asks about one of the subjects waits until this transaction ends,
    so that no attempt goes uncounted between counting and recording.
    """
    if connection.dialect.name == "postgresql":
        names = sorted(set(subjects))  # always in the same order, to avoid a deadlock
        lock = "SELECT pg_advisory_xact_lock(hashtextextended(name, 1)) FROM unnest(CAST(:names AS text[])) AS name"
        connection.execute(text(lock), {"names": names})
    query = select(LoginAttemptRow.subject, func.count(), func.min(LoginAttemptRow.at)).where(
        LoginAttemptRow.subject.in_(subjects), LoginAttemptRow.at >= since, LoginAttemptRow.at <= until
    )
    rows = connection.execute(query.group_by(LoginAttemptRow.subject))
    return {subject: (count, oldest) for subject, count, oldest in rows}


def remember_login(connection: Connection, subject: str, now: datetime) -> None:
    """Remember that a user logged in from an address."""
    row = upsert(connection, KnownLoginRow).values(subject=subject, at=now)
    connection.execute(row.on_conflict_do_update(index_elements=["subject"], set_={"at": now}))


def is_known_login(connection: Connection, subject: str) -> bool:
    """Return whether a user has logged in from an address before."""
    return connection.execute(select(1).where(KnownLoginRow.subject == subject)).first() is not None
