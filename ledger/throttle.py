"""Attempts to log in, counted in the database, since every worker has to know of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, text

from ledger.tables import LoginAttempt


def record_failure(connection: Connection, subjects: Sequence[str], now: datetime) -> None:
    """Count an attempt against each of the subjects, which are digests of who or where."""
    if subjects:
        connection.execute(insert(LoginAttempt), [{"subject": subject, "at": now} for subject in subjects])


def failures(connection: Connection, subjects: Sequence[str], since: datetime) -> dict[str, tuple[int, datetime]]:
    """Return how many attempts count against each subject since then, and when the oldest of them was.

    Whoever asks next about one of the subjects, in a transaction that writes, waits until this one ends: attempts at
    the same time do not slip through between counting and recording.
    """
    if connection.dialect.name == "postgresql":
        names = sorted(set(subjects))  # in one order, lest two wait for each other
        lock = "SELECT pg_advisory_xact_lock(hashtextextended(name, 1)) FROM unnest(CAST(:names AS text[])) AS name"
        connection.execute(text(lock), {"names": names})
    query = select(LoginAttempt.subject, func.count(), func.min(LoginAttempt.at)).where(
        LoginAttempt.subject.in_(subjects), LoginAttempt.at >= since
    )
    rows = connection.execute(query.group_by(LoginAttempt.subject))
    return {subject: (count, oldest) for subject, count, oldest in rows}


def forget(connection: Connection, subjects: Sequence[str]) -> None:
    """Forget what counts against the subjects."""
    connection.execute(delete(LoginAttempt).where(LoginAttempt.subject.in_(subjects)))
