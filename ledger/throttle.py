"""Attempts to log in. They are counted in the database, since all workers must count together."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, text

from ledger.tables import LoginAttemptRow


def record_attempt(connection: Connection, subjects: Sequence[str], now: datetime) -> None:
    """Count an attempt against each of the subjects, which are digests of names and addresses."""
    if subjects:
        connection.execute(insert(LoginAttemptRow), [{"subject": subject, "at": now} for subject in subjects])


def count_attempts(connection: Connection, subjects: Sequence[str], since: datetime) -> dict[str, tuple[int, datetime]]:
    """Return subject -> (number of attempts since then, time of the oldest).

    In a transaction that writes, the next caller that asks about one of the subjects waits until this transaction ends,
    so that no attempt goes uncounted between counting and recording.
    """
    if connection.dialect.name == "postgresql":
        names = sorted(set(subjects))  # always in the same order, to avoid a deadlock
        lock = "SELECT pg_advisory_xact_lock(hashtextextended(name, 1)) FROM unnest(CAST(:names AS text[])) AS name"
        connection.execute(text(lock), {"names": names})
    query = select(LoginAttemptRow.subject, func.count(), func.min(LoginAttemptRow.at)).where(
        LoginAttemptRow.subject.in_(subjects), LoginAttemptRow.at >= since
    )
    rows = connection.execute(query.group_by(LoginAttemptRow.subject))
    return {subject: (count, oldest) for subject, count, oldest in rows}


def forget_attempts(connection: Connection, subjects: Sequence[str]) -> None:
    """Delete all attempts that count against the subjects."""
    connection.execute(delete(LoginAttemptRow).where(LoginAttemptRow.subject.in_(subjects)))
