"""Reading the feedback back for training."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from ledger.tables import Feedback, Prediction

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["designation", "description", "prdtypecode", "given_by", "role", "given_at"]


class LedgerError(RuntimeError):
    """The ledger is configured but cannot be read."""


def database_url() -> str:
    """Return `DATABASE_URL`, or else the SQLite file in the state folder."""
    state = Path(os.environ.get("STATE_DIR") or Path(__file__).resolve().parents[1] / ".state")
    return os.environ.get("DATABASE_URL") or f"sqlite:///{state.resolve() / 'ledger.db'}"


def read_feedback(url: str, model_name: str) -> "pd.DataFrame":
    """Return all feedback on one taxonomy's predictions, oldest first (columns as in `COLUMNS`).

    A ledger that nobody has written to yet has none. Raises `LedgerError` when the database does not answer.
    """
    import pandas as pd

    address = make_url(url)
    empty = pd.DataFrame(columns=COLUMNS)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
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
        engine = create_engine(address)
        with engine.connect() as connection:
            if not inspect(connection).has_table(Feedback.__tablename__):
                return empty
            rows = connection.execute(query).all()
    except SQLAlchemyError as error:
        where = address.render_as_string(hide_password=True)
        raise LedgerError(f"the ledger at {where} cannot be read: {error.__class__.__name__}") from error
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame["given_at"] = pd.to_datetime(frame["given_at"], utc=True)
    return frame
