"""What the service answered lately, and what people said about it, as tables: what the monitoring pipeline looks at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, inspect, select

from ledger.callers import TRUSTED_ROLES
from ledger.database import open_engine, reading
from ledger.tables import Feedback, Prediction

if TYPE_CHECKING:
    import pandas as pd

PREDICTION_COLUMNS = ["id", "designation", "description", "language", "predicted_code", "confidence", "created_at"]
FEEDBACK_COLUMNS = [
    "prediction_id", "predicted_code", "confidence", "correct_code", "given_by", "role", "given_at", "trusted",
]  # fmt: skip


@dataclass(frozen=True)
class Window:
    """The newest predictions of one version of a model: at most `maximum_rows`, not before `since`, up to `until`.

    The same window read again has the same rows, but for those that were erased or purged meanwhile.
    """

    model_name: str
    model_version: str
    since: datetime
    until: datetime
    maximum_rows: int


def read_predictions(url: str, window: Window) -> "pd.DataFrame":
    """Return the window's predictions, newest first (columns as in `PREDICTION_COLUMNS`).

    A ledger that nobody has written to yet has none. Raises `LedgerError` when the database does not answer.
    """
    columns = [getattr(Prediction, name) for name in PREDICTION_COLUMNS]
    with _opened(url) as connection:
        frame = _table(connection, _newest(window, *columns), PREDICTION_COLUMNS, "created_at")
    frame["description"] = frame["description"].astype(object).where(frame["description"].notna(), None)
    return frame


def read_feedback_on(url: str, window: Window) -> "pd.DataFrame":
    """Return what was said about the window's predictions, oldest first (columns as in `FEEDBACK_COLUMNS`).

    Of one user on one prediction only the last. `trusted`: whether the role at that time is one of `TRUSTED_ROLES`.
    Raises `LedgerError` when the database does not answer.
    """
    answers = _newest(window, Prediction.id, Prediction.predicted_code, Prediction.confidence).subquery()
    answered = answers.c
    query = (
        select(
            Feedback.prediction_id,
            answered.predicted_code,
            answered.confidence,
            Feedback.correct_code,
            Feedback.given_by,
            Feedback.role,
            Feedback.given_at,
        )
        .join(answers, answered.id == Feedback.prediction_id)
        .where(Feedback.given_at <= window.until)
        .order_by(Feedback.given_at, Feedback.id)
    )
    with _opened(url) as connection:
        frame = _table(connection, query, FEEDBACK_COLUMNS[:-1], "given_at")
    frame["trusted"] = frame["role"].isin(TRUSTED_ROLES)
    return frame.drop_duplicates(["prediction_id", "given_by"], keep="last", ignore_index=True)


def _newest(window: Window, *columns: Any) -> Select[Any]:
    inside = select(*columns).where(
        Prediction.model_name == window.model_name,
        Prediction.model_version == window.model_version,
        Prediction.created_at >= window.since,
        Prediction.created_at <= window.until,
    )
    return inside.order_by(Prediction.created_at.desc(), Prediction.id.desc()).limit(window.maximum_rows)


@contextmanager
def _opened(url: str) -> Iterator[Connection | None]:
    """Yield a connection to a ledger, or None where nobody has written to one yet: connecting would create a file."""
    engine = open_engine(url)
    try:
        if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).is_file():
            yield None
            return
        with reading(engine) as connection:
            yield connection if inspect(connection).has_table(Feedback.__tablename__) else None
    finally:
        engine.dispose()


def _table(connection: Connection | None, query: Select[Any], columns: list[str], moment: str) -> "pd.DataFrame":
    import pandas as pd

    frame = pd.DataFrame(connection.execute(query).all() if connection else [], columns=columns)
    frame[moment] = pd.to_datetime(frame[moment], utc=True)
    return frame
