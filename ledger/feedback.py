"""Feedback: given on a prediction, and read back for training."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from ledger.callers import SIMULATOR, TRUSTED_ROLES
from ledger.database import reading_existing
from ledger.review_queue import release
from ledger.review_state import ReviewRules, settle_review
from ledger.sampling import is_sampled
from ledger.tables import FeedbackRow, PredictionRow, UserRow

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "prediction_id", "designation", "description", "prdtypecode", "given_by", "role", "given_at", "simulated",
    "trusted", "sampled",
]  # fmt: skip


DEFAULT_RULES = ReviewRules()


@dataclass(frozen=True)
class Correction:
    """Feedback as it is stored. `created`: it is new, and does not repeat the user's last feedback."""

    id: int
    prediction_id: str
    correct_code: int
    created: bool


@dataclass(frozen=True)
class GivenFeedback:
    """What somebody said on a prediction. `username`: the present name; None: deleted, or not in this database."""

    correct_code: int
    user_id: str
    username: str | None
    role: str
    given_at: datetime


class UnknownPredictionError(LookupError):
    """There is no prediction with that id."""


class UnknownFeedbackError(LookupError):
    """That user has given no feedback with that id."""


def give_feedback(
    connection: Connection,
    prediction_id: str,
    correct_code: int,
    user_id: str,
    role: str,
    now: datetime,
    rules: ReviewRules = DEFAULT_RULES,
) -> Correction:
    """Store the type that a user says is right, unless the user's last feedback on this prediction says the same.

    A user may change the feedback, and change it back. `rules` say whether the listing is then reviewed; the user's
    hold of it ends. Raises `UnknownPredictionError`.
    """
    # The prediction is locked, so that the same feedback sent twice at the same time is stored once.
    _lock(connection, prediction_id)
    release(connection, prediction_id, user_id)
    given = select(FeedbackRow.id, FeedbackRow.correct_code).where(
        FeedbackRow.prediction_id == prediction_id, FeedbackRow.given_by == user_id
    )
    last = connection.execute(given.order_by(FeedbackRow.id.desc()).limit(1)).first()
    if last and last.correct_code == correct_code:
        return Correction(last.id, prediction_id, correct_code, created=False)
    statement = insert(FeedbackRow).values(
        prediction_id=prediction_id, correct_code=correct_code, given_by=user_id, role=role, given_at=now
    )
    new: Any = connection.execute(statement).inserted_primary_key
    settle_review(connection, prediction_id, rules)
    return Correction(new.id, prediction_id, correct_code, created=True)


def withdraw_feedback(
    connection: Connection, feedback_id: int, user_id: str, now: datetime, rules: ReviewRules = DEFAULT_RULES
) -> str:
    """Delete feedback that this user gave, and return the id of its prediction, which may be to review again.

    What the user said on it before counts again. Raises `UnknownFeedbackError`.
    """
    this = (FeedbackRow.id == feedback_id, FeedbackRow.given_by == user_id)
    prediction_id = connection.execute(select(FeedbackRow.prediction_id).where(*this)).scalar()
    if prediction_id is not None:
        _lock(connection, prediction_id)
    if prediction_id is None or not connection.execute(delete(FeedbackRow).where(*this)).rowcount:
        raise UnknownFeedbackError(f"user {user_id} has given no feedback {feedback_id}")
    # A training may have copied the listing: if it is erased some day, its copies must be erased too.
    connection.execute(update(PredictionRow).where(PredictionRow.id == prediction_id).values(withdrawn_at=now))
    settle_review(connection, prediction_id, rules)
    return prediction_id


def _lock(connection: Connection, prediction_id: str) -> None:
    prediction = select(PredictionRow.id).where(PredictionRow.id == prediction_id).with_for_update()
    if connection.execute(prediction).first() is None:
        raise UnknownPredictionError(f"there is no prediction {prediction_id}")


def feedback_on(
    connection: Connection, predictions: Collection[str], limit: int = 100
) -> dict[str, list[GivenFeedback]]:
    """Return prediction id -> the feedback on it, the oldest first; of more than `limit` the newest."""
    of_prediction = (
        select(
            FeedbackRow,
            func.row_number()
            .over(partition_by=FeedbackRow.prediction_id, order_by=FeedbackRow.id.desc())
            .label("number"),
        )
        .where(FeedbackRow.prediction_id.in_(predictions))
        .subquery()
    )
    given = of_prediction.c
    query = (
        select(given.prediction_id, given.correct_code, given.given_by, UserRow.username, given.role, given.given_at)
        .join(UserRow, (UserRow.id == given.given_by) & UserRow.deleted_at.is_(None), isouter=True)
        .where(given.number <= limit)
        .order_by(given.id)
    )
    found: dict[str, list[GivenFeedback]] = {prediction: [] for prediction in predictions}
    for prediction, *values in connection.execute(query):
        found[prediction].append(GivenFeedback(*values))
    return found


def read_feedback(url: str, model_name: str) -> "pd.DataFrame":
    """Return all feedback on one taxonomy's predictions, oldest first (columns as in `COLUMNS`).

    `given_at` is timezone-aware (UTC), `given_by` is the user's id. `trusted`: whether the user's role at that time is
    one of `TRUSTED_ROLES`. `sampled`: whether the prediction is in the random sample. `simulated`: whether the listing
    was sent or the feedback given by a simulator; what a reviewer says on a simulated listing is simulated too. A
    ledger that does not exist yet has no feedback. Raises `LedgerError` when the database does not answer.
    """
    import pandas as pd

    simulators = select(UserRow.id).where(UserRow.role == SIMULATOR)
    query = (
        select(
            FeedbackRow.prediction_id,
            PredictionRow.designation,
            PredictionRow.description,
            FeedbackRow.correct_code.label("prdtypecode"),
            FeedbackRow.given_by,
            FeedbackRow.role,
            FeedbackRow.given_at,
            or_(FeedbackRow.role == SIMULATOR, PredictionRow.user_id.in_(simulators)).label("simulated"),
        )
        .join(PredictionRow, PredictionRow.id == FeedbackRow.prediction_id)
        .where(PredictionRow.model_name == model_name)
        .order_by(FeedbackRow.given_at, FeedbackRow.id)
    )
    with reading_existing(url) as connection:
        frame = pd.DataFrame(connection.execute(query).all() if connection else [], columns=COLUMNS[:-2])
    frame["given_at"] = pd.to_datetime(frame["given_at"], utc=True)
    frame["simulated"] = frame["simulated"].astype(bool)
    frame["trusted"] = frame["role"].isin(TRUSTED_ROLES)
    frame["sampled"] = frame["prediction_id"].map(is_sampled).astype(bool)
    return frame
