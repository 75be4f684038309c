"""Feedback: given on a prediction, and read back for training."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, inspect, select

from ledger.callers import TRUSTED_ROLES
from ledger.database import open_engine, reading
from ledger.tables import Feedback, Prediction

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["designation", "description", "prdtypecode", "given_by", "role", "given_at", "trusted"]


@dataclass(frozen=True)
class Correction:
    """Feedback as it stands in the ledger. `created`: it is new, and no repetition of what its giver said last."""

    id: int
    prediction_id: str
    correct_code: int
    created: bool


class UnknownPredictionError(LookupError):
    """There is no prediction with that id."""


def give_feedback(
    connection: Connection, prediction_id: str, correct_code: int, username: str, role: str, now: datetime
) -> Correction:
    """Store what a user says the right type is, unless it is what the user said last. Minds may change, and back again.

    Raises `UnknownPredictionError`.
    """
    # Locked, so that the same word given twice at the same time is stored once.
    prediction = select(Prediction.id).where(Prediction.id == prediction_id).with_for_update()
    if connection.execute(prediction).first() is None:
        raise UnknownPredictionError(f"there is no prediction {prediction_id}")
    said = select(Feedback.id, Feedback.correct_code).where(
        Feedback.prediction_id == prediction_id, Feedback.given_by == username
    )
    last = connection.execute(said.order_by(Feedback.id.desc()).limit(1)).first()
    if last and last.correct_code == correct_code:
        return Correction(last.id, prediction_id, correct_code, created=False)
    statement = insert(Feedback).values(
        prediction_id=prediction_id, correct_code=correct_code, given_by=username, role=role, given_at=now
    )
    new: Any = connection.execute(statement).inserted_primary_key
    return Correction(new.id, prediction_id, correct_code, created=True)


def read_feedback(url: str, model_name: str) -> "pd.DataFrame":
    """Return all feedback on one taxonomy's predictions, oldest first (columns as in `COLUMNS`).

    `trusted`: whether the role that the user had when giving it is one of `TRUSTED_ROLES`. A ledger that nobody has
    written to yet has none. Raises `LedgerError` when the database does not answer.
    """
    import pandas as pd

    engine = open_engine(url)
    empty = pd.DataFrame(columns=COLUMNS).astype({"trusted": bool})
    if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).is_file():
        return empty  # connecting would create an empty file
    query = (
        select(
            Prediction.designation,
            Prediction.description,
            Feedback.correct_code.label("prdtypecode"),
            Feedback.given_by,
            Feedback.role,
            Feedback.given_at,
        )
        .join(Prediction, Prediction.id == Feedback.prediction_id)
        .where(Prediction.model_name == model_name)
        .order_by(Feedback.given_at, Feedback.id)
    )
    try:
        with reading(engine) as connection:
            if not inspect(connection).has_table(Feedback.__tablename__):
                return empty
            rows = connection.execute(query).all()
    finally:
        engine.dispose()
    frame = pd.DataFrame(rows, columns=COLUMNS[:-1])
    frame["trusted"] = frame["role"].isin(TRUSTED_ROLES)
    frame["given_at"] = pd.to_datetime(frame["given_at"], utc=True)
    return frame
