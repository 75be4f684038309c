"""Predictions: stored, found, deleted."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Dialect, delete, func, or_, select, union

from ledger.audit import ANYBODY, record_event
from ledger.database import reading_existing
from ledger.driver_insert import DriverInsert
from ledger.tables import AuditRow, FeedbackRow, HoldRow, PredictionRow, ReceiptRow, SkipRow

ERASED = "listings erased"  # the event in the audit that holds the ids of erased predictions
_IDS = 1_000  # ids in one row of the audit


class PredictionRecord(NamedTuple):
    """A prediction as it is stored. `user_id`: of the user who asked for it.

    A tuple is made in a fifth of the time that a frozen dataclass takes.
    """

    id: str
    user_id: str
    designation: str
    description: str | None
    predicted_code: int
    confidence: float
    abstained: bool
    novelty: bool
    language: str
    model_name: str
    model_version: str
    created_at: datetime


RECORD_COLUMNS = [getattr(PredictionRow, name) for name in PredictionRecord._fields]


@lru_cache(maxsize=4)  # a process has few engines
def prediction_insert(dialect: Dialect) -> DriverInsert:
    """Return the statement that stores predictions."""
    return DriverInsert(PredictionRow, PredictionRecord._fields, dialect)


def store_predictions(connection: Connection, records: Sequence[PredictionRecord]) -> None:
    """Store predictions, all or none."""
    if records:
        prediction_insert(connection.dialect).execute(connection, records)


def find_prediction(connection: Connection, prediction_id: str) -> PredictionRecord | None:
    """Return the prediction with this id."""
    row = connection.execute(select(*RECORD_COLUMNS).where(PredictionRow.id == prediction_id)).first()
    return PredictionRecord(*row) if row else None


def last_prediction(connection: Connection, user_id: str, model_name: str) -> PredictionRecord | None:
    """Return the newest prediction that a user got from a model of this name."""
    of_user = select(*RECORD_COLUMNS).where(PredictionRow.user_id == user_id, PredictionRow.model_name == model_name)
    row = connection.execute(
        of_user.order_by(PredictionRow.created_at.desc(), PredictionRow.id.desc()).limit(1)
    ).first()
    return PredictionRecord(*row) if row else None


def predictions_of_user(
    connection: Connection, user_id: str, limit: int, before: tuple[datetime, str] | None = None
) -> list[PredictionRecord]:
    """Return a user's predictions, the newest first; `before`: time and id of the last one that is known already.

    They are read along their index: a page takes as long however many there are.
    """
    own = select(*RECORD_COLUMNS).where(PredictionRow.user_id == user_id)
    if before:
        at, prediction_id = before
        # The first condition is for the index, which does not have the id.
        own = own.where(
            PredictionRow.created_at <= at, or_(PredictionRow.created_at < at, PredictionRow.id < prediction_id)
        )
    newest = own.order_by(PredictionRow.created_at.desc(), PredictionRow.id.desc()).limit(limit)
    return [PredictionRecord(*row) for row in connection.execute(newest)]


def last_prediction_of_text(
    connection: Connection, user_id: str, model_name: str, designation: str, description: str | None
) -> PredictionRecord | None:
    """Return the newest prediction that a user got for this very text. An empty description is the same as none.

    The user's predictions are read along their index, the newest first, until one has the text. A second order among
    those of the same microsecond would make the database read them all.
    """
    of_text = select(*RECORD_COLUMNS).where(
        PredictionRow.user_id == user_id,
        PredictionRow.model_name == model_name,
        PredictionRow.designation == designation,
        func.coalesce(PredictionRow.description, "") == (description or ""),
    )
    row = connection.execute(of_text.order_by(PredictionRow.created_at.desc()).limit(1)).first()
    return PredictionRecord(*row) if row else None


def erase_predictions(connection: Connection, user_id: str, now: datetime) -> int:
    """Delete a user's predictions with the feedback on them, and the user's receipts, holds and skips of listings.

    Return how many predictions.
    """
    for whose in (ReceiptRow.owner, HoldRow.held_by, SkipRow.user_id):
        connection.execute(delete(whose.class_).where(whose == user_id))
    return delete_predictions(connection, PredictionRow.user_id == user_id, now)["predictions"]


def delete_predictions(connection: Connection, which: ColumnElement[bool], now: datetime) -> dict[str, int]:
    """Delete predictions with the feedback on them, and holds and skips of them. Return how many of the first two.

    The ids of those that have or had feedback go into the audit, without text and name: a training may have copied
    them.
    """
    on_them = FeedbackRow.prediction_id.in_(select(PredictionRow.id).where(which))
    withdrawn = select(PredictionRow.id).where(which, PredictionRow.withdrawn_at.is_not(None))
    copied = connection.execute(union(select(FeedbackRow.prediction_id).where(on_them), withdrawn)).scalars().all()
    for start in range(0, len(copied), _IDS):
        ids = sorted(copied[start : start + _IDS])
        record_event(connection, ANYBODY, ERASED, ANYBODY, now, predictions=ids)
    # Feedback first, although the database would delete it with its prediction: it must be counted.
    feedback = connection.execute(delete(FeedbackRow).where(on_them)).rowcount
    return {"predictions": connection.execute(delete(PredictionRow).where(which)).rowcount, "feedback": feedback}


def read_erased(url: str) -> set[str]:
    """Return the ids of predictions that were deleted and had feedback, as far back as the audit goes.

    A ledger that does not exist yet has none. Raises `LedgerError` when the database does not answer.
    """
    with reading_existing(url) as connection:
        query = select(AuditRow.detail).where(AuditRow.event == ERASED)
        rows = connection.execute(query).scalars().all() if connection else []
    return {prediction for detail in rows for prediction in detail["predictions"]}
