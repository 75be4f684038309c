"""Predictions: stored, found, queued for review, erased and purged."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, delete, exists, insert, select, text, union_all

from ledger.callers import TRUSTED_ROLES
from ledger.tables import Audit, Feedback, LoginAttempt, Prediction, Receipt, User


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """A prediction as it is stored."""

    id: str
    username: str
    designation: str
    description: str | None
    predicted_code: int
    confidence: float
    abstained: bool
    language: str
    model_name: str
    model_version: str
    created_at: datetime


_NAMES = tuple(field.name for field in fields(PredictionRecord))
_COLUMNS = [getattr(Prediction, name) for name in _NAMES]
_values = attrgetter(*_NAMES)
INSERT_PREDICTION = insert(Prediction)


def store_predictions(connection: Connection, records: Sequence[PredictionRecord]) -> None:
    """Store predictions, all in one statement."""
    if records:
        connection.execute(INSERT_PREDICTION, [dict(zip(_NAMES, _values(record), strict=True)) for record in records])


def find_prediction(connection: Connection, prediction_id: str) -> PredictionRecord | None:
    """Return the prediction with this id."""
    row = connection.execute(select(*_COLUMNS).where(Prediction.id == prediction_id)).first()
    return PredictionRecord(*row) if row else None


def last_prediction(connection: Connection, username: str, model_name: str) -> PredictionRecord | None:
    """Return the newest prediction that a user got from a model of this name."""
    theirs = select(*_COLUMNS).where(Prediction.username == username, Prediction.model_name == model_name)
    row = connection.execute(theirs.order_by(Prediction.created_at.desc(), Prediction.id.desc()).limit(1)).first()
    return PredictionRecord(*row) if row else None


def review_queue(connection: Connection, model_name: str, limit: int, offset: int = 0) -> list[PredictionRecord]:
    """Return predictions without a reviewer's or admin's feedback: abstained ones, then the least certain, then oldest.

    Each half is read along its index and no further than wanted, however many predictions there are.
    """
    reviewed = exists().where(Feedback.prediction_id == Prediction.id, Feedback.role.in_(TRUSTED_ROLES))

    def half(abstained: bool) -> Subquery:
        open_ones = select(*_COLUMNS).where(
            Prediction.model_name == model_name, Prediction.abstained == abstained, ~reviewed
        )
        order = (Prediction.confidence, Prediction.created_at, Prediction.id)
        return open_ones.order_by(*order).limit(limit + offset).subquery()

    both = union_all(select(half(True)), select(half(False))).subquery().c
    order = (both.abstained.desc(), both.confidence, both.created_at, both.id)
    rows = connection.execute(select(*both).order_by(*order).limit(limit).offset(offset))
    return [PredictionRecord(*row) for row in rows]


def erase_predictions(connection: Connection, username: str) -> int:
    """Remove a user's predictions with the feedback on them, and the user's receipts. Return how many predictions."""
    connection.execute(delete(Receipt).where(Receipt.owner == username))
    return _remove(connection, Prediction.username == username)["predictions"]


def purge(connection: Connection, before: datetime, at_most: int) -> dict[str, int]:
    """Remove what is older, feedback with its prediction, and users deleted before. Return the rows by table.

    At most so many predictions, the oldest: a transaction that removes hundreds of thousands keeps others waiting for
    too long. Call it again until it removes fewer.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    old = select(Prediction.id).where(Prediction.created_at < before).order_by(Prediction.created_at).limit(at_most)
    removed = _remove(connection, Prediction.id.in_(connection.execute(old).scalars().all()))
    ages: dict[Any, Any] = {
        Receipt: Receipt.created_at,
        LoginAttempt: LoginAttempt.at,
        Audit: Audit.at,
        User: User.deleted_at,
    }
    for table, age in ages.items():
        removed[table.__tablename__] = connection.execute(delete(table).where(age < before)).rowcount
    return removed


def _remove(connection: Connection, which: ColumnElement[bool]) -> dict[str, int]:
    # Feedback first, although it would go with its prediction: it is to be counted.
    theirs = Feedback.prediction_id.in_(select(Prediction.id).where(which))
    feedback = connection.execute(delete(Feedback).where(theirs)).rowcount
    return {"predictions": connection.execute(delete(Prediction).where(which)).rowcount, "feedback": feedback}
